"""What the program uses, and what others on the machine took meanwhile."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.ground import resident

_SAMPLES, _PAUSE = 5, 1.0


def tree(pid: int) -> list[psutil.Process]:
    """A process and those below it that are alive."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


def own(pid: int) -> list[psutil.Process]:
    """The program's own processes: without commands that checks run, and without browsers."""
    return [one for one in tree(pid) if _words(one).find("vigie") >= 0]


def _words(one: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(one.cmdline()[1:])
    return ""


def used(pid: int) -> float:
    """CPU seconds of a process and those below it, the ones that ended included."""
    seconds = 0.0
    for one in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            seconds += sum(one.cpu_times()[:4])
    return seconds


def waited(pid: int) -> float:
    """Seconds in which the main thread of a process was ready and did not run (Linux); 0 where nobody counts them."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[1]) / 1e9
    return 0.0


def _busy() -> float:
    """CPU seconds that the machine spent, by whoever; those that a hypervisor kept among them."""
    times = psutil.cpu_times()
    return float(
        sum(times[:10]) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    )


@dataclass(slots=True)
class Share:
    """Of a span: wall seconds, CPU seconds of the program, of the measurement itself, and of everybody else."""

    wall: float = 0.0
    program: float = 0.0
    bench: float = 0.0
    others: float = 0.0
    waited: dict[str, float] = field(default_factory=dict)  # seconds, of each process of the program

    @property
    def taken(self) -> float:
        """How much of the machine others took: 0 to 1."""
        return max(self.others, 0.0) / max(self.wall * (psutil.cpu_count() or 1), 1e-9)


@contextlib.contextmanager
def shared(program: int, bench: int, named: dict[str, int]) -> Iterator[Share]:
    """Measure a span. `bench` is the process above `program`; `named` are those whose waiting is counted."""
    share = Share()
    wall, busy, below, all_of_us = time.monotonic(), _busy(), used(program), used(bench)
    before = {name: waited(pid) for name, pid in named.items()}
    try:
        yield share
    finally:
        share.wall, share.program = time.monotonic() - wall, used(program) - below
        share.bench = used(bench) - all_of_us - share.program
        share.others = _busy() - busy - share.program - share.bench
        share.waited = {name: waited(pid) - before[name] for name, pid in named.items()}


def memory(pid: int) -> tuple[float, str]:
    """Resident MB of the program together, what several processes map counted once, and of each: the middle of a few moments."""
    found = []
    for _ in range(_SAMPLES):
        with contextlib.suppress(psutil.Error):
            processes = own(pid)
            together, each = resident([one.pid for one in processes])
            found.append((together, ", ".join(f"{_role(one)} {size:.0f}" for one, size in zip(processes, each, strict=True))))
        time.sleep(_PAUSE)
    found.sort()
    return found[len(found) // 2] if found else (0.0, "")


def _role(one: psutil.Process) -> str:
    words = _words(one)
    return "prober" if "vigie.agent" in words else "reader" if "worker" in words else "parent"
