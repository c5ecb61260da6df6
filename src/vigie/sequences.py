"""A sequence that grows at the same price however long it is, and is a value like a tuple: what was taken from it stays as it was."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(slots=True)
class _History(Generic[Item]):
    """Items in the order that they came in, and the position of each by its key."""

    items: list[Item] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)


class Growing(Generic[Item]):
    """Items with a key each, the first one of a key.

    Values that come of one another share one history, of which each sees the beginning; two that go on from the same value in different
    ways each have a history of their own from there.
    """

    __slots__ = ("_history", "_length")

    def __init__(self, history: _History[Item] | None = None, length: int = 0) -> None:
        self._history, self._length = history or _History[Item](), length

    def __contains__(self, key: str) -> bool:
        return self._history.places.get(key, self._length) < self._length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Item]:
        items = self._history.items
        return (items[position] for position in range(self._length))

    def with_one(self, key: str, item: Item) -> "Growing[Item]":
        """With one more at the end; the same where the key is there already."""
        if key in self:
            return self
        history = self._history if self._length and len(self._history.items) == self._length else self._copy()
        history.places[key] = self._length
        history.items.append(item)
        return Growing(history, self._length + 1)

    def _copy(self) -> _History[Item]:
        known = {key: place for key, place in self._history.places.items() if place < self._length}
        return _History(list(self), known)
