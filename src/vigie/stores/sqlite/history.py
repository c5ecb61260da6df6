"""The history of the embedded store: single results in tiers, and roll-ups. What the methods mean is said by vigie.ports.History."""

import asyncio
import itertools
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vigie.core.model import CheckResult
from vigie.observation.phases import PhasePoint, points_of, points_of_rollups
from vigie.observation.rollup import DAY_MS, HOUR_MS, Resolution, Retention, Rollup, Tally, merged, rollup_of
from vigie.ports import HistorySize, ResultKey
from vigie.stores.kit import chunks, codec
from vigie.stores.kit.chunks import Records
from vigie.stores.kit.records import decode
from vigie.stores.sqlite import importing, sparklines, tiers
from vigie.stores.sqlite.compaction import Compaction
from vigie.stores.sqlite.db import Db, damaged
from vigie.stores.sqlite.recent import Recent, hot_records, numbers_of
from vigie.stores.sqlite.tiers import Exclusions, Place
from vigie.stores.sqlite.worker import Worker


class SqliteHistory:
    """The History port."""

    def __init__(self, worker: Worker) -> None:
        self._worker, self._recent, self._compaction = worker, Recent(), Compaction(worker)
        self._sparklines = sparklines.Medians()
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
        with db.snapshot():
            found = self._tallies(db, monitors, start, end, resolution, location)
        ms = resolution.ms
        return {
            monitor: [_rollup(number * ms, parts) for number, parts in sorted(spans.items()) if start <= number * ms < end]
            for monitor, spans in found.items()
        }

    def _tallies(
        self, db: Db, monitors: Sequence[str], start: int, end: int, resolution: Resolution, location: str | None
    ) -> dict[str, dict[int, list[Any]]]:
        """For each monitor and number of an hour or day the stored rows (figures and sketch) and tallies that make it up."""
        self._recent.catch_up(db)
        names, numbers = numbers_of(db, monitors), _locations(db, location)
        ms = resolution.ms
        first, last = -(-start // ms), -(-end // ms)
        found: dict[str, dict[int, list[Any]]] = {name: {} for name in monitors}
        table = "rollup_hour" if resolution is Resolution.HOUR else "rollup_day"
        whole = set[tuple[int, int, int]]()
        for number, place, begin, *row in _rows(db, table, names, first, last):
            if place in numbers:
                found[names[number]].setdefault(begin, []).append(row)
                whole.add((number, place, begin))
        if resolution is Resolution.DAY:
            for day in [one for one in tiers.days_in_hours(db) if first <= one < last]:
                for number, place, _, *row in _rows(db, "rollup_hour", names, day * tiers.HOURS, (day + 1) * tiers.HOURS):
                    if place in numbers and (number, place, day) not in whole:
                        found[names[number]].setdefault(day, []).append(tiers.tally_of_row(row))
        excluded = Exclusions.since(db, start)
        per = ms // HOUR_MS
        for number, name in names.items():
            for place in [one for one in self._recent.places(number) if one[1] in numbers]:
                for hour, tally in self._recent.tallies(place, excluded.of(name)).items():
                    if first <= hour // per < last:
                        found[name].setdefault(hour // per, []).append(tally)
        return found

    def _rolled_phases(self, db: Db, monitor: str, edges: Sequence[int], resolution: Resolution, location: str | None) -> list[PhasePoint]:
        with db.snapshot():
            found = self._tallies(db, [monitor], edges[0], edges[-1], resolution, location).get(monitor, {})
        return points_of_rollups({number * resolution.ms: parts for number, parts in found.items()}, edges, _rollup)

    def _medians(self, db: Db, monitors: Sequence[str], edges: Sequence[int]) -> dict[str, list[float | None]]:
        with db.snapshot():
            self._recent.catch_up(db)
            return self._sparklines.of(db, self._recent, numbers_of(db, monitors), edges)


def _rows(db: Db, table: str, names: Iterable[int], first: int, last: int) -> list[tuple[Any, ...]]:
    sql = (
        f"SELECT monitor, location, start, {tiers.FIGURES}, sketch FROM json_each(?) AS wanted, location AS place JOIN {table} "
        f"ON {table}.monitor = wanted.value AND {table}.location = place.number WHERE start >= ? AND start < ?"
    )
    return db.fetch(sql, (json.dumps(list(names)), first, last))


def _tally(part: Any) -> Tally:
    return part if isinstance(part, Tally) else tiers.tally_of_row(part)


def _rollup(start: int, parts: list[Any]) -> Rollup:
    """One stored row is read as it is; several parts are merged."""
    if len(parts) == 1 and not isinstance(parts[0], Tally):
        return rollup_of(start, parts[0][:-1])
    return merged(map(_tally, parts)).rollup(start)


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
            kept.get((name, at, sequence)) or codec.result_of(monitor, name, at, run, sequence, body)
            for at, name, run, sequence, body in rows
        ]
    except ValueError as error:
        raise damaged(db.path, str(error)) from error


def _size(db: Db) -> HistorySize:
    """By what is cheap to know: bytes of the newest days, and pages for the rest."""
    pages, page, spare = (int(db.fetch(f"PRAGMA {name}")[0][0]) for name in ("page_count", "page_size", "freelist_count"))
    sums = "SELECT ifnull(sum(length(body)), 0), count(*) FROM"
    days = {thin: _newest_day(db, thin) for thin in (0, 1)}
    hours, count = db.fetch(f"{sums} hour_chunk")[0]
    rows, oldest = db.fetch("SELECT count(*), min(start) FROM day_chunk")[0]
    whole_rows = db.fetch("SELECT count(*) FROM day_chunk WHERE thin = 0")[0][0]
    each = {thin: found[0] / found[1] if found[1] else 0.0 for thin, found in days.items()}
    known = hours + count * 40 + sum(each[thin] * number for thin, number in ((0, whole_rows), (1, rows - whole_rows))) + rows * 40
    hot = db.fetch("SELECT ifnull(max(id) - min(id) + 1, 0) FROM hot")[0][0]
    average = db.fetch("SELECT ifnull(avg(length(body)), 0) FROM (SELECT body FROM hot ORDER BY id DESC LIMIT 100)")[0][0]
    hourly, daily = (_of_rollups(db, table, days[0][2]) for table in ("rollup_hour", "rollup_day"))
    of_hours, of_days = (db.fetch(f"SELECT count(*) FROM {table}")[0][0] for table in ("rollup_hour", "rollup_day"))
    rollups = of_hours * hourly[1] + of_days * daily[1]
    parts = {"recent": round(hot * (average + 16)), "chunks": round(known), "rollups": round(rollups)}
    parts["other"] = max((pages - spare) * page - sum(parts.values()), 0)
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
        db.fetch("SELECT max(base) FROM (SELECT base FROM hot ORDER BY id DESC LIMIT 1)")[0][0],
        _free(db),
    )


