"""Every statement of the embedded store, as functions over a Db. What they mean is said by the port (vigie.ports.Store)."""

import contextlib
from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any, get_args

from vigie.core.detection import Severity
from vigie.core.events import Acked, Decision, Resolved
from vigie.core.incident import MonitorState
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.core.visibility import Blind
from vigie.errors import StoreError
from vigie.learning.baseline import Baseline
from vigie.ports import Commit, Delivery, OutboxRow, StoredReport, TimelineEntry
from vigie.report.history import Remark
from vigie.report.scores import Scores
from vigie.stores.sqlite import codec
from vigie.stores.sqlite import inbox as pings
from vigie.stores.sqlite.db import Db, damaged
from vigie.stores.sqlite.records import decode, encode

# Until hour chunks exist, packed results are the only history: docs/decisions/0005.
_KEEP_HOT_MS = 30 * 86_400_000
_KEEP_DETAIL_MS = 400 * 86_400_000
_LOOK_BACK = 300  # packed groups that the newest results are looked for in at a start: five minutes of them
_BITE = 2_000  # rows that one transaction of retention drops, so that a page never waits for it
_DECISIONS = {kind.__name__: kind for kind in get_args(Decision)}
_OUTBOX = "key, incident, monitor, channel, reason, at, due_at, attempts"
_INCIDENT = "id, monitor, severity, cause, started_at, opened_at, closed_at, acked_by, closed_by, note"
_INCIDENT_AGAIN = ", ".join(f"{name} = excluded.{name}" for name in _INCIDENT.split(", ")[1:])
_OPENINGS = f"('{NoticeReason.OPENED}', '{NoticeReason.DISCLOSED}')"


def is_good(result: CheckResult) -> bool:
    """Whether a result speaks for the service."""
    return result.status in (Status.UP, Status.DEGRADED)


def monitor_numbers(db: Db) -> dict[str, int]:
    """Monitor id -> its number in packed results."""
    return {intern(monitor): number for monitor, number in db.fetch("SELECT id, number FROM monitor")}


def sync_monitors(db: Db, monitors: Sequence[Monitor]) -> dict[str, int]:
    """Insert or update these, mark the others inactive; the numbers."""
    with db.transaction(durable=True):
        db.execute("UPDATE monitor SET active = 0")
        db.bulk(
            "INSERT INTO monitor (id, name, kind, active) VALUES (?, ?, ?, 1) "
            "ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind, active = 1",
            [(monitor.id, monitor.name, monitor.kind) for monitor in monitors],
        )
        pings.forget(db)
    return monitor_numbers(db)


def next_run(db: Db) -> int:
    """Count the starts."""
    with db.transaction(durable=True):
        sql = "INSERT INTO meta VALUES ('run', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
        return int(db.fetch(sql)[0][0])


def load_states(db: Db) -> dict[str, MonitorState]:
    """Every stored state."""
    return {monitor: decode(body, MonitorState) for monitor, body in db.fetch("SELECT monitor, body FROM monitor_state")}


def cursors(db: Db) -> dict[str, tuple[int, int]]:
    """How far each agent's batches were taken in."""
    return {agent: (run, sequence) for agent, run, sequence in db.fetch("SELECT agent, run, sequence FROM cursor")}


def baselines(db: Db) -> dict[str, Baseline]:
    """Every baseline that can be read; the others are learnt anew."""
    found: dict[str, Baseline] = {}
    for monitor, body in db.fetch("SELECT monitor, body FROM baseline"):
        with contextlib.suppress(StoreError):
            found[monitor] = decode(body, Baseline)
    return found


