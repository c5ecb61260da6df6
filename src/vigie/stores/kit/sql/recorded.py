"""Results of all monitors together, over chunks and what is still in `hot`: in the order of time, and the newest of each."""

from collections.abc import Iterable, Mapping

from vigie.core.model import CheckResult
from vigie.fleet import packed
from vigie.observation.rollup import DAY_MS, HOUR_MS
from vigie.stores.kit.records import decode
from vigie.stores.kit.sql import tiers
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.tiers import Place, marker

_GROUPS = 200  # rows of `hot` that are read at a time
_AT_ONCE = 5_000  # results that a span of time is chosen for
_SHORTEST_MS = 60_000
_INSTANT = 1 << 44  # a cursor within `hot` is a row and the instant reached; one within chunks is an instant, negative
_LOOK_BACK = 300  # rows of `hot` that are unpacked whole for the newest results: five minutes of them
_MAX_ROWS = 20_000
Key = tuple[str, str]


def read(db: Db, since: int, after: int) -> tuple[list[CheckResult], int]:
    """The next results from an instant on, and where to go on; 0 at the end. Raises StoreError."""
    with db.snapshot():
        row, reached = divmod(after, _INSTANT) if after > 0 else (0, since if after == 0 else -after)
        at = marker(db)
        if after > 0 and row < at.done:  # what was read of `hot` has gone to chunks meanwhile: repeated results are harmless
            after = -(reached or 1)
        if after <= 0 and (start := _next_chunk(db, reached)) is not None:
            end = start + _span(db, start)
            return _with_details(db, _from_chunks(db, start, end)), -end
        return _from_hot(db, since, max(row, at.done))


