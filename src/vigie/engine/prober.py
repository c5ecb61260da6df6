"""The agent of this process: runs the checks that are due, within limits, and publishes their results in batches."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from vigie.core.model import CheckResult, Status
from vigie.engine.alive import keep_alive
from vigie.engine.limits import Limits
from vigie.engine.loop_monitor import LoopMonitor, own_fault
from vigie.engine.scheduler import Scheduler
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Batch, Clock, Probe

log = logging.getLogger("vigie.prober")

_BUILD_COUNT = 64
_FLUSH_SECONDS = 0.25
_FLUSH_COUNT = 256
_MAX_PENDING = 50_000


@dataclass(slots=True, eq=False)
class _Watched:
    """One monitor and the check in progress, if any; while it is still running when the next is due, the next is skipped.

    `again`: somebody asked for a check meanwhile, which follows it.
    """

    spec: CheckSpec
    probe: Probe
    task: asyncio.Task[None] | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Unbuilt:
    """Replaces a probe that could not be built: the monitor is `unknown`, and its message says why."""

    clock: Clock
    fault: str

    @classmethod
    def by(cls, clock: Clock, error: Exception) -> "Unbuilt":
        """The replacement of a probe whose building raised this."""
        return cls(clock, f"the probe could not be built: {type(error).__name__}: {error}")

    async def check(self, timeout_ms: int) -> CheckResult:  # noqa: ARG002 - the port's signature
        """The fault, as a result."""
        return own_fault(self.clock.now(), self.fault)


@dataclass(slots=True)
class Lateness:
    """How late checks started, in ms after they were due, including the wait for a slot; the last ten thousand."""

    samples: list[int] = field(default_factory=list)

    def add(self, ms: int) -> None:
        """Add one sample."""
        if len(self.samples) >= 10_000:
            del self.samples[:5_000]
        self.samples.append(ms)


class LocalAgent:
    """Implements the Agent port in this process. `build` makes the probe of a spec; if it raises, the monitor is `unknown`."""

    def __init__(
        self,
        *,
        name: str,
        run: int,
        clock: Clock,
        publish: Callable[[Batch], Awaitable[None]],
        build: Callable[[CheckSpec], Probe],
        slots: int = 512,
        host_slots: int = 8,
    ) -> None:
        self._name, self._run, self._clock = name, run, clock
        self._publish, self._build = publish, build
        self._scheduler, self._loop_monitor = Scheduler(), LoopMonitor(clock)
        self._limits = Limits(slots, host_slots)
        self._watched: dict[str, _Watched] = {}
        self._anchor = clock.now() - round(clock.monotonic() * 1000)
        self._checks_done = self._sequence = 0
        self._pending: list[CheckResult] = []
        self._dropped = 0
        self._publishing = asyncio.Lock()
        self._changed, self._flush_now = asyncio.Event(), asyncio.Event()
        self._stopping = False
        self._running: set[_Watched] = set()
        self._loops: list[asyncio.Task[None]] = []
        self.lateness = Lateness()

    def start(self) -> None:
        """Start scheduling, publishing and monitoring the loop."""
        loops = {"the schedule": self._schedule, "the publisher": self._flush, "the loop monitor": self._loop_monitor.run}
        self._loops = [asyncio.create_task(keep_alive(name, loop, self._clock)) for name, loop in loops.items()]

    async def assign(self, specs: Sequence[CheckSpec]) -> None:
        """Watch exactly these from now on. The result of a check in progress is dropped if its monitor was changed or removed."""
        kept: dict[str, _Watched] = {}
        for number, spec in enumerate(specs):
            if number % _BUILD_COUNT == _BUILD_COUNT - 1:
                await asyncio.sleep(0)  # building thousands of new probes must not delay the checks of the others
            known = self._watched.get(spec.monitor)
            if known is not None and known.spec == spec:
                kept[spec.monitor] = known
            else:
                kept[spec.monitor] = _Watched(spec, self._probe_of(spec))
        self._watched = kept
        self._scheduler.assign(specs, self._steady())
        self._changed.set()

    async def pace(self, monitor_id: str, every_ms: int | None) -> None:
        """Check at a faster pace, or at the monitor's own again (None)."""
        self._scheduler.pace(monitor_id, every_ms, self._steady())
        self._changed.set()

    async def check_once(self, probe: Probe, spec: CheckSpec) -> CheckResult:
        """Check once, out of turn: nothing is published, and the schedule stays."""
        result = await self._loop_monitor.run_check(probe, spec)
        return replace(result, monitor=spec.monitor, location=spec.location)

    async def check_now(self, monitor_id: str) -> None:
        """Check this monitor once, out of turn: after the check in progress, if there is one."""
        watched = self._watched.get(monitor_id)
        if watched is None or self._stopping:
            return
        if watched.task is None:
            self._begin(watched, self._steady())
        else:
            watched.again = True

    async def stop(self, seconds: float | None = None) -> None:
        """Start no more checks, let those in progress finish, for at most `seconds` where that is given; publish what is left."""
        self._stopping = True
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        with contextlib.suppress(TimeoutError):  # what is still running then is given up
            async with asyncio.timeout(seconds):
                while self._running:
                    await asyncio.gather(*(watched.task for watched in self._running if watched.task is not None))
        await self._publish_pending()

    def _probe_of(self, spec: CheckSpec) -> Probe:
        try:
            return self._build(spec)
        except Exception as error:  # a third-party probe may raise anything; the other monitors are still watched
            log.exception("%s: the probe could not be built", spec.name)
            return Unbuilt.by(self._clock, error)

    def _steady(self) -> int:
        """Ms that never step, on the scale of the wall clock at the start."""
        return self._anchor + round(self._clock.monotonic() * 1000)

    async def _schedule(self) -> None:
        while True:
            for monitor, due in self._scheduler.pop(self._steady()):
                watched = self._watched.get(monitor)
                if watched is not None and watched.task is None:
                    self._begin(watched, due)
            self._changed.clear()
            await self._until(self._scheduler.next_at())

    def _begin(self, watched: _Watched, due: int) -> None:
        watched.again = False
        watched.task = asyncio.create_task(self._check(watched, due))
        self._running.add(watched)

    async def _until(self, at: int | None) -> None:
        """Sleep until an instant, or until the schedule changes."""
        seconds = None if at is None else max(at - self._steady(), 0) / 1000
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _check(self, watched: _Watched, due: int) -> None:
        spec = watched.spec
        try:
            await self._limits.acquire(spec.host)
            try:
                if self._stopping:
                    return
                self.lateness.add(max(self._steady() - due, 0))
                at = self._clock.now()
                result = await self._loop_monitor.run_check(watched.probe, spec)
            finally:
                self._limits.release(spec.host)
            if self._watched.get(spec.monitor) is watched:
                self._checks_done += 1
                self._add(replace(result, at=at, monitor=spec.monitor, location=spec.location, run=self._run, sequence=self._checks_done))
        finally:
            watched.task = None
            self._running.discard(watched)
            if watched.again and not self._stopping and self._watched.get(spec.monitor) is watched:
                self._begin(watched, self._steady())

    def _add(self, result: CheckResult) -> None:
        """Keep for the next batch. The receiver may be stuck for a long time; memory stays bounded meanwhile."""
        if len(self._pending) >= _MAX_PENDING:
            if not self._dropped:
                log.error("%d results are waiting to be received; new ones are dropped until they have been", len(self._pending))
            self._dropped += 1
            return
        self._pending.append(result)
        if result.status is not Status.UP or len(self._pending) >= _FLUSH_COUNT:
            self._flush_now.set()

    async def _flush(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_FLUSH_SECONDS):
                    await self._flush_now.wait()
            except TimeoutError:
                pass
            self._flush_now.clear()
            await self._publish_pending()

    async def _publish_pending(self) -> None:
        """Results leave the list only once they have been accepted, so that nothing is lost if this is interrupted."""
        async with self._publishing:
            while self._pending:
                results = tuple(self._pending[:_FLUSH_COUNT])
                await self._publish(Batch(self._name, self._run, self._sequence + 1, results))
                self._sequence += 1
                del self._pending[: len(results)]
        if self._dropped:
            log.error("%d results were dropped because they were not received in time", self._dropped)
            self._dropped = 0
