"""The statements of jobs that report in. What they mean is said by the port (vigie.ports.PingStore)."""

from collections.abc import Sequence

from vigie.core.heartbeat import Job, Ping
from vigie.ports import PingUpdate
from vigie.stores.sqlite.db import Db
from vigie.stores.sqlite.records import decode, encode

_KEPT = 100
_LISTENED = "listened"


def jobs(db: Db) -> dict[str, Job]:
    """Every job."""
    return {monitor: decode(body, Job) for monitor, body in db.fetch("SELECT monitor, body FROM job")}


def hear(db: Db, hearings: Sequence[PingUpdate]) -> None:
    """One transaction."""
    with db.transaction(durable=True):
        for one in hearings:
            db.execute("INSERT OR REPLACE INTO job VALUES (?, ?)", (one.job.monitor, encode(one.job)))
            if one.left is not None:
                db.execute("UPDATE ping SET taken = 1 WHERE id = ?", (one.left,))
            elif one.ping is not None:
                _insert(db, one.job.monitor, one.ping, taken=True)


def leave(db: Db, monitor: str, ping: Ping) -> None:
    """From another process."""
    with db.transaction(durable=True):
        _insert(db, monitor, ping, taken=False)


def _insert(db: Db, monitor: str, ping: Ping, *, taken: bool) -> None:
    sql = "INSERT INTO ping (monitor, at, taken, body) VALUES (?, ?, ?, ?)"
    db.execute(sql, (monitor, ping.at, int(taken), encode(ping)))
    older = "SELECT id FROM ping WHERE monitor = ? ORDER BY id DESC LIMIT -1 OFFSET ?"
    db.execute(f"DELETE FROM ping WHERE id IN ({older})", (monitor, _KEPT))


def left(db: Db) -> list[tuple[int, str, Ping]]:
    """What other processes left, oldest first."""
    rows = db.fetch("SELECT id, monitor, body FROM ping WHERE taken = 0 ORDER BY id")
    return [(number, monitor, decode(body, Ping)) for number, monitor, body in rows]


def newest(db: Db, monitor: str, limit: int) -> list[Ping]:
    """Newest first."""
    rows = db.fetch("SELECT body FROM ping WHERE monitor = ? ORDER BY id DESC LIMIT ?", (monitor, limit))
    return [decode(body, Ping) for (body,) in rows]


def forget(db: Db) -> None:
    """Jobs that are no longer watched: should one come back, it counts anew."""
    db.execute("DELETE FROM job WHERE monitor NOT IN (SELECT id FROM monitor WHERE active = 1)")


def listening(db: Db, at: int) -> None:
    """Not worth an fsync: an older instant only makes the deaf span longer."""
    with db.transaction(durable=False):
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_LISTENED, at))


def listened(db: Db) -> int | None:
    """When somebody last listened."""
    rows = db.fetch("SELECT value FROM meta WHERE name = ?", (_LISTENED,))
    return int(rows[0][0]) if rows else None
