"""What people do about alerts. Every method raises StoreError; `by` is who does it, as it is shown afterwards."""

from enum import StrEnum
from typing import Protocol

NOTE, CAUSE, REVIEW = 2_000, 500, 200_000  # characters
SNOOZE_MS = (60_000, 30 * 86_400_000)  # the shortest and the longest


class Outcome(StrEnum):
    """What came of it."""

    DONE = "done"
    ALREADY = "already"  # somebody was faster
    OVER = "over"  # the alert has ended
    UNKNOWN = "unknown"  # there is no such alert
    BY_ITSELF = "by_itself"  # it is about Vigie itself, and ends once Vigie can see again
    ENOUGH = "enough"  # so much was said of it that nothing more is kept


class AlertCommands(Protocol):
    """`alert` is the alert's id. An acknowledgement cannot be taken back: reminders and escalation have stopped for everybody."""

    async def acknowledge(self, alert: str, by: str, note: str = "") -> Outcome:
        """Somebody is on it: reminders and escalation stop."""

    async def snooze(self, alert: str, by: str, until: int) -> Outcome:
        """Nothing is sent about it until then, epoch ms. Raises VigieError for a span outside `SNOOZE_MS`."""

    async def resolve(self, alert: str, by: str, note: str = "") -> Outcome:
        """Close its incidents; where they are thousands, the rest of them after the answer."""

    async def note(self, alert: str, by: str, text: str) -> Outcome:
        """Keep what somebody found, at most `NOTE` characters, else VigieError; also of one that is over."""

    async def name_cause(self, alert: str, by: str, text: str) -> Outcome:
        """Keep what really was the cause, as people found it, at most `CAUSE` characters, else VigieError; also of one that is over.

        The id of one that Vigie knows (`vigie incidents causes`), or the words for it, can be compared with later incidents.
        """

    async def review(self, alert: str, by: str, text: str, version: int) -> Outcome:
        """Keep the post-incident report (Markdown, at most `REVIEW` characters, else VigieError) as the version after this one.

        ALREADY where somebody wrote a later one; the first one comes after version 0.
        """
