"""What is checked, how fast and when out of turn: by the prober process of this server, and by agents in other places."""

import asyncio

from vigie.adapters import probed, state_of
from vigie.app import Publish, Runtime
from vigie.buses.local import LocalBus
from vigie.buses.process import ProcessAgent
from vigie.config import Desired
from vigie.core.model import Monitor
from vigie.engine.leases import ALONE, Duty
from vigie.engine.transition import Transition
from vigie.observation.check_spec import CheckSpec
from vigie.reporting import Reporting


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
        runtime.ingest.listen(self._pace)

    @property
    def publish(self) -> Publish:
        """Where results go that no prober measured."""
        return self._bus.publish

    def take_by(self, take: Publish) -> None:
        """From now on, have each batch taken in by `take`."""

        async def taken() -> None:
            async for group in self._bus.groups():
                for batch in group.batches:
                    await take(batch)

        self._taking = asyncio.create_task(taken())

    def specs(self, desired: Desired) -> list[CheckSpec]:
        """What the prober of this server checks: nothing while another server evaluates, or where agents do all of it."""
        checks = self._duty is ALONE or (self._duty.evaluates and desired.fleet.probe)
        return [one.spec for one in probed(desired)] if checks else []

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
