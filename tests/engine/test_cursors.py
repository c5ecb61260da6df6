"""The names of cursors stay as databases have them, and say how an agent ran."""

import msgspec
import pytest

from vigie.core.model import Cause, CheckResult, FaultScope, Status
from vigie.engine.cursors import cursor_of, mode_of, position_of, unseen
from vigie.ports import Batch, Position, RunMode


@pytest.mark.parametrize(
    ("agent", "mode", "cursor"),
    [("local", RunMode.CONTINUOUS, "local"), ("shop", RunMode.SINGLE, "once-shop"), ("paris", RunMode.CONTINUOUS, "paris")],
)
def test_a_cursor_is_named_as_it_always_was(agent: str, mode: RunMode, cursor: str) -> None:
    assert cursor_of(Batch(agent, 1, 1, (), mode)) == cursor
    assert mode_of(cursor) is mode


@pytest.mark.parametrize(
    "position",
    [
        Position("stream", 7, 51, 900),
        Position("stream", 7, 49, 800),  # it lost its end
        Position("stream", 7, 50, 901),  # and the number is that of another message
        Position("stream", 6, 1, 700),  # it was made anew, by a clock that was set back
    ],
)
def test_how_far_a_bus_was_read_is_kept_wherever_it_goes(position: Position) -> None:
    known = {"stream": (7, 50), "stream@": (50, 850)}
    assert position_of("stream", known) == Position("stream", 7, 50, 850)
    _, cursors = unseen([], position, known)
    known.update((name, (run, sequence)) for name, run, sequence in cursors)
    assert position_of("stream", known) == position
    assert unseen([], position, known) == ([], ())


def test_what_an_older_server_read_is_known_by_its_number_alone() -> None:
    assert position_of("stream", {"stream": (7, 50)}) == Position("stream", 7, 50)
    assert position_of("stream", {"stream": (7, 60), "stream@": (50, 850)}) == Position("stream", 7, 60)
    assert position_of("stream", {}) is None


@pytest.mark.parametrize(
    ("cause", "scope", "fault"),
    [
        (None, None, FaultScope.TARGET),
        (Cause.TCP_REFUSED, None, FaultScope.TARGET),
        (Cause.PROBE_ERROR, None, FaultScope.MONITOR),
        (Cause.PROBE_ERROR, FaultScope.MACHINE, FaultScope.MACHINE),
        (Cause.PROBE_NETWORK, None, FaultScope.NETWORK),
        (Cause.PROBE_RESOLVER, None, FaultScope.NETWORK),
        (Cause.PROBE_RESOLVER, FaultScope.MONITOR, FaultScope.MONITOR),
    ],
)
def test_whose_fault_a_result_is(cause: Cause | None, scope: FaultScope | None, fault: FaultScope) -> None:
    assert CheckResult("shop", 0, Status.UNKNOWN, cause, scope=scope).fault is fault


def test_a_result_of_an_earlier_version_is_read_without_a_scope() -> None:
    old = b'{"monitor":"shop","at":1,"status":"unknown","cause":"probe.error","message":"busy","figures":{"machine":true},"location":"local","order":7}'
    result = msgspec.json.decode(old, type=CheckResult)
    assert (result.scope, result.fault) == (None, FaultScope.MONITOR)
