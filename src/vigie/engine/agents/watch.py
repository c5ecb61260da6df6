"""Agents that are silent: notified once, with the end of it; what nobody else checks is unknown, and never down because of it.

Laws
1. A silence is notified once, and its end once, over restarts too. Of an agent that was revoked nothing more is said.
2. A monitor whose every location has lost its agent is `unknown`, with the reason; it has one such result for each silence. Where others
   check it, the silent view stops voting by itself (core/quorum.py, law 2).
3. Such a result has no number, so that whatever the agent measured meanwhile counts when it comes.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from vigie.core.model import Cause, CheckResult, FaultScope, Scalar, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.core.subject import VIGIE_ID, SubjectKind
from vigie.engine.agents.assignments import Assignments
from vigie.engine.agents.registry import Registry
from vigie.ports import AgentStatus, Batch, Clock, Commit, EnrolledAgent, Ledger
from vigie.queries.agents import SILENT_MS, AgentState
from vigie.report.agents import REASONS, THREADS, parsed, thread

log = logging.getLogger("vigie.agents")

_SILENT, _HEARD = REASONS
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Silence:
    """Since when an agent is silent, epoch ms, how many monitors it alone checks, and who was notified."""

    location: str
    since: int
    alone: int
    told: tuple[str, ...]


class AgentWatch:
    """`record` commits notices, `take` takes results in, `wake` wakes the outbox; `channels` are those that are notified."""

    def __init__(
        self,
        registry: Registry,
        assignments: Assignments,
        ledger: Ledger,
        clock: Clock,
        record: Callable[[Commit, Sequence[Notice]], Awaitable[None]],
        take: Callable[[Batch], Awaitable[None]],
        wake: Callable[[], None],
        channels: Callable[[], Sequence[str]],
    ) -> None:
        self._registry, self._assignments, self._ledger, self._clock = registry, assignments, ledger, clock
        self._record, self._take, self._wake, self._channels = record, take, wake, channels
        self._silences: dict[str, Silence] | None = None
        self._unseen: set[tuple[str, str]] = set()  # monitors and locations that have their result of law 2
        self._run = self._sequence = 0
        self._began: float | None = None

    async def tick(self) -> None:
        """Look at every agent. Raises StoreError."""
        if self._silences is None:
            self._silences = await self._earlier()
        listened, let_in = self._has_listened(), {one.name: one for one in self._registry.enrolled()}
        unseen = self._alone() if listened else {}
        self._silences = {name: one for name, one in self._silences.items() if name in let_in and let_in[name].created_at <= one.since}
        for one in let_in.values():
            state, status, silence = self._registry.state(one.name), self._registry.status(one.name), self._silences.get(one.name)
            if status is None:
                continue
            if silence is None and state is AgentState.SILENT and listened:
                await self._begin(one, status, sum(name == one.name for name in unseen.values()))
            elif silence is not None and state is AgentState.REPORTING and status.seen_at != silence.since:
                await self._end(one.name, silence)
        await self._mark(unseen)

    def _has_listened(self) -> bool:
        """Whether this process itself has been there for so long that whoever is alive was heard: it may have been away, not they."""
        now = self._clock.monotonic()
        self._began = now if self._began is None else self._began
        return (now - self._began) * 1000 > SILENT_MS

    async def _earlier(self) -> dict[str, Silence]:
        """What an earlier process notified of, and not the end of it."""
        known = [one.row.notice for one in await self._ledger.notices(threads=THREADS) if not one.row.notice.failover_for]
        over = {one.alert for one in known if one.reason is _HEARD}
        let_in = {one.name: one for one in self._registry.enrolled()}
        found = dict[str, Silence]()
        for one in [one for one in known if one.reason is _SILENT and one.alert not in over]:
            name, location, since = parsed(one.alert, one.at)
            agent = let_in.get(name)
            if agent is not None and agent.location == location and agent.created_at <= since:
                told = (*found[name].told, one.channel) if name in found else (one.channel,)
                found[name] = Silence(location, since, one.number, told)
        return found

    async def _begin(self, one: EnrolledAgent, status: AgentStatus, alone: int) -> None:
        silence = Silence(one.location, status.seen_at, alone, tuple(self._channels()))
        await self._notify(one.name, silence, _SILENT)
        assert self._silences is not None  # noqa: S101 - read by `tick`
        self._silences[one.name] = silence
        log.warning("agent %s at %s is silent; nobody else checks %d of its monitors", one.name, one.location, alone)

    async def _end(self, name: str, silence: Silence) -> None:
        await self._notify(name, silence, _HEARD)
        assert self._silences is not None  # noqa: S101 - read by `tick`
        del self._silences[name]
        log.warning("agent %s at %s reports again", name, silence.location)

    async def _notify(self, name: str, silence: Silence, reason: NoticeReason) -> None:
        of, now, number = thread(name, silence.location, silence.since), self._clock.now(), silence.alone
        notices = [Notice(of, VIGIE_ID, channel, reason, now, number, subject=SubjectKind.VIGIE) for channel in silence.told]
        if notices:
            await self._record(Commit(), notices)
            self._wake()

    def _alone(self) -> dict[tuple[str, str], str]:
        """What nobody checks now, as (monitor, location), with the silent agent that should."""
        seen = {one.location for one in self._registry.enrolled() if self._registry.state(one.name) is AgentState.REPORTING}
        silent = {one.location: one.name for one in self._registry.enrolled() if self._registry.state(one.name) is AgentState.SILENT}
        blind = silent.keys() - seen
        if not blind:
            return {}
        checked = set(self._assignments.monitors(self._assignments.own)).union(*(self._assignments.monitors(place) for place in seen))
        return {
            (monitor, place): self._assignments.holder(monitor, place) or silent[place]
            for place in blind
            for monitor in self._assignments.monitors(place)
            if monitor not in checked
        }

    async def _mark(self, unseen: dict[tuple[str, str], str]) -> None:
        """Say of what nobody checks that it is unknown, once."""
        fresh = [(monitor, place, name) for (monitor, place), name in unseen.items() if (monitor, place) not in self._unseen]
        for start in range(0, len(fresh), _BATCH):
            now = self._clock.now()
            results = tuple(_unknown(monitor, place, name, now) for monitor, place, name in fresh[start : start + _BATCH])
            if not self._run:
                self._run = await self._ledger.next_run()
            self._sequence += 1
            await self._take(Batch("silent agents", self._run, self._sequence, results))
        self._unseen = set(unseen)


def _unknown(monitor: str, location: str, agent: str, at: int) -> CheckResult:
    words = f"its agent {agent} at {location} is silent, and nobody else checks it"
    figures: dict[str, Scalar] = {"obstacle": "agent_silent", "agent": agent, "location": location}
    return CheckResult(monitor, at, Status.UNKNOWN, Cause.PROBE_ERROR, words, figures=figures, location=location, scope=FaultScope.AGENT)
