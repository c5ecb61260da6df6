"""The baselines of all monitors, one for each location: each result is judged before it becomes a decision.

What is usual far away is not usual here, so what one location learns says nothing of another. That of `local` has the name of the monitor
alone, as it had when there was no other.

They decide nothing by themselves, so they are written when a verdict changed, within half an hour after an hour was learnt, and at the
end: a crash costs at most the samples of that time. All of them learn at the turn of the hour, and must not be written all at once then.
"""

import logging
import math
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Protocol

from vigie.core.model import LOCAL, Cause, CheckResult, Monitor, Sensitivity
from vigie.learning.baseline import Baseline, accepted, calm, judge, with_samples

log = logging.getLogger("vigie.ingest")

_AT = "@"  # which is in no monitor's id
_SPREAD_MS, _FEW_LEARN = 1_800_000, 1_000  # what the hour taught is written within so long; of so few at once
_EVERY_MS, _LONGEST_MS = 1_000, 60_000  # between two times at which some are; more does not count
_FEW = 4  # addresses that must be slow at once before this machine is suspected


def baseline_key(monitor: str, location: str) -> str:
    """What a baseline is stored by."""
    return monitor if location == LOCAL else f"{monitor}{_AT}{location}"


class Sampled(Protocol):
    """Where samples of calm monitors wait in a cheaper form (steady.py)."""

    def sampled(self, monitor: str, location: str) -> tuple[int, bytes] | None:
        """(five minutes, codes) of a place, once."""

    def sampled_places(self) -> Iterable[tuple[str, str]]:
        """(monitor, location) of what waits."""


