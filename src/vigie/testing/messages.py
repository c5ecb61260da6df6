"""Sample messages: every reason, in both languages, in the words of the core; and one whose texts try to break out."""

from dataclasses import replace
from datetime import timedelta, timezone

from vigie.core.detection import Severity
from vigie.core.expiry import Warned
from vigie.core.model import Cause, CheckResult, ExpiryKind, HttpFacts, Incident, Monitor, Status, Timings
from vigie.core.notification import Notice, NoticeReason
from vigie.core.subject import SubjectKind
from vigie.observation.availability import Availability, AvailabilitySummary
from vigie.observation.channel import ChannelState, Spell, thread_of
from vigie.observation.locations import Sighting
from vigie.planning.rotation import Handover
from vigie.report import agents, channels, expiries, handover, measured, render, stalls
from vigie.report.availability import availability_report
from vigie.report.facts import Affected, Analysis, Dropped, Link, Message, Notified, Row, Subject
from vigie.report.render import RenderContext

LANGUAGES = ("fr", "en")
STARTED_AT = 1_767_225_600_000  # 2026-01-01T00:00:00Z
_ZONE = timezone(timedelta(hours=1))
_SAID = {
    "fr": ("Le serveur nginx répond HTTP 502.", "La réponse est arrivée après 180 ms."),
    "en": ("The nginx server answers HTTP 502.", "The answer came after 180 ms."),
}


def subject(severity: Severity = Severity.OUTAGE) -> Subject:
    """A shop whose application is gone behind its proxy."""
    monitor = Monitor("shop-api", "Boutique É-Shop", "http", "https://api.example.com/health", "api.example.com", 30_000, 5_000)
    incident = Incident("shop-api-7", "shop-api", severity, Cause.HTTP_STATUS, STARTED_AT, STARTED_AT + 10_000, STARTED_AT + 760_000)
    result = CheckResult(
        "shop-api",
        STARTED_AT,
        Status.DOWN,
        Cause.HTTP_STATUS,
        "HTTP 502 instead of 200-299",
        Timings(3.1, 11.9, 24.2, 180.4, 1.2, 221.0),
        {"status": 502, "expected": "200-299"},
        "192.0.2.7",
        ("192.0.2.7",),
        HttpFacts(502, "2", headers={"server": "nginx/1.27"}),
    )
    return Subject(monitor, incident, result, None, 3)


def sample(reason: NoticeReason, language: str, *, severity: Severity = Severity.OUTAGE, channel: str = "mail") -> Message:
    """The message of a reason, with an analysis, a sentence that was dropped from it, and a link."""
    at = STARTED_AT + 760_000
    if reason is NoticeReason.TEST:
        return render.test_message(channel, f"test-{at}", at, language)
    if reason in (NoticeReason.EXPIRING, NoticeReason.RENEWED):
        return _expiry(reason, language, channel)
    if reason is NoticeReason.AVAILABILITY:
        return _availability_report(language, channel)
    if reason is NoticeReason.HANDOVER:
        notice = Notice("oncall-primary-20260105T080000", "vigie", channel, reason, at, subject=SubjectKind.VIGIE)
        taken = Handover(at, "primary", "anna", "bob", at + 7 * 86_400_000)
        return replace(
            handover.message(notice, taken, RenderContext(language, _ZONE)), links=(Link("Calendar", "https://cal.example.com/"),)
        )
    if reason in channels.REASONS:
        return _channel(reason, language, channel)
    if reason in agents.REASONS:
        notice = Notice(agents.thread("paris-1", "paris", STARTED_AT), "vigie", channel, reason, at, 12, subject=SubjectKind.VIGIE)
        return agents.message(notice, RenderContext(language, _ZONE))
    if reason in stalls.REASONS:
        notice = Notice(stalls.thread(stalls.Part.PROBER, STARTED_AT), "vigie", channel, reason, at, subject=SubjectKind.VIGIE)
        return stalls.message(notice, RenderContext(language, _ZONE), "monitoring.example.com")
    about = subject(severity)
    if not reason.ends:
        about = replace(about, incident=replace(about.incident, closed_at=None))
    notice = Notice(
        "shop-api-7",
        "shop-api",
        channel,
        reason,
        at,
        1 if reason is NoticeReason.ESCALATED else 0,
        about=NoticeReason.OPENED if reason is NoticeReason.UNDELIVERABLE else None,
    )
    with_report = reason in (NoticeReason.OPENED, NoticeReason.FLAPPING, NoticeReason.REPORT, NoticeReason.REMINDER)
    analysis = Analysis("llama3", language, _SAID[language], (Dropped("number", "It will be back in 5 minutes."),), "", 2_400)
    message = render.compose(
        about, notice, measured.bundle(about, (), at, _ZONE), analysis if with_report else None, RenderContext(language, _ZONE)
    )
    return replace(message, links=(Link("Runbook", "https://wiki.example.com/shop?page=api&part=2"),))


