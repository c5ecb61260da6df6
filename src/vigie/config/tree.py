"""A file's values that remember their lines; every fault is collected, none stops the reading."""

from dataclasses import dataclass, field
from typing import Any

from vigie.config.variables import Variables
from vigie.errors import Fault
from vigie.net import Secret
from vigie.text.marks import escaped

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """A text in which `${NAME}` was filled in: where it is, and what the variables held."""

    path: Path
    text: str
    values: tuple[Secret, ...]


@dataclass(slots=True)
class Tree:
    """A file's values. `lines` gives the line of each path, `origins` the variable that brought a value; `faults` what was wrong so far."""

    file: str
    variables: Variables
    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    origins: dict[Path, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)  # of what works, and should be known
    verifying: bool = False  # whether this machine is examined, too
    problems: list[Fault] = field(default_factory=list)  # what keeps adapters from their work on this machine
    doubts: list[Fault] = field(default_factory=list)  # and what may keep them from it
    unread: set[Path] = field(default_factory=set)  # where no value could be read: reported once, nothing more is said about it
    _filled: dict[Path, list[Filled]] = field(default_factory=dict)  # by the first two keys of the path

    def fill(self, path: Path, text: str, values: tuple[Secret, ...]) -> None:
        """Remember that a text came out of variables."""
        self._filled.setdefault(path[:2], []).append(Filled(path, text, values))

    def filled(self, path: Path = ()) -> list[Filled]:
        """The texts at and below a path that came out of variables."""
        if len(path) >= 2:
            return [one for one in self._filled.get(path[:2], []) if one.path[: len(path)] == path]
        return [one for first, found in self._filled.items() if first[: len(path)] == path for one in found]

    def is_filled(self, path: Path) -> bool:
        """Whether the value at a path, or a part of it, came out of a variable."""
        return any(one.path[: len(path)] == path for one in self._filled.get(path[:2], []))

    def is_unread(self, path: Path) -> bool:
        """Whether a value at or below a path could not be read, which has been reported."""
        return any(one[: len(path)] == path for one in self.unread)

    def fault(self, path: Path, message: str, fix: str = "") -> None:
        """Note a fault at a path, with the place of its variable, or else the nearest known line."""
        if any(path[:length] in self.unread for length in range(len(path) + 1)):
            return
        self.faults.append(self._located(path, message, fix))

    def warn(self, path: Path, message: str, fix: str = "") -> None:
        """Note what works, and should be known."""
        self.warnings.append(self._located(path, message, fix))

    def problem(self, path: Path, message: str, fix: str = "", *, certain: bool = True) -> None:
        """Note what is wrong with this machine, in the same way."""
        (self.problems if certain else self.doubts).append(self._located(path, message, fix))

    def _located(self, path: Path, message: str, fix: str) -> Fault:
        if path in self.origins:
            return self.variables.fault(self.origins[path], message, fix)
        where = path
        while where and where not in self.lines:
            where = where[:-1]
        return Fault(message, fix, dotted(path), self.file, self.lines.get(where))


def dotted(path: Path) -> str:
    """`monitors[2].expect.status`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return escaped(text)
