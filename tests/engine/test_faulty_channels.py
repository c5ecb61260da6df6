"""Ten thousand notices by channels of which three attempts in ten fail, in every way in which a server or a network fails.

None is lost, none arrives twice under another key, each thread keeps its order, and the failover channel is notified in time. A failure
names its seed: `random.Random(seed)` makes the same story again.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from tests.engine.post import Post

from vigie.core.notification import NoticeReason
from vigie.engine.failover import PATIENCE_MS
from vigie.errors import DeliveryError, DeliveryReason
from vigie.ports import Notifier, OutboxState, Receipt
from vigie.report.facts import Message
from vigie.testing import VirtualClock
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
DEADLINE_MS = 30_000  # of one attempt
SLACK_MS = 1_000
ALERTS, _AT_ONCE = 2_500, 50  # four notices each
OPENED, RECOVERED = NoticeReason.OPENED, NoticeReason.RECOVERED


@dataclass
class Unreliable:
    """A channel and its provider: `arrived` is what the provider has, with the instant, also where its answer was lost."""

    clock: VirtualClock
    chance: random.Random
    failing: float = 0.3
    faults: tuple[str, ...] = ()
    arrived: list[tuple[str, int]] = field(default_factory=list)
    attempts: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    unsure: set[str] = field(default_factory=set)  # keys whose answer was lost

    async def deliver(self, message: Message) -> Receipt:
        self.attempts += 1
        await self.clock.sleep(0.05 + self.chance.random() / 4)
        if self.chance.random() >= self.failing:
            self.arrived.append((message.key, self.clock.now()))
            return Receipt("202 taken", f"ref-{message.thread}")
        fault = self.chance.choice(self.faults or tuple(FAULTS))
        self.failed[fault] += 1
        if fault in ("half an answer", "lost answer"):
            self.arrived.append((message.key, self.clock.now()))
            self.unsure.add(message.key)
        if fault in ("stall", "slow accept"):
            await self.clock.sleep(60)
        made = FAULTS[fault]
        raise made()

    async def examine(self) -> str:
        return "well"


FAULTS: dict[str, Callable[[], Exception]] = {
    "refused": lambda: DeliveryError(DeliveryReason.REFUSED, "connection refused"),
    "stall": lambda: DeliveryError(DeliveryReason.TIMEOUT, "no answer"),
    "slow accept": lambda: DeliveryError(DeliveryReason.TIMEOUT, "no connection"),
    "429": lambda: DeliveryError(DeliveryReason.RATE_LIMIT, "HTTP 429", retry_after_ms=7_000),
    "429, an hour": lambda: DeliveryError(DeliveryReason.RATE_LIMIT, "HTTP 429", retry_after_ms=3_600_000),
    "500": lambda: DeliveryError(DeliveryReason.SERVER, "HTTP 500"),
    "half an answer": lambda: DeliveryError(DeliveryReason.SERVER, "the connection was closed"),
    "lost answer": lambda: DeliveryError(DeliveryReason.TIMEOUT, "no answer"),
    "certificate": lambda: DeliveryError(DeliveryReason.TLS, "the certificate is for another name"),
    "login": lambda: DeliveryError(DeliveryReason.AUTH, "HTTP 401", retry_after_ms=300_000),
    "crash": lambda: RuntimeError("a bug in a channel"),
}


async def story(store: MemoryStore, clock: VirtualClock, seed: int, alerts: int, **changed: object) -> tuple[Post, dict[str, Unreliable]]:
    """`alerts` open and recover, some every two minutes, on two channels of which `spare` is the failover; then hours pass."""
    chance = random.Random(seed)
    channels = {name: Unreliable(clock, chance, **changed) for name in ("mail", "chat")}  # type: ignore[arg-type]  # of a dataclass
    spare = Unreliable(clock, chance, failing=0.0)
    notifiers: dict[str, Notifier] = {**channels, "spare": spare}
    post = Post(store, clock, notifiers, fallback=("spare",))  # type: ignore[arg-type]  # any notifier will do
    post.start()
    for first in range(0, alerts, _AT_ONCE):
        some = [f"shop-{number}" for number in range(first, min(first + _AT_ONCE, alerts))]
        for reason in (OPENED, RECOVERED):
            await post.put(*((alert, reason, name) for alert in some for name in channels))
            await clock.sleep(60)
    await clock.sleep(4 * 3_600)
    await post.stop()
    return post, {**channels, "spare": spare}


@pytest.mark.timeout(900)  # a minute of processor time: the figure is ten thousand notices
@pytest.mark.parametrize("seed", [7])
async def test_of_ten_thousand_notices_none_is_lost_none_doubled_and_none_late(
    store: MemoryStore, clock: VirtualClock, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL + 1, "vigie")  # four thousand failures, a trace for each crash
    _, channels = await story(store, clock, seed, ALERTS)
    spare = channels.pop("spare")
    assert await store.ledger.outbox(OutboxState.WAITING) == []
    assert await store.ledger.outbox(OutboxState.UNDELIVERABLE) == []
    for name, channel in channels.items():
        wanted = {f"shop-{number}:{reason}:{name}" for number in range(ALERTS) for reason in (OPENED, RECOVERED)}
        counted = Counter(key for key, _ in channel.arrived if "channel_" not in key)
        assert set(counted) == wanted
        assert {key for key, count in counted.items() if count > 1} <= channel.unsure, "a copy only where an answer was lost"
        assert set(channel.failed) == set(FAULTS), "every fault was met"
        assert 0.28 < sum(channel.failed.values()) / channel.attempts < 0.32
        _in_order([key for key, _ in channel.arrived])
    told = Counter(key for key, _ in spare.arrived if "channel_" not in key)
    assert max(told.values()) == 1
    left_open = {key for key in told if f":{OPENED}:" in key} - {key.replace(f":{RECOVERED}:", f":{OPENED}:") for key in told}
    assert not left_open, "whoever was notified of an opening is notified of its end"


def _in_order(keys: list[str]) -> None:
    """Of each alert the opening arrives before its end."""
    first: dict[str, int] = {}
    for number, key in enumerate(keys):
        first.setdefault(key, number)
    for key, number in first.items():
        if f":{RECOVERED}:" in key:
            assert first[key.replace(f":{RECOVERED}:", f":{OPENED}:")] < number, key


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_channel_that_never_works_is_replaced_within_the_stated_time(store: MemoryStore, clock: VirtualClock, fault: str) -> None:
    """Whatever is wrong, and however long the channel asks to wait: the failover channel has the notice within `PATIENCE_MS` and one attempt."""
    chance = random.Random(1)
    dead, spare = Unreliable(clock, chance, failing=1.0, faults=(fault,)), Unreliable(clock, chance, failing=0.0)
    post = Post(store, clock, {"mail": dead, "spare": spare}, fallback=("spare",))  # type: ignore[dict-item]  # any notifier will do
    post.start()
    began = clock.now()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(600)
    await post.put(("shop-1", RECOVERED, "mail"))
    await clock.sleep(7_200)
    await post.stop()
    told = dict(reversed([one for one in spare.arrived if "channel_" not in one[0]]))
    assert list(told)[::-1] == ["shop-1:opened:instead:spare", "shop-1:recovered:instead:spare"]
    assert told["shop-1:opened:instead:spare"] - began <= PATIENCE_MS + DEADLINE_MS + SLACK_MS
    assert told["shop-1:recovered:instead:spare"] - began <= 3_600_000 + DEADLINE_MS + SLACK_MS, "behind it, by its next attempt"


async def test_whoever_replaced_a_channel_is_notified_of_the_end_that_the_channel_took(store: MemoryStore, clock: VirtualClock) -> None:
    """An incident that a paging service opened as a failover channel is closed, though the first channel works again."""
    chance = random.Random(1)
    mail, spare = Unreliable(clock, chance, failing=1.0, faults=("login",)), Unreliable(clock, chance, failing=0.0)
    post = Post(store, clock, {"mail": mail, "spare": spare}, fallback=("spare",))  # type: ignore[dict-item]  # any notifier will do
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(30)
    mail.failing = 0.0
    await clock.sleep(600)
    await post.put(("shop-1", RECOVERED, "mail"), ("shop-2", OPENED, "mail"), ("shop-2", RECOVERED, "mail"))
    await clock.sleep(600)
    await post.stop()
    assert [key for key, _ in mail.arrived if "shop-1:" in key] == ["shop-1:opened:mail", "shop-1:recovered:mail"]
    assert [key for key, _ in spare.arrived if "channel_" not in key] == ["shop-1:opened:instead:spare", "shop-1:recovered:instead:spare"]
