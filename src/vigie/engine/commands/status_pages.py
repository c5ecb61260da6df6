"""Publishing on status pages, and subscribing to them. What is published and what tells of it is one transaction."""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from vigie.commands.status_pages import NewPost, Subscribed
from vigie.engine.queries.status_pages import StoredStatusPages
from vigie.ports import Clock, Publications
from vigie.report.publication import LAST_STAGES, Letter, LetterKind, Post, PostKind, Stage, Subscriber, SubscriberKind, Update
from vigie.report.status_page import StatusPage
from vigie.report.subscriptions import CONFIRM_WITHIN_MS, SubscriptionLinks, mail_address, web_address

_HOUR_MS = 3_600_000
_PER_CLIENT, _PER_PAGE, _PER_DOMAIN = 5, 120, 40  # wishes to subscribe in an hour
_WAITING = 2_000  # of a page, who did not confirm yet


class Publishing:
    """The StatusPageCommands port. `wake` has letters sent now."""

    def __init__(self, publications: Publications, pages: StoredStatusPages, clock: Clock, wake: Callable[[], None]) -> None:
        self._publications, self._pages, self._clock, self._wake = publications, pages, clock, wake

    async def publish(self, page: str, post: NewPost, by: str, *, send: bool = True) -> str | None:
        """Publish it."""
        known = self._pages.page(page)
        if known is None:
            return None
        now, ours = self._clock.now(), set(known.monitors)
        made = Post(
            id=f"{now // 1000:x}{secrets.token_hex(3)}",
            page=page,
            kind=post.kind,
            title=post.title,
            monitors=tuple(one for one in post.monitors if one in ours),
            impact=post.impact,
            start=post.start,
            updates=(Update(1, now, post.stage, post.text, by),),
            until=_ended(post.kind, post.stage, post.until, now),
            next_update=post.next_update,
            alert=post.alert,
        )
        await self._save(made, made.updates[-1] if send else None)
        return made.id

    async def update(
        self, page: str, post: str, stage: Stage, text: str, by: str, *, next_update: int | None = None, send: bool = True
    ) -> bool:
        """Say how it goes on."""
        known = await self._post(page, post)
        if known is None:
            return False
        now = self._clock.now()
        said = Update(max(one.number for one in known.updates) + 1, now, stage, text, by)
        until = _ended(known.kind, stage, known.until, now)
        await self._save(replace(known, updates=(*known.updates, said), until=until, next_update=next_update), said if send else None)
        return True

    async def amend(self, page: str, post: str, number: int, text: str) -> bool:
        """Write an update anew."""
        known = await self._post(page, post)
        if known is None or all(one.number != number for one in known.updates):
            return False
        await self._save(replace(known, updates=tuple(replace(one, text=text) if one.number == number else one for one in known.updates)))
        return True

    async def retract(self, page: str, post: str, number: int | None = None) -> bool:
        """Delete an update, or the whole post."""
        known = await self._post(page, post)
        if known is None or (number is not None and all(one.number != number for one in known.updates)):
            return False
        left = () if number is None else tuple(one for one in known.updates if one.number != number)
        if left:
            await self._save(replace(known, updates=left))
        else:
            await self._publications.delete_post(page, post)
            self._pages.changed()
        return True

    async def remove_subscriber(self, page: str, subscriber: str) -> bool:
        """Remove somebody."""
        known = await self._publications.subscriber(subscriber)
        if known is None or known.page != page:
            return False
        await self._publications.remove_subscriber(subscriber)
        return True

    async def _post(self, page: str, post: str) -> Post | None:
        return next((one for one in await self._publications.posts(page) if one.id == post), None)

    async def _save(self, post: Post, said: Update | None = None) -> None:
        letters = await self._letters(post, said) if said is not None else []
        await self._publications.save_post(post, letters)
        self._pages.changed()
        if letters:
            self._wake()

    async def _letters(self, post: Post, said: Update) -> list[Letter]:
        """One for everybody who confirmed."""
        everybody = await self._publications.subscribers(post.page)
        return [
            Letter(post.page, one.id, LetterKind.UPDATE, said.at, post.id, said.number) for one in everybody if one.confirmed_at is not None
        ]


