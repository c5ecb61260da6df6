"""The views of one subject, one for each location that probes it, become one verdict.

Laws
1. A result is identified by (location, run, sequence). One that is not newer than its location's view changes nothing, so replays,
   duplicates and late results are harmless; no location's numbers say anything about another's.
2. A location votes while its newest result is at most `stale_ms` older than the newest of all and is not `unknown`: a silent or blind
   location says neither up nor down.
3. The verdict is `down` where a quorum of the votes is `down`, `degraded` where a quorum is at least that bad; without a vote it is
   `unknown`. The quorum is `DetectionPolicy.quorum`, by default a majority. It is at most all votes: an outage that everybody who can
   judge sees is one, however many cannot.
4. Where some votes are `down`, and fewer than the quorum, the verdict is what `DetectionPolicy.partial_outage` says, and never better
   than what law 3 finds; else it is `up`.
5. Verdicts come in rounds: one at once when the verdict changes, then one each time that a location which bears it out is heard again.
   So `confirm` counts rounds of checks, however many locations take part; who sees otherwise, cannot judge or brings old news adds none.
6. Of one location every result is a verdict, whatever the quorum and `partial_outage`.
7. What several agree on began when the last one saw it that their agreement takes, not when the first one did, nor when a late result of
   one of them was heard.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from vigie.core.detection import DetectionPolicy, PartialOutage
from vigie.core.model import Cause, Status


@dataclass(frozen=True, slots=True)
class View:
    """The newest result of one location. `counted`: it was heard in this round already. `at` is epoch ms.

    `since` is when it began to see the service well, in trouble, or not at all; 0 as long as it is the only one.
    """

    location: str
    run: int
    sequence: int
    at: int
    status: Status
    cause: Cause | None = None
    counted: bool = True
    since: int = 0


Views = tuple[View, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the locations agree on, and since when as many of them have as it takes, epoch ms; 0 where one judges alone."""

    status: Status
    cause: Cause | None = None
    since: int = field(default=0, compare=False)


_BEARS_OUT = {
    Status.DOWN: (Status.DOWN,),
    Status.DEGRADED: (Status.DOWN, Status.DEGRADED),
    Status.UP: (Status.UP,),
    Status.UNKNOWN: tuple(Status),
}


def is_new(views: Views, seen: View) -> bool:
    """Law 1. Nobody counts a result whose run and sequence are both 0: it is always new."""
    known = next(((one.run, one.sequence) for one in views if one.location == seen.location), (0, 0))
    return not (seen.run or seen.sequence) or (seen.run, seen.sequence) > known


def merge(views: Views, seen: View, last: Status | None, policy: DetectionPolicy) -> tuple[Views, Verdict | None]:
    """The views with a new result, and the verdict that it leads to; None while its round goes on. `last` is the verdict so far."""
    if not views or (len(views) == 1 and views[0].location == seen.location):
        return (_advanced(views, seen),), Verdict(seen.status, seen.cause)
    known = next((one for one in views if one.location == seen.location), None)
    fresh = replace(_advanced((known,) if known else (), seen), since=_since(known, seen))
    merged = (*(one for one in views if one is not known), fresh)
    verdict = judge(merged, policy)
    newest = max(one.at for one in merged)
    again = known is not None and known.counted and seen.status in _BEARS_OUT[verdict.status] and newest - seen.at <= policy.stale_ms
    if verdict.status is last and not again:
        return merged, None
    return tuple(replace(one, counted=one.location == seen.location) for one in merged), verdict


def are_settled(views: Views) -> bool:
    """Whether every location says `up` and nothing else: one more such result of any of them keeps the verdict."""
    return bool(views) and all(one.status is Status.UP and one.cause is None for one in views)


def _advanced(known: Iterable[View], seen: View) -> View:
    """The new view of a location; its numbers never go back, also where a result that nobody counts lies between."""
    run, sequence = max([(one.run, one.sequence) for one in known] + [(seen.run, seen.sequence)])
    return seen if (run, sequence) == (seen.run, seen.sequence) else replace(seen, run=run, sequence=sequence)


def _since(known: View | None, seen: View) -> int:
    """Since when a location sees what it sees."""
    same = known is not None and _outlook(known.status) == _outlook(seen.status)
    return known.since or known.at if known is not None and same else seen.at


def _outlook(status: Status) -> bool | None:
    return None if status is Status.UNKNOWN else status is Status.UP


def judge(views: Views, policy: DetectionPolicy) -> Verdict:
    """Laws 2, 3, 4 and 7."""
    newest = max(one.at for one in views)
    votes = [one for one in views if one.status is not Status.UNKNOWN and newest - one.at <= policy.stale_ms]
    if not votes:
        return Verdict(Status.UNKNOWN, max(views, key=lambda one: one.at).cause)
    needed = max(min(policy.quorum or len(votes) // 2 + 1, len(votes)), 1)
    down = [one for one in votes if one.status is Status.DOWN]
    degraded = [one for one in votes if one.status is Status.DEGRADED]
    enough = 1 if policy.partial_outage is PartialOutage.DOWN else needed
    if len(down) >= enough:
        return Verdict(Status.DOWN, _most_common(down), _begun(down, enough))
    if len(down) + len(degraded) >= needed:
        return Verdict(Status.DEGRADED, _most_common(degraded or down), _begun([*down, *degraded], needed))
    over = _begun([one for one in votes if one.status is Status.UP], len(votes) - needed + 1)
    if down and policy.partial_outage is PartialOutage.DEGRADED:
        return Verdict(Status.DEGRADED, _most_common(down), over)
    return Verdict(Status.UP, since=over)


def _begun(alike: list[View], enough: int) -> int:
    """Law 7: when the one began to see it that made them enough."""
    return sorted(one.since or one.at for one in alike)[min(enough, len(alike)) - 1] if alike else 0


def _most_common(views: list[View]) -> Cause | None:
    """The cause that most of them saw; of equally frequent ones that of the first location by name."""
    counts = Counter(one.cause for one in views)
    return min(views, key=lambda one: (-counts[one.cause], one.location)).cause
