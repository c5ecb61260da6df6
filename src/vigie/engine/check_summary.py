"""One line a minute about all checks, in place of a line for each good one."""

import logging
from collections import Counter
from collections.abc import Callable

from vigie.core.model import Monitor, Status
from vigie.engine.steady import Plain
from vigie.engine.transition import Transition
from vigie.ports import Clock
from vigie.text import plural
from vigie.text.terms import NOUNS

log = logging.getLogger("vigie.checks")

_EVERY_SECONDS = 60.0
_NAMED = 5
_ORDER = (Status.DOWN, Status.DEGRADED, Status.UNKNOWN)


class CheckSummary:
    """Counts the checks and remembers the newest status of each monitor. `late` tells the p99 of their lateness, ms, or None."""

    def __init__(self, clock: Clock, watched: Callable[[], list[Monitor]], late: Callable[[], int | None]) -> None:
        self._clock, self._watched, self._late = clock, watched, late
        self._checks = 0
        self._newest: dict[str, Status] = {}

    async def on_transition(self, transition: Transition) -> None:
        """A result was taken in."""
        if transition.result is not None:
            self._checks += 1
            several = len(transition.after.views) > 1  # then the verdict counts, not what one location saw last
            self._newest[transition.monitor.id] = (several and transition.after.status) or transition.result.status

    @property
    def each(self) -> bool:
        """Counting is enough."""
        return False

    async def on_plain(self, plain: Plain) -> None:
        """Results of monitors that were up and are were taken in."""
        self._checks += plain.count

    async def run(self) -> None:
        """A line a minute, for ever."""
        while True:
            await self._clock.sleep(_EVERY_SECONDS)
            log.info("%s", self.line())

    def line(self) -> str:
        """What happened since the last line: how many checks, and which monitors are not up now."""
        watched = self._watched()
        self._newest = {one.id: self._newest[one.id] for one in watched if one.id in self._newest}
        counts = Counter(self._newest.values())
        checks, self._checks = self._checks, 0
        parts = [f"{_counted(checks, 'check')} in the last minute", f"{counts[Status.UP]} of {_counted(len(watched), 'monitor')} up"]
        parts += [f"{counts[status]} {status} ({self._named(watched, status)})" for status in _ORDER if counts[status]]
        late = self._late()
        return "; ".join([*parts, *([] if late is None else [f"started up to {late} ms late (p99)"])])

    def _named(self, watched: list[Monitor], status: Status) -> str:
        names = [one.name for one in watched if self._newest.get(one.id) is status]
        return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _counted(number: int, noun: str) -> str:
    """With plain digits, which are easy to find in a log."""
    return f"{number} {plural(NOUNS[noun], number, 'en')}"
