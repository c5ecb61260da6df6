"""Notices by hand: which there are, trying them again at once, and dropping them; beside a Vigie that is running, or without one."""

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from vigie.adapters import open_store
from vigie.app import Runtime, at_work
from vigie.config import Desired
from vigie.core.notification import Notice
from vigie.engine.janitor import apply_commands
from vigie.engine.leases import Duty
from vigie.errors import AlreadyRunning, VigieError
from vigie.ports import Clock, Delivery, OutboxState, Store, StoredNotice

UNSENT = (OutboxState.WAITING, OutboxState.UNDELIVERABLE)
_PATIENCE_MS, _LOOK_SECONDS = 20_000, 0.5


@dataclass(frozen=True, slots=True)
class Listed:
    """A notice, with the newest attempt at it, or the entry that says who dropped it."""

    notice: StoredNotice
    last: Delivery | None = None

    @property
    def key(self) -> str:
        """Its key."""
        return self.notice.row.notice.key


async def listed(store: Store, states: Collection[OutboxState], channel: str | None = None, limit: int | None = None) -> list[Listed]:
    """The newest notices in these states, oldest of them first."""
    found = await store.ledger.notices(states=states, channel=channel, limit=limit)
    attempts = await store.archive.attempts([one.row.notice.key for one in found])
    return [Listed(one, attempts.get(one.row.notice.key)) for one in found]


async def chosen(store: Store, keys: Sequence[str], channel: str | None) -> list[Listed]:
    """The unsent notices of these keys, or else all of them, by one channel if given. Raises VigieError for a key that is not unsent."""
    found = await listed(store, UNSENT, channel)
    if not keys:
        return found
    by_key = {one.key: one for one in found}
    for key in keys:
        if key not in by_key:
            raise await _unknown(store, key, list(by_key))
    return [by_key[key] for key in dict.fromkeys(keys)]


async def _unknown(store: Store, key: str, known: list[str]) -> VigieError:
    for one in await store.ledger.notices(states=[OutboxState.DELIVERED, OutboxState.DROPPED]):
        if one.row.notice.key == key:
            return VigieError(f"{key} was {one.state} already", "there is nothing left to do; see `vigie outbox list`")
    near = difflib.get_close_matches(key, known, 1)
    return VigieError(f"no unsent notice has the key {key!r}", f"did you mean {near[0]!r}?" if near else "see `vigie outbox list`")


async def retry(settings: Desired, clock: Clock, notices: Sequence[Listed]) -> list[Listed]:
    """Have these notices tried at once, and those that wait before them in their threads; what became of them within 20 seconds.

    A Vigie that is running sends them; without one they are sent here. Raises VigieError.
    """
    keys = [one.key for one in notices]
    try:
        async with at_work(settings, clock) as duty:
            await _send(settings, clock, keys, duty)
    except AlreadyRunning:
        return await _watch(settings, clock, notices)
    store = open_store(settings, clock)
    try:
        return await _now(store, keys)
    finally:
        await store.close()


async def _send(settings: Desired, clock: Clock, keys: Sequence[str], duty: Duty) -> None:
    """Without a Vigie that is running."""
    runtime = Runtime(settings, clock, hold_ms=0, threads=False, duty=duty)
    try:
        await runtime.start()
        await apply_commands(runtime.store.inbox, runtime.ingest)
        await runtime.store.ledger.retry(await _with_earlier(runtime.store, keys), clock.now())
        await runtime.outbox.drain(clock.now() + _PATIENCE_MS)
    finally:
        await runtime.close()


async def _watch(settings: Desired, clock: Clock, before: Sequence[Listed]) -> list[Listed]:
    """Leave them to the Vigie that is running, which looks for due notices every five seconds, and see what becomes of them."""
    keys, until = [one.key for one in before], clock.now() + _PATIENCE_MS
    store = open_store(settings, clock)
    try:
        asked_at = clock.now()
        await store.ledger.retry(await _with_earlier(store, keys), asked_at)
        while True:
            found = await _now(store, keys)
            if all(_settled(one, asked_at) for one in found) or clock.now() > until:
                return found
            await clock.sleep(_LOOK_SECONDS)
    finally:
        await store.close()


def _settled(one: Listed, since: int) -> bool:
    """Whether it was tried since, or need not be any more."""
    return one.notice.state not in UNSENT or (one.last is not None and one.last.at >= since)


async def _now(store: Store, keys: Sequence[str]) -> list[Listed]:
    found = {one.key: one for one in await listed(store, list(OutboxState))}
    return [found[key] for key in keys if key in found]


async def _with_earlier(store: Store, keys: Sequence[str]) -> list[str]:
    """These, and what waits before them for the same alert and channel, without which they would wait on."""
    return with_earlier([one.row.notice for one in await store.ledger.notices(states=UNSENT)], keys)


def with_earlier(waiting: Sequence[Notice], keys: Sequence[str]) -> list[str]:
    """The same, of the unsent notices in their order."""
    wanted, found = set(keys), list[str]()
    for place, one in enumerate(waiting):
        later = (other for other in waiting[place:] if (other.alert, other.channel) == (one.alert, one.channel))
        if one.key in wanted or any(other.key in wanted for other in later):
            found.append(one.key)
    return found


async def drop(settings: Desired, clock: Clock, notices: Sequence[Listed], by: str) -> list[Listed]:
    """Give these notices up for good; those that were dropped. One that is being sent at this moment may still arrive."""
    store = open_store(settings, clock)
    try:
        await store.ledger.drop([one.key for one in notices], by, clock.now())
        return [one for one in await _now(store, [one.key for one in notices]) if one.notice.state is OutboxState.DROPPED]
    finally:
        await store.close()
