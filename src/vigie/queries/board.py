"""Every watched monitor as it is now, from memory: what pages list, count and sort. Reading it costs no query.

What its history comes to (tape, availability, latency) is asked for by the row and remembered for a while.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vigie.core.detection import Severity
from vigie.core.model import Expiry
from vigie.core.subject import SubjectKind
from vigie.queries import MonitorState, MonitorView


class Span(StrEnum):
    """Over what a row looks back."""

    DAY = "24h"
    MONTH = "30d"
    QUARTER = "90d"

    @property
    def ms(self) -> int:
        """The span in ms."""
        return {Span.DAY: 1, Span.MONTH: 30, Span.QUARTER: 90}[self] * 86_400_000


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One monitor. `view.result` is the newest result without what rows do not show (certificates, headers).

    `since` is when it came into its state, epoch ms, None where that was before this start and nothing tells; `usual_ms` is what a good
    check takes as a rule. `order` sorts names as people count.
    """

    view: MonitorView
    state: MonitorState
    since: int | None
    usual_ms: float | None
    order: tuple[tuple[int, str], ...]

    @property
    def id(self) -> str:
        """The monitor's id."""
        return self.view.monitor.id

    @property
    def group(self) -> str:
        """Its first tag; empty without one."""
        return self.view.monitor.tags[0] if self.view.monitor.tags else ""


@dataclass(frozen=True, slots=True)
class Spell:
    """An hour or a day of a tape: `down` and `degraded` are minutes lost, `seen` whether anything was observed.

    `planned`: what was not observed was planned work.
    """

    down: float = 0.0
    degraded: float = 0.0
    seen: bool = True
    planned: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """What the history of a monitor comes to in a span, oldest first; a spell is None before it was watched.

    `ratio` is its availability, None where nothing was observed; `latencies` are of the last 24 hours, and so is `p95`, in ms.
    """

    spells: tuple[Spell | None, ...]
    ratio: float | None
    latencies: tuple[float | None, ...]
    p95: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """Of a past, what lists are sorted and groups are summed up by."""

    ratio: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is not over. `monitors` are those with an open incident in it, `monitor` is that of the incident that began it.

    `escalates_at` (epoch ms) is when `escalates_to` (people, rotations or channels) are notified, None where nobody else is.
    """

    id: str
    monitor: str
    monitors: tuple[str, ...]
    severity: Severity
    subject: SubjectKind
    acked_by: str | None
    snoozed_until: int | None
    escalates_at: int | None
    escalates_to: tuple[str, ...]


class Board(Protocol):
    """The monitors as they are."""

    @property
    def version(self) -> int:
        """Rises when a state, an alert or the configuration changes."""

    @property
    def open_alerts(self) -> int:
        """How many alerts are open."""

    def alerts(self) -> Sequence[OpenAlert]:
        """The open alerts, outages first, newest first."""

    def rows(self) -> Sequence[BoardRow]:
        """All of them."""

    def row(self, monitor: str) -> BoardRow | None:
        """One of them."""

    async def past(self, monitors: Sequence[str], span: Span) -> Mapping[str, Past]:
        """The history of these, at most 500; somewhat old where that is at hand. Raises StoreError."""

    def next_expiry(self) -> Expiry | None:
        """What runs out first, of what the newest checks saw; None where nothing is known to."""

    def known(self, span: Span) -> Mapping[str, Summary]:
        """What is at hand of every monitor, without asking; those never asked for are left out."""
