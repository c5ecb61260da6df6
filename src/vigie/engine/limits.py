"""How many checks may run at once, in total and per host. A check that waits for its host's slot occupies no other slot."""

import asyncio
from dataclasses import dataclass


@dataclass(slots=True)
class _Host:
    """The queue of one host; `users` hold a slot of it or wait for one."""

    queue: asyncio.Semaphore
    users: int = 0


class Limits:
    """First come, first served, per host and in total."""

    def __init__(self, total: int, per_host: int) -> None:
        self._total, self._per_host = asyncio.Semaphore(total), per_host
        self._hosts: dict[str, _Host] = {}

    async def acquire(self, host: str) -> None:
        """Take a slot of `host` and one of the total. The host's comes first: a host that hangs fills only its own queue.

        A check without a known host (`host` empty) needs only a slot of the total.
        """
        if not host:
            await self._total.acquire()
            return
        known = self._hosts.get(host)
        if known is None:
            known = self._hosts[host] = _Host(asyncio.Semaphore(self._per_host))
        known.users += 1
        try:
            await known.queue.acquire()
            try:
                await self._total.acquire()
            except BaseException:
                known.queue.release()
                raise
        except BaseException:
            self._forget(host, known)
            raise

    def release(self, host: str) -> None:
        """Give back what `acquire` took."""
        self._total.release()
        if host:
            known = self._hosts[host]
            known.queue.release()
            self._forget(host, known)

    def _forget(self, host: str, known: _Host) -> None:
        known.users -= 1
        if not known.users:
            del self._hosts[host]