class Baselines:
    """Held in memory between two results."""

    def __init__(self) -> None:
        self._known: dict[str, Baseline] = {}
        self._unwritten: dict[str, None] = {}
        self._due: dict[str, None] = {}
        self._hourly: dict[str, None] = {}  # learnt an hour, the longest ago first
        self._given_at = 0
        self._slow: dict[str, _Slow] = {}  # by location: one machine or link each
        self.elsewhere: Sampled | None = None

    def _at(self, key: str) -> Baseline | None:
        """What is known by a key, with what was sampled elsewhere meanwhile."""
        known = self._known.get(key)
        if known is None or self.elsewhere is None:
            return known
        monitor, _, location = key.partition(_AT)
        if (more := self.elsewhere.sampled(monitor, location or LOCAL)) is not None:
            known = self._known[key] = with_samples(known, *more)
            self._unwritten[key] = None
        return known

    def load(self, known: dict[str, Baseline]) -> None:
        """Take in what was learnt before, by `baseline_key`."""
        self._known, self.elsewhere = dict(known), None

    def of(self, monitor: str, location: str = "") -> Baseline | None:
        """What was learnt of a monitor at a location; where none is asked for, at `local`, or else at the first by name."""
        if location:
            return self._at(baseline_key(monitor, location))
        begin = f"{monitor}{_AT}"
        return self._at(monitor) or next((self._at(key) for key in sorted(self._known) if key.startswith(begin)), None)

    def judge(self, monitor: Monitor, result: CheckResult) -> CheckResult:
        """The result in the light of what is usual; what it teaches is learnt."""
        if monitor.baseline is Sensitivity.OFF:
            return result
        key, slow = baseline_key(monitor.id, result.location), self._slow_at(result.location)
        slow.place(monitor.id, result.address or monitor.host)
        before = self._at(key) or Baseline()
        judged, after = judge(result, before, monitor.baseline)
        self._keep(key, before, after)
        if bool(after.score) is not bool(before.score):
            slow.note(monitor.id, slow=bool(after.score))
        return result if judged.cause is Cause.LATENCY_ANOMALY and slow.everywhere() else judged

    def _slow_at(self, location: str) -> "_Slow":
        found = self._slow.get(location)
        if found is None:
            found = self._slow[location] = _Slow()
        return found

    def calm(self, monitor: Monitor, location: str) -> tuple[int, float] | None:
        """As the baseline has it; five minutes -1 where nothing is learnt of the monitor, and so nothing can be slow."""
        if monitor.baseline is Sensitivity.OFF:
            return -1, math.inf
        return calm(self._at(baseline_key(monitor.id, location)) or Baseline())

    def learn(self, monitor: Monitor, result: CheckResult) -> tuple[Baseline, bool | None] | None:
        """Learn from a result that stays as it is: the baseline after it, and whether the monitor became slow or is so no more.

        The latter is for `note`. None where the result must be judged: nothing was learnt.
        """
        key = baseline_key(monitor.id, result.location)
        before = self._at(key) or Baseline()
        judged, after = judge(result, before, monitor.baseline)
        if judged is not result or _verdict(after) != _verdict(before):
            return None
        self._keep(key, before, after)
        return after, bool(after.score) if bool(after.score) is not bool(before.score) else None

    def note(self, monitor: str, location: str, *, slow: bool) -> None:
        """A monitor became slow, or is so no more."""
        self._slow_at(location).note(monitor, slow=slow)

    def _keep(self, key: str, before: Baseline, after: Baseline) -> None:
        if after is not before:
            self._known[key] = after
            self._unwritten[key] = None
            if _verdict(after) != _verdict(before):
                self._due[key] = None
            elif after.season is not before.season:
                self._hourly[key] = None

    def place(self, monitor: Monitor, result: CheckResult) -> None:
        """Where a check got to whose lengths are learnt by `learn`, or elsewhere."""
        if monitor.baseline is not Sensitivity.OFF:
            self._slow_at(result.location).place(monitor.id, result.address or monitor.host)

    def is_placed(self, monitor: Monitor, location: str) -> bool:
        """Whether it is known where a monitor's service is found, seen from a location, as far as that says anything."""
        return monitor.baseline is Sensitivity.OFF or self._slow_at(location).knows(monitor.id)

    def keep(self, monitors: set[str]) -> None:
        """Only these are watched: where the others are says nothing any more. What was learnt of them stays."""
        for one in self._slow.values():
            one.keep(monitors)

    def accept(self, monitor: Monitor) -> None:
        """A person closed the monitor's incident: what is unusual now is the new normal."""
        begin = f"{monitor.id}{_AT}"
        for key in [one for one in self._known if one == monitor.id or one.startswith(begin)]:
            known = self._at(key)
            if known is not None and (after := accepted(known, monitor.baseline)) is not known:
                self._known[key] = after
                self._unwritten[key] = self._due[key] = None
                log.info("%s: the unusual behaviour is accepted as the new normal", monitor.name)

    def due(self, now: int) -> tuple[tuple[str, Baseline], ...]:
        """What should be written at `now`, epoch ms; it is not handed out again before it changes."""
        if len(self._known) <= _FEW_LEARN:
            self._due.update(self._hourly)
        elif self._hourly and not 0 <= now - self._given_at < _EVERY_MS:
            passed, self._given_at = min(max(now - self._given_at, 0), _LONGEST_MS), now
            turn = islice(self._hourly, max(-(-len(self._known) * passed // _SPREAD_MS), 1))
            self._due.update(dict.fromkeys(turn))
        return self._taken(self._due) if self._due else ()

    def unwritten(self) -> tuple[tuple[str, Baseline], ...]:
        """Everything that changed since it was written."""
        for monitor, location in () if self.elsewhere is None else self.elsewhere.sampled_places():
            self._at(baseline_key(monitor, location))
        return self._taken(self._unwritten)

    def _taken(self, wanted: dict[str, None]) -> tuple[tuple[str, Baseline], ...]:
        taken = tuple([(key, known) for key in list(wanted) if (known := self._at(key)) is not None])
        for monitor, _ in taken:
            self._unwritten.pop(monitor, None)
            self._due.pop(monitor, None)
            self._hourly.pop(monitor, None)
        return taken


class _Slow:
    """Who is slow just now. When most of several addresses are, it is this machine or its link, and no service is marked slow."""

    def __init__(self) -> None:
        self._places: dict[str, str] = {}
        self._slow: dict[str, str] = {}
        self._all, self._now = Counter[str](), Counter[str]()
        self._said = False

    def place(self, monitor: str, place: str) -> None:
        """Where a monitor's service was found."""
        known = self._places.get(monitor)
        if known != place:
            self._all[place] += 1
            self._places[monitor] = place
            _less(self._all, known)

    def knows(self, monitor: str) -> bool:
        """Whether `place` was called for it."""
        return monitor in self._places

    def note(self, monitor: str, *, slow: bool) -> None:
        """A monitor became slow, or is so no more."""
        _less(self._now, self._slow.pop(monitor, None))
        if slow:
            place = self._slow[monitor] = self._places[monitor]
            self._now[place] += 1

    def keep(self, monitors: set[str]) -> None:
        """Forget the others."""
        for gone in self._places.keys() - monitors:
            self.note(gone, slow=False)
            _less(self._all, self._places.pop(gone))

    def everywhere(self) -> bool:
        """Whether most addresses are slow."""
        slow = len(self._now)
        found = slow >= _FEW and 2 * slow > len(self._all)
        if found and not self._said:
            log.warning(
                "%d addresses are slower than usual at once: this machine or its link is the likely cause, no service is marked degraded",
                slow,
            )
        self._said = found
        return found


def _less(counts: Counter[str], place: str | None) -> None:
    if place is not None:
        counts[place] -= 1
        if not counts[place]:
            del counts[place]


def _verdict(known: Baseline) -> tuple[bool, bool]:
    return known.told, known.strange is None
