"""From a notice to the message that a channel lays out: what the store knows about the incident, rendered by the core."""

import logging
from dataclasses import replace

from vigie.core.detection import Severity
from vigie.core.model import CheckResult, Incident, Monitor, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.core.subject import VIGIE_ID, SubjectKind
from vigie.engine.availability import standings
from vigie.errors import VigieError
from vigie.ports import Archive, Clock
from vigie.report import measured, render
from vigie.report.availability import availability_report, period_of
from vigie.report.facts import Message, Subject
from vigie.report.render import RenderContext

log = logging.getLogger("vigie.outbox")

_LATE_MS = 900_000  # a notice waits for the model's report for a minute or two


class Composer:
    """Composes at the moment of sending, so that a report that came meanwhile is in it."""

    def __init__(self, archive: Archive, clock: Clock, setting: RenderContext, monitors: dict[str, Monitor]) -> None:
        self._archive, self._clock, self._setting, self._monitors = archive, clock, setting, monitors

    def use(self, setting: RenderContext, monitors: dict[str, Monitor]) -> None:
        """The words and monitors of a new configuration."""
        self._setting, self._monitors = setting, monitors

    @property
    def setting(self) -> RenderContext:
        """How messages speak now."""
        return self._setting

    def name_of(self, incident: Incident) -> str:
        """What people call the monitor of an incident; its id once it is gone."""
        if incident.subject is SubjectKind.VIGIE:
            return _ourselves().name
        known = self._monitors.get(incident.monitor)
        return incident.monitor if known is None else known.name

    async def subject(self, incident: Incident) -> Subject:
        """What a report about an incident is about. The failed check is the one that opened it, the good one the newest before it."""
        monitor = _ourselves() if incident.subject is SubjectKind.VIGIE else self._monitors.get(incident.monitor)
        degraded = incident.severity is Severity.DEGRADATION  # a good result to the store: the service works
        opened = await self._archive.last_detail(incident.monitor, good=degraded, before=incident.opened_at + 1)
        last_good = await self._archive.last_detail(incident.monitor, good=True, before=incident.started_at)
        if opened is None or opened.at < incident.started_at:  # that is another incident's
            status = Status.DEGRADED if degraded else Status.DOWN
            opened = CheckResult(incident.monitor, incident.started_at, status, incident.cause)
        failures = monitor.detection.confirm if monitor is not None else 1  # of a monitor that went nobody knows how many there were
        first_good = await self._first_good(incident)
        return Subject(monitor or _gone(incident), incident, opened, last_good, failures=failures, first_good=first_good)

    async def _first_good(self, incident: Incident) -> CheckResult | None:
        """The check with which the service was well again; whole results are kept where the verdict changes."""
        if incident.closed_at is None or incident.closed_by is not None:
            return None
        found = await self._archive.last_detail(incident.monitor, good=True, before=incident.closed_at + 1)
        return found if found is not None and found.status is Status.UP and found.at >= incident.started_at else None

    async def compose(self, notice: Notice) -> Message:
        """The message of a notice; one that could not be sent for a while says from when it is."""
        message, now = await self._composed(notice), self._clock.now()
        if now - notice.at < _LATE_MS:
            return message
        return replace(message, lines=(render.late(notice, now, self._setting), *message.lines))

    async def _composed(self, notice: Notice) -> Message:
        if notice.reason is NoticeReason.AVAILABILITY:
            return await self._availability(notice)
        incident = await self._archive.incident(notice.alert)
        if incident is None:
            raise VigieError(f"incident {notice.alert} is not on record")
        subject = await self.subject(incident)
        stored = await self._archive.report(incident.id)
        try:
            bundle = stored.bundle if stored else measured.bundle(subject, (), self._clock.now(), self._setting.zone)
            return render.compose(subject, notice, bundle, stored.analysis if stored else None, self._setting)
        except Exception:  # a page that cannot be laid out still says what happened to whom
            log.exception("%s: the message could not be rendered; a minimal one is sent", incident.id)
            return _bare(subject, notice, self._setting.language)

    async def _availability(self, notice: Notice) -> Message:
        """By what is on record now: what was not yet known when the notice was queued is in it."""
        period = period_of(notice, self._setting)
        return availability_report(notice, self._monitors, await standings(self._archive, period.start, period.end), self._setting)


def _bare(subject: Subject, notice: Notice, language: str) -> Message:
    """The least that a page can say, made of nothing that could fail."""
    incident, monitor = subject.incident, subject.monitor
    headline = f"{monitor.name[:40]}: {incident.cause} ({notice.reason})"
    opens = notice.reason in (NoticeReason.OPENED, NoticeReason.DISCLOSED)
    return Message(
        key=notice.key,
        thread=incident.id,
        opens_thread=opens,
        reason=notice.reason,
        severity=incident.severity,
        language=language,
        monitor=monitor.name,
        target=monitor.target,
        at=notice.at,
        headline=headline,
        subject=f"{headline[:60]} [{incident.id[:15]}]",
        lines=(monitor.target, incident.id),
        cause=incident.cause,
    )


def _ourselves() -> Monitor:
    """Vigie's own incidents are about no service."""
    return Monitor(VIGIE_ID, "Vigie", "", "", "", 60_000, 10_000)


def _gone(incident: Incident) -> Monitor:
    """A monitor that is no longer configured still has a name in its last messages."""
    return Monitor(incident.monitor, incident.monitor, "", incident.monitor, "", 60_000, 10_000)
