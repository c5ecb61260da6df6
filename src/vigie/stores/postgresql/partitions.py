"""Partitions of what is written in the order of time: made ahead, and dropped once they are empty and over, which costs next to nothing.

What is out of season, from an agent that was cut off for days or under a clock that is wrong, lies in the default partition.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from vigie.errors import StoreError
from vigie.observation.rollup import DAY_MS

if TYPE_CHECKING:
    from vigie.stores.postgresql.db import PgDb

_AHEAD, _BEHIND = 3, 2  # partitions
_MAX_COVERED = 60


class _Kind(NamedTuple):
    """A table in partitions of `days` days; `unit` is what its key counts in a day."""

    table: str
    days: int
    unit: int


_KINDS = (_Kind("hot", 1, DAY_MS), _Kind("hour_chunk", 1, 24), _Kind("day_chunk", 32, 1))


def cover(db: "PgDb", table: str, first: int, last: int) -> None:
    """Make those that rows between two values of the key belong to, unless they are too many. Raises StoreError."""
    for kind in _KINDS:
        span = kind.days * kind.unit
        numbers = range(first // span, last // span + 1)
        if kind.table == table and len(numbers) <= _MAX_COVERED:
            for number in numbers:
                _make(db, kind, number)


def keep(db: "PgDb") -> None:
    """Make those of the next days and drop the empty ones of days that are over, of whatever process comes first. Raises StoreError.

    What cannot be done now, because somebody reads the table for long or the default partition has rows of that day, comes round again.
    """
    today = int(db.fetch("SELECT floor(extract(epoch FROM clock_timestamp()) / 86400)::bigint")[0][0])
    there = {
        str(name)
        for (name,) in db.fetch(
            "SELECT c.relname FROM pg_class c WHERE c.relispartition AND c.relnamespace = current_schema()::regnamespace"
        )
    }
    for kind in _KINDS:
        now = today // kind.days
        for number in [one for one in range(now, now + _AHEAD) if _name(kind, one) not in there]:
            with contextlib.suppress(StoreError):
                _make(db, kind, number)
        for name in sorted(there):
            if (known := _number(kind, name)) is not None and known < now - _BEHIND:
                with contextlib.suppress(StoreError):
                    _drop_empty(db, kind, name)


@contextlib.contextmanager
def _changing(db: "PgDb") -> Iterator[None]:
    with db.transaction(durable=True, alone="partitions"):
        db.script("SET LOCAL lock_timeout = '1s'")
        yield


def _make(db: "PgDb", kind: _Kind, number: int) -> None:
    span = kind.days * kind.unit
    bounds = f"FROM ({number * span}) TO ({(number + 1) * span})"
    with _changing(db):
        db.script(f"CREATE TABLE IF NOT EXISTS {_name(kind, number)} PARTITION OF {kind.table} FOR VALUES {bounds}")


def _drop_empty(db: "PgDb", kind: _Kind, name: str) -> None:
    any_row = f"SELECT 1 FROM {name} LIMIT 1"
    if db.fetch(any_row):
        return
    with _changing(db):
        db.script(f"LOCK TABLE ONLY {kind.table}, {name} IN ACCESS EXCLUSIVE MODE")  # what comes late may be written to it until now
        if not db.fetch(any_row):
            db.script(f"DROP TABLE {name}")


def _name(kind: _Kind, number: int) -> str:
    return f"{kind.table}_{number}"


def _number(kind: _Kind, name: str) -> int | None:
    rest = name.removeprefix(f"{kind.table}_")
    return int(rest) if rest != name and rest.isdecimal() else None
