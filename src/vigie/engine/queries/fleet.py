"""The fleet as its store tells it: whoever reads it need not be one of its servers."""

from collections import Counter
from collections.abc import Iterator, Sequence

from vigie.engine.leases import EVALUATOR, holder_name
from vigie.ports import Lease, OutboxCounts, ServerStatus, Store
from vigie.queries.fleet import (
    AGENT_BEHIND_MS,
    AGENT_SILENT_MS,
    SERVER_SILENT_MS,
    FleetAgentView,
    FleetProblem,
    FleetView,
    Problem,
    ServerRole,
    ServerView,
)


class StoredFleet:
    """The FleetQueries port. `role` is that of the server which answers."""

    def __init__(self, store: Store, role: ServerRole) -> None:
        self._store, self.role = store, role

    async def fleet(self) -> FleetView:
        """All of it."""
        return await fleet_of(self._store)


async def fleet_of(store: Store) -> FleetView:
    """The fleet by the clock of its store. Raises StoreError."""
    now = await store.fleet.now()
    leases = await store.fleet.leases()
    servers = _servers(await store.fleet.servers(), leases, now)
    runs = await store.fleet.shard_runs()
    agents, orphans = await _agents(store, now), Counter[str]()
    live = {one.agent.name for one in agents if not one.silent}
    shards = Counter(one.agent for one in runs)
    for run in runs:
        orphans[run.location] += run.agent not in live
    agents = tuple([FleetAgentView(one.agent, one.status, one.silent, shards[one.agent.name]) for one in agents])
    left = tuple(sorted((location, count) for location, count in orphans.items() if count))
    notices = await store.ledger.counts()
    return FleetView(now, servers, tuple(leases), agents, left, notices, tuple(_problems(servers, agents, left, notices)))


def _servers(found: Sequence[ServerStatus], leases: Sequence[Lease], now: int) -> tuple[ServerView, ...]:
    leader = next((holder_name(one) for one in leases if one.name == EVALUATOR), None)
    lead = next((one for one in found if one.name == leader), None)

    def role(one: ServerStatus) -> ServerRole:
        if now - one.seen_at > SERVER_SILENT_MS:
            return ServerRole.SILENT
        return ServerRole.EVALUATOR if one.name == leader else ServerRole.STANDBY

    return tuple([ServerView(one, role(one), lead is not None and has_other_config(one, lead)) for one in found])


def has_other_config(one: ServerStatus, lead: ServerStatus) -> bool:
    """Whether a server has another configuration than the one that evaluates; between two versions nobody can tell."""
    comparable = (one.version, one.schema) == (lead.version, lead.schema)
    return comparable and bool(one.config and lead.config) and one.config != lead.config


async def _agents(store: Store, now: int) -> tuple[FleetAgentView, ...]:
    heard = {one.name: one for one in await store.fleet.heard_agents()}
    found = []
    for agent in await store.fleet.agents():
        status = heard.get(agent.name)
        found.append(FleetAgentView(agent, status, status is None or now - status.seen_at > AGENT_SILENT_MS))
    return tuple(found)


def _is_behind(one: FleetAgentView) -> bool:
    """Whether it says that what it found long ago waits with it; both instants are of its own clock, and of the server's by its skew."""
    status = one.status
    return status is not None and status.spooled_since is not None and status.seen_at - status.spooled_since > AGENT_BEHIND_MS


def _problems(
    servers: Sequence[ServerView], agents: Sequence[FleetAgentView], orphans: Sequence[tuple[str, int]], notices: OutboxCounts
) -> Iterator[Problem]:
    """The worst first."""
    there = [one for one in servers if one.role is not ServerRole.SILENT]
    if servers and all(one.role is not ServerRole.EVALUATOR for one in servers):
        yield Problem(FleetProblem.NO_EVALUATOR)
    yield from (Problem(FleetProblem.SHARDS_WITHOUT_AGENT, location, count) for location, count in orphans)
    yield from (Problem(FleetProblem.SERVER_SILENT, one.status.name) for one in servers if one.role is ServerRole.SILENT)
    yield from (Problem(FleetProblem.AGENT_SILENT, one.agent.name) for one in agents if one.silent and one.status is not None)
    yield from (Problem(FleetProblem.BUS_AWAY, one.status.name) for one in there if one.status.waiting < 0)
    yield from (Problem(FleetProblem.AGENT_BEHIND, one.agent.name) for one in agents if not one.silent and _is_behind(one))
    if notices.undeliverable:
        yield Problem(FleetProblem.UNDELIVERABLE, count=notices.undeliverable)
    yield from (Problem(FleetProblem.SERVERS_DIFFER, one.status.name) for one in there if one.differs)
    yield from (Problem(FleetProblem.AGENT_NEVER_HEARD, one.agent.name) for one in agents if one.status is None)
    versions = sorted({one.status.version for one in there})
    if len(versions) > 1:
        yield Problem(FleetProblem.VERSIONS_DIFFER, ", ".join(versions))
