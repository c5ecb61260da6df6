"""`vigie agent` as a program: its prober, its spool and its way to the servers, put together.

Checks run on the loop of this one process (docs/decisions/0072 says why): the spool is written and what is handed over is compressed in
threads, so that neither holds up a check.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from vigie import __version__, plugins
from vigie.agent import alike, build_probe, probe_deps
from vigie.clock import SteadyClock, boot, elapsed
from vigie.descriptors import FEW, raise_limit
from vigie.engine.prober import LocalAgent
from vigie.engine.remote.agent import RemoteAgent
from vigie.engine.remote.failover import HELLO_SECONDS, Failover
from vigie.engine.remote.spool import Bounds, Spool
from vigie.errors import StoreError, StoreFault, VigieError
from vigie.memory import keep_collections_short, one_arena, settle
from vigie.net import DIRECT, Link, Proxies, Secret, Secrets, redact_url
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Batch, Clock, Uplink
from vigie.state import State
from vigie.stores.sqlite.spool import SqliteSpool
from vigie.uplinks import UplinkDeps, kind_of

log = logging.getLogger("vigie.remote")

STOP_SECONDS = 15.0  # the whole of a graceful stop, at the very most


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Where the servers are, in the order of preference, who says so, and where what they do not have yet is kept."""

    addresses: Sequence[str]
    state: Path
    token: Secret | None = None
    ca_file: Path | None = None
    plain: bool = False
    proxies: Proxies = DIRECT
    bounds: Bounds = field(default_factory=Bounds)


def steady(clock: Clock, state: State) -> Clock:
    """The clock of an agent: one that nobody sets, the same for all its lives until the machine is started anew."""
    passed = elapsed()
    if passed is None:
        return clock
    return SteadyClock(state.booted_at(boot(), clock.now() - round(passed * 1000)), lambda: elapsed() or 0.0)


async def serve(settings: AgentSettings, clock: Clock, stop: asyncio.Event, mask: Callable[[Secrets], None]) -> None:
    """Run until `stop` is set; `mask` is given what no log may hold. Raises VigieError for what cannot work, and where it is refused."""
    one_arena()
    keep_collections_short()
    if (descriptors := raise_limit()) < FEW:
        log.warning("at most %d files may be open at once; raise the limit (ulimit -n) to %d", descriptors, FEW)
    uplink, keep_seconds = _uplink(settings, clock)
    where = ", ".join(map(redact_url, settings.addresses))
    with (state := State(settings.state)).locked():
        clock = steady(clock, state)
        try:
            while not stop.is_set():
                file = SqliteSpool(settings.state / "spool.db")
                spool = Spool(file, clock, settings.bounds, keep_seconds)
                try:
                    await spool.open()
                    log.info("reporting to %s; stop with Ctrl-C", where)
                    agent = RemoteAgent(uplink, spool, clock, __version__, lambda publish: _Prober(clock, publish, mask))
                    await agent.run(stop)
                except StoreError as error:
                    if error.fault is not StoreFault.CORRUPT:
                        raise
                    name = await file.move_aside()
                    log.error("%s. It was renamed to %s, and a new one is begun", error, name)  # noqa: TRY400 - the trace says nothing more
                finally:
                    await spool.close()
        finally:
            await uplink.close()


def _uplink(settings: AgentSettings, clock: Clock) -> tuple[Uplink, float]:
    """The way to the servers, and for how many seconds batches are kept after they were handed over. Raises VigieError."""
    several = len(settings.addresses) > 1
    deps = UplinkDeps(clock, settings.token, settings.proxies, settings.ca_file, plain=settings.plain)
    if several:
        deps = replace(deps, hello_seconds=HELLO_SECONDS)
    made, keep_seconds = dict[str, Uplink](), 0.0
    for address in settings.addresses:
        if "://" not in address:
            fix = "write --server https://vigie.example.com, or --bus nats://nats.example.com"
            raise VigieError(f"{redact_url(address)} is not an address: its scheme is missing", fix)
        module = plugins.load("uplinks", kind_of(address))
        try:
            config = module.Config.of(address)
        except ValueError as error:
            raise VigieError(f"{redact_url(address)} cannot be used: {error}") from None
        name = urlsplit(address).netloc.rpartition("@")[2]
        made[redact_url(address) if name in made else name] = module.build(config, deps)
        keep_seconds = max(keep_seconds, getattr(module, "KEEP_MS", 0) / 1000)
    return Failover(made, clock) if several else next(iter(made.values())), keep_seconds


class _Prober:
    """Checks in this process. Implements `engine.remote.agent.Prober`."""

    def __init__(self, clock: Clock, publish: Callable[[Batch], Awaitable[None]], mask: Callable[[Secrets], None]) -> None:
        self._deps, self._mask = probe_deps([]), mask
        self._link: tuple[list[str], str | None] = ([], None)
        self._secrets = Secrets()
        self._agent = LocalAgent(name="local", run=0, clock=clock, publish=publish, build=lambda one: build_probe(one, self._deps))
        self._started = False

    async def use(self, specs: Sequence[CheckSpec], control: Sequence[str], second_resolver: str | None) -> None:
        """Watch exactly these."""
        if (link := (list(control), second_resolver)) != self._link:
            self._deps.link.close()
            self._deps.link, self._link = Link(self._deps.resolver, control, second_resolver), link
        secrets = Secrets(one for spec in specs for one in spec.hidden if isinstance(one, Secret))
        if set(secrets) != set(self._secrets):
            self._secrets = secrets
            self._mask(secrets)
        if not self._started:
            self._agent.start()
            self._started = True
        await self._agent.assign(specs)
        settle()

    def compact(self, specs: Sequence[CheckSpec]) -> list[CheckSpec]:
        """The same specs, equal texts shared."""
        return alike(specs)

    async def pace(self, monitor_id: str, every_ms: int | None) -> None:
        """Check at a faster pace, or at the monitor's own again (None)."""
        await self._agent.pace(monitor_id, every_ms)

    async def check_now(self, monitor_id: str) -> None:
        """Check once, out of turn."""
        await self._agent.check_now(monitor_id)

    def late_ms(self) -> int | None:
        """The p99 of how late checks start."""
        samples = sorted(self._agent.lateness.samples)
        return samples[int(len(samples) * 0.99)] if samples else None

    async def stop(self, seconds: float) -> None:
        """Start no more checks; those in progress have so many seconds."""
        await self._agent.stop(seconds)
        self._deps.close()
