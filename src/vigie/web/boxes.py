"""The boxes of open alerts on the overview and the wallboard: what broke, why, since when, who knows, and who is next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from vigie.core.detection import Severity
from vigie.core.model import Incident
from vigie.errors import StoreError
from vigie.queries import IncidentDetails
from vigie.queries.board import Board, BoardRow, OpenAlert
from vigie.report.deliveries import story
from vigie.web.page import shown
from vigie.web.rendering import LINKS, Words
from vigie.web.rows import observed
from vigie.web.site import Site

_BOXES, _MEMBERS, _NAMES, _SENTENCES = 3, 5, 2, 2


@dataclass(frozen=True, slots=True)
class Member:
    """One service of an alert; `said` is what its newest check saw."""

    row: BoardRow
    name: str
    href: str
    said: str


@dataclass(frozen=True, slots=True)
class Box:
    """One open alert. `names` are its services in words, `sentences` what was made of the evidence, `told` who was notified."""

    alert: OpenAlert
    href: str
    names: str
    cause: str
    title: str
    sentences: tuple[str, ...]
    members: tuple[Member, ...]
    more_members: int
    since: int | None
    told: tuple[str, ...]
    to: str


async def boxes(site: Site, board: Board, words: Words, now: int, zone: tzinfo) -> tuple[list[Box], int]:
    """The first open alerts about outages, those that nobody has acknowledged first, and how many others are open.

    What is degraded is worth a look: it has no box.
    """
    alerts = sorted(board.alerts(), key=lambda one: one.acked_by is not None or one.snoozed_until is not None)
    boxed = [one for one in alerts if one.severity is Severity.OUTAGE][:_BOXES]
    return [await _box(site, board, one, words, now, zone) for one in boxed], len(alerts) - len(boxed)


async def _box(site: Site, board: Board, alert: OpenAlert, words: Words, now: int, zone: tzinfo) -> Box:
    rows = [row for one in alert.monitors if (row := board.row(one)) is not None]
    told: tuple[str, ...] = ()
    details: IncidentDetails | None = None
    try:
        told = story(await site.queries.notices.accounts(alert.id), words.language, zone, now)
        details = await site.queries.incidents.incident(alert.id)
    except StoreError:
        """The box is shown with what is in memory."""
    names = names_of([row.view.monitor.name for row in rows] or [alert.monitor], words)
    cause = next((said for row in rows if (said := observed(row, words.language))), "")
    members = [Member(row, shown(row.view.monitor.name), LINKS.monitor(row.id), shown(observed(row, words.language))) for row in rows]
    return Box(
        alert,
        LINKS.alert(alert.id),
        names,
        cause,
        words("alert_of", names=names, cause=cause) if cause else names,
        _sentences(details, words.language),
        tuple(members[:_MEMBERS]),
        max(len(members) - _MEMBERS, 0),
        _since(rows, details.incident if details is not None else None),
        tuple(shown(one) for one in told[:_SENTENCES]),
        names_of(alert.escalates_to, words) if alert.escalates_to else "",
    )


def _since(rows: Sequence[BoardRow], first: Incident | None) -> int | None:
    """When it began."""
    starts = [one.started_at for row in rows for one in row.view.incidents]
    return first.started_at if first is not None else min(starts, default=None)


def _sentences(details: IncidentDetails | None, language: str) -> tuple[str, ...]:
    """What is on record of its reason: certified sentences in the reader's language, else the first facts."""
    if details is None or details.report is None:
        return ()
    analysis = details.report.analysis
    if analysis is not None and analysis.sentences and analysis.language == language:
        return tuple(shown(one) for one in analysis.sentences[:_SENTENCES])
    return tuple(shown(fact.evidence.sentence(language)) for fact in details.report.bundle.facts[:_SENTENCES])


def names_of(names: Sequence[str], words: Words) -> str:
    """`Checkout`, `Checkout and Card payments`, `Checkout, Card payments and 10 more`."""
    clean = [shown(one) for one in names]
    if len(clean) <= 1:
        return "".join(clean)
    if len(clean) == _NAMES:
        return words("two", first=clean[0], second=clean[1])
    return words("names_more", names=", ".join(clean[:_NAMES]), count=len(clean) - _NAMES)
