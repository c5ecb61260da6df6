"""The catalog of a store over SQL: what people set up and edit. What the methods mean is said by vigie.ports.Catalog."""

import json
from collections.abc import Sequence
from dataclasses import replace
from sys import intern

from vigie.core.model import Monitor
from vigie.planning.maintenance import StartedMaintenance
from vigie.ports import StoredDefinition, StoredReview
from vigie.report.history import Remark
from vigie.report.pace import Speed
from vigie.report.scores import Scores
from vigie.stores.kit.records import decode, encode
from vigie.stores.kit.sql import defined, inbox
from vigie.stores.kit.sql.cache import Cache
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.publications import SqlPublications
from vigie.stores.kit.sql.worker import Worker


class SqlCatalog:
    """The Catalog port."""

    def __init__(self, worker: Worker, cache: Cache) -> None:
        self._worker, self._cache = worker, cache
        self.publications = SqlPublications(worker)

    async def sync_monitors(self, monitors: Sequence[Monitor]) -> None:
        """Make the stored monitors equal to these; history of the others stays."""
        self._cache.numbers = await self._worker.run(lambda db: _sync_monitors(db, monitors))
        self._cache.newest.keep({monitor.id for monitor in monitors})

    async def definitions(self) -> list[StoredDefinition]:
        """What was made by a page or the API, in the order in which it was made."""
        return await self._worker.read(defined.read)

    async def start_maintenance(self, started: StartedMaintenance) -> int:
        """Keep what a person began; its number."""
        return await self._worker.run(lambda db: _start_maintenance(db, started))

    async def change_maintenance(self, changed: StartedMaintenance) -> None:
        """Keep this in place of what has its number."""
        await self._worker.run(lambda db: _change_maintenance(db, changed))

    async def end_maintenance(self, number: int, at: int) -> None:
        """Have it end at an instant."""
        await self._worker.run(lambda db: _end_maintenance(db, number, at))

    async def maintenance(self, since: int) -> list[StartedMaintenance]:
        """What people began and was not over before `since`."""
        return await self._worker.read(lambda db: _maintenance(db, since))

    async def save_remark(self, remark: Remark) -> None:
        """Keep what a person said of an incident."""
        await self._worker.run(lambda db: _save_remark(db, remark))

    async def remarks(self, incidents: Sequence[str]) -> list[Remark]:
        """What was said of these incidents, oldest first."""
        return await self._worker.read(lambda db: _remarks(db, incidents))

    async def save_review(self, review: StoredReview) -> bool:
        """Keep a post-incident report as its next version."""
        return await self._worker.run(lambda db: _save_review(db, review))

    async def review(self, alert: str) -> StoredReview | None:
        """The newest version of the post-incident report of an alert."""
        return await self._worker.read(lambda db: _review(db, alert))

    async def save_scores(self, scores: Scores) -> None:
        """Keep how a model did on the frozen incidents."""
        await self._worker.run(lambda db: _save_scores(db, scores))

    async def scores(self, model: str) -> list[Scores]:
        """How a model did, newest first."""
        return await self._worker.read(lambda db: _scores(db, model))

    async def save_speed(self, model: str, speed: Speed) -> None:
        """Keep how fast a model is on this machine, in place of what was kept."""
        await self._worker.run(lambda db: _save_speed(db, model, speed))

    async def speed(self, model: str) -> Speed | None:
        """How fast a model is, if it is known."""
        return await self._worker.read(lambda db: _speed(db, model))


def monitor_numbers(db: Db) -> dict[str, int]:
    """Monitor id -> its number in packed results."""
    return {intern(monitor): number for monitor, number in db.fetch("SELECT id, number FROM monitor")}


def _sync_monitors(db: Db, monitors: Sequence[Monitor]) -> dict[str, int]:
    """In a transaction of its own; the numbers."""
    with db.transaction(durable=True):
        write_monitors(db, monitors)
    return monitor_numbers(db)


def write_monitors(db: Db, monitors: Sequence[Monitor]) -> None:
    """Insert or update these, mark the others inactive."""
    db.execute("UPDATE monitor SET active = 0")
    db.bulk(
        "INSERT INTO monitor (id, name, kind, active) VALUES (?, ?, ?, 1) "
        "ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind, active = 1",
        [(monitor.id, monitor.name, monitor.kind) for monitor in monitors],
    )
    db.execute("DELETE FROM newest WHERE monitor NOT IN (SELECT id FROM monitor WHERE active = 1)")
    inbox.forget_jobs(db)


