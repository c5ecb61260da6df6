"""What whoever acts on alerts asks for: the server that evaluates, or the way to it."""

from typing import Protocol

from vigie.core.alert import AlertState
from vigie.core.events import Decision, PersonEvent
from vigie.core.model import Incident


class Deciding(Protocol):
    """Who knows what is open, and takes in what people do."""

    def incidents(self) -> list[Incident]:
        """The open incidents of monitors."""

    def alerts(self) -> list[AlertState]:
        """The open alerts."""

    async def handle(self, monitor_id: str, event: PersonEvent) -> tuple[Decision, ...]:
        """Take in what a person did; what was decided, once that is committed. Raises StoreError, VigieError."""
