"""The engine at work on a store, as `serve` puts it together, on virtual time: checks are handed in, channels are fakes.

This part follows the program when its engine changes. Monitors and what their checks find come in as plain values, so that those of
a database of an earlier version stay as they are (fixtures/v1-*.json).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from vigie.core.detection import DetectionPolicy
from vigie.core.model import Cause, CheckResult, Monitor, PageFacts, Status, Timings
from vigie.core.notification import Notice
from vigie.engine.alive import keep_alive
from vigie.engine.calendar import Calendar
from vigie.engine.heartbeats import Heartbeats, Watched
from vigie.engine.ingest import Ingest
from vigie.engine.janitor import Janitor
from vigie.engine.messages import Composer
from vigie.engine.outbox import Outbox
from vigie.engine.reporter import Reporter, ReportOptions
from vigie.engine.self_monitor import SelfMonitor
from vigie.engine.transition import Transition
from vigie.net import Secret
from vigie.observation.heartbeat import Expected, Ping, Signal
from vigie.planning.period import Every
from vigie.ports import Batch, LanguageModel, Store
from vigie.report.render import RenderContext
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel
from vigie.testing.windows import Window, WindowedPolicy, one_off

Plain = dict[str, Any]
# What a monitor's checks find from a second on: `down`, with another cause `down http.status`, with how long it took `up 90ms`.
Found = Sequence[tuple[int, str]]

_BLIND_MS = 120_000
_CAUSES = {"down": "tcp.refused", "degraded": "latency.threshold", "unknown": "probe.network"}


def monitor_of(one: Plain) -> Monitor:
    """A monitor of plain values; instants in epoch ms, durations in seconds."""
    detection = DetectionPolicy(one["confirm"], 5_000, one["recover"])
    notification = WindowedPolicy(
        remind_ms=one["remind_s"] * 1_000,
        to=tuple(one["to"]),
        degraded_to=tuple(one["degraded_to"]),
        fallback=tuple(one["fallback"]),
        windows=tuple(Window(start, end) for start, end in one["maintenance"]),
    )
    kind, host = "heartbeat" if one["job"] else "http", f"{one['id']}.example"
    return Monitor(one["id"], one["name"], kind, f"https://{host}/", host, one["every_s"] * 1_000, 10_000, detection, notification)


def _watched(one: Plain) -> Watched:
    every_ms, grace_ms, longest_ms = (seconds * 1_000 for seconds in one["job"])
    expected = Expected(f"every {every_ms} ms", lambda at: at + every_ms, grace_ms, longest_ms)
    return Watched(monitor_of(one), Secret(f"token-of-{one['id']}"), expected)


class Vigie:
    """One life of the program. `kill` ends it as a power cut does, `stop` as a SIGTERM does."""

    def __init__(
        self,
        store: Store,
        clock: VirtualClock,
        monitors: Sequence[Plain],
        channels: Mapping[str, FakeChannel],
        *,
        model: LanguageModel | None = None,
        hold_ms: int = 0,
        weekly_to: Sequence[str] = (),
    ) -> None:
        self.store, self.clock, self.channels = store, clock, dict(channels)
        self._monitors = [monitor_of(one) for one in monitors]
        self._jobs = [_watched(one) for one in monitors if one["job"]]
        setting = RenderContext("en", UTC)
        ledger, archive, catalog = store.ledger, store.archive, store.catalog
        composer = Composer(archive, clock, setting, {one.id: one for one in self._monitors})
        self.reporter = Reporter(ledger, archive, catalog, clock, composer, (), ReportOptions(model, 60_000, "en", None, setting))
        self.outbox = Outbox(ledger, archive, clock, self.channels, composer.compose, self._fallbacks)
        self.ingest = Ingest(
            ledger, archive, clock, hold_ms=hold_ms, listeners=[self.reporter.on_transition, self._wake], circumstances_at=one_off
        )
        self.reporter.on_stored(self.outbox.wake)
        self.self_monitor = SelfMonitor(ledger, archive, self.ingest, clock, self.outbox.wake, continuous=True, elapsed=clock.monotonic)
        self.ingest.listen_to_results(self.self_monitor.on_transition)
        self.calendar = Calendar(ledger, archive, self.ingest, clock, self.outbox.wake)
        self.calendar.use(self._monitors, Every.WEEKLY if weekly_to else None, tuple(weekly_to), UTC)
        self.ingest.listen_to_results(self.calendar.on_transition)
        self.heartbeats = Heartbeats(store.inbox, clock, self.ingest.take)
        self.janitor = Janitor(store.inbox, archive, store.accounts, clock, self.ingest)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._run = self._sequence = 0

    async def start(self) -> None:
        """Take up what the store holds, and go on."""
        await self.store.catalog.sync_monitors(self._monitors)
        await self.ingest.start()
        await self.ingest.configure(self._monitors)
        self.self_monitor.use(self._monitors, _BLIND_MS, self._monitors)
        await self.self_monitor.start()
        self._run = await self.store.ledger.next_run()
        loops = {"outbox": self.outbox.run, "reporter": self.reporter.run, "janitor": self.janitor.run, "calendar": self.calendar.run}
        if self._jobs:
            await self.heartbeats.start(self._jobs, self._run, listening=True)
            loops["heartbeats"] = self.heartbeats.run
        self._tasks = {name: asyncio.create_task(keep_alive(name, run, self.clock)) for name, run in loops.items()}

    async def see(self, found: Mapping[str, str], pages: Mapping[str, PageFacts] | None = None) -> None:
        """A check of each of these monitors concluded now; `pages` are what was read."""
        self._sequence += 1
        results = [
            replace(self._result(monitor, what), page=(pages or {}).get(monitor), run=self._run, sequence=self._sequence)
            for monitor, what in found.items()
        ]
        await self.ingest.take(Batch("local", self._run, self._sequence, tuple(results)))

    def _result(self, monitor: str, what: str) -> CheckResult:
        status, *rest = what.split()
        cause = next((one for one in rest if "." in one), _CAUSES.get(status))
        ms = next((float(one.removesuffix("ms")) for one in rest if one.endswith("ms")), None)
        times = Timings() if ms is None else Timings(1.0, 2.0, 4.0, ms - 10, 1.0, ms)
        return CheckResult(monitor, self.clock.now(), Status(status), Cause(cause) if cause else None, "as scripted", timings=times)

    async def watch(self, plan: Mapping[str, Found], seconds: int, *, first: int = 0, every: int = 60) -> None:
        """Check all monitors of a plan every so many seconds, from the second `first` of the plan on, for so many seconds."""
        for second in range(first, first + seconds, every):
            await self.see({monitor: found for monitor, steps in plan.items() if (found := _at(steps, second))})
            await self.clock.sleep(every)

    async def ping(self, job: str, what: str, run: str = "", status: int | None = None, body: str = "") -> None:
        """A job reports in over the network."""
        await self.heartbeats.receive(f"token-of-{job}", Ping(0, Signal(what), run, status, body=body))
        await self.clock.sleep(0.05)

    def notified(self, since: int) -> list[Plain]:
        """Who was notified of what, after how many ms since `since`; in the order of channels, then of time."""
        return [
            {"after_ms": at - since, "channel": name, "reason": str(one.reason), "thread": one.thread, "key": one.key}
            for name, channel in sorted(self.channels.items())
            for at, one in channel.told
        ]

    async def kill_outbox(self) -> None:
        """Nothing is sent any more; what was claimed stays claimed."""
        for task in [self._tasks.pop("outbox"), *self.outbox._sending]:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def kill(self) -> None:
        """A crash a second after the newest commit."""
        await self.clock.sleep(1.5)
        if "outbox" in self._tasks:
            await self.kill_outbox()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self.reporter.close()
        await self.store.close()

    async def stop(self) -> None:
        """An orderly end."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._jobs:
            await self.heartbeats.stop()
        await self.self_monitor.stop()
        await self.reporter.close()
        await self.outbox.close()
        await self.ingest.close()
        await self.store.close()

    async def _wake(self, turn: Transition) -> None:
        if turn.decisions:
            self.outbox.wake()

    def _fallbacks(self, notice: Notice) -> tuple[str, ...]:
        monitor = self.ingest.monitor(notice.monitor)
        return () if monitor is None else monitor.notification.fallback or monitor.notification.to


def _at(steps: Found, second: int) -> str:
    """What is found at a second of a plan; empty before it begins."""
    return next((what for since, what in reversed(steps) if since <= second), "")
