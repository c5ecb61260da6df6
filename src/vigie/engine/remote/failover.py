"""An agent with several servers: it reports to the one that evaluates, and to another one as soon as that one is away.

Laws
1. The servers are those that the agent was given. Nothing that any of them answers adds an address.
2. It stays with a server for as long as that one evaluates. Else it goes to the one that does; while none is found, to one that takes
   batches for it (over a bus), and else it keeps asking.
3. What was on its way to a server that is left counts as not handed over, and is handed over again. A batch is known by its number, so
   that it counts once.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

import msgspec

from vigie.errors import UplinkError, UplinkFault
from vigie.fleet.wire import Hello, Order, Welcome
from vigie.ports import Clock, Uplink

log = logging.getLogger("vigie.uplink")

HELLO_SECONDS = 5.0  # that a server has to answer a hello where there is another one
_SLOW_SECONDS = 5.0  # of a request, from which on it is asked again and again whether another server evaluates by now
_AGAIN_SECONDS = 1.0  # between two rounds: a server takes one hello a second
_OTHERS_SECONDS = 600.0  # between two hellos to those that are not reported to, so that a wrong address is known before it is needed
_ANSWERS = (UplinkFault.AUTH, UplinkFault.VERSION, UplinkFault.REFUSED)  # of a server that is there: the others would say the same
_TELLING = (
    *_ANSWERS,
    UplinkFault.STANDBY,
    UplinkFault.BUSY,
    UplinkFault.TLS,
    UplinkFault.OTHER,
    UplinkFault.TIMEOUT,
    UplinkFault.UNREACHABLE,
)


class Failover:
    """Implements Uplink over the uplinks of several servers, by the names that the log has for them, in the order of preference."""

    def __init__(self, servers: Mapping[str, Uplink], clock: Clock) -> None:
        self._servers, self._clock = dict(servers), clock
        self._at = next(iter(servers))
        self._left = asyncio.Event()  # set once the server of this moment is left
        self._looking = asyncio.Lock()
        self._looked_at = self._others_at = float("-inf")
        self._hello: Hello | None = None
        self._nobody: UplinkError | None = None  # why no server takes batches, by the last round
        self._said: dict[str, UplinkFault] = {}  # what is wrong with servers that are not reported to
        self._others: asyncio.Task[None] | None = None

    async def hello(self, hello: Hello) -> Welcome:
        """Introduce oneself to the server that evaluates, or to one that stands by where none does."""
        async with self._looking:
            self._hello = hello
            welcome = await self._round()
        if self._clock.monotonic() - self._others_at >= _OTHERS_SECONDS:
            self._others_at = self._clock.monotonic()
            self._others = asyncio.create_task(self._look_at_others())
        return welcome

    async def orders(self, epoch: int) -> AsyncIterator[Order]:
        """Those of the server of this moment, until it is left."""
        at, left = self._at, self._left
        orders = self._servers[at].orders(epoch)
        try:
            while (order := await _next(orders, left)) is not None:
                yield order
            raise UplinkError(UplinkFault.UNREACHABLE, f"this agent does not report to {at} any more")  # noqa: TRY301 - as one that breaks
        except UplinkError as error:
            if error.fault not in _ANSWERS:
                await self._is_left(at)
            raise
        finally:
            if isinstance(orders, AsyncGenerator):
                await orders.aclose()

    async def send(self, batches: Sequence[tuple[int, bytes]]) -> None:
        """To the server of this moment; where that one fails, to another one that evaluates by then."""
        if self._nobody is not None:
            await self._is_left(self._at)  # a hello is smaller than what would be refused
        try:
            await self._sent(at := self._at, batches)
        except UplinkError as error:
            if error.fault in _ANSWERS or not await self._is_left(at):
                raise self._nobody or error from None
            await self._sent(self._at, batches)

    async def close(self) -> None:
        """Hang up."""
        if self._others is not None:
            self._others.cancel()
            await asyncio.gather(self._others, return_exceptions=True)
        for one in self._servers.values():
            await one.close()

    async def _sent(self, at: str, batches: Sequence[tuple[int, bytes]]) -> None:
        """Raises UplinkError where nobody takes batches, and where this server is left before it has answered."""
        if self._nobody is not None:
            raise self._nobody
        sending = asyncio.ensure_future(self._servers[at].send(batches))
        try:
            while not (await asyncio.wait((sending,), timeout=_SLOW_SECONDS))[0]:
                if await self._is_left(at):
                    raise UplinkError(UplinkFault.TIMEOUT, f"{at} did not answer")
            sending.result()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _is_left(self, at: str) -> bool:
        """Whether this is not the server of this moment, after a round of the last second."""
        async with self._looking:
            if self._at == at and self._clock.monotonic() - self._looked_at >= _AGAIN_SECONDS:
                with contextlib.suppress(UplinkError):  # kept by the round
                    await self._round()
        return self._at != at

    async def _round(self) -> Welcome:
        """Ask the server of this moment, then the others in their order, until one evaluates. Raises UplinkError where none answers."""
        self._looked_at = self._clock.monotonic()
        faults, there = dict[str, UplinkError](), dict[str, Welcome]()
        for name in (self._at, *(one for one in self._servers if one != self._at)):
            try:
                found = await self._greet(name)
            except UplinkError as error:
                faults[name] = error
                continue
            there[name] = found
            if found.evaluates:
                break
        before, self._nobody = self._nobody, None if any(one.takes for one in there.values()) else _nobody(faults, there)
        if self._nobody is not None and not there:
            raise self._nobody
        to, welcome = max(there.items(), key=lambda one: (one[1].evaluates, one[1].takes))  # the first of those that are best
        if to != self._at:
            self._go(to, faults)
        elif before is not None and self._nobody is None:
            log.info("this agent reports to %s", to)
        return welcome

    async def _greet(self, name: str) -> Welcome:
        """Say hello to one. A new spool has the number that the first one gave it with all others."""
        if self._hello is None:
            raise UplinkError(UplinkFault.OTHER, "no hello was said yet")
        welcome = await self._servers[name].hello(msgspec.structs.replace(self._hello, at=self._clock.now()))
        if not self._hello.spool:
            self._hello = msgspec.structs.replace(self._hello, spool=welcome.spool)
        return welcome

    def _go(self, to: str, faults: Mapping[str, UplinkError]) -> None:
        """From now on this is the server of this moment."""
        why = faults[self._at].message if self._at in faults else f"{self._at} stands by"
        log.warning("%s; this agent %s from now on", why, f"asks {to}" if self._nobody else f"reports to {to}")
        if self._at in faults:
            self._said[self._at] = faults[self._at].fault
        self._said.pop(to, None)
        self._at = to
        self._left.set()
        self._left = asyncio.Event()

    async def _look_at_others(self) -> None:
        """Say once what is wrong with a server that is not needed now."""
        for name in [one for one in self._servers if one != self._at]:
            try:
                await self._greet(name)
            except UplinkError as error:
                if error.fault is not UplinkFault.BUSY and self._said.get(name) != error.fault and name != self._at:
                    self._said[name] = error.fault
                    fix = f" Fix: {error.fix}." if error.fix else ""
                    log.warning(
                        "%s. This agent reports to %s meanwhile, and could not go over to %s.%s", error.message, self._at, name, fix
                    )
            else:
                if self._said.pop(name, None) is not None:
                    log.info("%s answers again", name)


def _nobody(faults: Mapping[str, UplinkError], there: Mapping[str, Welcome]) -> UplinkError:
    """What a round comes to that found no server which takes batches."""
    words = "; ".join([*(f"{name} stands by" for name in there), *(one.message for one in faults.values())])
    if there:
        fix = "wait for another server to take over, which takes seconds; if none does, see `vigie fleet status` on a server"
        return UplinkError(UplinkFault.STANDBY, f"no server takes results now: {words}", fix=fix)
    telling = min(faults.values(), key=lambda one: _TELLING.index(one.fault))
    return UplinkError(telling.fault, words, fix=telling.fix, permanent=telling.permanent, retry_after_ms=telling.retry_after_ms)


async def _next(orders: AsyncIterator[Order], left: asyncio.Event) -> Order | None:
    """The next order; None once the server is left."""
    coming, leaving = asyncio.ensure_future(anext(orders)), asyncio.create_task(left.wait())
    try:
        await asyncio.wait((coming, leaving), return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else None
    except StopAsyncIteration:
        return None
    finally:
        for one in (coming, leaving):
            one.cancel()
        await asyncio.gather(coming, leaving, return_exceptions=True)
