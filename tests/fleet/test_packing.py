"""What an agent packs is what it measured, once the facts that did not travel are back."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.model import (
    Cause,
    Certificate,
    CheckResult,
    Expiry,
    ExpiryKind,
    FaultScope,
    HttpFacts,
    PageFacts,
    Status,
    Timings,
    TlsFacts,
)
from vigie.fleet import batches, packing
from vigie.fleet.packing import AFRESH_MS, MAX_TOGETHER, Packer, expand
from vigie.fleet.shards import shard_of

NOW = 1_795_000_000_000
MONITORS = ("shop", "mail", "blog", "gone")
NUMBERS = {"shop": 3, "mail": 70_000, "blog": 0}
IDS = {number: name for name, number in NUMBERS.items()}
RUNS = {shard_of(name): 7 for name in MONITORS}

LEAF = Certificate("shop.example", "R11", NOW - 10**9, NOW + 10**9, "EC 256", "sha256", ("shop.example",), "ab" * 32)
ms = st.none() | st.integers(0, 9_000_000).map(lambda tenths: tenths / 10)
timings = st.builds(Timings, ms, ms, ms, ms, ms, ms)
ends = st.builds(
    Expiry,
    st.sampled_from(["shop.example:443", "shop.example"]),
    st.just(ExpiryKind.CERTIFICATE),
    st.just("shop.example"),
    st.sampled_from([NOW + 10**7, NOW + 10**9]),
    st.sampled_from([NOW - 5, NOW + 10**6]),
    place=st.sampled_from(["192.0.2.7", "192.0.2.8"]),
)
facts = st.fixed_dictionaries(
    {
        "message": st.sampled_from(["HTTP 200", "HTTP 200, again"]),
        "address": st.sampled_from([None, "192.0.2.7", "192.0.2.8"]),
        "addresses": st.sampled_from([(), ("192.0.2.7", "192.0.2.8"), ("192.0.2.8", "192.0.2.7")]),
        "http": st.sampled_from([None, HttpFacts(200, "2", type="text/html", bytes=5), HttpFacts(204, "2", headers={"server": "nginx"})]),
        "tls": st.sampled_from([None, TlsFacts("TLSv1.3", "R11", chain=(LEAF,)), TlsFacts("TLSv1.2", "R11", chain=(LEAF,), limit=LEAF)]),
        "page": st.sampled_from([None, None, None, PageFacts("d", 5)]),
        "host": st.sampled_from([None, None, "www.shop.example"]),
        "expiries": st.lists(ends, max_size=2).map(tuple),
    }
)
verdicts = st.sampled_from(
    [
        *[(Status.UP, None, None)] * 4,
        (Status.DOWN, Cause.HTTP_STATUS, None),
        (Status.DEGRADED, Cause.TLS_EXPIRING, None),
        (Status.UNKNOWN, Cause.PROBE_ERROR, FaultScope.MACHINE),
    ]
)


@st.composite
def streams(draw: st.DrawFn) -> list[CheckResult]:
    """Checks in the order in which they ended, over an hour and more; a clock that steps now and then; facts that mostly stay."""
    common: list[dict[str, Any]] = draw(st.lists(facts, min_size=1, max_size=2))
    at, found = NOW, []
    for sequence in range(draw(st.integers(0, 30))):
        at += draw(st.sampled_from([0, 1, 900, 60_000, AFRESH_MS, -7_000, 2**32 + 5]))
        status, cause, scope = draw(verdicts)
        one = CheckResult(
            draw(st.sampled_from(MONITORS)), at, status, cause, timings=draw(timings), run=2, sequence=65_530 + sequence, scope=scope
        )
        found.append(replace(one, **draw(st.sampled_from(common))))
    return found


def packer() -> Packer:
    """That of an agent in Paris which has the work."""
    made = Packer("probe-1", "paris", 4)
    made.use(NUMBERS, RUNS)
    return made


def arrived(parts: list[list[CheckResult]], one: Packer) -> list[CheckResult]:
    """What a server makes of what is packed part by part, over the wire."""
    known: dict[packing.Place, CheckResult] = {}
    found = []
    for part in parts:
        for shard, batch in one.pack(part):
            assert batch == batches.decode(batches.encode(batch))
            assert (batch.agent, batch.location, batch.shard) == ("probe-1", "paris", shard)
            results = expand(batch, IDS, known)
            assert batch.count == len(results)
            assert {shard_of(result.monitor) for result in results} == {shard}
            found += results
    return found


def essence(one: CheckResult) -> tuple[object, ...]:
    """What the facts rule promises of each result, plainly up or not."""
    times = one.timings
    return (
        *(one.monitor, one.location, one.run, one.sequence, one.at, one.status, one.cause, one.scope, one.host, one.page),
        *(times.dns, times.connect, times.tls, times.first_byte, times.transfer, times.total),
        frozenset(one.addresses), one.address if one.address not in one.addresses else None,
        one.http and (one.http.status, one.http.type, one.http.headers.get("server")), one.tls,
        frozenset((end.of, end.ends_at) for end in one.expiries),
    )  # fmt: skip


@given(streams(), st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_what_arrives_is_what_was_measured(stream: list[CheckResult], size: int) -> None:
    own = [replace(one, run=7, location="paris") for one in stream if one.monitor in NUMBERS]
    found = arrived([stream[start : start + size] for start in range(0, len(stream), size)], packer())
    for name in NUMBERS:  # the order is that of the shard, and so of each monitor
        assert [essence(one) for one in found if one.monitor == name] == [essence(one) for one in own if one.monitor == name]
    assert [one for one in found if one.status is not Status.UP or one.page] == [
        one for one in sorted(own, key=lambda one: found_at(found, one)) if one.status is not Status.UP or one.page
    ]


def found_at(found: list[CheckResult], one: CheckResult) -> int:
    """Where a result arrived."""
    return next(place for place, each in enumerate(found) if (each.monitor, each.sequence) == (one.monitor, one.sequence))


def good(at: int, sequence: int, **more: Any) -> CheckResult:
    """A good check of the shop."""
    return replace(CheckResult("shop", at, Status.UP, timings=Timings(total=20.0), run=7, sequence=sequence, location="paris"), **more)


def whole(one: Packer, *results: CheckResult) -> list[int]:
    """The sequences of those that go whole."""
    return [each.sequence for _, batch in one.pack(results) for each in batch.whole]


def test_what_stays_the_same_goes_whole_once_an_hour() -> None:
    turns = [good(NOW + turn * 60_000, turn) for turn in range(181)]
    assert len(whole(packer(), *turns)) in (4, 5)


def test_monitors_do_not_all_go_whole_at_the_same_time() -> None:
    one = Packer("probe-1", "paris", 4)
    names = [f"m{number}" for number in range(600)]
    one.use({name: number for number, name in enumerate(names)}, {shard_of(name): 7 for name in names})
    turns = Counter[int]()
    for turn in range(61):
        results = [CheckResult(name, NOW + turn * 60_000, Status.UP, run=7, sequence=turn, location="paris") for name in names]
        turns[turn] = sum(len(batch.whole) for _, batch in one.pack(results))
    assert turns[0] == len(names)
    assert max(turns[turn] for turn in range(1, 61)) < 60


def test_which_of_the_addresses_it_went_to_is_no_fact_until_something_is_about_to_run_out() -> None:
    both = ("192.0.2.7", "192.0.2.8")
    soon = Expiry("shop.example:443", ExpiryKind.CERTIFICATE, "shop.example", NOW + 10**9, NOW + 10**7, place=both[0])
    one = packer()
    first, second = good(NOW, 1, address=both[0], addresses=both, expiries=(soon,)), good(NOW + 1, 2, address=both[1], addresses=both[::-1])
    other = replace(soon, place=both[1])
    assert whole(one, first) == [1]
    assert whole(one, replace(second, expiries=(other,))) == []
    due = replace(soon, warn_at=NOW)
    assert whole(one, *[good(NOW + at, at, addresses=both, address=both[0], expiries=(due,)) for at in (3, 4)]) == [3, 4]
    renewed = [replace(end, ends_at=NOW + 10**10) for end in (soon, other)]
    after = [good(NOW + at, at, addresses=both, address=both[at % 2], expiries=(renewed[at % 2],)) for at in (5, 6, 7)]
    assert whole(one, *after) == [5, 6, 7], "a renewal is known place by place"


def test_a_shard_that_begins_again_says_everything_again() -> None:
    one = packer()
    assert whole(one, good(NOW, 1)) == [1]
    one.use(NUMBERS, RUNS)
    assert whole(one, good(NOW + 1, 2)) == []
    one.use(NUMBERS, RUNS | {shard_of("shop"): 8})
    assert whole(one, good(NOW + 2, 3)) == [3]
    assert [batch.whole[0].run for _, batch in one.pack([good(NOW + 3, 4, status=Status.DOWN)])] == [8]


def test_what_is_not_its_work_any_more_is_left_out() -> None:
    one = packer()
    one.use({"mail": 5}, {shard_of("shop"): 7})
    assert one.pack([good(NOW, 1), replace(good(NOW, 2), monitor="mail")]) == []


@pytest.mark.parametrize("size", [1, MAX_TOGETHER, MAX_TOGETHER + 1])
def test_batches_are_bounded(size: int) -> None:
    text = "x" * 6_000
    found = packer().pack([good(NOW, turn, status=Status.DOWN, message=text) for turn in range(size)])
    assert sum(batch.count for _, batch in found) == size
    assert all(batch.count <= MAX_TOGETHER and len(batches.encode(batch)) <= batches.MAX_BYTES for _, batch in found)
