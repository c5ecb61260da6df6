"""The message of what runs out: which certificate or domain, when, where it was seen, and what to do. Needs no model."""

from collections.abc import Sequence

from vigie.core.detection import Severity
from vigie.core.expiry import Warned
from vigie.core.model import Cause, ExpiryKind, Monitor
from vigie.core.notification import Notice, NoticeReason
from vigie.report.facts import Message
from vigie.report.headline import HEADLINE_LENGTH, shortened, subject_line
from vigie.report.render import RenderContext
from vigie.report.wording import days_of
from vigie.text import Pair, pick, plural
from vigie.text.expiry import AFTER, EXPIRES, HEADLINES, LABELS, MORE, RENEWED, SHORT, STEPS
from vigie.text.formatting import date

_DAY_MS = 86_400_000
_NAME, _AUTHORITY, _MAX_NAMES = 40, 24, 20

Sighting = tuple[Monitor, Warned]


def is_expiry(thread: str) -> bool:
    """Whether a notice of this thread is about something that runs out."""
    return thread.startswith("expiry-")


def message(notice: Notice, monitor: Monitor, seen: Sequence[Sighting], setting: RenderContext) -> Message:
    """What a channel is to say; `seen` are the monitors that saw it, empty where nothing is known of it any more."""
    return _Layout(notice, monitor, seen, setting).message()


class _Layout:
    """Lays one message out."""

    def __init__(self, notice: Notice, monitor: Monitor, seen: Sequence[Sighting], setting: RenderContext) -> None:
        self._notice, self._monitor, self._setting, self._language = notice, monitor, setting, setting.language
        self._seen = sorted(seen, key=lambda one: (one[0].id != notice.monitor, one[0].name))
        self._warned = self._seen[0][1] if self._seen else None

    def message(self) -> Message:
        headline, notice = self._headline(), self._notice
        return Message(
            key=notice.key,
            thread=notice.alert,
            opens_thread=notice.reason is NoticeReason.EXPIRING,
            reason=notice.reason,
            severity=Severity.DEGRADATION,
            language=self._language,
            monitor=self._monitor.name,
            target=self._monitor.target,
            at=notice.at,
            headline=headline,
            subject=subject_line(headline, notice.alert, clause=False),
            lines=tuple(self._lines()),
            cause=Cause.DOMAIN_EXPIRING if self._kind is ExpiryKind.DOMAIN else Cause.TLS_EXPIRING,
            footer=self._say(LABELS["footer"], thread=notice.alert),
        )

    @property
    def _kind(self) -> ExpiryKind:
        return ExpiryKind.CERTIFICATE if self._warned is None else self._warned.kind

    def _say(self, pair: Pair, /, **values: object) -> str:
        return pick(pair, self._language).format(**values)

    def _days(self) -> str:
        left = (self._warned.ends_at - self._notice.at) // _DAY_MS if self._warned else self._notice.number // 24
        return pick(days_of(max(left, 0)), self._language)

    def _headline(self) -> str:
        named = _flat(self._warned.name, _AUTHORITY) if self._warned else ""
        what = self._say(SHORT[self._kind], name=named)
        name = _flat(self._monitor.name, _NAME)
        return shortened(self._say(HEADLINES[self._notice.reason], name=name, what=what, days=self._days()), HEADLINE_LENGTH)

    def _lines(self) -> list[str]:
        warned, renewed = self._warned, self._notice.reason is NoticeReason.RENEWED
        if warned is None:
            return [self._say(LABELS["gone"])]
        ends = (renewed and warned.renewed_until) or warned.ends_at
        values = {"name": _flat(warned.name, 80), "days": self._days(), "date": date(ends, self._setting.zone, self._language)}
        lines = [self._say((RENEWED if renewed else EXPIRES)[warned.kind], **values)]
        if not renewed:
            lines.append(self._say(AFTER[warned.kind]))
        lines += self._where(warned)
        if self._notice.reason is NoticeReason.UNDELIVERABLE:
            return [*lines, self._say(LABELS["undeliverable"])]
        return lines if renewed else [*lines, self._say(STEPS[warned.kind])]

    def _where(self, warned: Warned) -> list[str]:
        names = [_flat(monitor.name, _NAME) for monitor, _ in self._seen]
        if len(names) > 1:
            more = [plural(MORE, count, self._language).format(count=count)] if (count := len(names) - _MAX_NAMES) > 0 else []
            return [self._say(LABELS["others"], names=", ".join([*names[:_MAX_NAMES], *more]))]
        if warned.kind is ExpiryKind.DOMAIN:
            return []
        return [self._say(LABELS["where"], of=_flat(warned.of, 80), target=self._monitor.target)]


def _flat(text: str, length: int) -> str:
    """What a server wrote, on one line and not for ever."""
    return shortened(" ".join("".join(char if char.isprintable() else " " for char in text).split()), length)
