"""The history of a store over SQL: single results in tiers, and roll-ups. What the methods mean is said by vigie.ports.History."""

import asyncio
import itertools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from vigie.core.model import CheckResult
from vigie.fleet import packed
from vigie.observation.phases import PhasePoint, points_of, points_of_rollups
from vigie.observation.rollup import DAY_MS, HOUR_MS, Resolution, Retention, Rollup, Tally, merged, rollup_of
from vigie.ports import HistorySize, ResultKey
from vigie.stores.kit import chunks
from vigie.stores.kit.chunks import Records
from vigie.stores.kit.records import decode
from vigie.stores.kit.sql import importing, sparklines, tiers
from vigie.stores.kit.sql.compaction import Compaction
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.recent import Recent, hot_records, numbers_of
from vigie.stores.kit.sql.tiers import Exclusions, Place
from vigie.stores.kit.sql.worker import Worker

_FIGURES_ONLY, _WITH_SKETCHES = tiers.FIGURES, f"{tiers.FIGURES}, sketch"
_COUNT = len(tiers.FIGURES.split(", "))
_TABLES = {Resolution.HOUR: "rollup_hour", Resolution.DAY: "rollup_day"}
_MAX_DAYS = 5_000  # of monitors, a few kilobytes each
Part = Tally | tuple[Any, ...]  # what makes up a roll-up: a tally, or a stored row


