"""Whether measurements can be trusted: a starved loop, a suspended machine or a clock step invalidates the checks in progress.

Anything that starves the loop counts, whether an overloaded CPU or a stalled disk: data that waits in a socket meanwhile looks like a
target that does not answer.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

from vigie.core.model import Cause, CheckResult, FaultScope, Status
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Clock, Probe

log = logging.getLogger("vigie.prober")

_TICK_SECONDS = 0.25
_NOTICEABLE_SECONDS = 0.3  # a tick that comes later than this took its time from the checks
_LATE_SECONDS = 2.0
_MIN_SECONDS, _SHARE = 0.5, 4  # of a check's time that was lost, from which on a timeout of it is ours
_STEP_MS = 2_000
_OVERRUN_SECONDS = 3.0
_SLOW = (Cause.TIMEOUT_CONNECT, Cause.TIMEOUT_TLS, Cause.TIMEOUT_FIRST_BYTE, Cause.TIMEOUT_TOTAL, Cause.DNS_TIMEOUT, Cause.ICMP_TIMEOUT)


@dataclass(frozen=True, slots=True)
class Mark:
    """The state at the start of a check: wall-clock minus monotonic time in ms, and the seconds the loop had lost so far."""

    offset: int
    lost: float


class LoopMonitor:
    """Ticks four times a second; a late tick means that nothing else on this loop ran on time either."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ticked_at = clock.monotonic()
        self._lost = 0.0

    async def run(self) -> None:
        """Tick for ever, and log clock steps and stalls."""
        offset = self._offset()
        self._ticked_at = self._clock.monotonic()
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            late, drift = self._late_seconds(), self._offset() - offset
            self._ticked_at = self._clock.monotonic()
            self._lost += late
            if abs(drift) > _STEP_MS:
                offset += drift
                log.warning("%s: checks in progress are discarded", _jumped(drift))
            elif late > _LATE_SECONDS:
                log.warning("%s: checks in progress are discarded", _busy(late))

    async def run_check(self, probe: Probe, spec: CheckSpec) -> CheckResult:
        """Run one check; the result is `unknown` if this machine or the probe itself failed."""
        mark, at = self.mark(), self._clock.now()
        try:
            async with asyncio.timeout(spec.timeout_ms / 1000 + _OVERRUN_SECONDS):
                result = await probe.check(spec.timeout_ms)
        except Exception as error:  # a probe that raises has a bug; the target is not at fault
            invalid = self.invalidation(mark)
            if invalid is not None:
                return own_fault(at, invalid, FaultScope.MACHINE)
            log.exception("%s: the probe failed", spec.name)
            return own_fault(at, f"the probe failed: {type(error).__name__}: {error}")
        invalid = self.invalidation(mark, result, spec.timeout_ms)
        return result if invalid is None else own_fault(at, invalid, FaultScope.MACHINE)

    async def run_check_with_retry(self, probe: Probe, spec: CheckSpec) -> CheckResult:
        """The same, with a second try if this machine invalidated the first: for callers that do not check again on their own."""
        result = await self.run_check(probe, spec)
        return await self.run_check(probe, spec) if result.scope is FaultScope.MACHINE else result

    def mark(self) -> Mark:
        """The state now, to be taken at the start of a check."""
        return Mark(self._offset(), self._lost + self._late_seconds())

    def invalidation(self, since: Mark, result: CheckResult | None = None, timeout_ms: int = 0) -> str | None:
        """Why a check that began at `since` and ends now is invalid; None if it is valid. Needs no tick in between.

        Less than two seconds of lost time invalidate a check only if they may be what made it fail.
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
async def monitored_loop(clock: Clock) -> AsyncIterator[LoopMonitor]:
    """A loop monitor that runs for the length of a block."""
    loop_monitor = LoopMonitor(clock)
    ticking = asyncio.create_task(loop_monitor.run())
    try:
        yield loop_monitor
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)


def own_fault(at: int, message: str, scope: FaultScope | None = None) -> CheckResult:
    """The result of a check that failed through Vigie's own fault."""
    return CheckResult("", at, Status.UNKNOWN, Cause.PROBE_ERROR, message, scope=scope)


def _explains(lost: float, result: CheckResult, timeout_ms: int) -> bool:
    """Whether the lost time may explain why a check timed out, or took longer than its limit."""
    if result.cause in _SLOW:
        return lost > max(timeout_ms / 1000 / _SHARE, _MIN_SECONDS)
    measured, limit = result.figures.get("measured_ms"), result.figures.get("limit_ms")
    if result.cause is not Cause.LATENCY_THRESHOLD or not isinstance(measured, int | float) or not isinstance(limit, int | float):
        return False
    return lost * 1000 > measured - limit


def _jumped(drift_ms: int) -> str:
    return f"the clock jumped by {drift_ms / 1000:+.1f} s (a step, or the machine was suspended)"


def _busy(seconds: float) -> str:
    return f"this machine was too busy for {seconds:.1f} s"
