"""An outbox over a real store and fake channels, as the outbox' tests use it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from vigie.core.detection import Severity
from vigie.core.notification import Notice, NoticeReason
from vigie.engine.outbox import Outbox
from vigie.errors import DeliveryError, DeliveryReason
from vigie.ports import Commit, OutboxRow, Store
from vigie.report.facts import Message
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel

REFUSED = DeliveryError(DeliveryReason.REFUSED, "connection refused", fix="start the mail server")
AUTH = DeliveryError(DeliveryReason.AUTH, "the password was not accepted", fix="use an app password", permanent=True)
OPENED, RECOVERED = NoticeReason.OPENED, NoticeReason.RECOVERED


async def bare(notice: Notice) -> Message:
    """A message with nothing in it but its names."""
    first = notice.reason is NoticeReason.OPENED
    return Message(notice.key, notice.alert, first, notice.reason, Severity.OUTAGE, "en", notice.monitor, "", notice.at, "down", "down", ())


@dataclass
class Post:
    """An outbox over a real store and fake channels. `fallback` names the channels that stand in."""

    store: Store
    clock: VirtualClock
    channels: Mapping[str, FakeChannel]
    fallback: tuple[str, ...] = ()
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.store.ledger, self.store.archive, self.clock, self.channels, bare, lambda _: self.fallback)

    async def put(self, *notices: tuple[str, NoticeReason, str], age_ms: int = 0) -> None:
        now = self.clock.now() - age_ms
        rows = tuple(OutboxRow(Notice(incident, "shop", channel, reason, now), now) for incident, reason, channel in notices)
        await self.store.ledger.commit(Commit(outbox=rows))
        self.outbox.wake()

    def start(self) -> None:
        self.tasks.append(asyncio.create_task(self.outbox.run()))

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.outbox.close()


def channels(clock: VirtualClock, *names: str) -> dict[str, FakeChannel]:
    return {name: FakeChannel(clock) for name in names}
