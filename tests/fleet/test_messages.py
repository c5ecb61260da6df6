"""What travels between agents and servers comes back as it was, and rubbish is refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.model import Cause, CheckResult, Status
from vigie.fleet import batches, wire
from vigie.fleet.batches import PackedBatch
from vigie.net import Secret
from vigie.observation.check_spec import CheckSpec

SPEC = CheckSpec("shop", "Shop", "http", "https://shop.test", "shop.test", 60_000, 10_000, {"token": Secret("s3cret")}, "paris")


def test_work_comes_back_with_its_secrets() -> None:
    work = wire.Work(7, [wire.ShardWork(147, 3, [SPEC], [12])], whole=True)
    again = wire.decode(wire.encode(work))
    assert again == work
    assert isinstance(again, wire.Work)
    token = again.shards[0].specs[0].options["token"]
    assert isinstance(token, Secret)
    assert token.reveal() == "s3cret"


def test_a_field_of_a_later_version_is_ignored() -> None:
    body = msgspec.msgpack.decode(wire.encode(wire.Pace("shop", 5_000)))
    assert wire.decode(msgspec.msgpack.encode({**body, "why": "confirming"})) == wire.Pace("shop", 5_000)


@given(st.binary(max_size=200))
def test_rubbish_is_no_message(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.decode(body)


def test_a_batch_comes_back() -> None:
    whole = CheckResult("shop", 1_000, Status.DOWN, Cause.HTTP_STATUS, "HTTP 500", location="paris", run=3, sequence=9)
    batch = PackedBatch("one", "paris", 147, 4, 1, 1_000, 1, b"\2", (whole,))
    assert batches.decode(batches.encode(batch)) == batch


@given(st.binary(max_size=200))
def test_rubbish_is_no_batch(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        batches.decode(body)


def test_a_batch_of_a_later_version_says_so() -> None:
    with pytest.raises(ValueError, match="version 2"):
        batches.decode(b"\2" + batches.encode(PackedBatch("one", "paris", 1, 1, 1, 0, 0, b""))[1:])


@pytest.mark.parametrize("depth", [2_000, 900_000])
def test_lists_within_lists_are_refused_like_any_rubbish(depth: int) -> None:
    """Behind what is known, where a later version might have written something."""
    nested = b"\x91" * depth + b"\xc0"
    batch = batches.encode(PackedBatch("one", "paris", 1, 1, 1, 0, 0, b""))
    pace = wire.encode(wire.Pace("shop", 5_000))
    with pytest.raises(ValueError, match="lists within lists"):
        batches.decode(batch[:1] + bytes([batch[1] + 1]) + batch[2:] + nested)
    with pytest.raises(ValueError, match="lists within lists"):
        wire.decode(bytes([pace[0] + 1]) + pace[1:] + b"\xa1x" + nested)
