"""Reports: evidence at the first failure, the model within its deadline, certified, stored; then it joins the page or follows it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vigie.core.events import Cleared, Closed, Opened, Recovered, Suspected
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Notice, NoticeReason, Severity
from vigie.core.report import facts, prompt, rules, verify, words
from vigie.core.report.facts import Analysis, Bundle, Evidence, Subject
from vigie.core.report.render import Setting
from vigie.engine.ingest import Turn
from vigie.engine.messages import Composer
from vigie.errors import ModelError, ModelFault, StoreError
from vigie.ports import Clock, Collector, LanguageModel, OutboxRow, Prompt, Store, StoredReport

log = logging.getLogger("vigie.reporter")

EVIDENCE_MS = 5_000
_QUEUE = 5
_BREAK_AFTER = 3
_BREAK_SECONDS = 300.0
_CATCH_UP_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Writing:
    """How reports are written. `model` is None when none is configured; `deadline_ms` bounds one report in all."""

    model: LanguageModel | None
    deadline_ms: int
    language: str
    instructions: str | None
    setting: Setting


@dataclass(slots=True)
class _Breaker:
    """After three failures in a row the model is left alone for five minutes."""

    failures: int = 0
    until: float = 0.0

    def closed(self, now: float) -> bool:
        return now >= self.until

    def note(self, now: float, *, ok: bool) -> None:
        self.failures = 0 if ok else self.failures + 1
        self.until = now + _BREAK_SECONDS if self.failures >= _BREAK_AFTER else 0.0


@dataclass(slots=True)
class _Queue:
    """Incidents that wait for their report, oldest first; one writer at a time, since a local model answers one at a time."""

    waiting: list[Incident] = field(default_factory=list)
    plain: list[Incident] = field(default_factory=list)  # too many at once: these are not put to the model
    more: asyncio.Event = field(default_factory=asyncio.Event)
    idle: asyncio.Event = field(default_factory=asyncio.Event)


class Reporter:
    """Listens to ingest; works beside it and never holds it up."""

    def __init__(self, store: Store, clock: Clock, composer: Composer, collectors: Sequence[Collector], writing: Writing) -> None:
        self._store, self._clock, self._composer = store, clock, composer
        self._collectors, self._writing = list(collectors), writing
        self._evidence: dict[str, asyncio.Task[list[Evidence]]] = {}
        self._preload: asyncio.Task[None] | None = None
        self._queue, self._breaker = _Queue(), _Breaker()
        self._queue.idle.set()
        self._stored: list[Callable[[], None]] = []
        self._said: set[ModelFault] = set()

    def use(self, writing: Writing) -> None:
        """The model and language of a new configuration."""
        self._writing, self._breaker, self._said = writing, _Breaker(), set()

    def on_stored(self, listener: Callable[[], None]) -> None:
        """Call back when a report was stored: a page may be due now."""
        self._stored.append(listener)

    async def hear(self, turn: Turn) -> None:
        """A turn of ingest: collect on suspicion, report on opening, let go afterwards."""
        for decision in turn.decisions:
            monitor = turn.monitor.id
            if isinstance(decision, Suspected) and turn.result is not None:
                self._collect(turn.monitor, turn.result, decision.severity)
            elif isinstance(decision, Opened) and (incident := await self._store.incident(decision.incident)):
                self._enqueue(incident)
            elif isinstance(decision, Cleared | Recovered | Closed) and (task := self._evidence.pop(monitor, None)):
                task.cancel()

    async def run(self) -> None:
        """Write reports for ever, those first that a crash left unwritten."""
        await self._catch_up()
        while True:
            await self._queue.more.wait()
            self._queue.more.clear()
            while self._queue.plain or self._queue.waiting:
                if self._queue.plain:
                    await self._report_safely(self._queue.plain.pop(0), by_model=False)
                else:
                    await self._report_safely(self._queue.waiting.pop(0), by_model=True)
            self._queue.idle.set()

    async def _catch_up(self) -> None:
        """Open incidents that have no report, unless they are so old that nobody waits for one."""
        try:
            for incident in reversed(await self._store.incidents(open_only=True)):
                young = self._clock.now() - incident.opened_at < _CATCH_UP_MS
                if young and await self._store.report(incident.id) is None:
                    self._enqueue(incident)
        except StoreError as error:
            log.error("what reports are missing could not be read: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more

    async def _report_safely(self, incident: Incident, *, by_model: bool) -> None:
        """A report that breaks costs nothing but itself: its page is let go with what is known."""
        try:
            await self._report(incident, by_model=by_model)
        except StoreError as error:
            log.error("%s: the report could not be stored: %s. %s", incident.id, error, error.fix)  # noqa: TRY400 - the trace says nothing more
        except Exception as error:  # whatever it is, the page must not wait for it
            log.exception("%s: the report broke", incident.id)
            now = self._clock.now()
            plain = StoredReport(incident.id, Bundle(incident.id, now, ()), None, f"the report broke: {type(error).__name__}", now)
            with contextlib.suppress(StoreError):  # then the page leaves when its hold ends
                await self._store.save_report(plain, now, ())
                self._stored_one()

    async def idle(self) -> None:
        """Wait until no report is being written."""
        await self._queue.idle.wait()

    async def close(self) -> None:
        """Let go of what is being collected."""
        tasks = [*self._evidence.values(), *([self._preload] if self._preload else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _enqueue(self, incident: Incident) -> None:
        if any(one.id == incident.id for one in self._queue.waiting):
            return
        if len(self._queue.waiting) >= _QUEUE:
            late = self._queue.waiting.pop(0)
            self._queue.plain.append(late)
            log.warning("%s: too many incidents at once, the plain report stands", late.id)
        self._queue.waiting.append(incident)
        self._queue.idle.clear()
        self._queue.more.set()

    def _collect(self, monitor: Monitor, result: CheckResult, severity: Severity) -> None:
        """One second look an outage, while re-checks confirm; and have the model loaded meanwhile."""
        if monitor.id in self._evidence or severity is Severity.DEGRADATION:
            return
        suspected = Incident(f"{monitor.id}-0", monitor.id, severity, result.cause or Cause.PROBE_ERROR, result.at, result.at)
        self._evidence[monitor.id] = asyncio.create_task(self._look(Subject(monitor, suspected, result)))
        if self._writing.model is not None and (self._preload is None or self._preload.done()):
            self._preload = asyncio.create_task(self._load(self._writing.model))

    async def _look(self, subject: Subject) -> list[Evidence]:
        found: list[Evidence] = []

        async def one(collector: Collector) -> None:
            found.extend(await collector.collect(subject, EVIDENCE_MS))

        try:
            async with asyncio.timeout(EVIDENCE_MS / 1000):
                outcomes = await asyncio.gather(*(one(collector) for collector in self._collectors), return_exceptions=True)
        except TimeoutError:
            return found
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                log.warning("%s: a second look failed: %s", subject.monitor.name, outcome)
        return found

    async def _load(self, model: LanguageModel) -> None:
        try:
            await model.preload()
        except ModelError as error:
            self._complain(error)
        except Exception:  # as above: the port promises ModelError
            log.exception("the language model broke while it was loaded")

    async def _report(self, incident: Incident, *, by_model: bool) -> None:
        subject = await self._composer.subject(incident)
        task = self._evidence.pop(incident.monitor, None)
        evidence = await task if task is not None else []
        bundle = facts.bundle(subject, evidence, self._clock.now(), self._writing.setting.zone)
        analysis, fault = await self._analyse(subject, bundle) if by_model else (None, "too many incidents at once")
        fresh = await self._store.incident(incident.id)
        wanted = analysis is not None and bool(analysis.sentences) and fresh is not None and fresh.closed_at is None
        now = self._clock.now()
        stored = StoredReport(incident.id, bundle, analysis, fault, now)
        await self._store.save_report(stored, now, self._follow_ups(subject, now) if wanted else ())
        self._stored_one()

    def _stored_one(self) -> None:
        for listener in self._stored:
            listener()

    def _follow_ups(self, subject: Subject, now: int) -> list[OutboxRow]:
        incident, policy = subject.incident, subject.monitor.policy
        channels = policy.to if incident.severity is Severity.OUTAGE else policy.degraded_to
        reason = NoticeReason.REPORT
        return [OutboxRow(Notice(f"{incident.id}:{reason}:{to}", incident.id, incident.monitor, to, reason, now), now) for to in channels]

    async def _analyse(self, subject: Subject, bundle: Bundle) -> tuple[Analysis | None, str | None]:
        writing, started = self._writing, self._clock.monotonic()
        if writing.model is None:
            return None, "no model is configured"
        if not self._breaker.closed(started):
            return None, f"{ModelFault.BREAKER}: the model failed {_BREAK_AFTER} times in a row and is left alone"
        hypotheses = rules.shortlist(bundle, subject)
        system, user, schema = prompt.build(bundle, subject, hypotheses, writing.language, writing.instructions)
        try:
            async with asyncio.timeout(writing.deadline_ms / 1000 + 1):
                reply = await writing.model.write(Prompt(system, user, schema), writing.deadline_ms)
        except TimeoutError:
            error = ModelError(ModelFault.TIMEOUT_TOTAL, f"no report within {writing.deadline_ms / 1000:g} s")
            return self._failed(error)
        except ModelError as error:
            return self._failed(error)
        except Exception as error:  # the port promises ModelError; a model that breaks its promise costs only its paragraph
            log.exception("%s: the language model broke", subject.incident.id)
            return self._failed(ModelError(ModelFault.OTHER, f"{type(error).__name__}: {error}"))
        took = round((self._clock.monotonic() - started) * 1000)
        analysis = verify.certify(reply.text, bundle, subject, hypotheses, writing.language, reply.model, took)
        self._breaker.note(self._clock.monotonic(), ok=True)
        self._tell(subject, analysis)
        return analysis, None if analysis.sentences else "no sentence of the model passed the check"

    def _failed(self, error: ModelError) -> tuple[None, str]:
        self._breaker.note(self._clock.monotonic(), ok=False)
        self._complain(error)
        return None, f"{error.fault}: {error.message}"

    def _complain(self, error: ModelError) -> None:
        """Once for each kind of fault, with the fix; the page goes out all the same."""
        level = logging.DEBUG if error.fault in self._said else logging.WARNING
        self._said.add(error.fault)
        log.log(level, "no report by the model (%s): %s%s", error.fault, error.message, f". Fix: {error.fix}" if error.fix else "")

    def _tell(self, subject: Subject, analysis: Analysis) -> None:
        kept, gone = len(analysis.sentences), len(analysis.dropped)
        reasons = ", ".join(sorted({one.rule for one in analysis.dropped}))
        log.info(
            "%s: report by %s in %.1f s: %s certified, %d dropped%s",
            subject.incident.id,
            analysis.model,
            analysis.duration_ms / 1000,
            words.counted(kept, "phrase", "sentence", "en"),
            gone,
            f" ({reasons})" if reasons else "",
        )
        for sentence in analysis.sentences:
            log.info("%s: report: %s", subject.incident.id, sentence)
