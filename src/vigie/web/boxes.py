"""The boxes of open alerts on the overview and the wallboard: what broke, why, since when, who knows, and who is next."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from vigie.core.detection import Severity
from vigie.core.model import Incident
from vigie.core.notification import OPENINGS
from vigie.errors import StoreError
from vigie.queries.alerts import AlertDetails
from vigie.queries.board import Board, BoardRow, OpenAlert
from vigie.report.deliveries import Account, story
from vigie.report.narrative import narrative, what_failed
from vigie.report.render import RenderContext
from vigie.text import pick
from vigie.web.alert_view import who_and_way
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
    """One open alert.

    `names` are its services in words, `sentences` what was made of the evidence.
    `notified` is who was (names, how many, epoch ms of the first), `told` who was not in time.
    """

    alert: OpenAlert
    href: str
    names: str
    cause: str
    title: str
    sentences: tuple[str, ...]
    members: tuple[Member, ...]
    more_members: int
    since: int | None
    notified: tuple[str, int, int] | None
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
    found: AlertDetails | None = None
    ledger: Sequence[Account] = ()
    try:
        found = None if site.alerts is None else await site.alerts.alert(alert.id)
        ledger = await site.queries.notices.accounts(alert.id) if found is None else found.ledger
    except StoreError:
        """The box is shown with what is in memory."""
    setting = RenderContext(words.language, zone)
    sentences, told = await asyncio.get_running_loop().run_in_executor(site.renderer, _said, found, ledger, setting, words, now)
    names = names_of([row.view.monitor.name for row in rows] or [alert.monitor], words)
    cause = next((said for row in rows if (said := observed(row, words.language))), "")
    members = [Member(row, shown(row.view.monitor.name), LINKS.monitor(row.id), shown(observed(row, words.language))) for row in rows]
    return Box(
        alert,
        LINKS.alert(alert.id),
        names,
        cause,
        words("alert_of", names=names, cause=cause) if cause else names,
        sentences,
        tuple(members[:_MEMBERS]),
        max(len(members) - _MEMBERS, 0),
        _since(rows, found.details.incident if found is not None else None),
        _notified(ledger, words),
        told,
        names_of([who_and_way(one)[0] for one in alert.escalates_to], words) if alert.escalates_to else "",
    )


def _since(rows: Sequence[BoardRow], first: Incident | None) -> int | None:
    """When it began."""
    starts = [one.started_at for row in rows for one in row.view.incidents]
    return first.started_at if first is not None else min(starts, default=None)


def _said(
    found: AlertDetails | None, ledger: Sequence[Account], setting: RenderContext, words: Words, now: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is on record of its reason, with the likely cause and the first step; and who was notified late or not at all."""
    told = story(ledger, words.language, setting.zone, now)[:1]
    reason = [] if found is None else _reason(found, setting, words, now)
    return tuple(map(shown, reason)), tuple(map(shown, told))


def _reason(found: AlertDetails, setting: RenderContext, words: Words, now: int) -> list[str]:
    """Certified sentences in the reader's language, else code's own after the first, which says what the title says."""
    stored = found.details.report
    if stored is None:
        return []
    told = narrative(found.subject, stored.bundle, stored.analysis, setting, now)
    own = what_failed(found.subject, setting, now)
    plain = [one for one in told.plain[1:] if own not in one.text]
    said = [one.text for one in told.written[:_SENTENCES] or plain[-1:]]
    if told.cause is not None:
        said.append(words(f"likely_{told.cause.grade}", cause=pick(told.cause.text, words.language)))
        if step := pick(told.cause.step, words.language):
            said.append(words("first_step", step=step[:1].lower() + step[1:]))
    return said


def _notified(ledger: Sequence[Account], words: Words) -> tuple[str, int, int] | None:
    """Who was notified of its beginning, how many, and when the first was, epoch ms; None where nobody has been."""
    reached = {
        who_and_way(one.channel)[0]: at for one in reversed(ledger) if one.reason in OPENINGS and (at := one.delivered_at) is not None
    }
    if not reached:
        return None
    names = sorted(reached, key=lambda one: reached[one])
    return names_of(names, words), len(names), min(reached.values())


def names_of(names: Sequence[str], words: Words) -> str:
    """`Checkout`, `Checkout and Card payments`, `Checkout, Card payments and 10 more`."""
    clean = [shown(one) for one in names]
    if len(clean) <= 1:
        return "".join(clean)
    if len(clean) == _NAMES:
        return words("two", first=clean[0], second=clean[1])
    return words("names_more", names=", ".join(clean[:_NAMES]), count=len(clean) - _NAMES)
