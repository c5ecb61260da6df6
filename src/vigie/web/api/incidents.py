"""`/api/v1/incidents` and `/api/v1/alerts`: what went wrong, everything on record of it, and what people do about it."""

from collections.abc import Awaitable
from typing import Any

from starlette.routing import BaseRoute

from vigie import resources as shown
from vigie.commands.alerts import AlertCommands, Outcome
from vigie.errors import StoreError, VigieError
from vigie.queries import accounts
from vigie.web.access import Role
from vigie.web.api._kit import Call, Operation, epoch_ms, missing, operation, paged, there
from vigie.web.api._shapes import alert, delivered, incident, remarks, report, steps
from vigie.web.problems import ProblemError
from vigie.web.site import Site

_REFUSED = {
    Outcome.OVER: "it is over",
    Outcome.BY_ITSELF: "it is about Vigie itself, and ends by itself",
    Outcome.ENOUGH: "so much was said of it that nothing more is kept",
}
_VIEWER, _RESPONDER = Role.VIEWER, Role.RESPONDER


def routes(site: Site) -> list[BaseRoute]:
    """The operations on incidents and alerts."""
    self = _Incidents(site)
    one = "/incidents/{id}"
    done: dict[str, Any] = {"needs": _RESPONDER, "gives": shown.Done, "errors": (404, 409)}
    made: list[tuple[Operation, Any]] = [
        (
            Operation(
                "listIncidents", "GET", "/incidents", "The incidents, newest first.", _VIEWER,
                shown.Items[shown.Incident], shown.IncidentsAsked
            ),
            self.incidents,
        ),
        (Operation("getIncident", "GET", one, "Everything on record of one.", _VIEWER, shown.IncidentDetails,
        errors=(404,)), self.incident),
        (
            Operation(
                "ackIncident", "POST", f"{one}/ack", "Acknowledge its alert: reminders and escalation stop.", given=shown.NoteGiven,
                optional=True, **done,
            ),
            self.ack,
        ),
        (
            Operation("snoozeIncident", "POST", f"{one}/snooze", "Have nothing sent about its alert for a while.",
            given=shown.SnoozeGiven, **done),
            self.snooze,
        ),
        (
            Operation(
                "resolveIncident", "POST", f"{one}/resolve", "Close the incidents of its alert.",
                given=shown.NoteGiven, optional=True, **done
            ),
            self.resolve,
        ),
        (Operation("noteIncident", "POST", f"{one}/note", "Keep what somebody found.", given=shown.TextGiven, **done), self.note),
        (
            Operation("listAlerts", "GET", "/alerts", "The alerts, newest first.", _VIEWER, shown.Items[shown.Alert], shown.AlertsAsked),
            self.alerts,
        ),
        (
            Operation(
                "getAlert", "GET", "/alerts/{id}", "Everything on record of one; any of its incidents finds it.",
                _VIEWER, shown.AlertDetails,
                errors=(404,),
            ),
            self.alert,
        ),
    ]  # fmt: skip
    return [operation(site, *each) for each in made]


class _Incidents:
    """Of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def incidents(self, call: Call) -> shown.Items[shown.Incident]:
        """Newest first."""
        asked: shown.IncidentsAsked = call.query
        read = self._site.queries.incidents.incidents(open_only=asked.open, cursor=asked.cursor, limit=asked.limit)
        found = await paged(read)
        return shown.Items(items=[incident(one) for one in found.items], next=found.next)

    async def incident(self, call: Call) -> shown.IncidentDetails:
        """One of them, whole."""
        found = await self._site.queries.incidents.incident(call.path("id"))
        if found is None:
            raise missing("incident", call.path("id"))
        return shown.IncidentDetails(
            incident=incident(found.incident),
            timeline=steps(found.timeline),
            report=report(found.report, self._site.setting().language),
            deliveries=delivered(accounts(found.notices, found.deliveries)),
            remarks=remarks(found.remarks),
            members=[one.id for one in found.members],
        )

    async def alerts(self, call: Call) -> shown.Items[shown.Alert]:
        """Newest first."""
        asked: shown.AlertsAsked = call.query
        read = there(self._site.alerts).alerts(open_only=asked.open, monitor=asked.monitor, cursor=asked.cursor, limit=asked.limit)
        found = await paged(read)
        return shown.Items(items=[alert(one) for one in found.items], next=found.next)

    async def alert(self, call: Call) -> shown.AlertDetails:
        """One of them, whole."""
        found = await there(self._site.alerts).alert(call.path("id"))
        if found is None:
            raise missing("alert", call.path("id"))
        return shown.AlertDetails(
            alert=alert(found.alert),
            timeline=steps(found.details.timeline),
            report=report(found.details.report, self._site.setting().language),
            deliveries=delivered(found.ledger),
        )

    async def ack(self, call: Call) -> shown.Done:
        """Somebody is on it."""
        commands, key = await self._meant(call)
        return await self._done(call, commands.acknowledge(key, call.by, call.body.note))

    async def snooze(self, call: Call) -> shown.Done:
        """Not now."""
        given: shown.SnoozeGiven = call.body
        if (given.until is None) == (given.duration is None):
            raise _invalid("for", "either `for` or `until` is needed")
        until = self._site.now() + int(given.duration) if given.duration is not None else epoch_ms(given.until) if given.until else 0
        commands, key = await self._meant(call)
        return await self._done(call, commands.snooze(key, call.by, until))

    async def resolve(self, call: Call) -> shown.Done:
        """It is over."""
        commands, key = await self._meant(call)
        return await self._done(call, commands.resolve(key, call.by, call.body.note))

    async def note(self, call: Call) -> shown.Done:
        """What somebody found."""
        commands, key = await self._meant(call)
        return await self._done(call, commands.note(key, call.by, call.body.text))

    async def _meant(self, call: Call) -> tuple[AlertCommands, str]:
        """The alert of the incident that is named."""
        commands = there(self._site.commands.alerts)
        found = await self._site.queries.incidents.incident(call.path("id"))
        if found is None:
            raise missing("incident", call.path("id"))
        return commands, found.incident.alert or found.incident.id

    async def _done(self, call: Call, doing: Awaitable[Outcome]) -> shown.Done:
        try:
            outcome = await doing
        except StoreError:
            raise
        except VigieError as error:
            raise _invalid("", f"{error.message}. {error.fix}".strip(". ")) from error
        if outcome is Outcome.UNKNOWN:
            raise missing("incident", call.path("id"))
        if outcome in _REFUSED:
            raise ProblemError(409, _REFUSED[outcome], outcome.value.replace("_", "-"))
        return shown.Done(outcome="already" if outcome is Outcome.ALREADY else "done")


def _invalid(key: str, detail: str) -> ProblemError:
    return ProblemError(422, "the body is not valid", "validation", errors=[shown.Fault(key=key, detail=detail)])
