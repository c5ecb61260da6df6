"""What is checked, how fast and when out of turn: by the prober process of this server, and by agents in other places.

A server that stands by checks as well, where the one that evaluates is at another location (engine/forwarding.py).
"""

import asyncio
import contextlib
import logging

from vigie.adapters import probed, state_of
from vigie.app import Publish, Runtime
from vigie.buses.local import LocalBus
from vigie.buses.process import ProcessAgent
from vigie.config import Desired
from vigie.core.model import Monitor
from vigie.engine.alive import Loop
from vigie.engine.forwarding import Forwarded, Forwarder
from vigie.engine.leases import ALONE, Duty
from vigie.engine.transition import Transition
from vigie.errors import StoreError
from vigie.observation.check_spec import CheckSpec
from vigie.reporting import Reporting

log = logging.getLogger("vigie.fleet")

_LOOK_SECONDS = 1.0
_FORWARD_SECONDS = 2.0  # for the last of what was measured


class Checking:
    """Over a runtime; what its prober measures is on a bus within this process, until somebody takes it."""

    def __init__(self, runtime: Runtime, duty: Duty, agents: Reporting) -> None:
        self._runtime, self._duty, self._agents = runtime, duty, agents
        self._bus = LocalBus()
        self.prober = ProcessAgent(
            clock=runtime.clock,
            publish=self._bus.publish,
            next_run=runtime.store.ledger.next_run,
            control=runtime.settings.control,
            second_resolver=runtime.settings.second_resolver,
            evidence=str(state_of(runtime.settings).evidence),
        )
        self._taking: asyncio.Task[None] | None = None
        self._here, self._quick = False, dict[str, int]()  # of who stands by: whether it checks, and what faster
        store = runtime.store
        self._forwarder = Forwarder(store.fleet, store.ledger.next_run, runtime.clock, runtime.settings.location)
        runtime.ingest.listen(self._pace)

    @property
    def publish(self) -> Publish:
        """Where results go that no prober measured."""
        return self._bus.publish

    def loops(self) -> dict[str, Loop]:
        """What goes on beside the prober, where there are other servers."""
        if self._duty is ALONE:
            return {}
        if not self._duty.evaluates:
            return {"checks while standing by": self._look, "what is forwarded": self._forwarder.run}
        store, ingest = self._runtime.store, self._runtime.ingest
        return {"what other servers measure": Forwarded(store.fleet, self._runtime.clock, ingest.take, ingest.monitor).run}

    def forward(self) -> None:
        """From now on, have what is measured forwarded to the server that evaluates."""
        self.take_by(self._forwarder.take)

    def take_by(self, take: Publish) -> None:
        """From now on, have each batch taken in by `take`."""

        async def taken() -> None:
            async for group in self._bus.groups():
                for batch in group.batches:
                    await take(batch)

        self._taking = asyncio.create_task(taken())

    def specs(self, desired: Desired) -> list[CheckSpec]:
        """What the prober of this server checks: nothing where another server or agents do all of it."""
        checks = self._duty is ALONE or (desired.fleet.probe and (self._duty.evaluates or self._here))
        return [one.spec for one in probed(desired)] if checks else []

    async def _look(self) -> None:
        """Of who stands by: check while no other server does it here."""
        while True:
            here = self._duty.checks_here()
            if here is not None and here != self._here:
                self._here, settings = here, self._runtime.settings
                self._forwarder.begin()
                await self.prober.assign(self.specs(settings))
                if settings.fleet.probe:
                    log.info("this server %s from %s while it stands by", "checks" if here else "does not check", settings.location)
            await self._runtime.clock.sleep(_LOOK_SECONDS)

    async def follow_paces(self) -> None:
        """Of who stands by: have what is suspected checked as fast as the server that evaluates has it checked."""
        ingest = self._runtime.ingest
        watched = [ingest.monitor(one.monitor) for one in ingest.states() if one.quick]
        quick = {one.id: _quick_ms(one) for one in watched if one is not None}
        for monitor in self._quick.keys() - quick.keys():
            await self._pace_everywhere(monitor, None)
        for monitor, every_ms in quick.items():
            if self._quick.get(monitor) != every_ms:
                await self._pace_everywhere(monitor, every_ms)
        self._quick = quick

    def use(self, desired: Desired, specs: list[CheckSpec]) -> None:
        """A new configuration, of which `specs` are; `tell` has it done."""
        self.prober.use(specs, desired.control, desired.second_resolver)
        self._agents.use(desired)

    async def tell(self) -> None:
        """Have the prober and the agents do what the configuration asks for."""
        await self.prober.send_work()
        await self._agents.desk.settle()

    async def assign(self) -> None:
        """Have everything checked, at the pace that its state asks for."""
        await self.prober.assign(self.specs(self._runtime.settings))
        for state in self._runtime.ingest.states():
            if state.quick and (monitor := self._runtime.ingest.monitor(state.monitor)):
                await self._pace_everywhere(monitor.id, _quick_ms(monitor))

    async def check_now(self, monitor: str) -> None:
        """Have it checked out of turn, wherever it is checked; of who stands by: once, here, shown and not evaluated."""
        if self._duty.evaluates:
            await self.prober.check_now(monitor)
            await self._agents.desk.check_now(monitor)
            return
        spec = next((one.spec for one in probed(self._runtime.settings) if one.monitor.id == monitor), None)
        if spec is not None:
            await self._runtime.ingest.show([await self.prober.check_once(spec)])

    async def close(self) -> None:
        """What was measured until now is the last that is taken."""
        await self._bus.close()

    async def taken(self) -> None:
        """Until all of it is, after `close`."""
        if self._taking is not None:
            await self._taking
        await self.forwarded()

    async def forwarded(self) -> None:
        """Have the rest of what is to be forwarded in the store; one that cannot be reached costs it."""
        with contextlib.suppress(StoreError, TimeoutError):
            async with asyncio.timeout(_FORWARD_SECONDS):
                await self._forwarder.forward()

    def halt(self) -> None:
        """Nothing is taken any more."""
        if self._taking is not None:
            self._taking.cancel()

    async def halted(self) -> None:
        """Until nothing is, after `halt`."""
        if self._taking is not None:
            await asyncio.gather(self._taking, return_exceptions=True)

    async def _pace(self, transition: Transition) -> None:
        if transition.before.quick != transition.after.quick:
            await self._pace_everywhere(transition.monitor.id, _quick_ms(transition.monitor) if transition.after.quick else None)

    async def _pace_everywhere(self, monitor: str, every_ms: int | None) -> None:
        await self.prober.pace(monitor, every_ms)
        await self._agents.desk.pace(monitor, every_ms)


def _quick_ms(monitor: Monitor) -> int:
    return min(monitor.detection.confirm_every_ms, monitor.every_ms)