def _ended(kind: PostKind, stage: Stage, until: int | None, now: int) -> int | None:
    """When an incident ended; of planned work, the end of its window, whenever it was done."""
    if kind is PostKind.MAINTENANCE:
        return until
    return now if stage in LAST_STAGES else None


class Subscribing:
    """The Subscriptions port. Nobody is told whether an address was known: the answer is the same."""

    def __init__(
        self,
        publications: Publications,
        page: Callable[[str], StatusPage | None],
        clock: Clock,
        links: Callable[[], SubscriptionLinks],
        wake: Callable[[], None],
    ) -> None:
        self._publications, self._page, self._clock, self._links, self._wake = publications, page, clock, links, wake
        self._wishes: dict[str, deque[int]] = {}

    async def subscribe(self, page: str, address: str, client: str) -> Subscribed:
        """Have one question sent to a mail address."""
        known = self._page(page)
        if known is None or known.mail is None:
            return Subscribed.NOT_OFFERED
        found = mail_address(address)
        if found is None:
            return Subscribed.BAD_ADDRESS
        return (await self._ask(known, SubscriberKind.MAIL, found, found.rpartition("@")[2], client))[0]

    async def subscribe_webhook(self, page: str, url: str, client: str) -> tuple[Subscribed, str]:
        """The same for a web address."""
        known = self._page(page)
        if known is None or not known.webhooks:
            return Subscribed.NOT_OFFERED, ""
        found = web_address(url)
        if found is None:
            return Subscribed.BAD_ADDRESS, ""
        return await self._ask(known, SubscriberKind.WEBHOOK, found, found.split("/")[2], client)

    async def _ask(self, page: StatusPage, kind: SubscriberKind, address: str, domain: str, client: str) -> tuple[Subscribed, str]:
        now, secret = self._clock.now(), secrets.token_urlsafe(24) if kind is SubscriberKind.WEBHOOK else ""
        counted = ((f"client {client}", _PER_CLIENT), (f"page {page.name}", _PER_PAGE), (f"domain {domain}", _PER_DOMAIN))
        allowed = [self._counted(key, most, now) for key, most in counted]  # each counts, whatever another says
        if not all(allowed):
            return Subscribed.TOO_MANY, ""
        await self._publications.forget_unconfirmed(now - CONFIRM_WITHIN_MS)
        everybody = await self._publications.subscribers(page.name)
        same = next((one for one in everybody if one.address == address), None)
        waiting = sum(one.confirmed_at is None for one in everybody)
        recent = same is not None and same.created_at > now - _HOUR_MS
        if same is None or (same.confirmed_at is None and not recent):
            if waiting >= _WAITING:
                return Subscribed.TOO_MANY, ""
            made = Subscriber(secrets.token_hex(8), page.name, kind, address, now, secret=secret)
            await self._publications.save_subscriber(made, [Letter(page.name, made.id, LetterKind.CONFIRM, now)])
            self._wake()
        return Subscribed.ASKED, secret

    def _counted(self, key: str, most: int, now: int) -> bool:
        """Whether there were fewer in the last hour; this one counts."""
        if len(self._wishes) > 10_000:
            self._wishes = {name: times for name, times in self._wishes.items() if times and times[-1] > now - _HOUR_MS}
        times = self._wishes.setdefault(key, deque())
        while times and times[0] <= now - _HOUR_MS:
            times.popleft()
        if len(times) >= most:
            return False
        times.append(now)
        return True

    async def invited(self, page: str, subscriber: str, token: str) -> Subscriber | None:
        """Whose link it is."""
        known = await self._publications.subscriber(subscriber)
        return known if known is not None and known.page == page and self._links().accepts(known, token) else None

    async def confirm(self, subscriber: Subscriber) -> None:
        """Send them what is published from now on."""
        if subscriber.confirmed_at is None:
            await self._publications.save_subscriber(replace(subscriber, confirmed_at=self._clock.now()))

    async def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget them."""
        await self._publications.remove_subscriber(subscriber.id)
