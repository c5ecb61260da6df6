"""The agent of this process: it pops due monitors, probes within limits, and publishes batches of results."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from vigie.core.model import Cause, CheckResult, Status
from vigie.engine.scheduler import Scheduler
from vigie.ports import Assignment, Batch, Clock, Probe

log = logging.getLogger("vigie.prober")

_FLUSH_SECONDS = 0.25
_FLUSH_COUNT = 256
_TICK_SECONDS = 1.0
_LATE_SECONDS = 2.0
_STEP_MS = 2_000
_OVERRUN_SECONDS = 3.0


@dataclass(slots=True)
class _Watched:
    """One monitor under watch. `order` rises with every result of this run."""

    assignment: Assignment
    probe: Probe
    running: bool = False


@dataclass(slots=True)
class Lateness:
    """How late checks started, ms after they were due; the newest ten thousand."""

    samples: list[int] = field(default_factory=list)

    def add(self, ms: int) -> None:
        """Remember one."""
        if len(self.samples) >= 10_000:
            del self.samples[:5_000]
        self.samples.append(ms)


class LocalAgent:
    """Implements the Agent port in this process. `build` makes the probe of an assignment; it may raise, which is told and skipped."""

    def __init__(
        self,
        *,
        name: str,
        run: int,
        clock: Clock,
        publish: Callable[[Batch], Awaitable[None]],
        build: Callable[[Assignment], Probe],
        slots: int = 512,
        host_slots: int = 8,
    ) -> None:
        self._name, self._run, self._clock = name, run, clock
        self._publish, self._build = publish, build
        self._scheduler = Scheduler()
        self._watched: dict[str, _Watched] = {}
        self._slots = asyncio.Semaphore(slots)
        self._host_slots, self._hosts = host_slots, Counter[str]()
        self._host_free = asyncio.Condition()
        self._anchor = clock.now() - round(clock.monotonic() * 1000)
        self._order = run << 32
        self._sequence = 0
        self._pending: list[CheckResult] = []
        self._changed, self._flush_now = asyncio.Event(), asyncio.Event()
        self._disturbed: tuple[int, str] = (0, "")
        self._checks: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []
        self.lateness = Lateness()

    def start(self) -> None:
        """Begin to schedule, to publish and to watch the clock."""
        self._loops = [asyncio.create_task(loop()) for loop in (self._schedule, self._flush, self._watch_clock)]

    async def assign(self, assignments: Sequence[Assignment]) -> None:
        """Watch exactly these from now on."""
        kept: dict[str, _Watched] = {}
        for assignment in assignments:
            known = self._watched.get(assignment.monitor.id)
            if known is not None and known.assignment == assignment:
                kept[assignment.monitor.id] = known
            else:
                kept[assignment.monitor.id] = _Watched(assignment, self._build(assignment))
        self._watched = kept
        self._scheduler.assign(list(assignments), self._steady())
        self._changed.set()

    async def pace(self, monitor_id: str, every_ms: int | None) -> None:
        """Quick pace, or the monitor's own again."""
        self._scheduler.pace(monitor_id, every_ms, self._steady())
        self._changed.set()

    async def stop(self) -> None:
        """Start no more checks, let those under way end, publish what is left."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        while self._checks:
            await asyncio.gather(*self._checks)
        await self._publish_pending()

    def _steady(self) -> int:
        """Ms that never step back, on the wall clock's scale as it was at the start."""
        return self._anchor + round(self._clock.monotonic() * 1000)

    async def _schedule(self) -> None:
        while True:
            now = self._steady()
            for monitor, due in self._scheduler.pop(now):
                watched = self._watched.get(monitor)
                if watched is not None and not watched.running:
                    watched.running = True
                    self.lateness.add(self._steady() - due)
                    task = asyncio.create_task(self._check(watched))
                    self._checks.add(task)
                    task.add_done_callback(self._checks.discard)
            self._changed.clear()
            await self._until(self._scheduler.next_at())

    async def _until(self, at: int | None) -> None:
        """Sleep until an instant, or until the schedule changed."""
        seconds = None if at is None else max(at - self._steady(), 0) / 1000
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _check(self, watched: _Watched) -> None:
        monitor = watched.assignment.monitor
        try:
            async with self._slots:
                await self._enter(monitor.host)
                try:
                    result = await self._probe(watched)
                finally:
                    await self._leave(monitor.host)
            self._order += 1
            self._add(replace(result, monitor=monitor.id, order=self._order))
        finally:
            watched.running = False

    async def _enter(self, host: str) -> None:
        if self._hosts[host] >= self._host_slots:
            async with self._host_free:
                await self._host_free.wait_for(lambda: self._hosts[host] < self._host_slots)
        self._hosts[host] += 1

    async def _leave(self, host: str) -> None:
        self._hosts[host] -= 1
        if self._hosts[host] == self._host_slots - 1:
            async with self._host_free:
                self._host_free.notify_all()
        if not self._hosts[host]:
            del self._hosts[host]

    async def _probe(self, watched: _Watched) -> CheckResult:
        monitor, before, at = watched.assignment.monitor, self._disturbed, self._clock.now()
        try:
            async with asyncio.timeout(monitor.timeout_ms / 1000 + _OVERRUN_SECONDS):
                result = await watched.probe.check(monitor.timeout_ms)
        except Exception as error:
            log.exception("%s: the probe failed", monitor.name)
            return _own(at, f"the probe failed: {type(error).__name__}: {error}")
        if self._disturbed != before:
            return _own(at, self._disturbed[1])
        return result

    def _add(self, result: CheckResult) -> None:
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
        if self._pending:
            results, self._pending = tuple(self._pending), []
            self._sequence += 1
            await self._publish(Batch(self._name, self._run, self._sequence, results))

    async def _watch_clock(self) -> None:
        """A starved loop, a suspended machine or a stepped clock spoils the checks under way: they become `unknown`."""
        offset, last = self._clock.now() - round(self._clock.monotonic() * 1000), self._clock.monotonic()
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            monotonic = self._clock.monotonic()
            drift = self._clock.now() - round(monotonic * 1000) - offset
            late = monotonic - last - _TICK_SECONDS
            if abs(drift) > _STEP_MS:
                self._disturb(f"the clock jumped by {drift / 1000:+.1f} s (a step, or the machine was suspended)")
                offset += drift
            elif late > _LATE_SECONDS:
                self._disturb(f"this machine was too busy for {late:.1f} s")
            last = monotonic

    def _disturb(self, words: str) -> None:
        log.warning("%s: checks under way are void", words)
        self._disturbed = (self._disturbed[0] + 1, words)


def _own(at: int, message: str) -> CheckResult:
    return CheckResult("", at, Status.UNKNOWN, Cause.PROBE_ERROR, message)
