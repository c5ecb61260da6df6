"""Fakes for the ports around the engine, and the engine put together on them: what the engine's own tests run on virtual time."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC
from typing import Any

from vigie.buses.local import LocalBus
from vigie.core.detection import DetectionPolicy
from vigie.core.model import Cause, CheckResult, Monitor, Status
from vigie.core.notification import Notice, NotificationPolicy
from vigie.engine.alive import keep_alive
from vigie.engine.calendar import Calendar
from vigie.engine.ingest import Ingest
from vigie.engine.janitor import Janitor, apply_waiting
from vigie.engine.messages import Composer
from vigie.engine.outbox import Outbox
from vigie.engine.prober import LocalAgent
from vigie.engine.reporter import Reporter, ReportOptions
from vigie.engine.self_monitor import SelfMonitor
from vigie.engine.transition import Transition
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Clock, Collector, LanguageModel, Notifier, Offered, Probe, Prompt, Pulled, Receipt, Reply, Store
from vigie.report.facts import Evidence, Message, Subject
from vigie.report.render import RenderContext
from vigie.testing.windows import WindowedPolicy, one_off

_CAUSES = {Status.DOWN: Cause.TCP_REFUSED, Status.DEGRADED: Cause.LATENCY_THRESHOLD, Status.UNKNOWN: Cause.PROBE_NETWORK}


@dataclass(frozen=True, slots=True)
class Policies:
    """Both policies of a monitor."""

    detection: DetectionPolicy
    notification: NotificationPolicy


def policies(**values: Any) -> Policies:
    """Both policies, each with those of the values that belong to it."""
    ours = {one.name: values.pop(one.name) for one in fields(DetectionPolicy) if one.name in values}
    return Policies(DetectionPolicy(**ours), WindowedPolicy(**values))


def fake_monitor(name: str = "shop", *, every_ms: int = 60_000, host: str = "", policy: Policies | None = None) -> Monitor:
    """A monitor that pages `mail` after two failures, a second apart, unless told otherwise."""
    ours = policy or policies(confirm=2, confirm_every_ms=1_000, recover=2, flapping=False, to=("mail",))
    host = host or f"{name}.example"
    return Monitor(name, name, "fake", f"https://{host}/", host, every_ms, 10_000, ours.detection, ours.notification)


def fake_spec(name: str = "shop", **values: Any) -> CheckSpec:
    """What an agent gets of a fake monitor."""
    return CheckSpec.of(fake_monitor(name, **values), {})


def fake_result(monitor: str, status: Status, at: int, sequence: int = 0) -> CheckResult:
    """A result with the cause that goes with its status."""
    return CheckResult(monitor, at, status, _CAUSES.get(status), "as scripted", run=int(sequence > 0), sequence=sequence)


@dataclass(slots=True)
class FakeProbe:
    """Finds what `status_at` says of the instant, after `takes` seconds of it; counts how many checks run at once."""

    clock: Clock
    status_at: Callable[[int], Status]
    takes: float = 0.02
    looks: list[int] = field(default_factory=list)
    running: int = 0
    most: int = 0

    async def check(self, timeout_ms: int) -> CheckResult:
        """Look once."""
        at = self.clock.now()
        self.looks.append(at)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.clock.sleep(min(self.takes, timeout_ms / 1000))
        finally:
            self.running -= 1
        return fake_result("", self.status_at(at), at)


@dataclass(slots=True)
class FakeChannel:
    """Keeps what it is told, with the instant. `script` holds what the next deliveries do: raise, or take so many seconds first."""

    clock: Clock
    script: list[Exception | float] = field(default_factory=list)
    always: Exception | float | None = None
    told: list[tuple[int, Message]] = field(default_factory=list)
    tries: int = 0
    running: int = 0
    most: int = 0
    reference: str = ""

    async def deliver(self, message: Message) -> Receipt:
        """Take it, or do as scripted."""
        self.tries += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            act = self.script.pop(0) if self.script else self.always
            if isinstance(act, Exception):
                raise act
            if act is not None:
                await self.clock.sleep(act)
        finally:
            self.running -= 1
        self.told.append((self.clock.now(), message))
        return Receipt("250 taken", self.reference)

    async def examine(self) -> str:
        """Always well."""
        return "well"

    def keys(self) -> list[str]:
        """Keys in the order they were told."""
        return [message.key for _, message in self.told]


@dataclass(slots=True)
class FakeModel:
    """Repeats the second fact of the prompt after `takes` seconds; `fault` is raised, or `text` returned, instead."""

    clock: Clock
    takes: float = 0.5
    fault: Exception | None = None
    text: str | None = None
    asked: int = 0
    loaded: int = 0
    systems: list[str] = field(default_factory=list)  # the instructions of each prompt
    name: str = "fake"
    told: Mapping[str, Any] = field(default_factory=dict)  # figures of each reply

    async def preload(self) -> None:
        """Count; raise the fault, if there is one."""
        self.loaded += 1
        if self.fault is not None:
            raise self.fault

    async def write(self, prompt: Prompt, deadline_ms: int) -> Reply:  # noqa: ARG002 - the port's signature
        """Answer as scripted."""
        self.asked += 1
        self.systems.append(prompt.system)
        await self.clock.sleep(self.takes)
        if self.fault is not None:
            raise self.fault
        fact = next(line for line in prompt.user.splitlines() if line.startswith("F2 "))
        ours = json.dumps({"cause": "unknown", "sentences": [{"text": fact.removeprefix("F2 "), "facts": ["F2"]}]})
        if "sentences" not in str(prompt.schema):  # it is asked to choose only
            ours = json.dumps({"cause": "unknown", "facts": ["F2"]})
        return Reply(ours if self.text is None else self.text, self.name, **self.told)

    async def examine(self) -> str:
        """Always there."""
        return self.name

    async def offered(self) -> list[Offered]:
        """Itself."""
        return [Offered(self.name, local=True, digest="f" * 12)]

    async def pull(self) -> AsyncIterator[Pulled]:
        """At once."""
        yield Pulled("success", 1, 1)


@dataclass(slots=True)
class FakeCollector:
    """Brings `found` after `takes` seconds, or raises `fault`."""

    clock: Clock
    found: tuple[Evidence, ...] = ()
    takes: float = 0.1
    fault: Exception | None = None
    looks: list[str] = field(default_factory=list)

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:  # noqa: ARG002 - the port's signature
        """Look as scripted."""
        self.looks.append(subject.monitor.id)
        await self.clock.sleep(self.takes)
        if self.fault is not None:
            raise self.fault
        return self.found


class FakeVigie:
    """The whole engine on fakes: scheduler, prober, bus, ingest, reporter, outbox, janitor. It is put together as `serve` does it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        monitors: Iterable[Monitor],
        status_at: Callable[[int], Status],
        channels: dict[str, Notifier],
        *,
        model: LanguageModel | None = None,
        collectors: Sequence[Collector] = (),
        hold_ms: int = 0,
    ) -> None:
        self.store, self.clock, self.monitors = store, clock, list(monitors)
        self.probes = {one.id: FakeProbe(clock, status_at) for one in self.monitors}
        setting = RenderContext("en", UTC)
        self.composer = Composer(store.archive, clock, setting, {one.id: one for one in self.monitors}, outbox=store.ledger.outbox)
        writing = ReportOptions(model, 60_000, "en", None, setting)
        self.reporter = Reporter(store.ledger, store.archive, store.catalog, clock, self.composer, collectors, writing)
        self.outbox = Outbox(store.ledger, store.archive, clock, channels, self.composer.compose, self._fallbacks)
        self.ingest = Ingest(
            store.ledger,
            store.archive,
            clock,
            hold_ms=hold_ms,
            listeners=[self.reporter.on_transition, self._wake, self._pace],
            circumstances_at=one_off,
            fleet=store.fleet,
        )
        self.reporter.on_stored(self.outbox.wake)
        self.reporter.compare_by(self.ingest.shares)
        self.self_monitor = SelfMonitor(
            store.ledger, store.archive, self.ingest, clock, self.outbox.wake, continuous=True, elapsed=clock.monotonic
        )
        self.ingest.listen_to_results(self.self_monitor.on_transition, self.self_monitor)
        self.calendar = Calendar(store.ledger, store.archive, self.ingest, clock, self.outbox.wake)
        self.ingest.listen_to_results(self.calendar.on_transition, self.calendar)
        self.janitor = Janitor(store.inbox, store.archive, store.accounts, clock, self.ingest)
        self.bus = LocalBus()
        self.agent: LocalAgent | None = None
        self._tasks: list[asyncio.Task[Any]] = []

    async def start(self) -> None:
        """Adopt the state and begin to watch."""
        await self.store.catalog.sync_monitors(self.monitors)
        await self.ingest.start(self.monitors)
        await apply_waiting(self.store.inbox, self.ingest)
        await self.ingest.configure(self.monitors)
        self.self_monitor.use(self.monitors, 120_000, self.monitors)
        await self.self_monitor.start()
        loops = {"outbox": self.outbox.run, "reporter": self.reporter.run, "janitor": self.janitor.run, "calendar": self.calendar.run}
        self._tasks = [asyncio.create_task(keep_alive(name, run, self.clock)) for name, run in loops.items()]
        self._tasks.append(asyncio.create_task(self._take()))
        run = await self.store.ledger.next_run()
        self.agent = LocalAgent(name="local", run=run, clock=self.clock, publish=self.bus.publish, build=self._build)
        await self.agent.assign([CheckSpec.of(one, {}) for one in self.monitors])
        for state in self.ingest.states():
            if state.quick and (monitor := self.ingest.monitor(state.monitor)):
                await self.agent.pace(monitor.id, monitor.detection.confirm_every_ms)
        self.agent.start()

    async def stop(self) -> None:
        """Drain, as a SIGTERM does."""
        if self.agent is not None:
            await self.agent.stop()
        await self.bus.close()
        for task in self._tasks[:-1]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.self_monitor.stop()
        await self.reporter.close()
        await self.outbox.close()
        await self.ingest.close()
        await self.store.close()

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator["FakeVigie"]:
        """Started for the length of a block."""
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    async def _take(self) -> None:
        async for group in self.bus.groups():
            for batch in group.batches:
                await self.ingest.take(batch)

    async def _pace(self, turn: Transition) -> None:
        if self.agent is not None and turn.before.quick != turn.after.quick:
            await self.agent.pace(turn.monitor.id, turn.monitor.detection.confirm_every_ms if turn.after.quick else None)

    async def _wake(self, turn: Transition) -> None:
        if turn.decisions:
            self.outbox.wake()

    def _build(self, spec: CheckSpec) -> Probe:
        return self.probes[spec.monitor]

    def _fallbacks(self, notice: Notice) -> tuple[str, ...]:
        monitor = self.ingest.monitor(notice.monitor)
        return () if monitor is None else monitor.notification.fallback or monitor.notification.to