def _next_chunk(db: Db, since: int) -> int | None:
    """The instant of the next hour or day that has chunks, not before `since`."""
    day = db.fetch("SELECT min(start) FROM day_chunk WHERE start >= ?", (since // DAY_MS,))[0][0]
    hour = db.fetch("SELECT min(start) FROM hour_chunk WHERE start >= ?", (since // HOUR_MS,))[0][0]
    starts = [one * ms for one, ms in ((day, DAY_MS), (hour, HOUR_MS)) if one is not None]
    return max(min(starts), since) if starts else None


def _span(db: Db, start: int) -> int:
    """So long that a few thousand results lie in it, and no longer than the hour or day."""
    day, hour = start // DAY_MS, start // HOUR_MS
    of_day = db.fetch("SELECT sum(count) FROM day_chunk WHERE start = ?", (day,))[0][0] or 0
    of_hour = db.fetch("SELECT sum(count) FROM hour_chunk WHERE start = ?", (hour,))[0][0] or 0
    rate = of_day / DAY_MS + of_hour / HOUR_MS
    ms, whole = (HOUR_MS, hour) if of_hour or not of_day else (DAY_MS, day)
    wanted = max(int(_AT_ONCE / rate), _SHORTEST_MS) if rate else ms
    following = db.fetch("SELECT min(start) FROM hour_chunk WHERE start > ?", (hour,))[0][0]
    ends = [start + wanted, (whole + 1) * ms, *([following * HOUR_MS] if following is not None else [])]
    return max(int(min(ends)) - start, 1)


def _from_chunks(db: Db, start: int, end: int) -> list[CheckResult]:
    ids, names = _names(db)
    rows = []
    for place in _places(db, start, end):
        if place[0] in ids:
            rows += [
                (at, run, sequence, body, place) for part in tiers.read(db, place, start, end) for at, run, sequence, body in part.rows()
            ]
    rows.sort(key=lambda row: row[:3])
    try:
        return [
            packed.result_of(ids[place[0]], names.get(place[1], ""), at, run, sequence, body) for at, run, sequence, body, place in rows
        ]
    except ValueError as error:
        raise db.damaged(str(error)) from error


def _places(db: Db, start: int, end: int) -> list[Place]:
    days = db.fetch("SELECT monitor, location FROM day_chunk WHERE start BETWEEN ? AND ?", (start // DAY_MS, (end - 1) // DAY_MS))
    hours = db.fetch("SELECT monitor, location FROM hour_chunk WHERE start BETWEEN ? AND ?", (start // HOUR_MS, (end - 1) // HOUR_MS))
    return sorted({*days, *hours})


def _from_hot(db: Db, since: int, row: int) -> tuple[list[CheckResult], int]:
    ids, names = _names(db)
    at = marker(db)
    gone = [number for number in ids if number <= at.monitor]
    left = {number: name for number, name in ids.items() if number > at.monitor}
    rows = db.fetch("SELECT id, base, body FROM hot WHERE id > ? ORDER BY id LIMIT ?", (row, _GROUPS))
    found: list[CheckResult] = []
    reached = since
    for number, base, body in rows:
        reached = max(reached, base)
        known = left if gone and number <= at.upto else ids
        found += sorted((one for one in _unpacked(db, base, body, known, names) if one.at >= since), key=lambda one: one.at)
    if not rows:
        return [], 0
    return _with_details(db, found), rows[-1][0] * _INSTANT + min(reached, _INSTANT - 1)


def _unpacked(db: Db, base: int, body: bytes, ids: Mapping[int, str], names: Mapping[int, str]) -> list[CheckResult]:
    try:
        return [one for one in packed.unpack(base, body, ids, names) if one.monitor]
    except ValueError as error:
        raise db.damaged(str(error)) from error


def _names(db: Db) -> tuple[dict[int, str], dict[int, str]]:
    """Monitors and locations by their numbers."""
    ids: dict[int, str] = {number: monitor for monitor, number in db.fetch("SELECT id, number FROM monitor")}
    return ids, dict(db.fetch("SELECT number, name FROM location"))


def _with_details(db: Db, found: list[CheckResult]) -> list[CheckResult]:
    """Those that were kept whole as they were kept."""
    if not found:
        return []
    spans = (min(one.at for one in found), max(one.at for one in found))
    bodies = db.fetch("SELECT body FROM detail WHERE at BETWEEN ? AND ?", spans)
    whole = {(one.monitor, one.location, one.at, one.sequence): one for (body,) in bodies for one in (decode(body, CheckResult),)}
    return [whole.get((one.monitor, one.location, one.at, one.sequence), one) for one in found]


def newest(db: Db) -> dict[Key, CheckResult]:
    """The newest result of each watched monitor from each location, by both. Raises StoreError."""
    ids = {number: monitor for monitor, number in db.fetch("SELECT id, number FROM monitor WHERE active = 1")}
    names: dict[int, str] = dict(db.fetch("SELECT number, name FROM location"))
    found: dict[Key, CheckResult] = {}
    with db.snapshot():
        at = marker(db)
        rows = db.fetch("SELECT base, body FROM hot WHERE id > ? ORDER BY id DESC LIMIT ?", (at.done, _LOOK_BACK))
        for base, body in rows:
            if len(found) == len(ids) * len(names):
                break
            for result in reversed(_unpacked(db, base, body, ids, names)):
                found.setdefault((result.monitor, result.location), result)
        missing = {number: name for number, name in ids.items() if not any((name, place) in found for place in names.values())}
        if missing:
            found |= _older(db, missing, names)
            missing = {number: name for number, name in missing.items() if not any((name, place) in found for place in names.values())}
            found |= _in_chunks(db, missing, names)
    return found


def _older(db: Db, missing: Mapping[int, str], names: Mapping[int, str]) -> dict[Key, CheckResult]:
    """Of monitors that are checked rarely, in the rest of `hot`: only their own records are unpacked."""
    sql = "SELECT base, body FROM hot WHERE id > (SELECT value FROM meta WHERE name = 'hot_done') ORDER BY id DESC LIMIT ? OFFSET ?"
    newest_of: dict[Place, tuple[int, int, int, bytes]] = {}
    for base, body in db.fetch(sql, (_MAX_ROWS, _LOOK_BACK)):
        try:
            for monitor, location, at, run, sequence, record in packed.parts_of(base, body):
                if monitor in missing and ((known := newest_of.get((monitor, location))) is None or at > known[0]):
                    newest_of[monitor, location] = (at, run, sequence, record)
        except ValueError as error:
            raise db.damaged(str(error)) from error
    return _results(db, ((place, record) for place, record in newest_of.items()), missing, names)


def _in_chunks(db: Db, missing: Mapping[int, str], names: Mapping[int, str]) -> dict[Key, CheckResult]:
    """And of those that are not there either."""
    found = []
    for place in [(number, location) for number in missing for location in names]:
        hour, day = (
            db.fetch(f"SELECT max(start) FROM {table} WHERE monitor = ? AND location = ?", place)[0][0]
            for table in ("rollup_hour", "rollup_day")
        )
        spans = [(one * ms, (one + 1) * ms) for one, ms in ((hour, HOUR_MS), (day, DAY_MS)) if one is not None]
        if spans and (parts := [part for part in tiers.read(db, place, *max(spans)) if len(part)]):
            found.append((place, list(parts[-1].rows())[-1]))
    return _results(db, found, missing, names)


def _results(
    db: Db, rows: Iterable[tuple[Place, tuple[int, int, int, bytes]]], ids: Mapping[int, str], names: Mapping[int, str]
) -> dict[Key, CheckResult]:
    try:
        made = [packed.result_of(ids[place[0]], names.get(place[1], ""), *record) for place, record in rows]
    except ValueError as error:
        raise db.damaged(str(error)) from error
    return {(one.monitor, one.location): one for one in made}
