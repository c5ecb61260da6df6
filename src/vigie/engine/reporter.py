"""Reports: evidence at the first failure, a draft while it is confirmed, then the stored report, which joins the page or follows it.

One for each alert, stored under its id: of monitors that fail for one reason, the first alone is examined, and the model is asked once,
when the alert is announced and its members are known.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vigie.core.correlation import Tie, TieKind
from vigie.core.detection import Severity
from vigie.core.events import Announced, Cleared, Closed, Joined, Opened, Recovered, Suspected, Withheld
from vigie.core.model import Cause, CheckResult, Incident, Monitor
from vigie.core.notification import OPENINGS, Notice, NoticeReason
from vigie.core.subject import SubjectKind
from vigie.engine.analyst import Analyst, Outcome, ReportOptions
from vigie.engine.messages import Composer
from vigie.engine.transition import Transition
from vigie.errors import StoreError
from vigie.observation.locations import failing, sightings
from vigie.observation.place import place_of, ties
from vigie.ports import Archive, Catalog, Clock, Collector, Ledger, OutboxRow, OutboxState, StoredReport
from vigie.report import history, measured
from vigie.report.facts import Bundle, Evidence, Subject
from vigie.report.history import Past, Remark

__all__ = ["EVIDENCE_MS", "ReportOptions", "Reporter"]

log = logging.getLogger("vigie.reporter")

EVIDENCE_MS = 5_000
_LOOKS_AT_ONCE = 16  # diagnostics; in a storm the other incidents have what the check itself measured
_CATCH_UP_MS = 3_600_000
_LOOK_BACK, _MAX_PAST = 500, 50  # incidents that are looked through, and those compared closely
_OF_THE_WAIT = 0.6  # the part of `group_wait` after which a draft begins: the rest is for the model
_WEAK = (TieKind.MACHINE, TieKind.NETWORK)  # what two failures at one place have in common proves too little to examine but one


@dataclass(slots=True)
class _Draft:
    """What is prepared while a failure is being confirmed: the bundle as it will stand, and the model at work on it."""

    subject: Subject
    bundle: Bundle
    outcome: "asyncio.Task[Outcome]"

    def fits(self, subject: Subject) -> bool:
        """Whether the failure that was confirmed is the one that was drafted about."""
        ours, theirs = self.subject, subject
        same_start = ours.incident.started_at == theirs.incident.started_at and not theirs.members
        same_pattern = ours.incident.pattern is theirs.incident.pattern
        same_count = ours.failures == theirs.failures or theirs.monitor.detection.confirm_ms > 0  # by time nothing is said of a count
        same_places = failing(ours.seen) == failing(theirs.seen)
        return (
            same_start
            and same_pattern
            and same_count
            and same_places
            and (ours.result.cause, ours.result.figures) == (theirs.result.cause, theirs.result.figures)
        )


Shares = Callable[[str, Sequence[Tie]], bool]  # whether another monitor than this one has one of the ties


class Reporter:
    """Listens to ingest; works beside it and never holds it up."""

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        catalog: Catalog,
        clock: Clock,
        composer: Composer,
        collectors: Sequence[Collector],
        writing: ReportOptions,
    ) -> None:
        self._ledger, self._archive, self._catalog, self._clock, self._composer = ledger, archive, catalog, clock, composer
        self._collectors = list(collectors)
        self._analyst = Analyst(archive, catalog, clock, writing)
        self._slots = asyncio.Semaphore(_LOOKS_AT_ONCE)
        self._evidence: dict[str, asyncio.Task[list[Evidence]]] = {}
        self._drafts: dict[str, asyncio.Task[_Draft]] = {}
        self._leads: dict[Tie, str] = {}  # the monitor that was examined, by what its failure may have in common with others
        self._follows: dict[str, str] = {}  # by monitor, the one that was examined for it
        self._postponed: dict[str, Subject] = {}  # what is drafted once it is known that no other fails for the same reason
        self._shares: Shares = lambda monitor, own: False  # noqa: ARG005 - until it is told
        self._reports: set[asyncio.Task[None]] = set()
        self._preload: asyncio.Task[None] | None = None
        self._stored: list[Callable[[], None]] = []
        self._readers: list[Callable[[StoredReport], None]] = []

    def use(self, writing: ReportOptions, collectors: Sequence[Collector]) -> None:
        """The model, the language and the diagnostics of a new configuration."""
        self._analyst.use(writing)
        self._collectors = list(collectors)

    @property
    def collectors(self) -> Sequence[Collector]:
        """The diagnostics in force."""
        return self._collectors

    def compare_by(self, shares: "Shares") -> None:
        """How to tell whether another monitor may fail for the same reason."""
        self._shares = shares

    def on_stored(self, listener: Callable[[], None]) -> None:
        """Call back when a report was stored: a page may be due now."""
        self._stored.append(listener)

    def on_report(self, listener: Callable[[StoredReport], None]) -> None:
        """Call back with each report that was stored."""
        self._readers.append(listener)

    async def on_transition(self, transition: Transition) -> None:
        """A transition from ingest: prepare on suspicion, report on opening, cancel what is not needed any more."""
        for decision in transition.decisions:
            if getattr(decision, "subject", None) is SubjectKind.VIGIE:
                continue  # of its own faults Vigie needs no analysis
            if isinstance(decision, Suspected) and transition.result is not None:
                await self._prepare(transition, decision.severity)
            elif isinstance(decision, Opened):
                self._draft_later(transition.monitor)
            elif isinstance(decision, Announced | Withheld):
                await self._start_on(decision.alert)
            elif isinstance(decision, Joined):
                self._drop_draft(transition.monitor.id)
            elif isinstance(decision, Cleared | Recovered | Closed):
                self._let_go(transition.monitor.id)

    async def _start_on(self, alert: str) -> None:
        incident = await self._archive.incident(alert)
        if incident is not None and incident.subject is SubjectKind.MONITOR:
            self._start(incident)

    def _let_go(self, monitor: str) -> None:
        self._drop_draft(monitor)
        self._follows.pop(monitor, None)
        for tie in [tie for tie, leader in self._leads.items() if leader == monitor]:
            del self._leads[tie]
        if (look := self._evidence.pop(monitor, None)) is not None:
            look.cancel()

    def _draft_later(self, monitor: Monitor) -> None:
        """Most of the time for which others are waited for has to pass first: a draft about one is useless once they come."""
        subject, look = self._postponed.pop(monitor.id, None), self._evidence.get(monitor.id)
        if subject is not None and look is not None:
            wait = _OF_THE_WAIT * monitor.notification.group_wait_ms / 1000
            self._drafts[monitor.id] = asyncio.create_task(self._draft(subject, look, wait))

    def _drop_draft(self, monitor: str) -> None:
        self._postponed.pop(monitor, None)
        draft = self._drafts.pop(monitor, None)
        for task in (draft, _outcome_of(draft)):
            if task is not None:
                task.cancel()

    async def run(self) -> None:
        """Write the reports that a crash left unwritten; the others begin when their incident opens."""
        await self._catch_up()
        await asyncio.Event().wait()

    async def _catch_up(self) -> None:
        """Open incidents that have no report, unless they are so old that nobody waits for one."""
        try:
            for incident in reversed(await self._archive.incidents(open_only=True)):
                young = self._clock.now() - incident.opened_at < _CATCH_UP_MS and incident.subject is SubjectKind.MONITOR
                if young and incident.alert == incident.id and await self._archive.report(incident.id) is None:
                    self._start(incident)
        except StoreError as error:
            log.error("pending reports could not be read: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more

    def _start(self, incident: Incident) -> None:
        """Report on one incident, beside all the others."""
        task = asyncio.create_task(self._report_safely(incident), name=incident.id)
        if all(one.get_name() != incident.id for one in self._reports):
            self._reports.add(task)
            task.add_done_callback(self._reports.discard)
        else:
            task.cancel()

    async def _report_safely(self, incident: Incident) -> None:
        """A report that crashes costs nothing but itself: its notice is released with what is known."""
        try:
            await self._report(incident)
        except StoreError as error:
            log.error("%s: the report could not be stored: %s. %s", incident.id, error, error.fix)  # noqa: TRY400 - the trace says nothing more
        except Exception as error:  # whatever it is, the page must not wait for it
            log.exception("%s: the report crashed", incident.id)
            now = self._clock.now()
            plain = StoredReport(incident.id, Bundle(incident.id, now, ()), None, f"the report crashed: {type(error).__name__}", now)
            with contextlib.suppress(StoreError):  # then the page leaves when its hold ends
                await self._ledger.save_report(plain, now, ())
                self._tell_stored(plain)

    async def idle(self) -> None:
        """Wait until no report is being written."""
        while self._reports:
            await asyncio.wait(self._reports)

    async def close(self) -> None:
        """Cancel what is under way."""
        outcomes = [_outcome_of(draft) for draft in self._drafts.values()]
        found = [*self._reports, *self._drafts.values(), *self._evidence.values(), self._preload, *outcomes]
        tasks = [task for task in found if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _prepare(self, transition: Transition, severity: Severity) -> None:
        """Run diagnostics once per outage and draft a report from them while re-checks confirm; preload the model meanwhile."""
        monitor, result = transition.monitor, transition.result
        if monitor.id in self._evidence or severity is Severity.DEGRADATION or result is None:
            return
        own = _ties_of(monitor, result)
        if self._is_led(monitor.id, own):
            return
        opened = (one.incident for one in transition.decisions if isinstance(one, Opened) and one.severity is severity)
        expected = next(opened, f"{monitor.id}-{transition.after.ordinal + 1}")  # with `confirm: 1` it is open already
        incident = Incident(expected, monitor.id, severity, result.cause or Cause.PROBE_ERROR, result.at, result.at)
        views = transition.after.views
        location = result.location if len(views) > 1 else None
        last_good = await self._archive.last_detail(monitor.id, good=True, before=result.at, location=location)
        seen = sightings(views, monitor.detection.stale_ms)
        subject = Subject(monitor, incident, result, last_good, failures=monitor.detection.expected_failures, seen=seen)
        look = self._evidence[monitor.id] = asyncio.create_task(self._look(subject))
        if self._analyst.writing.model is None:
            return
        if monitor.notification.group_wait_ms and self._shares(monitor.id, own):
            self._postponed[monitor.id] = subject
        else:
            self._drafts[monitor.id] = asyncio.create_task(self._draft(subject, look))
        if self._preload is None or self._preload.done():
            self._preload = asyncio.create_task(self._analyst.preload())

    def _is_led(self, monitor: str, own: Sequence[Tie]) -> bool:
        """Whether another one that fails for the same reason is examined; what is drafted about that one alone is then not the story."""
        leader = next((self._leads[tie] for tie in own if tie in self._leads), None)
        if leader is None:
            self._leads |= dict.fromkeys(own, monitor)
            return False
        if leader != monitor:
            self._follows[monitor] = leader
            self._drop_draft(leader)
        return True

    async def _look(self, subject: Subject) -> list[Evidence]:
        found: list[Evidence] = []

        async def one(collector: Collector) -> None:
            found.extend(await collector.collect(subject, EVIDENCE_MS))

        try:
            async with asyncio.timeout(EVIDENCE_MS / 1000), self._slots:
                outcomes = await asyncio.gather(*(one(collector) for collector in self._collectors), return_exceptions=True)
        except TimeoutError:
            return found
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                log.warning("%s: diagnostics failed: %s", subject.monitor.name, outcome)
        return found

    async def _draft(self, subject: Subject, look: "asyncio.Task[list[Evidence]]", wait: float = 0.0) -> _Draft:
        if wait:
            await self._clock.sleep(wait)
        bundle = await self._bundle(subject, await look)
        return _Draft(subject, bundle, asyncio.create_task(self._analyst.analyse(subject, bundle)))

    async def _bundle(self, subject: Subject, evidence: Sequence[Evidence]) -> Bundle:
        past = await self._history(subject)
        setting = self._analyst.writing.setting
        return measured.bundle(subject, (*evidence, *past), self._clock.now(), setting.zone, setting.location)

    async def _report(self, incident: Incident) -> None:
        if await self._archive.report(incident.id) is not None:
            return
        subject = await self._composer.subject(incident)
        draft = self._drafts.pop(incident.monitor, None)
        bundle, (analysis, fault) = await self._outcome(subject, draft, self._look_of(subject))
        fresh = await self._archive.incident(incident.id)
        wanted = analysis is not None and bool(analysis.sentences) and fresh is not None and fresh.closed_at is None
        now = self._clock.now()
        stored = StoredReport(incident.id, bundle, analysis, fault, now)
        await self._ledger.save_report(stored, now, await self._follow_ups(incident, now) if wanted else ())
        self._tell_stored(stored)

    def _look_of(self, subject: Subject) -> "asyncio.Task[list[Evidence]] | None":
        """The diagnostics of the alert: those of any of its members, the others are dropped."""
        found = None
        for monitor in (subject.monitor.id, *(one.monitor.id for one in subject.members)):
            look = self._evidence.pop(monitor, None)
            if found is None:
                found = look
            elif look is not None:
                look.cancel()
            if monitor != subject.monitor.id:
                self._drop_draft(monitor)
        if found is None and subject.monitor.id in self._follows:  # whoever was examined for it has an alert of its own
            return asyncio.create_task(self._look(subject))
        return found

    async def _outcome(
        self, subject: Subject, draft: "asyncio.Task[_Draft] | None", look: "asyncio.Task[list[Evidence]] | None"
    ) -> tuple[Bundle, Outcome]:
        """The draft's, if it is about this very failure; else a report written now."""
        prepared = await draft if draft is not None else None
        if prepared is not None and prepared.fits(subject):
            return prepared.bundle, await prepared.outcome
        if prepared is not None:
            prepared.outcome.cancel()
        bundle = await self._bundle(subject, await look if look is not None else ())
        return bundle, await self._analyst.analyse(subject, bundle)

    async def _history(self, subject: Subject) -> list[Evidence]:
        """What the past says; it is read from what is on record and costs nobody a request."""
        family = subject.incident.cause.partition(".")[0]
        known = await self._archive.incidents(limit=_LOOK_BACK)
        alike = [one for one in known if one.closed_at is not None and one.cause.partition(".")[0] == family]
        said = await self._catalog.remarks([one.id for one in alike])
        past = [await self._past(one, said) for one in alike[:_MAX_PAST]]
        return history.evidence(subject, past, self._analyst.writing.setting.zone)

    async def _past(self, incident: Incident, said: Sequence[Remark]) -> Past:
        subject = await self._composer.subject(incident, alone=True)
        remarks = tuple(one for one in said if one.incident == incident.id)
        return Past(incident, subject.monitor.host, subject.result.timings, remarks)

    def _tell_stored(self, stored: StoredReport) -> None:
        for listener in self._stored:
            listener()
        for reader in self._readers:
            reader(stored)

    async def _follow_ups(self, incident: Incident, now: int) -> list[OutboxRow]:
        """The report for every channel that the opening notice is for."""
        waiting = [row.notice for row in await self._ledger.outbox(OutboxState.WAITING, incident.alert)]
        sent = await self._archive.deliveries(incident.alert)
        found = [(one.reason, one.channel) for one in waiting] + [(one.reason, one.channel) for one in sent if one.failure is None]
        channels = dict.fromkeys(channel for reason, channel in found if reason in OPENINGS)
        return [OutboxRow(Notice(incident.alert, incident.monitor, to, NoticeReason.REPORT, now), now) for to in channels]


def _ties_of(monitor: Monitor, result: CheckResult) -> list[Tie]:
    """What a failure may have in common with others, but for what proves too little; nothing where it is never grouped."""
    if not monitor.notification.group:
        return []
    status = result.http.status if result.http is not None else None
    found = ties(result.cause or Cause.PROBE_ERROR, place_of(monitor, result), status)
    return [one for one in found if one.kind not in _WEAK]


def _outcome_of(draft: "asyncio.Task[_Draft] | None") -> "asyncio.Task[Outcome] | None":
    """The model's work on a draft, where it has begun."""
    begun = draft is not None and draft.done() and not draft.cancelled() and draft.exception() is None
    return draft.result().outcome if begun and draft is not None else None
