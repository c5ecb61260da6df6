"""Results on their way from an agent to the servers: which of them go whole, and how the others get their facts back.

Laws
1. Every result is a packed record. It goes whole as well when it is not plainly `up`, when it read a page that is not the one told
   last, while something that it saw is about to run out, and when what people would call its facts is not what the last whole one
   of its monitor said; besides once an hour, at a time that is the monitor's own, so that sizes and headers are not older than that.
2. A record that comes without a whole result was `up`, and its facts are those of the last whole one of its monitor and location.
   Which of several addresses of one name it went to, what it counted, and what the server put in its headers may be an hour old.
3. A batch is of one shard and one run. Results of a monitor that has no number, or of a shard that has no run, are somebody else's
   work by now: they are left out.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace

import msgspec

from vigie.core.model import CheckResult, HttpFacts, Status, TlsFacts
from vigie.fleet import packed
from vigie.fleet.batches import MAX_BYTES, PackedBatch
from vigie.fleet.facts import bounded
from vigie.fleet.shards import shard_of

AFRESH_MS = 3_600_000
BASE_MS = 1_000  # batches of one second have one base, so that a server can put their records together as they are
MAX_TOGETHER = 1_000  # results of a batch
_MAX_WHOLE = 32  # from so many on it is looked at how large a batch is
Place = tuple[str, str]  # monitor, location


class Packer:
    """Packs what one agent measures at one location, which has this number in packed records."""

    def __init__(self, agent: str, location: str, location_number: int) -> None:
        self._agent, self._location = agent, location
        self._locations = {location: location_number}
        self._numbers: Mapping[str, int] = {}
        self._runs: Mapping[int, int] = {}
        self._told: dict[str, tuple[int, int]] = {}  # by monitor: the hour and the facts of the last whole result
        self._ending: set[str] = set()  # monitors that saw something about to run out

    def use(self, numbers: Mapping[str, int], runs: Mapping[int, int]) -> None:
        """From now on these monitors (id -> number) are checked, and their shards have these runs (shard -> run).

        Of a shard that has another run than before, the next result of each monitor goes whole.
        """
        before, self._numbers, self._runs = self._runs, numbers, runs
        same = {shard for shard, run in runs.items() if before.get(shard) == run}
        self._told = {one: told for one, told in self._told.items() if one in numbers and shard_of(one) in same}
        self._ending &= numbers.keys()

    def pack(self, results: Sequence[CheckResult]) -> list[tuple[int, PackedBatch]]:
        """(shard, batch) of results in their order; several of a shard where one would be too large. `spool` and `sequence` are 0 yet."""
        shards = defaultdict[int, list[CheckResult]](list)
        for result in results:
            if result.monitor in self._numbers and (run := self._runs.get(shard := shard_of(result.monitor))) is not None:
                own = result.run == run and result.location == self._location
                shards[shard].append(result if own else replace(result, run=run, location=self._location))
        return [(shard, batch) for shard, of in shards.items() for part in _parts(of) for batch in self._batches(shard, part)]

    def _batches(self, shard: int, results: Sequence[CheckResult]) -> Iterator[PackedBatch]:
        whole = tuple([one for one in results if self._goes_whole(one)])
        yield from self._fitting(shard, results, whole)

    def _fitting(self, shard: int, results: Sequence[CheckResult], whole: tuple[CheckResult, ...]) -> Iterator[PackedBatch]:
        """One batch, or halves of it where it is too large."""
        if len(results) > 1 and len(whole) > _MAX_WHOLE and len(msgspec.msgpack.encode(whole)) > MAX_BYTES // 2:
            middle = len(results) // 2
            first = {id(one) for one in results[:middle]}
            yield from self._fitting(shard, results[:middle], tuple([one for one in whole if id(one) in first]))
            yield from self._fitting(shard, results[middle:], tuple([one for one in whole if id(one) not in first]))
            return
        base, count, body = packed.pack(results, self._numbers, self._locations, aligned_ms=BASE_MS)
        yield PackedBatch(self._agent, self._location, shard, 0, 0, base, count, body, tuple(map(bounded, whole)))

    def _goes_whole(self, one: CheckResult) -> bool:
        """Law 1; what goes whole is what the next ones are compared with."""
        number = self._numbers[one.monitor]
        hour = (one.at + number * 7_919) // AFRESH_MS
        warns = any(one.at >= end.warn_at for end in one.expiries)
        if warns:
            self._ending.add(one.monitor)
        told = hour, hash((_facts(one), one.expiries if one.monitor in self._ending else _ends(one)))
        if one.status is Status.UP and one.page is None and not warns and self._told.get(one.monitor) == told:
            return False
        self._told[one.monitor] = told
        return True


def _parts(results: Sequence[CheckResult]) -> Iterator[Sequence[CheckResult]]:
    for start in range(0, len(results), MAX_TOGETHER):
        yield from packed.parts(results[start : start + MAX_TOGETHER], BASE_MS)


def _facts(one: CheckResult) -> tuple[object, ...]:
    """What people would call the facts of a check: what it measured, counted and happened to be served is not among them."""
    address = None if one.address in one.addresses else one.address
    addresses = frozenset(one.addresses)
    return one.status, one.cause, one.scope, one.host, address, addresses, one.advice, _http(one.http), _tls(one.tls)


def _http(http: HttpFacts | None) -> tuple[object, ...] | None:
    return None if http is None else (http.status, http.version, http.redirects, http.type, http.headers.get("server"), http.hops)


def _tls(tls: TlsFacts | None) -> tuple[object, ...] | None:
    if tls is None:
        return None
    limit = tls.limit and tls.limit.sha256
    return tls.version, tls.expires_at, tls.subject, tls.issuer, limit, tuple([one.sha256 for one in tls.chain[:1]])


def _ends(one: CheckResult) -> frozenset[tuple[str, int]]:
    """What it saw running out, long before it does: whichever of several addresses served it."""
    return frozenset([(end.of, end.ends_at) for end in one.expiries])


def with_facts(record: CheckResult, whole: CheckResult | None) -> CheckResult:
    """The result of a record that came without a whole one, with the facts of the last whole one of its monitor and location (law 2).

    Where that was found degraded only in the light of what is usual, it has said so in place of its own words: there are none then.
    """
    if whole is None or not (whole.is_good and record.is_good):
        return record
    own = replace(
        whole, at=record.at, timings=record.timings, location=record.location, run=record.run, sequence=record.sequence, page=None
    )
    if (whole.status, whole.cause) == (record.status, record.cause):
        return own
    return replace(own, status=record.status, cause=record.cause, message="", figures={}, advice=())


def expand(batch: PackedBatch, ids: Mapping[int, str], known: MutableMapping[Place, CheckResult]) -> list[CheckResult]:
    """The results of a batch in its order. `known` holds the last whole ones, and is brought up to date. ValueError as `packed.unpack`.

    `ids` has the monitors by number; who is not in there is left out.
    """
    whole = {(one.monitor, one.run, one.sequence): one for one in batch.whole}
    found = []
    for number, _, at, run, sequence, body in packed.parts_of(batch.base, batch.body):
        if (monitor := ids.get(number)) is None:
            continue
        place = monitor, batch.location
        if (given := whole.get((monitor, run, sequence))) is not None:
            known[place] = given
            found.append(given)
        else:
            found.append(with_facts(packed.result_of(monitor, batch.location, at, run, sequence, body), known.get(place)))
    return found
