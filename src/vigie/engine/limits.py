"""How many checks may be under way: in all, and for one host. Waiting for a host's slot holds no slot of the others."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Limits:
    """First come, first served, per host and in all."""

    def __init__(self, total: int, per_host: int) -> None:
        self._total, self._per_host = asyncio.Semaphore(total), per_host
        self._hosts: dict[str, asyncio.Semaphore] = {}
        self._users = Counter[str]()

    @asynccontextmanager
    async def slot(self, host: str) -> AsyncIterator[None]:
        """Hold a slot of `host` and one of all. The host's comes first: a host that hangs fills its own queue only.

        A check that talks to no host of ours to know (`host` empty) needs one of all alone.
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
