"""A value that costs something to read and that pages may show somewhat old."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from vigie.errors import StoreError

T = TypeVar("T")


class Recent(Generic[T]):
    """Read at most once in so many seconds, however many pages ask; the last one while it cannot be read, None before the first."""

    def __init__(self, read: Callable[[], Awaitable[T]], seconds: float = 60.0) -> None:
        self._read, self._seconds = read, seconds
        self._value: T | None = None
        self._due = 0.0

    async def now(self) -> T | None:
        """The value."""
        now = asyncio.get_running_loop().time()
        if now >= self._due:
            self._due = now + self._seconds  # also while it is being read: nobody else waits for it
            try:
                self._value = await self._read()
            except StoreError:
                return self._value
        return self._value
