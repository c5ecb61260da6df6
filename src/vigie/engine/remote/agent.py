"""An agent far from its servers: checks what they assigned, keeps what it finds, and never waits for them.

Laws
1. What is measured is in the spool before it is handed over, and checks go on whether anybody takes it or not.
2. The work of the servers is kept: an agent that is started without a link does what it was last told.
3. A token that is refused at the first hello ends the program. One that is refused later ends the checks after an hour: a server may
   have been restored from a backup, but whoever was revoked is to check nothing for ever. It asks again now and then either way.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import msgspec

from vigie.engine.alive import keep_alive, seen_through
from vigie.engine.remote.link import LinkLog, wait_ms
from vigie.engine.remote.posting import Poster
from vigie.engine.remote.spool import Spool
from vigie.errors import StoreError, StoreFault, UplinkError, UplinkFault, VigieError
from vigie.fleet.packing import Packer
from vigie.fleet.wire import Hello, Order, Pace, ShardWork, Welcome, Work
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Batch, Clock, Identity, Uplink
from vigie.text.formatting import counted

log = logging.getLogger("vigie.remote")

_HELLO_SECONDS = 15.0
_TIDY_SECONDS = 10.0
_REVOKED_SECONDS = 3_600.0
_CHECKS_SECONDS, _POST_SECONDS = 6.0, 3.0  # of a graceful stop
_OUT = (UplinkFault.AUTH, UplinkFault.VERSION)


class Prober(Protocol):
    """Who makes the checks: a `ports.Agent` that can be told of the way out, and how late it is."""

    async def use(self, specs: Sequence[CheckSpec], control: Sequence[str], second_resolver: str | None) -> None:
        """Watch exactly these; `control` and `second_resolver` tell whether this machine's own link works."""

    def compact(self, specs: Sequence[CheckSpec]) -> list[CheckSpec]:
        """The same specs in less memory."""

    async def pace(self, monitor_id: str, every_ms: int | None) -> None:
        """Check at a faster pace, or at the monitor's own again (None)."""

    async def check_now(self, monitor_id: str) -> None:
        """Check once, out of turn."""

    def late_ms(self) -> int | None:
        """The p99 of how late checks start."""

    async def stop(self, seconds: float) -> None:
        """Start no more checks; those in progress have so many seconds."""


