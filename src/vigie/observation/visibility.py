"""THE state machine of Vigie's own sight: when nothing could be seen, from when to when, and whether that is told.

Laws
1. Blind is who could not look for a reason that concerns every service: no way out, no resolver, a machine that stood still, or no
   results at all (a crash, a suspended machine). It begins with the first check that could not be judged.
2. One span at a time. It ends with the first check that needs the same way out and sees; over a restart too.
3. It is told once, at its end, if it lasted `announce_after_ms`; while it lasts longer than that, an incident of Vigie itself is open.
   A step of the clock makes it no longer.
4. A stop that was asked for is a span that is not told: nobody needs to hear what he did himself.
5. Where several locations check, each has its own sight, and a span names the location; one without a name is of all of them.
6. No span has a negative length, whatever the clock does; a check that began shortly before a span does not end it.
"""

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vigie.core.model import Cause
from vigie.core.subject import VIGIE_ID

_LATE_MS = 330_000  # longer than any check takes: what is earlier is not a late result: the clock stepped back
_ONE_CYCLE_MS = 45_000  # results of one cycle, with its quick re-checks, are no further apart
_FEW, _TIMES, _SHORTEST_PAUSE_MS, _RAREST_MS = 3, 3, 1_800_000, 90_000_000


@dataclass(frozen=True, slots=True)
class Blind:
    """A span, epoch ms; `until` None while it lasts. `monitor` and `location` are empty for all of them; `quiet` ones were asked for."""

    number: int
    start: int
    cause: Cause
    until: int | None = None
    monitor: str = ""
    quiet: bool = False
    location: str = ""

    @property
    def incident(self) -> str:
        """The incident of Vigie itself that the span is, if it lasts long enough."""
        return f"{VIGIE_ID}-{self.number}"


@dataclass(frozen=True, slots=True)
class Seen:
    """A check saw its service (in whatever state). `lasted_ms`: how long Vigie was blind, by a clock that never steps; None: unknown."""

    at: int
    lasted_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Unseen:
    """A check could not be judged, for a reason that concerns all. `lasted_ms` as above."""

    at: int
    cause: Cause
    lasted_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing was heard between `since` and `at`, far longer than results are ever apart. `lasted_ms` as above."""

    at: int
    since: int
    lasted_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """Vigie ends because it was asked to."""

    at: int


Event = Seen | Unseen | Silent | Stopped


@dataclass(frozen=True, slots=True)
class Visibility:
    """What must be remembered: the number of the newest span, and that span while it lasts. `opened`: its incident is open.

    `location` is whose sight it is; empty for all of them.
    """

    number: int = 0
    span: Blind | None = None
    opened: bool = False
    location: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """A span began."""

    span: Blind


@dataclass(frozen=True, slots=True)
class Lasting:
    """A span has lasted so long that it is an incident."""

    span: Blind
    at: int


@dataclass(frozen=True, slots=True)
class Regained:
    """A span is over. `announced`: the people in charge are notified."""

    span: Blind
    announced: bool


Decision = Lost | Lasting | Regained


def step(sight: Visibility, event: Event, announce_after_ms: int) -> tuple[Visibility, tuple[Decision, ...]]:
    """What an event makes of the sight, and what was decided. Total: every event is accepted in every state."""
    span = sight.span
    match event:
        case Seen() if span is not None and not span.start - _LATE_MS < event.at < span.start:
            return _ended(sight, span, event, announce_after_ms)
        case Unseen() if span is None:
            return _begun(sight, event.at, event.cause)
        case Unseen() if span is not None and span.quiet:  # it was started again, and cannot see
            after, first = _ended(sight, span, event, announce_after_ms)
            after, then = _begun(after, event.at, event.cause)
            return after, (*first, *then)
        case Unseen() if span is not None and not sight.opened and _length(span, event) >= announce_after_ms:
            return replace(sight, opened=True), (Lasting(span, event.at),)
        case Silent() if span is None:
            span = Blind(sight.number + 1, event.since, Cause.PROBE_ERROR, location=sight.location)
            return _ended(replace(sight, number=span.number), span, event, announce_after_ms)
        case Stopped() if span is None:
            return _begun(sight, event.at, Cause.PROBE_ERROR, quiet=True)
        case _:
            return sight, ()


def longest_pause(taken: Sequence[int]) -> int:
    """How far apart, ms, single cycles may be before the time between them counts as not observed.

    `taken` are the instants of the last results, epoch ms, newest first. Three times the usual distance, at least half an hour; a day
    and an hour where little is known, since a cycle a day is the rarest that people set up.
    """
    apart = [gap for newer, older in itertools.pairwise(taken) if (gap := newer - older) > _ONE_CYCLE_MS]
    return _RAREST_MS if len(apart) < _FEW else max(_TIMES * round(statistics.median(apart)), _SHORTEST_PAUSE_MS)


def _begun(sight: Visibility, at: int, cause: Cause, *, quiet: bool = False) -> tuple[Visibility, tuple[Decision, ...]]:
    span = Blind(sight.number + 1, at, cause, quiet=quiet, location=sight.location)
    return Visibility(span.number, span, location=sight.location), (Lost(span),)


def _ended(
    sight: Visibility, span: Blind, event: Seen | Unseen | Silent, announce_after_ms: int
) -> tuple[Visibility, tuple[Decision, ...]]:
    over = replace(span, until=max(event.at, span.start))
    announced = not span.quiet and (sight.opened or _length(span, event) >= announce_after_ms)
    return Visibility(sight.number, location=sight.location), (Regained(over, announced),)


def _length(span: Blind, event: Seen | Unseen | Silent) -> int:
    """How long it lasted: a clock that stepped forward is not blindness."""
    return event.at - span.start if event.lasted_ms is None else event.lasted_ms
