"""A transition as lines of the log."""

import logging

from vigie.core.detection import Pattern
from vigie.core.events import (
    AckRecorded,
    Announced,
    Cleared,
    Closed,
    Decision,
    Ended,
    Joined,
    Opened,
    Reached,
    Recovered,
    SnoozeEnded,
    SnoozeRecorded,
    Steadied,
    Suspected,
    Withheld,
)
from vigie.core.model import Status
from vigie.core.notification import NoticeReason
from vigie.core.subject import SubjectKind
from vigie.engine.transition import Transition

log = logging.getLogger("vigie.ingest")

_EXPIRIES = (NoticeReason.EXPIRING, NoticeReason.RENEWED)


def log_transition(transition: Transition, routine_level: int) -> None:
    """One line for the result and one for each decision that a line of the incident does not say already.

    A check that found what the one before it found is logged at `routine_level`, one that is not up no lower than that of a warning unless
    that is debug.
    """
    result, name = transition.result, transition.monitor.name
    if result is not None and log.isEnabledFor(level := _level(transition, result.status, routine_level)):
        total = result.timings.total
        took = "" if total is None else f" ({total:.0f} ms)"
        cause = f" [{result.cause}]" if result.cause else ""
        where = f" from {result.location}" if len(transition.after.views) > 1 else ""
        log.log(level, "%s: %s%s%s: %s%s", name, result.status, where, cause, result.message or transition.monitor.target, took)
    for thread in dict.fromkeys((one.alert, one.reason) for one in transition.notices if one.reason in _EXPIRIES):
        log.warning("%s: %s: a notice is sent (%s)", name, "expires soon" if thread[1] is NoticeReason.EXPIRING else "renewed", thread[0])
    if not transition.decisions:
        return
    held = next((one for one in transition.decisions if isinstance(one, Withheld)), None)
    withheld = "" if held is None else ", in quiet hours" if held.quiet else ", in maintenance"
    opened = {one.severity for one in transition.decisions if isinstance(one, Opened)}
    for decision in transition.decisions:
        if isinstance(decision, Suspected) and decision.severity in opened:
            continue  # `confirm: 1`: there is nothing to confirm
        if not isinstance(decision, Announced | Withheld | Reached | Ended):
            log.warning("%s: %s", name, _described(decision, withheld))


def _level(transition: Transition, status: Status, routine_level: int) -> int:
    before, after = transition.before, transition.after
    same = (before.status, before.cause) == (after.status, after.cause) and not transition.decisions
    if status is Status.UP:  # the first one after a start is news only where each check is
        return routine_level if same or before.status is None else logging.INFO
    return routine_level if same and routine_level < logging.INFO else logging.WARNING


def _described(decision: Decision, withheld: str) -> str:
    what = "snooze is over for" if isinstance(decision, SnoozeEnded) else type(decision).__name__.lower()
    match decision:
        case Suspected():
            return f"suspected ({decision.severity}): re-checking to confirm"
        case Cleared():
            return f"cleared ({decision.severity}): the failure was not confirmed, no alert is sent"
        case Opened(subject=SubjectKind.VIGIE):
            return f"opened {decision.incident}: this monitor cannot be checked"
        case Recovered(subject=SubjectKind.VIGIE):
            return f"recovered {decision.incident}: this monitor can be checked again"
        case Opened():
            how = "" if decision.pattern is Pattern.STEADY else f", {decision.pattern}"
            return f"opened {decision.incident} ({decision.severity}, {decision.cause}{how}){withheld}"
        case Steadied():
            return f"{decision.incident} is not flapping any more: it fails all the time"
        case Closed():
            return f"closed {decision.incident} by {decision.by}" + (f": {decision.note}" if decision.note else "")
        case Recovered():
            return f"{what} {decision.incident}"
        case AckRecorded():
            return f"acknowledged {decision.alert} by {decision.by}"
        case SnoozeRecorded():
            return f"snoozed {decision.alert} by {decision.by}"
        case Joined():
            return f"{decision.incident} joined {decision.alert}"
        case _:
            return f"{what} {getattr(decision, 'alert', '')}"
