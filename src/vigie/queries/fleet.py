"""Servers, agents and what only one of them does, as `vigie fleet status`, pages and metrics show it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vigie.ports import AgentStatus, EnrolledAgent, Lease, OutboxCounts, ServerStatus

SERVER_SILENT_MS = 15_000  # a server says every three seconds how it is
AGENT_SILENT_MS = 45_000  # an agent every ten to fifteen
AGENT_BEHIND_MS = 120_000  # what waits with an agent for longer


class ServerRole(StrEnum):
    """What a server does now."""

    EVALUATOR = "evaluator"
    STANDBY = "standby"
    SILENT = "silent"


class FleetProblem(StrEnum):
    """What is wrong with a fleet."""

    NO_EVALUATOR = "no_evaluator"
    SERVER_SILENT = "server_silent"
    SERVERS_DIFFER = "servers_differ"  # in their configuration
    VERSIONS_DIFFER = "versions_differ"  # a rolling upgrade that is not complete: no fault, but worth knowing
    AGENT_SILENT = "agent_silent"
    AGENT_BEHIND = "agent_behind"  # what it found waits with it: nothing takes it
    BUS_AWAY = "bus_away"  # for the server that evaluates
    AGENT_NEVER_HEARD = "agent_never_heard"
    SHARDS_WITHOUT_AGENT = "shards_without_agent"
    UNDELIVERABLE = "undeliverable"


NO_FAULT = frozenset({FleetProblem.VERSIONS_DIFFER, FleetProblem.AGENT_NEVER_HEARD})


@dataclass(frozen=True, slots=True)
class ServerView:
    """A server, what it does, and whether its configuration is not the one in force."""

    status: ServerStatus
    role: ServerRole
    differs: bool = False


@dataclass(frozen=True, slots=True)
class FleetAgentView:
    """An agent: `status` is how it was when it was last heard (None: never), `shards` how many it has."""

    agent: EnrolledAgent
    status: AgentStatus | None
    silent: bool
    shards: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and with what."""

    kind: FleetProblem
    about: str = ""
    count: int = 0

    @property
    def is_fault(self) -> bool:
        """Whether somebody has to do something."""
        return self.kind not in NO_FAULT


@dataclass(frozen=True, slots=True)
class FleetView:
    """All of it. `orphans`: by location, how many shards belong to an agent that is silent or let in no longer."""

    now: int
    servers: tuple[ServerView, ...]
    leases: tuple[Lease, ...]
    agents: tuple[FleetAgentView, ...]
    orphans: tuple[tuple[str, int], ...]
    notices: OutboxCounts
    problems: tuple[Problem, ...]


class FleetQueries(Protocol):
    """What is known of the fleet. Raises StoreError."""

    @property
    def role(self) -> ServerRole:
        """What this very server does."""

    async def fleet(self) -> FleetView:
        """All of it."""
