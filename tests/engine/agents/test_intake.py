"""What an agent hands in is a claim: forged, damaged, absurd and oversized batches are refused whole; skew is corrected."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.model import Cause, CheckResult, HttpFacts, Status, Timings
from vigie.engine.agents import intake
from vigie.engine.agents.intake import Refused, Rights, checked, split
from vigie.fleet.batches import PackedBatch, encode
from vigie.fleet.packed import pack, unpack
from vigie.fleet.packing import Packer
from vigie.fleet.shards import shard_of
from vigie.ports import EnrolledAgent, ShardRun

NOW = 1_795_000_000_000
AGENT = EnrolledAgent("paris-1", "paris", "h", "p", NOW, "ann")
NUMBERS = {"shop": 7, "other": 8}
IDS = {number: name for name, number in NUMBERS.items()}
SHARD = shard_of("shop")
RIGHTS = Rights(AGENT, 3, 5, IDS, {SHARD: ShardRun("paris", SHARD, "paris-1", 9, 5)}, lambda _: True)


def result(at: int = NOW - 1_000, sequence: int = 1, **more: Any) -> CheckResult:
    return CheckResult("shop", at, Status.UP, timings=Timings(total=12.0), http=HttpFacts(200, "2"), location="paris", run=9, sequence=sequence, **more)  # fmt: skip


def packed(*results: CheckResult, numbers: dict[str, int] | None = None, place: int = 3, **more: Any) -> PackedBatch:
    base, count, body = pack(results, numbers or NUMBERS, {"paris": place})
    values: dict[str, Any] = {"agent": "paris-1", "location": "paris", "shard": SHARD, "spool": 5, "sequence": 1, "base": base}
    return PackedBatch(**{**values, "count": count, "body": body, **more})


GOOD = packed(result(), result(NOW - 500, 2))


def take(batch: PackedBatch, rights: Rights = RIGHTS, now: int = NOW) -> PackedBatch:
    (found,) = checked([encode(batch)], rights, now)
    return found


def of(batch: PackedBatch) -> list[CheckResult]:
    return unpack(batch.base, batch.body, IDS, {3: "paris"})


def test_what_is_the_agents_own_is_taken_as_it_is() -> None:
    assert take(GOOD) == GOOD
    down = result(sequence=3)
    down = replace(down, status=Status.DOWN, cause=Cause.HTTP_STATUS, message="status 503", figures={"status": 503})
    whole = packed(result(), down, whole=(down,))
    assert take(whole) == whole


def test_what_the_packer_makes_is_taken() -> None:
    packer = Packer("paris-1", "paris", 3)
    packer.use({"shop": 7}, {SHARD: 9})
    for _, batch in packer.pack([result(NOW - 5_000 + number, number) for number in range(1, 400)]):
        mine = msgspec.structs.replace(batch, spool=5, sequence=1)
        assert take(mine) == mine


FORGED: dict[str, Callable[[], PackedBatch]] = {
    "another agent's": lambda: packed(result(), agent="paris-2"),
    "another location": lambda: packed(result(), location="lyon"),
    "another location in the records": lambda: packed(result(), place=4),
    "another spool": lambda: packed(result(), spool=4),
    "no sequence": lambda: packed(result(), sequence=0),
    "a huge sequence": lambda: packed(result(), sequence=2**60),
    "no such shard": lambda: packed(result(), shard=256),
    "a negative shard": lambda: packed(result(), shard=-1),
    "a shard of somebody else": lambda: packed(result(), shard=(SHARD + 1) % 256),
    "an unknown monitor": lambda: packed(result(), numbers={"shop": 99}),
    "a monitor of another shard": lambda: packed(result(), numbers={"shop": 8}),
    "a run to come": lambda: packed(replace(result(), run=10)),
    "no run": lambda: packed(replace(result(), run=0)),
    "the far future": lambda: packed(result(NOW + 3_600_000)),
    "the far past": lambda: packed(result(NOW - 400 * 86_400_000)),
    "no instant at all": lambda: packed(result(), base=-1),
    "an instant beyond any": lambda: packed(result(), base=2**62),
    "fewer than it says": lambda: packed(result(), count=2),
    "more than it says": lambda: packed(result(), result(sequence=2), count=1),
    "none": lambda: packed(result(), count=0),
    "a thousand million": lambda: packed(result(), count=10**9),
    "the same twice": lambda: packed(result(), result()),
    "records cut off": lambda: packed(result(), body=GOOD.body[:-1]),
    "records of a later version": lambda: packed(result(), body=b"\x09" + GOOD.body[1:]),
    "records of no location": lambda: packed(result(), body=b"\x01" + GOOD.body[13:46]),
    "a status that is none": lambda: packed(result(), body=GOOD.body[:21] + b"\xfe" + GOOD.body[22:46], count=1),
    "a whole one that is not packed": lambda: packed(result(), whole=(result(sequence=2),)),
    "a whole one of another monitor": lambda: packed(result(), whole=(replace(result(), monitor="other"),)),
    "a whole one of another location": lambda: packed(result(), whole=(replace(result(), location="lyon"),)),
    "a whole one of another instant": lambda: packed(result(), whole=(result(NOW + 10**12),)),
    "more whole ones than results": lambda: packed(result(), whole=(result(), result())),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_batch_is_refused(kind: str) -> None:
    with pytest.raises(Refused) as refused:
        take(FORGED[kind]())
    assert len(str(refused.value)) < 400


def test_a_shard_that_another_agent_has_is_its_own_alone() -> None:
    """Results of an earlier run are late ones, which change nothing; those of the run that the other one has would."""
    rights = replace(RIGHTS, runs={SHARD: ShardRun("paris", SHARD, "paris-2", 9, 4)})
    with pytest.raises(Refused, match="run 9"):
        take(GOOD, rights)
    late = packed(replace(result(), run=8))
    assert take(late, rights) == late
    with pytest.raises(Refused):
        take(GOOD, replace(RIGHTS, runs={}))


def test_one_bad_batch_refuses_all_that_came_with_it() -> None:
    with pytest.raises(Refused, match=r"batch 5/2 of shard"):
        checked([encode(GOOD), encode(packed(result(), sequence=2, count=5))], RIGHTS, NOW)


def test_a_clock_that_is_off_is_corrected_for() -> None:
    """In the records and in the whole results; within a second nothing is changed."""
    whole = packed(result(NOW + 89_000), result(NOW + 89_500, 2), whole=(result(NOW + 89_500, 2),))
    found = take(whole, replace(RIGHTS, skew_ms=90_000))
    assert [one.at for one in of(found)] == [NOW - 1_000, NOW - 500]
    assert [one.at for one in found.whole] == [NOW - 500]
    slow = take(packed(result(NOW - 90_500)), replace(RIGHTS, skew_ms=-90_000))
    assert [one.at for one in of(slow)] == [NOW - 500]
    assert take(GOOD, replace(RIGHTS, skew_ms=900)) == GOOD


def test_nothing_is_later_than_now() -> None:
    """A location whose results were later than all others' would make those look silent."""
    ahead = packed(result(), result(NOW + 300_000, 2), whole=(result(NOW + 300_000, 2),))
    found = take(ahead)
    assert ([one.at for one in of(found)], found.whole[0].at) == ([NOW - 1_000, NOW], NOW)


