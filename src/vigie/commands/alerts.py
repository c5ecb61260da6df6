"""What people do about alerts. Every method raises StoreError; `by` is who does it, as it is shown afterwards."""

from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What came of it."""

    DONE = "done"
    ALREADY = "already"  # somebody was faster
    OVER = "over"  # the alert has ended
    UNKNOWN = "unknown"  # there is no such alert


class AlertCommands(Protocol):
    """`alert` is the alert's id."""

    async def acknowledge(self, alert: str, by: str, note: str = "") -> Outcome:
        """Somebody is on it: reminders and escalation stop."""

    async def snooze(self, alert: str, by: str, until: int) -> Outcome:
        """Nothing is sent about it until then, epoch ms."""

    async def resolve(self, alert: str, by: str, note: str = "") -> Outcome:
        """Close its incidents."""

    async def note(self, alert: str, by: str, text: str) -> Outcome:
        """Keep what somebody found, at most 2,000 characters; also of one that is over."""

    async def name_cause(self, alert: str, by: str, text: str) -> Outcome:
        """Keep what really was the cause, as people found it, at most 500 characters; also of one that is over."""
