"""A file's values that remember their lines; every fault is collected, none stops the reading."""

from dataclasses import dataclass, field
from typing import Any

from vigie.errors import Fault

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Tree:
    """A file's values. `lines` gives the line of each path; `faults` what was wrong so far."""

    file: str
    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: Path, message: str, fix: str = "") -> None:
        """Note a fault at a path; the line is the nearest known one."""
        where = path
        while where and where not in self.lines:
            where = where[:-1]
        self.faults.append(Fault(message, fix, dotted(path), self.file, self.lines.get(where)))


def dotted(path: Path) -> str:
    """`monitors[2].expect.status`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
