"""What is not in chunks yet, by monitor and location, in memory: instants, statuses and totals of the last hour or two.

It is read from `hot`, a little more each time somebody asks, so that it costs a commit nothing. Used by one thread.
"""

import json
import struct
from collections.abc import Sequence

from vigie.fleet import packed
from vigie.observation.rollup import HOUR_MS, Span, Tally, split, tally_of
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.tiers import Marker, Place, marker

_ROW = struct.Struct("<qBHB")  # instant, status, total in 16 + 8 bits
_ROWS = 2_000  # of `hot`, at a time
_MAX_ROWS = 30_000  # an hour or two of commits, and more
_MAX_TALLIES = 2_000  # of monitors and locations, a few kilobytes each
_NO_SPANS: tuple[Span, ...] = ()
Columns = tuple[list[int], list[int], list[int]]


class Recent:
    """Results in rows of `hot` that have not gone to chunks, as far as the database was when `catch_up` was last called."""

    def __init__(self) -> None:
        self._at = Marker(-1, -1, 0)
        self._last = 0
        self._locations: set[int] = set()
        self._passing: dict[Place, bytearray] = {}  # of rows that a pass under way is taking to chunks
        self._rest: dict[Place, bytearray] = {}
        self._tallies: dict[Place, tuple[tuple[int, int, tuple[Span, ...]], dict[int, Tally]]] = {}

    def catch_up(self, db: Db) -> None:
        """Take over what is new. Raises StoreError."""
        at = marker(db)
        if (at.done, at.upto) != (self._at.done, self._at.upto):
            if self._at.upto == at.upto == at.done:  # the pass has ended
                self._passing.clear()
            else:
                self._passing, self._rest, self._last = {}, {}, first_row(db, at.done)
            self._tallies.clear()
        if at.monitor > self._at.monitor:
            for place in [place for place in self._passing if place[0] <= at.monitor]:
                del self._passing[place]
        self._at = at
        while rows := db.fetch("SELECT id, base, body FROM hot WHERE id > ? ORDER BY id LIMIT ?", (self._last, _ROWS)):
            for number, base, body in rows:
                self._add(db, number, base, body)
            self._last = rows[-1][0]

    def _add(self, db: Db, number: int, base: int, body: bytes) -> None:
        passing = number <= self._at.upto
        into = self._passing if passing else self._rest
        try:
            for monitor, location, at, status, total in packed.light_of(base, body):
                if passing and monitor <= self._at.monitor:
                    continue
                known = into.get((monitor, location))
                if known is None:
                    known = into[monitor, location] = bytearray()
                    self._locations.add(location)
                known += _ROW.pack(at, status, total & 0xFFFF, total >> 16)
        except ValueError as error:
            raise db.damaged(str(error)) from error

    def places(self, monitor: int) -> list[Place]:
        """Where a monitor has recent results from."""
        possible = [(monitor, location) for location in sorted(self._locations)]
        return [place for place in possible if place in self._passing or place in self._rest]

    def columns(self, place: Place) -> Columns:
        """Instants, statuses by position and totals in tenths of a millisecond, by instant."""
        rows = sorted(_ROW.iter_unpack(self._passing.get(place, b"") + self._rest.get(place, b"")))
        return [row[0] for row in rows], [row[1] for row in rows], [row[2] | row[3] << 16 for row in rows]

    def tallies(self, place: Place, excluded: Sequence[Span]) -> dict[int, Tally]:
        """What the recent results of each hour come to, by the number of the hour."""
        passing, rest = self._passing.get(place, b""), self._rest.get(place, b"")
        if not passing and not rest:
            return {}
        first = min(_ROW.unpack_from(one)[0] for one in (passing, rest) if one)
        spans = tuple(one for one in excluded if one[1] >= first - HOUR_MS) if excluded else _NO_SPANS
        key = len(passing), len(rest), spans
        known = self._tallies.get(place)
        if known is None or known[0] != key:
            if len(self._tallies) >= _MAX_TALLIES:
                self._tallies.clear()
            instants, statuses, totals = self.columns(place)
            found = {
                hour: tally_of(instants[one:end], statuses[one:end], totals[one:end], spans) for hour, one, end in split(instants, HOUR_MS)
            }
            known = self._tallies[place] = (key, found)
        return known[1]


def first_row(db: Db, done: int) -> int:
    """The row after which `hot` is read. An older version left thirty days of it: until they have gone to chunks, only the newest count."""
    return max(done, (db.fetch("SELECT coalesce(max(id), 0) FROM hot")[0][0] or 0) - _MAX_ROWS)


def hot_records(db: Db, place: Place, start: int, end: int) -> list[tuple[int, int, int, bytes]]:
    """(instant, run, sequence, body) of one place within [start, end) in rows that have not gone to chunks. Raises StoreError."""
    at = marker(db)
    monitor, location = place
    found: list[tuple[int, int, int, bytes]] = []
    first = first_row(db, at.upto if monitor <= at.monitor else at.done)
    for base, body in db.fetch("SELECT base, body FROM hot WHERE id > ? AND base < ?", (first, end)):
        try:
            parts = packed.of_monitor(base, body, monitor)
            found += [one[1:] for one in parts if one[0] == location and start <= one[1] < end]
        except ValueError as error:
            raise db.damaged(str(error)) from error
    return found


def numbers_of(db: Db, monitors: Sequence[str]) -> dict[int, str]:
    """The numbers of these monitors."""
    sql = "SELECT number, id FROM monitor WHERE id IN (SELECT value FROM json_each(?))"
    return dict(db.fetch(sql, (json.dumps(list(monitors)),)))