def write(db: Db, change: Commit, numbers: Mapping[str, int], *, durable: bool) -> None:
    """One transaction."""
    with db.transaction(durable=durable):
        for part in codec.parts(change.results):
            base, count, body = codec.pack(part, numbers)
            if count:
                db.execute("INSERT INTO hot (base, count, body) VALUES (?, ?, ?)", (base, count, body))
        db.bulk("INSERT OR REPLACE INTO monitor_state VALUES (?, ?)", [(state.monitor, encode(state)) for state in change.states])
        db.bulk("INSERT OR REPLACE INTO cursor VALUES (?, ?, ?)", change.cursors)
        db.bulk("INSERT OR REPLACE INTO baseline VALUES (?, ?)", [(monitor, encode(known)) for monitor, known in change.baselines])
        rows = [(one.number, one.monitor, one.cause, one.start, one.until, int(one.quiet)) for one in change.blind]
        db.bulk("INSERT OR REPLACE INTO blind (number, monitor, cause, start, until, quiet) VALUES (?, ?, ?, ?, ?, ?)", rows)
        details = [(result.monitor, result.at, int(is_good(result)), encode(result)) for result in change.details]
        db.bulk("INSERT INTO detail (monitor, at, good, body) VALUES (?, ?, ?, ?)", details)
        db.bulk(
            f"INSERT INTO incident ({_INCIDENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET {_INCIDENT_AGAIN}",
            [_incident_row(one) for one in change.incidents],
        )
        events = [(entry.incident, entry.at, type(entry.decision).__name__, encode(entry.decision)) for entry in change.timeline]
        db.bulk("INSERT INTO incident_event (incident, at, kind, body) VALUES (?, ?, ?, ?)", events)
        _enqueue(db, change.outbox)


def _incident_row(one: Incident) -> tuple[Any, ...]:
    return (
        one.id, one.monitor, one.severity, one.cause, one.started_at, one.opened_at, one.closed_at, one.acked_by, one.closed_by, one.note
    )  # fmt: skip


def _enqueue(db: Db, rows: Sequence[OutboxRow]) -> None:
    sql = "INSERT OR IGNORE INTO outbox (key, incident, monitor, channel, reason, at, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
    db.bulk(sql, [(n.key, n.incident, n.monitor, n.channel, n.reason, n.at, row.due_at) for row in rows for n in (row.notice,)])


def _outbox_row(row: tuple[Any, ...]) -> OutboxRow:
    key, incident_id, monitor, channel, reason, at, due_at, attempts = row
    return OutboxRow(Notice(key, incident_id, monitor, channel, NoticeReason(reason), at), due_at, attempts)


_FIRST_OF_ITS_THREAD = (
    "NOT EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.state = 'waiting' AND earlier.incident = outbox.incident "
    "AND earlier.channel = outbox.channel AND earlier.id < outbox.id)"
)


def claim(db: Db, now: int, lease_ms: int, limit: int) -> list[OutboxRow]:
    """Lease due rows; after a power cut a lease may be forgotten, and the notice goes out a second time under its key."""
    with db.transaction(durable=False):
        rows = db.fetch(
            f"UPDATE outbox SET lease_until = ? WHERE id IN (SELECT id FROM outbox WHERE state = 'waiting' AND due_at <= ? "
            f"AND lease_until <= ? AND {_FIRST_OF_ITS_THREAD} ORDER BY due_at, id LIMIT ?) RETURNING due_at, id, {_OUTBOX}",
            (now + lease_ms, now, now, limit),
        )
    return [_outbox_row(row[2:]) for row in sorted(rows)]


def next_due(db: Db) -> int | None:
    """The earliest instant at which claim would find something."""
    sql = f"SELECT min(max(due_at, lease_until)) FROM outbox WHERE state = 'waiting' AND {_FIRST_OF_ITS_THREAD}"
    found = db.fetch(sql)[0][0]
    return None if found is None else int(found)


def _record(db: Db, delivery: Delivery) -> None:
    incident_id = delivery.key.partition(":")[0]
    db.execute(
        "INSERT INTO delivery (key, incident, channel, at, attempt, reason, answer, duration_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            delivery.key, incident_id, delivery.channel, delivery.at, delivery.attempt, delivery.reason,
            delivery.answer, delivery.duration_ms,
        ),
    )  # fmt: skip


def delivered(db: Db, delivery: Delivery) -> None:
    """A success."""
    with db.transaction(durable=True):
        _record(db, delivery)
        db.execute("UPDATE outbox SET state = 'delivered', lease_until = 0 WHERE key = ?", (delivery.key,))


def failed(db: Db, delivery: Delivery, retry_at: int | None, then: Sequence[OutboxRow]) -> None:
    """A failure."""
    with db.transaction(durable=True):
        _record(db, delivery)
        state = "waiting" if retry_at is not None else "buried"
        change = "state = ?, lease_until = 0, attempts = attempts + 1, due_at = ifnull(?, due_at)"
        db.execute(f"UPDATE outbox SET {change} WHERE key = ? AND state <> 'delivered'", (state, retry_at, delivery.key))
        _enqueue(db, then)


