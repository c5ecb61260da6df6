"""What is done to the parts, and when: a list of faults by a seed, each over and recovered from before the next one."""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from tests.chaos.fleet import Deployment
from tests.chaos.verdict import Disturbance, Shift


class Fault(StrEnum):
    """What can happen to a part."""

    KILL = "kill -9"  # it alone; what it started must end by itself
    POWER = "loss of power"  # with everything that it started
    PAUSE = "pause"
    CUT = "cut off"
    FULL = "full disk"
    REFUSE = "answers 503"  # the receiver of notices
    CLOCK = "clock set"  # and set right again
    BOOT = "loss of power, then a clock set"  # a machine that begins with a wrong clock, which is set right later


LEADER = "leader"  # the server that evaluates, whichever it is when the fault begins
_TAKEOVER_MS = 12_000  # until another server checks in place of one that checked
_LEADER_SECONDS = 20
_BLINDING = (Fault.KILL, Fault.POWER, Fault.PAUSE, Fault.CUT, Fault.FULL, Fault.BOOT)
# A notice may come twice where whoever sent it cannot have recorded that, or where its answer was lost; never otherwise.
_REPEATING = (Fault.KILL, Fault.POWER, Fault.CUT, Fault.FULL, Fault.BOOT)
_CLOCKS = (Fault.CLOCK, Fault.BOOT)
_DARK_SECONDS = 2.5  # until a machine that lost power is started again with a wrong clock
_HOURS_MS = 7_200_000
_AHEAD_MS = (40_000, -40_000, _HOURS_MS, -_HOURS_MS)  # less than a location may be silent, and more than anything waits


@dataclass(frozen=True, slots=True)
class Step:
    """A fault of a part for so many milliseconds, then `rest` milliseconds of peace. `ahead`: of a clock that is set, ms."""

    fault: Fault
    part: str
    lasts: int
    rest: int
    ahead: int = 0


class What(NamedTuple):
    """A fault and the part that has it. `ahead`: of a clock that is set, ms."""

    fault: Fault
    part: str
    ahead: int = 0


# The bounded run: each kind of fault, and each part, in as little time as says something. Leases last 10 s.
_BOUNDED = (
    (What(Fault.POWER, LEADER), 2_500),
    (What(Fault.CUT, "agent1"), 6_000),
    (What(Fault.POWER, "nats"), 3_000),
    (What(Fault.PAUSE, LEADER), 12_000),
    (What(Fault.CLOCK, "agent1", 40_000), 7_000),
    (What(Fault.POWER, "postgres"), 2_500),
    (What(Fault.KILL, "agent2"), 3_000),
    (What(Fault.CUT, "agent3"), 6_000),
    (What(Fault.CLOCK, LEADER, -40_000), 7_000),
    (What(Fault.CUT, LEADER), 12_000),
    (What(Fault.FULL, "server1"), 4_000),
    (What(Fault.FULL, "agent1"), 4_000),
    (What(Fault.CLOCK, "agent3", -_HOURS_MS), 7_000),
    (What(Fault.FULL, "postgres"), 4_000),
    (What(Fault.CLOCK, LEADER, _HOURS_MS), 7_000),
    (What(Fault.REFUSE, "receiver"), 3_000),
)


def in_turn(deployment: Deployment) -> list[Step]:
    """Every kind of fault once, for the bounded run."""
    there = set(possible(deployment))
    there |= {one._replace(part=LEADER) for one in there if one.part == "server1"}
    return [Step(*what[:2], lasts, 2_000, what.ahead) for what, lasts in _BOUNDED if what in there]


def by_chance(deployment: Deployment, seed: int) -> Iterator[Step]:
    """Faults without an end, the same for the same seed: all that there are in an order of chance, then again in another one."""
    chance = random.Random(f"{seed}:faults")
    while True:
        everything = possible(deployment)
        chance.shuffle(everything)
        for fault, part, ahead in everything:
            shortest, longest = _lengths(fault, part)
            yield Step(fault, part, chance.randrange(shortest, longest), chance.randrange(2_000, 8_000), ahead)


def possible(deployment: Deployment) -> list[What]:
    """Each fault with each part that can have it."""
    several = len(deployment.names("server")) > 1
    parts = [LEADER, *deployment.names("server")[1:]] if several else deployment.names("server")
    parts += [name for name in deployment.parts if name not in deployment.names("server")]
    found = [What(fault, part) for fault in (Fault.POWER, Fault.PAUSE, Fault.CUT) for part in parts]
    programs = [part for part in parts if part == LEADER or part in deployment.clocks]
    found += [What(Fault.KILL, part) for part in programs]
    found += [What(Fault.FULL, part) for part in deployment.disks]
    found += [What(Fault.CLOCK, part, ahead) for part in programs for ahead in _AHEAD_MS]
    found += [What(Fault.BOOT, part, ahead) for part in programs for ahead in (_HOURS_MS, -_HOURS_MS)]
    return [*found, What(Fault.REFUSE, "receiver")]