class SqlHistory:
    """The History port."""

    def __init__(self, worker: Worker) -> None:
        self._worker, self._recent, self._compaction = worker, Recent(), Compaction(worker)
        self._sparklines = sparklines.Medians()
        self._days_at: tuple[int, ...] = ()
        self._days: dict[tuple[int, int], dict[int, Tally]] = {}
        self._lock = asyncio.Lock()  # who moves or adds results

    async def compact(self, now: int, keep: Retention) -> bool:
        """Do a little of what is due; whether there is more."""
        async with self._lock:
            return await self._compaction.bite(now, keep)

    async def take_in(self, results: Sequence[CheckResult], now: int, keep: Retention) -> int:
        """Add results of whatever time; how many were new."""
        async with self._lock:
            return await importing.take_in(self._worker, results, now, keep)

    async def rollups(
        self, monitors: Sequence[str], start: int, end: int, resolution: Resolution, location: str | None = None
    ) -> dict[str, list[Rollup]]:
        """The hours or days that begin within [start, end)."""
        return await self._worker.read(lambda db: self._rollups(db, monitors, start, end, resolution, location))

    async def phases(
        self, monitor: str, edges: Sequence[int], resolution: Resolution | None = None, location: str | None = None
    ) -> list[PhasePoint]:
        """A point for each step between `edges`."""
        if resolution is None:
            return await self._worker.read(lambda db: _phases(db, monitor, edges, location))
        return await self._worker.read(lambda db: self._rolled_phases(db, monitor, edges, resolution, location))

    async def results(
        self, monitor: str, start: int, end: int, *, location: str | None = None, before: ResultKey | None = None, limit: int = 500
    ) -> list[CheckResult]:
        """Newest first."""
        return await self._worker.read(lambda db: _results(db, monitor, start, end, location, before, limit))

    async def sparklines(self, monitors: Sequence[str], edges: Sequence[int]) -> dict[str, list[float | None]]:
        """The median latency in each step between `edges`."""
        return await self._worker.read(lambda db: self._medians(db, monitors, edges))

    async def size(self) -> HistorySize:
        """How much history takes."""
        return await self._worker.read_aside(_size)

    def _rollups(
        self, db: Db, monitors: Sequence[str], start: int, end: int, resolution: Resolution, location: str | None
    ) -> dict[str, list[Rollup]]:
        ms, table = resolution.ms, _TABLES[resolution]
        with db.snapshot():
            found = self._parts(db, monitors, start, end, resolution, location, _FIGURES_ONLY)
            return {
                monitor: [_rollup(db, table, number * ms, spans[number]) for number in sorted(spans)] for monitor, spans in found.items()
            }

    def _parts(
        self, db: Db, monitors: Sequence[str], start: int, end: int, resolution: Resolution, location: str | None, columns: str
    ) -> dict[str, dict[int, list[Part]]]:
        """For each monitor and number of an hour or day within [start, end) the stored rows and tallies that make it up."""
        self._recent.catch_up(db)
        names, locations = numbers_of(db, monitors), _locations(db, location)
        ms = resolution.ms
        first, last = -(-start // ms), -(-end // ms)
        found: dict[int, dict[int, list[Part]]] = {number: {} for number in names}
        for row in _rows(db, _TABLES[resolution], names, first, last, columns):
            if row[1] in locations:
                found[row[0]].setdefault(row[2], []).append(row)
        if resolution is Resolution.DAY:
            self._add_hours(db, found, locations, first, last)
        excluded = Exclusions.since(db, start)
        per = ms // HOUR_MS
        for number, name in names.items():
            for place in [one for one in self._recent.places(number) if one[1] in locations]:
                for hour, tally in self._recent.tallies(place, excluded.of(name)).items():
                    if first <= hour // per < last:
                        found[number].setdefault(hour // per, []).append(tally)
        return {name: {} for name in monitors} | {names[number]: spans for number, spans in found.items()}

    def _add_hours(self, db: Db, found: dict[int, dict[int, list[Part]]], locations: Collection[int], first: int, last: int) -> None:
        """The days that are not merged yet, by their hours: remembered until results go to chunks, or come late."""
        at = tiers.revision(db)
        if at != self._days_at or len(self._days) > _MAX_DAYS:
            self._days_at, self._days = at, {}
        for day in [one for one in tiers.days_in_hours(db) if first <= one < last]:
            missing = [number for number in found if (number, day) not in self._days]
            hours: dict[Place, list[Tally]] = {}
            for row in _rows(db, "rollup_hour", missing, day * tiers.HOURS, (day + 1) * tiers.HOURS, _WITH_SKETCHES):
                hours.setdefault((row[0], row[1]), []).append(tiers.tally_of_row(row[3:]))
            self._days.update(((number, day), {}) for number in missing)
            for (number, location), tallies in hours.items():
                self._days[number, day][location] = merged(tallies)
            for number, spans in found.items():
                merged_ones = {row[1] for row in spans.get(day, ()) if isinstance(row, tuple)}
                for location, tally in self._days[number, day].items():
                    if location in locations and location not in merged_ones:
                        spans.setdefault(day, []).append(tally)

    def _rolled_phases(self, db: Db, monitor: str, edges: Sequence[int], resolution: Resolution, location: str | None) -> list[PhasePoint]:
        ms, table = resolution.ms, _TABLES[resolution]
        with db.snapshot():
            found = self._parts(db, [monitor], edges[0], edges[-1], resolution, location, _WITH_SKETCHES).get(monitor, {})
            parts = {number * ms: several for number, several in found.items()}
            return points_of_rollups(parts, edges, lambda start, several: _rollup(db, table, start, several))

    def _medians(self, db: Db, monitors: Sequence[str], edges: Sequence[int]) -> dict[str, list[float | None]]:
        with db.snapshot():
            self._recent.catch_up(db)
            return self._sparklines.of(db, self._recent, numbers_of(db, monitors), edges)


def _rows(db: Db, table: str, numbers: Iterable[int], first: int, last: int, columns: str) -> list[tuple[Any, ...]]:
    sql = (
        f"SELECT monitor, location, start, {columns} FROM json_each(?) AS wanted CROSS JOIN location AS place JOIN {table} "
        f"ON {table}.monitor = wanted.value AND {table}.location = place.number WHERE start >= ? AND start < ?"
    )
    return db.fetch(sql, (json.dumps(list(numbers)), first, last))


def _rollup(db: Db, table: str, start: int, parts: list[Part]) -> Rollup:
    """One stored row is read as it is; several parts are merged."""
    first = parts[0]
    if len(parts) == 1:
        return first.rollup(start) if isinstance(first, Tally) else rollup_of(start, first[3 : 3 + _COUNT])
    return merged(_tally(db, table, part) for part in parts).rollup(start)


def _tally(db: Db, table: str, part: Part) -> Tally:
    if isinstance(part, Tally):
        return part
    figures = part[3:]
    if len(figures) == _COUNT:
        where = "monitor = ? AND location = ? AND start = ?"
        figures = (*figures, *db.fetch(f"SELECT sketch FROM {table} WHERE {where}", part[:3])[0])
    return tiers.tally_of_row(figures)


def _locations(db: Db, location: str | None) -> dict[int, str]:
    """The locations that are asked about, by number."""
    return {number: name for number, name in db.fetch("SELECT number, name FROM location") if location in (None, name)}


def _places(db: Db, monitor: str, location: str | None) -> list[tuple[str, Place]]:
    """Where a monitor is checked from, with the name of the location."""
    numbers = list(numbers_of(db, [monitor]))
    return [(name, (numbers[0], number)) for number, name in _locations(db, location).items()] if numbers else []


def read_place(db: Db, place: Place, start: int, end: int) -> Records:
    """Everything of a place within [start, end), in order, each result once."""
    return _with_hot(tiers.read(db, place, start, end), hot_records(db, place, start, end))


def _with_hot(several: Sequence[Records], hot: Sequence[chunks.Record]) -> Records:
    parts = [one for one in several if len(one)]
    if not hot and all(a.instants[-1] < b.instants[0] for a, b in itertools.pairwise(parts)):
        return chunks.joined(parts) if parts else chunks.NOTHING
    rows = [row for part in parts if not part.thin for row in part.rows()]
    thin = [row for part in parts if part.thin for row in part.rows()]
    return chunks.gathered([*chunks.gathered([*rows, *hot]).rows(), *thin])


def _phases(db: Db, monitor: str, edges: Sequence[int], location: str | None) -> list[PhasePoint]:
    with db.snapshot():
        found = [read_place(db, place, edges[0], edges[-1]) for _, place in _places(db, monitor, location)]
        excluded = Exclusions.since(db, edges[0]).of(monitor)
    several = [one for one in found if len(one)]
    if len(several) == 1:
        one = several[0]
        return points_of(one.instants, one.statuses, [one.phase(place) for place in chunks.PHASES], edges, excluded)
    rows = sorted((at, body) for one in several for at, _, _, body in one.rows())
    whole = Records([at for at, _ in rows], (), (), b"".join(body for _, body in rows))
    return points_of(whole.instants, whole.statuses, [whole.phase(place) for place in chunks.PHASES], edges, excluded)


def _results(db: Db, monitor: str, start: int, end: int, location: str | None, before: ResultKey | None, limit: int) -> list[CheckResult]:
    """A day at a time, from the newest on."""
    found: list[CheckResult] = []
    end = min(end, before[0] + 1) if before is not None else end
    with db.snapshot():
        places = _places(db, monitor, location)
        hot = {place: hot_records(db, place, start, end) for _, place in places}
        for day in _days(db, hot, start, end):
            span = max(start, day * DAY_MS), min(end, (day + 1) * DAY_MS)
            rows = []
            for name, place in places:
                own = [row for row in hot[place] if span[0] <= row[0] < span[1]]
                whole = _with_hot(tiers.read(db, place, *span), own)
                rows += [(at, name, run, sequence, body) for at, run, sequence, body in whole.rows()]
            rows = sorted((row for row in rows if before is None or row[:4] < before), reverse=True)[: limit - len(found)]
            found += _whole(db, monitor, rows)
            if len(found) >= limit:
                break
    return found


def _days(db: Db, hot: Mapping[Place, Sequence[chunks.Record]], start: int, end: int) -> list[int]:
    """The days within [start, end) that may have results of these places, newest first."""
    found = {row[0] // DAY_MS for rows in hot.values() for row in rows} | set(tiers.days_in_hours(db))
    for place in hot:
        sql = "SELECT start FROM rollup_day WHERE monitor = ? AND location = ? AND start BETWEEN ? AND ?"
        found |= {day for (day,) in db.fetch(sql, (*place, start // DAY_MS, end // DAY_MS))}
    return sorted((day for day in found if start < (day + 1) * DAY_MS and day * DAY_MS < end), reverse=True)


def _whole(db: Db, monitor: str, rows: Sequence[tuple[int, str, int, int, bytes]]) -> list[CheckResult]:
    """As results; those that were kept whole as they were kept."""
    if not rows:
        return []
    sql = "SELECT body FROM detail WHERE monitor = ? AND good IN (0, 1) AND at BETWEEN ? AND ?"
    kept = {
        (one.location, one.at, one.sequence): one
        for (body,) in db.fetch(sql, (monitor, rows[-1][0], rows[0][0]))
        for one in (decode(body, CheckResult),)
    }
    try:
        return [
            kept.get((name, at, sequence)) or packed.result_of(monitor, name, at, run, sequence, body)
            for at, name, run, sequence, body in rows
        ]
    except ValueError as error:
        raise db.damaged(str(error)) from error


def _size(db: Db) -> HistorySize:
    """By what is cheap to know: bytes of the newest days, and pages for the rest."""
    taken, free = db.space()
    sums = "SELECT coalesce(sum(length(body)), 0), count(*) FROM"
    days = {thin: _newest_day(db, thin) for thin in (0, 1)}
    hours, count = db.fetch(f"{sums} hour_chunk")[0]
    rows, oldest = db.fetch("SELECT count(*), min(start) FROM day_chunk")[0]
    whole_rows = db.fetch("SELECT count(*) FROM day_chunk WHERE thin = 0")[0][0]
    each = {thin: found[0] / found[1] if found[1] else 0.0 for thin, found in days.items()}
    known = hours + count * 40 + sum(each[thin] * number for thin, number in ((0, whole_rows), (1, rows - whole_rows))) + rows * 40
    hot = db.fetch("SELECT coalesce(max(id) - min(id) + 1, 0) FROM hot")[0][0]
    average = db.fetch("SELECT coalesce(avg(length(body)), 0) FROM (SELECT body FROM hot ORDER BY id DESC LIMIT 100) AS newest")[0][0]
    hourly, daily = (_of_rollups(db, table, days[0][2]) for table in ("rollup_hour", "rollup_day"))
    of_hours, of_days = (db.fetch(f"SELECT count(*) FROM {table}")[0][0] for table in ("rollup_hour", "rollup_day"))
    rollups = of_hours * hourly[1] + of_days * daily[1]
    parts = {"recent": round(hot * (average + 16)), "chunks": round(known), "rollups": round(rollups)}
    parts["other"] = max(taken - sum(parts.values()), 0)
    first = oldest * DAY_MS if oldest is not None else db.fetch("SELECT min(start) * 3600000 FROM hour_chunk")[0][0]
    if first is None:
        first = db.fetch("SELECT min(base) FROM hot")[0][0]
    return HistorySize(
        parts,
        days[0][0] or None,
        days[1][0] or None,
        hourly[0] or None,
        daily[0] or None,
        first,
        db.fetch("SELECT max(base) FROM (SELECT base FROM hot ORDER BY id DESC LIMIT 1) AS newest")[0][0],
        free,
    )


def _newest_day(db: Db, thin: int) -> tuple[int, int, int | None]:
    """(bytes, rows, number) of the newest whole day of one layout; thin ones are looked for among those before the oldest whole one."""
    newest = "SELECT max(start) FROM day_chunk WHERE thin = 0" if not thin else (
        "SELECT max(start) FROM day_chunk WHERE start < coalesce((SELECT min(start) FROM day_chunk WHERE thin = 0), 1000000000)"
    )  # fmt: skip
    day = db.fetch(newest)[0][0]
    if day is None:
        return 0, 0, None
    sql = "SELECT coalesce(sum(length(body)), 0), count(*) FROM day_chunk WHERE start = ? AND thin = ?"
    size, count = db.fetch(sql, (day, thin))[0]
    return size + count * 40, count, day


def _of_rollups(db: Db, table: str, day: int | None) -> tuple[int, float]:
    """(bytes of one day's rows, bytes of a row) of a table of roll-ups, by some of its rows."""
    size = db.fetch(f"SELECT avg(length(sketch)) + 42 FROM (SELECT sketch FROM {table} LIMIT 500) AS sample")[0][0]
    if size is None or day is None:
        return 0, size or 0.0
    count = db.fetch("SELECT count(*) FROM day_chunk WHERE start = ?", (day,))[0][0]
    return round(count * size * (tiers.HOURS if table == "rollup_hour" else 1)), size
