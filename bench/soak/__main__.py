"""Run the soak, and say each figure with its target beside it; the exit status is 1 when a target is missed."""

import argparse
import asyncio
import contextlib
import json
import math
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.ground import folder, health
from bench.soak import machine, plan
from bench.soak.checks import read
from bench.soak.clients import Answers, crowd
from bench.soak.disk import Disk, make
from bench.soak.figures import Found, missing, report
from bench.soak.plan import Group, Monitor
from bench.soak.program import Program, a_port, configuration, jobs, running
from bench.soak.receivers import Receivers, receiving
from vigie.descriptors import raise_limit

_SETTLE_SECONDS = 12.0  # from the start of the program, for a first check of every monitor
_PROGRESS_SECONDS = 30.0
_LAST_SECONDS, _LAST_SECONDS_LONG = 60.0, 330.0  # for what is still due at the end


@dataclass(slots=True)
class Soak:
    """One run."""

    seconds: float
    began: float = math.inf
    monitors: list[Monitor] = field(default_factory=list)
    disk: Disk | None = None
    late: list[int] = field(default_factory=list)
    full: float = 0.0
    full_since: float | None = None
    first_memory: tuple[float, str] = (0.0, "")
    last_memory: tuple[float, str] = (0.0, "")

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return time.time() - self.began

    def due(self) -> plan.Due:
        """What the script makes due."""
        names = [one.name for one in self.monitors if one.group is Group.SCRIPTED]
        return plan.Due.of(names, ("mail", "hook"), self.seconds)

    async def play(self, program: Program, receivers: Receivers, answers: Answers) -> None:
        """From the start to the end of the script: fill the disk, watch, tell how far it is."""
        memory_at = min(120.0, self.seconds / 2)
        told = time.monotonic()
        while (at := self.now) < self.seconds:
            await self._fill(program, wanted=plan.disk_is_full(at, self.seconds))
            if at >= memory_at and not self.first_memory[1]:
                self.first_memory = await asyncio.to_thread(machine.memory, program.pid)
            if time.monotonic() - told >= _PROGRESS_SECONDS:
                told = time.monotonic()
                await self._tell(program, receivers, answers)
            if program.process.poll() is not None:
                raise SystemExit(f"vigie serve ended by itself with {program.process.returncode}:\n{program.console.read_text()[-4_000:]}")
            await asyncio.sleep(0.5)
        await self._fill(program, wanted=False)
        self.last_memory = await asyncio.to_thread(machine.memory, program.pid)

    async def _fill(self, program: Program, *, wanted: bool) -> None:
        """Fill or empty the disk, if it is otherwise."""
        if self.disk is None or wanted == (self.full_since is not None):
            return
        await asyncio.to_thread(self.disk.fill if wanted else self.disk.empty, program.pid)
        if self.full_since is not None:
            self.full += time.monotonic() - self.full_since
        self.full_since = time.monotonic() if wanted else None

    async def _tell(self, program: Program, receivers: Receivers, answers: Answers) -> None:
        receivers.gather()
        words = f"{self.now:.0f} of {self.seconds:.0f} s"
        with contextlib.suppress(OSError):
            now = await asyncio.to_thread(health, program.port)
            self.late += [now["late_p99_ms"]] if now["late_p99_ms"] is not None else []
            words += f", {now['monitors']['up']} up, {now['monitors']['down']} down, {now['monitors']['unknown']} unknown, late p99 {now['late_p99_ms']} ms, {now['notices_unsent']} unsent"
        taken = ", ".join(f"{len(one.keys)} by {one.channel}" for one in receivers.taken.values())
        print(f"{words}; {taken}; {answers.held} connections held, {len(answers.failed)} answers failed", file=sys.stderr, flush=True)

    async def finish(self, program: Program, receivers: Receivers) -> None:
        """Wait for what is still due, as long as that can take."""
        end = time.monotonic() + (_LAST_SECONDS_LONG if self.seconds >= plan.LONG_ENOUGH else _LAST_SECONDS)
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                now = await asyncio.to_thread(health, program.port)
                receivers.gather()
                if not now["notices_unsent"] and not missing(self.due(), receivers):
                    break
            await asyncio.sleep(1)


@dataclass(slots=True)
class Servers:
    """A process of servers and the monitors that look at them."""

    process: asyncio.subprocess.Process
    monitors: list[Monitor]

    def begin(self, at: float) -> None:
        """Tell it when the script began."""
        if self.process.stdin is not None:
            self.process.stdin.write(f"{at}\n".encode())


@contextlib.asynccontextmanager
async def servers(group: Group, place: Path, seconds: float, count: int) -> AsyncIterator[Servers]:
    """Start one."""
    command = [sys.executable, "-m", "bench.soak.servers", group, str(place), str(seconds), str(count)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=1 << 26)
    try:
        line = await process.stdout.readline() if process.stdout else b""
        if not line:
            raise SystemExit(f"the {group} servers did not start")
        found = [Monitor(one["name"], Group(one["group"]), one["keys"], one["expected"]) for one in json.loads(line)]
        yield Servers(process, found)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def soak(seconds: float, count: int, place: Path) -> Found:
    """The whole run."""
    raise_limit()
    disk_folder = place / "disk"
    disk_folder.mkdir()
    run = Soak(seconds, disk=make(disk_folder))
    async with contextlib.AsyncExitStack() as stack:
        hostile = await stack.enter_async_context(servers(Group.HOSTILE, place, seconds, 0))
        others, tokens = jobs()
        left = count - len(hostile.monitors) - len(others)
        healthy = await stack.enter_async_context(servers(Group.HEALTHY, place, seconds, left))
        receivers = await stack.enter_async_context(receiving(place, lambda: run.now, seconds))
        run.monitors = [*healthy.monitors, *others, *hostile.monitors]
        config = configuration(run.monitors, receivers.channels, disk_folder, a_port())
        program = stack.enter_context(running(place, run.disk, disk_folder, config, place / "checks"))
        answers = await stack.enter_async_context(crowd(program.port, tokens))
        run.began = time.time() + _SETTLE_SECONDS
        healthy.begin(run.began)
        with machine.shared(program.pid, os.getpid(), {"parent": program.pid, "prober": program.prober}) as share:
            await run.play(program, receivers, answers)
        await run.finish(program, receivers)
        answers.over = True
        await asyncio.sleep(1)  # what was asked is answered
        return Found(
            checks=read(place / "checks"),
            monitors=run.monitors,
            due=run.due(),
            receivers=receivers,
            answers=answers,
            share=share,
            memory=(run.first_memory, run.last_memory),
            late=run.late,
            disk=(run.disk.how if run.disk else None, run.full),
            stopped=await asyncio.to_thread(program.stop),
            complaints=program.complaints(),
        )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the script plays [10]")
    parser.add_argument("--monitors", type=int, default=1_000, help="how many, hostile ones included [1000]")
    parser.add_argument("--keep", type=Path, help="a folder to keep the console and the checks in")
    given = parser.parse_args()
    with folder() as place:
        found = asyncio.run(soak(given.minutes * 60, given.monitors, place))
        if given.keep:
            keep(place, given.keep)
    sys.exit(0 if report(found) else 1)


def keep(place: Path, where: Path) -> None:
    """Copy what a reader may want to look at."""
    where.mkdir(parents=True, exist_ok=True)
    for path in (*place.glob("checks.*"), place / "console", place / "vigie.yaml"):
        shutil.copy(path, where)


if __name__ == "__main__":
    main()
