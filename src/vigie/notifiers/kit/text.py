"""What every channel does to a message before it lays it out: each text one clean line, each list bounded, each link a web link."""

import hashlib
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import TypeVar

from vigie.core.detection import Severity
from vigie.core.notification import NoticeReason
from vigie.report.facts import Link, Message, Row

_LINE, _HEAD = 1_000, 200
_LINES, _ROWS, _LINKS = 20, 40, 8
_DROPPED = frozenset({"Cc", "Cf", "Cs"})  # control, invisible and bidirectional, lone surrogates
_JOINERS = "\u200c\u200d"  # needed by some scripts and by composed emoji
_FLAGS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_LONGEST_CLUSTER = 32
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_WEB = re.compile(r"https?://[^\s<>\"|\\^`{}]+")
_T = TypeVar("_T")


def flat(text: str, limit: int = _LINE) -> str:
    """One line of at most `limit` characters, without control, invisible or direction-changing characters."""
    text = text[: limit * 4]  # bounds the work; few texts are three quarters invisible
    kept = "".join(" " if one.isspace() else one for one in text if one.isspace() or one in _JOINERS or _shown(one))
    return cut(" ".join(kept.split()), limit)


def cut(text: str, limit: int, size: Callable[[str], int] = len) -> str:
    """The text, or its beginning and `…`, of at most `limit` in the units of `size`; a composed emoji or letter is never cut in two."""
    if size(text) <= limit:
        return text
    most = max(bisect_right(range(len(text)), limit, key=lambda one: size(text[:one]) + size("…")) - 1, 0)
    end = next(
        (one for one in range(most, max(most - _LONGEST_CLUSTER, 0), -1) if _parts(text, one)), most if most > _LONGEST_CLUSTER else 0
    )
    return text[:end].rstrip() + "…"


def _parts(text: str, at: int) -> bool:
    """Whether nothing composed is cut in two there: no letter and its marks, no emoji and its parts, no flag of two letters."""
    before, after = text[at - 1], text[at]
    joined = before in _JOINERS or after in _JOINERS or unicodedata.category(after)[0] == "M" or "\U0001f3fb" <= after <= "\U0001f3ff"
    return not joined and not (after in _FLAGS and (at - len(text[:at].rstrip(_FLAGS))) % 2)


def units(text: str) -> int:
    """The length in UTF-16 code units, which Telegram and Discord count."""
    return len(text) + sum(one > "\uffff" for one in text)


def octets(text: str) -> int:
    """The length in bytes of UTF-8."""
    return len(text.encode("utf-8", "replace"))


def _shown(character: str) -> bool:
    return unicodedata.category(character) not in _DROPPED


def clean(message: Message) -> Message:
    """The message with every text flat and every list bounded; `key` and `thread` stay, the footer is never empty.

    Actions come first among the links as well, for channels that have no buttons.
    """
    analysis, members = message.analysis, message.members
    if analysis is not None:
        analysis = replace(analysis, model=flat(analysis.model, _HEAD), sentences=tuple(map(flat, analysis.sentences[:_LINES])), dropped=())
    return replace(
        message,
        monitor=flat(message.monitor, _HEAD),
        target=flat(message.target),
        headline=flat(message.headline, _HEAD),
        subject=flat(message.subject, _HEAD),
        lines=tuple(map(flat, message.lines[:_LINES])),
        rows=_rows(message.rows),
        analysis=analysis,
        analysis_label=flat(message.analysis_label, _HEAD),
        links=_links((*message.actions, *message.links)),
        actions=_links(message.actions),
        members=members and replace(members, label=flat(members.label, 80), rows=_rows(members.rows), more=flat(members.more, 80)),
        footer=flat(message.footer or message.key, 400),
    )


def _rows(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    return tuple(Row(flat(row.id, 20), flat(row.label, 80), flat(row.value)) for row in rows[:_ROWS])


def _links(links: tuple[Link, ...]) -> tuple[Link, ...]:
    return tuple(Link(flat(link.label, 80), link.url, link.token) for link in links if _WEB.fullmatch(link.url))[:_LINKS]


def some(items: tuple[_T, ...], limit: int) -> tuple[tuple[_T, ...], str]:
    """The first `limit` items, and `… +3` when three are left out."""
    return items[:limit], f"… +{len(items) - limit}" if len(items) > limit else ""


def token(key: str, limit: int) -> str:
    """A key as a header may carry it, at most `limit` characters; what had to be changed or cut is told apart by a digest."""
    safe = _UNSAFE.sub(".", key)
    if safe == key and len(safe) <= limit:
        return safe
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
    return f"{safe[: limit - 11]}.{digest}"


class Tone(StrEnum):
    """How a message is coloured."""

    BAD = "bad"
    WARNING = "warning"
    GOOD = "good"
    NEUTRAL = "neutral"


_GOOD = (
    NoticeReason.RECOVERED,
    NoticeReason.RENEWED,
    NoticeReason.STABLE,
    NoticeReason.CHANNEL_RESTORED,
    NoticeReason.RESUMED,
    NoticeReason.AGENT_HEARD,
    NoticeReason.TEST,
)


def tone(message: Message) -> Tone:
    """Red for an outage, orange for a degradation, green for good news, grey for the rest."""
    if message.reason in _GOOD:
        return Tone.GOOD
    if message.reason in (NoticeReason.CLOSED, NoticeReason.REPORT, NoticeReason.BLIND, NoticeReason.AVAILABILITY, NoticeReason.HANDOVER):
        return Tone.NEUTRAL
    return Tone.BAD if message.severity is Severity.OUTAGE else Tone.WARNING