_NAMES = ("Shop", "Blog", "Wiki", "API", "Mail", "Git", "Chat", "Maps")


def storm(count: int, *, back: int = 0, apart: int = 200) -> Subject:
    """So many services on one address that refuses connections, each `apart` ms after the one before; the first `back` are well again."""
    members = tuple(_refused(number, apart, back=number < back) for number in range(count))
    first = members[0]
    assert first.result is not None  # noqa: S101 - made just now
    failed = replace(first.result, status=Status.DOWN, cause=Cause.TCP_REFUSED)
    return Subject(first.monitor, first.incident, failed, None, 3, members=members[1:])


def _refused(number: int, apart: int, *, back: bool) -> Affected:
    name = _NAMES[number] if number < len(_NAMES) else f"Customer {number}"
    identity = name.lower().replace(" ", "-")
    monitor = Monitor(identity, name, "http", f"https://{identity}.example.com/health", f"{identity}.example.com", 30_000, 5_000)
    at = STARTED_AT + number * apart
    incident = Incident(
        f"{identity}-1", identity, Severity.OUTAGE, Cause.TCP_REFUSED, at, at + 10_000,
        closed_at=STARTED_AT + 600_000 + number * apart if back else None, alert="shop-1",
    )  # fmt: skip
    status, cause = (Status.UP, None) if back else (Status.DOWN, Cause.TCP_REFUSED)
    return Affected(monitor, incident, CheckResult(identity, at, status, cause, timings=Timings(), address="192.0.2.7"))


def storm_message(reason: NoticeReason, language: str, count: int = 500, *, joined: int = 12) -> Message:
    """The message of a reason about the whole storm; an update tells of those that joined last."""
    at = STARTED_AT + (900_000 if reason is NoticeReason.RECOVERED else 120_000)
    over = reason in (NoticeReason.RECOVERED, NoticeReason.CLOSED)
    about = storm(count, back=count if over else 0, apart=20)
    before = about.members[-joined].incident.opened_at - 1 if reason is NoticeReason.UPDATED else None
    notice = Notice("shop-1", "shop", "mail", reason, at)
    notified = Notified(("slack", "telegram"), (), before)
    return render.compose(about, notice, measured.bundle(about, (), at, _ZONE), None, RenderContext(language, _ZONE), notified)


