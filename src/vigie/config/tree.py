"""A file's values that remember their lines; every fault is collected, none stops the reading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vigie.config.variables import Variables
from vigie.errors import Fault
from vigie.net import Secret
from vigie.text.marks import escaped

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """A text in which `${NAME}` was filled in: where it is, what the variables held, and how it is written; empty for a part of another."""

    path: Path
    text: str
    values: tuple[Secret, ...]
    written: str = ""


@dataclass(slots=True)
class Tree:
    """A file's values, and those of what was made by a page or the API beside it (`made`, by their first two keys: how people call it).

    `lines` gives the line of each path, `origins` the variable that brought a value; `faults` what was wrong so far.
    """

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
    made: dict[Path, str] = field(default_factory=dict)
    untrusted: set[Path] = field(default_factory=set)  # what was made by somebody who may not have any address probed
    absent: frozenset[str] = frozenset()  # names, ids and tags of what was made and is left out, which the file may name all the same
    _filled: dict[Path, list[Filled]] = field(default_factory=dict)  # by the first two keys of the path

    def fill(self, path: Path, text: str, values: tuple[Secret, ...], written: str = "") -> None:
        """Remember that a text came out of variables."""
        self._filled.setdefault(path[:2], []).append(Filled(path, text, values, written))

    def written(self, path: Path) -> Any:
        """The value at a path as the file has it: with `${NAME}` where a variable is filled in, and `$${` for `${`."""
        texts = {one.path: one.written for one in self.filled(path) if one.written}
        value = self.value
        for key in path:
            value = value[key]
        return _written(value, path, texts)

    def filled(self, path: Path = ()) -> list[Filled]:
        """The texts at and below a path that came out of variables."""
        if len(path) >= 2:
            return [one for one in self._filled.get(path[:2], []) if one.path[: len(path)] == path]
        return [one for first, found in self._filled.items() if first[: len(path)] == path for one in found]

    def mark(self) -> tuple[int, ...]:
        """How much was noted so far."""
        return tuple(map(len, (self.faults, self.warnings, self.problems, self.doubts)))

    def forget(self, mark: tuple[int, ...]) -> None:
        """What was noted after a mark: it is looked at again."""
        for noted, count in zip((self.faults, self.warnings, self.problems, self.doubts), mark, strict=True):
            del noted[count:]

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
        if (label := self.made.get(path[:2])) is not None:
            return Fault(message, fix, dotted(path[2:]), label)
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


def _written(value: Any, path: Path, texts: Mapping[Path, str]) -> Any:
    if isinstance(value, dict):
        return {key: _written(one, (*path, key), texts) for key, one in value.items()}
    if isinstance(value, list):
        return [_written(one, (*path, index), texts) for index, one in enumerate(value)]
    if isinstance(value, str) and path not in texts:
        return value.replace("${", "$${")
    return texts.get(path, value)
