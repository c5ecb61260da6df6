"""What the checks of one monitor come to in an hour or a day."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from vigie.core.model import Status
from vigie.observation import sketch
from vigie.observation.sketch import Sketch

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
NO_LATENCY = 0xFFFFFF  # a total that was not measured
# A status is stored by its position.
UP, DEGRADED, DOWN, UNKNOWN = (tuple(Status).index(one) for one in (Status.UP, Status.DEGRADED, Status.DOWN, Status.UNKNOWN))
_PARTS = (0.5, 0.95, 0.99)
Span = tuple[int, int]


class Resolution(StrEnum):
    """How long the span of a roll-up is."""

    HOUR = "hour"
    DAY = "day"  # of UTC

    @property
    def ms(self) -> int:
        """The span in ms."""
        return HOUR_MS if self is Resolution.HOUR else DAY_MS


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is kept, in ms: single results with all phases, with their status and total alone, and hourly roll-ups.

    Daily roll-ups are kept for ever.
    """

    raw_ms: int = 30 * DAY_MS
    totals_ms: int = 400 * DAY_MS
    hourly_ms: int = 90 * DAY_MS


@dataclass(frozen=True, slots=True)
class Rollup:
    """The checks of [start, start + span). `count` are those that say something of the service: `up`, `degraded`, and the rest down.

    `excluded` are the others: unknown, or in maintenance. Latencies in ms of the good checks (up or degraded), None where none was good.
    """

    start: int
    count: int
    up: int
    degraded: int
    excluded: int = 0
    sum_ms: float = 0.0
    min_ms: float | None = None
    max_ms: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None

    @property
    def down(self) -> int:
        """How many checks found it down."""
        return self.count - self.up - self.degraded


@dataclass(frozen=True, slots=True)
class Tally:
    """A roll-up in the making, which can be merged with others. Latencies in tenths of a millisecond, of the good checks."""

    count: int = 0
    up: int = 0
    degraded: int = 0
    excluded: int = 0
    sum: int = 0
    least: int | None = None
    most: int | None = None
    sketch: Sketch = field(default_factory=dict)

    def percentiles(self) -> tuple[int | None, int | None, int | None]:
        """p50, p95 and p99 in tenths of a millisecond: within 1 % of the exact ones, and never outside of what was measured."""
        if self.least is None or self.most is None:
            return None, None, None
        p50, p95, p99 = (min(max(round(one or 0), self.least), self.most) for one in sketch.quantiles(self.sketch, _PARTS))
        return p50, p95, p99

    def rollup(self, start: int) -> Rollup:
        """As it is read."""
        return rollup_of(start, (self.count, self.up, self.degraded, self.excluded, self.sum, self.least, self.most, *self.percentiles()))


def rollup_of(start: int, figures: Sequence[int | None]) -> Rollup:
    """A roll-up of its stored figures: four counts, then sum, least, most, p50, p95 and p99 in tenths of a millisecond."""
    count, up, degraded, excluded, total, least, most, p50, p95, p99 = figures
    if least is None or most is None or p50 is None or p95 is None or p99 is None:
        return Rollup(start, count or 0, up or 0, degraded or 0, excluded or 0)
    return Rollup(
        start, count or 0, up or 0, degraded or 0, excluded or 0, (total or 0) / 10, least / 10, most / 10, p50 / 10, p95 / 10, p99 / 10
    )


def tally_of(instants: Sequence[int], statuses: Sequence[int], totals: Sequence[int], excluded: Sequence[Span] = ()) -> Tally:
    """What checks come to: their instants (epoch ms), statuses by position and totals (tenths of a ms, or NO_LATENCY).

    Checks within the `excluded` spans (merged, in order) say nothing of the service, as little as those that are unknown.
    """
    left_out = 0
    if excluded and instants and any(start < instants[-1] + 1 and end > instants[0] for start, end in excluded):
        kept = [place for place, at in enumerate(instants) if not any(start <= at < end for start, end in excluded)]
        left_out = len(instants) - len(kept)
        statuses, totals = [statuses[place] for place in kept], [totals[place] for place in kept]
    up, degraded, unknown = (list(statuses).count(code) for code in (UP, DEGRADED, UNKNOWN))
    if up == len(statuses):
        good = [one for one in totals if one != NO_LATENCY]
    else:
        good = [one for one, code in zip(totals, statuses, strict=True) if code in (UP, DEGRADED) and one != NO_LATENCY]
    count = len(statuses) - unknown
    if not good:
        return Tally(count, up, degraded, unknown + left_out)
    return Tally(count, up, degraded, unknown + left_out, sum(good), min(good), max(good), sketch.sketch_of(good))


def merged(tallies: Iterable[Tally]) -> Tally:
    """Several as one: as if all checks had been counted at once."""
    several = list(tallies)
    if len(several) == 1:
        return several[0]
    return Tally(
        sum(one.count for one in several),
        sum(one.up for one in several),
        sum(one.degraded for one in several),
        sum(one.excluded for one in several),
        sum(one.sum for one in several),
        min((one.least for one in several if one.least is not None), default=None),
        max((one.most for one in several if one.most is not None), default=None),
        sketch.merged(one.sketch for one in several),
    )


def split(instants: Sequence[int], span_ms: int) -> Iterator[tuple[int, int, int]]:
    """Sorted instants in spans of a length: (number of the span since the epoch, first place, place after the last)."""
    first = 0
    while first < len(instants):
        number = instants[first] // span_ms
        last = bisect_left(instants, (number + 1) * span_ms, first)
        yield number, first, last
        first = last
