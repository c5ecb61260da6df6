"""What the sides of a store need of a database: plain statements on one connection, durability chosen per transaction."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from vigie.errors import StoreError

Row = tuple[Any, ...]


class Db(Protocol):
    """One connection, used by one thread at a time. Raises StoreError and nothing else."""

    @property
    def held(self) -> str:
        """What ends a query whose rows must stay as they are until the transaction ends; nothing where only one writes at a time."""

    @property
    def claimed(self) -> str:
        """What ends a query for rows that nobody else gets meanwhile, and that passes over those which somebody has."""

    def fetch(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Every row of a query."""

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """One statement; how many rows it changed."""

    def bulk(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same statement for every row; inside a transaction that fails, none."""

    def transaction(self, *, durable: bool, alone: str | None = None) -> AbstractContextManager[None]:
        """All or nothing; `durable` means on the disk when this returns, else in the operating system's hands.

        `alone` names transactions of which one is under way at a time, in whatever process; where all of them are so, it says nothing new.
        """

    def snapshot(self) -> AbstractContextManager[None]:
        """Several reads of one state of the database."""

    def tidy(self) -> None:
        """What a database wants done now and then beside its writer."""

    def space(self) -> tuple[int, int | None]:
        """How many bytes the database takes, and how many are free where it lies, if that is known."""

    def damaged(self, what: str) -> StoreError:
        """The error for a database that cannot be believed any more."""

    def close(self) -> None:
        """Close the connection. Closing twice is harmless."""
