"""Status pages in memory."""

from collections.abc import Sequence
from dataclasses import replace

from vigie.report.publication import Letter, Post, Subscriber
from vigie.testing.memory.data import Data, KeptLetter


class MemoryPublications:
    """The Publications port without a disk."""

    def __init__(self, data: Data) -> None:
        self._data = data

    async def save_post(self, post: Post, letters: Sequence[Letter] = ()) -> None:
        """Keep a post, and what tells of it."""
        self._data.check()
        self._data.posts[post.page, post.id] = post
        self._queue(letters)

    async def delete_post(self, page: str, post: str) -> None:
        """Forget a post."""
        self._data.check()
        self._data.posts.pop((page, post), None)

    async def posts(self, page: str) -> list[Post]:
        """Of a page, newest beginning first."""
        self._data.check()
        found = [one for one in self._data.posts.values() if one.page == page]
        return sorted(found, key=lambda one: (one.start, one.id), reverse=True)

    async def save_subscriber(self, subscriber: Subscriber, letters: Sequence[Letter] = ()) -> None:
        """Keep a subscriber, and what is sent to them."""
        self._data.check()
        for one in list(self._data.subscribers.values()):
            if (one.page, one.address) == (subscriber.page, subscriber.address) and one.id != subscriber.id:
                self._forget(one.id)
        self._data.subscribers[subscriber.id] = subscriber
        self._queue(letters)

    async def remove_subscriber(self, subscriber: str) -> None:
        """Forget a subscriber."""
        self._data.check()
        self._forget(subscriber)

    async def forget_unconfirmed(self, before: int) -> None:
        """Forget those who never confirmed."""
        self._data.check()
        for one in list(self._data.subscribers.values()):
            if one.confirmed_at is None and one.created_at < before:
                self._forget(one.id)

    async def subscribers(self, page: str) -> list[Subscriber]:
        """Of a page, oldest first."""
        self._data.check()
        found = [one for one in self._data.subscribers.values() if one.page == page]
        return sorted(found, key=lambda one: (one.created_at, one.id))

    async def subscriber(self, subscriber: str) -> Subscriber | None:
        """One of them."""
        self._data.check()
        return self._data.subscribers.get(subscriber)

    async def claim_letters(self, now: int, lease_ms: int, limit: int) -> list[Letter]:
        """Due letters that nobody holds."""
        self._data.check()
        due = [one for one in self._data.letters.values() if one.due_at <= now and one.lease_until <= now]
        found = sorted(due, key=lambda one: (one.due_at, one.letter.number))[:limit]
        for one in found:
            one.lease_until = now + lease_ms
        return [one.letter for one in found]

    async def settle_letter(self, letter: Letter, retry_at: int | None = None) -> None:
        """Done with it, or not yet."""
        self._data.check()
        kept = self._data.letters.pop(letter.number, None)
        if kept is not None and retry_at is not None:
            again = replace(kept.letter, attempts=letter.attempts + 1)
            self._data.letters[letter.number] = KeptLetter(again, retry_at)

    async def next_letter(self) -> int | None:
        """When the next one is due."""
        self._data.check()
        return min((max(one.due_at, one.lease_until) for one in self._data.letters.values()), default=None)

    def _queue(self, letters: Sequence[Letter]) -> None:
        for one in letters:
            self._data.last_letter += 1
            self._data.letters[self._data.last_letter] = KeptLetter(replace(one, number=self._data.last_letter), one.at)

    def _forget(self, subscriber: str) -> None:
        self._data.subscribers.pop(subscriber, None)
        self._data.letters = {number: one for number, one in self._data.letters.items() if one.letter.subscriber != subscriber}
