"""How many checks may run at once, in total and per host. A check that waits for its host's slot occupies no other slot."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Limits:
    """First come, first served, per host and in total."""

    def __init__(self, total: int, per_host: int) -> None:
        self._total, self._per_host = asyncio.Semaphore(total), per_host
        self._hosts: dict[str, asyncio.Semaphore] = {}
        self._users = Counter[str]()

    @asynccontextmanager
    async def slot(self, host: str) -> AsyncIterator[None]:
        """Hold a slot of `host` and one of the total. The host's comes first: a host that hangs fills only its own queue.

        A check without a known host (`host` empty) needs only a slot of the total.
        """
        if not host:
            async with self._total:
                yield
            return
        queue = self._hosts.setdefault(host, asyncio.Semaphore(self._per_host))
        self._users[host] += 1
        try:
            async with queue, self._total:
                yield
        finally:
            self._users[host] -= 1
            if not self._users[host]:
                del self._users[host], self._hosts[host]
