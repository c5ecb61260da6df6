"""Checks and diagnostics that people ask for: through the prober and the collectors, a bounded number at a time."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence

from vigie.commands.monitors import NotNow
from vigie.core.model import CheckResult, Monitor, Status
from vigie.engine.evidence import as_if, evidence_of
from vigie.engine.steady import Plain
from vigie.engine.transition import Transition
from vigie.errors import VigieError
from vigie.ports import Archive, Clock, Collector
from vigie.report import measured, rules
from vigie.report.facts import Fact, Subject
from vigie.report.render import RenderContext
from vigie.text import pick

_AT_ONCE = 8  # checks or diagnostics that people wait for, all monitors together
_REST_MS = 5_000  # between two of one monitor
_GRACE_SECONDS = 5.0  # beyond the time limit of a check: its way to the prober and back
_LOOK_MS = 5_000

CheckNow = Callable[[str], Awaitable[None]]


class MonitorDesk:
    """The MonitorCommands port. `ask` has the prober check a monitor; its result comes back through ingest, like any other.

    `watched` gives a monitor that the prober checks, `collectors` what diagnoses.
    """

    def __init__(
        self,
        ask: CheckNow,
        archive: Archive,
        clock: Clock,
        watched: Callable[[str], Monitor | None],
        collectors: Callable[[], Sequence[Collector]],
        setting: Callable[[], RenderContext],
        passive: Callable[[str], bool] = lambda kind: False,  # noqa: ARG005 - where every kind is probed
    ) -> None:
        self._ask, self._archive, self._clock, self._watched = ask, archive, clock, watched
        self._collectors, self._setting, self._passive = collectors, setting, passive
        self._waiting: dict[str, tuple[int, asyncio.Future[CheckResult]]] = {}
        self._busy: set[tuple[str, str]] = set()
        self._ended: dict[tuple[str, str], float] = {}

    async def on_transition(self, transition: Transition) -> None:
        """A result was taken in: whoever asked for it has it."""
        result = transition.result
        if result is None or (asked := self._waiting.get(result.monitor)) is None:
            return
        since, answer = asked
        if result.at >= since and not answer.done():
            answer.set_result(result)

    @property
    def each(self) -> bool:
        """Whether somebody waits for a result."""
        return bool(self._waiting)

    async def on_plain(self, _: Plain) -> None:
        """Nobody waited for these."""

    async def check_now(self, monitor: str) -> CheckResult | None:
        """Check a watched monitor once."""
        found = self._watched(monitor)
        if found is None:
            return None
        if self._passive(found.kind):
            raise VigieError(f"{found.name} reports in by itself: there is nothing to check", "have the job send a ping")
        with self._taken("check", monitor):
            answer = asyncio.get_running_loop().create_future()
            self._waiting[monitor] = self._clock.now(), answer
            try:
                await self._ask(monitor)
                async with asyncio.timeout(found.timeout_ms / 1000 + _GRACE_SECONDS):
                    result: CheckResult = await answer
                    return result
            except TimeoutError:
                raise NotNow("the check has not come back", "it is shown as soon as it does") from None
            finally:
                del self._waiting[monitor]

    async def diagnose(self, monitor: str) -> tuple[str, ...] | None:
        """Collect the diagnostics of a first failure."""
        found = self._watched(monitor)
        if found is None:
            return None
        with self._taken("diagnose", monitor):
            result = (await self._archive.last_results([monitor])).get(monitor)
            if result is None:
                raise NotNow(f"{found.name} has not been checked yet", "have it checked first")
            good = await self._archive.last_detail(monitor, good=True, before=result.at, location=result.location)
            return await self._diagnosed(Subject(found, as_if(result), result, good))

    async def _diagnosed(self, subject: Subject) -> tuple[str, ...]:
        evidence, setting = await evidence_of(subject, self._collectors(), _LOOK_MS), self._setting()
        bundle = measured.bundle(subject, evidence, self._clock.now(), setting.zone)
        fine = subject.result.status is Status.UP
        sentences = [one.evidence.sentence(setting.language) for one in bundle.facts if not fine or _speaks_of_now(one)]
        if not fine and (likely := rules.shortlist(bundle, subject)):
            sentences += [pick(likely[0].text, setting.language), pick(likely[0].step, setting.language)]
        return tuple(sentences)

    @contextlib.contextmanager
    def _taken(self, what: str, monitor: str) -> Iterator[None]:
        """One at a time for a monitor, not again within seconds, and a bounded number in all. Raises NotNow."""
        key, now = (what, monitor), self._clock.monotonic()
        if key in self._busy:
            raise NotNow("somebody else has just asked for it", "wait for what comes of it")
        if now - self._ended.get(key, float("-inf")) < _REST_MS / 1000:
            raise NotNow("it was done a moment ago", "wait a few seconds")
        if len(self._busy) >= _AT_ONCE:
            raise NotNow("too much is asked for at once", "wait a few seconds")
        self._busy.add(key)
        try:
            yield
        finally:
            self._busy.discard(key)
            now = self._clock.monotonic()
            self._ended = {one: at for one, at in self._ended.items() if now - at < _REST_MS / 1000} | {key: now}


def _speaks_of_now(fact: Fact) -> bool:
    """Diagnostics of a service that works are reported without those about a failure: it had none."""
    return fact.evidence.source != "check"
