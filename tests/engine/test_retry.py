"""What is tried again at a start, and when a channel was mended: everything by `once`, what was given up where it may help."""

from dataclasses import replace

import pytest

from vigie.core.detection import Severity
from vigie.core.model import Cause, Incident
from vigie.core.notification import Notice, NoticeReason
from vigie.engine.messages import Composer
from vigie.errors import DeliveryError, DeliveryReason
from vigie.ports import Commit, OutboxState
from vigie.report.render import RenderContext
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor
from vigie.testing.memory import MemoryStore

from .post import AUTH, OPENED, RECOVERED, Post, channels

pytestmark = pytest.mark.virtual
HOUR, DAY = 3_600_000, 86_400_000
LOGIN = DeliveryError(DeliveryReason.AUTH, "the password was not accepted", retry_after_ms=300_000)


async def failed(store: MemoryStore, clock: VirtualClock, fault: DeliveryError, *, open_: bool = False, age_ms: int = 0) -> None:
    """A run of which nothing could be delivered."""
    at = clock.now() - age_ms
    closed = None if open_ else at + 1
    incident = Incident("shop-1", "shop", Severity.OUTAGE, Cause.TCP_REFUSED, at, at, closed_at=closed)
    await store.ledger.commit(Commit(incidents=(incident,)))
    first = Post(store, clock, channels(clock, "mail"))
    first.channels["mail"].always = fault
    await first.put(("shop-1", OPENED, "mail"), age_ms=age_ms)
    assert await first.outbox.drain(clock.now() + 10_000) == 1
    await first.outbox.close()


async def sent_by_a_new_run(
    store: MemoryStore, clock: VirtualClock, *changed: str, everything: bool = False, known: str = "mail"
) -> list[str]:
    """What a new process sends at its start."""
    again = Post(store, clock, channels(clock, known))
    await again.outbox.retry_unsent(changed, everything=everything)
    await again.outbox.drain(clock.now() + 2_000)
    await again.outbox.close()
    return again.channels[known].keys()


async def test_a_single_run_tries_what_waits_whatever_its_time(store: MemoryStore, clock: VirtualClock) -> None:
    await failed(store, clock, LOGIN)
    assert await sent_by_a_new_run(store, clock) == [], "its time has not come"
    assert await sent_by_a_new_run(store, clock, everything=True) == ["shop-1:opened:mail"]


async def test_a_new_configuration_of_a_channel_is_tried_at_once_and_no_others(store: MemoryStore, clock: VirtualClock) -> None:
    await failed(store, clock, LOGIN)
    assert await sent_by_a_new_run(store, clock, "chat") == []
    assert await sent_by_a_new_run(store, clock, "mail") == ["shop-1:opened:mail"]


@pytest.mark.parametrize(
    ("open_", "age_ms", "waited_s", "changed", "sent"),
    [
        (False, 0, 0, False, False),  # nothing says that it would work now
        (False, 0, 3_700, False, True),  # perhaps the other side was mended
        (False, DAY, 3_700, False, False),  # news of yesterday
        (True, 30 * DAY, 3_700, False, True),  # it is still down
        (True, 30 * DAY, 0, True, True),
        (False, 0, 0, True, True),
        (False, 6 * DAY, 0, True, True),
        (False, 8 * DAY, 0, True, False),
    ],
)
async def test_what_was_given_up_is_tried_again_where_it_may_help(
    store: MemoryStore, clock: VirtualClock, open_: bool, age_ms: int, waited_s: int, changed: bool, sent: bool
) -> None:
    await failed(store, clock, AUTH, open_=open_, age_ms=age_ms)
    assert len(await store.ledger.outbox(OutboxState.UNDELIVERABLE)) == 1
    await clock.sleep(waited_s)
    assert bool(await sent_by_a_new_run(store, clock, *(["mail"] if changed else []), everything=True)) is sent
    assert len(await store.ledger.outbox(OutboxState.UNDELIVERABLE)) == (not sent)


async def test_of_a_channel_that_is_gone_nothing_is_tried(store: MemoryStore, clock: VirtualClock) -> None:
    await failed(store, clock, AUTH)
    assert await sent_by_a_new_run(store, clock, "mail", "chat", everything=True, known="chat") == []


