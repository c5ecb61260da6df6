"""Agents in other places, as `serve` puts them together: what they are to check, and how what they measured is taken in."""

import asyncio
from collections.abc import Sequence

from vigie import __version__, plugins
from vigie.adapters import bus_of
from vigie.app import Runtime
from vigie.config import Desired
from vigie.engine.agents.assignments import Checks
from vigie.engine.agents.desk import AgentDesk
from vigie.engine.agents.over_bus import OverBus
from vigie.engine.agents.watch import AgentWatch
from vigie.engine.leases import ALONE, Duty
from vigie.errors import BusError, StoreError, StoreFault, UplinkError, UplinkFault
from vigie.fleet.batches import PackedBatch
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Clock

_ANSWER_SECONDS = 1.0  # for the bus: how much waits there is asked every few seconds, and holds nothing up


class Reporting:
    """The desk of agents over a runtime. `name` is that of this process among the servers; one that stands by takes nothing in."""

    def __init__(self, runtime: Runtime, clock: Clock, name: str, duty: Duty = ALONE) -> None:
        self._runtime = runtime
        self.desk = AgentDesk(runtime.store.fleet, runtime.store.ledger, clock, self._accept, __version__, name, duty)
        self.bus = bus_of(runtime.settings, clock, f"vigie serve {name}")
        self.over_bus: OverBus | None = None
        if self.bus is not None:
            self.desk.relay = self._relay
            if duty.evaluates:
                self.over_bus = OverBus(self.bus, self.desk, runtime.ingest, clock)
        if duty.evaluates:
            self.desk.on_tick(self._watch(clock).tick)
        self.use(runtime.settings)

    def _watch(self, clock: Clock) -> AgentWatch:
        runtime, desk = self._runtime, self.desk
        return AgentWatch(
            desk.registry,
            desk.assignments,
            runtime.store.ledger,
            clock,
            runtime.ingest.record,
            runtime.ingest.take,
            runtime.outbox.wake,
            self._channels,
        )

    def _channels(self) -> Sequence[str]:
        """Whom a silent agent is notified to: who the default alert goes to, else everybody who is notified of outages."""
        settings = self._runtime.settings
        everybody = dict.fromkeys(name for one in settings.monitors for name in one.monitor.notification.to)
        return self._runtime.planner.channels(settings.notification.to or tuple(everybody))

    def use(self, desired: Desired) -> None:
        """The checks of a new configuration; `desk.settle` tells the agents."""

        def at(location: str) -> Sequence[CheckSpec]:
            active = [one for one in desired.monitors if not plugins.traits(one.monitor.kind).passive]
            return [one.spec_at(location) for one in active if one.monitor.is_checked_from(location)]

        self.desk.use(Checks(at, desired.location, desired.control, desired.second_resolver))

    async def _relay(self, blobs: Sequence[bytes]) -> None:
        """On the bus, and kept there, when this returns: whoever evaluates reads it. Raises UplinkError."""
        if self.bus is None:
            return
        try:
            await self.bus.publish_all(blobs)
        except BusError as error:
            raise UplinkError(UplinkFault.BUSY, f"the bus takes nothing now: {error}", retry_after_ms=2_000) from error

    async def waiting(self) -> int:
        """How many messages of the bus are not evaluated yet; -1 while it cannot be asked."""
        if self.bus is None:
            return 0
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await self.bus.waiting(self._runtime.ingest.position(self.bus.name))
        except (BusError, TimeoutError):
            return -1

    def halt(self) -> None:
        """Agents ask this server in its new duty from now on."""
        self.desk.close()

    async def close(self) -> None:
        """Leave the bus."""
        if self.bus is not None:
            await self.bus.close()

    async def _accept(self, batches: Sequence[PackedBatch]) -> None:
        """Taken in, and on the disk, when this returns. Raises StoreError, and UplinkError where another server evaluates."""
        try:
            await self._runtime.ingest.take_packed(batches)
            await self._runtime.store.ledger.flush()
        except StoreError as error:
            if error.fault is StoreFault.FENCED:
                raise self.desk.elsewhere() from error
            raise
