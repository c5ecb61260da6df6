"""What an agent hands in, before any of it counts: everything is somebody else's claim until it is checked. Pure.

Laws
1. A batch is of the agent and the location of the token that it came by, of that agent's spool, and of one shard.
2. Its monitors are those that the store has, each in its shard. What is not to be checked from this location (any more) is left out.
3. The run of a shard is its agent's: nobody reports under the run that another agent has now.
4. Instants are corrected by how far the agent's clock is off, and none is later than the server's: one location must not make the others
   look silent.
5. A batch that breaks a law is refused whole, with the reason; so is one that is larger than any agent makes. Of what a result says only
   what is within bounds is taken in (fleet/facts.py).
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from vigie.core.model import CheckResult, Status
from vigie.fleet import packed
from vigie.fleet.batches import MAX_BYTES, MAX_RESULTS, VERSION, PackedBatch
from vigie.fleet.facts import bounded
from vigie.fleet.packing import expand
from vigie.fleet.shards import SHARDS, shard_of
from vigie.ports import EnrolledAgent, ShardRun

MAX_BATCHES = 4_096  # of one request
MAX_WHOLE_BYTES = 128 * 1024
SKEW_MS = 1_000  # what a clock may be off before it is corrected for
EARLIEST_MS = 35 * 86_400_000  # before now; single results are kept for a month
LATEST_MS = 600_000  # after now: a clock that was set since it was last compared
_MAX_SEQUENCE = 2**53
_LENGTH = struct.Struct("<I")
_NUMBERED = struct.Struct("<IIB22xH")  # of a record: its monitor's number, its instant after the base, its status, its sequence's end
_STATUSES = len(Status)


class Refused(Exception):  # noqa: N818 - says what is the case
    """What was handed in is not accepted, now or later; the reason is for the log and for the agent's operator."""


class Newer(Refused):
    """It is of a later version than this program reads: the agent keeps it until the server is upgraded."""


class _Claimed(msgspec.Struct, frozen=True, array_like=True):
    """A batch whose whole results are not read yet."""

    agent: str
    location: str
    shard: int
    spool: int
    sequence: int
    base: int
    count: int
    body: bytes
    whole: tuple[msgspec.Raw, ...] = ()


_CLAIMED = msgspec.msgpack.Decoder(_Claimed)
_RESULT = msgspec.msgpack.Decoder(CheckResult)


@dataclass(frozen=True, slots=True)
class Rights:
    """What one agent may report about. `number` is that of its location, `spool` that of its spool, `ids` are all monitors by number.

    `is_checked` says whether its location is to check a monitor, `runs` who has which shard there, `skew_ms` how far its clock is ahead.
    """

    agent: EnrolledAgent
    number: int
    spool: int
    ids: Mapping[int, str]
    runs: Mapping[int, ShardRun]
    is_checked: Callable[[str], bool]
    skew_ms: int = 0


def split(body: bytes) -> list[bytes]:
    """The batches of a request, each behind its length. Raises Refused."""
    found, view, place = list[bytes](), memoryview(body), 0
    while place < len(body):
        if len(found) >= MAX_BATCHES:
            raise Refused(f"more than {MAX_BATCHES} batches in one request")
        if len(body) - place < _LENGTH.size:
            raise Refused("the request ends within a batch")
        (size,) = _LENGTH.unpack_from(body, place)
        place += _LENGTH.size
        if not 0 < size <= MAX_BYTES:
            raise Refused(f"a batch of {size} bytes; at most {MAX_BYTES} are allowed")
        if place + size > len(body):
            raise Refused("the request ends within a batch")
        found.append(bytes(view[place : place + size]))
        place += size
    return found


def checked(blobs: Sequence[bytes], rights: Rights, now: int) -> list[PackedBatch]:
    """The batches as they are to be taken in, those left out that nothing is left of. Raises Refused."""
    found = [_one(blob, rights, now) for blob in blobs]
    return [one for one in found if one.count]


