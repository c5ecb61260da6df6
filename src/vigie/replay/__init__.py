"""What would have been sent: a recorded history through the policies of two configurations, today's and a proposed one.

Two passes would need the history twice; so both policies, and every `confirm` that may be suggested, take each result as it comes. What is
kept grows with the number of monitors and of notices, not with that of results.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from vigie.config import Desired
from vigie.core import incident
from vigie.core.events import Acked, AckRecorded, Closed, Ended, Observed, Opened, Resolved
from vigie.core.incident import DetectionState
from vigie.core.model import CheckResult, Monitor, Status
from vigie.core.notification import OPENINGS, Circumstances, NoticeReason
from vigie.engine.books import CircumstancesAt
from vigie.engine.planner import Planner
from vigie.engine.rehearsal import Rehearsal
from vigie.engine.transition import Transition
from vigie.observation.assessment import Assessment, smallest
from vigie.planning.maintenance import MaintenanceSpan
from vigie.ports import Archive, Clock, Store

CONFIRMS = range(1, 11)
_VIGIE = "vigie"
Said = tuple[str, Acked | Resolved]  # a monitor, and what a person said of it


@dataclass(frozen=True, slots=True)
class Sent:
    """A notice that would have been sent at an instant, about trouble that began at `began`."""

    at: int
    monitor: str
    channel: str
    reason: NoticeReason
    number: int
    began: int

    @property
    def key(self) -> tuple[str, int, NoticeReason, int, str]:
        """The same under two policies where both would have sent it."""
        return self.monitor, self.began, self.reason, self.number, self.channel


@dataclass(slots=True)
class Outcome:
    """What one configuration made of the history."""

    assessment: Assessment
    sent: list[Sent] = field(default_factory=list)

    @property
    def reasons(self) -> Counter[NoticeReason]:
        """How many notices for each reason."""
        return Counter(one.reason for one in self.sent)


@dataclass(slots=True)
class Replayed:
    """What came of it. `proposed` None: only today's policy was asked about.

    `confirms` are what each monitor's history comes to by `confirm`, of detection alone.
    """

    blip_ms: int
    today: Outcome
    proposed: Outcome | None
    confirms: dict[str, dict[int, Assessment]]
    results: int = 0
    start: int = 0
    end: int = 0
    unknown: Counter[str] = field(default_factory=Counter)  # results of monitors that the configuration does not have

    @property
    def suggestions(self) -> dict[str, int | None]:
        """For each monitor with false notices today the smallest `confirm` that silences them and delays nothing; None where none does."""
        false = dict.fromkeys(one.monitor for one in self.today.assessment.false)
        return {name: smallest(self.confirms[name], self.today.assessment.of(name)) for name in false}


class _Policy:
    """One configuration on its way through the history."""

    def __init__(self, monitors: Sequence[Monitor], at: CircumstancesAt, blip_ms: int) -> None:
        self.outcome = Outcome(Assessment(blip_ms))
        self.rehearsal = Rehearsal(monitors, at)
        self._began: dict[str, tuple[str, int]] = {}

    def take(self, transitions: Iterable[Transition], at: int) -> None:
        """What came of an event."""
        for one in transitions:
            self.outcome.assessment.take(one.before, one.after, one.decisions, at)
            self._began.update((made.incident, (one.monitor.id, made.started_at)) for made in one.decisions if isinstance(made, Opened))
            for notice in one.notices:
                monitor, began = self._began.get(notice.alert, (notice.monitor, notice.at))
                self.outcome.sent.append(Sent(notice.at, monitor, notice.channel, notice.reason, notice.number, began))
                if notice.reason in OPENINGS:
                    for name in self.rehearsal.members(notice.alert) or [notice.alert]:
                        self.outcome.assessment.announced(name, notice.at)
                elif notice.reason is NoticeReason.UPDATED:
                    for name in self.rehearsal.members(notice.alert):
                        self.outcome.assessment.announced(name, notice.at)
            for ended in one.decisions:
                if isinstance(ended, Ended):
                    self._began.pop(ended.alert, None)


class _Confirms:
    """Detection alone, for every `confirm` that may be suggested. A monitor that is well costs nothing."""

    def __init__(self, monitors: Iterable[Monitor], blip_ms: int) -> None:
        self._policies = {one.id: [replace(one.detection, confirm=confirm, confirm_ms=0) for confirm in CONFIRMS] for one in monitors}
        self._blip_ms = blip_ms
        self.assessments: dict[str, dict[int, Assessment]] = {}
        self.states: dict[str, list[DetectionState]] = {}
        self._calm: set[str] = set()

    def take(self, result: CheckResult) -> None:
        """One result."""
        policies = self._policies.get(result.monitor)
        if policies is None or (result.status is Status.UP and result.monitor in self._calm):
            return
        event = Observed(result.at, result.run, result.sequence, result.status, result.cause, result.location)
        states = self.states.setdefault(result.monitor, [DetectionState(result.monitor) for _ in CONFIRMS])
        known = self.assessments.setdefault(result.monitor, {confirm: Assessment(self._blip_ms) for confirm in CONFIRMS})
        for index, (policy, assessment) in enumerate(zip(policies, known.values(), strict=True)):
            before = states[index]
            states[index], decisions = incident.step(before, event, policy)
            assessment.take(before, states[index], decisions, result.at)
            for one in decisions:
                if isinstance(one, Opened):
                    assessment.announced(one.incident, one.at)
        if all(one.resting and len(one.views) == 1 for one in states):
            self._calm.add(result.monitor)
        else:
            self._calm.discard(result.monitor)


async def replay(
    today: tuple[Sequence[Monitor], CircumstancesAt],
    proposed: tuple[Sequence[Monitor], CircumstancesAt] | None,
    results: AsyncIterator[CheckResult],
    said: Sequence[Said] = (),
    *,
    blip_ms: int,
    progress: Callable[[int, int], None] | None = None,
) -> Replayed:
    """Put a history to both policies.

    `said` is what people did meanwhile; `progress` is given the number of results and the instant that was reached.
    """
    policies = [_Policy(*one, blip_ms) for one in (today, proposed) if one is not None]
    confirms = _Confirms(today[0], blip_ms)
    known, waiting = {one.id for one in today[0]}, sorted(said, key=lambda one: one[1].at, reverse=True)
    found = Replayed(blip_ms, policies[0].outcome, policies[1].outcome if proposed else None, confirms.assessments)
    async for result in results:
        while waiting and waiting[-1][1].at <= result.at:
            monitor, event = waiting.pop()
            for policy in policies:
                policy.take(policy.rehearsal.say(monitor, event), event.at)
        if result.monitor not in known:
            found.unknown[result.monitor] += 1
            continue
        found.results += 1
        found.start = found.start or result.at
        found.end = max(found.end, result.at)
        for policy in policies:
            policy.take(policy.rehearsal.take(result), result.at)
        confirms.take(result)
        if progress is not None:
            progress(found.results, result.at)
    for policy in policies:
        policy.take(policy.rehearsal.until(found.end), found.end)
        policy.outcome.assessment.end(policy.rehearsal.states(), found.end)
    for name, states in confirms.states.items():
        for state, assessment in zip(states, confirms.assessments[name].values(), strict=True):
            assessment.end([state], found.end)
    return found


async def recorded(archive: Archive, since: int, monitors: frozenset[str] = frozenset()) -> AsyncIterator[CheckResult]:
    """What a store has, from an instant on, of these monitors, or of all."""
    after = 0
    while True:
        results, after = await archive.recorded(since, after)
        for one in results:
            if not monitors or one.monitor in monitors:
                yield one
        if not after:
            return


async def people(archive: Archive, since: int) -> list[Said]:
    """What people did in the incidents since an instant: acknowledgements, and incidents that they closed."""
    found: list[Said] = []
    for one in await archive.incidents(limit=1_000_000, since=since):
        if one.acked_by is None and one.closed_by in (None, _VIGIE):
            continue
        for entry in await archive.timeline(one.id):
            match entry.decision:
                case AckRecorded(at=at, by=by):
                    found.append((one.monitor, Acked(at, by)))
                case Closed(at=at, by=by, note=note):
                    found.append((one.monitor, Resolved(at, by, note)))
                case _:
                    pass
    return list(dict.fromkeys(found))


async def calendar(store: Store, clock: Clock, settings: Desired, since: int) -> CircumstancesAt:
    """What the calendar of a configuration says, with the maintenance that came about since an instant."""
    planner = Planner(store.catalog, store.archive, clock)
    planner.use(settings.planned)
    spans = await store.archive.maintained(since)

    def at(monitor: Monitor, instant: int) -> Circumstances:
        held = planner.at(monitor, instant)
        ends = [one.end for one in _holding(spans, monitor.id, instant)]
        return replace(held, muted_until=max([*ends, held.muted_until or 0])) if ends else held

    return at


def _holding(spans: Iterable[MaintenanceSpan], monitor: str, at: int) -> Iterator[MaintenanceSpan]:
    return (one for one in spans if one.start <= at < one.end and one.concerns(monitor))
