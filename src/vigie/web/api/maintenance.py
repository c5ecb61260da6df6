"""`/api/v1/maintenance`: planned work, that of the file and that which people began."""

from collections.abc import Sequence
from typing import Any

from starlette.routing import BaseRoute

from vigie import resources as shown
from vigie.planning.windows import Once
from vigie.queries.setup import PlannedWork
from vigie.web.access import Role
from vigie.web.api._kit import Answer, Call, Operation, cursor_of, epoch_ms, instant, key_in, missing, operation, there
from vigie.web.problems import ProblemError
from vigie.web.site import Site

_LONGEST_MS, _SOONEST_MS = 366 * 86_400_000, 366 * 86_400_000


def routes(site: Site) -> list[BaseRoute]:
    """The operations on planned work."""
    self = _Maintenance(site)
    made: list[tuple[Operation, Any]] = [
        (
            Operation("listMaintenance", "GET", "/maintenance", "What is planned.", Role.VIEWER,
            shown.Items[shown.Maintenance], shown.Paged),
            self.listed,
        ),
        (
            Operation(
                "startMaintenance", "POST", "/maintenance", "Plan work, from now on if nothing else is said.", Role.RESPONDER,
                shown.Maintenance, given=shown.MaintenanceGiven, status=201, errors=(422,),
            ),
            self.start,
        ),
        (
            Operation(
                "endMaintenance", "DELETE", "/maintenance/{number:int}", "End it now, or call it off.", Role.RESPONDER, None, status=204,
                errors=(404,),
            ),
            self.end,
        ),
    ]  # fmt: skip
    return [operation(site, *each) for each in made]


class _Maintenance:
    """Of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def _planned(self) -> Sequence[PlannedWork]:
        return there(self._site.setup).maintenance()

    async def listed(self, call: Call) -> shown.Items[shown.Maintenance]:
        """By id."""
        asked: shown.Paged = call.query
        after = "" if asked.cursor is None else key_in(asked.cursor, "maintenance")
        left = sorted((one for one in self._planned() if one.entry.id > after), key=lambda one: one.entry.id)
        page = left[: asked.limit]
        more = cursor_of("maintenance", page[-1].entry.id) if len(left) > len(page) else None
        return shown.Items(items=[_shown(one) for one in page], next=more)

    async def start(self, call: Call) -> Answer:
        """Plan it."""
        given: shown.MaintenanceGiven = call.body
        commands, setup, now = there(self._site.commands.maintenance), there(self._site.setup), self._site.now()
        start = now if given.since is None else epoch_ms(given.since)
        if (given.until is None) == (given.duration is None):
            raise _invalid("for", "either `for` or `until` is needed")
        end = epoch_ms(given.until) if given.until is not None else start + int(given.duration or 0)
        if not (now < end and start < end <= start + _LONGEST_MS and now - _LONGEST_MS <= start <= now + _SOONEST_MS):
            raise _invalid("until", "it must end after it begins, after now, and within a year")
        watched = setup.monitors()
        for key, said, known in (
            ("monitors", given.monitors, {one.id for one in watched}),
            ("tags", given.tags, {tag for one in watched for tag in one.tags}),
        ):
            if strangers := [one for one in said if one not in known]:
                raise _invalid(key, f"no monitor has the {'id' if key == 'monitors' else 'tag'} {strangers[0][:80]!r}")
        number = await commands.start(start, end, given.monitors, given.tags, given.why, call.by)
        found = next((one for one in self._planned() if one.number == number), None)
        if found is None:
            raise missing("maintenance", number)
        return Answer(_shown(found), {"Location": f"/api/v1/maintenance/{number}"})

    async def end(self, call: Call) -> None:
        """End it."""
        number = int(call.path("number"))
        if number >= 2**63 or not await there(self._site.commands.maintenance).end(number, call.by):
            raise ProblemError(404, f"no work that was begun by hand and is not over has the number {str(number)[:40]}")


def _invalid(key: str, detail: str) -> ProblemError:
    return ProblemError(422, "the body is not valid", "validation", errors=[shown.Fault(key=key, detail=detail)])


def _shown(one: PlannedWork) -> shown.Maintenance:
    entry, window = one.entry, one.entry.window
    once = window if isinstance(window, Once) else None
    return shown.Maintenance(
        id=entry.id,
        number=one.number,
        where=one.where,
        monitors=list(entry.monitors),
        tags=list(entry.tags),
        why=entry.why,
        by=entry.by,
        recurring=once is None,
        since=None if once is None else instant(once.start),
        until=None if once is None else instant(once.end),
        covered=one.covered,
    )