def _one(blob: bytes, rights: Rights, now: int) -> PackedBatch:
    if blob[:1] != bytes([VERSION]):
        wrong = Newer if blob[:1] > bytes([VERSION]) else Refused
        raise wrong(f"a batch of version {blob[0] if blob else 'none'} cannot be read by this server")
    try:
        claimed = _CLAIMED.decode(memoryview(blob)[1:])
        _known(claimed, rights)
        whole = tuple([_result(raw) for raw in claimed.whole])
        batch = PackedBatch(
            claimed.agent,
            claimed.location,
            claimed.shard,
            claimed.spool,
            claimed.sequence,
            claimed.base,
            claimed.count,
            claimed.body,
            whole,
        )
        return _settled(batch, rights, now)
    except Refused as error:
        raise Refused(f"{error} (batch {_name(blob)})") from None
    except (msgspec.MsgspecError, ValueError, IndexError, OverflowError, RecursionError) as error:
        raise Refused(f"a batch cannot be read: {str(error)[:200]}") from None


def of_bus(batch: PackedBatch, rights: Rights, numbers: frozenset[int], now: int) -> PackedBatch:
    """A batch that came by a bus, which vouches for its agent and location; `numbers` are of the monitors of its shard to be checked there.

    It may be of an earlier spool: a bus keeps what it carries. What is as it should be is looked at by the segment. Raises Refused.
    """
    try:
        _carried(batch, rights)
        batch = _readable(batch)
        if _is_plainly_right(batch, rights, numbers, now):
            return batch
        return _settled(batch, rights, now)
    except Refused:
        raise
    except Exception as error:  # noqa: BLE001 - a stream must never be held up by what somebody put into it
        raise Refused(f"a batch cannot be read: {str(error)[:200]}") from None


def _readable(batch: PackedBatch) -> PackedBatch:
    whole = tuple([bounded(one) for one in batch.whole])
    return batch if whole == batch.whole else msgspec.structs.replace(batch, whole=whole)


def _carried(batch: PackedBatch, rights: Rights) -> None:
    """Whose it is: law 1, as far as it holds on a bus."""
    if batch.agent != rights.agent.name or batch.location != rights.agent.location:
        raise Refused(f"a batch of {batch.agent} at {batch.location}, while that agent is at {rights.agent.location}")
    if not 0 < batch.spool <= rights.spool:  # with that of a later one all that its agent reports until then would look repeated
        raise Refused(f"a batch of spool {batch.spool}, while this agent has spool {rights.spool}")
    if not 0 < batch.sequence < _MAX_SEQUENCE or len(batch.whole) > batch.count:
        raise Refused("a batch that no agent makes")


def _is_plainly_right(batch: PackedBatch, rights: Rights, numbers: frozenset[int], now: int) -> bool:
    """Whether nothing about it has to be corrected or refused; False where that takes a closer look."""
    held, count = rights.runs.get(batch.shard), 0
    if held is None or abs(rights.skew_ms) > SKEW_MS or batch.base < now - EARLIEST_MS:
        return False
    whole = {(one.run, one.sequence): one for one in batch.whole}
    for place, run, block, records in packed.segments(batch.body):
        if place != rights.number or not 0 < run <= held.run or (run == held.run and held.agent != batch.agent) or not records:
            return False
        found, offsets, statuses, ends = zip(*_NUMBERED.iter_unpack(records), strict=True)
        count += len(found)
        if not numbers.issuperset(found) or max(statuses) >= _STATUSES or batch.base + max(offsets) > now:
            return False
        if whole:  # what is a whole one is taken off
            _match(whole, (run, block, batch), (found, offsets, ends), rights)
    return count == batch.count and not whole


def _match(
    whole: dict[tuple[int, int], CheckResult],
    segment: tuple[int, int, PackedBatch],
    records: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]],
    rights: Rights,
) -> None:
    """Take off the whole results that records of a segment are about."""
    (run, block, batch), (numbers, offsets, ends) = segment, records
    for of, sequence in [one for one in whole if one[0] == run and one[1] >> 16 == block]:
        end, one = sequence & 0xFFFF, whole[of, sequence]
        index = ends.index(end) if end in ends else None
        known = None if index is None else (rights.ids[numbers[index]], batch.base + offsets[index], batch.location)
        if known == (one.monitor, one.at, one.location):
            del whole[of, sequence]


def _name(blob: bytes) -> str:
    try:
        one = _CLAIMED.decode(memoryview(blob)[1:])
    except (msgspec.MsgspecError, ValueError):
        return "unreadable"
    return f"{one.spool}/{one.sequence} of shard {one.shard}"


