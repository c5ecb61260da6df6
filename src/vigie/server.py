"""`vigie serve`: the continuous form. Starts the parts, reloads the configuration as a whole or not at all, drains at the end.

Where several servers share a store, one of them evaluates at a time, under a lease, and the others stand by (docs/decisions/0069):
1. Who evaluates decides, reports, follows the calendar and jobs, pings the watchdog; each of its commits is fenced by its lease.
2. Who stands by decides nothing. It sends what is due, serves pages and takes what comes in: pings, what people do, definitions; the one
   that evaluates applies them.
3. A `Server` has one duty for its whole life. Whoever is to do the other is a new one, so that nothing of the old one's memory is left.

Which parts there are, and in which order they begin and end, is read here; what a new configuration changes is in `reloading.py`.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable

from vigie import plugins
from vigie.adapters import jobs, zone_of
from vigie.app import Runtime, heartbeats
from vigie.checking import Checking
from vigie.config import Desired
from vigie.core.model import Monitor
from vigie.engine.agents.over_bus import run_both
from vigie.engine.alive import Loop, keep_alive
from vigie.engine.commands.alerts import AlertDesk
from vigie.engine.commands.monitors import MonitorDesk
from vigie.engine.deciding import Deciding
from vigie.engine.feedback import FeedbackService
from vigie.engine.following import Follower
from vigie.engine.janitor import Janitor, keep_history
from vigie.engine.leases import ALONE, Duty
from vigie.errors import StoreError
from vigie.memory import settle
from vigie.ports import Clock
from vigie.probing import Probing
from vigie.publishing import Publishing
from vigie.read_side import ReadSide
from vigie.reloading import Edit, LogOf, Parts, Reloading, same_log
from vigie.report.render import RenderContext
from vigie.reporting import Reporting
from vigie.responding import Responding
from vigie.self_watch import SelfWatch
from vigie.text.formatting import unsent_words

log = logging.getLogger("vigie.server")

STOP_SECONDS = 15.0  # the whole of a graceful stop, whatever clients, channels and checks do
_CHECKS_SECONDS = 8.0  # of it, for checks under way; side by side with what is being answered
_CLOSE_SECONDS = 1.5  # of it, at its end
_SENDS_SECONDS = 35.0  # for what a server that stops evaluating is sending: each send has its own deadline


class Server:
    """All the parts of `vigie serve`. `reload` reads the configuration anew and may raise ConfigError."""

    def __init__(
        self,
        settings: Desired,
        clock: Clock,
        reload: Callable[[], Desired],
        log_of: LogOf = same_log,
        edit: Edit | None = None,
        duty: Duty = ALONE,
    ) -> None:
        self._clock, self.duty = clock, duty
        self.runtime = runtime = Runtime(settings, clock, hold_ms=settings.llm.hold_ms, threads=True, duty=duty)
        self.follower = None if duty.evaluates else self._follower()
        self.agents = Reporting(runtime, clock, server_name(), duty)
        self.checking = Checking(runtime, duty, self.agents)
        self.heartbeats = heartbeats(
            runtime,
            self.checking.publish,
            lambda: runtime.deps.link.fault(),  # noqa: PLW0108 - of the moment: a new configuration may bring another link
            relay=not duty.evaluates,
        )
        runtime.self_monitor.on_link_regained(self.heartbeats.unheard)
        self.feedback = (
            FeedbackService(runtime.store.archive, runtime.store.catalog, clock, runtime.composer)
            if settings.web.public_url is not None
            else None
        )
        self.responding = Responding(runtime, clock, self._deciding)
        self._janitor = Janitor(
            runtime.store.inbox, runtime.store.archive, runtime.store.accounts, clock, runtime.ingest, prunes=duty is ALONE
        )
        self._tasks: list[asyncio.Task[None]] = []
        self.reads = ReadSide(runtime, duty, self.checking.prober, lambda: (self.reloading.applied_at, self.reloading.was_refused))
        self._serve_people()
        self.watch = SelfWatch(runtime, self.checking.prober, self.reads.health)
        self.reloading = Reloading(
            Parts(runtime, duty.evaluates, self.heartbeats, self.responding, self.checking, self.reads, self.watch), reload, log_of, edit
        )

    @property
    def settings(self) -> Desired:
        """The configuration in force."""
        return self.runtime.settings

    def _follower(self) -> Follower:
        runtime = self.runtime
        return Follower(
            runtime.ingest,
            runtime.store.archive,
            runtime.store.inbox,
            runtime.planner,
            self._clock,
            self._watched,
            lambda monitors: self.reads.board.decided(monitors),  # noqa: PLW0108 - it is made later
            lambda: self.checking.follow_paces(),  # noqa: PLW0108 - likewise
        )

    @property
    def _deciding(self) -> Deciding:
        """Who takes what people do about alerts."""
        return self.follower or self.runtime.ingest

    async def replan(self) -> None:
        """What people planned is another than before. Raises StoreError."""
        if self.follower is not None:
            await self.follower.refresh()
        else:
            await self.runtime.planner.tick(self.runtime.ingest)

    def _serve_people(self) -> None:
        """Who acts for pages, subscribers and other programs."""
        clock = self._clock
        self.publishing = Publishing(self.runtime, clock, lambda: self.settings, self._watched, self.reads.queries.history)
        self.probing = Probing(lambda: self.settings, self.checking.prober.check_once, self.runtime.deps.resolver)
        self.alert_desk = AlertDesk(self.runtime.store, self._deciding, clock)
        self.monitor_desk = MonitorDesk(
            self.checking.check_now,
            self.runtime.store.archive,
            clock,
            self.runtime.ingest.monitor,
            lambda: self.runtime.reporter.collectors,
            self.setting,
            lambda kind: plugins.traits(kind).passive,
        )
        self.runtime.ingest.listen_to_results(self.monitor_desk.on_transition, self.monitor_desk)

    async def start(self) -> None:
        """Adopt the state, start every loop, begin to watch; or stand by."""
        store = self.runtime.store
        if self.follower is not None:
            await self.follower.start()
        else:
            await self.runtime.start()
            await self.reloading.retry_unsent()
        await self.reads.start()
        await self.heartbeats.start(jobs(self.settings), await store.ledger.next_run(), listening=True)
        loops = self._shared_loops() | (
            self._evaluating_loops() if self.follower is None else {"what is decided elsewhere": self.follower.run}
        )
        self._tasks = [asyncio.create_task(keep_alive(name, run, self._clock)) for name, run in loops.items()]
        web = self.settings.web
        if jobs(self.settings) and not web.enabled and web.pings_listen is None:
            log.warning("jobs can only report with `vigie ping`: `web.enabled` is false, and `web.pings_listen` is not set")
        await self.agents.desk.start()
        if self.follower is None:
            self.responding.start()
            self.checking.take_by(self.watch.take)
            await self.checking.assign()
        else:
            self.checking.forward()
        self.checking.prober.start()
        await self.reloading.began()
        self.watch.stalls.start()
        settle()

    def _shared_loops(self) -> dict[str, Loop]:
        """What every server does, whatever its duty."""
        catalog, definitions = self.runtime.store.catalog, self.reloading.definitions
        others: dict[str, Loop] = {}
        if self.duty is not ALONE and definitions is not None:
            others = {"definitions made elsewhere": lambda: definitions.follow_others(catalog, self.reloading.ask)}
        return {
            **others,
            **self.reads.loops(),
            **self.checking.loops(),
            "the outbox": self.runtime.outbox.run,
            "the configuration": self.reloading.run,
            "letters to subscribers": self.publishing.letters.run,
            "the beat of the loop": self.watch.beat,
            "agents in other places": self.agents.desk.run,
        }

    def _evaluating_loops(self) -> dict[str, Loop]:
        """What the one that evaluates does; history has a lease of its own where there are several servers."""
        store = self.runtime.store
        history: dict[str, Loop] = {"the history": lambda: keep_history(store.history, self._clock, lambda: self.settings.history)}
        over_bus = self.agents.over_bus
        return {
            **self.reads.evaluating_loops(),
            **({} if over_bus is None else {"agents on the bus": lambda: run_both(over_bus)}),
            "the reporter": self.runtime.reporter.run,
            "the janitor": self._janitor.run,
            **(history if self.duty is ALONE else {}),
            "the calendar": self.runtime.calendar.run,
            "the hand-overs": self.runtime.handovers.run,
            "maintenance": lambda: self.runtime.planner.run(self.runtime.ingest),
            "the watch over jobs": self.heartbeats.run,
            "the watchdog": self.watch.watchdog.run,
        }

    async def stop(self, answering: Awaitable[object] | None = None, *, last: bool = True) -> None:
        """Drain: checks under way end, their results are taken in, what is due is sent, the store is closed.

        Pings are taken in until `answering` has ended. All of it within STOP_SECONDS: a check that takes longer is given up, and what is
        not sent by then is sent at the next start. Not the `last` server: what is due is left to the others, who go on watching.
        """
        end = self._clock.monotonic() + STOP_SECONDS - _CLOSE_SECONDS
        self.watch.stalls.stop()
        await self.checking.prober.stop(_CHECKS_SECONDS)
        if answering is not None:
            await answering
        await self.responding.close()
        await self.heartbeats.stop()
        await self.checking.close()
        self.runtime.ingest.stop()
        await self.checking.taken()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.agents.close()
        if last:
            await self.runtime.self_monitor.stop()
            left = max(end - self._clock.monotonic(), 0.0)
            unsent = await self.runtime.outbox.drain(self._clock.now() + round(left * 1000))
            if unsent:
                log.warning("unsent: %s", unsent_words(unsent.waiting, unsent.given_up, "start"))
        await self.runtime.close(max(end - self._clock.monotonic(), 0.0))

    def halt(self) -> None:
        """From now on this server decides nothing, and claims nothing."""
        self.watch.stalls.stop()
        self.runtime.ingest.stop()
        self.agents.halt()
        for task in self._tasks:
            task.cancel()
        self.checking.halt()
        self.reads.live.close()

    async def retire(self) -> None:
        """After `halt`: end what is left of it. What is being sent is sent; what was not written is given up, since another one decides."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.checking.halted()
        await self.agents.close()
        await self.checking.prober.stop(_CLOSE_SECONDS)
        await self.checking.forwarded()
        await self.responding.close()
        with contextlib.suppress(StoreError):
            await self.heartbeats.stop()
        await self.runtime.close(_SENDS_SECONDS, keep=False)

    def setting(self) -> RenderContext:
        """The language and the zone of pages, by the configuration in force."""
        return RenderContext(self.settings.language, zone_of(self.settings))

    def now(self) -> int:
        """Epoch ms."""
        return self._clock.now()

    def _watched(self) -> list[Monitor]:
        return [one.monitor for one in self.settings.monitors]


def server_name() -> str:
    """What this process is called among the servers of a store: no other has this name, now or later."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
