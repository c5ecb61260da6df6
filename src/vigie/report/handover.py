"""The message of a hand-over: who is on call from now on, in whose place, and until when. Needs no model."""

from datetime import UTC, datetime

from vigie.core.detection import Severity
from vigie.core.notification import Notice
from vigie.planning.rotation import Handover
from vigie.report.facts import Message
from vigie.report.headline import shortened, subject_line
from vigie.report.render import RenderContext
from vigie.text import pick
from vigie.text.formatting import date_time, duration
from vigie.text.handover import HEADLINE, LABELS

_PREFIX, _NAME = "oncall-", 40


def thread(handover: Handover) -> str:
    """What the notices of a hand-over have in place of an incident."""
    return f"{_PREFIX}{handover.rotation}-{datetime.fromtimestamp(handover.at / 1000, UTC):%Y%m%dT%H%M%S}"


def rotation_of(notice: Notice) -> tuple[str, int]:
    """The rotation whose hand-over a notice is about, and when that was, epoch ms. Raises ValueError when it is about none."""
    rotation, _, instant = notice.alert.removeprefix(_PREFIX).rpartition("-")
    return rotation, round(datetime.strptime(f"{instant}Z", "%Y%m%dT%H%M%S%z").timestamp() * 1000)


def message(notice: Notice, handover: Handover | None, setting: RenderContext) -> Message:
    """The message of a notice; without a hand-over the rotation is another by now, or gone."""
    language = setting.language
    rotation = shortened(" ".join(rotation_of(notice)[0].split()), _NAME)
    if handover is None:
        headline, lines = pick(LABELS["gone"], language).format(rotation=rotation), []
    else:
        values = {"takes": shortened(handover.takes, _NAME), "leaves": shortened(handover.leaves, _NAME), "rotation": rotation}
        headline = pick(HEADLINE, language).format(**values)
        begin, end = (date_time(at, setting.zone, language) for at in (handover.at, handover.until))
        span = {"begin": begin, "end": end, "length": duration(handover.until - handover.at, language)}
        lines = [pick(LABELS[name], language).format(**values, **span) for name in ("takes", "until")]
    return Message(
        key=notice.key,
        thread=notice.alert,
        opens_thread=True,
        reason=notice.reason,
        severity=Severity.OUTAGE,
        language=language,
        monitor="Vigie",
        target="",
        at=notice.at,
        headline=headline,
        subject=subject_line(headline, notice.alert, clause=False),
        lines=tuple(lines),
        footer=pick(LABELS["footer"], language),
    )
