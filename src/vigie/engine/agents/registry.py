"""Who is enrolled, and how each was when it was last heard.

How far an agent's clock is off is known against a clock that never steps, so that a server whose own clock is set knows at once what that
makes of it, and kept against the clock of the store, which all servers have in common: what one of them heard is right for the others,
also where their clocks do not agree.
"""

import logging
from collections import deque
from dataclasses import dataclass, field

from vigie.engine.agents.coordinator import Alive
from vigie.engine.agents.enrolment import hashed
from vigie.fleet.wire import PROTOCOL, Hello
from vigie.ports import AgentStatus, Clock, EnrolledAgent, Fleet
from vigie.queries.agents import SILENT_MS, AgentState, AgentView

log = logging.getLogger("vigie.agents")

_COPIED_SECONDS = 600.0  # for so long after it was heard a second agent of one name is shown
_FORGET_MS = 600_000  # who was silent for longer than this before a start is not waited for
_SAMPLES = 3
_SET_MS = 30_000  # a clock that looks so much slower than before was set: no answer takes so long
_GUESSED_SECONDS = 5.0
_MAX_NUMBER = 2**62


@dataclass(slots=True)
class _Heard:
    """What this process knows of one agent. Seconds are on the clock that never steps; `seen_at` is what the store had last.

    `ahead`: by how many ms its clock was ahead of that one, each time that it was heard.
    """

    status: AgentStatus | None = None
    heard: float | None = None
    copied: float | None = None
    greeted: bool = False  # in this process
    ahead: deque[int] = field(default_factory=lambda: deque(maxlen=_SAMPLES))

    def compare(self, ahead: int) -> None:
        """One more. What a slow link adds makes a clock look slower than it is, never faster: the largest of the last ones counts."""
        if self.ahead and ahead < max(self.ahead) - _SET_MS:
            self.ahead.clear()
        self.ahead.append(ahead)


