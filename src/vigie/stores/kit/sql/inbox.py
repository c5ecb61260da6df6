"""The inbox of a store over SQL: commands of people, pings of jobs. What the methods mean is said by vigie.ports.Inbox."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from vigie.core.events import Acked, PersonEvent, Resolved, Snoozed
from vigie.errors import StoreError, StoreFault
from vigie.observation.heartbeat import Job, Ping
from vigie.ports import Command, PingUpdate
from vigie.stores.kit.records import decode, encode
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.worker import Worker

log = logging.getLogger("vigie.store")

_KEPT = 100
_ALL = 2**63 - 1
_LISTENED = "listened"
_LINK_WORKED = "link_worked"
_EVENTS: dict[str, type[PersonEvent]] = {kind.__name__: kind for kind in (Acked, Resolved, Snoozed)}


class SqlInbox:
    """The Inbox port."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._left: set[int] = set()  # numbers of commands that a newer Vigie wrote, and that are left for it

    async def enqueue_command(self, monitor: str, event: PersonEvent) -> None:
        """Hand an event to the Vigie that is at work on this store."""
        await self._worker.run(lambda db: _enqueue_command(db, monitor, event))

    async def commands(self) -> list[Command]:
        """What nobody has applied yet, oldest first. One that cannot be read is logged, and costs no other."""
        found, unread = await self._worker.read(_commands)
        for one in unread:
            if one.number not in self._left:
                what = "left for the newer Vigie that wrote it" if one.newer else "dropped: ask for it again"
                log.error("the command %d, for %s, cannot be read, and is %s (%s)", one.number, one.monitor, what, one.why)
        self._left |= {one.number for one in unread if one.newer}
        if damaged := [one.number for one in unread if not one.newer]:
            await self._worker.run(lambda db: _drop_commands(db, damaged))
        return found

    async def enqueue_ping(self, monitor: str, ping: Ping) -> None:
        """Hand a ping to the Vigie that is at work on this store."""
        await self._worker.run(lambda db: _enqueue_ping(db, monitor, ping))

    async def waiting_pings(self) -> list[tuple[int, str, Ping]]:
        """What was handed over and not yet recorded, oldest first. One that cannot be read is logged, and costs no other."""
        found, unread = await self._worker.read(_waiting_pings)
        for one in unread:
            log.error("a ping of %s cannot be read, and is dropped (%s)", one.monitor, one.why)
        if unread:
            await self._worker.run(lambda db: _drop_pings(db, [one.number for one in unread]))
        return found

    async def record_pings(self, updates: Sequence[PingUpdate]) -> None:
        """Write what pings made of jobs, fsynced."""
        await self._worker.run(lambda db: _record_pings(db, updates))

    async def jobs(self) -> dict[str, Job]:
        """Every watched job by monitor id."""
        return await self._worker.read(_jobs)

    async def pings(self, monitor: str, limit: int = 100) -> list[Ping]:
        """The pings of a monitor, newest first."""
        return await self._worker.read(lambda db: _pings(db, monitor, limit))

    async def listening(self, at: int, link_worked: int | None = None) -> None:
        """Somebody listens for pings."""
        await self._worker.run(lambda db: _listening(db, at, link_worked))

    async def link_worked(self) -> int | None:
        """When the link last worked."""
        return await self._worker.read(lambda db: _noted(db, _LINK_WORKED))

    async def listened(self) -> int | None:
        """When somebody last listened."""
        return await self._worker.read(lambda db: _noted(db, _LISTENED))


def _enqueue_command(db: Db, monitor: str, event: PersonEvent) -> None:
    with db.transaction(durable=True):
        db.execute("INSERT INTO inbox (monitor, kind, body) VALUES (?, ?, ?)", (monitor, type(event).__name__, encode(event)))


@dataclass(frozen=True, slots=True)
class _Unread:
    """A row that cannot be read; `newer` when a later Vigie wrote it."""

    number: int
    monitor: str
    why: str
    newer: bool


