"""The messages about an agent: it is silent, and it reports again. Made of the notice alone."""

from vigie.core.detection import Severity
from vigie.core.notification import Notice, NoticeReason
from vigie.report.facts import Message
from vigie.report.headline import HEADLINE_LENGTH, shortened, subject_line
from vigie.report.render import RenderContext
from vigie.text import pick, plural
from vigie.text.agents import ALONE, HEARD, LINES, SILENT
from vigie.text.formatting import between, duration, since_moment

REASONS = (NoticeReason.AGENT_SILENT, NoticeReason.AGENT_HEARD)
THREADS = "agent-"  # what the threads of notices about agents begin with


def thread(name: str, location: str, since: int) -> str:
    """What notices about a silence have in place of an alert."""
    return f"{THREADS}{name}@{location}-{since}"


def parsed(alert: str, at: int) -> tuple[str, str, int]:
    """The agent, its location and since when it is silent, epoch ms, of such a thread."""
    who, _, since = alert.removeprefix(THREADS).rpartition("-")
    name, _, location = who.partition("@")
    return name, location, int(since) if since.isdecimal() else at


def message(notice: Notice, setting: RenderContext) -> Message:
    """What a channel is to say; `notice.number` is how many monitors nobody else checks."""
    language = setting.language
    name, location, since = parsed(notice.alert, notice.at)
    silent = notice.reason is NoticeReason.AGENT_SILENT
    template = pick(SILENT if silent else HEARD, language)
    lasted = duration(max(notice.at - since, 0), language)
    headline = shortened(template.format(name=name, location=location, lasted=lasted), HEADLINE_LENGTH)
    return Message(
        key=notice.key,
        thread=notice.alert,
        opens_thread=silent,
        reason=notice.reason,
        severity=Severity.DEGRADATION,
        language=language,
        monitor="Vigie",
        target="",
        at=notice.at,
        headline=headline,
        subject=subject_line(headline, f"vigie-agent-{name}", clause=False),
        lines=tuple(_lines(notice, name, location, since, setting)),
        footer=pick(LINES["footer"], language),
        since=since,
    )


def _lines(notice: Notice, name: str, location: str, since: int, setting: RenderContext) -> list[str]:
    language = setting.language
    if notice.reason is NoticeReason.AGENT_HEARD:
        span = between(since, notice.at, setting.zone, notice.at, language)
        return [pick(LINES["heard"], language).format(name=name, location=location, span=span), pick(LINES["kept"], language)]
    begun = since_moment(since, setting.zone, notice.at, language)
    alone = plural(ALONE, notice.number, language).format(count=notice.number) if notice.number else pick(LINES["others"], language)
    return [pick(LINES["silent"], language).format(name=name, location=location, since=begun), alone, pick(LINES["step"], language)]
