"""The statements of the outbox: what must be sent, who holds it, and every attempt. What they mean is said by vigie.ports.Ledger."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from vigie.core.notification import OPENINGS, Notice, NoticeReason
from vigie.core.subject import SubjectKind
from vigie.observation.channel import ChannelState
from vigie.ports import DROPPED, Delivery, OutboxCounts, OutboxRow, OutboxState, StoredNotice, StoredReport
from vigie.stores.kit.records import encode
from vigie.stores.kit.sql.db import Db

_NOTICE = "alert, monitor, channel, reason, at, number, failover_for, about, subject"
DELIVERY = "key, alert, channel, reason, at, attempt, failure, answer, duration_ms, number, failover_for, reference"
_ALL = 2**63 - 1
_UNSENT = "state IN ('waiting', 'undeliverable')"
_OPENINGS = "('" + "', '".join(OPENINGS) + "')"
_FIRST_OF_ITS_THREAD = (
    "NOT EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.state = 'waiting' AND earlier.alert = outbox.alert "
    "AND earlier.channel = outbox.channel AND earlier.id < outbox.id)"
)


def enqueue(db: Db, rows: Sequence[OutboxRow]) -> None:
    """Inside a transaction; a key that is there already is left alone."""
    sql = f"INSERT OR IGNORE INTO outbox (key, due_at, {_NOTICE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    db.bulk(sql, [(row.notice.key, row.due_at, *_values(row.notice)) for row in rows])


def _values(one: Notice) -> tuple[Any, ...]:
    return (one.alert, one.monitor, one.channel, one.reason, one.at, one.number, one.failover_for, one.about, one.subject)


def _row(row: tuple[Any, ...]) -> OutboxRow:
    due_at, attempts, alert, monitor, channel, reason, at, number, failover_for, about, subject = row
    of = None if about is None else NoticeReason(about)
    notice = Notice(alert, monitor, channel, NoticeReason(reason), at, number, failover_for, of, SubjectKind(subject))
    return OutboxRow(notice, due_at, attempts)


def claim(db: Db, now: int, lease_ms: int, limit: int, held_at: int | None) -> list[OutboxRow]:
    """Lease due rows; after a power cut a lease may be forgotten, and the notice goes out a second time under its key."""
    longest, held_at = (now + lease_ms, now) if held_at is None else (_ALL, held_at)
    with db.transaction(durable=False):
        free = "(lease_until <= ? OR lease_until > ?)"  # or by a clock that ran ahead, of a process that is gone
        sql = f"SELECT id FROM outbox WHERE state = 'waiting' AND due_at <= ? AND {free} AND {_FIRST_OF_ITS_THREAD}"
        due = db.fetch(f"{sql} ORDER BY due_at, id LIMIT ?{db.claimed}", (now, held_at, longest, limit))
        if not due:
            return []
        rows = db.fetch(
            f"UPDATE outbox SET lease_until = ? WHERE id IN (SELECT value FROM json_each(?)) RETURNING due_at, id, attempts, {_NOTICE}",
            (held_at + lease_ms, json.dumps([number for (number,) in due])),
        )
    return [_row((row[0], *row[2:])) for row in sorted(rows, key=lambda row: row[:2])]


def next_due(db: Db) -> int | None:
    """The earliest instant at which claim would find something."""
    sql = f"SELECT min(max(due_at, lease_until)) FROM outbox WHERE state = 'waiting' AND {_FIRST_OF_ITS_THREAD}"
    found = db.fetch(sql)[0][0]
    return None if found is None else int(found)


def record(
    db: Db, delivery: Delivery, retry_at: int | None, then: Sequence[OutboxRow], channel: ChannelState | None, held_until: int | None
) -> bool:
    """An attempt; a row that was delivered or dropped stays so, whatever failure is recorded after it."""
    with db.transaction(durable=True):
        _attempt(db, delivery)
        if delivery.failure is None:
            db.execute("UPDATE outbox SET state = 'delivered', lease_until = 0 WHERE key = ?", (delivery.key,))
        else:
            state = OutboxState.WAITING if retry_at is not None else OutboxState.UNDELIVERABLE
            change = "state = ?, lease_until = 0, attempts = attempts + 1, due_at = coalesce(?, due_at)"
            held = "" if held_until is None else " AND lease_until = ?"
            values = (state, retry_at, delivery.key, *(() if held_until is None else (held_until,)))
            if not db.execute(f"UPDATE outbox SET {change} WHERE key = ? AND {_UNSENT}{held}", values) and held:
                return False
        enqueue(db, then)
        if channel is not None:
            _keep_channel(db, channel)
    return True


def save_channel(db: Db, channel: ChannelState, then: Sequence[OutboxRow]) -> None:
    """What is known of a channel, with the notices about it."""
    with db.transaction(durable=True):
        enqueue(db, then)
        _keep_channel(db, channel)


def _keep_channel(db: Db, one: ChannelState) -> None:
    db.execute("INSERT OR REPLACE INTO channel VALUES (?, ?)", (one.channel, encode(one)))


def retry(db: Db, keys: Collection[str], now: int) -> None:
    """What was not delivered is due, and nobody's, unless it may be another process that is sending it."""
    freed = "" if db.claimed else ", lease_until = 0"
    sql = f"UPDATE outbox SET state = 'waiting', due_at = min(due_at, ?){freed} WHERE key = ? AND {_UNSENT}"
    with db.transaction(durable=True):
        db.bulk(sql, [(now, key) for key in keys])


