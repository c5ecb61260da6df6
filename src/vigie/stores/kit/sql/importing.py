"""Results of whatever time, added to the chunk and the roll-ups that they belong to."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from vigie.core.model import CheckResult
from vigie.fleet import packed
from vigie.observation.rollup import DAY_MS, Retention
from vigie.stores.kit import chunks
from vigie.stores.kit.sql import tiers
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.locations import add_locations
from vigie.stores.kit.sql.recent import hot_records
from vigie.stores.kit.sql.tiers import Exclusions, Prepared
from vigie.stores.kit.sql.worker import Worker

_BITE = 24  # hours of monitors in one transaction
_AT_ONCE = 5_000  # results that are packed in one go
_MAX = 2**32 - 1


async def take_in(worker: Worker, results: Sequence[CheckResult], now: int, keep: Retention) -> int:
    """Add them; how many were new. Raises StoreError."""
    added = 0
    for start in range(0, len(results), _AT_ONCE):
        added += await _take_some(worker, results[start : start + _AT_ONCE], now, keep)
    return added


async def _take_some(worker: Worker, results: Sequence[CheckResult], now: int, keep: Retention) -> int:
    await worker.run(lambda db: _know(db, {one.location for one in results}))
    made, exclusions = await worker.read_aside(lambda db: _prepared(db, results, now, keep))
    added = 0
    for first in range(0, len(made), _BITE):
        added += await worker.run(partial(_write, some=made[first : first + _BITE], exclusions=exclusions, now=now, keep=keep))
    return added


def _know(db: Db, locations: set[str]) -> None:
    known = {name for (name,) in db.fetch("SELECT name FROM location")}
    if missing := sorted(locations - known):
        with db.transaction(durable=False):
            add_locations(db, missing)


def _prepared(db: Db, results: Sequence[CheckResult], now: int, keep: Retention) -> tuple[list[tuple[Prepared, str]], Exclusions]:
    numbers: dict[str, int] = dict(db.fetch("SELECT id, number FROM monitor"))
    places: dict[str, int] = dict(db.fetch("SELECT name, number FROM location"))
    oldest = ((now - keep.totals_ms) // DAY_MS) * DAY_MS
    groups: dict[tuple[str, tiers.Place], list[chunks.Record]] = defaultdict(list)
    for one in results:
        if one.monitor in numbers and one.at >= oldest:
            run, sequence = min(max(one.run, 0), _MAX), min(max(one.sequence, 0), 2**48 - 1)
            place = (numbers[one.monitor], places[one.location])
            groups[one.monitor, place].append((one.at, run, sequence, packed.body_of(one)))
    since = min((one.at for one in results), default=0)
    exclusions = Exclusions.since(db, since - DAY_MS)
    found = []
    for (monitor, place), rows in groups.items():
        found += [(made, monitor) for made in tiers.prepare(place, chunks.gathered(rows), exclusions.of(monitor))]
    return found, exclusions


def _write(db: Db, some: Sequence[tuple[Prepared, str]], exclusions: Exclusions, now: int, keep: Retention) -> int:
    """One transaction; what is still in `hot` is not added."""
    added = 0
    with db.transaction(durable=False, alone=tiers.ALONE):
        bounds = "SELECT min(base) FROM hot WHERE id > (SELECT value FROM meta WHERE name = 'hot_done')"
        first = db.fetch(bounds)[0][0]
        for made, monitor in some:
            one: Prepared | None = made
            if first is not None and made.records.instants[-1] >= first:
                one = _without_hot(db, made, exclusions, monitor)
            if one is not None:
                added += tiers.take(db, one, exclusions.of(monitor), now, keep)
        if added:
            db.execute("UPDATE meta SET value = value + 1 WHERE name = 'taken_in'")
    return added


def _without_hot(db: Db, made: Prepared, exclusions: Exclusions, monitor: str) -> Prepared | None:
    instants = made.records.instants
    hot = {
        (run, sequence, at if not (run or sequence) else 0)
        for at, run, sequence, _ in hot_records(db, made.place, instants[0], instants[-1] + 1)
    }
    if not hot:
        return made
    rows = [row for row in made.records.rows() if (row[1], row[2], row[0] if not (row[1] or row[2]) else 0) not in hot]
    if len(rows) == len(instants):
        return made
    return tiers.prepare(made.place, chunks.gathered(rows), exclusions.of(monitor))[0] if rows else None
