"""The archive of a store over SQL: history, mostly read. What the methods mean is said by vigie.ports.Archive."""

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from typing import Any, get_args

from vigie.core.events import AlertDecision, Decision, Joined
from vigie.core.model import Cause, CheckResult, Incident
from vigie.core.notification import NoticeReason
from vigie.observation.channel import ChannelState
from vigie.observation.visibility import Blind
from vigie.planning.maintenance import MaintenanceSpan
from vigie.ports import AlertFilter, AlertRow, Delivery, StoredReport, TimelineEntry
from vigie.stores.kit.records import decode
from vigie.stores.kit.sql import recorded
from vigie.stores.kit.sql.alerts import find_alerts
from vigie.stores.kit.sql.cache import Cache
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.incident_rows import INCIDENT, incident_of
from vigie.stores.kit.sql.outbox import DELIVERY
from vigie.stores.kit.sql.worker import Worker

_KEEP_DETAIL_MS = 400 * 86_400_000
_DETAILS = 50  # whole results of other locations that are passed over
_BITE = 2_000  # rows that one transaction of retention drops, so that a notice never waits for it
_DECISIONS = {kind.__name__: kind for kind in get_args(Decision)}
_OF_ALERTS = json.dumps([kind.__name__ for kind in get_args(AlertDecision) if kind is not Joined])


class SqlArchive:
    """The Archive port."""

    def __init__(self, worker: Worker, cache: Cache) -> None:
        self._worker, self._cache, self._looked_back = worker, cache, False

    async def incidents(
        self,
        *,
        open_only: bool = False,
        limit: int = 100,
        since: int | None = None,
        before: str | None = None,
        monitors: Collection[str] | None = None,
    ) -> list[Incident]:
        """Newest first."""
        return await self._worker.read(lambda db: find_incidents(db, open_only, limit, since, before, monitors))

    async def outages(self, since: int, monitors: Collection[str] | None = None) -> dict[str, list[tuple[int, int | None]]]:
        """(began, ended) of each outage that was not over before an instant."""
        return await self._worker.read(lambda db: _outages(db, since, monitors))

    async def incident(self, incident_id: str) -> Incident | None:
        """One incident."""
        return await self._worker.read(lambda db: _incident(db, incident_id))

    async def alerts(self, wanted: AlertFilter, *, limit: int = 100, before: str | None = None) -> list[AlertRow]:
        """Newest first."""
        return await self._worker.read(lambda db: find_alerts(db, wanted, limit, before))

    async def members(self, alert: str) -> list[Incident]:
        """The incidents of an alert, in the order in which they joined it."""
        return await self._worker.read(lambda db: find_members(db, alert))

    async def timeline(self, incident_id: str) -> list[TimelineEntry]:
        """Oldest first."""
        return await self._worker.read(lambda db: _timeline(db, incident_id))

    async def deliveries(self, alert: str) -> list[Delivery]:
        """Every attempt at every notice of an alert, oldest first."""
        return await self._worker.read(lambda db: _deliveries(db, alert))

    async def attempts(self, keys: Collection[str]) -> dict[str, Delivery]:
        """The newest attempt at each of these notices."""
        return await self._worker.read(lambda db: _attempts(db, keys))

    async def channels(self) -> dict[str, ChannelState]:
        """What is known of each channel that ever failed."""
        return await self._worker.read(_channels)

    async def reference(self, alert: str, channel: str) -> str:
        """What the provider calls the first message of this thread that this channel took."""
        return await self._worker.read(lambda db: _reference(db, alert, channel))

    async def report(self, incident: str) -> StoredReport | None:
        """The newest report of an incident."""
        return await self._worker.read(lambda db: _report(db, incident))

    async def last_results(self, monitors: Collection[str] | None = None, *, anew: bool = False) -> dict[str, CheckResult]:
        """The newest result of every watched monitor by monitor id, with no certificate but the server's."""
        await self._look_back(anew=anew)
        return self._cache.results(monitors)

    async def newest_everywhere(self, monitors: Collection[str] | None = None) -> dict[str, tuple[CheckResult, ...]]:
        """The newest result from each location of monitors that have results from several."""
        await self._look_back()
        return self._cache.everywhere(monitors)

    async def newest(self, monitor: str, location: str) -> CheckResult | None:
        """The newest result of a monitor from one location."""
        await self._look_back()
        return self._cache.result(monitor, location)

    async def _look_back(self, *, anew: bool = False) -> None:
        if anew or not self._looked_back:
            self._cache.newest.fill(await self._worker.read(_last_results))
            self._looked_back = True

    async def last_detail(self, monitor: str, *, good: bool, before: int, location: str | None = None) -> CheckResult | None:
        """The newest whole result of a monitor before `before`, good or bad; from one location, or from any."""
        found = [one for one in self._cache.details if one.monitor == monitor and one.is_good is good and one.at < before]
        found = [one for one in found if location in (None, one.location)]
        stored = await self._worker.read(lambda db: _last_detail(db, monitor, good=good, before=before, location=location))
        return max([*reversed(found), *([stored] if stored else [])], key=lambda one: one.at, default=None)

    async def recorded(self, since: int, after: int = 0) -> tuple[list[CheckResult], int]:
        """Results from an instant on, in the order in which they were taken in."""
        return await self._worker.read(lambda db: recorded.read(db, since, after))

    async def activity(self, limit: int = 200) -> list[int]:
        """When results were taken in lately, newest first."""
        return await self._worker.read(lambda db: _activity(db, limit))

    async def watched_since(self) -> dict[str, int]:
        """When each monitor was first checked."""
        stored = await self._worker.read(_watched_since)
        waiting = {one.monitor: one.at for one in reversed(self._cache.details)}
        return waiting | stored

    async def blinds(self, since: int) -> list[Blind]:
        """The spans in which Vigie could not see that were not over before `since`."""
        return await self._worker.read(lambda db: _blinds(db, since))

    async def maintained(self, since: int) -> list[MaintenanceSpan]:
        """The spans of maintenance that were not over before `since`."""
        return await self._worker.read(lambda db: _maintained(db, since))

    async def prune(self, now: int) -> int:
        """Drop what retention no longer keeps, in bites that let other writes pass; how many rows went."""
        gone = 0
        while bite := await self._worker.run(lambda db: _prune(db, now)):
            gone += bite
        return gone


