"""The views of one subject, one for each location that probes it, become one verdict.

Laws
1. A result is identified by (location, run, sequence). One that is not newer than its location's view changes nothing, so replays,
   duplicates and late results are harmless; no location's numbers say anything about another's.
2. A location votes while its newest result is at most `stale_ms` older than the newest of all and is not `unknown`: a silent or blind
   location says neither up nor down. Where results come late, watermark.py says which views speak about the instant that is judged.
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

    `since` is when it began to see the service well, in trouble, or not at all, `unbroken` since when it was heard without a pause; both
    are 0 as long as it is the only one. `unresponsive`: it was awaited in vain since (watermark.py). `remembered`: it is what a start found
    on record, and the location was not heard since.
    """

    location: str
    run: int
    sequence: int
    at: int
    status: Status
    cause: Cause | None = None
    counted: bool = True
    since: int = 0
    unbroken: int = 0
    unresponsive: bool = False
    remembered: bool = False


Views = tuple[View, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the locations agree on, and since when as many of them have as it takes, epoch ms; None where one judges alone."""

    status: Status
    cause: Cause | None = None
    since: int | None = field(default=None, compare=False)


_BEARS_OUT = {
    Status.DOWN: (Status.DOWN,),
    Status.DEGRADED: (Status.DOWN, Status.DEGRADED),
    Status.UP: (Status.UP,),
    Status.UNKNOWN: tuple(Status),
}


def bears_out(status: Status, verdict: Status) -> bool:
    """Whether a location that says this agrees with a verdict."""
    return status in _BEARS_OUT[verdict]


def is_new(views: Views, seen: View) -> bool:
    """Law 1. Nobody counts a result whose run and sequence are both 0: it is always new."""
    known = next(((one.run, one.sequence) for one in views if one.location == seen.location), (0, 0))
    return not (seen.run or seen.sequence) or (seen.run, seen.sequence) > known


def merge(
    views: Views, seen: View, last: Status | None, policy: DetectionPolicy, mute: frozenset[str] | None = None
) -> tuple[Views, Verdict | None]:
    """The views with a new result, and the verdict that it leads to; None while its round goes on. `last` is the verdict so far.

    `mute` as for `judge`.
    """
    if not views or (len(views) == 1 and views[0].location == seen.location):
        return (_advanced(views, seen),), Verdict(seen.status, seen.cause)
    merged = heard(views, seen, policy)
    known = next((one for one in views if one.location == seen.location), None)
    verdict = judge(merged, policy, mute)
    old = mute is None and max(one.at for one in merged) - seen.at > policy.stale_ms
    again = known is not None and known.counted and bears_out(seen.status, verdict.status) and not old
    if verdict.status is last and not again:
        return merged, None
    return tuple(replace(one, counted=one.location == seen.location) for one in merged), verdict


def heard(views: Views, seen: View, policy: DetectionPolicy) -> Views:
    """The views of several locations with a new result, whatever it leads to."""
    known = next((one for one in views if one.location == seen.location), None)
    fresh = replace(_advanced((known,) if known else (), seen), since=_since(known, seen), unbroken=_unbroken(known, seen, policy))
    return (*(one for one in views if one is not known), fresh)


def longest_pause_ms(policy: DetectionPolicy) -> int:
    """After a longer one a location has not been looking all the time."""
    return policy.gap_ms or policy.stale_ms


def are_settled(views: Views) -> bool:
    """Whether every location says `up` and nothing else: one more such result of any of them keeps the verdict."""
    return bool(views) and all(one.status is Status.UP and one.cause is None for one in views)


def _advanced(known: Iterable[View], seen: View) -> View:
    """The new view of a location; its numbers never go back, also where a result that nobody counts lies between."""
    run, sequence = max([(one.run, one.sequence) for one in known] + [(seen.run, seen.sequence)])
    return seen if (run, sequence) == (seen.run, seen.sequence) else replace(seen, run=run, sequence=sequence)


def _since(known: View | None, seen: View) -> int:
    """Since when a location sees what it sees; where its clock was set back, since then."""
    same = known is not None and outlook(known.status) == outlook(seen.status)
    return min(known.since or known.at, seen.at) if known is not None and same else seen.at


def _unbroken(known: View | None, seen: View, policy: DetectionPolicy) -> int:
    """Since when a location was heard without a pause. `seen.unbroken` is the first of several results that `seen` is the last of."""
    first = seen.unbroken or seen.at
    return min(known.unbroken, first) if known is not None and first - known.at <= longest_pause_ms(policy) else first


def outlook(status: Status) -> bool | None:
    """Whether a status says that a service is well; None where it says nothing."""
    return None if status is Status.UNKNOWN else status is Status.UP


def judge(views: Views, policy: DetectionPolicy, mute: frozenset[str] | None = None) -> Verdict:
    """Laws 2, 3, 4 and 7. `mute`: the locations that are silent by watermark.py, instead of by law 2."""
    newest = max(one.at for one in views)
    mute = frozenset(one.location for one in views if newest - one.at > policy.stale_ms) if mute is None else mute
    votes = [one for one in views if one.status is not Status.UNKNOWN and one.location not in mute]
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


def _begun(alike: list[View], enough: int) -> int | None:
    """Law 7: when the one began to see it that made them enough."""
    return sorted(one.since or one.at for one in alike)[min(enough, len(alike)) - 1] if alike else None


def _most_common(views: list[View]) -> Cause | None:
    """The cause that most of them saw; of equally frequent ones that of the first location by name."""
    counts = Counter(one.cause for one in views)
    return min(views, key=lambda one: (-counts[one.cause], one.location)).cause
