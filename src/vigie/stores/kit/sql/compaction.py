"""How results go from `hot` to chunks of hours, from there to chunks of days, and what is too old away: a bite at a time.

What costs time (unpacking, compressing, counting) is done by a thread of its own, and what it made is written in transactions of a few
milliseconds, so that no commit waits. A transaction writes chunks and roll-ups together with the marker that takes their results out of
`hot`; rows that have gone are deleted afterwards. Whatever another process changed meanwhile is noticed in the transaction, and the
bite is made anew.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vigie.fleet import packed
from vigie.observation.rollup import DAY_MS, HOUR_MS, Retention
from vigie.stores.kit import chunks
from vigie.stores.kit.sql import tiers
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.tiers import Exclusions, Marker, Place, Prepared
from vigie.stores.kit.sql.worker import Worker

_SETTLED_MS = 300_000  # after its end an hour waits so long for what comes late
_DAY_SETTLED_MS = 7_200_000
_MAX_RECORDS, _MAX_ROWS, _LONGEST_MS = 600_000, 20_000, DAY_MS  # of one pass: at most 25 MB in memory, and few hours of a monitor
_COLLECTED, _WRITTEN, _MERGED, _DELETED, _SWEPT = 4_000, 24, 4, 400, 400  # records, places, places, rows and places of one bite
_ACTIVITY = 300  # instants that are remembered
_HELD_SECONDS = 0.02  # that a bite may hold the writer before it leaves the rest to the next one
_FOLDED = 16  # bites, after which the log is folded into the database, before it grows so long that a commit has to do it


@dataclass(slots=True)
class _Pass:
    """One turn: rows of `hot` up to `at.upto`, read up to `cursor`, by monitor and location."""

    at: Marker
    cursor: int
    groups: dict[int, dict[int, bytearray]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(bytearray)))
    left: list[int] = field(default_factory=list)
    exclusions: Exclusions = field(default_factory=Exclusions)
    names: dict[int, str] = field(default_factory=dict)
    ready: list[tuple[int, list[Prepared]]] = field(default_factory=list)  # monitors that are to be written, with their rows

    @property
    def collected(self) -> bool:
        return self.cursor >= self.at.upto


@dataclass(frozen=True, slots=True)
class _Day:
    """A day of one place, made of its hours."""

    day: int
    place: Place
    hours: list[tuple[int, int]]  # hour, count
    row: tuple[Any, ...]
    rollup: tuple[Any, ...]


class Compaction:
    """One bite at a time; used by one task."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._pass: _Pass | None = None
        self._days: list[tuple[int, Place]] = []
        self._swept_day, self._sweeping = -1, list[Place]()
        self._bites = 0

    async def bite(self, now: int, keep: Retention) -> bool:
        """Do a little; whether there is more. Raises StoreError."""
        more = await self._bite(now, keep)
        self._bites += 1
        if self._bites % _FOLDED == 0 or (not more and self._bites > 1):
            self._bites = 0
            await self._worker.read_aside(lambda db: db.tidy())
        return more

    async def _bite(self, now: int, keep: Retention) -> bool:
        if self._pass is None:
            self._pass = await self._worker.read_aside(lambda db: _begun(db, now))
            if self._pass is not None:
                begun = self._pass.at
                await self._worker.run(lambda db: _mark(db, begun))
        if self._pass is not None:
            return await self._go_on(self._pass, now, keep)
        return (
            await self._worker.run(_delete_gone) > 0
            or await self._merge(now, keep)
            or await self._thin(now, keep)
            or await self._drop(now, keep)
        )

    async def _go_on(self, turn: _Pass, now: int, keep: Retention) -> bool:
        if not turn.collected:
            await self._worker.read_aside(lambda db: _collect(db, turn))
            return True
        if not turn.ready:
            monitors = _next(turn)
            turn.ready = await self._worker.read_aside(lambda _: [(one, _prepared(turn, one)) for one in monitors])
        if not await self._worker.run(lambda db: _write(db, turn, now, keep)) or not turn.left:
            self._pass = None
        return True

    async def _merge(self, now: int, keep: Retention) -> bool:
        if not self._days:
            self._days = await self._worker.read_aside(lambda db: _due_days(db, now))
        if not self._days:
            return False
        some, self._days = self._days[:_MERGED], self._days[_MERGED:]
        made = await self._worker.read_aside(lambda db: _merged(db, some, now, keep))
        await self._worker.run(lambda db: _write_days(db, made))
        return True

    async def _thin(self, now: int, keep: Retention) -> bool:
        """What is older than raw results are kept: status and total stay."""
        made = await self._worker.read_aside(lambda db: _thinned(db, (now - keep.raw_ms) // DAY_MS))
        if made:
            await self._worker.run(lambda db: _write_thin(db, made))
        return bool(made)

    async def _drop(self, now: int, keep: Retention) -> bool:
        """What is too old."""
        if await self._worker.run(lambda db: _drop_days(db, (now - keep.totals_ms) // DAY_MS)):
            return True
        if self._swept_day == now // DAY_MS and not self._sweeping:
            return False
        if not self._sweeping:
            self._swept_day = now // DAY_MS
            self._sweeping = await self._worker.read_aside(_places)
        some, self._sweeping = self._sweeping[:_SWEPT], self._sweeping[_SWEPT:]
        await self._worker.run(lambda db: _drop_hours(db, some, (now - keep.hourly_ms) // HOUR_MS))
        return bool(self._sweeping)


def _begun(db: Db, now: int) -> _Pass | None:
    """A pass that was left unfinished, or a new one over what is older than the hour that just ended; None where there is nothing."""
    at = tiers.marker(db)
    if at.upto > at.done:
        return _Pass(at, at.done)
    cutoff, records, upto = (now - _SETTLED_MS) // HOUR_MS * HOUR_MS, 0, 0
    first: int | None = None
    for row, base, count in db.fetch("SELECT id, base, count FROM hot WHERE id > ? ORDER BY id LIMIT ?", (at.done, _MAX_ROWS)):
        first = base if first is None else first
        records += count
        if upto and (records > _MAX_RECORDS or base - first >= _LONGEST_MS):
            break
        if base < cutoff:
            upto = row
    return _Pass(Marker(at.done, upto, 0), at.done) if upto else None


def _mark(db: Db, at: Marker) -> None:
    with db.transaction(durable=False, alone=tiers.ALONE):
        if tiers.marker(db).upto < at.upto:
            tiers.set_marker(db, at)


def _collect(db: Db, turn: _Pass) -> None:
    """Read on, and at the end what else is needed."""
    records = 0
    while records < _COLLECTED:
        sql = "SELECT id, base, body FROM hot WHERE id > ? AND id <= ? ORDER BY id LIMIT 50"
        rows = db.fetch(sql, (turn.cursor, turn.at.upto))
        for number, base, body in rows:
            records += _split(db, turn, base, body)
            turn.cursor = number
            if records >= _COLLECTED:
                break
        if not rows:
            turn.cursor = turn.at.upto
            break
    if turn.collected:
        turn.left = sorted(turn.groups)
        oldest = min((next(chunks.records_of(one))[0] for group in turn.groups.values() for one in group.values()), default=0)
        turn.exclusions = Exclusions.since(db, oldest - DAY_MS)
        turn.names = {number: name for name, number in db.fetch("SELECT id, number FROM monitor")}


def _split(db: Db, turn: _Pass, base: int, body: bytes) -> int:
    groups, skip, loose, count = turn.groups, turn.at.monitor, chunks.loose, 0
    try:
        for monitor, location, at, run, sequence, record in packed.parts_of(max(base, 0), body):
            if monitor > skip:
                groups[monitor][location] += loose(at, run, sequence, record)
                count += 1
    except ValueError as error:
        raise db.damaged(str(error)) from error
    return count


def _next(turn: _Pass) -> list[int]:
    """The monitors of the next bite: few where they are checked often or from many locations."""
    found, places, records = list[int](), 0, 0
    for monitor in turn.left:
        groups = turn.groups[monitor]
        places, records = places + len(groups), records + sum(map(len, groups.values())) // chunks.LOOSE
        if found and (places > _WRITTEN or records > _COLLECTED):
            break
        found.append(monitor)
    return found


def _prepared(turn: _Pass, monitor: int) -> list[Prepared]:
    found: list[Prepared] = []
    excluded = turn.exclusions.of(turn.names.get(monitor, ""))
    for location, several in turn.groups[monitor].items():
        found += tiers.prepare((monitor, location), chunks.gathered(chunks.records_of(several)), excluded)
    return found


def _write(db: Db, turn: _Pass, now: int, keep: Retention) -> bool:
    """Chunks, roll-ups and the marker in one transaction, of as many monitors as there is time for, and at least one.

    False where another process has moved the marker.
    """
    until, done = time.monotonic() + _HELD_SECONDS, 0
    with db.transaction(durable=False, alone=tiers.ALONE):
        if tiers.marker(db) != turn.at:
            return False
        for monitor, made in turn.ready:
            for one in made:
                tiers.take(db, one, turn.exclusions.of(turn.names.get(monitor, "")), now, keep)
            done += 1
            if time.monotonic() > until:
                break
        last = done == len(turn.left)
        then = Marker(turn.at.upto, turn.at.upto, 0) if last else turn.at._replace(monitor=turn.left[done - 1] if done else turn.at.monitor)
        if last:
            _remember_activity(db, turn.at.done, then.done)
        tiers.set_marker(db, then)
    for monitor in turn.left[:done]:
        turn.groups.pop(monitor, None)
    turn.at, turn.left, turn.ready = then, turn.left[done:], turn.ready[done:]
    return True


def _remember_activity(db: Db, done: int, upto: int) -> None:
    newest = f"SELECT id, base FROM hot WHERE id > ? AND id <= ? ORDER BY id DESC LIMIT {_ACTIVITY}"
    db.execute(f"INSERT OR REPLACE INTO activity (id, at) {newest}", (done, upto))
    db.execute(f"DELETE FROM activity WHERE id NOT IN (SELECT id FROM activity ORDER BY id DESC LIMIT {_ACTIVITY})")


def _delete_gone(db: Db) -> int:
    """Rows whose results are in chunks; the newest row stays, so that no number is given twice."""
    gone = "id <= (SELECT value FROM meta WHERE name = 'hot_done') AND id < (SELECT max(id) FROM hot)"
    some = f"SELECT id FROM hot WHERE {gone} ORDER BY id LIMIT {_DELETED}"
    if not db.fetch(f"{some[: -len(str(_DELETED))]}1"):
        return 0
    with db.transaction(durable=False, alone=tiers.ALONE):
        return db.execute(f"DELETE FROM hot WHERE id IN ({some})")


def _due_days(db: Db, now: int) -> list[tuple[int, Place]]:
    """The days that are over and still in chunks of hours, with each place in them; not while `hot` still has results of them."""
    rows = db.fetch("SELECT base FROM hot WHERE id > (SELECT value FROM meta WHERE name = 'hot_done') ORDER BY id LIMIT 1")
    over = min(now - _DAY_SETTLED_MS, rows[0][0] if rows else now) // DAY_MS
    due = [day for day in tiers.days_in_hours(db) if day < over][:1]
    sql = "SELECT DISTINCT monitor, location FROM hour_chunk WHERE start BETWEEN ? AND ?"
    return [(day, place) for day in due for place in sorted(db.fetch(sql, (day * tiers.HOURS, (day + 1) * tiers.HOURS - 1)))]


def _merged(db: Db, days: Sequence[tuple[int, Place]], now: int, keep: Retention) -> list[_Day]:
    exclusions = Exclusions.since(db, min(day for day, _ in days) * DAY_MS)
    names: dict[int, str] = {number: name for name, number in db.fetch("SELECT id, number FROM monitor")}
    found = list[_Day]()
    with db.snapshot():
        for day, place in days:
            hours = tiers.hours_of(db, place, range(day * tiers.HOURS, (day + 1) * tiers.HOURS))
            parts = [tiers.opened(db, body, hour, HOUR_MS) for hour, _, body in hours]
            whole = chunks.joined(parts)
            if not len(whole):
                continue
            thin = day < (now - keep.raw_ms) // DAY_MS
            rollup = tiers.rollup_row(place, day, tiers.tally(whole, exclusions.of(names.get(place[0], ""))))
            kept = chunks.thinned(whole) if thin else whole
            row = (day, *place, int(thin), len(whole), chunks.encode(kept, day * DAY_MS))
            found.append(_Day(day, place, [(hour, count) for hour, count, _ in hours], row, rollup))
    return found


def _write_days(db: Db, made: Sequence[_Day]) -> None:
    """Each day in place of its hours; one whose hours have changed meanwhile is left for later."""
    with db.transaction(durable=False, alone=tiers.ALONE):
        for one in made:
            first, last = one.day * tiers.HOURS, (one.day + 1) * tiers.HOURS
            now = [(hour, count) for hour, count, _ in tiers.hours_of(db, one.place, range(first, last))]
            if now != one.hours:
                continue
            db.execute("INSERT INTO day_chunk (start, monitor, location, thin, count, body) VALUES (?, ?, ?, ?, ?, ?)", one.row)
            tiers.put_rollup(db, "rollup_day", one.rollup)
            sql = "DELETE FROM hour_chunk WHERE start = ? AND monitor = ? AND location = ?"
            db.bulk(sql, [(hour, *one.place) for hour, _ in one.hours])


def _thinned(db: Db, before: int) -> list[tuple[bytes, int, int]]:
    """(new body, row, count) of some days before one, that are still whole."""
    rows = db.fetch(f"SELECT id, start, count, body FROM day_chunk WHERE thin = 0 AND start < ? LIMIT {_MERGED}", (before,))
    return [
        (chunks.encode(chunks.thinned(tiers.opened(db, body, day, DAY_MS)), day * DAY_MS), number, count)
        for number, day, count, body in rows
    ]


def _write_thin(db: Db, made: Sequence[tuple[bytes, int, int]]) -> None:
    with db.transaction(durable=False, alone=tiers.ALONE):
        db.bulk("UPDATE day_chunk SET thin = 1, body = ? WHERE id = ? AND count = ?", made)


def _drop_days(db: Db, before: int) -> int:
    some = f"SELECT id FROM day_chunk WHERE start < ? LIMIT {_DELETED // 4}"
    if not db.fetch("SELECT 1 FROM day_chunk WHERE start < ? LIMIT 1", (before,)):
        return 0
    with db.transaction(durable=False, alone=tiers.ALONE):
        return db.execute(f"DELETE FROM day_chunk WHERE id IN ({some})", (before,))


def _places(db: Db) -> list[Place]:
    """Every monitor and location there could be."""
    return list(db.fetch("SELECT monitor.number, location.number FROM monitor, location ORDER BY 1, 2"))


def _drop_hours(db: Db, places: Sequence[Place], before: int) -> None:
    with db.transaction(durable=False, alone=tiers.ALONE):
        db.bulk("DELETE FROM rollup_hour WHERE monitor = ? AND location = ? AND start < ?", [(*place, before) for place in places])