def find_incidents(
    db: Db, open_only: bool, limit: int, since: int | None = None, before: str | None = None, monitors: Collection[str] | None = None
) -> list[Incident]:
    """Newest first. A row keeps its rowid as long as it lives."""
    wanted: list[tuple[str, Any]] = []
    if since is not None:
        wanted.append(("(closed_at IS NULL OR closed_at >= ?)", since))
    if before is not None:
        wanted.append(("(opened_at, rowid) < (SELECT opened_at, rowid FROM incident WHERE id = ?)", before))
    if monitors is not None:
        wanted.append(("monitor IN (SELECT value FROM json_each(?))", json.dumps(list(monitors))))
    where = " AND ".join(["closed_at IS NULL" if open_only else "1 = 1", *(condition for condition, _ in wanted)])
    sql = f"SELECT {INCIDENT} FROM incident WHERE {where} ORDER BY opened_at DESC, rowid DESC LIMIT ?"
    return [incident_of(row) for row in db.fetch(sql, (*(value for _, value in wanted), limit))]


def find_members(db: Db, alert: str) -> list[Incident]:
    """In the order in which they joined. A row keeps its rowid as long as it lives."""
    return [incident_of(row) for row in db.fetch(f"SELECT {INCIDENT} FROM incident WHERE alert = ? ORDER BY rowid", (alert,))]


