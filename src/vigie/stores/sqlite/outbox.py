"""The statements of the outbox: what must be sent, who holds it, and every attempt. What they mean is said by vigie.ports.Ledger."""

from collections.abc import Sequence
from typing import Any

from vigie.core.notification import Notice, NoticeReason
from vigie.ports import Delivery, OutboxCounts, OutboxRow, OutboxState, StoredReport
from vigie.stores.sqlite.db import Db
from vigie.stores.sqlite.records import encode

_COLUMNS = "key, incident, monitor, channel, reason, at, due_at, attempts"
_OPENINGS = f"('{NoticeReason.OPENED}', '{NoticeReason.DISCLOSED}')"
_STORED = {OutboxState.WAITING: "waiting", OutboxState.DELIVERED: "delivered", OutboxState.UNDELIVERABLE: "buried"}
_FIRST_OF_ITS_THREAD = (
    "NOT EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.state = 'waiting' AND earlier.incident = outbox.incident "
    "AND earlier.channel = outbox.channel AND earlier.id < outbox.id)"
)


def enqueue(db: Db, rows: Sequence[OutboxRow]) -> None:
    """Inside a transaction; a key that is there already is left alone."""
    sql = "INSERT OR IGNORE INTO outbox (key, incident, monitor, channel, reason, at, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
    db.bulk(sql, [(n.key, n.incident, n.monitor, n.channel, n.reason, n.at, row.due_at) for row in rows for n in (row.notice,)])


def _row(row: tuple[Any, ...]) -> OutboxRow:
    key, incident_id, monitor, channel, reason, at, due_at, attempts = row
    return OutboxRow(Notice(key, incident_id, monitor, channel, NoticeReason(reason), at), due_at, attempts)


def claim(db: Db, now: int, lease_ms: int, limit: int) -> list[OutboxRow]:
    """Lease due rows; after a power cut a lease may be forgotten, and the notice goes out a second time under its key."""
    with db.transaction(durable=False):
        rows = db.fetch(
            f"UPDATE outbox SET lease_until = ? WHERE id IN (SELECT id FROM outbox WHERE state = 'waiting' AND due_at <= ? "
            f"AND lease_until <= ? AND {_FIRST_OF_ITS_THREAD} ORDER BY due_at, id LIMIT ?) RETURNING due_at, id, {_COLUMNS}",
            (now + lease_ms, now, now, limit),
        )
    return [_row(row[2:]) for row in sorted(rows)]


def next_due(db: Db) -> int | None:
    """The earliest instant at which claim would find something."""
    sql = f"SELECT min(max(due_at, lease_until)) FROM outbox WHERE state = 'waiting' AND {_FIRST_OF_ITS_THREAD}"
    found = db.fetch(sql)[0][0]
    return None if found is None else int(found)


def record(db: Db, delivery: Delivery, retry_at: int | None, then: Sequence[OutboxRow]) -> None:
    """An attempt; a row that was delivered stays so, whatever is recorded after it."""
    with db.transaction(durable=True):
        _attempt(db, delivery)
        if delivery.failure is None:
            db.execute("UPDATE outbox SET state = 'delivered', lease_until = 0 WHERE key = ?", (delivery.key,))
        else:
            state = OutboxState.WAITING if retry_at is not None else OutboxState.UNDELIVERABLE
            change = "state = ?, lease_until = 0, attempts = attempts + 1, due_at = ifnull(?, due_at)"
            sql = f"UPDATE outbox SET {change} WHERE key = ? AND state <> 'delivered'"
            db.execute(sql, (_STORED[state], retry_at, delivery.key))
        enqueue(db, then)


def _attempt(db: Db, one: Delivery) -> None:
    sql = "INSERT INTO delivery (key, incident, channel, at, attempt, reason, answer, duration_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    incident_id = one.key.partition(":")[0]
    db.execute(sql, (one.key, incident_id, one.channel, one.at, one.attempt, one.failure, one.answer, one.duration_ms))


def save_report(db: Db, report: StoredReport, now: int, follow_ups: Sequence[OutboxRow]) -> None:
    """Keep it; wake the openings that wait for it, add the follow-ups of those that could not wait."""
    with db.transaction(durable=True):
        db.execute("INSERT OR REPLACE INTO report VALUES (?, ?, ?)", (report.incident, report.made_at, encode(report)))
        waits = f"incident = ? AND reason IN {_OPENINGS} AND state = 'waiting' AND lease_until <= ?"
        db.execute(f"UPDATE outbox SET due_at = min(due_at, ?) WHERE attempts = 0 AND {waits}", (now, report.incident, now))
        gone = f"SELECT channel FROM outbox WHERE incident = ? AND reason IN {_OPENINGS} AND (state = 'delivered' OR lease_until > ?)"
        channels = {row[0] for row in db.fetch(gone, (report.incident, now))}
        enqueue(db, [row for row in follow_ups if row.notice.channel in channels])


def outbox(db: Db, state: OutboxState) -> list[OutboxRow]:
    """Rows in one state, oldest first."""
    return [_row(row) for row in db.fetch(f"SELECT {_COLUMNS} FROM outbox WHERE state = ? ORDER BY id", (_STORED[state],))]


def counts(db: Db) -> OutboxCounts:
    """How many rows wait and how many could not be delivered."""
    sql = "SELECT (SELECT count(*) FROM outbox WHERE state = 'waiting'), (SELECT count(*) FROM outbox WHERE state = 'buried')"
    waiting, undeliverable = db.fetch(sql)[0]
    return OutboxCounts(waiting, undeliverable)
