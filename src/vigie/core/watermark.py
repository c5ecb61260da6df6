"""In which order the results of several locations are judged, and how long one waits until the others were heard.

A location that was cut off, or a server that was away, brings results long after they were measured. Judged as they come, they would
meet what others said before the trouble began.

Laws
1. Results of a subject are judged in the order of their instants, those of one location in the order of their numbers.
2. A location *speaks* about an instant if it was heard then or later. In time its last word before that speaks, too: for one quick
   interval, and while nothing is suspected or seems over for as long as `gap_ms`, where a result repeats what its location said, or is not
   bad and leaves the verdict as it is, or says the same. But that a service is well says nothing against a failure that came after it. A
   result waits for every location that does not speak about its instant yet, may still come, and, in time, could make another verdict of
   it.
3. In time, a location may come for as long as a living one could need at the quick pace, which everybody checks at while anything waits:
   one interval, and what a check and its delivery take (`patience_ms`, from when the result was heard). One that was silent for `stale_ms`
   comes no more. A result that is heard more than `delay_ms` after its instant is late: it waits for whoever was heard within a day
   before, but only for `PATIENCE_MS`. That long a location may take, too, until it finds a server that was started again.
4. One that was awaited in vain is *unresponsive*: until it is heard again nobody waits for it, and it has no vote. So a location that is
   dead delays the first failure, not each. A silence of all counts for at most half of the wait: then it may be us who did not listen.
5. Judged is what locations say about that instant: who says something else since then, was not looking (nothing for `gap_ms`), or did not
   come in time has no vote. What comes after the others were judged without it changes no verdict: it is history.
6. `up` where all have been saying `up` decides nothing in any order, and never waits.
7. No more than `MOST` wait for a subject; the oldest are judged then.
8. In time, as soon as it makes no difference any more, for a verdict other than the last one, what the missing ones say, they are not
   waited for.

Nothing of this concerns a subject with one location, or a policy without `delay_ms`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from vigie.core import quorum
from vigie.core.detection import DetectionPolicy
from vigie.core.events import Observed
from vigie.core.model import Status
from vigie.core.quorum import View, Views

PATIENCE_MS = 60_000
MOST = 1_000
_SLACK_MS = 2_000  # a check that is due now may take so long to be heard
_EARLY_MS = 1_000  # a check may be heard so much earlier than its interval has it
_DAY_MS = 86_400_000

Held = tuple[Observed, ...]


def concerns(views: Views, held: Held, event: Observed, policy: DetectionPolicy) -> bool:
    """Whether there is an order to be kept."""
    if not (policy.delay_ms and event.heard):
        return False
    return bool(held) or any(one.location != event.location for one in views)


@dataclass(frozen=True, slots=True)
class Turn:
    """Which of what waits is judged now, after those before it were heard, and who says nothing about its instant.

    `unresponsive`: those of them that were awaited in vain.
    """

    index: int
    mute: frozenset[str]
    unresponsive: frozenset[str] = frozenset()


def queued(held: Held, event: Observed) -> tuple[int, Held]:
    """Law 1: what waits, with one more result, and which of them that is."""
    place = max((index + 1 for index, one in enumerate(held) if one.location == event.location or one.at <= event.at), default=0)
    return place, (*held[:place], event, *held[place:])


def next_turn(
    views: Views, held: Held, place: int, now: int, policy: DetectionPolicy, last: Status | None, since: int | None = None
) -> Turn | None:
    """Laws 2 and 8; None while all have to wait, at `now`, epoch ms. `place`: the one that came now. `last`: the verdict so far.

    `since`: when that began which is suspected, or seems over, epoch ms; None where nothing is.
    """
    ahead = _decided_ahead(views, held, place, now, policy, last, since)
    if ahead is not None and quorum.bears_out(held[place].status, ahead[1]):
        return ahead[0]
    turn = due(views, held, now, policy, last, since)
    return turn if turn is not None or ahead is None else ahead[0]


def _decided_ahead(
    views: Views, held: Held, place: int, now: int, policy: DetectionPolicy, last: Status | None, since: int | None
) -> tuple[Turn, Status] | None:
    """Law 8: the turn of the one that came now, and the verdict, where it is settled whatever those before it come to."""
    if not place or any(_is_late(one, policy) for one in held[: place + 1]):
        return None
    for one in held[:place]:
        seen = View(one.location, one.run, one.sequence, one.at, one.status, one.cause, unbroken=one.first)
        views = quorum.heard(views, seen, policy)
    first, begun = held[place], held[0].at if since is None else since
    if (turn := due(views, held[place:], now, policy, last, begun)) is None:
        return None
    status = _judged([one for one in views if one.location != first.location], first, policy, turn.mute)
    return (replace(turn, index=place), status) if status is not last else None


def _judged(others: Iterable[View], first: Observed, policy: DetectionPolicy, mute: frozenset[str]) -> Status:
    own = View(first.location, first.run, first.sequence, first.at, first.status, first.cause)
    return quorum.judge((*others, own), policy, mute).status


def due(views: Views, held: Held, now: int, policy: DetectionPolicy, last: Status | None, since: int | None) -> Turn | None:
    """The turn of the first of what waits; None while it has to wait, at `now`, epoch ms. `last` and `since` as for `next_turn`."""
    first, coming = held[0], dict[str, int]()
    for one in held:
        coming.setdefault(one.location, one.at)
    late, others = _is_late(first, policy), [one for one in views if one.location != first.location]
    mute = frozenset(one.location for one in others if not _speaks(one, first, coming.get(one.location), policy))
    calm = since is None and _is_calm(views, first, policy, mute, last)
    missing = frozenset(
        one
        for one in others
        if one.location not in coming and one.at < first.at - (0 if late else _reach(one, first, policy, since, calm=calm))
    )
    awaited = _awaited(missing, held, now, policy)
    if awaited and (late or not _is_decided(others, first, awaited, mute, policy)):
        return None
    left_out = frozenset(one.location for one in missing) - awaited
    return Turn(0, mute | left_out, left_out if len(held) <= MOST else frozenset())


def _reach(one: View, first: Observed, policy: DetectionPolicy, since: int | None, *, calm: bool) -> int:
    """Law 2: for how long before an instant the last word of a location speaks about it, in time, ms."""
    well, quick = quorum.outlook(first.status), policy.confirm_every_ms + _SLACK_MS
    if since is None and (calm or quorum.outlook(one.status) is well):
        return quorum.longest_pause_ms(policy)
    if well is not False or quorum.outlook(one.status) is False:
        return quick
    return 0 if since is None else min(quick, max(first.at - since, 0))


def _is_calm(views: Views, first: Observed, policy: DetectionPolicy, mute: frozenset[str], last: Status | None) -> bool:
    """Whether a result repeats what its location said, or is not bad and leaves the verdict as it is."""
    own = next((one for one in views if one.location == first.location), None)
    if own is not None and own.status is first.status:
        return True
    others = [one for one in views if one is not own]
    return first.status in (Status.UP, Status.UNKNOWN) and _judged(others, first, policy, mute) is last


def marked(views: Views, unresponsive: frozenset[str]) -> Views:
    """Law 4: the views with those marked that were awaited in vain."""
    if all(one.unresponsive or one.location not in unresponsive for one in views):
        return views
    return tuple(replace(one, unresponsive=True) if one.location in unresponsive else one for one in views)


def patience_ms(policy: DetectionPolicy) -> int:
    """How long a living location may take to be heard, once all are to check at the quick pace."""
    return policy.confirm_every_ms + policy.delay_ms


def is_history(views: Views, event: Observed, policy: DetectionPolicy) -> bool:
    """Law 5: whether the others were judged since, and found something else."""
    return _is_late(event, policy) and any(
        one.location != event.location and one.status is not Status.UNKNOWN and (one.since or one.at) > event.at
        for one in views
        if one.at > event.at
    )


def _speaks(one: View, first: Observed, following: int | None, policy: DetectionPolicy) -> bool:
    if one.at >= first.at:
        return one.unbroken <= first.at
    if following is None:
        longest = quorum.longest_pause_ms(policy) if _is_late(first, policy) else policy.stale_ms
        return first.at - one.at <= longest and not one.unresponsive
    return following - one.at <= quorum.longest_pause_ms(policy)


def _awaited(missing: Iterable[View], held: Held, now: int, policy: DetectionPolicy) -> frozenset[str]:
    """Laws 3, 4 and 7: who of those that do not speak about the first of what waits may still come."""
    first, missing = held[0], [one for one in missing if not one.unresponsive]
    if not missing or len(held) > MOST:
        return frozenset()
    if _is_late(first, policy):
        longest = PATIENCE_MS
        missing = [one for one in missing if first.at - one.at <= _DAY_MS]
    else:
        longest = max(patience_ms(policy), PATIENCE_MS if any(one.remembered for one in missing) else 0)
        missing = [one for one in missing if now - one.at <= policy.stale_ms]
    return frozenset(one.location for one in missing) if _waited(held, now, longest) < longest - _EARLY_MS else frozenset()


def _waited(held: Held, now: int, patience: int) -> int:
    """How long the first of what waits has waited, as far as others were heard meanwhile."""
    begin = held[0].heard
    if begin - now > patience:
        return patience  # the clock was set back: it says nothing
    if now - begin < patience - _EARLY_MS:
        return now - begin
    heard = sorted({begin, now, *(one.heard for one in held if begin < one.heard < now)})
    return sum(min(later - earlier, patience // 2) for earlier, later in pairwise(heard))


def _is_decided(others: Iterable[View], first: Observed, awaited: frozenset[str], mute: frozenset[str], policy: DetectionPolicy) -> bool:
    """Whether it makes no difference what the awaited ones say."""
    known = [one for one in others if one.location not in mute or one.location in awaited]
    both = (
        _judged([replace(one, status=said) if one.location in awaited else one for one in known], first, policy, frozenset())
        for said in (Status.UP, Status.DOWN)
    )
    return len(set(both)) == 1


def _is_late(first: Observed, policy: DetectionPolicy) -> bool:
    return first.heard - first.at > policy.delay_ms
