"""What subscribers of status pages are sent: a queue beside the outbox, so that ten thousand readers never delay an alert.

Each letter is kept until it was taken, given up after a day and eight attempts, or refused for good. The words are put together when it is
sent: what was retracted meanwhile is not.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from vigie.engine.trouble import Trouble
from vigie.errors import DeliveryError, StoreError
from vigie.planning.backoff import backoff_ms
from vigie.ports import Clock, Publications
from vigie.queries.status_pages import StatusPageQueries
from vigie.report.letters import Mail, confirmation, update_mail, webhook_body
from vigie.report.public_page import PublicPage, PublicPost, PublicUpdate
from vigie.report.publication import Letter, LetterKind, Subscriber, SubscriberKind
from vigie.report.subscriptions import SubscriptionLinks

log = logging.getLogger("vigie.letters")

_LEASE_MS = 120_000
_CLAIM = 20
_AT_ONCE = 4
_DEADLINE_SECONDS = 45.0
_IDLE_SECONDS = 30.0
_GIVE_UP_MS, _GIVE_UP_ATTEMPTS = 86_400_000, 8


class Postman(Protocol):
    """Who hands letters over. Both raise DeliveryError."""

    async def mail(self, channel: str, mail: Mail, key: str) -> None:
        """By a mail channel of the configuration."""

    async def webhook(self, url: str, secret: str, key: str, body: bytes) -> None:
        """To an address that is not an internal one."""


class Letters:
    """Sends what the store says must be sent to subscribers."""

    def __init__(
        self,
        publications: Publications,
        pages: StatusPageQueries,
        clock: Clock,
        links: Callable[[], SubscriptionLinks],
        postman: Callable[[], Postman],
    ) -> None:
        self._publications, self._pages, self._clock, self._links, self._postman = publications, pages, clock, links, postman
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look again now."""
        self._woken.set()

    async def run(self) -> None:
        """Send for ever."""
        trouble = Trouble(log, "letters to subscribers cannot be read")
        while True:
            self._woken.clear()
            busy, due = False, None
            with trouble.noted():
                busy = await self.send_due()
                due = await self._publications.next_letter()
            if busy:
                continue
            now = self._clock.now()
            wait = _IDLE_SECONDS if due is None else min(max(due - now, 100) / 1000, _IDLE_SECONDS)
            try:
                async with asyncio.timeout(wait):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def send_due(self) -> bool:
        """Send some of what is due; whether there was any. Raises StoreError."""
        rows = await self._publications.claim_letters(self._clock.now(), _LEASE_MS, _CLAIM)
        for first in range(0, len(rows), _AT_ONCE):
            await asyncio.gather(*(self._send(one) for one in rows[first : first + _AT_ONCE]))
        return bool(rows)

    async def _send(self, letter: Letter) -> None:
        retry_at = None
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                await self._deliver(letter)
        except (DeliveryError, TimeoutError) as error:
            retry_at = self._retry_at(letter, error)
            log.warning("%s: not sent (attempt %d%s): %s", letter.key, letter.attempts + 1, "" if retry_at else ", the last one", error)
        except StoreError as error:
            log.error("%s: what it says cannot be read: %s. %s", letter.key, error, error.fix)  # noqa: TRY400 - the trace says nothing more
            retry_at = self._clock.now() + 10_000
        except Exception:  # one letter that breaks must not keep the others
            log.exception("%s: could not be put together", letter.key)
            retry_at = self._retry_at(letter, None)
        try:
            await self._publications.settle_letter(letter, retry_at)
        except StoreError as error:  # its lease ends, and it is sent again: twice beats never
            log.error("%s: its outcome could not be recorded: %s", letter.key, error)  # noqa: TRY400 - the trace says nothing more

    def _retry_at(self, letter: Letter, error: Exception | None) -> int | None:
        now, attempt = self._clock.now(), letter.attempts + 1
        permanent = isinstance(error, DeliveryError) and error.permanent
        if permanent or (now - letter.at > _GIVE_UP_MS and attempt >= _GIVE_UP_ATTEMPTS):
            return None
        asked = error.retry_after_ms if isinstance(error, DeliveryError) else None
        return now + max(backoff_ms(attempt, letter.key), asked or 0)

    async def _deliver(self, letter: Letter) -> None:
        """Nothing is sent of what is gone: the page, the reader, the update."""
        reader = await self._publications.subscriber(letter.subscriber)
        page = await self._pages.public(letter.page) if reader is not None else None
        if reader is None or page is None or page.page.url is None:
            return
        if letter.kind is LetterKind.CONFIRM:
            await self._ask(page, page.page.url, reader, letter)
            return
        post = next((one for one in (*page.posts, *page.past) if one.id == letter.post), None)
        update = None if post is None else next((one for one in post.updates if one.number == letter.update), None)
        if post is not None and update is not None and reader.confirmed_at is not None:
            await self._tell(page, page.page.url, reader, letter, post, update)

    def _channel(self, letter: Letter) -> str | None:
        page = self._pages.page(letter.page)
        return None if page is None else page.mail

    async def _ask(self, page: PublicPage, url: str, reader: Subscriber, letter: Letter) -> None:
        confirm = self._links().confirm(url, reader)
        if reader.kind is SubscriberKind.WEBHOOK:
            body = webhook_body("subscription.confirm", page, confirm_url=confirm)
            await self._postman().webhook(reader.address, reader.secret, letter.key, body)
        elif (channel := self._channel(letter)) is not None:
            await self._postman().mail(channel, confirmation(page.page, reader.address, confirm), letter.key)

    async def _tell(self, page: PublicPage, url: str, reader: Subscriber, letter: Letter, post: PublicPost, update: PublicUpdate) -> None:
        leave = self._links().unsubscribe(url, reader)
        if reader.kind is SubscriberKind.WEBHOOK:
            body = webhook_body("update", page, post, update, unsubscribe_url=leave)
            await self._postman().webhook(reader.address, reader.secret, letter.key, body)
        elif (channel := self._channel(letter)) is not None:
            await self._postman().mail(channel, update_mail(page, post, update, reader.address, url, leave), letter.key)
