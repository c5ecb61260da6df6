"""The rows of chunks and roll-ups: how a result gets into them, whenever it comes, and counts once."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vigie.observation import sketch
from vigie.observation.availability import merged
from vigie.observation.rollup import DAY_MS, HOUR_MS, Retention, Span, Tally, split, tally_of
from vigie.planning.maintenance import MaintenanceSpan
from vigie.stores.kit import chunks
from vigie.stores.kit.chunks import Records
from vigie.stores.kit.records import decode
from vigie.stores.kit.sql.db import Db

HOURS = 24  # of a day
ALONE = "history"  # transactions that move results: one at a time, whatever process does it
FIGURES = "count, up, degraded, excluded, sum, least, most, p50, p95, p99"
_COLUMNS = f"monitor, location, start, {FIGURES}, sketch"
_MARKS = ", ".join("?" * len(_COLUMNS.split(", ")))
_EVER = 2**63 - 1
Place = tuple[int, int]  # monitor number, location number


class Marker(NamedTuple):
    """How far results have gone from `hot`: all of rows up to `done`, and of rows up to `upto` those of monitors up to a number."""

    done: int
    upto: int
    monitor: int


def marker(db: Db) -> Marker:
    """As it is now."""
    found: dict[str, int] = dict(db.fetch("SELECT name, value FROM meta WHERE name IN ('hot_done', 'pass_upto', 'pass_monitor')"))
    return Marker(found["hot_done"], found["pass_upto"], found["pass_monitor"])


def revision(db: Db) -> tuple[int, ...]:
    """Another one whenever results went to chunks or came late."""
    return *marker(db), db.fetch("SELECT value FROM meta WHERE name = 'taken_in'")[0][0]


def set_marker(db: Db, at: Marker) -> None:
    """In the transaction of what it marks."""
    values = {"hot_done": at.done, "pass_upto": at.upto, "pass_monitor": at.monitor}
    db.bulk("UPDATE meta SET value = ? WHERE name = ?", [(value, name) for name, value in values.items()])


@dataclass(slots=True)
class Exclusions:
    """The spans whose results say nothing of a service: what Vigie could not see, and planned work."""

    general: list[Span] = field(default_factory=list)
    own: Mapping[str, list[Span]] = field(default_factory=dict)

    @classmethod
    def since(cls, db: Db, since: int) -> "Exclusions":
        """Those on record that were not over before an instant."""
        general, own = list[Span](), dict[str, list[Span]]()
        blind = (
            "SELECT monitor, start, until FROM blind WHERE location = '' AND (until IS NULL OR until >= ?)"  # of one location: all unknown
        )
        for monitor, start, until in db.fetch(blind, (since,)):
            (own.setdefault(monitor, []) if monitor else general).append((start, _EVER if until is None else until))
        for (body,) in db.fetch("SELECT body FROM maintenance_span WHERE until >= ?", (since,)):
            one = decode(body, MaintenanceSpan)
            for monitor in one.monitors or ():
                own.setdefault(monitor, []).append((one.start, one.end))
            if one.monitors is None:
                general.append((one.start, one.end))
        general = merged(general)
        return cls(general, {monitor: merged([*general, *spans]) for monitor, spans in own.items()})

    def of(self, monitor: str) -> list[Span]:
        """Of one monitor, merged, in order."""
        return self.own.get(monitor, self.general)


def tally(records: Records, excluded: Sequence[Span]) -> Tally:
    """What records come to."""
    return tally_of(records.instants, records.statuses, records.totals, excluded)


def rollup_row(place: Place, start: int, found: Tally) -> tuple[Any, ...]:
    """The row of a roll-up."""
    counts = found.count, found.up, found.degraded, found.excluded, found.sum, found.least, found.most
    return (*place, start, *counts, *found.percentiles(), sketch.encoded(found.sketch))


def tally_of_row(figures: Sequence[Any]) -> Tally:
    """And back, of `FIGURES` and the sketch."""
    count, up, degraded, excluded, total, least, most, _, _, _, body = figures
    return Tally(count, up, degraded, excluded, total, least, most, sketch.decoded(body))


def put_rollup(db: Db, table: str, row: Sequence[Any]) -> None:
    """Insert or replace."""
    db.execute(f"INSERT OR REPLACE INTO {table} ({_COLUMNS}) VALUES ({_MARKS})", row)


def opened(db: Db, body: bytes, start: int, span_ms: int) -> Records:
    """The records of a stored chunk. Raises StoreError."""
    try:
        return chunks.decode(body, start * span_ms)
    except ValueError as error:
        raise db.damaged(str(error)) from error


@dataclass(frozen=True, slots=True)
class Prepared:
    """The records of one hour, monitor and location, with the rows that they make where there are none yet."""

    place: Place
    hour: int
    records: Records
    body: bytes
    rollup: tuple[Any, ...]


def prepare(place: Place, records: Records, excluded: Sequence[Span]) -> list[Prepared]:
    """Records of any hours, as rows."""
    found = []
    for hour, first, last in split(records.instants, HOUR_MS):
        part = records if last - first == len(records) else records.part(first, last)
        body = chunks.encode(part, hour * HOUR_MS)
        found.append(Prepared(place, hour, part, body, rollup_row(place, hour, tally(part, excluded))))
    return found


def take(db: Db, one: Prepared, excluded: Sequence[Span], now: int, keep: Retention) -> int:
    """Put records where their hour is kept, inside a transaction; how many were not there yet."""
    day, (monitor, location) = one.hour // HOURS, one.place
    of_day = db.fetch("SELECT id, body FROM day_chunk WHERE start = ? AND monitor = ? AND location = ?", (day, monitor, location))
    if of_day:
        return _amend_day(db, one, of_day[0], excluded, now, keep)
    known = db.fetch("SELECT body FROM hour_chunk WHERE start = ? AND monitor = ? AND location = ?", (one.hour, monitor, location))
    body, row, added = one.body, one.rollup, len(one.records)
    if known:
        before = opened(db, known[0][0], one.hour, HOUR_MS)
        whole = chunks.gathered([*before.rows(), *one.records.rows()])
        added = len(whole) - len(before)
        if not added:
            return 0
        body, row = chunks.encode(whole, one.hour * HOUR_MS), rollup_row(one.place, one.hour, tally(whole, excluded))
    sql = "INSERT OR REPLACE INTO hour_chunk (start, monitor, location, count, body) VALUES (?, ?, ?, ?, ?)"
    db.execute(sql, (one.hour, monitor, location, len(one.records) if not known else len(whole), body))
    put_rollup(db, "rollup_hour", row)
    return added


def _amend_day(db: Db, one: Prepared, of_day: tuple[int, bytes], excluded: Sequence[Span], now: int, keep: Retention) -> int:
    """A day that is over is given what came late."""
    day, (number, stored) = one.hour // HOURS, of_day
    before = opened(db, stored, day, DAY_MS)
    late = chunks.thinned(one.records) if before.thin else one.records
    whole = chunks.gathered([*before.rows(), *late.rows()], by_instant=before.thin)
    if len(whole) == len(before):
        return 0
    db.execute("UPDATE day_chunk SET count = ?, body = ? WHERE id = ?", (len(whole), chunks.encode(whole, day * DAY_MS), number))
    put_rollup(db, "rollup_day", rollup_row(one.place, day, tally(whole, excluded)))
    if (one.hour + 1) * HOUR_MS > now - keep.hourly_ms:
        for hour, first, last in split(whole.instants, HOUR_MS):
            if hour == one.hour:
                put_rollup(db, "rollup_hour", rollup_row(one.place, hour, tally(whole.part(first, last), excluded)))
    return len(whole) - len(before)


def hours_of(db: Db, place: Place, hours: Iterable[int]) -> list[tuple[int, int, bytes]]:
    """(hour, count, body) of the chunks of these hours."""
    sql = "SELECT start, count, body FROM hour_chunk WHERE start IN (SELECT value FROM json_each(?)) AND monitor = ? AND location = ?"
    return sorted(db.fetch(sql, (json.dumps(list(hours)), *place)))


def days_in_hours(db: Db) -> list[int]:
    """The days that have chunks of hours, oldest first: found by seeking, however many rows a day has."""
    sql = (
        "WITH RECURSIVE found(day) AS (SELECT min(start) / 24 FROM hour_chunk UNION ALL "
        "SELECT (SELECT min(start) / 24 FROM hour_chunk WHERE start >= (day + 1) * 24) FROM found WHERE day IS NOT NULL) "
        "SELECT day FROM found WHERE day IS NOT NULL"
    )
    return [day for (day,) in db.fetch(sql)]


def read(db: Db, place: Place, start: int, end: int) -> list[Records]:
    """The records of a place within [start, end), epoch ms, that are in chunks: oldest hour or day first. Raises StoreError."""
    found: list[tuple[int, Records]] = []
    days = json.dumps(list(range(start // DAY_MS, -(-end // DAY_MS))))
    sql = "SELECT start, body FROM day_chunk WHERE start IN (SELECT value FROM json_each(?)) AND monitor = ? AND location = ?"
    for day, body in db.fetch(sql, (days, *place)):
        found.append((day * DAY_MS, opened(db, body, day, DAY_MS)))
    for day in days_in_hours(db):
        if start < (day + 1) * DAY_MS and day * DAY_MS < end:
            hours = [hour for hour in range(day * HOURS, (day + 1) * HOURS) if start < (hour + 1) * HOUR_MS and hour * HOUR_MS < end]
            found += [(hour * HOUR_MS, opened(db, body, hour, HOUR_MS)) for hour, _, body in hours_of(db, place, hours)]
    return [_within(records, start, end) for _, records in sorted(found, key=lambda one: one[0])]


def _within(records: Records, start: int, end: int) -> Records:
    instants = records.instants
    if not instants or (instants[0] >= start and instants[-1] < end):
        return records
    kept = [place for place, at in enumerate(instants) if start <= at < end]
    return records.part(kept[0], kept[-1] + 1) if kept else chunks.NOTHING