class Registry:
    """In step with the store, where other processes enroll, revoke and hear agents, too."""

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self._fleet, self._clock = fleet, clock
        self._enrolled: dict[str, EnrolledAgent] = {}
        self._heard: dict[str, _Heard] = {}
        self._store_ahead: int | None = None  # of the clock that never steps, ms
        self._guessed_at = float("-inf")  # when it was last read who is enrolled because of a guess

    def _steady(self) -> int:
        return round(self._clock.monotonic() * 1000)

    async def refresh(self) -> bool:
        """Read who is enrolled and how each is; whether somebody came or went. Raises StoreError."""
        enrolled = {one.name: one for one in await self._fleet.agents()}
        statuses = {one.name: one for one in await self._fleet.heard_agents()} if enrolled else {}
        if enrolled:
            asked = self._steady()
            self._store_ahead = await self._fleet.now() - (asked + self._steady()) // 2
        changed, self._enrolled = enrolled != self._enrolled, enrolled
        self._heard = {name: self._heard.get(name) or _Heard() for name in enrolled}
        for name, known in self._heard.items():
            self._take(known, statuses.get(name))
        return changed

    def _take(self, known: _Heard, status: AgentStatus | None) -> None:
        """What the store has: a process that has just started knows nothing newer, and an instant that moved on was heard elsewhere."""
        if status is None:
            known.status = known.heard = None
        elif known.status is None:
            known.status = status
            known.compare(status.skew_ms + self._of_store())
            if self._clock.now() - status.seen_at <= _FORGET_MS:
                known.heard = self._clock.monotonic()  # this process was away itself, or another server heard it for the first time
        elif status.seen_at != known.status.seen_at:
            known.status, known.heard = status, self._clock.monotonic()
            known.compare(status.skew_ms + self._of_store())

    def _of_store(self) -> int:
        return self._clock.now() - self._steady() if self._store_ahead is None else self._store_ahead

    def skew_ms(self, name: str) -> int:
        """How far the clock of an agent is ahead of the one that this process has now."""
        known = self._heard.get(name)
        return max(known.ahead) - (self._clock.now() - self._steady()) if known is not None and known.ahead else 0

    @property
    def any(self) -> bool:
        """Whether anybody is enrolled."""
        return bool(self._enrolled)

    def enrolled(self) -> list[EnrolledAgent]:
        """Those that are let in, by name."""
        return list(self._enrolled.values())

    def status(self, name: str) -> AgentStatus | None:
        """How it was when it was last heard."""
        known = self._heard.get(name)
        return None if known is None else known.status

    def state(self, name: str) -> AgentState:
        """How it is."""
        known = self._heard.get(name)
        if known is None or known.status is None:
            return AgentState.NEW
        silent = known.heard is None or (self._clock.monotonic() - known.heard) * 1000 > SILENT_MS
        return AgentState.SILENT if silent else AgentState.REPORTING

    def alive(self) -> list[Alive]:
        """Those that report."""
        names = [one for one in self._enrolled.values() if self.state(one.name) is AgentState.REPORTING]
        return [Alive(one.name, one.location, status.spool) for one in names if (status := self.status(one.name)) is not None]

    def views(self) -> list[AgentView]:
        """Everybody, by name."""
        return [AgentView(one, self.state(one.name), self.status(one.name), self._is_copied(one.name)) for one in self.enrolled()]

    def _is_copied(self, name: str) -> bool:
        at = self._heard[name].copied
        return at is not None and self._clock.monotonic() - at <= _COPIED_SECONDS

    async def by_token(self, token: str, *, guessing: bool = False) -> EnrolledAgent | None:
        """Whose token this is. `guessing`: it may be one guess of many, which cost the store no question each. Raises StoreError."""
        if guessing and not await self._is_known(hashed(token)):
            return None
        found = await self._fleet.agent_by_token(hashed(token))
        if found is not None and self._enrolled.get(found.name) != found:
            await self.refresh()
        return found

    async def _is_known(self, token: str) -> bool:
        """Whether a token with this hash is that of somebody enrolled, as it was read seconds ago at most."""
        known = any(one.hash == token for one in self._enrolled.values())
        if not known and self._clock.monotonic() - self._guessed_at >= _GUESSED_SECONDS:
            self._guessed_at = self._clock.monotonic()
            await self.refresh()
            known = any(one.hash == token for one in self._enrolled.values())
        return known

    def copied(self, name: str) -> bool:
        """A second agent of this name was heard; whether that is news."""
        known = self._heard[name]
        news = not self._is_copied(name)
        known.copied = self._clock.monotonic()
        return news

    async def heard(self, agent: EnrolledAgent, hello: Hello, spool: int, address: str, now: int) -> AgentStatus:
        """An agent said how it is. Raises StoreError."""
        known = self._heard.setdefault(agent.name, _Heard())
        known.compare(_within(hello.at, _MAX_NUMBER) - self._steady())
        known.greeted = True
        since = None if hello.spooled_since is None else _within(hello.spooled_since, now)
        late, skew_ms = None if hello.late_ms is None else _within(hello.late_ms, _MAX_NUMBER), max(known.ahead) - self._of_store()
        status = AgentStatus(
            agent.name, agent.location, now, _line(hello.version), spool, min(hello.protocol, PROTOCOL),
            _within(hello.monitors, 10_000_000), _within(hello.spooled, _MAX_NUMBER), since, late, skew_ms, address,
        )  # fmt: skip
        await self._fleet.heard(status)
        known.status, known.heard = status, self._clock.monotonic()
        return status

    def was_greeted(self, name: str) -> bool:
        """Whether it said hello to this process, so that its clock was compared with the one that this process has."""
        known = self._heard.get(name)
        return known is not None and known.greeted

    def still_there(self, name: str) -> None:
        """It handed something in."""
        if (known := self._heard.get(name)) is not None and known.status is not None:
            known.heard = self._clock.monotonic()

    def forget(self, name: str) -> None:
        """It was revoked."""
        self._enrolled.pop(name, None)
        self._heard.pop(name, None)


def _within(value: int, most: int) -> int:
    return min(max(value, 0), most)


def _line(text: str) -> str:
    return "".join(one for one in text if one.isprintable())[:40]
