"""The fleet of a store over SQL: agents, servers, leases. What the methods mean is said by vigie.ports.Fleet."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from vigie.errors import StoreError, StoreFault
from vigie.ports import AgentStatus, EnrolledAgent, Lease, ServerStatus, ShardRun
from vigie.stores.kit.sql.catalog import monitor_numbers
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.locations import add_locations
from vigie.stores.kit.sql.worker import Worker

_DAY_MS = 86_400_000
_AGENT = "name, location, hash, prefix, created_at, created_by, revoked_at"
_STATUS = "name, location, seen_at, version, spool, protocol, monitors, spooled, spooled_since, late_ms, skew_ms, address"
_SERVER = "name, version, started_at, seen_at, url, lag_ms, waiting, config, protocol, schema, location"


class SqlFleet:
    """The Fleet port. `now` is the clock of the store, epoch ms: one that everybody who holds leases of it has in common.

    `schema` is the newest version that this program knows.
    """

    def __init__(self, worker: Worker, now: Callable[[Db], int], schema: int) -> None:
        self._worker, self._now, self._schema = worker, now, schema

    async def enroll(self, agent: EnrolledAgent) -> bool:
        """Let an agent in, unless one of this name is in already."""
        return await self._worker.run(lambda db: _enroll(db, agent))

    async def agents(self) -> list[EnrolledAgent]:
        """Those that are let in, by name."""
        sql = f"SELECT {_AGENT} FROM agent WHERE revoked_at IS NULL ORDER BY name"
        return [EnrolledAgent(*row) for row in await self._worker.read_now(lambda db: db.fetch(sql))]

    async def agent_by_token(self, token_hash: str) -> EnrolledAgent | None:
        """Whose token this is; None where it was revoked."""
        sql = f"SELECT {_AGENT} FROM agent WHERE hash = ? AND revoked_at IS NULL"
        found = await self._worker.read_now(lambda db: db.fetch(sql, (token_hash,)))
        return EnrolledAgent(*found[0]) if found else None

    async def revoke_agent(self, name: str, at: int) -> bool:
        """Let it in no longer."""
        return await self._worker.run(lambda db: _revoke(db, name, at))

    async def heard(self, status: AgentStatus) -> None:
        """Keep how an agent is."""
        one = status
        values = (
            one.name, one.location, one.seen_at, one.version, one.spool, one.protocol, one.monitors, one.spooled, one.spooled_since,
            one.late_ms, one.skew_ms, one.address,
        )  # fmt: skip
        await self._worker.run(lambda db: _write(db, f"INSERT OR REPLACE INTO agent_status ({_STATUS}) VALUES ({_marks(12)})", values))

    async def heard_agents(self) -> list[AgentStatus]:
        """How each agent was when it was last heard, by name."""
        sql = f"SELECT {_STATUS} FROM agent_status ORDER BY name"
        return [AgentStatus(*row) for row in await self._worker.read_now(lambda db: db.fetch(sql))]

    async def now(self) -> int:
        """The clock of the store."""
        return await self._worker.read_now(self._now)

    async def claim(self, name: str, holder: str, ttl_ms: int) -> Lease:
        """Take or renew a lease; whose it is now."""
        return await self._worker.run(lambda db: _claim(db, name, holder, ttl_ms, self._now))

    async def release(self, name: str, holder: str) -> None:
        """End one's own lease; its epoch stays known."""
        sql = "UPDATE lease SET holder = '', until = 0 WHERE name = ? AND holder = ?"
        await self._worker.run(lambda db: _write(db, sql, (name, holder), durable=True))

    async def leases(self) -> list[Lease]:
        """Those that have not ended, by name."""
        return await self._worker.read_now(lambda db: _leases(db, self._now(db)))

    async def location_number(self, name: str) -> int:
        """The number of a location in packed results."""
        return await self._worker.run(lambda db: _location_number(db, name))

    async def monitor_numbers(self) -> dict[str, int]:
        """The numbers of all monitors in packed results."""
        return await self._worker.read(monitor_numbers)

    async def shard_runs(self) -> list[ShardRun]:
        """Who has which shard at which location."""
        sql = "SELECT location, shard, agent, run, spool FROM shard_run ORDER BY location, shard"
        return [ShardRun(*row) for row in await self._worker.read(lambda db: db.fetch(sql))]

    async def save_shard_runs(self, runs: Sequence[ShardRun], lease: Lease) -> None:
        """Keep these, while the lease is the caller's."""
        await self._worker.run(lambda db: _save_shard_runs(db, runs, lease))

    async def shared_key(self, own: bytes) -> bytes:
        """The key of all servers."""
        return await self._worker.run(lambda db: _shared_key(db, own))

    async def report_server(self, status: ServerStatus) -> None:
        """Keep how a server is, and forget those that are silent for a day."""
        known = replace(status, schema=status.schema or self._schema)
        await self._worker.run(lambda db: _report_server(db, known))

    async def servers(self) -> list[ServerStatus]:
        """How each server was when it last said so, by name."""
        sql = f"SELECT {_SERVER} FROM server WHERE seen_at >= ? ORDER BY name"
        return [ServerStatus(*row) for row in await self._worker.read_now(lambda db: db.fetch(sql, (self._now(db) - _DAY_MS,)))]

    async def forward(self, body: bytes) -> None:
        """Keep what was measured for the server that evaluates."""
        await self._worker.run(lambda db: _write(db, "INSERT INTO forwarded (body) VALUES (?)", (body,), durable=True))

    async def forwarded(self, limit: int) -> list[tuple[int, bytes]]:
        """What nobody has taken in yet."""
        sql = "SELECT id, body FROM forwarded ORDER BY id LIMIT ?"
        return [(number, bytes(body)) for number, body in await self._worker.read_now(lambda db: db.fetch(sql, (limit,)))]

    async def taken_in(self, numbers: Sequence[int]) -> None:
        """Keep these no longer."""
        await self._worker.run(lambda db: _taken_in(db, numbers))