def _lengths(fault: Fault, part: str) -> tuple[int, int]:
    """The shortest time that says something, and the longest."""
    if fault is Fault.PAUSE and part == LEADER:
        return 14_000, 14_001  # longer than its lease: another one takes over, and it comes back thinking that it leads
    if fault in _CLOCKS:
        return 5_000, 20_000  # an agent says what its clock says every 15 s
    return 5_000 if fault in (Fault.PAUSE, Fault.CUT, Fault.FULL) else 2_500, 14_000


class Tormentor:
    """Carries faults out, and keeps what it did. `say` prints a line; `evaluator` names the life of the server that evaluates, if it can be asked."""

    def __init__(self, deployment: Deployment, say: Callable[[str], None], evaluator: Callable[[], Awaitable[str | None]]) -> None:
        self._deployment, self._say, self._evaluator = deployment, say, evaluator
        self.done: list[Disturbance] = []
        self.blind: list[Disturbance] = []  # while nobody could look
        self.clocks: list[Shift] = []  # of servers, by which what is on record has its time
        self.takeovers: list[int] = []  # ms until another life of a server evaluates

    async def do(self, step: Step) -> None:
        """One fault, its end, and the rest after it."""
        part = await self._leader() if step.part == LEADER else step.part
        name = _named(step, part)
        before = await self._evaluator() if step.part == LEADER and self._are_several else None
        start = self._deployment.world.now
        self._say(f"{start / 1000:7.1f} s  {name} for {step.lasts / 1000:.1f} s")
        await self._begin(step, part)
        watching = asyncio.create_task(self._watch(before, time.monotonic()))
        try:
            await asyncio.sleep(step.lasts / 1000)  # slow: how long a fault lasts is what it is
        finally:
            await self._end(step, part)
        for server in self._deployment.names("server"):
            await self._deployment.ready(server)
        disturbance = Disturbance(name, start, self._deployment.world.now, repeats=step.fault in _REPEATING)
        if not self._deployment.names("agent") and step.fault in _BLINDING:
            takeover = _TAKEOVER_MS if self._are_several else 0
            self.blind.append(replace(disturbance, end=disturbance.end + takeover))
        if step.fault in _CLOCKS and part in self._deployment.names("server"):
            self.clocks.append(Shift(start, disturbance.end, step.ahead))
        await asyncio.sleep(step.rest / 1000)  # slow: parts recover meanwhile, each in its own time
        watching.cancel()
        self.done.append(replace(disturbance, end=self._deployment.world.now))

    @property
    def _are_several(self) -> bool:
        return len(self._deployment.names("server")) > 1

    async def _leader(self) -> str:
        """The server that evaluates."""
        servers = self._deployment.names("server")
        for _ in range(_LEADER_SECONDS) if self._are_several else ():
            if (found := (await self._evaluator() or "").partition("/")[0]) in servers:
                return found
            await asyncio.sleep(1)  # slow: another server takes over
        return servers[0]

    async def _watch(self, before: str | None, since: float) -> None:
        """How long it takes until another life of a server evaluates, where one does within the fault and the rest after it."""
        while before is not None:
            if await self._evaluator() not in (before, None):
                self.takeovers.append(round((time.monotonic() - since) * 1000))
                return
            await asyncio.sleep(0.25)  # slow: other processes

    async def _begin(self, step: Step, part: str) -> None:
        match step.fault:
            case Fault.REFUSE:
                self._deployment.world.refuses = True
            case Fault.CUT:
                await self._deployment.network.cut(part)
            case Fault.FULL:
                self._deployment.parts[part].excused = True
                await asyncio.to_thread(fill, self._deployment.disks[part])
            case Fault.PAUSE:
                self._deployment.parts[part].pause()
            case Fault.CLOCK:
                self._deployment.clocks[part].set(step.ahead)
            case Fault.BOOT:
                self._deployment.parts[part].kill()
                self._deployment.clocks[part].set(step.ahead)
                await asyncio.sleep(_DARK_SECONDS)  # slow: how long it is without power
                self._deployment.parts[part].start()
            case Fault.KILL | Fault.POWER:
                self._deployment.parts[part].kill(whole=step.fault is Fault.POWER)

    async def _end(self, step: Step, part: str) -> None:
        match step.fault:
            case Fault.REFUSE:
                self._deployment.world.refuses = False
            case Fault.CUT:
                await self._deployment.network.heal(part)
            case Fault.FULL:
                (self._deployment.disks[part] / "filler").unlink()
                self._deployment.parts[part].excused = False
            case Fault.PAUSE:
                self._deployment.parts[part].resume()
            case Fault.CLOCK | Fault.BOOT:
                self._deployment.clocks[part].set(0)
            case Fault.KILL | Fault.POWER:
                self._deployment.parts[part].start()


def _named(step: Step, part: str) -> str:
    by = f" {step.ahead / 1000:+,.0f} s" if step.ahead else ""
    return f"{step.fault}{by}: {part}" + (" (leading)" if step.part == LEADER else "")


def fill(disk: Path) -> None:
    """Leave nothing free on a file system."""
    with (disk / "filler").open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass
        os.fsync(file.fileno())
