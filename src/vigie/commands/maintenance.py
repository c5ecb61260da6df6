"""Planned work that people begin and end by hand. Every method raises StoreError."""

from collections.abc import Sequence
from typing import Protocol


class MaintenanceCommands(Protocol):
    """As `vigie maintenance start` and `end`."""

    async def start(self, start: int, until: int, monitors: Sequence[str], tags: Sequence[str], why: str, by: str) -> int:
        """Plan work on these monitors (ids) and tags, all monitors where both are empty; its number. Instants are epoch ms."""

    async def change(self, number: int, until: int, why: str, by: str) -> bool:
        """Have it end at this instant, and say this of it; False where there is no such work, or it is over."""

    async def end(self, number: int, by: str) -> bool:
        """End it now; False where there is no such work, or it is over."""
