"""A store that lives in memory: for tests of whatever works on a store, and the plainest statement of what a store does.

It is an adapter like those in `vigie.stores`, passes their conformance suites, and is gone with its process.
"""

import time
from collections.abc import Callable

import msgspec

from vigie.errors import StoreError
from vigie.ports import Commit
from vigie.stores import StoreDeps
from vigie.testing.memory.accounts import MemoryAccounts
from vigie.testing.memory.archive import MemoryArchive
from vigie.testing.memory.catalog import MemoryCatalog
from vigie.testing.memory.data import Data
from vigie.testing.memory.fleet import MemoryFleet
from vigie.testing.memory.history import MemoryHistory
from vigie.testing.memory.inbox import MemoryInbox
from vigie.testing.memory.ledger import MemoryLedger


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing to configure."""


class MemoryStore:
    """The Store port without a disk. `now`: its clock, epoch ms, by which leases end; the system's own where none is given."""

    def __init__(self, now: Callable[[], int] = lambda: time.time_ns() // 1_000_000, data: Data | None = None) -> None:
        self.data, self._now = data or Data(), now
        self.ledger, self.archive = MemoryLedger(self.data), MemoryArchive(self.data)
        self.history = MemoryHistory(self.data)
        self.inbox, self.catalog = MemoryInbox(self.data), MemoryCatalog(self.data)
        self.accounts = MemoryAccounts(self.data)
        self.fleet = MemoryFleet(self.data, now)

    @property
    def commits(self) -> list[Commit]:
        """What was committed, oldest first."""
        return self.data.commits

    @property
    def broken(self) -> StoreError | None:
        """What every call raises; None while the store works."""
        return self.data.broken

    @broken.setter
    def broken(self, error: StoreError | None) -> None:
        self.data.broken = error

    def beside(self) -> "MemoryStore":
        """As another server has it open at the same time."""
        return MemoryStore(self._now, self.data)

    def reopen(self) -> "MemoryStore":
        """As a new start finds it, after `close` or a kill."""
        self.data.closed = False
        return self

    async def close(self) -> None:
        """Nothing is lost: `reopen` has it again."""
        await self.ledger.close()


def build(config: Config, deps: StoreDeps) -> MemoryStore:  # noqa: ARG001 - what every adapter is given
    """An empty store."""
    return MemoryStore(deps.clock.now)
