"""What a reader asks to see: one line of words and `tag: state: cause: kind:`, a sorting, groups. Pure."""

import difflib
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vigie.queries import MonitorState
from vigie.queries.board import BoardRow, Summary

_FIELDS = ("tag", "state", "cause", "kind")
# What needs somebody first, everywhere on pages.
STATES = (
    MonitorState.DOWN,
    MonitorState.SUSPECTED,
    MonitorState.DEGRADED,
    MonitorState.RECOVERING,
    MonitorState.UNKNOWN,
    MonitorState.MAINTENANCE,
    MonitorState.NONE,
    MonitorState.UP,
)
_ORDER = {state: number for number, state in enumerate(STATES)}
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """Every word must be in the name, address or id; of the values of one field, one must fit."""

    words: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    cause: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()

    def fits(self, row: BoardRow) -> bool:
        """Whether a row is asked for."""
        monitor, result = row.view.monitor, row.view.result
        if self.state and row.state.value not in self.state:
            return False
        if self.tag and not any(one.casefold() in self.tag for one in monitor.tags):
            return False
        if self.kind and monitor.kind not in self.kind:
            return False
        if self.cause and not (result is not None and result.cause and result.cause.startswith(self.cause)):
            return False
        if not self.words:
            return True
        text = f"{monitor.name} {monitor.target} {monitor.id}".casefold()
        return all(one in text for one in self.words)


def parsed(text: str, state: str = "", tag: str = "") -> Filter:
    """The filter that a line and the address's own `state` and `tag` ask for; `state:any` asks for none."""
    found: dict[str, list[str]] = {name: [] for name in ("words", *_FIELDS)}
    for part in _parts(text[:_LONGEST]):
        name, colon, value = part.partition(":")
        if colon and value and name in _FIELDS:
            found[name] += [one for one in value.split(",") if one]
        elif part:
            found["words"].append(part)
    found["state"] += [state] if state else []
    found["tag"] += [tag.casefold()] if tag else []
    found["state"] = [one for one in found["state"] if one != "any"]
    return Filter(**{name: tuple(values) for name, values in found.items()})


def _parts(text: str) -> list[str]:
    """Words, of which those in quotes may hold spaces."""
    try:
        return shlex.split(text.casefold(), posix=True)
    except ValueError:  # a quote that is not closed yet
        return text.casefold().replace('"', " ").replace("'", " ").split()


def meant(asked: Filter, rows: Iterable[BoardRow]) -> tuple[str, int] | None:
    """What was probably meant where nothing fits (`tag:shop`), and how many have it."""
    rows = list(rows)
    choices: dict[str, Callable[[BoardRow], Iterable[str]]] = {
        "tag": lambda row: (one.casefold() for one in row.view.monitor.tags),
        "state": lambda row: (row.state.value,),
        "kind": lambda row: (row.view.monitor.kind,),
    }
    for name, values_of in choices.items():
        values = {value for row in rows for value in values_of(row)}
        for wanted in getattr(asked, name):
            near = difflib.get_close_matches(wanted, sorted(values), 1)
            if wanted not in values and near:
                return f"{name}:{near[0]}", sum(near[0] in values_of(row) for row in rows)
    return None


class Sort(StrEnum):
    """In what order."""

    STATE = "state"
    NAME = "name"
    P95 = "p95"  # slowest first
    AVAILABLE = "available"  # least available first


def ordered(rows: Iterable[BoardRow], sort: Sort, known: Mapping[str, Summary]) -> list[BoardRow]:
    """In that order, then by name; what is not known yet comes last."""
    if sort is Sort.STATE:
        return sorted(rows, key=lambda row: (_ORDER[row.state], row.order))
    nothing = Summary(None, None)

    def key(row: BoardRow) -> tuple[float, tuple[tuple[int, str], ...]]:
        summary = known.get(row.id, nothing)
        match sort:
            case Sort.P95:
                return -(summary.p95 or -1.0), row.order
            case Sort.AVAILABLE:
                return 2.0 if summary.ratio is None else summary.ratio, row.order
        return 0, row.order

    return sorted(rows, key=key)


@dataclass(frozen=True, slots=True)
class Group:
    """The monitors with one first tag; `name` is empty for those without. `counts` by state, worst first, without zeros."""

    name: str
    rows: tuple[BoardRow, ...]
    counts: Mapping[MonitorState, int]

    @property
    def all_up(self) -> bool:
        """Whether nothing in it deserves a look."""
        return set(self.counts) <= {MonitorState.UP}


def counted_states(rows: Iterable[BoardRow]) -> dict[MonitorState, int]:
    """How many rows are in each state, worst first, without zeros."""
    found = dict.fromkeys(STATES, 0)
    for row in rows:
        found[row.state] += 1
    return {state: count for state, count in found.items() if count}


def grouped(rows: Sequence[BoardRow]) -> list[Group]:
    """By the first tag, rows in the order given; groups by their worst state, then by name, those without a tag last."""
    by_tag: dict[str, list[BoardRow]] = {}
    for row in rows:
        by_tag.setdefault(row.group, []).append(row)
    groups = [Group(name, tuple(found), counted_states(found)) for name, found in by_tag.items()]
    return sorted(groups, key=lambda one: (not one.name, _worst(one), one.name.casefold()))


def _worst(group: Group) -> int:
    return min(_ORDER[state] for state in group.counts)
