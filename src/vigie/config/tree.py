"""A file's values that remember their lines; every fault is collected, none stops the reading."""

from dataclasses import dataclass, field
from typing import Any

from vigie.config.variables import Variables
from vigie.errors import Fault

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Tree:
    """A file's values. `lines` gives the line of each path, `origins` the variable that brought a value; `faults` what was wrong so far."""

    file: str
    variables: Variables
    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    origins: dict[Path, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unread: set[Path] = field(default_factory=set)  # where no value could be read: told once, nothing more is said about it

    def fault(self, path: Path, message: str, fix: str = "") -> None:
        """Note a fault at a path, with the place of its variable, or else the nearest known line."""
        if any(path[:length] in self.unread for length in range(len(path) + 1)):
            return
        if path in self.origins:
            self.faults.append(self.variables.fault(self.origins[path], message, fix))
            return
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
