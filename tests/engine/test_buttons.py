"""Buttons of a chat: only the chat's own requests, only our own buttons, done at once, confirmed beside the answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC

import pytest

from vigie.core.model import Cause, CheckResult, Monitor, Status
from vigie.core.notification import NotificationPolicy
from vigie.engine.buttons import Buttons
from vigie.engine.ingest import Ingest
from vigie.engine.messages import Composer
from vigie.engine.responses import Responses
from vigie.errors import DeliveryError, DeliveryReason
from vigie.ports import Batch, Press
from vigie.report.render import RenderContext
from vigie.report.responses import ResponseAction, ResponseLinks
from vigie.testing import VirtualClock
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
LINKS = ResponseLinks("https://vigie.example.com", b"k" * 32)


@dataclass
class Chat:
    """Takes requests whose header says `open sesame`; the body is the token."""

    confirmed: list[tuple[str, str]] = field(default_factory=list)
    registered: list[str] = field(default_factory=list)
    refuses: int = 0
    stalls: bool = False

    def read(self, headers: Mapping[str, str], body: bytes, now: int) -> Press | None:
        assert now
        return Press(body.decode(), "Zoé", "thread-1") if headers.get("x-word") == "open sesame" else None

    async def confirm(self, press: Press, text: str) -> None:
        if self.stalls:
            await asyncio.Event().wait()
        if self.refuses:
            raise DeliveryError(DeliveryReason.SERVER, "HTTP 500")
        self.confirmed.append((press.reply, text))

    async def register(self, url: str) -> str:
        if self.refuses:
            self.refuses -= 1
            raise DeliveryError(DeliveryReason.TIMEOUT, "no answer", fix="check the network")
        self.registered.append(url)
        return "presses come here"


@dataclass
class Desk:
    store: MemoryStore
    ingest: Ingest
    chat: Chat
    buttons: Buttons

    async def press(self, token: str, *, channel: str = "chat", word: str = "open sesame") -> bool:
        done = await self.buttons.press(channel, {"x-word": word}, token.encode())
        await asyncio.sleep(0.001)
        return done

    def token(self, action: ResponseAction) -> str:
        (first, *_) = self.ingest.incidents()
        return LINKS.button(first, action, "chat")


async def at_work(clock: VirtualClock, store: MemoryStore) -> Desk:
    """An alert about one service, and a chat."""
    shop = Monitor("shop", "Shop", "tcp", "192.0.2.7:80", "192.0.2.7", 30_000, 5_000, notification=NotificationPolicy(to=("chat",)))
    composer = Composer(store.archive, clock, RenderContext("en", UTC, None, LINKS), {"shop": shop})
    ingest, chat = Ingest(store.ledger, store.archive, clock, hold_ms=0), Chat()
    await ingest.start([shop])
    for sequence in range(1, 4):
        result = CheckResult("shop", clock.now() + sequence, Status.DOWN, Cause.TCP_REFUSED, run=1, sequence=sequence)
        await ingest.take(Batch("shop", 1, sequence, (result,)))
    return Desk(store, ingest, chat, Buttons(Responses(store.archive, ingest, clock, composer), clock, {"chat": chat}))


async def test_a_press_acknowledges_and_says_so_where_it_was_pressed(clock: VirtualClock, store: MemoryStore) -> None:
    desk = await at_work(clock, store)
    assert await desk.press(desk.token(ResponseAction.ACK))
    assert [one.acked_by for one in desk.ingest.incidents()] == ["Zoé"]
    assert await desk.press(desk.token(ResponseAction.ACK))
    assert desk.chat.confirmed == [
        ("thread-1", "✅ Acknowledged by Zoé."),
        ("thread-1", "The alert has already been acknowledged."),
    ]


async def test_a_press_resolves_and_a_later_one_finds_it_over(clock: VirtualClock, store: MemoryStore) -> None:
    desk = await at_work(clock, store)
    token = desk.token(ResponseAction.RESOLVE)
    assert await desk.press(token)
    assert desk.ingest.incidents() == []
    assert await desk.press(token)
    assert [text for _, text in desk.chat.confirmed] == ["⚪ Incident closed by Zoé.", "The incident is already over."]


@pytest.mark.parametrize("wrong", ["word", "channel"])
async def test_a_request_that_is_not_the_chats_does_nothing(wrong: str, clock: VirtualClock, store: MemoryStore) -> None:
    desk = await at_work(clock, store)
    done = await desk.press(desk.token(ResponseAction.ACK), **{wrong: "nobody"})

    assert not done
    assert [one.acked_by for one in desk.ingest.incidents()] == [None]
    assert desk.chat.confirmed == []


@pytest.mark.parametrize("token", ["", "ack", "ack:", "explode:x", "resolve:" + "A" * 22, "ack:" + "é" * 22, "a" * 9_000])
async def test_a_button_that_is_not_ours_does_nothing(token: str, clock: VirtualClock, store: MemoryStore) -> None:
    desk = await at_work(clock, store)
    assert await desk.press(token)
    assert [one.acked_by for one in desk.ingest.incidents()] == [None]
    assert [text for _, text in desk.chat.confirmed] == ["The incident is already over."]


async def test_the_buttons_of_another_channel_are_not_this_ones(clock: VirtualClock, store: MemoryStore) -> None:
    desk = await at_work(clock, store)
    (first,) = desk.ingest.incidents()
    await desk.press(LINKS.button(first, ResponseAction.ACK, "other"))
    assert [one.acked_by for one in desk.ingest.incidents()] == [None]


async def test_a_chat_that_cannot_be_answered_holds_nothing_up(clock: VirtualClock, store: MemoryStore) -> None:
    desk = await at_work(clock, store)
    desk.chat.stalls = True
    assert await desk.press(desk.token(ResponseAction.ACK))
    desk.chat.stalls, desk.chat.refuses = False, 1
    assert await desk.press(desk.token(ResponseAction.ACK))
    assert [one.acked_by for one in desk.ingest.incidents()] == ["Zoé"]
    await desk.buttons.close()


async def test_a_chat_that_does_not_answer_is_asked_again_until_it_does(store: MemoryStore, clock: VirtualClock) -> None:
    desk = await at_work(clock, store)
    desk.chat.refuses = 5
    begun = clock.monotonic()
    await desk.buttons.register("chat", "https://vigie.example.com/")

    assert desk.chat.registered == ["https://vigie.example.com/integrations/chat"]
    assert clock.monotonic() - begun == pytest.approx(10 + 60 + 600 + 3_600 + 3_600)


async def test_the_button_of_an_alert_whose_first_service_is_well_again_acts_on_the_others(clock: VirtualClock, store: MemoryStore) -> None:
    desk = await at_work(clock, store)
    shop = desk.ingest.monitor("shop")
    assert shop is not None
    await desk.ingest.configure([shop, replace(shop, id="blog", name="Blog")])
    token = desk.token(ResponseAction.ACK)

    async def seen(monitor: str, status: Status, first: int, count: int) -> None:
        for sequence in range(first, first + count):
            cause = Cause.TCP_REFUSED if status is Status.DOWN else None
            result = CheckResult(monitor, clock.now() + sequence, status, cause, address="192.0.2.7", run=1, sequence=sequence)
            await desk.ingest.take(Batch(monitor, 1, sequence, (result,)))

    await seen("blog", Status.DOWN, 1, 3)
    assert {one.alert for one in desk.ingest.incidents()} == {"shop-1"}
    await seen("shop", Status.UP, 4, 2)
    assert [one.id for one in desk.ingest.incidents()] == ["blog-1"]

    assert await desk.press(token)
    assert [one.acked_by for one in desk.ingest.incidents()] == ["Zoé"]
    assert [text for _, text in desk.chat.confirmed] == ["✅ Acknowledged by Zoé."]
