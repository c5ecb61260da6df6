"""The members of an alert: a sequence that grows at the same price however long it is, because a storm has thousands in a second."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from vigie.core.detection import Severity
from vigie.sequences import Growing


@dataclass(frozen=True, slots=True)
class Member:
    """One incident of an alert."""

    incident: str
    monitor: str
    open: bool = True
    severity: Severity = Severity.OUTAGE


class Members(Collection[Member]):
    """Who joined, in order, and the incidents that closed. Immutable to whoever has it."""

    __slots__ = ("_closed", "_joined", "_monitors")

    def __init__(self, members: Iterable[Member] = ()) -> None:
        self._joined, self._closed, self._monitors = Growing[Member](), Growing[None](), Growing[None]()
        for one in members:
            self._add(one)

    @property
    def open(self) -> int:
        """How many of them are open."""
        return len(self._joined) - len(self._closed)

    def has(self, incident: str) -> bool:
        """Whether an incident is a member."""
        return incident in self._joined

    def has_open(self, incident: str) -> bool:
        """Whether it is an open one."""
        return incident in self._joined and incident not in self._closed

    def concern(self, monitor: str) -> bool:
        """Whether an incident of this monitor is a member, or was one."""
        return monitor in self._monitors

    def with_one(self, member: Member) -> "Members":
        """With one more; the same where it is a member already."""
        if self.has(member.incident):
            return self
        after = self._copy()
        after._add(member)  # noqa: SLF001 - of its own kind
        return after

    def without(self, incident: str) -> "Members":
        """With this member closed; the same where it is not an open one."""
        if not self.has_open(incident):
            return self
        after = self._copy()
        after._closed = self._closed.with_one(incident, None)  # noqa: SLF001 - of its own kind
        return after

    def _copy(self) -> "Members":
        after = Members.__new__(Members)
        after._joined, after._closed, after._monitors = self._joined, self._closed, self._monitors  # noqa: SLF001 - of its own kind
        return after

    def _add(self, member: Member) -> None:
        if self.has(member.incident):
            return
        self._joined = self._joined.with_one(member.incident, replace(member, open=True))
        self._monitors = self._monitors.with_one(member.monitor, None)
        if not member.open:
            self._closed = self._closed.with_one(member.incident, None)

    def __contains__(self, one: object) -> bool:
        return any(one == known for known in self)

    def __len__(self) -> int:
        return len(self._joined)

    def __iter__(self) -> Iterator[Member]:
        return (replace(one, open=False) if one.incident in self._closed else one for one in self._joined)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Members | tuple) and len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return len(self._joined)

    def __repr__(self) -> str:
        return f"Members({list(self)!r})"


NOBODY = Members()