def _availability_report(language: str, channel: str) -> Message:
    """How available two services were in the last week of 2025."""
    monitor, week = subject().monitor, 7 * 86_400_000
    notice = Notice("availability-2025-W52", "vigie", channel, NoticeReason.AVAILABILITY, STARTED_AT, subject=SubjectKind.VIGIE)
    known = AvailabilitySummary(Availability(week - 3_600_000, 1_800_000), 2, 1_200_000, 3_600_000, None)
    spotless = AvailabilitySummary(Availability(week // 2, 0), 0, 0, 0, STARTED_AT - week)
    monitors = {"shop-api": monitor, "blog": replace(monitor, id="blog", name="Blog")}
    message = availability_report(notice, monitors, {"shop-api": known, "blog": spotless}, RenderContext(language, _ZONE))
    return replace(message, links=(Link("Status", "https://status.example.com/"),))


def _channel(reason: NoticeReason, language: str, channel: str) -> Message:
    """Another channel that has not worked for twenty minutes, or works again."""
    at, name = STARTED_AT + 1_200_000, "slack"
    spell = Spell(STARTED_AT, 7, 2, "auth", "HTTP 403", STARTED_AT + 900_000, None if reason is NoticeReason.CHANNEL_FAILING else at)
    state = ChannelState(name, spell) if spell.until is None else ChannelState(name, None, spell)
    notice = Notice(thread_of(name, spell), "vigie", channel, reason, at, failover_for=name, subject=SubjectKind.VIGIE)
    return channels.message(notice, {name: state}, RenderContext(language, _ZONE))


def _expiry(reason: NoticeReason, language: str, channel: str) -> Message:
    """A certificate that expires in six days, or its renewal."""
    end = STARTED_AT + 6 * 86_400_000
    warned = Warned("shop.example:443", ExpiryKind.CERTIFICATE, "shop.example", end, 7 * 86_400_000, STARTED_AT, (), end + 90 * 86_400_000)
    monitor = Monitor("shop-api", "Shop API", "http", "https://shop.example/health", "shop.example", 60_000, 10_000)
    notice = Notice(warned.thread, monitor.id, channel, reason, STARTED_AT, 168)
    message = expiries.message(notice, monitor, [(monitor, warned)], RenderContext(language, _ZONE))
    return replace(message, links=(Link("Status", "https://status.example.com/"),))


def longest() -> Message:
    """A late reminder with every line that there may be; who else is notified comes last."""
    message = sample(NoticeReason.REMINDER, "en")
    more = (
        "Diagnostics: none of the 2 addresses accepts the connection (192.0.2.7, 192.0.2.8) [F7, F8].",
        "Since the last successful check: the server is another one (Apache/2.4, before: nginx/1.27) [F9].",
    )
    late = "Late: this notice was raised at 01:12:40 UTC+1 and could not be sent until now. Reason: the login was refused."
    others = "Also notified: slack, telegram; not reached so far: pager."
    return replace(message, lines=(late, *message.lines[:2], *more, *message.lines[2:], others))


def from_several_places(reason: NoticeReason, language: str) -> Message:
    """Seen from four locations: down from two, up from one, and one that is silent; or, at the end, up from three."""
    ended, at = reason.ends, STARTED_AT + 760_000
    about = subject() if ended else replace(subject(), incident=replace(subject().incident, closed_at=None))
    seen = (
        Sighting("local", Status.UP, None, STARTED_AT - 86_400_000, STARTED_AT),
        Sighting("lyon", Status.DOWN, Cause.HTTP_STATUS, STARTED_AT + 4_000, STARTED_AT + 4_000),
        Sighting("nice", Status.UP, None, STARTED_AT - 86_400_000, STARTED_AT - 600_000, silent=True),
        Sighting("paris", Status.DOWN, Cause.HTTP_STATUS, STARTED_AT, STARTED_AT + 5_000),
    )
    end = tuple(one if one.works or one.silent else replace(one, status=Status.UP, cause=None, since=at - 9_000) for one in seen)
    about = replace(about, seen=seen, seen_at_end=end if ended else ())
    notice = Notice("shop-api-7", "shop-api", "mail", reason, at)
    return render.compose(about, notice, measured.bundle(about, (), at, _ZONE), None, RenderContext(language, _ZONE))


def every_sample() -> list[Message]:
    """All reasons in both languages, a degradation, several services, and the longest one."""
    found = [sample(reason, language) for reason in NoticeReason for language in LANGUAGES]
    several = [storm_message(reason, "en") for reason in (NoticeReason.OPENED, NoticeReason.UPDATED, NoticeReason.RECOVERED)]
    placed = [from_several_places(reason, language) for reason in (NoticeReason.OPENED, NoticeReason.RECOVERED) for language in LANGUAGES]
    return [*found, sample(NoticeReason.OPENED, "en", severity=Severity.DEGRADATION), *several, *placed, longest()]


HOSTILE = (
    "Shop\r\nBcc: thief@example.net\r\n\r\n<script>alert(1)</script> <!channel> <https://evil.example|click> *bold* "
    "[x](https://evil.example) {{DATE(2026-01-01T00:00:00Z)}} \x00\x1b[31m\u202eevil\u2066 \ud800 .\r\n.\r\nQUIT\r\n & &amp; ``` "
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 é"
)


def hostile(reason: NoticeReason = NoticeReason.OPENED) -> Message:
    """Every text tries to break out of its frame, and is far too long."""
    text = HOSTILE + " " + "\U0001f525long" * 2_000
    return Message(
        key=f"{HOSTILE}:opened:É",
        thread=HOSTILE,
        opens_thread=reason is NoticeReason.OPENED,
        reason=reason,
        severity=Severity.OUTAGE,
        language="en",
        monitor=text,
        target=text,
        at=STARTED_AT,
        headline=text,
        subject=text,
        lines=(text,) * 30,
        rows=(Row(text, text, text),) * 60,
        analysis=Analysis(text, "en", (text,) * 30, (Dropped("rule", "dropped-" + text),)),
        analysis_label=text,
        links=(Link(text, "javascript:alert(1)"), Link(text, 'https://x.example/"><script>'), Link("ok", "https://x.example/a?b=1&c=2")),
        footer=text,
        since=STARTED_AT,
    )
