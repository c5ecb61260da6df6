"""The members of an alert: a sequence that grows at the same price however long it is, because a storm has thousands in a second.

A value like a tuple: what was taken from it stays as it was. Values that come of one another share one history, of which each sees the
beginning; two that go on from the same value in different ways each have a history of their own from there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

from vigie.core.detection import Severity


@dataclass(frozen=True, slots=True)
class Member:
    """One incident of an alert."""

    incident: str
    monitor: str
    open: bool = True
    severity: Severity = Severity.OUTAGE


@dataclass(slots=True)
class _History:
    """Who joined, in order, and the incidents that closed, in order; each with its position, and the first one of each monitor."""

    joined: list[Member] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    closed: dict[str, int] = field(default_factory=dict)
    monitors: dict[str, int] = field(default_factory=dict)


class Members(Sequence[Member]):
    """Immutable to whoever has it."""

    __slots__ = ("_closed", "_history", "_joined")

    def __init__(self, members: Iterable[Member] = ()) -> None:
        self._history, self._joined, self._closed = _History(), 0, 0
        for one in members:
            self._add(one)

    @property
    def open(self) -> int:
        """How many of them are open."""
        return self._joined - self._closed

    def has(self, incident: str) -> bool:
        """Whether an incident is a member."""
        return self._history.places.get(incident, self._joined) < self._joined

    def has_open(self, incident: str) -> bool:
        """Whether it is an open one."""
        return self.has(incident) and self._history.closed.get(incident, self._closed) >= self._closed

    def concern(self, monitor: str) -> bool:
        """Whether an incident of this monitor is a member, or was one."""
        return self._history.monitors.get(monitor, self._joined) < self._joined

    def with_one(self, member: Member) -> "Members":
        """With one more; the same where it is a member already."""
        if self.has(member.incident):
            return self
        after = self._going_on()
        after._add(member)  # noqa: SLF001 - of its own kind
        return after

    def without(self, incident: str) -> "Members":
        """With this member closed; the same where it is not an open one."""
        if not self.has_open(incident):
            return self
        after = self._going_on()
        after._close(incident)  # noqa: SLF001 - of its own kind
        return after

    def _going_on(self) -> "Members":
        """A copy that may be changed: of the same history where this is its end."""
        if not self:
            return Members()
        history = self._history
        if len(history.joined) != self._joined or len(history.closed) != self._closed:
            return Members(self)
        after = Members()
        after._history, after._joined, after._closed = history, self._joined, self._closed
        return after

    def _add(self, member: Member) -> None:
        if self.has(member.incident):
            return
        self._history.places[member.incident] = self._joined
        self._history.monitors.setdefault(member.monitor, self._joined)
        self._history.joined.append(replace(member, open=True))
        self._joined += 1
        if not member.open:
            self._close(member.incident)

    def _close(self, incident: str) -> None:
        self._history.closed[incident] = self._closed
        self._closed += 1

    def __len__(self) -> int:
        return self._joined

    def __iter__(self) -> Iterator[Member]:
        closed, until = self._history.closed, self._closed
        for position in range(self._joined):
            one = self._history.joined[position]
            yield one if closed.get(one.incident, until) >= until else replace(one, open=False)

    @overload
    def __getitem__(self, index: int) -> Member: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Member]: ...
    def __getitem__(self, index: int | slice) -> Member | Sequence[Member]:
        return tuple(self)[index]

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Sequence) and len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return self._joined

    def __repr__(self) -> str:
        return f"Members({list(self)!r})"


NOBODY = Members()
