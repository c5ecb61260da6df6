"""What a notice asks of a service that keeps incidents of its own: one key from open to close, and nothing that is never closed.

The key is the thread of the notices, so that whatever follows an opening is about the same incident there. Only reasons that are followed
by an end open one. docs/decisions/0050 says why.
"""

from enum import StrEnum

from vigie.notifiers.kit.text import token
from vigie.report.facts import Message


class Action(StrEnum):
    """What the service is asked for."""

    OPEN = "open"  # an incident of this key, or news of the one that is open
    ACKNOWLEDGE = "acknowledge"
    CLOSE = "close"
    TRY = "try"  # open and close at once: a test
    NOTE = "note"  # for the record: nothing is left open


# With an end of their own behind them.
_OPENINGS = ("opened", "flapping", "disclosed", "quiet_over", "escalated", "stalled", "agent_silent")
_NEWS = ("updated", "reminder", "snooze_ended", "report", "stable")
_ACTIONS: dict[str, Action] = {
    **dict.fromkeys((*_OPENINGS, *_NEWS), Action.OPEN),
    "acknowledged": Action.ACKNOWLEDGE,
    **dict.fromkeys(("recovered", "closed", "resumed", "agent_heard"), Action.CLOSE),
    "test": Action.TRY,
}


def action(message: Message) -> Action:
    """What this message asks for. News that come after the end are for the record: they would open the incident again."""
    found = _ACTIONS.get(message.reason, Action.NOTE)
    if not message.ended or message.reason in _OPENINGS or found not in (Action.OPEN, Action.ACKNOWLEDGE):
        return found
    return Action.CLOSE if message.reason == "stable" else Action.NOTE


def incident_key(message: Message, limit: int) -> str:
    """The same in every message of a thread; it names the program, because services share their keys among all that report to them."""
    return token(f"vigie-{message.thread}", limit)


def notice_key(message: Message, limit: int) -> str:
    """The same however often a notice is sent."""
    return token(f"vigie-{message.key}", limit)
