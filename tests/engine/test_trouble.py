"""A failure that lasts is said once, and that it is over."""

import logging

import pytest

from vigie.engine.trouble import Trouble
from vigie.errors import StoreError, StoreFault


def _do(trouble: Trouble, error: Exception | None = None) -> None:
    with trouble.noted():
        if error is not None:
            raise error


def test_a_failure_is_said_once_for_each_kind_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    trouble, caplog.handler.level = Trouble(logging.getLogger("vigie.x"), "pings cannot be read"), logging.INFO
    for fault in (StoreFault.UNREACHABLE, StoreFault.UNREACHABLE, StoreFault.BUSY, StoreFault.UNREACHABLE):
        _do(trouble, StoreError(fault, str(fault), "wait"))
    _do(trouble)
    _do(trouble)
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("ERROR", "pings cannot be read: unreachable. wait"),
        ("ERROR", "pings cannot be read: busy. wait"),
        ("WARNING", "it works again, after: pings cannot be read"),
    ]
    _do(trouble, StoreError(StoreFault.BUSY, "busy", "wait"))
    assert len(caplog.records) == 4


def test_what_is_no_failure_of_the_store_is_raised() -> None:
    trouble = Trouble(logging.getLogger("vigie.x"), "pings cannot be read")
    with pytest.raises(ValueError, match="else"):
        _do(trouble, ValueError("else"))