def save_report(db: Db, report: StoredReport, now: int, follow_ups: Sequence[OutboxRow]) -> None:
    """Keep it; wake the openings that wait for it, add the follow-ups of those that could not wait."""
    with db.transaction(durable=True):
        db.execute("INSERT OR REPLACE INTO report VALUES (?, ?, ?)", (report.incident, report.made_at, encode(report)))
        waits = f"incident = ? AND reason IN {_OPENINGS} AND state = 'waiting' AND lease_until <= ?"
        db.execute(f"UPDATE outbox SET due_at = min(due_at, ?) WHERE attempts = 0 AND {waits}", (now, report.incident, now))
        gone = f"SELECT channel FROM outbox WHERE incident = ? AND reason IN {_OPENINGS} AND (state = 'delivered' OR lease_until > ?)"
        channels = {row[0] for row in db.fetch(gone, (report.incident, now))}
        _enqueue(db, [row for row in follow_ups if row.notice.channel in channels])


def report(db: Db, incident_id: str) -> StoredReport | None:
    """The newest report of an incident."""
    rows = db.fetch("SELECT body FROM report WHERE incident = ?", (incident_id,))
    return decode(rows[0][0], StoredReport) if rows else None


def _incident(row: tuple[Any, ...]) -> Incident:
    return Incident(row[0], row[1], Severity(row[2]), Cause(row[3]), *row[4:])


def incidents(db: Db, *, open_only: bool, limit: int, since: int | None = None) -> list[Incident]:
    """Newest first."""
    wanted = ["closed_at IS NULL"] if open_only else ["1 = 1"]
    wanted += ["(closed_at IS NULL OR closed_at >= ?)"] * (since is not None)
    sql = f"SELECT {_INCIDENT} FROM incident WHERE {' AND '.join(wanted)} ORDER BY opened_at DESC, rowid DESC LIMIT ?"
    return [_incident(row) for row in db.fetch(sql, (limit,) if since is None else (since, limit))]


def blinds(db: Db, since: int) -> list[Blind]:
    """In the order of their numbers."""
    sql = "SELECT number, start, cause, until, monitor, quiet FROM blind WHERE until IS NULL OR until >= ? ORDER BY number"
    return [
        Blind(number, start, Cause(cause), until, of, bool(quiet)) for number, start, cause, until, of, quiet in db.fetch(sql, (since,))
    ]


def watched_since(db: Db) -> dict[str, int]:
    """Since when each monitor has results."""
    return {monitor: int(at) for monitor, at in db.fetch("SELECT monitor, min(at) FROM detail GROUP BY monitor")}


def incident(db: Db, incident_id: str) -> Incident | None:
    """One incident."""
    rows = db.fetch(f"SELECT {_INCIDENT} FROM incident WHERE id = ?", (incident_id,))
    return _incident(rows[0]) if rows else None


def timeline(db: Db, incident_id: str) -> list[TimelineEntry]:
    """Oldest first."""
    rows = db.fetch("SELECT at, kind, body FROM incident_event WHERE incident = ? ORDER BY id", (incident_id,))
    return [TimelineEntry(incident_id, at, decode(body, _DECISIONS[kind])) for at, kind, body in rows]


def deliveries(db: Db, incident_id: str) -> list[Delivery]:
    """Oldest first."""
    sql = "SELECT key, channel, at, attempt, reason, answer, duration_ms FROM delivery WHERE incident = ? ORDER BY id"
    return [Delivery(*row) for row in db.fetch(sql, (incident_id,))]


def outbox(db: Db, state: str) -> list[OutboxRow]:
    """Rows in one state, oldest first."""
    return [_outbox_row(row) for row in db.fetch(f"SELECT {_OUTBOX} FROM outbox WHERE state = ? ORDER BY id", (state,))]


def last_results(db: Db) -> list[CheckResult]:
    """The newest result of each watched monitor: from the last packed groups, whole where a whole one was kept for that instant."""
    ids = {number: monitor for monitor, number in db.fetch("SELECT id, number FROM monitor WHERE active = 1")}
    found: dict[str, CheckResult] = {}
    for base, body in db.fetch("SELECT base, body FROM hot ORDER BY id DESC LIMIT ?", (_LOOK_BACK,)):
        if len(found) == len(ids):
            break
        try:
            results = codec.unpack(base, body, ids)
        except ValueError as error:
            raise damaged(db.path, str(error)) from error
        for result in reversed(results):
            if result.monitor:
                found.setdefault(result.monitor, result)
    return [_whole(db, result) for result in found.values()]


