"""What was decided becomes notices: who is notified, why, and under which key."""

from vigie.core.events import Closed, Decision, Disclosed, Opened, Recovered, Reminded
from vigie.core.notification import Notice, NoticeReason, NotificationPolicy


def route(decision: Decision, monitor: str, policy: NotificationPolicy) -> tuple[Notice, ...]:
    """The notices that a decision asks for, one a channel; none for what nobody is told."""
    told = _reason(decision)
    if told is None:
        return ()
    reason, suffix = told
    incident = decision.incident  # type: ignore[union-attr]  # a decision with a reason has an incident
    return tuple(
        Notice(f"{incident}:{reason}{suffix}:{channel}", incident, monitor, channel, reason, decision.at)
        for channel in policy.channels(decision.severity)
    )


def _reason(decision: Decision) -> tuple[NoticeReason, str] | None:
    match decision:
        case Opened(page=True):
            return NoticeReason.OPENED, ""
        case Disclosed():
            return NoticeReason.DISCLOSED, ""
        case Reminded(number=number):
            return NoticeReason.REMINDER, f":{number}"
        case Recovered(page=True):
            return NoticeReason.RECOVERED, ""
        case Closed(page=True):
            return NoticeReason.CLOSED, ""
        case _:
            return None
