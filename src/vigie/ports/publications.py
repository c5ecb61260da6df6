"""The side of the store for status pages: what is published, and who follows them."""

from collections.abc import Sequence
from typing import Protocol

from vigie.report.publication import Letter, Post, Subscriber


class Publications(Protocol):
    """What people publish on status pages, and who follows them. Raises StoreError and nothing else, from any task.

    What is saved is fsynced before it returns, together with the letters that tell of it.
    """

    async def save_post(self, post: Post, letters: Sequence[Letter] = ()) -> None:
        """Keep it, in place of the one of its id, and have the letters sent from their `at` on."""

    async def delete_post(self, page: str, post: str) -> None:
        """Forget it."""

    async def posts(self, page: str) -> list[Post]:
        """Of a page, newest beginning first."""

    async def save_subscriber(self, subscriber: Subscriber, letters: Sequence[Letter] = ()) -> None:
        """Keep it, in place of the one of its id, or of its page and address, whose letters are dropped."""

    async def remove_subscriber(self, subscriber: str) -> None:
        """Forget one, and what was to be sent there."""

    async def forget_unconfirmed(self, before: int) -> None:
        """Forget those who were there before that instant, epoch ms, and never confirmed."""

    async def subscribers(self, page: str) -> list[Subscriber]:
        """Of a page, oldest first."""

    async def subscriber(self, subscriber: str) -> Subscriber | None:
        """One, by its id."""

    async def claim_letters(self, now: int, lease_ms: int, limit: int) -> list[Letter]:
        """Due letters that nobody holds, oldest first, held by the caller for `lease_ms`."""

    async def settle_letter(self, letter: Letter, retry_at: int | None = None) -> None:
        """Done with it; or, with `retry_at`, one more attempt failed, and the next is then."""

    async def next_letter(self) -> int | None:
        """When the next letter is due (or its lease ends); None when nothing waits."""
