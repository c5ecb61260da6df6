"""Which alert an incident becomes a member of, by the laws of core/correlation.py: a look-up for each of its ties, whoever else is down."""

from dataclasses import replace

from vigie.core import correlation
from vigie.core.alert import AlertState
from vigie.core.correlation import Tie, TieKind
from vigie.core.detection import Pattern, Severity
from vigie.core.events import Opened
from vigie.core.model import CheckResult, Monitor, Status
from vigie.core.subject import SubjectKind
from vigie.engine.books import Draft
from vigie.observation.place import ties as place_ties

_GOOD = (Status.UP, Status.DEGRADED)


def ties_of(draft: Draft, monitor: Monitor, decision: Opened, result: CheckResult | None) -> tuple[Tie, ...]:
    """What an incident may have in common with others: by what its check saw, and by what the configuration says; none without `group`."""
    if not monitor.notification.group or decision.cause.expires:
        return ()
    place = draft.neighbours.place(monitor)
    status = result.http.status if result is not None and result.http is not None else None
    parents = [correlation.depends(one) for one in draft.neighbours.ancestors(monitor.id)]
    placed = place_ties(decision.cause, place, status)
    if decision.views and decision.severity is Severity.DEGRADATION:  # what some locations see is one alert, but none with what is down
        placed = tuple(replace(one, failure=f"partial {one.failure}") for one in placed)
    found = (*placed, *parents)
    # Services that come and go for one reason are one alert, but none with what is down.
    return found if decision.pattern is Pattern.STEADY else tuple(replace(one, failure=f"flapping {one.failure}") for one in found)


def alert_of(draft: Draft, monitor: Monitor, decision: Opened, ties: tuple[Tie, ...]) -> AlertState:
    """The alert of an incident: that of what it depends on, or one with a tie in common, or else one of its own."""
    known = draft.alert(decision.incident) or _of_a_parent(draft, monitor, decision, ties) or _tied(draft, monitor, decision, ties)
    if known is not None:
        return known
    if (begun := _begun_by_a_child(draft, monitor, decision)) is not None:
        return replace(begun, ties=(*begun.ties, *(one for one in ties if one not in begun.ties)))
    return AlertState(decision.incident, decision.severity, monitor.id, decision.subject, ties=ties)


def _of_a_parent(draft: Draft, monitor: Monitor, decision: Opened, ties: tuple[Tie, ...]) -> AlertState | None:
    """The alert of the nearest monitor that it depends on and that is down, however long it has been."""
    for name in draft.neighbours.ancestors(monitor.id) if ties else ():
        outage = draft.state(name).outage
        row = draft.incident(outage.incident) if outage.is_open else None
        found = draft.alert(row.alert) if row is not None else None
        if found is not None and found.is_open and (decision.pattern is Pattern.FLAPPING or not found.flapping):
            return found
    return None


def _tied(draft: Draft, monitor: Monitor, decision: Opened, ties: tuple[Tie, ...]) -> AlertState | None:
    for tie in ties:
        if tie.kind is TieKind.PARENT and _was_up(draft, tie.value, decision.started_at):
            continue
        for found in draft.tied(tie):
            if tie.holds(decision.at, found.grew_at) or found.members.concern(monitor.id):
                return found
    return None


def _was_up(draft: Draft, parent: str, since: int) -> bool:
    """Whether what a failure could be due to was seen up since then: it explains nothing, and siblings that fail are two failures."""
    state = draft.state(parent)
    return state.status in _GOOD and state.at is not None and state.at >= since


def _begun_by_a_child(draft: Draft, monitor: Monitor, decision: Opened) -> AlertState | None:
    """The alert of a monitor that depends on this one, and was found down a little earlier."""
    grouped = monitor.notification.group and draft.neighbours.is_parent(monitor.id)
    if not grouped or decision.severity is not Severity.OUTAGE or decision.subject is not SubjectKind.MONITOR:
        return None
    tie = correlation.depends(monitor.id)
    return next((one for one in reversed(list(draft.tied(tie))) if tie.holds(decision.at, one.grew_at)), None)