async def test_a_second_failure_gives_up_again_and_is_counted_apart(store: MemoryStore, clock: VirtualClock) -> None:
    await failed(store, clock, AUTH)
    again = Post(store, clock, channels(clock, "mail", "chat"), ("chat",))
    again.channels["mail"].always = AUTH
    again.channels["chat"].always = LOGIN
    await again.put(("shop-2", OPENED, "chat"))
    await again.outbox.retry_unsent(["mail"], everything=True)
    unsent = await again.outbox.drain(clock.now() + 2_000)
    assert (unsent, unsent.given_up) == (unsent.waiting + 1, 1)
    await again.outbox.close()


async def test_a_notice_never_overtakes_one_that_is_tried_again(store: MemoryStore, clock: VirtualClock) -> None:
    await failed(store, clock, AUTH)
    again = Post(store, clock, channels(clock, "mail"))
    await again.put(("shop-1", RECOVERED, "mail"))
    await again.outbox.retry_unsent(["mail"])
    await again.outbox.drain(clock.now() + 2_000)
    assert again.channels["mail"].keys() == ["shop-1:opened:mail", "shop-1:recovered:mail"]
    await again.outbox.close()


@pytest.mark.parametrize(
    ("language", "waited_ms", "line"),
    [
        ("en", 14 * 60_000, None),
        ("en", HOUR, "Late: this notice was raised at 00:00:00 UTC and could not be sent until now."),
        ("en", 2 * DAY, "Late: this notice was raised on 1 January 2026 at 00:00:00 UTC and could not be sent until now."),
        ("fr", HOUR, "Envoi tardif : cette notification a été émise à 00:00:00 UTC et n'avait pas pu être envoyée jusqu'ici."),
    ],
)
async def test_a_late_notice_says_from_when_it_is(
    store: MemoryStore, clock: VirtualClock, language: str, waited_ms: int, line: str | None
) -> None:
    from datetime import UTC

    at = 1_767_225_600_000
    incident = Incident("shop-1", "shop", Severity.OUTAGE, Cause.TCP_REFUSED, at, at)
    await store.ledger.commit(Commit(incidents=(incident,)))
    clock.step(at + waited_ms - clock.now())
    composer = Composer(store.archive, clock, RenderContext(language, UTC), {"shop": fake_monitor()})
    message = await composer.compose(Notice("shop-1", "shop", "mail", OPENED, at))
    assert (message.lines[0] if line else None) == line
    assert message.at == at
    assert sum("Late" in one or "tardif" in one for one in message.lines) == (line is not None)


async def test_a_channel_that_is_gone_is_reported_once_for_an_incident_however_much_it_lost(
    store: MemoryStore, clock: VirtualClock
) -> None:
    post = Post(store, clock, channels(clock, "chat"), ("mail", "chat"))
    now = clock.now()
    reminders = [Notice("shop-1", "shop", "mail", NoticeReason.REMINDER, now, number) for number in range(1, 6)]
    await post.put(("shop-1", OPENED, "mail"), ("shop-2", OPENED, "mail"))
    from vigie.ports import OutboxRow

    await store.ledger.commit(Commit(outbox=tuple(OutboxRow(one, now) for one in reminders)))
    await post.put(("shop-1", RECOVERED, "mail"))
    await post.outbox.drain(clock.now() + 20_000)
    told = [message.key for _, message in post.channels["chat"].told if message.reason is NoticeReason.UNDELIVERABLE]
    assert sorted(told) == ["shop-1:opened:mail:buried:chat", "shop-2:opened:mail:buried:chat"]
    again = Post(store, clock, channels(clock, "chat"), ("mail", "chat"))  # another process knows it, too
    await store.ledger.commit(Commit(outbox=(OutboxRow(replace(reminders[0], number=9), now),)))
    await again.outbox.drain(clock.now() + 20_000)
    assert [message.reason for _, message in again.channels["chat"].told] == [NoticeReason.REMINDER]
    await post.outbox.close()
    await again.outbox.close()