def _newest_day(db: Db, thin: int) -> tuple[int, int, int | None]:
    """(bytes, rows, number) of the newest whole day of one layout; thin ones are looked for among those before the oldest whole one."""
    newest = "SELECT max(start) FROM day_chunk WHERE thin = 0" if not thin else (
        "SELECT max(start) FROM day_chunk WHERE start < ifnull((SELECT min(start) FROM day_chunk WHERE thin = 0), 1e9)"
    )  # fmt: skip
    day = db.fetch(newest)[0][0]
    if day is None:
        return 0, 0, None
    sql = "SELECT ifnull(sum(length(body)), 0), count(*) FROM day_chunk WHERE start = ? AND thin = ?"
    size, count = db.fetch(sql, (day, thin))[0]
    return size + count * 40, count, day


def _of_rollups(db: Db, table: str, day: int | None) -> tuple[int, float]:
    """(bytes of one day's rows, bytes of a row) of a table of roll-ups, by some of its rows."""
    size = db.fetch(f"SELECT avg(length(sketch)) + 42 FROM (SELECT sketch FROM {table} LIMIT 500)")[0][0]
    if size is None or day is None:
        return 0, size or 0.0
    count = db.fetch("SELECT count(*) FROM day_chunk WHERE start = ?", (day,))[0][0]
    return round(count * size * (tiers.HOURS if table == "rollup_hour" else 1)), size


def _free(db: Db) -> int | None:
    try:
        return shutil.disk_usage(db.path.parent).free
    except OSError:
        return None
