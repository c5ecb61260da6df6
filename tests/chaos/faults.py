"""What is done to the parts, and when: a list of faults by a seed, each over and recovered from before the next one."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from tests.chaos.fleet import Deployment
from tests.chaos.verdict import Disturbance


class Fault(StrEnum):
    """What can happen to a part."""

    KILL = "kill -9"  # it alone; what it started must end by itself
    POWER = "loss of power"  # with everything that it started
    PAUSE = "pause"
    CUT = "cut off"
    FULL = "full disk"
    REFUSE = "answers 503"  # the receiver of notices


LEADER = "leader"  # the server that evaluates, whichever it is when the fault begins
_TAKEOVER_MS = 12_000  # until another server checks in place of one that checked
_BLINDING = (Fault.KILL, Fault.POWER, Fault.PAUSE, Fault.CUT, Fault.FULL)


@dataclass(frozen=True, slots=True)
class Step:
    """A fault of a part for so many milliseconds, then `rest` milliseconds of peace."""

    fault: Fault
    part: str
    lasts: int
    rest: int

    def __str__(self) -> str:
        return f"{self.fault}: {self.part} for {self.lasts / 1000:.1f} s"


# The bounded run: each kind of fault, and each part, in as little time as says something. Leases last 10 s.
_BOUNDED = (
    (Fault.POWER, LEADER, 2_500),
    (Fault.CUT, "agent1", 6_000),
    (Fault.POWER, "nats", 3_000),
    (Fault.PAUSE, LEADER, 12_000),
    (Fault.POWER, "postgres", 2_500),
    (Fault.KILL, "agent2", 3_000),
    (Fault.CUT, "agent3", 6_000),
    (Fault.CUT, LEADER, 12_000),
    (Fault.FULL, "server1", 4_000),
    (Fault.FULL, "agent1", 4_000),
    (Fault.FULL, "postgres", 4_000),
    (Fault.REFUSE, "receiver", 3_000),
)


def in_turn(deployment: Deployment) -> list[Step]:
    """Every kind of fault once, for the bounded run."""
    there = {*possible(deployment), *((fault, LEADER) for fault, part in possible(deployment) if part == "server1")}
    return [Step(fault, part, lasts, 2_000) for fault, part, lasts in _BOUNDED if (fault, part) in there]


def by_chance(deployment: Deployment, seed: int) -> Iterator[Step]:
    """Faults without an end, the same for the same seed: all that there are in an order of chance, then again in another one."""
    chance = random.Random(f"{seed}:faults")
    while True:
        everything = possible(deployment)
        chance.shuffle(everything)
        for fault, part in everything:
            shortest = _shortest(fault, part)
            yield Step(fault, part, chance.randrange(shortest, max(shortest + 1, 14_000)), chance.randrange(2_000, 8_000))


def possible(deployment: Deployment) -> list[tuple[Fault, str]]:
    """Each fault with each part that can have it."""
    several = len(deployment.names("server")) > 1
    parts = [LEADER, *deployment.names("server")[1:]] if several else deployment.names("server")
    parts += [name for name in deployment.parts if name not in deployment.names("server")]
    found = [(fault, part) for fault in (Fault.POWER, Fault.PAUSE) for part in parts]
    found += [(Fault.KILL, part) for part in parts if part == LEADER or part.rstrip("0123456789") in ("agent", "server")]
    found += [(Fault.CUT, part) for part in parts]
    found += [(Fault.FULL, part) for part in deployment.disks]
    return [*found, (Fault.REFUSE, "receiver")]


def _shortest(fault: Fault, part: str) -> int:
    if fault is Fault.PAUSE and part == LEADER:
        return 14_000  # longer than its lease: another one takes over, and it comes back thinking that it leads
    return 5_000 if fault in (Fault.PAUSE, Fault.CUT, Fault.FULL) else 2_500


class Tormentor:
    """Carries faults out, and keeps what it did. `say` prints a line; `leader` names the server that evaluates."""

    def __init__(self, deployment: Deployment, say: Callable[[str], None], leader: Callable[[], Awaitable[str]]) -> None:
        self._deployment, self._say, self._leader = deployment, say, leader
        self.done: list[Disturbance] = []
        self.blind: list[Disturbance] = []  # while nobody could look

    async def do(self, step: Step) -> None:
        """One fault, its end, and the rest after it."""
        part = await self._leader() if step.part == LEADER else step.part
        name = f"{step.fault}: {part}" + (" (leading)" if step.part == LEADER else "")
        start = self._deployment.world.now
        self._say(f"{start / 1000:7.1f} s  {name} for {step.lasts / 1000:.1f} s")
        await self._begin(step.fault, part)
        try:
            await asyncio.sleep(step.lasts / 1000)  # slow: how long a fault lasts is what it is
        finally:
            await self._end(step.fault, part)
        for server in self._deployment.names("server"):
            await self._deployment.ready(server)
        disturbance = Disturbance(name, start, self._deployment.world.now)
        if not self._deployment.names("agent") and step.fault in _BLINDING:
            takeover = _TAKEOVER_MS if len(self._deployment.names("server")) > 1 else 0
            self.blind.append(replace(disturbance, end=disturbance.end + takeover))
        await asyncio.sleep(step.rest / 1000)  # slow: parts recover meanwhile, each in its own time
        self.done.append(replace(disturbance, end=self._deployment.world.now))

    async def _begin(self, fault: Fault, part: str) -> None:
        if fault is Fault.REFUSE:
            self._deployment.world.refuses = True
        elif fault is Fault.CUT:
            await self._deployment.network.cut(part)
        elif fault is Fault.FULL:
            self._deployment.parts[part].excused = True
            await asyncio.to_thread(fill, self._deployment.disks[part])
        elif fault is Fault.PAUSE:
            self._deployment.parts[part].pause()
        else:
            self._deployment.parts[part].kill(whole=fault is Fault.POWER)

    async def _end(self, fault: Fault, part: str) -> None:
        if fault is Fault.REFUSE:
            self._deployment.world.refuses = False
        elif fault is Fault.CUT:
            await self._deployment.network.heal(part)
        elif fault is Fault.FULL:
            (self._deployment.disks[part] / "filler").unlink()
            self._deployment.parts[part].excused = False
        elif fault is Fault.PAUSE:
            self._deployment.parts[part].resume()
        else:
            self._deployment.parts[part].start()


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
