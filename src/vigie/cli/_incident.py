"""What `vigie incidents show` prints of one incident."""

from collections.abc import Sequence
from datetime import tzinfo

from vigie.core.detection import DetectionPolicy, Pattern, Severity
from vigie.core.events import (
    AckRecorded,
    Closed,
    Decision,
    Disclosed,
    Escalated,
    Joined,
    Opened,
    Recovered,
    Reminded,
    SnoozeEnded,
    SnoozeRecorded,
    Steadied,
    Withheld,
)
from vigie.core.model import Cause, Incident
from vigie.core.quorum import Views
from vigie.core.subject import SubjectKind
from vigie.observation.heartbeat import Ping
from vigie.observation.locations import failing, sightings
from vigie.planning.maintenance import MaintenanceSpan
from vigie.ports import Delivery, StoredReport
from vigie.queries import IncidentDetails, accounts
from vigie.report.deliveries import story
from vigie.text.formatting import duration, timestamp

_BODY_LINES, _BODY_WIDTH = 10, 160
_MAX_MEMBERS = 20
_UNSENT = {"waiting": "waiting to be sent", "undeliverable": "UNDELIVERABLE, given up (`vigie outbox retry` tries again)"}


def lines_of(details: IncidentDetails, language: str, zone: tzinfo, now: int) -> list[str]:
    """Everything on record of it: the timeline, the report, and every delivery attempt, up to `now`, epoch ms."""
    incident = details.incident
    ended = "still open" if incident.closed_at is None else f"closed after {duration(incident.closed_at - incident.started_at, 'en')}"
    lines = [f"{incident.id}: {_what(incident.severity, incident.cause, incident.subject)}, {ended}"]
    if incident.alert not in ("", incident.id):
        lines.append(f"Part of alert {incident.alert}")
    if incident.subject is SubjectKind.VIGIE and details.failure is not None:
        lines.append(f"Reason: {details.failure.message}")
    lines += [*_members(details.members), "", "Timeline"]
    lines.append(f"  {timestamp(incident.started_at, zone)}  first failed check")
    lines += [f"  {timestamp(entry.at, zone)}  {_happened(entry.decision, zone)}" for entry in details.timeline]
    lines += _maintenance(details.maintenance, zone)
    if details.report is not None:
        lines += _report(details.report, language)
    lines += [*_picture(details), *_pings(details.pings, zone)]
    return [*lines, *_deliveries(details, language, zone, now)]


def _members(members: Sequence[Incident]) -> list[str]:
    """The other incidents of its alert, open ones first."""
    if not members:
        return []
    ordered = sorted(members, key=lambda one: (one.closed_at is not None, one.opened_at))
    shown = [f"  {one.id}: {one.cause}, {'still open' if one.closed_at is None else 'over'}" for one in ordered[:_MAX_MEMBERS]]
    more = [f"  and {len(members) - _MAX_MEMBERS} more"] if len(members) > _MAX_MEMBERS else []
    return ["", f"In the same alert ({len(members)})", *shown, *more]


def _deliveries(details: IncidentDetails, language: str, zone: tzinfo, now: int) -> list[str]:
    """Who was notified late or not at all and why, then every attempt, then what is unsent."""
    told = story(accounts(details.notices, details.deliveries), language, zone, now)
    lines = ["", "Notification", *(f"  {line}" for line in told)] if told else []
    lines += ["", "Deliveries", *(f"  {timestamp(one.at, zone)}  {_attempt(one)}" for one in details.deliveries)]
    for one in details.notices:
        if one.state.value in _UNSENT:
            until = f", next attempt {timestamp(one.row.due_at, zone)}" if one.state.value == "waiting" else ""
            lines.append(f"  {one.row.notice.key}: {_UNSENT[one.state.value]}{until}")
    return lines if details.deliveries or details.notices else [*lines, "  none"]


def _attempt(one: Delivery) -> str:
    """A line of the deliveries."""
    if one.failure == "dropped":
        return f"{one.key}: dropped by {one.answer}"
    outcome = f"delivered ({one.answer})" if one.failure is None else f"FAILED, {one.failure}: {one.answer}"
    instead = f", in place of {one.failover_for}" if one.failover_for and not one.key.startswith("channel-") else ""
    return f"{one.key}, attempt {one.attempt}{instead}: {outcome}"


