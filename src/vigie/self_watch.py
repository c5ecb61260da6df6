"""How `serve` watches itself: the parts that may stand still, whom that is notified to, and the heartbeat to another watcher."""

import logging
import socket
from dataclasses import replace

from vigie.adapters import notifiers, open_store, pinged, speaking
from vigie.app import Runtime
from vigie.buses.process import ProcessAgent
from vigie.config import Desired
from vigie.engine.queries.health import RunningHealth
from vigie.engine.stalls import Channels, Stall, StallWatch, Watched, say_resumed
from vigie.engine.watchdog import Watchdog
from vigie.ports import Batch
from vigie.report.stalls import Part, message

log = logging.getLogger("vigie.stalls")

LOOP_SECONDS = WRITER_SECONDS = 60.0  # of standing still, until it is notified
PROBER_SECONDS = 45.0  # the same; it says something every ten seconds, and is killed after a minute of silence


class SelfWatch:
    """`runtime.settings` are those in force."""

    def __init__(self, runtime: Runtime, agent: ProcessAgent, health: RunningHealth) -> None:
        self._runtime, self._agent, self._health, self._clock = runtime, agent, health, runtime.clock
        self._beat_at = self._clock.monotonic()
        self._taking_since: float | None = None
        self.stalls = StallWatch(
            self._clock, self._parts(), self._channels, lambda: open_store(self._runtime.settings, self._clock), self._resumed
        )
        self.watchdog = Watchdog(self._clock, self._why_not)
        self.use(runtime.settings)

    def use(self, settings: Desired) -> None:
        """The watchdog of a new configuration."""
        wanted = settings.watchdog
        ping = None if wanted is None else lambda: pinged(settings, self._clock, wanted.url)
        self.watchdog.use(ping, 60_000 if wanted is None else wanted.every_ms)

    async def beat(self) -> None:
        """The loop runs."""
        while True:
            self._beat_at = self._clock.monotonic()
            await self._clock.sleep(1)

    async def take(self, batch: Batch) -> None:
        """Have a batch taken in, and see for how long that takes."""
        self._taking_since = self._clock.monotonic()
        try:
            await self._runtime.ingest.take(batch)
        except Exception:
            # One batch that breaks must not end the watch over everything else.
            logging.getLogger("vigie.server").exception("a batch of results could not be processed")
        finally:
            self._taking_since = None

    def _parts(self) -> list[Watched]:
        """What may stand still, whoever keeps the others from going on first."""
        now = self._clock.monotonic

        def writing() -> float:
            began = self._taking_since
            return 0.0 if began is None else now() - began

        return [
            Watched(Part.LOOP, lambda: now() - self._beat_at, LOOP_SECONDS),
            Watched(Part.WRITER, writing, WRITER_SECONDS),
            Watched(Part.PROBER, lambda: now() - self._agent.heard_at, PROBER_SECONDS),
        ]

    def _channels(self) -> Channels:
        """Fresh channels, for a thread's loop of its own: those that outages go to, before the others."""
        settings, host = self._runtime.settings, socket.gethostname()
        setting = replace(speaking(settings), feedback=None)
        names = dict.fromkeys(name for one in settings.monitors for name in one.monitor.notification.to)
        first = self._runtime.planner.channels(tuple(names))
        return Channels(notifiers(settings, self._clock), first, lambda notice: message(notice, setting, host))

    async def _resumed(self, stall: Stall, at: int) -> None:
        await say_resumed(stall, at, self._runtime.ingest.record)
        self._runtime.outbox.wake()

    async def _why_not(self) -> str:
        """What keeps Vigie from its work; empty when it does it."""
        if stalled := self.stalls.stalled:
            return f"the {', '.join(stalled)} has stalled"
        if (await self._health.health()).stalled:
            return "no results are coming in"
        if self._runtime.outbox.is_stuck():
            return "no notice can be sent"
        return ""