def _commands(db: Db) -> tuple[list[Command], list[_Unread]]:
    found, unread = list[Command](), list[_Unread]()
    for number, monitor, kind, body in db.fetch("SELECT id, monitor, kind, body FROM inbox ORDER BY id"):
        if kind not in _EVENTS:
            unread.append(_Unread(number, monitor, f"unknown kind {str(kind)[:40]!r}", newer=True))
            continue
        try:
            found.append(Command(number, monitor, decode(body, _EVENTS[kind])))
        except StoreError as error:
            unread.append(_Unread(number, monitor, error.message, newer=error.fault is StoreFault.NEWER))
    return found, unread


def _drop_commands(db: Db, numbers: Sequence[int]) -> None:
    with db.transaction(durable=True):
        db.bulk("DELETE FROM inbox WHERE id = ?", [(number,) for number in numbers])


def _drop_pings(db: Db, numbers: Sequence[int]) -> None:
    with db.transaction(durable=True):
        db.bulk("DELETE FROM ping WHERE id = ?", [(number,) for number in numbers])


def _jobs(db: Db) -> dict[str, Job]:
    """Every job."""
    return {monitor: decode(body, Job) for monitor, body in db.fetch("SELECT monitor, body FROM job")}


def _record_pings(db: Db, updates: Sequence[PingUpdate]) -> None:
    """One transaction."""
    with db.transaction(durable=True):
        for one in updates:
            db.execute("INSERT OR REPLACE INTO job VALUES (?, ?)", (one.job.monitor, encode(one.job)))
            if one.number is not None:
                db.execute("UPDATE ping SET taken = 1 WHERE id = ?", (one.number,))
            elif one.ping is not None:
                _insert(db, one.job.monitor, one.ping, taken=True)


def _enqueue_ping(db: Db, monitor: str, ping: Ping) -> None:
    """From another process."""
    with db.transaction(durable=True):
        _insert(db, monitor, ping, taken=False)


def _insert(db: Db, monitor: str, ping: Ping, *, taken: bool) -> None:
    sql = "INSERT INTO ping (monitor, at, taken, body) VALUES (?, ?, ?, ?)"
    db.execute(sql, (monitor, ping.at, int(taken), encode(ping)))
    older = "SELECT id FROM ping WHERE monitor = ? ORDER BY id DESC LIMIT ? OFFSET ?"
    db.execute(f"DELETE FROM ping WHERE id IN ({older})", (monitor, _ALL, _KEPT))


def _waiting_pings(db: Db) -> tuple[list[tuple[int, str, Ping]], list[_Unread]]:
    """What other processes left, oldest first."""
    found, unread = list[tuple[int, str, Ping]](), list[_Unread]()
    for number, monitor, body in db.fetch("SELECT id, monitor, body FROM ping WHERE taken = 0 ORDER BY id"):
        try:
            found.append((number, monitor, decode(body, Ping)))
        except StoreError as error:
            unread.append(_Unread(number, monitor, error.message, newer=error.fault is StoreFault.NEWER))
    return found, unread


def _pings(db: Db, monitor: str, limit: int) -> list[Ping]:
    """Newest first."""
    rows = db.fetch("SELECT body FROM ping WHERE monitor = ? ORDER BY id DESC LIMIT ?", (monitor, limit))
    return [decode(body, Ping) for (body,) in rows]


def forget_jobs(db: Db) -> None:
    """Jobs that are no longer watched: should one come back, it counts anew."""
    db.execute("DELETE FROM job WHERE monitor NOT IN (SELECT id FROM monitor WHERE active = 1)")


def _listening(db: Db, at: int, link_worked: int | None) -> None:
    """Not worth an fsync: an older instant only makes the deaf span longer."""
    with db.transaction(durable=False):
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_LISTENED, at))
        if link_worked is not None:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_LINK_WORKED, link_worked))


def _noted(db: Db, name: str) -> int | None:
    """An instant that was noted under a name."""
    rows = db.fetch("SELECT value FROM meta WHERE name = ?", (name,))
    return int(rows[0][0]) if rows else None
