"""The store as a whole: its sides."""

from typing import Protocol

from vigie.ports.accounts import Accounts
from vigie.ports.archive import Archive
from vigie.ports.catalog import Catalog
from vigie.ports.fleet import Fleet
from vigie.ports.history import History
from vigie.ports.inbox import Inbox
from vigie.ports.ledger import Ledger


class Store(Protocol):
    """What an adapter of `vigie.stores` opens: the sides of one database. Who needs one side is given that side."""

    @property
    def ledger(self) -> Ledger:
        """What was decided and what must be sent."""

    @property
    def archive(self) -> Archive:
        """History."""

    @property
    def history(self) -> History:
        """Single results, and what they come to by hour and day."""

    @property
    def inbox(self) -> Inbox:
        """Commands of people, pings of jobs."""

    @property
    def catalog(self) -> Catalog:
        """What people set up and edit."""

    @property
    def accounts(self) -> Accounts:
        """Who may do what."""

    @property
    def fleet(self) -> Fleet:
        """Agents, servers, and who does what only one may do."""

    async def close(self) -> None:
        """Commit what waits and close them all. Closing twice is harmless."""
