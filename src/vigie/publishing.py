"""Status pages put together: what they show, who publishes, who subscribes, and how letters leave. For `serve` and `vigie statuspage`."""

import logging
import socket
from collections.abc import Callable, Sequence
from typing import Any

from vigie import plugins
from vigie.adapters import state_of, zone_of
from vigie.app import Runtime
from vigie.config import Desired
from vigie.core.model import Monitor
from vigie.engine.commands.status_pages import Publishing as Desk
from vigie.engine.commands.status_pages import Subscribing
from vigie.engine.letters import Letters
from vigie.engine.queries.history import StoredHistory
from vigie.engine.queries.status_pages import StoredStatusPages
from vigie.errors import DeliveryError, DeliveryReason, VigieError
from vigie.net import system_ca_file
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.guarded import post_public
from vigie.notifiers.webhook import signature
from vigie.ports import Clock, Store
from vigie.queries.history import HistoryQueries
from vigie.report.letters import Mail
from vigie.report.subscriptions import SubscriptionLinks

log = logging.getLogger("vigie.status_pages")


class Postman:
    """Hands letters to the mail channels of a configuration, and to web addresses that are not internal ones."""

    def __init__(self, settings: Desired, clock: Clock) -> None:
        self._settings = settings
        self._deps = NotifierDeps(clock, socket.gethostname(), system_ca_file(), proxies=settings.proxies, zone=zone_of(settings))
        self._channels: dict[str, Any] = {}

    async def mail(self, channel: str, mail: Mail, key: str) -> None:
        """By a mail channel. Raises DeliveryError."""
        if channel not in self._channels:
            wanted = self._settings.channels.get(channel)
            if wanted is None:
                raise DeliveryError(DeliveryReason.CONFIG, f"channel {channel} is no longer configured")
            try:
                self._channels[channel] = plugins.load("notifiers", wanted.kind).build(wanted.config.reveal(), self._deps)
            except VigieError as error:
                raise DeliveryError(DeliveryReason.CONFIG, error.message, fix=error.fix) from None
        await self._channels[channel].send(mail, key)

    async def webhook(self, url: str, secret: str, key: str, body: bytes) -> None:
        """Signed as the channel `webhook` signs. Raises DeliveryError."""
        stamp = str(self._deps.clock.now() // 1000)
        headers = {"Idempotency-Key": key, "X-Vigie-Timestamp": stamp, "X-Vigie-Signature": "sha256=" + signature(secret, stamp, body)}
        await post_public(self._deps, url, body, headers)


class Publishing:
    """All the parts of a running Vigie that status pages need. `settings` and `monitors` are those in force."""

    def __init__(
        self, runtime: Runtime, clock: Clock, settings: Callable[[], Desired], monitors: Callable[[], Sequence[Monitor]],
        history: HistoryQueries | None = None,
    ) -> None:  # fmt: skip
        store = runtime.store
        publications = store.catalog.publications
        self._settings, self._clock = settings, clock
        self._postman: tuple[Desired, Postman] | None = None
        self._links: SubscriptionLinks | None = None
        self.queries = StoredStatusPages(
            store.archive, publications, clock, lambda: settings().status_pages, monitors, lambda: runtime.planner.entries, history
        )
        self.letters = Letters(publications, self.queries, clock, self.links, self.postman)
        self.commands = Desk(publications, self.queries, clock, self.letters.wake)
        self.subscriptions = Subscribing(publications, self.queries.page, clock, self.links, self.letters.wake)

    def postman(self) -> Postman:
        """That of the configuration in force."""
        now = self._settings()
        if self._postman is None or self._postman[0] is not now:
            self._postman = (now, Postman(now, self._clock))
        return self._postman[1]

    def links(self) -> SubscriptionLinks:
        """The key is made when the first link is needed. Raises VigieError."""
        if self._links is None:
            self._links = SubscriptionLinks(state_of(self._settings()).key())
        return self._links


async def stored(settings: Desired, store: Store, clock: Clock) -> StoredStatusPages:
    """What the pages of a configuration show, over a store on which nobody need be at work. Raises StoreError."""
    watched = [one.monitor for one in settings.monitors]
    begun = await store.catalog.maintenance(clock.now())
    return StoredStatusPages(
        store.archive,
        store.catalog.publications,
        clock,
        lambda: settings.status_pages,
        lambda: watched,
        lambda: [*settings.maintenance, *(one.planned() for one in begun)],
        StoredHistory(store.history, store.archive, lambda: settings.history),
    )
