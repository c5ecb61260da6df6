"""`/api/v1/agents`: who checks from other places; to let one in, and to let it in no longer."""

from typing import Any

from starlette.routing import BaseRoute

from vigie import resources as shown
from vigie.errors import VigieError
from vigie.queries.agents import AgentView
from vigie.web.access import Role
from vigie.web.api._kit import Answer, Call, Operation, cursor_of, instant, key_in, maybe, missing, operation, there
from vigie.web.problems import ProblemError
from vigie.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """The operations on agents."""

    async def listed(call: Call) -> shown.Items[shown.Agent]:
        asked: shown.Paged = call.query
        after = "" if asked.cursor is None else key_in(asked.cursor, "agents")
        left = [one for one in await there(site.agents).agents() if one.agent.name > after]
        page = left[: asked.limit]
        more = cursor_of("agents", page[-1].agent.name) if len(left) > len(page) else None
        return shown.Items(items=[_agent(one) for one in page], next=more)

    async def enroll(call: Call) -> Answer:
        given: shown.AgentGiven = call.body
        try:
            made = await there(site.commands.agents).enroll(given.name, given.location, call.by)
        except VigieError as error:
            raise ProblemError(422, f"{error}. {error.fix}", "invalid") from error
        if made is None:
            raise ProblemError(409, f"an agent {given.name} is enrolled already", "conflict")
        call.request.state.audit = {"agent": given.name, "location": given.location}
        return Answer(shown.AgentEnrolled(name=made.agent.name, location=made.agent.location, token=made.token))

    async def revoke(call: Call) -> None:
        if not await there(site.commands.agents).revoke(call.path("name")):
            raise missing("agent", call.path("name"))

    made: list[tuple[Operation, Any]] = [
        (
            Operation(
                "listAgents", "GET", "/agents", "The agents that check from other places.", Role.VIEWER,
                shown.Items[shown.Agent], shown.Paged,
            ),
            listed,
        ),
        (
            Operation(
                "enrollAgent", "POST", "/agents", "Let an agent report; its token is in this answer alone.", Role.ADMIN,
                shown.AgentEnrolled, given=shown.AgentGiven, status=201, errors=(409, 422),
            ),
            enroll,
        ),
        (
            Operation(
                "revokeAgent", "DELETE", "/agents/{name}", "Let an agent report no longer.", Role.ADMIN, None, status=204, errors=(404,),
            ),
            revoke,
        ),
    ]  # fmt: skip
    return [operation(site, *each) for each in made]


def _agent(one: AgentView) -> shown.Agent:
    known = one.status
    return shown.Agent(
        name=one.agent.name,
        location=one.agent.location,
        state=one.state.value,
        copied=one.copied,
        created_at=instant(one.agent.created_at),
        created_by=one.agent.created_by,
        seen_at=None if known is None else instant(known.seen_at),
        version=None if known is None else known.version,
        monitors=None if known is None else known.monitors,
        spooled=None if known is None else known.spooled,
        spooled_since=None if known is None else maybe(known.spooled_since),
        late_ms=None if known is None else known.late_ms,
        skew_ms=None if known is None else known.skew_ms,
        address=None if known is None else known.address,
    )
