"""Agents behind a bus: the server that evaluates answers them, reads what they publish, and writes their work there."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Final

from vigie.engine.agents.desk import AgentDesk
from vigie.engine.ingest import Ingest
from vigie.errors import BusError, UplinkError, UplinkFault, VigieError
from vigie.fleet.batches import PackedBatch
from vigie.fleet.wire import Hello, Welcome, Work
from vigie.ports import Clock, FleetBus, Position

log = logging.getLogger("vigie.agents")

ADDRESS: Final = "bus"  # what is kept as the address of an agent that was heard there
_AGAIN_SECONDS: Final = 5.0
_LASTING_SECONDS: Final = 30.0  # longer than it takes to find out that it does not work


class OverBus:
    """Implements Dispatch beside the hub, for the agents that were last heard on the bus: nobody else's work is written there."""

    def __init__(self, bus: FleetBus, desk: AgentDesk, ingest: Ingest, clock: Clock) -> None:
        self._bus, self._desk, self._ingest, self._clock = bus, desk, ingest, clock
        self._dispatch = bus.dispatch(self._location)
        self._behind: set[str] = set()  # agents whose documents are not known to be what they should be
        self._said = ""  # what is wrong with the bus
        desk.hub.pass_on(self)

    def _location(self, agent: str) -> str | None:
        return next((one.location for one in self._desk.registry.enrolled() if one.name == agent), None)

    def _is_here(self, agent: str) -> bool:
        status = self._desk.registry.status(agent)
        return status is not None and status.address == ADDRESS

    async def run(self) -> None:
        """Answer agents, and take in what they publish, until the bus is closed; one that cannot be used is asked again, and said once.

        Raises StoreError.
        """
        while True:
            lasting: asyncio.Task[None] | None = None
            try:
                await self._bus.open()
                lasting = asyncio.create_task(self._say_that_it_works())
                return await self._follow()
            except BusError as error:
                if (words := str(error)) != self._said:
                    log.error("the bus cannot be used: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more
                    self._said = words
            finally:
                if lasting is not None:
                    lasting.cancel()
            await self._clock.sleep(_AGAIN_SECONDS)

    async def _say_that_it_works(self) -> None:
        """Once it has for a while: one that lets in may refuse everything else."""
        await self._clock.sleep(_LASTING_SECONDS)
        if self._said:
            log.warning("the bus works again")
            self._said = ""

    async def _follow(self) -> None:
        self._behind |= {one.name for one in self._desk.registry.enrolled()}
        async with self._bus.answering(self.hello):
            async for group in self._bus.groups(self._ingest.position(self._bus.name)):
                await self._take(await self._desk.admitted(group.batches), group.position)

    async def _take(self, batches: Sequence[PackedBatch], position: Position | None) -> None:
        """Whatever is wrong with a batch that was admitted is said, and what comes after it goes on: a stream brings it again and again."""
        try:
            await self._ingest.take_packed(batches, position)
        except (VigieError, asyncio.CancelledError):
            raise
        except Exception:  # whatever a batch provokes, it would come again for ever
            log.exception("results that came by the bus cannot be taken in together; each message is tried by itself")
        else:
            return
        for one in batches:
            try:
                await self._ingest.take_packed([one])
            except VigieError:
                raise
            except Exception:  # this batch alone is given up
                log.exception("%d results of agent %s are lost: they cannot be taken in", one.count, one.agent)
        await self._ingest.take_packed([], position)

    async def look_after(self) -> None:
        """Write again what could not be written, and what somebody else changed or deleted, for ever."""
        while True:
            with contextlib.suppress(BusError):  # whoever reads finds out, and says so
                self._behind.update(await self._dispatch.changed_by_others())
            for agent in [one for one in self._behind if self._is_here(one)]:
                await self._bring(agent)
            await self._clock.sleep(_AGAIN_SECONDS)

    async def hello(self, hello: Hello) -> Welcome:
        """An agent introduces itself; its name and location are those of its login. Raises UplinkError and StoreError."""
        agent = await self._desk.named(hello.agent)
        if agent is None or agent.location != hello.location:
            words = f"no agent {hello.agent} is enrolled at {hello.location}"
            raise UplinkError(UplinkFault.AUTH, words, fix="`vigie agent enroll` it on a server", permanent=True)
        was_here = self._is_here(agent.name)
        welcome = await self._desk.hello(agent, hello, ADDRESS)
        if not was_here or agent.name in self._behind:
            await self._bring(agent.name)
        return welcome

    async def _bring(self, agent: str) -> None:
        """All that it is to do; nothing is written that is there already."""
        whole = self._desk.hub.whole(agent)
        self._behind.add(agent)
        if whole is None:
            return
        work, paces = whole
        try:
            await self._dispatch.work(agent, work)
            await self._dispatch.paces(agent, paces)
        except BusError as error:
            log.warning("the work of agent %s cannot be written now: %s", agent, error)
        else:
            self._behind.discard(agent)

    async def work(self, agent: str, work: Work) -> None:
        """As the hub is given it."""
        if not self._is_here(agent):
            return
        if agent in self._behind:
            await self._bring(agent)
            return
        try:
            await self._dispatch.work(agent, work)
        except BusError as error:
            self._behind.add(agent)
            log.warning("the work of agent %s cannot be written now: %s", agent, error)

    async def pace(self, agent: str, monitor: str, every_ms: int | None) -> None:
        """Likewise; one that cannot be told is told with all the rest, later."""
        if self._is_here(agent):
            try:
                await self._dispatch.pace(agent, monitor, every_ms)
            except BusError:
                self._behind.add(agent)

    async def check_now(self, agent: str, monitor: str) -> None:
        """Likewise; whoever does not hear it now is not told later."""
        if self._is_here(agent):
            try:
                await self._dispatch.check_now(agent, monitor)
            except BusError as error:
                log.warning("agent %s cannot be told to check now: %s", agent, error)


async def run_both(over: OverBus) -> None:
    """The two loops of it: the end of one is that of the other."""
    async with asyncio.TaskGroup() as group:
        group.create_task(over.run())
        group.create_task(over.look_after())