def _known(one: _Claimed, rights: Rights) -> None:
    """Whose it is, and its size: law 1."""
    if one.agent != rights.agent.name or one.location != rights.agent.location:
        raise Refused(f"a batch of another agent or location than {rights.agent.name} at {rights.agent.location}")
    if not 0 <= one.shard < SHARDS:
        raise Refused(f"a shard {one.shard}; there are {SHARDS}")
    if one.spool != rights.spool:
        raise Refused(f"a batch of spool {one.spool}, while this agent has spool {rights.spool}")
    if not 0 < one.sequence < _MAX_SEQUENCE:
        raise Refused(f"a sequence of {one.sequence}")
    if not 0 < one.count <= MAX_RESULTS or len(one.body) > MAX_RESULTS * (packed.SIZE + packed.HEADER_SIZE):
        raise Refused(f"{one.count} results in one batch; at most {MAX_RESULTS} are allowed")
    if len(one.whole) > one.count:
        raise Refused(f"{len(one.whole)} whole results of {one.count}")


def _result(raw: msgspec.Raw) -> CheckResult:
    size = memoryview(raw).nbytes
    if size > MAX_WHOLE_BYTES:
        raise Refused(f"a result of {size} bytes; at most {MAX_WHOLE_BYTES} are allowed")
    return bounded(_RESULT.decode(raw))


def _settled(batch: PackedBatch, rights: Rights, now: int) -> PackedBatch:
    """Laws 2 to 4."""
    places = _places(batch, rights, now)
    for one in batch.whole:
        if places.get((one.monitor, one.run, one.sequence)) != one.at or one.location != batch.location:
            raise Refused("a whole result that is not among the packed ones")
    shift = rights.skew_ms if abs(rights.skew_ms) > SKEW_MS else 0
    latest = max(places.values()) - shift
    if latest <= now and all(rights.is_checked(monitor) for monitor in {monitor for monitor, _, _ in places}):
        if not shift:
            return batch
        whole = tuple([replace(one, at=one.at - shift) for one in batch.whole])
        return msgspec.structs.replace(batch, base=batch.base - shift, whole=whole)
    return _packed_anew(batch, rights, shift, now)


def _places(batch: PackedBatch, rights: Rights, now: int) -> dict[tuple[str, int, int], int]:
    """The instant of each record, as the agent has it, by (monitor, run, sequence). Raises Refused where one breaks a law."""
    found = dict[tuple[str, int, int], int]()
    held, count = rights.runs.get(batch.shard), 0
    for number, place, at, run, sequence, body in packed.parts_of(batch.base, batch.body):
        count += 1
        monitor = rights.ids.get(number)
        if monitor is None or shard_of(monitor) != batch.shard:
            raise Refused(f"a result of monitor {number}, which is not in this shard")
        if place != rights.number:
            raise Refused("a result of another location")
        if held is None or not 0 < run <= held.run or (run == held.run and held.agent != batch.agent):
            raise Refused(f"results of run {run}, which this agent does not have")
        if not now - EARLIEST_MS <= at - rights.skew_ms <= now + LATEST_MS:
            raise Refused(f"a result of the instant {at}; the server's clock says {now}")
        packed.result_of(monitor, batch.location, at, run, sequence, body)  # raises for an unknown status
        found[monitor, run, sequence] = at
    if count != batch.count:
        raise Refused(f"{count} results where {batch.count} were said to be")
    if len(found) != count:
        raise Refused("a result that is there twice")
    return found


def _packed_anew(batch: PackedBatch, rights: Rights, shift: int, now: int) -> PackedBatch:
    """Without what its location is not to check, and with no instant later than now."""
    whole = {(one.monitor, one.run, one.sequence): one for one in batch.whole}
    kept = list(_kept(batch, rights, shift, now))
    numbers = {monitor: number for number, monitor in rights.ids.items()}
    base, count, body = packed.pack(kept, numbers, {batch.location: rights.number})
    at = {(one.monitor, one.run, one.sequence): one.at for one in kept}
    corrected = tuple([replace(one, at=at[key]) for key, one in whole.items() if key in at])
    return msgspec.structs.replace(batch, base=base, count=count, body=body, whole=corrected)


def _kept(batch: PackedBatch, rights: Rights, shift: int, now: int) -> Iterator[CheckResult]:
    for one in expand(batch, rights.ids, {}):
        if rights.is_checked(one.monitor):
            yield replace(one, at=min(one.at - shift, now))
