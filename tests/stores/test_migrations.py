"""From schema 4: what becomes of states, notices and attempts, whatever a database may hold."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from vigie.core.alert import AlertState, Phase
from vigie.core.detection import Severity
from vigie.core.members import Member, Members
from vigie.core.model import Cause, Status
from vigie.core.notification import NoticeReason
from vigie.core.quorum import View
from vigie.ports import OutboxCounts, OutboxState
from vigie.stores.sqlite.db import Db
from vigie.stores.sqlite.migrate import MIGRATIONS, migrate
from vigie.stores.sqlite.store import SqliteStore

NOW = 1_767_225_600_000
RESTING = {"phase": "healthy", "count": 0, "since": 0, "incident": "", "told": False, "acked": False, "reminders": 0, "remind_at": None}


@pytest.fixture
def old(tmp_path: Path) -> Db:
    """A database of schema 4."""
    folder = tmp_path / "until-4"
    folder.mkdir()
    for file in MIGRATIONS.glob("000[1-4]_*.sql"):
        (folder / file.name).write_text(file.read_text())
    db = Db(tmp_path / "vigie.db")
    assert migrate(db, db.path, folder) == 4
    return db


def track(phase: str, incident: str, **more: Any) -> dict[str, Any]:
    return {**RESTING, "phase": phase, "since": NOW - 9, "incident": incident, **more}


def put_state(db: Db, monitor: str, **more: Any) -> None:
    state = {"monitor": monitor, "order": (7 << 32) + 9, "ordinal": 2, "status": "down", "cause": "tcp.reset", "at": NOW}
    state |= {"outage": RESTING, "degradation": RESTING, "wake_at": None, **more}
    db.execute("INSERT INTO monitor_state VALUES (?, ?)", (monitor, b"\1" + msgspec.msgpack.encode(state)))


def put_incident(db: Db, name: str, acked_by: str | None = None) -> None:
    sql = "INSERT INTO incident VALUES (?, ?, 'outage', 'tcp.reset', ?, ?, NULL, ?, NULL, NULL)"
    db.execute(sql, (name, name.rpartition("-")[0], NOW, NOW, acked_by))


def put_notice(db: Db, key: str, reason: str, channel: str, state: str = "waiting") -> None:
    sql = "INSERT INTO outbox (key, incident, monitor, channel, reason, at, due_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    incident = key.partition(":")[0]
    db.execute(sql, (key, incident, incident.rpartition("-")[0], channel, reason, NOW, NOW, state))


def put_attempt(db: Db, key: str, channel: str, failure: str | None = None) -> None:
    sql = "INSERT INTO delivery (key, incident, channel, at, attempt, reason, answer, duration_ms) VALUES (?, ?, ?, ?, 1, ?, 'so', 5)"
    db.execute(sql, (key, key.partition(":")[0], channel, NOW, failure))


async def opened(db: Db) -> SqliteStore:
    db.close()
    return SqliteStore(db.path, threads=False)


@pytest.mark.parametrize(
    ("told", "acked", "phase"),
    [
        (True, False, Phase.FIRING),
        (True, True, Phase.ACKED),
        (False, False, Phase.WITHHELD),
        (False, True, Phase.WITHHELD_ACKED),
    ],
)
@pytest.mark.parametrize("open_", ["open", "recovering"])
async def test_an_open_incident_becomes_an_alert(old: Db, open_: str, told: bool, acked: bool, phase: Phase) -> None:
    by = "ann" if acked else None
    put_incident(old, "shop-2", by)
    waits = track(open_, "shop-2", told=told, acked=acked, reminders=3, remind_at=NOW + 5)
    put_state(old, "shop", outage=waits, wake_at=NOW + 5)
    store = await opened(old)
    found = await store.ledger.load()
    await store.close()

    member = Member("shop-2", "shop")
    assert found.alerts == (
        AlertState(
            "shop-2",
            Severity.OUTAGE,
            "shop",
            phase=phase,
            members=Members((member,)),
            acked_by=by,
            reminders=3,
            remind_at=NOW + 5,
            wake_at=NOW + 5,
        ),
    )
    state = found.states["shop"]
    assert (state.outage.phase, state.outage.since, state.outage.incident, state.ordinal) == (open_, NOW - 9, "shop-2", 2)
    assert state.views == (View("local", 7, 9, NOW, Status.DOWN, Cause.TCP_RESET),)
    assert [(one.alert, one.subject) for one in found.incidents] == [("shop-2", "monitor")]


async def test_both_tracks_may_be_open_and_what_rests_or_is_suspected_is_no_alert(old: Db) -> None:
    put_state(
        old, "shop", wake_at=NOW + 1,
        outage=track("open", "shop-2", told=True, remind_at=NOW + 8), degradation=track("recovering", "shop-1", told=False),
    )  # fmt: skip
    put_state(old, "api", outage=track("suspected", "api-1", count=1))
    put_state(old, "new", order=0, status=None, cause=None, at=None)
    store = await opened(old)
    found = await store.ledger.load()
    await store.close()

    assert {one.id: (one.severity, one.phase, one.wake_at) for one in found.alerts} == {
        "shop-1": (Severity.DEGRADATION, Phase.WITHHELD, NOW + 1),
        "shop-2": (Severity.OUTAGE, Phase.FIRING, NOW + 8),
    }
    assert found.states["api"].outage.count == 1
    assert found.states["new"].views == ()


async def test_notices_have_in_columns_what_their_keys_said(old: Db) -> None:
    put_notice(old, "shop-1:opened:mail", "opened", "mail", "buried")
    put_notice(old, "shop-1:opened:instead:chat", "opened", "chat")
    put_notice(old, "shop-1:reminder:12:mail", "reminder", "mail", "delivered")
    put_notice(old, "shop-1:reminder:12:instead:chat", "reminder", "chat")
    put_notice(old, "shop-1:opened:mail:buried:chat", "buried", "chat")
    put_notice(old, "vigie-3:blind:mail", "blind", "mail")
    put_notice(old, "gone-1:recovered:mail:buried:chat", "buried", "chat")
    store = await opened(old)
    waiting = {row.notice.key: row.notice for row in await store.ledger.outbox(OutboxState.WAITING)}
    (given_up,) = await store.ledger.outbox(OutboxState.UNDELIVERABLE)
    counts = await store.ledger.counts()
    await store.close()

    assert (given_up.notice.key, counts) == ("shop-1:opened:mail", OutboxCounts(5, 1))
    failover, reminder = waiting["shop-1:opened:instead:chat"], waiting["shop-1:reminder:12:instead:chat"]
    assert (failover.failover_for, failover.number) == ("mail", 0)
    assert (reminder.failover_for, reminder.number, reminder.reason) == ("mail", 12, NoticeReason.REMINDER)
    loud = waiting["shop-1:opened:mail:buried:chat"]
    assert (loud.reason, loud.about, loud.failover_for) == (NoticeReason.UNDELIVERABLE, NoticeReason.OPENED, "mail")
    assert waiting["vigie-3:blind:mail"].subject == "vigie"
    assert [one.failover_for for one in waiting.values() if one.alert == "gone-1"] == ["?"], "nothing is known of what failed"


@pytest.mark.parametrize("kept", [True, False], ids=["its notice is there", "its notice is gone"])
async def test_attempts_have_in_columns_what_their_keys_said(old: Db, kept: bool) -> None:
    attempts = [
        ("shop-1:opened:mail", "mail", NoticeReason.OPENED, 0, ""),
        ("shop-1:reminder:12:mail", "mail", NoticeReason.REMINDER, 12, ""),
        ("shop-1:reminder:12:instead:chat", "chat", NoticeReason.REMINDER, 12, "mail" if kept else "?"),
        ("shop-1:opened:mail:buried:chat", "chat", NoticeReason.UNDELIVERABLE, 0, "mail"),
        ("shop-1:recovered:a:b", "a:b", NoticeReason.RECOVERED, 0, ""),
    ]
    for key, channel, reason, _, _ in attempts:
        put_attempt(old, key, channel, "timeout")
        if kept:
            put_notice(old, key, "buried" if reason is NoticeReason.UNDELIVERABLE else reason, channel, "delivered")
    store = await opened(old)
    found = await store.archive.deliveries("shop-1")
    await store.close()

    assert [(one.key, one.channel, one.reason, one.number, one.failover_for) for one in found] == attempts
    assert {one.failure for one in found} == {"timeout"}
