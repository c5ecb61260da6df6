"""Partitions of what is written in the order of time: made ahead, and dropped once they are empty and over, which costs next to nothing.

What is out of season, from an agent that was cut off for days or under a clock that is wrong, lies in the default partition.
"""

from typing import TYPE_CHECKING, NamedTuple

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
            _change(db, kind, list(numbers), [])


def keep(db: "PgDb") -> None:
    """Make those of the next days and drop the empty ones of days that are over, of whatever process comes first. Raises StoreError."""
    today = int(db.fetch("SELECT floor(extract(epoch FROM clock_timestamp()) / 86400)::bigint")[0][0])
    there = {
        str(name)
        for (name,) in db.fetch(
            "SELECT c.relname FROM pg_class c WHERE c.relispartition AND c.relnamespace = current_schema()::regnamespace"
        )
    }
    for kind in _KINDS:
        now = today // kind.days
        missing = [number for number in range(now, now + _AHEAD) if _name(kind, number) not in there]
        over = [name for name in there if (number := _number(kind, name)) is not None and number < now - _BEHIND]
        if missing or over:
            _change(db, kind, missing, sorted(over))


def _change(db: "PgDb", kind: _Kind, missing: list[int], over: list[str]) -> None:
    with db.transaction(durable=True, alone="partitions"):
        db.script("SET LOCAL lock_timeout = '1s'")
        span = kind.days * kind.unit
        for number in missing:
            bounds = f"FROM ({number * span}) TO ({(number + 1) * span})"
            db.script(f"CREATE TABLE IF NOT EXISTS {_name(kind, number)} PARTITION OF {kind.table} FOR VALUES {bounds}")
        for name in over:
            if db.fetch("SELECT 1 WHERE to_regclass($1) IS NOT NULL", (name,)) and not db.fetch(f"SELECT 1 FROM {name} LIMIT 1"):
                db.script(f"DROP TABLE {name}")


def _name(kind: _Kind, number: int) -> str:
    return f"{kind.table}_{number}"


def _number(kind: _Kind, name: str) -> int | None:
    rest = name.removeprefix(f"{kind.table}_")
    return int(rest) if rest != name and rest.isdecimal() else None
