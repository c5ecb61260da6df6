"""Leases: what only one server may do is done by whoever holds its lease, and by another one soon after that server is gone.

Laws
1. A lease counts from before the call that brought it, by a clock that never steps and goes on while this process or machine stands
   still: who wakes up after its end knows at once that the lease is lost, without asking anybody. A step of the wall clock changes nothing.
2. A store that cannot be reached ends no lease before its time; one that cannot be reached until then does.
3. What was done under a lease that is lost is cancelled before the lease is claimed again, and a new claim has a new epoch.
4. Who stops gives its leases back, so that another one takes over at once.

Whether what is done still counts is decided by the store (`Ledger.fence`): between a look at a clock and a write any time may pass.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vigie.engine.alive import seen_through
from vigie.engine.trouble import Trouble
from vigie.errors import AlreadyRunning, StoreError, StoreFault
from vigie.ports import Clock, Fleet, Lease

log = logging.getLogger("vigie.fleet")

EVALUATOR, RETENTION = "evaluator", "retention"
TTL_MS = 10_000
_EVERY_SECONDS = 3.0
_SOON_SECONDS = 1.0  # after a claim that failed
_MIN_SECONDS = 0.05
_REST_SECONDS = 5.0  # after work that broke: another server has the first go
_RELEASE_SECONDS = 2.0

Act = Callable[[Lease], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Duty:
    """What a server does: it evaluates, by itself (no lease) or under a lease, or it stands by for whoever does.

    `leader` tells where the one that evaluates is reached; empty where that is not known. `checks_here` tells whether this one checks
    from its location while it stands by; None where nobody knows now.
    """

    evaluates: bool = True
    lease: Lease | None = None
    leader: Callable[[], str] = str
    checks_here: Callable[[], bool | None] = bool


ALONE = Duty()


def holder_name(lease: Lease) -> str:
    """The name of the server that holds a lease; what follows tells one life of it from the next."""
    return lease.holder.partition("/")[0]


@asynccontextmanager
async def borrowed(fleet: Fleet, clock: Clock, name: str, holder: str) -> AsyncIterator[Lease]:
    """For a program that soon ends: the lease, renewed until then. Raises AlreadyRunning where another one holds it, and StoreError."""
    lease = await fleet.claim(name, holder, TTL_MS)
    if lease.holder != holder:
        raise AlreadyRunning(f"{holder_name(lease)} is at work on this store", "wait for it to finish, or stop it")

    async def renew() -> None:
        while True:
            await clock.sleep(_EVERY_SECONDS)
            with contextlib.suppress(StoreError):  # the commits of who no longer holds it are refused
                await fleet.claim(name, holder, TTL_MS)

    renewing = asyncio.create_task(renew())
    try:
        yield lease
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        with contextlib.suppress(StoreError):  # it ends by itself
            await fleet.release(name, holder)


class LeaseKeeper:
    """Claims leases in the name of `holder`, and renews them. `elapsed` tells seconds by the clock of law 1.

    Each time it has a name of its own (`holder.1`, `holder.2`…), so that a lease that could not be given back is not taken up again.
    """

    def __init__(self, fleet: Fleet, clock: Clock, holder: str, elapsed: Callable[[], float], ttl_ms: int = TTL_MS) -> None:
        self._fleet, self._clock, self._holder, self._elapsed, self._ttl_ms = fleet, clock, holder, elapsed, ttl_ms
        self._ends: dict[str, float] = {}
        self._times = 0

    def holds(self, name: str) -> bool:
        """Whether a lease is held now, as far as is known here."""
        return self._elapsed() < self._ends.get(name, float("-inf"))

    async def hold(self, name: str, act: Act) -> None:
        """For ever: have `act` done while the lease `name` is held; where it ends by itself or breaks, another server may go on."""
        while True:
            lease = await self._gained(name)
            log.info("%s: this server holds the lease (epoch %d)", name, lease.epoch)
            try:
                broke = await self._act(lease, act)
            finally:
                self._ends.pop(name, None)
                await self._release(lease)
            if broke:
                await self._clock.sleep(_REST_SECONDS)

    async def _gained(self, name: str) -> Lease:
        self._times += 1
        holder = f"{self._holder}.{self._times}"
        trouble = Trouble(log, f"{name}: the lease cannot be claimed now", logging.WARNING)
        while True:
            asked = self._elapsed()
            try:
                async with asyncio.timeout(self._ttl_ms / 1000):
                    lease = await self._fleet.claim(name, holder, self._ttl_ms)
            except (StoreError, TimeoutError) as error:
                trouble.failed(_of_store(error))
                await self._clock.sleep(_SOON_SECONDS)
                continue
            trouble.over()
            if lease.holder == holder:
                self._ends[name] = asked + self._ttl_ms / 1000
                return lease
            await self._clock.sleep(max(min(lease.left_ms / 1000, _EVERY_SECONDS), _MIN_SECONDS))

    async def _act(self, lease: Lease, act: Act) -> bool:
        """Until it ends, breaks, or the lease is lost; whether it ended or broke."""
        acting = asyncio.ensure_future(act(lease))
        try:
            wait, trouble = _EVERY_SECONDS, Trouble(log, f"{lease.name}: the lease cannot be renewed now", logging.WARNING)
            while not acting.done():
                await asyncio.wait({acting}, timeout=max(min(wait, self._ends[lease.name] - self._elapsed()), 0))
                if acting.done():
                    break
                renewed = await self._renewed(lease, trouble)
                if not renewed and not self.holds(lease.name):
                    log.warning("%s: the lease is lost; another server may hold it now", lease.name)
                    return False
                wait = _EVERY_SECONDS if renewed else _SOON_SECONDS
            if not acting.cancelled() and (error := acting.exception()) is not None:
                log.error("%s: what is done under the lease broke off; another server may take over", lease.name, exc_info=error)
            return True
        finally:
            acting.cancel()
            await asyncio.gather(acting, return_exceptions=True)

    async def _renewed(self, lease: Lease, trouble: Trouble) -> bool:
        """Whether it was; one that is another's is held no longer."""
        asked, name = self._elapsed(), lease.name
        left = self._ends[name] - asked
        if left <= 0:
            return False
        try:
            async with asyncio.timeout(left):
                found = await self._fleet.claim(name, lease.holder, self._ttl_ms)
        except (StoreError, TimeoutError) as error:
            trouble.failed(_of_store(error))
            return False
        trouble.over()
        if (found.holder, found.epoch) != (lease.holder, lease.epoch):
            self._ends[name] = asked
            return False
        self._ends[name] = asked + self._ttl_ms / 1000
        return True

    async def _release(self, lease: Lease) -> None:
        """Let another server have it at once. A store that cannot be reached lets it end by itself."""
        try:
            await seen_through(self._released(lease))
        except (StoreError, TimeoutError) as error:
            log.info("%s: the lease ends by itself: %s", lease.name, str(error) or "no answer")

    async def _released(self, lease: Lease) -> None:
        async with asyncio.timeout(_RELEASE_SECONDS):
            await self._fleet.release(lease.name, lease.holder)


def _of_store(error: StoreError | TimeoutError) -> StoreError:
    """Whoever does not answer cannot be reached."""
    return error if isinstance(error, StoreError) else StoreError(StoreFault.UNREACHABLE, "no answer", "it is asked again")