def check_lease(db: Db, lease: Lease, *, holding: bool = True) -> None:
    """Raise StoreError(FENCED) where a lease is no longer who held it; `holding`: inside a transaction, until whose end it stays so."""
    held = db.held if holding else ""
    if db.fetch(f"SELECT holder, epoch FROM lease WHERE name = ?{held}", (lease.name,)) != [(lease.holder, lease.epoch)]:
        raise fenced(lease)


def fenced(lease: Lease) -> StoreError:
    """The error for what is decided by someone who no longer may."""
    fix = "another server does this now; this one takes over again when it has to"
    return StoreError(StoreFault.FENCED, f"{lease.holder} no longer holds the lease `{lease.name}` (epoch {lease.epoch})", fix)


def _marks(number: int) -> str:
    return ", ".join("?" * number)


def _write(db: Db, sql: str, values: tuple[object, ...], *, durable: bool = False) -> int:
    with db.transaction(durable=durable):
        return db.execute(sql, values)


def _enroll(db: Db, agent: EnrolledAgent) -> bool:
    one = agent
    values = (one.name, one.location, one.hash, one.prefix, one.created_at, one.created_by)
    with db.transaction(durable=True, alone="agents"):
        if db.fetch("SELECT 1 FROM agent WHERE name = ? AND revoked_at IS NULL", (one.name,)):
            return False
        db.execute("DELETE FROM agent WHERE name = ?", (one.name,))
        db.execute(f"INSERT INTO agent ({_AGENT}) VALUES (?, ?, ?, ?, ?, ?, NULL)", values)
    return True


def _revoke(db: Db, name: str, at: int) -> bool:
    with db.transaction(durable=True):
        changed = db.execute("UPDATE agent SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL", (at, name))
        db.execute("DELETE FROM agent_status WHERE name = ?", (name,))
    return changed > 0


def _leases(db: Db, now: int) -> list[Lease]:
    sql = "SELECT name, holder, epoch, until FROM lease WHERE until > ? ORDER BY name"
    return [Lease(name, holder, epoch, until - now) for name, holder, epoch, until in db.fetch(sql, (now,))]


def _claim(db: Db, name: str, holder: str, ttl_ms: int, clock: Callable[[Db], int]) -> Lease:
    with db.transaction(durable=True, alone=f"lease {name}"):
        now = clock(db)
        found = db.fetch("SELECT holder, epoch, until FROM lease WHERE name = ?", (name,))
        held_by, epoch, until = found[0] if found else ("", 0, 0)
        if held_by != holder:
            if until > now:
                return Lease(name, held_by, epoch, until - now)
            epoch += 1
        db.execute("INSERT OR REPLACE INTO lease (name, holder, epoch, until) VALUES (?, ?, ?, ?)", (name, holder, epoch, now + ttl_ms))
    return Lease(name, holder, epoch, ttl_ms)


def _location_number(db: Db, name: str) -> int:
    with db.transaction(durable=True):
        add_locations(db, [name])
        return int(db.fetch("SELECT number FROM location WHERE name = ?", (name,))[0][0])


def _save_shard_runs(db: Db, runs: Sequence[ShardRun], lease: Lease) -> None:
    with db.transaction(durable=True):
        check_lease(db, lease)
        rows = [(one.location, one.shard, one.agent, one.run, one.spool) for one in runs]
        db.bulk("INSERT OR REPLACE INTO shard_run (location, shard, agent, run, spool) VALUES (?, ?, ?, ?, ?)", rows)


def _shared_key(db: Db, own: bytes) -> bytes:
    with db.transaction(durable=True):
        db.execute("INSERT OR IGNORE INTO shared_key (number, value) VALUES (1, ?)", (own,))
        return bytes(db.fetch("SELECT value FROM shared_key WHERE number = 1")[0][0])


def _report_server(db: Db, status: ServerStatus) -> None:
    one = status
    values = (
        one.name, one.version, one.started_at, one.seen_at, one.url, one.lag_ms, one.waiting, one.config, one.protocol, one.schema,
        one.location,
    )  # fmt: skip
    with db.transaction(durable=False):
        db.execute("DELETE FROM server WHERE seen_at < ?", (one.seen_at - _DAY_MS,))
        db.execute(f"INSERT OR REPLACE INTO server ({_SERVER}) VALUES ({_marks(11)})", values)


def _taken_in(db: Db, numbers: Sequence[int]) -> None:
    with db.transaction(durable=False):  # what comes again is known by its run and sequence
        db.bulk("DELETE FROM forwarded WHERE id = ?", [(number,) for number in numbers])
