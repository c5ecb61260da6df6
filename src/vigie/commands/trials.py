"""A check of what is not watched yet."""

from collections.abc import Mapping
from typing import Any, Protocol

from vigie.commands.monitors import Tried


class TrialCommands(Protocol):
    """Trials are made in a process of their own, a few at a time, within the timeout of the entry."""

    async def try_out(self, definition: Mapping[str, Any], *, key: str | None = None, trusted: bool = False) -> Tried:
        """Check what a `monitors:` entry would watch, once, and keep nothing.

        `key` is the monitor that it takes the place of: its secrets are used where the entry has them masked. What is not `trusted` (by
        somebody who is not an admin) may not reach internal addresses.
        """
