"""The side of the store for a fleet: its agents, its servers, and who of them does what only one may do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class EnrolledAgent:
    """An agent that may report, for its own location alone. `hash` is that of its token, `prefix` the token's beginning. Epoch ms."""

    name: str
    location: str
    hash: str = field(repr=False)
    prefix: str
    created_at: int
    created_by: str
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """How an agent was when it was last heard, epoch ms. `skew_ms` is how far its clock is ahead of the store's."""

    name: str
    location: str
    seen_at: int
    version: str
    spool: int = 0
    protocol: int = 1
    monitors: int = 0
    spooled: int = 0
    spooled_since: int | None = None
    late_ms: int | None = None
    skew_ms: int = 0
    address: str = ""


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """How a `vigie serve` was when it last said so, epoch ms. `lag_ms`: how old the newest result was when it was evaluated."""

    name: str
    version: str
    started_at: int
    seen_at: int
    url: str = ""
    lag_ms: int | None = None
    waiting: int = 0  # messages of the bus that are not evaluated yet; -1: it cannot be asked
    config: str = ""  # tells whether two servers have the same configuration
    protocol: int = 1  # the newest that it speaks with agents
    schema: int = 0  # the newest of the store that it knows
    location: str = ""  # where it checks from; empty where it does not say, or does not check


@dataclass(frozen=True, slots=True)
class Lease:
    """Who does what only one may do. `epoch` rises by one with each new holder, and never falls."""

    name: str
    holder: str
    epoch: int
    left_ms: int  # until it ends, unless it is renewed


@dataclass(frozen=True, slots=True)
class ShardRun:
    """Which agent has a shard at a location, by which of its spools, and the run that its results have since."""

    location: str
    shard: int
    agent: str
    run: int
    spool: int = 0


class Fleet(Protocol):
    """Agents, servers, leases. Several processes may write it. Raises StoreError and nothing else, from any task."""

    async def enroll(self, agent: EnrolledAgent) -> bool:
        """Let an agent in; False where one of this name is in already. A name whose agent was revoked is free again."""

    async def agents(self) -> list[EnrolledAgent]:
        """Those that are let in, by name."""

    async def agent_by_token(self, token_hash: str) -> EnrolledAgent | None:
        """Whose token this is; None where it was revoked. Costs next to nothing."""

    async def revoke_agent(self, name: str, at: int) -> bool:
        """Let it in no longer, and forget how it was; whether it was let in."""

    async def heard(self, status: AgentStatus) -> None:
        """Keep how an agent is, in place of what was kept."""

    async def heard_agents(self) -> list[AgentStatus]:
        """How each agent was when it was last heard, by name."""

    async def now(self) -> int:
        """The clock of the store, epoch ms, which all servers have in common."""

    async def claim(self, name: str, holder: str, ttl_ms: int) -> Lease:
        """Take a lease that nobody holds, or renew one's own, by the clock of the store; whose it is now.

        One's own keeps its epoch, also where it ended and nobody held it since.
        """

    async def release(self, name: str, holder: str) -> None:
        """End one's own lease before its time; who holds it next has a new epoch."""

    async def leases(self) -> list[Lease]:
        """Those that have not ended, by name."""

    async def location_number(self, name: str) -> int:
        """The number that a location has in packed results; it gets one when it is first asked for."""

    async def monitor_numbers(self) -> dict[str, int]:
        """The numbers that monitors have in packed results, by id; also of those that are watched no longer."""

    async def shard_runs(self) -> list[ShardRun]:
        """Who has which shard at which location."""

    async def save_shard_runs(self, runs: Sequence[ShardRun], lease: Lease) -> None:
        """Keep these in place of those of the same location and shard. Raises StoreError(FENCED) where the lease is another's now."""

    async def shared_key(self, own: bytes) -> bytes:
        """The key that all servers sign links with: that of the first one that asked, 32 bytes. It is kept in the store."""

    async def report_server(self, status: ServerStatus) -> None:
        """Keep how a server is."""

    async def servers(self) -> list[ServerStatus]:
        """How each server was when it last said so, by name; those silent for a day are forgotten."""

    async def forward(self, body: bytes) -> None:
        """Keep what was measured for the server that evaluates; fsynced before it returns."""

    async def forwarded(self, limit: int) -> list[tuple[int, bytes]]:
        """What nobody has taken in yet, each with its number; what one server forwarded is in its order."""

    async def taken_in(self, numbers: Sequence[int]) -> None:
        """It is committed what became of these: keep them no longer."""