def _outages(db: Db, since: int, monitors: Collection[str] | None) -> dict[str, list[tuple[int, int | None]]]:
    found: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
    chosen = None if monitors is None else frozenset(monitors)
    sql = "SELECT monitor, started_at, closed_at FROM incident WHERE severity = 'outage' AND"
    for monitor, started, closed in [*db.fetch(f"{sql} closed_at >= ?", (since,)), *db.fetch(f"{sql} closed_at IS NULL")]:
        if chosen is None or monitor in chosen:
            found[monitor].append((started, closed))
    for several in found.values():
        several.sort(key=lambda one: one[0])
    return dict(found)


def _incident(db: Db, incident_id: str) -> Incident | None:
    """One incident."""
    rows = db.fetch(f"SELECT {INCIDENT} FROM incident WHERE id = ?", (incident_id,))
    return incident_of(rows[0]) if rows else None


def _timeline(db: Db, incident_id: str) -> list[TimelineEntry]:
    """Oldest first by when it happened: an acknowledgement may have waited for the Vigie that applies it.

    An older version wrote what is about the whole alert to each of its members.
    """
    own = "SELECT id, at, kind, body FROM incident_event WHERE incident = ?1"
    alerts = (
        "SELECT event.id, event.at, event.kind, event.body FROM incident JOIN incident_event AS event ON event.incident = incident.alert "
        "WHERE incident.id = ?1 AND incident.alert <> ?1 AND event.kind IN (SELECT value FROM json_each(?2)) "
        "AND event.at >= incident.opened_at AND (incident.closed_at IS NULL OR event.at <= incident.closed_at)"
    )
    rows = db.fetch(
        f"SELECT min(id), at, kind, body FROM ({own} UNION {alerts}) AS entry GROUP BY at, kind, body ORDER BY at, 1",
        (incident_id, _OF_ALERTS),
    )
    return [TimelineEntry(incident_id, at, decode(body, _DECISIONS[kind])) for _, at, kind, body in rows]


def _deliveries(db: Db, alert: str) -> list[Delivery]:
    """Oldest first."""
    return [_delivery(row) for row in db.fetch(f"SELECT {DELIVERY} FROM delivery WHERE alert = ? ORDER BY id", (alert,))]


def _delivery(row: tuple[Any, ...]) -> Delivery:
    key, alert, channel, reason, *rest = row
    return Delivery(key, alert, channel, NoticeReason(reason), *rest)


def _attempts(db: Db, keys: Collection[str]) -> dict[str, Delivery]:
    """Of several attempts at a notice the newest."""
    newest = "SELECT max(id) FROM delivery WHERE key IN (SELECT value FROM json_each(?)) GROUP BY key"
    found = db.fetch(f"SELECT {DELIVERY} FROM delivery WHERE id IN ({newest})", (json.dumps(list(keys)),))
    return {row[0]: _delivery(row) for row in found}


def _channels(db: Db) -> dict[str, ChannelState]:
    """By name."""
    return {name: decode(body, ChannelState) for name, body in db.fetch("SELECT name, body FROM channel")}


def _reference(db: Db, alert: str, channel: str) -> str:
    """The oldest one; empty where there is none."""
    sql = "SELECT reference FROM delivery WHERE alert = ? AND channel = ? AND reference <> '' ORDER BY id LIMIT 1"
    rows = db.fetch(sql, (alert, channel))
    return str(rows[0][0]) if rows else ""


def _activity(db: Db, limit: int) -> list[int]:
    """Of rows that are still in `hot`, and of those that went from it."""
    newest = "ORDER BY id DESC LIMIT ?"
    known: dict[int, int] = dict(db.fetch(f"SELECT id, at FROM activity {newest}", (limit,)))
    known |= dict(db.fetch(f"SELECT id, base FROM hot {newest}", (limit,)))
    return [known[number] for number in sorted(known, reverse=True)][:limit]