class RemoteAgent:
    """One agent. `take` is where its prober publishes; `version` is the program's."""

    def __init__(
        self, uplink: Uplink, spool: Spool, clock: Clock, version: str, prober_of: Callable[[Callable[[Batch], Awaitable[None]]], Prober]
    ) -> None:
        self._uplink, self._spool, self._clock, self._version = uplink, spool, clock, version
        self._prober = prober_of(self.take)
        self._link = LinkLog(clock, self._waiting)
        self._poster = Poster(uplink, spool, clock, self._link, "batches")
        self._shards: dict[int, ShardWork] = {}
        self._runs: dict[str, int] = {}  # by monitor
        self._location = ""
        self._packer: Packer | None = None
        self._loops: list[asyncio.Task[None]] = []
        self._ended: asyncio.Future[None] | None = None
        self._refused_since: float | None = None
        self._idle = False
        self._taken = 0  # the prober's number of the newest result that was taken

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Raises UplinkError where the first hello is refused, StoreError(CORRUPT) once the spool is damaged."""
        self._ended = asyncio.get_running_loop().create_future()
        stopped = asyncio.create_task(stop.wait())
        try:
            if self._spool.identity is not None:
                await self._start()
            starting = asyncio.create_task(self._meet())
            await asyncio.wait((starting, stopped, self._ended), return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
            elif not stop.is_set():
                await starting
                loops = {"hello": self._keep_in_touch, "orders": self._follow, "batches": self._poster.run}
                self._loops += [asyncio.create_task(self._guarded(name, run)) for name, run in loops.items()]
                await asyncio.wait((stopped, self._ended), return_when=asyncio.FIRST_COMPLETED)
            if self._ended.done():
                await self._ended
        finally:
            stopped.cancel()
            await self._stop()

    async def take(self, batch: Batch) -> None:
        """What was measured, into the spool.

        What is published again, because whoever published it was interrupted, is known by the prober's own number.
        """
        fresh = [one for one in batch.results if one.sequence > self._taken]
        if self._packer is None or not fresh:
            return
        self._taken = fresh[-1].sequence
        location, runs, number = self._location, self._runs, self._spool.number
        stamped = [replace(one, location=location, run=runs[one.monitor], sequence=number()) for one in fresh if one.monitor in runs]
        if packed := self._packer.pack(stamped):
            try:
                await seen_through(self._spool.add(packed))
            except StoreError as error:
                self._end(error)

    async def _start(self) -> None:
        """Begin to check, by what is known."""
        identity = self._spool.identity
        if identity is None or self._packer is not None:
            return
        self._pack_as(identity)
        self._loops.append(asyncio.create_task(self._guarded("the spool", self._tidy)))
        if self._spool.work is not None:
            await self._do(self._spool.work, kept=True)
            for monitor, every_ms in list(self._spool.paces.items()):
                await self._prober.pace(monitor, every_ms)

    def _pack_as(self, identity: Identity) -> None:
        self._location = identity.location
        self._packer = Packer(identity.agent, identity.location, identity.number)
        self._packer.use(*self._numbers())

    async def _meet(self) -> None:
        """The first hello: as long as it takes. Who is refused learns it here."""
        attempt = 0
        while True:
            try:
                await self._say_hello()
            except UplinkError as error:
                if error.permanent and error.fault in _OUT:
                    raise
                attempt += 1
                self._link.failed("hello", error)
                await self._clock.sleep(wait_ms(error, attempt, "hello") / 1000)
                continue
            return

    async def _say_hello(self) -> None:
        identity, backlog = self._spool.identity, self._spool.backlog
        hello = Hello(
            identity.agent if identity else "",
            identity.location if identity else "",
            self._version,
            identity.spool if identity else 0,
            self._clock.now(),
            monitors=len(self._runs),
            spooled=backlog.batches,
            spooled_since=backlog.since,
            late_ms=self._prober.late_ms(),
        )
        welcome = await self._uplink.hello(hello)
        await self._known(welcome)
        self._link.worked("hello")

    async def _known(self, welcome: Welcome) -> None:
        """Who one is, by the servers."""
        if not welcome.agent or not welcome.place:
            words = f"the server ({welcome.version}) does not say who this agent is"
            raise UplinkError(UplinkFault.VERSION, words, fix="install the same version on agent and server", permanent=True)
        found, known = Identity(welcome.agent, welcome.place, welcome.location, welcome.spool), self._spool.identity
        if known is not None and (known.agent, known.location) != (found.agent, found.location):
            raise VigieError(
                f"the spool is that of the agent {known.agent} in {known.location}, the token that of {found.agent} in {found.location}",
                "give each agent a --state of its own",
            )
        if known != found:
            await self._spool.adopt(found)
            if known is not None:
                log.warning("the servers number this agent otherwise than before: they are others, or were restored from a backup")
                self._pack_as(found)
            else:
                log.info("this is the agent %s in %s", found.agent, found.location)
        await self._start()

    async def _keep_in_touch(self) -> None:
        attempt = 0
        while True:
            wait = _HELLO_SECONDS
            try:
                await self._say_hello()
            except UplinkError as error:
                attempt += 1
                self._link.failed("hello", error)
                wait = wait_ms(error, attempt, "hello") / 1000
                await self._refused(error)
            else:
                attempt = 0
                await self._let_in()
            await self._link.pause(wait)

    async def _refused(self, error: UplinkError) -> None:
        if error.fault is not UplinkFault.AUTH or not error.permanent:
            return
        now = self._clock.monotonic()
        if self._refused_since is None:
            self._refused_since = now
        if now - self._refused_since >= _REVOKED_SECONDS and not self._idle:
            self._idle = True
            log.error("the servers have refused this agent for an hour: it checks nothing any more. What it measured is kept")
            await self._prober.use([], [], None)

    async def _let_in(self) -> None:
        self._refused_since = None
        if self._idle:
            self._idle = False
            log.warning("the servers take this agent again: it goes on checking")
            await self._assign()

    async def _follow(self) -> None:
        """The orders of the servers, one after the other."""
        attempt = 0
        while True:
            orders = self._uplink.orders(self._spool.work.epoch if self._spool.work is not None else 0)
            error = UplinkError(UplinkFault.UNREACHABLE, "the servers ended the connection")
            try:
                async for order in orders:
                    attempt = 0
                    self._link.worked("orders")
                    await self._obey(order)
            except UplinkError as found:
                error = found
            finally:
                if isinstance(orders, AsyncGenerator):
                    await orders.aclose()
            attempt += 1
            if attempt > 1:  # one that breaks is made again soon, and mostly stands
                self._link.failed("orders", error)
            await self._link.pause(wait_ms(error, attempt, "orders") / 1000)

    async def _obey(self, order: Order) -> None:
        if isinstance(order, Work):
            await self._do(order)
        elif isinstance(order, Pace):
            await self._spool.keep_pace(order.monitor, order.every_ms)
            await self._prober.pace(order.monitor, order.every_ms)
        else:
            await self._prober.check_now(order.monitor)

    async def _do(self, work: Work, *, kept: bool = False) -> None:
        """The work changes: it is kept before it is done, so that what is not done at the end is given again."""
        shards = {} if work.whole else dict(self._shards)
        shards.update({one.shard: self._here(one) for one in work.shards})
        self._shards = {shard: one for shard, one in shards.items() if one.specs}
        whole = msgspec.structs.replace(work, shards=list(self._shards.values()), whole=True)
        if kept:
            self._spool.work = whole
        else:
            await self._spool.keep_work(work, whole)
        await self._assign()

    def _here(self, work: ShardWork) -> ShardWork:
        """The work of a shard as it is kept in memory: once, whoever uses it."""
        specs = self._prober.compact([replace(one, location=self._location) for one in work.specs])
        return msgspec.structs.replace(work, specs=specs)

    async def _assign(self) -> None:
        numbers, runs = self._numbers()
        self._runs = {one.monitor: shard.run for shard in self._shards.values() for one in shard.specs}
        for monitor in self._spool.paces.keys() - self._runs.keys():
            await self._spool.keep_pace(monitor, None)
        if self._packer is not None:
            self._packer.use(numbers, runs)
        work = self._spool.work
        if work is not None and not self._idle:
            specs = [one for shard in self._shards.values() for one in shard.specs]
            await self._prober.use(specs, work.control, work.second_resolver)
            log.info("checking %s", counted(len(specs), "monitor", "en"))

    def _numbers(self) -> tuple[Mapping[str, int], Mapping[int, int]]:
        """What the packer needs: the number of each monitor, and the run of each shard."""
        numbers = {spec.monitor: number for one in self._shards.values() for spec, number in zip(one.specs, one.numbers, strict=True)}
        return numbers, {shard: one.run for shard, one in self._shards.items()}

    async def _tidy(self) -> None:
        while True:
            await self._clock.sleep(_TIDY_SECONDS)
            await self._spool.tidy()

    def _waiting(self) -> str:
        count = self._spool.backlog.results
        return f"{counted(count, 'check', 'en')} not handed over" if count else "nothing waits"

    async def _guarded(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """A loop that goes on whatever happens, but for what ends the agent."""

        async def until_it_ends() -> None:
            try:
                await run()
            except StoreError as error:
                if error.fault is not StoreFault.CORRUPT:
                    raise
                self._end(error)
                await asyncio.Event().wait()  # the agent ends it
            except UplinkError:
                raise
            except VigieError as error:
                self._end(error)
                await asyncio.Event().wait()

        await keep_alive(name, until_it_ends, self._clock)

    def _end(self, error: VigieError) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_exception(error)

    async def _stop(self) -> None:
        """Checks in progress end, what they found is kept and handed over, all within ten seconds."""
        await self._prober.stop(_CHECKS_SECONDS)
        for one in self._loops:
            one.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._packer is not None and not (self._ended is not None and self._ended.done()):
            await self._poster.drain(_POST_SECONDS)
        if self._ended is not None and not self._ended.done():
            self._ended.cancel()
