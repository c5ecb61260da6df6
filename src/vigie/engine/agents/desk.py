"""Where agents report: they introduce themselves, hand in what they measured, and are told what to check."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from vigie.commands.agents import Enrolled
from vigie.engine.agents import intake
from vigie.engine.agents.assignments import Assignments, Checks
from vigie.engine.agents.dispatch import Hub
from vigie.engine.agents.enrolment import made
from vigie.engine.agents.registry import Registry
from vigie.engine.leases import ALONE, Duty
from vigie.engine.trouble import Trouble
from vigie.errors import StoreError, UplinkError, UplinkFault
from vigie.fleet.batches import PackedBatch
from vigie.fleet.wire import PROTOCOL, Hello, Order, Welcome
from vigie.ports import Clock, EnrolledAgent, Fleet, Ledger
from vigie.queries.agents import AgentState, AgentView

log = logging.getLogger("vigie.agents")

Accept = Callable[[Sequence[PackedBatch]], Awaitable[None]]  # returns when they are safe

_TICK_SECONDS = 5.0
_AT_ONCE = 2  # requests with batches of one agent
_RESULTS_A_SECOND, _RESULTS_AT_ONCE = 20_000, 200_000
_HELLOS_A_SECOND, _HELLOS_AT_ONCE = 1, 10
_LOOKS_A_SECOND, _LOOKS_AT_ONCE = 5, 100  # into the store for what is about to be refused
_SAID_SECONDS = 60.0
_MAX_SPOOL = 2**32


@dataclass(slots=True)
class _Bucket:
    """What may come at once, and a second."""

    a_second: float
    most: float
    left: float = 0.0
    at: float = float("-inf")

    def wait(self, now: float, count: float) -> float:
        """Take so many; 0 where they were there, else the seconds until they are. More than fit at once are let through when it is full."""
        self.left = min(self.most, self.left + (now - self.at) * self.a_second) if self.at > float("-inf") else self.most
        self.at = now
        wanted = min(count, self.most)
        if self.left >= wanted:
            self.left -= wanted
            return 0.0
        return (wanted - self.left) / self.a_second


@dataclass(slots=True)
class _Limits:
    """What one agent has under way."""

    results: _Bucket = field(default_factory=lambda: _Bucket(_RESULTS_A_SECOND, _RESULTS_AT_ONCE))
    hellos: _Bucket = field(default_factory=lambda: _Bucket(_HELLOS_A_SECOND, _HELLOS_AT_ONCE))
    looks: _Bucket = field(default_factory=lambda: _Bucket(_LOOKS_A_SECOND, _LOOKS_AT_ONCE))
    under_way: int = 0
    order: asyncio.Lock = field(default_factory=asyncio.Lock)  # batches of a shard never overtake each other
    said_at: float = float("-inf")


class AgentDesk:
    """What the web is given for agents and for people who look after them.

    `accept` takes checked batches and returns when they are safe. `holder` is the name of this process among the servers, `duty` what it
    does: one that stands by takes nothing in, unless it can relay it, and gives no orders that it would not hear of.
    """

    def __init__(self, fleet: Fleet, ledger: Ledger, clock: Clock, accept: Accept, version: str, holder: str, duty: Duty = ALONE) -> None:
        self._duty, self._closed = duty, False
        self._fleet, self._ledger, self._clock, self._accept, self._version = fleet, ledger, clock, accept, version
        self.hub = Hub()
        self.relay: Callable[[Sequence[bytes]], Awaitable[None]] | None = None  # in place of `accept`: to whoever takes them in
        self.registry = Registry(fleet, clock)
        self.assignments = Assignments(fleet, ledger, self.registry, self.hub, holder)
        self._own = ""
        self._limits = defaultdict[str, _Limits](_Limits)
        self._changed = asyncio.Event()
        self._watchers: list[Callable[[], Awaitable[None]]] = []
        self._trouble = Trouble(log, "agents cannot be looked after now")

    def use(self, checks: Checks) -> None:
        """A new configuration; `settle` tells the agents."""
        self._own = checks.own
        self.assignments.use(checks)

    def on_tick(self, watcher: Callable[[], Awaitable[None]]) -> None:
        """Call this one whenever it was looked at how agents are."""
        self._watchers.append(watcher)

    async def settle(self) -> None:
        """Have every agent told what is to be checked now. A store that fails is asked again soon."""
        if self.registry.any:
            await self._try(anew=True)

    async def start(self) -> None:
        """Read who is enrolled, and who had which shards."""
        await self._try(anew=True)
        if self.registry.any:
            self._changed.set()  # `run` may have begun before anybody was known

    async def run(self) -> None:
        """Look after the agents, for as long as there are any."""
        while True:
            await self._pause()
            await self._try(anew=False)

    async def _pause(self) -> None:
        """Until the next look; where nobody is enrolled, until an agent knocks or somebody is."""
        self._changed.clear()
        if not self.registry.any:
            await self._changed.wait()
            return
        await self._clock.sleep(_TICK_SECONDS)

    async def _try(self, *, anew: bool) -> None:
        with self._trouble.noted():
            came = await self.registry.refresh()
            for name in [one for one in self._limits if self.registry.status(one) is None and not self._limits[one].under_way]:
                del self._limits[name]
            if self.registry.any or came:
                await self.assignments.settle(anew=anew or came)
            for watcher in self._watchers if self.registry.any else ():
                await watcher()

    def close(self) -> None:
        """The duty of this server is another one now: agents are sent away, and ask whoever has it."""
        self._closed = True
        self.hub.close()

    @property
    def _evaluates(self) -> bool:
        return self._duty.evaluates and not self._closed

    def elsewhere(self) -> UplinkError:
        """What an agent is told that should ask the server that evaluates."""
        why = f"this server stands by for {self._duty.leader() or 'another one'}"
        return UplinkError(UplinkFault.STANDBY, why, retry_after_ms=1_000)

    @property
    def _takes(self) -> bool:
        return not self._closed and (self._duty.evaluates or self.relay is not None)

    async def by_token(self, token: str, *, guessing: bool = False) -> EnrolledAgent | None:
        """Whose token this is; `guessing` as in the registry. Raises StoreError."""
        before = self.registry.any
        found = await self.registry.by_token(token, guessing=guessing)
        if found is not None and not before:
            self._changed.set()
        return found

    async def hello(self, agent: EnrolledAgent, hello: Hello, address: str) -> Welcome:
        """An agent introduces itself, or says how it is. Raises UplinkError and StoreError."""
        now = self._clock.now()
        self._may_say_hello(agent, hello)
        known = self.registry.status(agent.name)
        spool, had = hello.spool, 0 if known is None else known.spool
        if spool == 0:
            spool = await self._ledger.next_run()
        elif spool != had:
            await self._check_spool(agent, spool, had)
        fresh = had != spool or self.registry.state(agent.name) is not AgentState.REPORTING
        number = await self.assignments.location_number(agent.location)
        await self.registry.heard(agent, hello, spool, address, now)
        if fresh:
            log.info("agent %s at %s reports (version %s, spool %d)", agent.name, agent.location, hello.version[:40], spool)
            await self.assignments.settle(anew=True)
        protocol, names = min(hello.protocol, PROTOCOL), (agent.name, agent.location)
        return Welcome(self._clock.now(), self._version, protocol, number, spool, *names, self._evaluates, self._takes)

    def _may_say_hello(self, agent: EnrolledAgent, hello: Hello) -> None:
        if hello.protocol < 1:
            raise UplinkError(UplinkFault.VERSION, f"protocol {hello.protocol}; this server speaks 1 to {PROTOCOL}", permanent=True)
        if hello.agent not in ("", agent.name) or hello.location not in ("", agent.location):
            fix = "give each agent a --state of its own"
            raise _refused(f"this token is of agent {agent.name} at {agent.location}", fix)
        if not 0 <= hello.spool < _MAX_SPOOL:
            raise _refused(f"{hello.spool} is not the number of a spool")
        if wait := self._limits[agent.name].hellos.wait(self._clock.monotonic(), 1):
            raise _busy("too many greetings", wait)

    async def _check_spool(self, agent: EnrolledAgent, spool: int, had: int) -> None:
        """A spool that is not the one that this agent had: an older one is of a copy, or was put back."""
        if spool < had:
            if self.registry.copied(agent.name):
                log.warning("two agents use the name %s: one has spool %d, another one %d, and is refused", agent.name, had, spool)
            fix = "enroll each agent by a name of its own; where this one replaces the other, remove its old --state"
            raise _refused(f"another agent reports as {agent.name}, from a newer spool", fix)
        if spool >= await self._ledger.next_run():
            raise _refused(f"spool {spool} is not one that this server has numbered", "remove its --state, to begin with a new one")

    async def take(self, agent: EnrolledAgent, body: bytes) -> None:
        """Take in a request of batches; returns when they are safe. Raises UplinkError and StoreError."""
        if not self._takes:
            raise self.elsewhere()
        limits = self._limits[agent.name]
        if limits.under_way >= _AT_ONCE:
            raise _busy("the batches before these are still being taken in", 1)
        limits.under_way += 1
        try:
            async with limits.order:
                await self._accept_all(agent, body, limits)
        except intake.Newer as error:
            self._say(limits, agent.name, str(error))
            raise UplinkError(UplinkFault.VERSION, str(error), fix="upgrade the servers; the agent keeps it until then") from None
        except intake.Refused as error:
            self._say(limits, agent.name, str(error))
            raise _refused(str(error)) from None
        finally:
            limits.under_way -= 1

    async def _accept_all(self, agent: EnrolledAgent, body: bytes, limits: _Limits) -> None:
        if self._duty is ALONE and not self.registry.was_greeted(agent.name):  # its clock is known against one that was set since, maybe
            raise _busy("say hello first", 1)
        blobs = intake.split(body)
        try:
            batches = await self._checked(agent, blobs)
        except intake.Newer:
            raise
        except intake.Refused:
            if not self._may_look(limits):
                raise _busy("much of this agent was refused lately", 1) from None
            await self._look_again()
            batches = await self._checked(agent, blobs)
        if wait := limits.results.wait(self._clock.monotonic(), sum(one.count for one in batches)):
            raise _busy("more results than are taken in at once", wait)
        if batches and self.relay is not None:
            await self.relay(blobs)
        elif batches:
            await self._accept(batches)
        self.registry.still_there(agent.name)

    async def _checked(self, agent: EnrolledAgent, blobs: Sequence[bytes]) -> list[PackedBatch]:
        """Raises UplinkError, StoreError, and Refused."""
        rights, now = await self._rights(agent), self._clock.now()
        return await asyncio.to_thread(lambda: intake.checked(blobs, rights, now))

    def _may_look(self, limits: _Limits) -> bool:
        return not limits.looks.wait(self._clock.monotonic(), 1)

    async def _look_again(self) -> None:
        """Another server may have heard an agent, or given it shards, since this one looked. Raises StoreError."""
        await self.registry.refresh()
        await self.assignments.look_again()

    async def _rights(self, agent: EnrolledAgent) -> intake.Rights:
        status = self.registry.status(agent.name)
        if status is None:
            raise UplinkError(UplinkFault.BUSY, "say hello first", retry_after_ms=1_000)
        number, location = await self.assignments.location_number(agent.location), agent.location
        return intake.Rights(
            agent,
            number,
            status.spool,
            self.assignments.ids,
            self.assignments.runs_at(location),
            lambda one: self.assignments.is_checked(one, location),
            self.registry.skew_ms(agent.name),
        )

    async def admitted(self, batches: Sequence[PackedBatch]) -> list[PackedBatch]:
        """Those of a bus that are to be taken in, as they are to be: each is checked as if its agent had handed it in here.

        What is refused by what the store has as well is said, and left out. Raises StoreError.
        """
        found, refused = await self._sifted(batches)
        if any(self._may_look(self._limits[agent]) for agent in refused):
            await self._look_again()
            found, refused = await self._sifted(batches)
        for agent, why in refused.items():
            self._say(self._limits[agent], agent, why)
        return found

    async def _sifted(self, batches: Sequence[PackedBatch]) -> tuple[list[PackedBatch], dict[str, str]]:
        """What is admitted, and why not all of an agent's is, by its name."""
        rights, refused, now = dict[str, intake.Rights](), dict[str, str](), self._clock.now()
        for name in dict.fromkeys(one.agent for one in batches):
            try:
                rights[name] = await self._rights_of(name)
            except UplinkError as error:
                refused[name] = str(error)

        def sift() -> Iterator[PackedBatch]:
            for batch in batches:
                if (held := rights.get(batch.agent)) is not None:
                    try:
                        yield intake.of_bus(batch, held, self.assignments.numbers_at(held.agent.location, batch.shard), now)
                    except intake.Refused as error:
                        refused[batch.agent] = str(error)

        return await asyncio.to_thread(lambda: [one for one in sift() if one.count]), refused

    async def _rights_of(self, name: str) -> intake.Rights:
        """Raises UplinkError for an agent that is not let in (any more), and for one that nobody has heard yet; StoreError."""
        agent = await self.named(name)
        if agent is None:
            raise _refused("it is not enrolled")
        rights = await self._rights(agent)
        self.registry.still_there(name)
        return rights

    async def named(self, name: str) -> EnrolledAgent | None:
        """An agent that is let in, by its name. Raises StoreError."""
        found = next((one for one in self.registry.enrolled() if one.name == name), None)
        if found is None and await self.registry.refresh():
            self._changed.set()
            found = next((one for one in self.registry.enrolled() if one.name == name), None)
        return found

    def _say(self, limits: _Limits, agent: str, why: str) -> None:
        now = self._clock.monotonic()
        if now - limits.said_at >= _SAID_SECONDS:
            limits.said_at = now
            log.warning("what agent %s handed in was refused: %s", agent, why)

    def orders(self, agent: EnrolledAgent, epoch: int) -> AsyncIterator[Order]:
        """What it is to do, as it is decided. Raises UplinkError."""
        if not self._takes:
            raise self.elsewhere()
        return self.hub.orders(agent.name, epoch)

    async def is_still(self, agent: EnrolledAgent) -> bool:
        """Whether it is still let in, by the same token."""
        try:
            found = await self._fleet.agent_by_token(agent.hash)
        except StoreError:
            return True
        return found == agent

    async def pace(self, monitor: str, every_ms: int | None) -> None:
        """Have a monitor checked faster, or as usual again, wherever an agent checks it."""
        for name in self.assignments.of(monitor) if self.registry.any else ():
            await self.hub.pace(name, monitor, every_ms)

    async def check_now(self, monitor: str) -> None:
        """Have a monitor checked out of turn, wherever an agent checks it."""
        for name in self.assignments.of(monitor) if self.registry.any else ():
            await self.hub.check_now(name, monitor)

    async def agents(self) -> list[AgentView]:
        """Those that are let in, by name."""
        await self.registry.refresh()
        return self.registry.views()

    async def enroll(self, name: str, location: str, by: str) -> Enrolled | None:
        """Let an agent in. Raises VigieError and StoreError."""
        token, agent = await made(self._fleet, name, location, self._clock.now(), by, self._own)
        if not await self._fleet.enroll(agent):
            return None
        await self._changed_here()
        log.info("agent %s at %s was enrolled by %s", name, location, by)
        return Enrolled(agent, token)

    async def revoke(self, name: str) -> bool:
        """Let it in no longer, at once. Raises StoreError."""
        if not await self._fleet.revoke_agent(name, self._clock.now()):
            return False
        self.registry.forget(name)
        self.hub.forget(name)
        self._limits.pop(name, None)
        await self._changed_here()
        log.info("agent %s was revoked", name)
        return True

    async def _changed_here(self) -> None:
        await self.registry.refresh()
        await self.assignments.settle(anew=True)
        self._changed.set()


def _refused(why: str, fix: str = "") -> UplinkError:
    return UplinkError(UplinkFault.REFUSED, why, fix=fix, permanent=True)


def _busy(why: str, seconds: float) -> UplinkError:
    return UplinkError(UplinkFault.BUSY, why, retry_after_ms=max(round(seconds * 1000), 1_000))
