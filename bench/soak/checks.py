"""What the prober's checks were, out of the lines that `tap/sitecustomize.py` wrote."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.soak.plan import Group, Monitor

_SHOWN = 12
_SETTLED = 3  # the first results of a monitor are of a program that has just started


@dataclass(slots=True)
class Checks:
    """Milliseconds throughout. `net`: without the time in which other work had the processors."""

    done: int = 0
    voided: int = 0  # by Vigie: "this machine was too busy"
    over: float = 0.0
    over_net: float = 0.0
    slowest: str = ""
    stood_still: list[str] = field(default_factory=list)  # where a prober was that began and ended no check for seconds
    late: list[float] = field(default_factory=list)
    late_net: list[float] = field(default_factory=list)
    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    causes: dict[str, Counter[str]] = field(default_factory=dict)

    def take(self, line: str) -> None:
        """One line; half a line, of a prober that was killed, is left out."""
        parts = line.rstrip("\n").split("\t")
        if parts[0] == "late" and len(parts) == 3:
            self.late.append(float(parts[1]))
            self.late_net.append(max(float(parts[1]) - float(parts[2]), 0.0))
        elif len(parts) == 7:
            self._take_check(*parts)

    def _take_check(self, name: str, took: str, timeout: str, waited: str, status: str, cause: str, voided: str) -> None:
        self.done += 1
        over = float(took) - float(timeout)
        self.over, net = max(self.over, over), over - float(waited)
        if not self.slowest or net > self.over_net:
            self.over_net, self.slowest = net, f"{name}, {cause}"
        if voided == "1":
            self.voided += 1
        else:
            self.statuses.setdefault(name, Counter())[status] += 1
            self.causes.setdefault(name, Counter())[cause] += 1

    def misjudged(self, monitors: Iterable[Monitor]) -> Iterator[str]:
        """Monitors of which more than the first results were not as expected, or that were never checked to an end."""
        for one in monitors:
            found = self.statuses.get(one.name)
            expected = one.expected.split("|")
            if found is None:
                if one.keys.get("type") != "heartbeat":
                    yield f"{one.name}: no result"
            elif one.group is not Group.SCRIPTED and sum(count for status, count in found.items() if status not in expected) >= _SETTLED:
                words = ", ".join(f"{count} {cause}" for cause, count in self.causes[one.name].most_common(3))
                yield f"{one.name}: expected {one.expected}, got {dict(found)} ({words})"


def read(where: Path) -> Checks:
    """Everything that the probers of a run wrote."""
    found = Checks()
    for path in sorted(where.parent.glob(f"{where.name}.*")):
        text = path.read_text()
        if path.suffix == ".stack":
            found.stood_still.append(_deepest(text))
            continue
        for line in text.splitlines():
            found.take(line)
    return found


def _deepest(stacks: str) -> str:
    """Of the first dump, what the main thread was doing, the innermost calls first."""
    main = stacks.partition("(most recent call first):")[2] if "most recent" not in stacks else stacks.rsplit("\n\n", maxsplit=1)[-1]
    return " < ".join(part.strip().replace("File ", "") for part in main.splitlines()[1:5])


def some(lines: list[str]) -> list[str]:
    """As many of them as anybody reads."""
    return [*lines[:_SHOWN], *([f"… and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else [])]
