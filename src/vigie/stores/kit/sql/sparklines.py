"""Sparklines for many monitors at once: medians of recent single results, and those of whole hours, which are remembered."""

import itertools
import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from statistics import median

from vigie.observation.rollup import DEGRADED, HOUR_MS, NO_LATENCY, UP, merged
from vigie.stores.kit.sql import tiers
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.recent import Recent

_MAX_KNOWN = 20_000  # monitors


class Medians:
    """Used by one thread. What is known of hours holds until results go to chunks, or come late."""

    def __init__(self) -> None:
        self._at: tuple[int, ...] = ()
        self._hours: dict[int, dict[int, int]] = {}  # by monitor and hour, in tenths of a millisecond

    def of(self, db: Db, recent: Recent, names: Mapping[int, str], edges: Sequence[int]) -> dict[str, list[float | None]]:
        """For each monitor a value a step."""
        self._know(db, list(names), edges[0] // HOUR_MS, edges[-1] // HOUR_MS + 1)
        return {name: self._line(recent, number, edges) for number, name in names.items()}

    def _know(self, db: Db, numbers: Sequence[int], first: int, last: int) -> None:
        key = (*tiers.revision(db), first, last)
        if key != self._at or len(self._hours) > _MAX_KNOWN:
            self._at, self._hours = key, {}
        missing = [number for number in numbers if number not in self._hours]
        if not missing:
            return
        several: dict[tuple[int, int], list[tuple[int, bytes, tuple[object, ...]]]] = {}
        sql = (
            f"SELECT rollup_hour.monitor, start, p50, sketch, {tiers.FIGURES} FROM json_each(?) AS wanted CROSS JOIN location AS place "
            "JOIN rollup_hour ON rollup_hour.monitor = wanted.value AND rollup_hour.location = place.number "
            "WHERE start >= ? AND start < ? AND p50 IS NOT NULL"
        )
        for number, hour, p50, sketch, *figures in db.fetch(sql, (json.dumps(missing), first, last)):
            several.setdefault((number, hour), []).append((p50, sketch, (*figures, sketch)))
        self._hours.update((number, {}) for number in missing)
        for (number, hour), rows in several.items():
            if len(rows) == 1:
                self._hours[number][hour] = rows[0][0]
            else:
                together = merged(tiers.tally_of_row(row) for _, _, row in rows)
                self._hours[number][hour] = together.percentiles()[0] or 0

    def _line(self, recent: Recent, number: int, edges: Sequence[int]) -> list[float | None]:
        hours = self._hours[number]
        instants, totals = list[int](), list[int]()
        for place in recent.places(number):
            at, statuses, values = recent.columns(place)
            good = [one for one, code in enumerate(statuses) if code in (UP, DEGRADED) and values[one] != NO_LATENCY]
            instants += [at[one] for one in good]
            totals += [values[one] for one in good]
        if len(recent.places(number)) > 1:
            together = sorted(zip(instants, totals, strict=True))
            instants, totals = [one for one, _ in together], [one for _, one in together]
        found: list[float | None] = []
        first = bisect_left(instants, edges[0])
        for start, end in itertools.pairwise(edges):
            last = bisect_left(instants, end, first)
            found.append(median(totals[first:last]) / 10 if last > first else _of_hours(hours, start, end))
            first = last
        return found


def _of_hours(hours: Mapping[int, int], start: int, end: int) -> float | None:
    """That of the hour in which the middle of a step lies, or of the hours within a longer one."""
    if end - start <= HOUR_MS:
        known = hours.get((start + end) // 2 // HOUR_MS)
        return None if known is None else known / 10
    within = [hours[hour] for hour in range(-(-start // HOUR_MS), end // HOUR_MS) if hour in hours]
    return median(within) / 10 if within else None
