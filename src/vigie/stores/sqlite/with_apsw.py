"""The driver in use: apsw carries a current SQLite on every platform (3.7.0 to 3.51.2 have a race that can reset the log)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import apsw

Row = tuple[Any, ...]


class ApswDriver:
    """One connection by apsw; used by one thread at a time."""

    errors: ClassVar[tuple[type[Exception], ...]] = (apsw.Error,)

    def __init__(self, path: Path, busy_ms: int) -> None:
        self._connection = apsw.Connection(str(path))
        self._connection.set_busy_timeout(busy_ms)

    def fetch(self, sql: str, values: Sequence[Any]) -> list[Row]:
        """Every row of a query."""
        return list(self._connection.execute(sql, values))

    def execute(self, sql: str, values: Sequence[Any]) -> int:
        """One statement; how many rows it changed."""
        self._connection.execute(sql, values)
        return self._connection.changes()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    @staticmethod
    def code(error: Exception) -> int:
        """SQLite's extended result code of an error; 0 where it has none."""
        return int(getattr(error, "extendedresult", 0) or 0)

    def close(self) -> None:
        """Close; the last connection folds the log in."""
        self._connection.close()
