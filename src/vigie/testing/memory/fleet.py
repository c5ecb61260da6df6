"""The fleet in memory."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from vigie.errors import StoreError, StoreFault
from vigie.ports import AgentStatus, EnrolledAgent, Lease, ServerStatus, ShardRun
from vigie.testing.memory.data import Data

_DAY_MS = 86_400_000


class MemoryFleet:
    """The Fleet port without a disk."""

    def __init__(self, data: Data, now: Callable[[], int]) -> None:
        self._data, self._now = data, now

    async def enroll(self, agent: EnrolledAgent) -> bool:
        """Let an agent in, unless one of this name is in already."""
        self._data.check()
        known = self._data.agents.get(agent.name)
        if known is not None and known.revoked_at is None:
            return False
        self._data.agents[agent.name] = replace(agent, revoked_at=None)
        return True

    async def agents(self) -> list[EnrolledAgent]:
        """Those that are let in, by name."""
        self._data.check()
        return sorted((one for one in self._data.agents.values() if one.revoked_at is None), key=lambda one: one.name)

    async def agent_by_token(self, token_hash: str) -> EnrolledAgent | None:
        """Whose token this is; None where it was revoked."""
        return next((one for one in await self.agents() if one.hash == token_hash), None)

    async def revoke_agent(self, name: str, at: int) -> bool:
        """Let it in no longer."""
        self._data.check()
        known = self._data.agents.get(name)
        self._data.agent_statuses.pop(name, None)
        if known is None or known.revoked_at is not None:
            return False
        self._data.agents[name] = replace(known, revoked_at=at)
        return True

    async def heard(self, status: AgentStatus) -> None:
        """Keep how an agent is."""
        self._data.check()
        self._data.agent_statuses[status.name] = status

    async def heard_agents(self) -> list[AgentStatus]:
        """How each agent was when it was last heard, by name."""
        self._data.check()
        return sorted(self._data.agent_statuses.values(), key=lambda one: one.name)

    async def now(self) -> int:
        """The clock of the store."""
        self._data.check()
        return self._now()

    async def claim(self, name: str, holder: str, ttl_ms: int) -> Lease:
        """Take or renew a lease; whose it is now."""
        self._data.check()
        now = self._now()
        known, until = self._data.leases.get(name, (Lease(name, "", 0, 0), 0))
        if known.holder != holder and until > now:
            return replace(known, left_ms=until - now)
        mine = Lease(name, holder, known.epoch + (known.holder != holder), ttl_ms)
        self._data.leases[name] = mine, now + ttl_ms
        return mine

    async def release(self, name: str, holder: str) -> None:
        """End one's own lease; its epoch stays known."""
        self._data.check()
        known, _ = self._data.leases.get(name, (Lease(name, "", 0, 0), 0))
        if known.holder == holder:
            self._data.leases[name] = replace(known, holder=""), 0

    async def leases(self) -> list[Lease]:
        """Those that have not ended, by name."""
        self._data.check()
        now = self._now()
        return [replace(one, left_ms=until - now) for _, (one, until) in sorted(self._data.leases.items()) if until > now]

    async def location_number(self, name: str) -> int:
        """The number of a location in packed results."""
        self._data.check()
        return self._data.locations.setdefault(name, len(self._data.locations))

    async def monitor_numbers(self) -> dict[str, int]:
        """The numbers of all monitors in packed results."""
        self._data.check()
        return {monitor: number for number, monitor in enumerate(self._data.ever_watched, 1)}

    async def shard_runs(self) -> list[ShardRun]:
        """Who has which shard at which location."""
        self._data.check()
        return [one for _, one in sorted(self._data.shard_runs.items())]

    async def save_shard_runs(self, runs: Sequence[ShardRun], lease: Lease) -> None:
        """Keep these, while the lease is the caller's."""
        self._data.check()
        check_lease(self._data, lease)
        self._data.shard_runs.update(((one.location, one.shard), one) for one in runs)

    async def shared_key(self, own: bytes) -> bytes:
        """The key of all servers."""
        self._data.check()
        self._data.key = self._data.key or own
        return self._data.key

    async def report_server(self, status: ServerStatus) -> None:
        """Keep how a server is."""
        self._data.check()
        self._data.servers[status.name] = status

    async def servers(self) -> list[ServerStatus]:
        """How each server was when it last said so, by name; not those that are silent for a day."""
        self._data.check()
        since = self._now() - _DAY_MS
        return [one for _, one in sorted(self._data.servers.items()) if one.seen_at >= since]

    async def forward(self, body: bytes) -> None:
        """Keep what was measured for the server that evaluates."""
        self._data.check()
        self._data.forwarded[max(self._data.forwarded, default=0) + 1] = body

    async def forwarded(self, limit: int) -> list[tuple[int, bytes]]:
        """What nobody has taken in yet."""
        self._data.check()
        return sorted(self._data.forwarded.items())[:limit]

    async def taken_in(self, numbers: Sequence[int]) -> None:
        """Keep these no longer."""
        self._data.check()
        for number in numbers:
            self._data.forwarded.pop(number, None)


def check_lease(data: Data, lease: Lease) -> None:
    """Raise StoreError(FENCED) where a lease is no longer who held it."""
    known, _ = data.leases.get(lease.name, (Lease(lease.name, "", 0, 0), 0))
    if (known.holder, known.epoch) != (lease.holder, lease.epoch):
        raise StoreError(StoreFault.FENCED, f"{lease.holder} no longer holds the lease `{lease.name}` (epoch {lease.epoch})")
