"""In which order the results of several locations are judged, and how long one waits until the others were heard.

A location that was cut off, or a server that was away, brings results long after they were measured. Judged as they come, they would
meet what others said before the trouble began.

Laws
1. Results of a subject are judged in the order of their instants, those of one location in the order of their numbers.
2. A location *speaks* about an instant if it was heard then or later; in time, if it was heard within one quick interval before. A result
   waits for every location that does not speak about its instant yet, may still come, and, in time, could make another verdict of it.
3. In time, one that was silent for `stale_ms` comes no more, and what only repeats what its location said last waits for nobody. A result
   that is heard more than `delay_ms` after its instant is late: it waits for whoever was heard within a day before, but only for
   `PATIENCE_MS` from when it was heard. So a location that is dead delays nothing by more than `stale_ms`.
4. Judged is what locations say about that instant: who says something else since then, was not looking (nothing for `gap_ms`), or did not
   come in time has no vote. What comes after the others were judged without it changes no verdict: it is history.
5. `up` where all have been saying `up` decides nothing in any order, and never waits.
6. No more than `MOST` wait for a subject; the oldest are judged then.
7. In time, as soon as it makes no difference any more, for a verdict other than the last one, what the missing ones say, they are not
   waited for.

Nothing of this concerns a subject with one location, or a policy without `delay_ms`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from vigie.core import quorum
from vigie.core.detection import DetectionPolicy
from vigie.core.events import Observed
from vigie.core.model import Status
from vigie.core.quorum import View, Views

PATIENCE_MS = 60_000
MOST = 1_000
_SLACK_MS = 2_000  # a check that is due now may take so long to be heard
_DAY_MS = 86_400_000

Held = tuple[Observed, ...]


def concerns(views: Views, held: Held, event: Observed, policy: DetectionPolicy) -> bool:
    """Whether there is an order to be kept."""
    if not (policy.delay_ms and event.heard):
        return False
    return bool(held) or any(one.location != event.location for one in views)


@dataclass(frozen=True, slots=True)
class Turn:
    """Which of what waits is judged now, after those before it were heard, and who says nothing about its instant."""

    index: int
    mute: frozenset[str]


def queued(held: Held, event: Observed) -> tuple[int, Held]:
    """Law 1: what waits, with one more result, and which of them that is."""
    place = max((index + 1 for index, one in enumerate(held) if one.location == event.location or one.at <= event.at), default=0)
    return place, (*held[:place], event, *held[place:])


def next_turn(views: Views, held: Held, place: int, now: int, policy: DetectionPolicy, last: Status | None, *, quick: bool) -> Turn | None:
    """Laws 2 and 7; None while all have to wait, at `now`, epoch ms. `place`: the one that came now. `last`: the verdict so far.

    `quick`: whether everybody checks at the quick pace.
    """
    if (mute := due(views, held, now, policy, quick=quick)) is not None:
        return Turn(0, mute)
    if not place or any(_is_late(one, policy) for one in held[: place + 1]):
        return None
    for one in held[:place]:
        seen = View(one.location, one.run, one.sequence, one.at, one.status, one.cause, unbroken=one.first)
        views = quorum.heard(views, seen, policy)
    if (mute := due(views, held[place:], now, policy, quick=True)) is None:
        return None
    return Turn(place, mute) if _judged(views, held[place], policy, mute) is not last else None


def _judged(views: Views, first: Observed, policy: DetectionPolicy, mute: frozenset[str]) -> Status:
    own = View(first.location, first.run, first.sequence, first.at, first.status, first.cause)
    return quorum.judge((*(one for one in views if one.location != first.location), own), policy, mute).status


def due(views: Views, held: Held, now: int, policy: DetectionPolicy, *, quick: bool) -> frozenset[str] | None:
    """None while the first of what waits has to wait, at `now`, epoch ms; else the locations that say nothing about its instant.

    `quick`: whether everybody checks at the quick pace.
    """
    first, coming = held[0], dict[str, int]()
    for one in held:
        coming.setdefault(one.location, one.at)
    late, others = _is_late(first, policy), [one for one in views if one.location != first.location]
    mute = frozenset(one.location for one in others if not _speaks(one, first, coming.get(one.location), policy))
    own = next((one for one in views if one.location == first.location), None)
    if not (late or quick) and own is not None and own.status is first.status:
        return mute
    from_ = first.at - (0 if late else _reach(policy))
    missing = [one for one in others if one.location not in coming and one.at < from_]
    awaited = frozenset(one.location for one in missing if _may_come(one, first, now, policy)) if len(held) <= MOST else frozenset()
    if awaited and (late or not _is_decided(others, first, awaited, mute, policy)):
        return None
    return mute | {one.location for one in missing} - awaited


def is_history(views: Views, event: Observed, policy: DetectionPolicy) -> bool:
    """Law 4: whether the others were judged since, and found something else."""
    return _is_late(event, policy) and any(
        one.location != event.location and one.status is not Status.UNKNOWN and (one.since or one.at) > event.at
        for one in views
        if one.at > event.at
    )


def _speaks(one: View, first: Observed, following: int | None, policy: DetectionPolicy) -> bool:
    if one.at >= first.at:
        return one.unbroken <= first.at
    longest = quorum.longest_pause_ms(policy) if _is_late(first, policy) else policy.stale_ms
    return first.at - one.at <= longest and (following is None or following - one.at <= quorum.longest_pause_ms(policy))


def _may_come(one: View, first: Observed, now: int, policy: DetectionPolicy) -> bool:
    if _is_late(first, policy):
        return first.at - one.at <= _DAY_MS and now - first.heard <= PATIENCE_MS
    return now - one.at <= policy.stale_ms


def _is_decided(others: Iterable[View], first: Observed, awaited: frozenset[str], mute: frozenset[str], policy: DetectionPolicy) -> bool:
    """Whether it makes no difference what the awaited ones say."""
    own = View(first.location, first.run, first.sequence, first.at, first.status, first.cause)
    known = [one for one in others if one.location not in mute or one.location in awaited]
    both = (
        quorum.judge(
            (own, *(replace(one, status=said) if one.location in awaited else one for one in known)), policy, mute=frozenset()
        ).status
        for said in (Status.UP, Status.DOWN)
    )
    return len(set(both)) == 1


def _is_late(first: Observed, policy: DetectionPolicy) -> bool:
    return first.heard - first.at > policy.delay_ms


def _reach(policy: DetectionPolicy) -> int:
    return policy.confirm_every_ms + _SLACK_MS
