"""Shipped test kit: a virtual-time event loop, fakes for every port, and the conformance suites."""

import asyncio
import selectors
from typing import Any


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type, unused-ignore]  # the class differs by platform
    """Never waits: where a real selector would sleep, the loop's clock jumps instead."""

    def __init__(self) -> None:
        super().__init__()
        self.jumped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            return super().select(0.05)  # only another thread can wake the loop now
        self.jumped += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time: `asyncio.sleep(3600)` returns at once and `time()` reads an hour later."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.jumped

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002 - the signature from Python 3.12 on
        """Wait for its threads as long as they take: they live in real time, and the time-out of Python 3.12 would be over at once."""
        await super().shutdown_default_executor()


class VirtualClock:
    """A Clock on the running loop's virtual time; `step` moves the wall clock alone, as an operator or NTP would."""

    def __init__(self, start: int = 1_767_225_600_000) -> None:  # 2026-01-01T00:00:00Z
        self._start = start

    def now(self) -> int:
        """Epoch ms."""
        return self._start + round(asyncio.get_running_loop().time() * 1000)

    def monotonic(self) -> float:
        """Virtual seconds."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Returns at once, later."""
        await asyncio.sleep(seconds)  # slow: not on virtual time

    def step(self, delta_ms: int) -> None:
        """Step the wall clock."""
        self._start += delta_ms


def run_virtual(main: Any) -> Any:
    """Run a coroutine to its end on virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