def _what(severity: Severity, cause: Cause, subject: SubjectKind) -> str:
    """What an incident is: of a service, or that Vigie cannot check it."""
    return f"Vigie cannot check it, {cause}" if subject is SubjectKind.VIGIE else f"{severity}, {cause}"


def _happened(decision: Decision, zone: tzinfo) -> str:
    """A line of the timeline."""
    match decision:
        case Opened():
            return _opened(decision)
        case Closed(by=by, note=note):
            return f"closed by {by}: {note}" if note else f"closed by {by}"
        case Joined(alert=alert):
            return f"joined alert {alert}"
        case Withheld(quiet=quiet):
            return f"notice withheld: {'quiet hours' if quiet else 'maintenance'}"
        case Disclosed(quiet=quiet):
            return f"{'quiet hours' if quiet else 'maintenance'} over, still failing: notified"
        case Reminded(number=number):
            return f"reminded ({number})"
        case Escalated(step=step):
            return f"escalated (step {step})"
        case AckRecorded(by=by):
            return f"acknowledged by {by}"
        case SnoozeRecorded(by=by, until=until):
            return f"snoozed until {timestamp(until, zone)} by {by}"
        case SnoozeEnded():
            return "snooze over, still failing"
        case Steadied():
            return "not flapping any more: it fails all the time"
        case _:
            return type(decision).__name__.lower() + (_from(decision.views) if isinstance(decision, Recovered) else "")


def _opened(decision: Opened) -> str:
    named = _what(decision.severity, decision.cause, decision.subject)
    how = "" if decision.pattern is Pattern.STEADY else f", {decision.pattern}"
    return f"opened: {named}{how}{_from(decision.views)}" + ("" if decision.page else ", in maintenance: no alert sent")


def _from(views: Views) -> str:
    """From where it failed and from where not, where several locations check it."""
    seen = sightings(views, DetectionPolicy().stale_ms)
    parts = (
        ("fails from", failing(seen)),
        ("works from", tuple(one.location for one in seen if one.works)),
        ("no recent result from", tuple(one.location for one in seen if not (one.fails or one.works))),
    )
    return "".join(f"; {words} {', '.join(names)}" for words, names in parts if names)


def _report(report: StoredReport, language: str) -> list[str]:
    """The facts in the language of the mails, and what became of the model's text."""
    lines = ["", "Facts"]
    lines += [f"  {fact.id:<4} {fact.evidence.sentence(language)}" for fact in report.bundle.facts]
    analysis = report.analysis
    if analysis is not None and analysis.sentences:
        lines += ["", f"Analysis by {analysis.model}", *(f"  {sentence}" for sentence in analysis.sentences)]
        lines += [f"  ({analysis.note})"] if analysis.note else []
    if analysis is not None and analysis.dropped:
        lines += ["", "Dropped by the checks as unproven", *(f"  {one.rule}: {one.text}" for one in analysis.dropped)]
    return [*lines, "", f"No analysis: {report.fault}"] if report.fault else lines


def _maintenance(spans: Sequence[MaintenanceSpan], zone: tzinfo) -> list[str]:
    """The planned work meanwhile, in which nobody was notified."""
    lines = ["", "Maintenance"] if spans else []
    return [
        *lines,
        *(f"  {timestamp(one.start, zone)} to {timestamp(one.end, zone)}" + (f": {one.why}" if one.why else "") for one in spans),
    ]


def _picture(details: IncidentDetails) -> list[str]:
    """Where the newest picture of the trouble lies, if one was taken."""
    path = details.failure.figures.get("screenshot") if details.failure is not None else None
    return [] if path is None else ["", f"Screenshot: {path}"]


def _pings(pings: Sequence[Ping], zone: tzinfo) -> list[str]:
    """What the job itself reported lately, where the monitor is one that jobs report to."""
    lines = ["", "Latest pings of the job"] if pings else []
    for one in pings:
        status = "" if one.exit_status is None else f", exit status {one.exit_status}"
        lines.append(f"  {timestamp(one.at, zone)}  {one.signal}{status}" + (f"  run {one.run}" if one.run else ""))
        lines += [f"    {_printable(line)}" for line in one.body.splitlines()[-_BODY_LINES:]]
    return lines


def _printable(line: str) -> str:
    """A line that a job wrote, harmless on a terminal."""
    return "".join(character if character.isprintable() else " " for character in line)[:_BODY_WIDTH]
