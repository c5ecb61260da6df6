"""A stall of Vigie itself: whoever is notified that it began is notified of its end, by the next process if need be."""

import pytest

from vigie.core.notification import Notice, NoticeReason
from vigie.core.subject import VIGIE_ID, SubjectKind
from vigie.engine.stalls import Stall, end_earlier, say_resumed
from vigie.ports import Commit, Delivery, OutboxRow, OutboxState
from vigie.report.stalls import Part, thread
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
NOW = 1_700_000_000_000
STALLED, RESUMED = NoticeReason.STALLED, NoticeReason.RESUMED


def notice(channel: str, reason: NoticeReason = STALLED, since: int = NOW, **more: str) -> Notice:
    return Notice(thread(Part.LOOP, since), VIGIE_ID, channel, reason, since + 60_000, subject=SubjectKind.VIGIE, **more)  # type: ignore[arg-type]  # only texts are given


class Recorder:
    """Writes what a start records."""

    def __init__(self, store: MemoryStore) -> None:
        self._store, self.notices = store, list[Notice]()

    async def record(self, change: Commit, notices: object) -> None:
        assert change == Commit()
        assert isinstance(notices, list)
        self.notices += notices
        await self._store.ledger.commit(Commit(outbox=tuple(OutboxRow(one, one.at) for one in notices)))


async def test_a_start_ends_each_stall_that_nobody_ended_once() -> None:
    store = MemoryStore()
    made = Recorder(store)
    delivered, waiting, lost, dropped = (notice(name) for name in ("mail", "pager", "sms", "chat"))
    instead = notice("page", failover_for="mail")
    over = [notice("mail", since=NOW - 9_000_000), notice("mail", RESUMED, since=NOW - 9_000_000)]
    other = Notice("stalled-jobs-1", "stalled-jobs", "mail", NoticeReason.OPENED, NOW)
    await store.ledger.commit(
        Commit(outbox=tuple(OutboxRow(one, NOW + 480_000) for one in (*over, delivered, waiting, lost, dropped, instead, other)))
    )
    await store.ledger.record(Delivery.of(delivered, NOW, 1, None, "250 queued", 5))
    await store.ledger.record(Delivery.of(lost, NOW, 1, "rejected", "no", 5))
    await store.ledger.drop([dropped.key], "ana", NOW)
    for at in (NOW + 300_000, NOW + 900_000):
        await end_earlier(store.ledger, made.record, at)
    assert {row.notice.key: row.due_at for row in await store.ledger.outbox(OutboxState.WAITING)}[waiting.key] == NOW + 300_000, (
        "due at once"
    )
    assert [(one.channel, one.reason, one.alert, one.at) for one in made.notices] == [
        (name, RESUMED, delivered.alert, NOW + 300_000) for name in ("mail", "pager", "sms")
    ]


async def test_without_a_stall_a_start_writes_nothing() -> None:
    made = Recorder(MemoryStore())
    await end_earlier(made._store.ledger, made.record, NOW)
    assert made.notices == []


async def test_nobody_is_notified_of_a_stall_that_is_over_and_its_end_comes_after_it() -> None:
    made, stall = Recorder(MemoryStore()), Stall(Part.WRITER, NOW)
    assert stall.tell(["mail"])
    stall.end()
    assert not stall.tell(["chat"])
    stall.recorded.set()
    await say_resumed(stall, NOW + 90_000, made.record)
    assert [(one.channel, one.reason) for one in made.notices] == [("mail", RESUMED)]
    assert [one.row.notice.key for one in await made._store.ledger.notices(states=[OutboxState.WAITING])] == [made.notices[0].key]
