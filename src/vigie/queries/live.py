"""What changes while somebody looks: one stream of changes, gathered for a second, for pages and the API."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class ChangeKind(StrEnum):
    """What changed."""

    RESULT = "result"  # a monitor was checked; its state is what it was
    STATE = "state"  # the state of a monitor is another one
    ALERT = "alert"  # an alert began, changed or ended
    CONFIG = "config"  # monitors, channels or planned work are others
    HEALTH = "health"  # how Vigie itself is


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `subject` is the monitor's or alert's id, empty for the others; `at` is epoch ms; `number` rises by one a change."""

    number: int
    kind: ChangeKind
    subject: str
    at: int


class Live(Protocol):
    """Whom pages ask to be kept up to date."""

    @property
    def number(self) -> int:
        """The number of the newest change."""

    def now(self) -> int:
        """The clock of this machine, epoch ms: ages are counted by it."""

    def subscribe(self, since: int | None = None) -> AbstractAsyncContextManager[AsyncIterator[tuple[Change, ...]]]:
        """Changes from now on, or those after the number `since` as far as they are remembered; at most one tuple a second.

        Of several changes of one subject in it, the last. A reader that is too slow loses the oldest and is given a `CONFIG` change, which
        means: read everything anew.
        """