def _whole(db: Db, result: CheckResult) -> CheckResult:
    sql = "SELECT body FROM detail WHERE monitor = ? AND good = ? AND at = ? ORDER BY id DESC LIMIT 1"
    rows = db.fetch(sql, (result.monitor, int(is_good(result)), result.at))
    return decode(rows[0][0], CheckResult) if rows else result


def last_detail(db: Db, monitor: str, *, good: bool, before: int) -> CheckResult | None:
    """The newest whole result of a monitor before an instant."""
    sql = "SELECT body FROM detail WHERE monitor = ? AND good = ? AND at < ? ORDER BY at DESC, id DESC LIMIT 1"
    rows = db.fetch(sql, (monitor, int(good), before))
    return decode(rows[0][0], CheckResult) if rows else None


def leave(db: Db, monitor: str, event: Acked | Resolved) -> None:
    """For another process."""
    with db.transaction(durable=True):
        db.execute("INSERT INTO inbox (monitor, kind, body) VALUES (?, ?, ?)", (monitor, type(event).__name__, encode(event)))


def left(db: Db) -> list[tuple[str, Acked | Resolved]]:
    """From another process; each once."""
    if not db.fetch("SELECT 1 FROM inbox LIMIT 1"):
        return []
    with db.transaction(durable=True):
        rows = db.fetch("DELETE FROM inbox RETURNING id, monitor, kind, body")
    return [(monitor, decode(body, Acked) if kind == "Acked" else decode(body, Resolved)) for _, monitor, kind, body in sorted(rows)]


def remark(db: Db, said: Remark) -> None:
    """One row."""
    helpful = None if said.helpful is None else int(said.helpful)
    with db.transaction(durable=True):
        sql = "INSERT INTO remark (incident, at, by, helpful, cause, note) VALUES (?, ?, ?, ?, ?, ?)"
        db.execute(sql, (said.incident, said.at, said.by, helpful, said.cause, said.note))


def remarks(db: Db, incidents_: Sequence[str]) -> list[Remark]:
    """Oldest first."""
    marks = ", ".join("?" * len(incidents_))
    rows = db.fetch(f"SELECT incident, at, by, helpful, cause, note FROM remark WHERE incident IN ({marks}) ORDER BY id", tuple(incidents_))
    return [Remark(one, at, by, None if helpful is None else bool(helpful), cause, note) for one, at, by, helpful, cause, note in rows]


def save_scores(db: Db, found: Scores) -> None:
    """One row."""
    with db.transaction(durable=True):
        sql = "INSERT INTO evaluation (model, digest, at, body) VALUES (?, ?, ?, ?)"
        db.execute(sql, (found.model, found.digest, found.at, encode(found)))


def scores(db: Db, model: str) -> list[Scores]:
    """Newest first."""
    rows = db.fetch("SELECT body FROM evaluation WHERE model = ? ORDER BY at DESC, id DESC LIMIT 20", (model,))
    return [decode(body, Scores) for (body,) in rows]


def prune(db: Db, now: int) -> int:
    """One bite of what is too old; 0 when nothing is left of it. Of whole results, the newest good and bad one of a monitor stay."""
    with db.transaction(durable=False):
        oldest_kept = "ifnull((SELECT id FROM hot WHERE base >= ? ORDER BY id LIMIT 1), 9223372036854775807)"
        gone = db.execute(
            f"DELETE FROM hot WHERE id IN (SELECT id FROM hot WHERE id < {oldest_kept} ORDER BY id LIMIT {_BITE})", (now - _KEEP_HOT_MS,)
        )
        newer = "EXISTS (SELECT 1 FROM detail AS newer WHERE newer.monitor = old.monitor AND newer.at > old.at AND newer.good = old.good)"
        old = f"SELECT id FROM detail AS old WHERE at < ? AND {newer} LIMIT {_BITE}"
        gone += db.execute(f"DELETE FROM detail WHERE id IN ({old})", (now - _KEEP_DETAIL_MS,))
        newest = "(SELECT max(number) FROM blind)"  # stays, so that no number is given twice
        return gone + db.execute(f"DELETE FROM blind WHERE until < ? AND number < {newest}", (now - _KEEP_DETAIL_MS,))
