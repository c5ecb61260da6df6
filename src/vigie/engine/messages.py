"""From a notice to the message that a channel lays out: what the store knows about the incident, rendered by the core."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from vigie.core.detection import DetectionPolicy, Severity
from vigie.core.events import Opened, Recovered
from vigie.core.expiry import Known
from vigie.core.model import CheckResult, Incident, Monitor, Status
from vigie.core.notification import OPENINGS, Notice, NoticeReason
from vigie.core.quorum import Views
from vigie.core.subject import VIGIE_ID, SubjectKind
from vigie.engine.availability import standings
from vigie.errors import StoreError, VigieError
from vigie.observation.locations import Sightings, sightings
from vigie.planning.rotation import Handover
from vigie.ports import DROPPED, Archive, Clock, Delivery, OutboxRow, OutboxState
from vigie.report import agents, channels, expiries, handover, measured, obstacles, render, stalls
from vigie.report.availability import availability_report, period_of
from vigie.report.deliveries import Attempt, late_reason
from vigie.report.facts import Affected, Message, Notified, Subject
from vigie.report.render import RenderContext

_OPENING = (*OPENINGS, NoticeReason.EXPIRING, NoticeReason.AVAILABILITY, NoticeReason.HANDOVER)
log = logging.getLogger("vigie.outbox")

_EVER = 2**63 - 1
_LATE_MS = 900_000  # a notice waits for the model's report for a minute or two
_SOON_MS = 60_000  # what is to be sent later than that has not been sent

Outbox = Callable[[OutboxState, str | None], Awaitable[Sequence[OutboxRow]]]


class Composer:
    """Composes at the moment of sending, so that a report that came meanwhile is in it.

    `expiries` tells what is known of what runs out, by monitor; `outbox` reads the notices of an alert in one state (`Ledger.outbox`),
    without it a message does not say who else is notified. `handover` tells what happened to a rotation at an instant, `views` what
    each location sees of a monitor now.
    """

    def __init__(
        self,
        archive: Archive,
        clock: Clock,
        setting: RenderContext,
        monitors: dict[str, Monitor],
        expiries: Callable[[str], Known] = lambda monitor: (),  # noqa: ARG005 - where nothing is known of any
        outbox: Outbox | None = None,
        handover: Callable[[str, int], Handover | None] = lambda rotation, at: None,  # noqa: ARG005 - where there are no rotations
        views: Callable[[str], Views] = lambda monitor: (),  # noqa: ARG005 - where nothing runs that sees any
    ) -> None:
        self._archive, self._clock, self._setting, self._monitors = archive, clock, setting, monitors
        self._expiries, self._outbox, self._handover, self._views = expiries, outbox, handover, views

    def use(self, setting: RenderContext, monitors: dict[str, Monitor]) -> None:
        """The words and monitors of a new configuration."""
        self._setting, self._monitors = setting, monitors

    @property
    def setting(self) -> RenderContext:
        """How messages speak now."""
        return self._setting

    def name_of(self, incident: Incident) -> str:
        """What people call the monitor of an incident; its id once it is gone."""
        if incident.monitor == VIGIE_ID:
            return _ourselves().name
        known = self._monitors.get(incident.monitor)
        return incident.monitor if known is None else known.name

    async def subject(self, incident: Incident, *, alone: bool = False) -> Subject:
        """What a report about an incident is about. The failed check is the one that opened it, the good one the newest before it.

        `alone`: without the other members of its alert.
        """
        monitor = _ourselves() if incident.monitor == VIGIE_ID else self._monitors.get(incident.monitor)
        opening, end = ((), ()) if alone else await self._sightings(incident, monitor)
        # To the store a degradation is a good result: the service works. Not so what could not be checked, nor what one location saw down.
        degraded = incident.severity is Severity.DEGRADATION and incident.subject is SubjectKind.MONITOR
        down = any(one.fails and one.status is Status.DOWN for one in opening)
        opened = await self._archive.last_detail(incident.monitor, good=degraded and not down, before=incident.opened_at + 1)
        place = None if opened is None or not opening else opened.location
        last_good = await self._archive.last_detail(incident.monitor, good=True, before=incident.started_at, location=place)
        if opened is None or opened.at < incident.started_at:  # that is another incident's
            opened = _unknown(incident)
        # An old record says nothing of them, and of a monitor that went nobody knows how many there were.
        failures = incident.failures or (monitor.detection.confirm if monitor is not None else 1)
        return Subject(
            monitor or _gone(incident),
            incident,
            opened,
            last_good,
            failures=failures,
            first_good=await self._first_good(incident, place),
            members=() if alone else await self._members(incident),
            seen=opening,
            seen_at_end=end,
            location=await self._blind_at(incident) if incident.monitor == VIGIE_ID else "",
        )

    async def _blind_at(self, incident: Incident) -> str:
        """Which location could not see; empty where none could."""
        spans = await self._archive.blinds(incident.started_at)
        return next((one.location for one in spans if one.incident == incident.id), "")

    async def _sightings(self, incident: Incident, monitor: Monitor | None) -> tuple[Sightings, Sightings]:
        """What each location saw when it opened (sees now, while it is open), and when it was over; nothing where there is one alone."""
        if incident.subject is not SubjectKind.MONITOR:
            return (), ()
        policy = monitor.detection if monitor is not None else DetectionPolicy()
        opening: Views = ()
        end: Views = ()
        for entry in await self._archive.timeline(incident.id):
            match entry.decision:
                case Opened(incident=incident.id, views=views):
                    opening = views
                case Recovered(incident=incident.id, views=views):
                    end = views
        now = self._views(incident.monitor) if incident.closed_at is None else ()
        return sightings(now if len(now) > 1 else opening, policy.stale_ms), sightings(end, policy.stale_ms)

    async def _members(self, incident: Incident) -> tuple[Affected, ...]:
        """The other incidents of the alert that is named after this one."""
        if incident.subject is not SubjectKind.MONITOR or incident.alert != incident.id:
            return ()
        rows = [one for one in await self._of_alert(incident) if one.id != incident.id]
        results = await self._archive.last_results([one.monitor for one in rows]) if rows else {}
        return tuple(Affected(self._monitors.get(one.monitor) or _gone(one), one, results.get(one.monitor)) for one in rows)

    async def _of_alert(self, first: Incident) -> list[Incident]:
        """Every incident of an alert, the one that began it first."""
        return sorted(await self._archive.members(first.alert), key=lambda one: (one.id != first.id, one.opened_at))

    async def _first_good(self, incident: Incident, location: str | None) -> CheckResult | None:
        """The check with which the service was well again; whole results are kept where the verdict changes."""
        if incident.closed_at is None or incident.closed_by is not None:
            return None
        found = await self._archive.last_detail(incident.monitor, good=True, before=incident.closed_at + 1, location=location)
        return found if found is not None and found.status is Status.UP and found.at >= incident.started_at else None

    async def compose(self, notice: Notice) -> Message:
        """The message of a notice; one that could not be sent for a while says from when it is."""
        message, now = await self._composed(notice), self._clock.now()
        if now - notice.at < _LATE_MS:
            return message
        attempts = [Attempt(one.at, one.failure or "", one.answer) for one in await self._attempts(notice)]
        why = late_reason(attempts, self._setting.language)
        return replace(message, lines=(" ".join(filter(None, (render.late(notice, now, self._setting), why))), *message.lines))

    async def _attempts(self, notice: Notice) -> list[Delivery]:
        """At this notice; a store that cannot read costs the reason, never the notice."""
        try:
            return [one for one in await self._archive.deliveries(notice.alert) if one.key == notice.key and one.failure != DROPPED]
        except StoreError:
            return []

    async def _composed(self, notice: Notice) -> Message:
        try:
            return await self._laid_out(notice)
        except VigieError:
            raise
        except Exception:  # a page that cannot be laid out still says what happened to whom
            log.exception("%s: the message could not be rendered; a minimal one is sent", notice.alert)
            monitor = self._monitors.get(notice.monitor)
            return _bare(notice, monitor, await self._archive.incident(notice.alert), self._setting.language)

    async def _laid_out(self, notice: Notice) -> Message:
        if notice.reason is NoticeReason.AVAILABILITY:
            return await self._availability(notice)
        if notice.reason is NoticeReason.HANDOVER:
            return handover.message(notice, self._handover(*handover.rotation_of(notice)), self._setting)
        if notice.reason in channels.REASONS:
            return channels.message(notice, await self._archive.channels(), self._setting)
        if notice.reason in agents.REASONS:
            return agents.message(notice, self._setting)
        if notice.reason in stalls.REASONS:
            return stalls.message(notice, self._setting)
        if expiries.is_expiry(notice.alert):
            return await self._with_others(notice, self._expiry(notice))
        incident = await self._archive.incident(notice.alert)
        if incident is None:
            raise VigieError(f"incident {notice.alert} is not on record")
        if incident.subject is SubjectKind.VIGIE and incident.monitor != VIGIE_ID:
            return await self._with_others(notice, obstacles.message(notice, incident, await self._obstructed(incident), self._setting))
        subject = await self.subject(incident)
        stored = await self._archive.report(incident.id)
        bundle = stored.bundle if stored else measured.bundle(subject, (), self._clock.now(), self._setting.zone)
        notified = await self._notified(notice)
        return render.compose(subject, notice, bundle, stored.analysis if stored else None, self._setting, notified)

    async def _with_others(self, notice: Notice, message: Message) -> Message:
        """The message, with who else is notified."""
        others = render.others(notice, await self._notified(notice), self._setting.language)
        return replace(message, lines=(*message.lines, *others))

    async def _notified(self, notice: Notice) -> Notified | None:
        """What became of this notice by other channels, and when this channel had its last one of the alert."""
        if self._outbox is None:
            return None
        sent = [one for one in await self._archive.deliveries(notice.alert) if one.failure is None]
        before = max((one.at for one in sent if one.channel == notice.channel and one.key != notice.key), default=None)
        waiting, lost = await self._outbox(OutboxState.WAITING, notice.alert), await self._outbox(OutboxState.UNDELIVERABLE, notice.alert)
        soon = self._clock.now() + _SOON_MS
        same = (notice.reason, notice.number)
        also = [one.channel for one in sent if (one.reason, one.number) == same]
        rows = [one for one in (*waiting, *lost) if (one.notice.reason, one.notice.number) == same and one.notice.about is notice.about]
        also += [one.notice.channel for one in rows if one in waiting and one.attempts == 0 and one.due_at <= soon]
        failed = [one.notice.channel for one in rows if one in lost or one.attempts > 0]
        here = {notice.channel}
        return Notified(_names(also, here), _names(failed, here | set(also)), before)

    def _expiry(self, notice: Notice) -> Message:
        """What runs out, with every monitor that has seen it by now."""
        known = [(monitor, one) for monitor in self._monitors.values() for one in self._expiries(monitor.id) if one.thread == notice.alert]
        monitor = self._monitors.get(notice.monitor) or Monitor(notice.monitor, notice.monitor, "", "", "", 60_000, 10_000)
        return expiries.message(notice, monitor, known, self._setting)

    async def _obstructed(self, first: Incident) -> list[obstacles.Obstructed]:
        """The members of an alert about Vigie itself, with the check that says why; the one that began it comes first."""
        found = []
        for one in await self._of_alert(first):
            before = _EVER if one.closed_at is None else one.closed_at
            result = await self._archive.last_detail(one.monitor, good=False, before=before)
            known = self._monitors.get(one.monitor) or _gone(one)
            found.append(obstacles.Obstructed(known, one, result if result is not None and result.at >= one.started_at else None))
        return found

    async def _availability(self, notice: Notice) -> Message:
        """By what is on record now: what was not yet known when the notice was queued is in it."""
        period = period_of(notice, self._setting)
        return availability_report(notice, self._monitors, await standings(self._archive, period.start, period.end), self._setting)


def _names(channels: Sequence[str], but: set[str]) -> tuple[str, ...]:
    """Each channel once, in the order of the alphabet."""
    return tuple(sorted(set(channels) - but))


def _bare(notice: Notice, monitor: Monitor | None, incident: Incident | None, language: str) -> Message:
    """The least that a page can say, made of nothing that could fail."""
    name, target = (notice.monitor, notice.alert) if monitor is None else (monitor.name, monitor.target)
    cause, severity = (None, Severity.OUTAGE) if incident is None else (incident.cause, incident.severity)
    headline = f"{name[:40]}: {notice.reason}" if cause is None else f"{name[:40]}: {cause} ({notice.reason})"
    return Message(
        key=notice.key,
        thread=notice.alert,
        opens_thread=notice.reason in _OPENING,
        reason=notice.reason,
        severity=severity,
        language=language,
        monitor=name,
        target=target,
        at=notice.at,
        headline=headline,
        subject=f"{headline[:60]} [{notice.alert[:15]}]",
        lines=(target, notice.alert),
        cause=cause,
    )


def _unknown(incident: Incident) -> CheckResult:
    """The check of which no more is known than its cause."""
    status = Status.DEGRADED if incident.severity is Severity.DEGRADATION else Status.DOWN
    return CheckResult(incident.monitor, incident.started_at, status, incident.cause)


def _ourselves() -> Monitor:
    """Vigie's own incidents are about no service."""
    return Monitor(VIGIE_ID, "Vigie", "", "", "", 60_000, 10_000)


def _gone(incident: Incident) -> Monitor:
    """A monitor that is no longer configured still has a name in its last messages."""
    return Monitor(incident.monitor, incident.monitor, "", incident.monitor, "", 60_000, 10_000)
