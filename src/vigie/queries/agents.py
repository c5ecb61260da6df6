"""The agents that check from other places, as pages, API and command line show them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vigie.ports import AgentStatus, EnrolledAgent

SILENT_MS = 45_000  # an agent says every ten to fifteen seconds how it is


class AgentState(StrEnum):
    """How an agent is."""

    NEW = "new"  # it was never heard
    REPORTING = "reporting"
    SILENT = "silent"  # it was, and is no longer


@dataclass(frozen=True, slots=True)
class AgentView:
    """One agent. `status` is how it was when it was last heard; `copied`: another agent uses its name, and is refused."""

    agent: EnrolledAgent
    state: AgentState
    status: AgentStatus | None = None
    copied: bool = False


def view_of(agent: EnrolledAgent, status: AgentStatus | None, now: int, *, copied: bool = False) -> AgentView:
    """An agent as the database alone tells it."""
    if status is None:
        return AgentView(agent, AgentState.NEW, copied=copied)
    state = AgentState.SILENT if now - status.seen_at > SILENT_MS else AgentState.REPORTING
    return AgentView(agent, state, status, copied)


class AgentQueries(Protocol):
    """What is known of agents."""

    async def agents(self) -> list[AgentView]:
        """Those that are let in, by name."""
        ...
