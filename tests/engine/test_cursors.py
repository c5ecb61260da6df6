"""The names of cursors stay as databases have them, and say how an agent ran."""

import msgspec
import pytest

from vigie.core.model import Cause, CheckResult, FaultScope, Status
from vigie.engine.cursors import cursor_of, mode_of
from vigie.ports import Batch, RunMode


@pytest.mark.parametrize(
    ("agent", "mode", "cursor"),
    [("local", RunMode.CONTINUOUS, "local"), ("shop", RunMode.SINGLE, "once-shop"), ("paris", RunMode.CONTINUOUS, "paris")],
)
def test_a_cursor_is_named_as_it_always_was(agent: str, mode: RunMode, cursor: str) -> None:
    assert cursor_of(Batch(agent, 1, 1, (), mode)) == cursor
    assert mode_of(cursor) is mode


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