def _report(db: Db, incident_id: str) -> StoredReport | None:
    """The newest report of an incident."""
    rows = db.fetch("SELECT body FROM report WHERE incident = ?", (incident_id,))
    return decode(rows[0][0], StoredReport) if rows else None


def _last_results(db: Db) -> list[CheckResult]:
    """The newest result of each watched monitor from each location, as far back as they are kept; whole where it was kept whole."""
    found = recorded.newest(db)
    return [_whole(db, result) for result in found.values()]


def _whole(db: Db, result: CheckResult) -> CheckResult:
    sql = "SELECT body FROM detail WHERE monitor = ? AND good = ? AND at = ? ORDER BY id DESC"
    for (body,) in db.fetch(sql, (result.monitor, int(result.is_good), result.at)):
        whole = decode(body, CheckResult)
        if whole.location == result.location:
            return replace(whole, run=result.run, sequence=result.sequence) if result.run else whole
    return _with_facts(db, result) if result.is_good else result


def _with_facts(db: Db, result: CheckResult) -> CheckResult:
    """A packed good result with the facts of the newest good check that was kept whole, which found the same as far as is known."""
    sql = "SELECT body FROM newest WHERE monitor = ? AND location = ?"
    for (body,) in db.fetch(sql, (result.monitor, result.location)):
        known = decode(body, CheckResult)
        if (known.status, known.cause) == (result.status, result.cause):
            return replace(known, at=result.at, timings=result.timings, run=result.run, sequence=result.sequence)
    return result


def _last_detail(db: Db, monitor: str, *, good: bool, before: int, location: str | None) -> CheckResult | None:
    """The newest whole result of a monitor before an instant."""
    sql = "SELECT body FROM detail WHERE monitor = ? AND good = ? AND at < ? ORDER BY at DESC, id DESC LIMIT ?"
    rows = db.fetch(sql, (monitor, int(good), before, 1 if location is None else _DETAILS))
    found = (decode(body, CheckResult) for (body,) in rows)
    return next((one for one in found if location in (None, one.location)), None)


def _blinds(db: Db, since: int) -> list[Blind]:
    """In the order of their numbers."""
    sql = "SELECT number, start, cause, until, monitor, quiet, location FROM blind WHERE until IS NULL OR until >= ? ORDER BY number"
    return [
        Blind(number, start, Cause(cause), until, of, bool(quiet), location)
        for number, start, cause, until, of, quiet, location in db.fetch(sql, (since,))
    ]


def _maintained(db: Db, since: int) -> list[MaintenanceSpan]:
    """In the order of their beginnings."""
    rows = db.fetch("SELECT body FROM maintenance_span WHERE until >= ? ORDER BY start, key", (since,))
    return [decode(body, MaintenanceSpan) for (body,) in rows]


def _watched_since(db: Db) -> dict[str, int]:
    """Since when each monitor has results."""
    return dict(db.fetch("SELECT monitor, since FROM watched"))


def _prune(db: Db, now: int) -> int:
    """One bite of what is too old; 0 when nothing is left of it. Of whole results, the newest good and bad one of a monitor stay."""
    with db.transaction(durable=False):
        newer = "EXISTS (SELECT 1 FROM detail AS newer WHERE newer.monitor = old.monitor AND newer.at > old.at AND newer.good = old.good)"
        old = f"SELECT id FROM detail AS old WHERE at < ? AND {newer} LIMIT {_BITE}"
        gone = db.execute(f"DELETE FROM detail WHERE id IN ({old})", (now - _KEEP_DETAIL_MS,))
        for table in ("maintenance", "maintenance_span"):
            gone += db.execute(f"DELETE FROM {table} WHERE until < ?", (now - _KEEP_DETAIL_MS,))
        newest = "(SELECT max(number) FROM blind)"  # stays, so that no number is given twice
        return gone + db.execute(f"DELETE FROM blind WHERE until < ? AND number < {newest}", (now - _KEEP_DETAIL_MS,))
