"""How well a policy tells outages from blips, over a history that it was given.

Laws
1. Trouble is a run of verdicts that are `down`, from the first of them to the first good one after it; what is `unknown` neither begins nor
   ends it. Trouble shorter than `blip_ms` is a blip, other trouble an outage.
2. A notice is false when the trouble of the incident that it announced was over for good within `blip_ms` of the first failed check.
3. An outage is missed when it ended, or the history did, without an incident open.
4. An outage is notified of when the first notice of its incident was sent, counted from its own first failed check.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vigie.core.detection import Severity
from vigie.core.events import Closed, Decision, Opened, Recovered
from vigie.core.incident import DetectionState, Phase
from vigie.core.model import Status

_MIDDLE = 2
_SLACK_MS = 60_000


@dataclass(frozen=True, slots=True)
class Spell:
    """Trouble of a monitor that began at `start` and lasted `lasted_ms`; `notified_ms` after its beginning somebody was notified."""

    monitor: str
    start: int
    lasted_ms: int
    notified_ms: int | None = None


@dataclass(slots=True)
class _Open:
    monitor: str
    start: int
    notified_at: int | None = None


@dataclass(slots=True)
class Assessment:
    """Grows with what is decided. `outages`, `blips`: how many; `false` and `missed`, and the outages that were notified of, one by one."""

    blip_ms: int
    outages: int = 0
    blips: int = 0
    openings: int = 0
    false: list[Spell] = field(default_factory=list)
    missed: list[Spell] = field(default_factory=list)
    notified: list[Spell] = field(default_factory=list)
    _began: dict[str, int] = field(default_factory=dict)
    _open: dict[str, _Open] = field(default_factory=dict)

    @property
    def delays_ms(self) -> list[int]:
        """How long after their beginning outages were notified of, ascending."""
        return sorted(one.notified_ms for one in self.notified if one.notified_ms is not None)

    @property
    def median_ms(self) -> int | None:
        """The middle one."""
        found = self.delays_ms
        return found[len(found) // _MIDDLE] if found else None

    @property
    def longest_ms(self) -> int | None:
        """The longest one."""
        return max(self.delays_ms, default=None)

    def take(self, before: DetectionState, after: DetectionState, decisions: Iterable[Decision], at: int) -> None:
        """What one verdict, command or wake-up did to a monitor."""
        monitor = after.monitor
        if after is not before and after.at == at:
            if after.status is Status.DOWN:
                self._began.setdefault(monitor, at)
            elif after.status is not Status.UNKNOWN and monitor in self._began:
                self._over(monitor, before, at)
        for one in decisions:
            if isinstance(one, Opened) and one.severity is Severity.OUTAGE:
                self._open[one.incident] = _Open(monitor, one.started_at)
            elif isinstance(one, Recovered | Closed) and one.incident in self._open:
                self._close(self._open.pop(one.incident), before, at)

    def announced(self, incident: str, at: int) -> None:
        """The first notice about an incident."""
        known = self._open.get(incident)
        if known is not None and known.notified_at is None:
            known.notified_at = at
            self.openings += 1

    def end(self, states: Iterable[DetectionState], at: int) -> None:
        """The history ends: trouble that goes on counts as far as it is known."""
        for state in states:
            if state.monitor in self._began:
                self._over(state.monitor, state, at)

    def _over(self, monitor: str, before: DetectionState, at: int) -> None:
        start = self._began.pop(monitor)
        if at - start < self.blip_ms:
            self.blips += 1
            return
        self.outages += 1
        known = self._open.get(before.outage.incident) if before.outage.is_open else None
        if known is None:
            self.missed.append(Spell(monitor, start, at - start))
        elif known.notified_at is not None and known.start >= start:
            self.notified.append(Spell(monitor, start, at - start, known.notified_at - start))

    def _close(self, known: _Open, before: DetectionState, at: int) -> None:
        over = before.outage.turned if before.outage.phase is Phase.RECOVERING else at
        if known.notified_at is not None and over - known.start < self.blip_ms:
            self.false.append(Spell(known.monitor, known.start, over - known.start, known.notified_at - known.start))

    def of(self, monitor: str) -> "Assessment":
        """The part about one monitor, as far as it is kept one by one."""
        parts = ([one for one in known if one.monitor == monitor] for known in (self.false, self.missed, self.notified))
        false, missed, notified = parts
        return Assessment(self.blip_ms, false=false, missed=missed, notified=notified)


def smallest(found: Mapping[int, Assessment], today: Assessment) -> int | None:
    """The smallest `confirm` with which no notice would have been false.

    No more outages are missed then than today, and the last one to be notified of is so at most a minute later than today.
    """
    allowed = (today.longest_ms or 0) + _SLACK_MS
    fit = [
        confirm
        for confirm, one in found.items()
        if not one.false and len(one.missed) <= len(today.missed) and (one.longest_ms or 0) <= allowed
    ]
    return min(fit, default=None)
