"""The messages about Vigie itself: a part of it stands still, and goes on again. Made of the notice alone, for nothing else may work."""

from enum import StrEnum

from vigie.core.detection import Severity
from vigie.core.notification import Notice, NoticeReason
from vigie.report.facts import Message
from vigie.report.headline import HEADLINE_LENGTH, shortened, subject_line
from vigie.report.render import RenderContext
from vigie.text import pick
from vigie.text.deliveries import PARTS, PARTS_OVER, RESUMED, STALL_LINES, STALLED
from vigie.text.formatting import between, duration, since_moment

REASONS = (NoticeReason.STALLED, NoticeReason.RESUMED)


class Part(StrEnum):
    """What of `vigie serve` may stand still."""

    LOOP = "loop"
    WRITER = "writer"
    PROBER = "prober"


THREADS = "stalled-"  # what the threads of notices about stalls begin with


def thread(part: Part, since: int) -> str:
    """What notices about a stall have in place of an alert."""
    return f"{THREADS}{part}-{since}"


def _parsed(alert: str, at: int) -> tuple[str, int]:
    """The part and since when, epoch ms, of such a thread."""
    _, _, rest = alert.partition("-")
    part, _, since = rest.partition("-")
    return part if part in PARTS else Part.LOOP, int(since) if since.isdecimal() else at


def message(notice: Notice, setting: RenderContext, host: str = "") -> Message:
    """What a channel is to say; `host` is the name of Vigie's own machine."""
    language = setting.language
    part, since = _parsed(notice.alert, notice.at)
    stalled = notice.reason is NoticeReason.STALLED
    words = pick((PARTS if stalled else PARTS_OVER)[part], language)
    template = pick(STALLED if stalled else RESUMED, language)
    headline = shortened(template.format(part=words, lasted=duration(notice.at - since, language)), HEADLINE_LENGTH)
    return Message(
        key=notice.key,
        thread=notice.alert,
        opens_thread=stalled,
        reason=notice.reason,
        severity=Severity.OUTAGE,
        language=language,
        monitor="Vigie",
        target=host,
        at=notice.at,
        headline=headline,
        subject=subject_line(headline, f"vigie-{part}", clause=False),
        lines=tuple(_lines(notice, part, since, words, setting, host)),
        footer=pick(STALL_LINES["footer"], language),
        since=since,
    )


def _lines(notice: Notice, part: str, since: int, words: str, setting: RenderContext, host: str) -> list[str]:
    language = setting.language
    if notice.reason is NoticeReason.RESUMED:
        span = between(since, notice.at, setting.zone, notice.at, language)
        return [pick(STALL_LINES["resumed"], language).format(span=span, part=words)]
    begun = since_moment(since, setting.zone, notice.at, language)
    return [
        pick(STALL_LINES["stalled"], language).format(since=begun, part=words),
        pick(STALL_LINES["means"], language),
        pick(STALL_LINES[f"{part}_step"], language).format(host=f" ({host})" if host else ""),
    ]
