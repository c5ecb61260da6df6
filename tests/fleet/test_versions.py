"""Versions that run side by side: what version 1 wrote is read for ever, and what a later one writes costs no process its life.

`fixtures/NAME.1.hex` are the bytes of version 1 as they were when it came out. They are never written anew: a change that cannot read them
needs a version 2 beside.
"""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.model import Cause, CheckResult, HttpFacts, Incident, Status, Timings
from vigie.engine.agents import intake
from vigie.fleet import batches, packed, wire
from vigie.net import Secret
from vigie.observation.check_spec import CheckSpec
from vigie.ports import EnrolledAgent
from vigie.stores.kit.records import decode, encode

FIXTURES = Path(__file__).parent / "fixtures"
AT = 1_767_225_600_000
SPEC = CheckSpec("shop", "Shop", "http", "https://shop.test", "shop.test", 60_000, 10_000, {"token": Secret("s3cret")}, "paris")
DOWN = CheckResult(
    "shop",
    AT + 1_500,
    Status.DOWN,
    Cause.HTTP_STATUS,
    "HTTP 500",
    timings=Timings(1.5, 2, 3, 40, 5, 51.5),
    http=HttpFacts(500, "1.1"),
    location="paris",
    run=3,
    sequence=70_009,
)
MESSAGES = {
    "hello": wire.Hello("paris-1", "paris", "1.2.3", 7, AT, 1, 250, 3, AT - 100_000, 12),
    "welcome": wire.Welcome(AT, "1.2.3", 1, 2, 7),
    "work": wire.Work(7, [wire.ShardWork(147, 3, [SPEC], [12]), wire.ShardWork(9, 4, [], [])], True, ["example.com:443"], "9.9.9.9"),
    "pace": wire.Pace("shop", 5_000),
    "usual_pace": wire.Pace("shop", None),
    "check_now": wire.CheckNow("shop"),
}


def _frozen(name: str) -> bytes:
    return bytes.fromhex((FIXTURES / f"{name}.1.hex").read_text())


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_of_version_1_is_read(name: str) -> None:
    assert wire.decode(_frozen(name)) == MESSAGES[name]


def test_every_message_is_frozen() -> None:
    assert {type(one) for one in MESSAGES.values()} == set(wire.Message.__args__)


def test_a_batch_of_version_1_is_read() -> None:
    batch = batches.decode(_frozen("batch"))
    assert (batch.agent, batch.location, batch.shard, batch.spool, batch.sequence, batch.whole) == ("paris-1", "paris", 147, 7, 41, (DOWN,))
    bank, shop = packed.unpack(batch.base, batch.body, {12: "shop", 13: "bank"}, {2: "paris"})
    assert (bank.monitor, bank.status, bank.timings.total, bank.run, bank.sequence) == ("bank", Status.UP, 12.3, 3, 70_008)
    assert shop == replace(DOWN, message="", http=HttpFacts(500, ""))


@pytest.mark.parametrize("name", MESSAGES)
def test_what_a_later_version_adds_to_a_message_is_ignored(name: str) -> None:
    def keep(code: int, data: memoryview) -> msgspec.msgpack.Ext:
        return msgspec.msgpack.Ext(code, bytes(data))

    body = msgspec.msgpack.decode(_frozen(name), ext_hook=keep)
    assert wire.decode(msgspec.msgpack.encode({**body, "added": [1, "later"]})) == MESSAGES[name]


def test_what_an_earlier_version_lacked_has_its_usual_value() -> None:
    first = {"type": "Hello", "agent": "paris-1", "location": "paris", "version": "1.0.0", "spool": 0, "at": AT}
    assert wire.decode(msgspec.msgpack.encode(first)) == wire.Hello("paris-1", "paris", "1.0.0", 0, AT)


def test_a_batch_of_a_later_version_is_left_with_the_agent() -> None:
    """Not as rubbish is refused, which the agent gives up."""
    rights = intake.Rights(EnrolledAgent("paris-1", "paris", "h", "p", AT, "ann"), 2, 7, {}, {}, lambda _: True)
    with pytest.raises(intake.Newer, match="version 2 cannot be read"):
        intake.checked([b"\2" + _frozen("batch")[1:]], rights, AT)
    with pytest.raises(intake.Refused, match="version none") as refused:
        intake.checked([b""], rights, AT)
    assert not isinstance(refused.value, intake.Newer)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("tls.revoked", Cause.TLS_HANDSHAKE),
        ("dns.bogus", Cause.DNS_SERVFAIL),
        ("content.broken_link", Cause.CONTENT_CHANGED),
        ("probe.battery", Cause.PROBE_ERROR),
        ("heartbeat.early", Cause.HEARTBEAT_FAILED),
    ],
)
def test_a_cause_of_a_later_version_is_read_as_one_of_its_family(written: str, read: Cause) -> None:
    """Of a result on its way, and of an incident in the database that a newer server wrote."""
    result = encode(DOWN).replace(b"http.status", b"%b" % written.encode()) if len(written) == len("http.status") else None
    known = msgspec.json.decode(msgspec.json.encode({**msgspec.to_builtins(DOWN), "cause": written}), type=CheckResult)
    assert known.cause is read
    assert known.cause.own is written.startswith("probe.")
    if result is not None:
        assert decode(result, CheckResult).cause is read


def test_every_family_has_one() -> None:
    assert {Cause(f"{one.partition('.')[0]}.later").partition(".")[0] for one in Cause} == {one.partition(".")[0] for one in Cause}


@pytest.mark.parametrize("rubbish", ["", "down", "nonsense", "no.such", 7, None])
def test_what_is_no_cause_is_none(rubbish: object) -> None:
    with pytest.raises(ValueError, match="is not a valid Cause"):
        Cause(rubbish)  # type: ignore[arg-type]  # that is what is tried


@given(st.sampled_from(Status), st.integers(0, 254))
def test_a_packed_cause_of_a_later_version_is_read(status: Status, code: int) -> None:
    """Its result counts as what its status says, and is nobody else's fault than that says."""
    one = packed.body_of(replace(DOWN, status=status))
    read = packed.result_of("shop", "paris", AT, 1, 1, one[:1] + bytes([code]) + one[2:])
    assert read.status is status
    assert isinstance(read.cause, Cause)
    if code >= len(Cause):
        assert read.cause.own is (status is Status.UNKNOWN)


def test_an_incident_that_a_newer_server_wrote_is_read() -> None:
    known = {"id": "shop-1", "monitor": "shop", "severity": "outage", "cause": "tcp.melted", "started_at": AT, "opened_at": AT}
    assert msgspec.convert(known, Incident).cause is Cause.TCP_UNREACHABLE