def drop(db: Db, keys: Collection[str], by: str, now: int) -> None:
    """What was not sent is not sent any more; an entry among the attempts says who decided so."""
    with db.transaction(durable=True):
        for key in keys:
            for found in db.fetch(f"SELECT {_NOTICE} FROM outbox WHERE key = ? AND {_UNSENT}", (key,)):
                db.execute("UPDATE outbox SET state = 'dropped', lease_until = 0 WHERE key = ?", (key,))
                _attempt(db, Delivery.of(_row((now, 0, *found)).notice, now, 0, DROPPED, by, 0))


def _attempt(db: Db, one: Delivery) -> None:
    sql = f"INSERT INTO delivery ({DELIVERY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    attempt = (one.at, one.attempt, one.failure, one.answer, one.duration_ms)
    db.execute(sql, (one.key, one.alert, one.channel, one.reason, *attempt, one.number, one.failover_for, one.reference))


def save_report(db: Db, report: StoredReport, now: int, follow_ups: Sequence[OutboxRow]) -> None:
    """Keep it; wake the openings that wait for it, add the follow-ups of those that could not wait."""
    with db.transaction(durable=True):
        db.execute("INSERT OR REPLACE INTO report VALUES (?, ?, ?)", (report.incident, report.made_at, encode(report)))
        (alert,) = (row[0] for row in db.fetch("SELECT coalesce((SELECT alert FROM incident WHERE id = ?1), ?1)", (report.incident,)))
        waits = f"alert = ? AND reason IN {_OPENINGS} AND state = 'waiting' AND lease_until <= ?"
        db.execute(f"UPDATE outbox SET due_at = min(due_at, ?) WHERE attempts = 0 AND {waits}", (now, alert, now))
        gone = f"SELECT channel FROM outbox WHERE alert = ? AND reason IN {_OPENINGS} AND (state = 'delivered' OR lease_until > ?)"
        channels = {row[0] for row in db.fetch(gone, (alert, now))}
        enqueue(db, [row for row in follow_ups if row.notice.channel in channels])


def outbox(db: Db, state: OutboxState, alert: str | None) -> list[OutboxRow]:
    """Rows in one state, of all alerts or of one, oldest first."""
    sql = f"SELECT due_at, attempts, {_NOTICE} FROM outbox WHERE state = ?{'' if alert is None else ' AND alert = ?'} ORDER BY id"
    return [_row(row) for row in db.fetch(sql, (state,) if alert is None else (state, alert))]


def notices(
    db: Db,
    alert: str | None,
    threads: str | None,
    states: Collection[OutboxState] | None,
    channel: str | None,
    before: str | None,
    limit: int | None,
) -> list[StoredNotice]:
    """The newest rows, oldest of them first."""
    wanted: list[tuple[str, Any]] = []
    if alert is not None:
        wanted.append(("alert = ?", alert))
    if threads is not None:  # a range, which the index of alerts answers
        wanted += [("alert >= ?", threads), ("alert < ?", f"{threads}\x7f")]
    if channel is not None:
        wanted.append(("channel = ?", channel))
    if before is not None:
        wanted.append(("id < (SELECT id FROM outbox WHERE key = ?)", before))
    where = " AND ".join([_in_states(states), *(condition for condition, _ in wanted)])
    sql = f"SELECT state, due_at, attempts, {_NOTICE} FROM outbox WHERE {where} ORDER BY id DESC LIMIT ?"
    found = db.fetch(sql, (*(value for _, value in wanted), _ALL if limit is None else limit))
    return [StoredNotice(_row(row[1:]), OutboxState(row[0])) for row in reversed(found)]


def _in_states(states: Collection[OutboxState] | None) -> str:
    """As constants, so that the indexes of the rows in one state answer."""
    if states is None:
        return "1 = 1"
    each = [f"state = '{OutboxState(one).value}'" for one in states]
    return f"({' OR '.join(each)})" if each else "1 = 0"


def counts(db: Db) -> OutboxCounts:
    """By the counters that triggers keep."""
    found: dict[str, int] = dict(db.fetch("SELECT state, count FROM outbox_count"))
    return OutboxCounts(found[OutboxState.WAITING], found[OutboxState.UNDELIVERABLE])
