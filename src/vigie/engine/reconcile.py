"""A new configuration becomes the one in force: every part prepares, one commit, one swap.

Preparing builds what is new and may fail; nothing has changed then. The commit writes what all parts changed, or nothing of it. The swap
only exchanges references in memory and cannot fail. So whatever goes wrong, and wherever, the old configuration stays in force as a
whole; it is logged, and tried again until it holds or a newer one comes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from vigie.errors import ConfigError, VigieError
from vigie.ports import Commit

log = logging.getLogger("vigie.reconcile")

_RETRY_SECONDS = (1, 2, 5, 10, 30, 60)
_D_co = TypeVar("_D_co", covariant=True)
_D_contra = TypeVar("_D_contra", contravariant=True)
_D = TypeVar("_D")


async def _nothing() -> None:
    """Nobody is to hear of it."""


def _keep() -> None:
    """Nothing in memory changes."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a part has ready: `change` goes into the one commit, `swap` must not fail, `announce` is called when everything is in force."""

    change: Commit = field(default_factory=Commit)
    swap: Callable[[], None] = _keep
    announce: Callable[[], Awaitable[None]] = _nothing


class Part(Protocol[_D_contra]):
    """Whoever follows the configuration."""

    def __call__(self, desired: _D_contra) -> AbstractAsyncContextManager[Prepared]:
        """Prepare for it. Until the context ends nothing may overtake what was prepared; raises VigieError, and nothing has changed."""
        ...


class DesiredSource(Protocol[_D_co]):
    """Where a configuration comes from: a file with its `.env`, or one day a database."""

    async def read(self) -> _D_co:
        """The configuration as it stands now. Raises ConfigError when it is unusable, VigieError when it cannot be read."""
        ...

    async def changed(self) -> None:
        """Wait until it may be another one than was last read, or somebody asks for it to be read anew."""
        ...


class Outcome(StrEnum):
    """What became of a configuration."""

    APPLIED = "applied"
    REFUSED = "refused"  # it is unusable: trying it again would change nothing
    FAILED = "failed"


class Reconciler(Generic[_D]):
    """Follows a source. `parts` prepare in this order and swap in this order; `commit` writes what they changed."""

    def __init__(self, source: DesiredSource[_D], parts: Sequence[Part[_D]], commit: Callable[[Commit], Awaitable[None]]) -> None:
        self._source, self._parts, self._commit = source, parts, commit
        self._lock = asyncio.Lock()
        self.last: Outcome | None = None  # what became of the newest configuration, once there was another than at the start

    async def run(self) -> None:
        """Apply every configuration that comes, for ever."""
        while True:
            await self._source.changed()
            await self._apply_until_in_force()

    async def _apply_until_in_force(self) -> None:
        attempt = 0
        while await self.apply() is Outcome.FAILED:
            wait = _RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)]
            attempt += 1
            log.info("the configuration is tried again in %d s, or as soon as it changes", wait)
            try:
                async with asyncio.timeout(wait):
                    await self._source.changed()
                attempt = 0
            except TimeoutError:
                pass

    async def apply(self) -> Outcome:
        """Read the configuration and put it into force, as a whole or not at all."""
        self.last = await self._applied()
        return self.last

    async def _applied(self) -> Outcome:
        try:
            await self.put(self._source.read)
        except ConfigError as error:
            _log_kept(*error.faults)
            return Outcome.REFUSED
        except VigieError as error:
            _log_kept(f"{error}. {error.fix}" if error.fix else error)
            return Outcome.FAILED
        except Exception:  # an adapter of another package may raise anything; the old configuration is whole
            log.exception("the new configuration is not applied, the old one stays in force")
            return Outcome.FAILED
        return Outcome.APPLIED

    async def put(self, read: Callable[[], Awaitable[_D]]) -> None:
        """Put what `read` gives into force; nothing else changes the configuration meanwhile. What is raised has changed nothing."""
        async with self._lock:
            prepared = await self._put_into_force(await read())
        for one in prepared:
            try:
                await one.announce()
            except Exception:  # it is in force; one failed announcement must not keep it from the others
                log.exception("a part could not announce the new configuration")

    async def _put_into_force(self, desired: _D) -> list[Prepared]:
        async with AsyncExitStack() as stack:
            prepared = [await stack.enter_async_context(part(desired)) for part in self._parts]
            change = merged(one.change for one in prepared)
            if change != Commit():
                await self._commit(change)
            for one in prepared:
                one.swap()
        return prepared


def _log_kept(*why: object) -> None:
    """A line for each reason: what is logged is on one line."""
    for one in why:
        log.error("the new configuration is not applied, the old one stays in force: %s", one)


def merged(changes: Iterable[Commit]) -> Commit:
    """Changes that have nothing in common as one."""
    found: dict[str, tuple[Any, ...]] = {}
    for change in changes:
        for one in fields(Commit):
            if (value := getattr(change, one.name)) is not None and (value or one.name == "watched"):
                found[one.name] = (*found.get(one.name, ()), *value)
    return Commit(**found)