def test_what_is_not_to_be_checked_from_here_is_left_out() -> None:
    assert checked([encode(GOOD)], replace(RIGHTS, is_checked=lambda _: False), NOW) == []
    down = replace(result(sequence=2), status=Status.DOWN, cause=Cause.HTTP_STATUS)
    assert checked([encode(packed(result(), down, whole=(down,)))], replace(RIGHTS, is_checked=lambda _: False), NOW) == []


def test_a_request_is_cut_into_its_batches() -> None:
    one = encode(GOOD)
    body = len(one).to_bytes(4, "little") + one
    assert split(body * 3) == [one] * 3
    assert split(b"") == []
    for bad in (body[:-1], body + b"\1", bytes(4), b"\xff\xff\xff\xff" + one, b"\1\0\0"):
        with pytest.raises(Refused):
            split(bad)
    with pytest.raises(Refused, match="more than"):
        split(b"\1\0\0\0x" * (intake.MAX_BATCHES + 1))


@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    for blob in (noise, b"\1" + noise, encode(GOOD)[: len(noise)], encode(GOOD)[:20] + noise):
        with pytest.raises(Refused):
            checked([blob], RIGHTS, NOW)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_byte_that_is_another_breaks_nothing(place: int, value: int) -> None:
    """It is refused, or it is a batch of this agent all the same."""
    blob = bytearray(encode(packed(result(), whole=(result(),))))
    blob[place % len(blob)] = value
    try:
        found = checked([bytes(blob)], RIGHTS, NOW)
    except Refused:
        return
    for batch in found:
        assert (batch.agent, batch.location) == ("paris-1", "paris")
        assert all(one.at <= NOW for one in of(batch))