def _start_maintenance(db: Db, started: StartedMaintenance) -> int:
    """One row."""
    with db.transaction(durable=True):
        sql = "INSERT INTO maintenance (start, until, body) VALUES (?, ?, ?) RETURNING number"
        return int(db.fetch(sql, (started.start, started.end, encode(started)))[0][0])


def _change_maintenance(db: Db, changed: StartedMaintenance) -> None:
    """One row, if there is one."""
    with db.transaction(durable=True):
        values = (changed.start, changed.end, encode(changed), changed.number)
        db.execute("UPDATE maintenance SET start = ?, until = ?, body = ? WHERE number = ?", values)


def _end_maintenance(db: Db, number: int, at: int) -> None:
    """One row, if there is one."""
    with db.transaction(durable=True):
        db.execute("UPDATE maintenance SET until = max(start, ?) WHERE number = ? AND until > ?", (at, number, at))


def _maintenance(db: Db, since: int) -> list[StartedMaintenance]:
    """By number; the columns know better than the body how it went on."""
    rows = db.fetch("SELECT number, until, body FROM maintenance WHERE until >= ? ORDER BY number", (since,))
    return [replace(decode(body, StartedMaintenance), number=number, end=until) for number, until, body in rows]


def _save_remark(db: Db, said: Remark) -> None:
    """One row."""
    helpful = None if said.helpful is None else int(said.helpful)
    with db.transaction(durable=True):
        sql = "INSERT INTO remark (incident, at, by, helpful, cause, note) VALUES (?, ?, ?, ?, ?, ?)"
        db.execute(sql, (said.incident, said.at, said.by, helpful, said.cause, said.note))


def _remarks(db: Db, incidents: Sequence[str]) -> list[Remark]:
    """Oldest first."""
    sql = "SELECT incident, at, by, helpful, cause, note FROM remark WHERE incident IN (SELECT value FROM json_each(?)) ORDER BY id"
    rows = db.fetch(sql, (json.dumps(list(incidents)),))
    return [Remark(one, at, by, None if helpful is None else bool(helpful), cause, note) for one, at, by, helpful, cause, note in rows]


def _save_review(db: Db, review: StoredReview) -> bool:
    """One row, if it is the next one."""
    with db.transaction(durable=True, alone="reviews"):
        known = db.fetch("SELECT coalesce(max(version), 0) FROM review WHERE alert = ?", (review.alert,))[0][0]
        if review.version != known + 1:
            return False
        values = (review.alert, review.version, review.at, review.by, review.text)
        db.execute("INSERT INTO review (alert, version, at, by, text) VALUES (?, ?, ?, ?, ?)", values)
        return True


def _review(db: Db, alert: str) -> StoredReview | None:
    """The one with the highest number."""
    rows = db.fetch("SELECT alert, version, at, by, text FROM review WHERE alert = ? ORDER BY version DESC LIMIT 1", (alert,))
    return StoredReview(*rows[0]) if rows else None


def _save_scores(db: Db, found: Scores) -> None:
    """One row."""
    with db.transaction(durable=True):
        sql = "INSERT INTO evaluation (model, digest, at, body) VALUES (?, ?, ?, ?)"
        db.execute(sql, (found.model, found.digest, found.at, encode(found)))


def _scores(db: Db, model: str) -> list[Scores]:
    """Newest first."""
    rows = db.fetch("SELECT body FROM evaluation WHERE model = ? ORDER BY at DESC, id DESC LIMIT 20", (model,))
    return [decode(body, Scores) for (body,) in rows]


def _save_speed(db: Db, model: str, speed: Speed) -> None:
    """One row a model."""
    with db.transaction(durable=False):
        db.execute("INSERT OR REPLACE INTO model_speed (model, body) VALUES (?, ?)", (model, encode(speed)))


def _speed(db: Db, model: str) -> Speed | None:
    rows = db.fetch("SELECT body FROM model_speed WHERE model = ?", (model,))
    return decode(rows[0][0], Speed) if rows else None
