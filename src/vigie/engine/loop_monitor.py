"""Whether this machine can be believed: a starved loop, a suspended machine or a stepped clock spoils the checks under way.

Whatever starves the loop counts, be it a machine that is too busy or a disk that stalls: what waits in a socket meanwhile looks like
silence of the target.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

from vigie.core.model import Cause, CheckResult, Monitor, Scalar, Status
from vigie.ports import Clock, Probe

log = logging.getLogger("vigie.prober")

_TICK_SECONDS = 0.25
_NOTICEABLE_SECONDS = 0.3  # a tick that comes later than this took its time from the checks
_LATE_SECONDS = 2.0
_LEAST_SECONDS, _SHARE = 0.5, 4  # of a check's time that was lost, from which on a timeout of it is ours
_STEP_MS = 2_000
_OVERRUN_SECONDS = 3.0
_SLOW = (Cause.TIMEOUT_CONNECT, Cause.TIMEOUT_TLS, Cause.TIMEOUT_FIRST_BYTE, Cause.TIMEOUT_TOTAL, Cause.DNS_TIMEOUT, Cause.ICMP_TIMEOUT)


@dataclass(frozen=True, slots=True)
class Mark:
    """How things stood when a check began: wall minus monotonic time in ms, and the seconds that the loop had lost."""

    offset: int
    lost: float


class Watch:
    """Ticks four times a second; a tick that comes late means that nothing else on this loop was on time either."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ticked_at = clock.monotonic()
        self._lost = 0.0

    async def run(self) -> None:
        """Tick for ever, and say what was noticed."""
        offset = self._offset()
        self._ticked_at = self._clock.monotonic()
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            late, drift = self._late_seconds(), self._offset() - offset
            self._ticked_at = self._clock.monotonic()
            self._lost += late
            if abs(drift) > _STEP_MS:
                offset += drift
                log.warning("%s: checks under way are void", _jumped(drift))
            elif late > _LATE_SECONDS:
                log.warning("%s: checks under way are void", _busy(late))

    async def look(self, probe: Probe, monitor: Monitor) -> CheckResult:
        """One check, `unknown` where it is this machine or the probe itself that failed."""
        mark, at = self.mark(), self._clock.now()
        try:
            async with asyncio.timeout(monitor.timeout_ms / 1000 + _OVERRUN_SECONDS):
                result = await probe.check(monitor.timeout_ms)
        except Exception as error:  # a probe that raises is at fault itself, never the target
            spoilt = self.spoilt(mark)
            if spoilt is not None:
                return own_fault(at, spoilt, machine=True)
            log.exception("%s: the probe failed", monitor.name)
            return own_fault(at, f"the probe failed: {type(error).__name__}: {error}")
        spoilt = self.spoilt(mark, result, monitor.timeout_ms)
        return result if spoilt is None else own_fault(at, spoilt, machine=True)

    async def look_again(self, probe: Probe, monitor: Monitor) -> CheckResult:
        """The same, with a second try where this machine spoilt the first: nobody else will look again soon."""
        result = await self.look(probe, monitor)
        return await self.look(probe, monitor) if "machine" in result.figures else result

    def mark(self) -> Mark:
        """To be taken at the start of a check."""
        return Mark(self._offset(), self._lost + self._late_seconds())

    def spoilt(self, since: Mark, result: CheckResult | None = None, timeout_ms: int = 0) -> str | None:
        """Why a check that began at `since` and ends now cannot be believed; None when it can. Needs no tick in between.

        Lost time below two seconds is held against this machine where it may be what made the check fail.
        """
        drift = self._offset() - since.offset
        if abs(drift) > _STEP_MS:
            return _jumped(drift)
        lost = self._lost + self._late_seconds() - since.lost
        return _busy(lost) if lost > _LATE_SECONDS or (result is not None and _explains(lost, result, timeout_ms)) else None

    def _offset(self) -> int:
        return self._clock.now() - round(self._clock.monotonic() * 1000)

    def _late_seconds(self) -> float:
        late = self._clock.monotonic() - self._ticked_at - _TICK_SECONDS
        return late if late > _NOTICEABLE_SECONDS else 0.0


@contextlib.asynccontextmanager
async def watching(clock: Clock) -> AsyncIterator[Watch]:
    """A watch that ticks for the length of a block."""
    watch = Watch(clock)
    ticking = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)


def own_fault(at: int, message: str, *, machine: bool = False) -> CheckResult:
    """The result of a check that Vigie itself spoilt; `machine` says that all checks of the moment are."""
    figures: dict[str, Scalar] = {"machine": True} if machine else {}
    return CheckResult("", at, Status.UNKNOWN, Cause.PROBE_ERROR, message, figures=figures)


def _explains(lost: float, result: CheckResult, timeout_ms: int) -> bool:
    """Whether so much lost time may be why a check ran out of time, or took longer than its limit."""
    if result.cause in _SLOW:
        return lost > max(timeout_ms / 1000 / _SHARE, _LEAST_SECONDS)
    measured, limit = result.figures.get("measured_ms"), result.figures.get("limit_ms")
    if result.cause is not Cause.LATENCY_THRESHOLD or not isinstance(measured, int | float) or not isinstance(limit, int | float):
        return False
    return lost * 1000 > measured - limit


def _jumped(drift_ms: int) -> str:
    return f"the clock jumped by {drift_ms / 1000:+.1f} s (a step, or the machine was suspended)"


def _busy(seconds: float) -> str:
    return f"this machine was too busy for {seconds:.1f} s"
