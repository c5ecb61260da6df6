"""What people define by a page or the API, beside the file: saved, validated and put into force as one, by the same code as the file's."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec

from vigie.commands.definitions import Definition, DefinitionKind, Saved, SaveResult
from vigie.config import Desired
from vigie.config.definitions import is_taken, version_of
from vigie.config.desired import Entry
from vigie.config.masked import hosts_in, restored
from vigie.engine.reconcile import Prepared
from vigie.engine.trouble import Trouble
from vigie.errors import ConfigError, Fault
from vigie.ports import Catalog, Clock, Commit, StoredDefinition

log = logging.getLogger("vigie.fleet")

Put = Callable[[Callable[[], Awaitable[Desired]]], Awaitable[None]]
Made = dict[tuple[str, str], tuple[int, int]]  # version and time, by kind and id
_LOOK_SECONDS, _REST = 1.0, 10.0  # between two looks, and at least so many times what one took
_MAX_BODY = 256 * 1024  # a script of a browser is a few kilobytes
_OTHER_ID = Fault("the id never changes: the history is kept by it", "leave it as it is, or make a new one", "id")


class _RefusedError(Exception):
    """Nothing is saved; `saved` says why."""

    def __init__(self, saved: Saved) -> None:
        super().__init__(saved.result)
        self.saved = saved


class Definitions:
    """The DefinitionCommands port. `edit` reads the configuration anew with these definitions, `put` puts it into force."""

    def __init__(
        self, settings: Callable[[], Desired], edit: Callable[[Sequence[StoredDefinition]], Desired], put: Put, clock: Clock
    ) -> None:
        self._settings, self._edit, self._put, self._clock = settings, edit, put, clock
        self._writing = Commit()
        self._trying = asyncio.Lock()  # one validation at a time: each reads the whole configuration

    @asynccontextmanager
    async def follow(self, desired: Desired) -> AsyncIterator[Prepared]:  # noqa: ARG002 - a part is given the configuration
        """What is saved is written by the very commit that puts it into force."""
        yield Prepared(self._writing)

    async def follow_others(self, catalog: Catalog, ask: Callable[[], None]) -> None:
        """For ever: what another server saved is to be in force here, too; `ask` has the configuration read anew."""
        asked: Made | None = None
        trouble = Trouble(log, "definitions cannot be read")
        while True:
            began = self._clock.monotonic()
            with trouble.noted():
                made = {(one.kind, one.id): (one.version, one.at) for one in await catalog.definitions()}
                ours = {(one.kind, one.id): (one.version, one.at) for one in self._stored()}
                if made not in (ours, asked) and not self._trying.locked():
                    log.info("another server saved definitions; the configuration is read anew")
                    asked = made
                    ask()
            await self._clock.sleep(max(_LOOK_SECONDS, _REST * (self._clock.monotonic() - began)))

    async def definitions(self, kind: DefinitionKind) -> tuple[Definition, ...]:
        """All of them, those of the file first."""
        return tuple(_definition(one) for one in self._settings().entries if one.kind == kind)

    async def definition(self, kind: DefinitionKind, key: str) -> Definition | None:
        """One of them."""
        found = self._entry(kind, key)
        return None if found is None else _definition(found)

    async def validate(self, kind: DefinitionKind, body: Mapping[str, Any], key: str | None = None) -> tuple[Fault, ...]:
        """What would be wrong with it."""
        async with self._trying:
            try:
                fresh = self._fresh(kind, body, "somebody", key, None, trusted=False)
                await self._tried(fresh)
            except _RefusedError as refused:
                return refused.saved.faults or (Fault(f"it cannot be saved: {refused.saved.result.replace('_', ' ')}"),)
        return ()

    async def save(
        self,
        kind: DefinitionKind,
        body: Mapping[str, Any],
        by: str,
        *,
        key: str | None = None,
        version: str | None = None,
        trusted: bool = False,
    ) -> Saved:
        """Add it, or replace the one with this id."""
        kept: list[StoredDefinition] = []

        async def read() -> Desired:
            desired, stored = await self._tried(self._fresh(kind, body, by, key, version, trusted=trusted))
            kept.append(stored)
            self._writing = Commit(definitions=(stored,))
            return desired

        refused = await self._putting(read)
        return refused or Saved(SaveResult.DONE, await self.definition(kind, kept[0].id))

    async def delete(self, kind: DefinitionKind, key: str, *, version: str | None = None) -> Saved:
        """Remove it; its history stays."""

        async def read() -> Desired:
            gone = self._own(kind, key, version)
            desired = await self._with([one for one in self._stored() if one is not gone])
            self._writing = Commit(undefined=((gone.kind, gone.id),))
            return desired

        return await self._putting(read) or Saved(SaveResult.DONE)

    async def _putting(self, read: Callable[[], Awaitable[Desired]]) -> Saved | None:
        """None once it is in force, else why not. Raises StoreError."""

        async def reading() -> Desired:
            self._writing = Commit()
            return await read()

        try:
            await self._put(reading)
        except _RefusedError as refused:
            return refused.saved
        finally:
            self._writing = Commit()
        return None

    def _stored(self) -> list[StoredDefinition]:
        return [one.stored for one in self._settings().entries if one.stored is not None]

    def _entry(self, kind: DefinitionKind, key: str) -> Entry | None:
        """The one with this id; of a clash, what the file has."""
        return next((one for one in self._settings().entries if (one.kind, one.id) == (kind, key)), None)

    def _own(self, kind: DefinitionKind, key: str, version: str | None) -> StoredDefinition:
        """What is to be changed, if it may be."""
        same = [one for one in self._settings().entries if (one.kind, one.id) == (kind, key)]
        found = next((one for one in same if one.stored is not None), same[0] if same else None)
        if found is None:
            raise _RefusedError(Saved(SaveResult.UNKNOWN))
        if found.stored is None:
            raise _RefusedError(Saved(SaveResult.READ_ONLY, _definition(found)))
        if version is not None and version != version_of(found):
            raise _RefusedError(Saved(SaveResult.CONFLICT, _definition(found)))
        return found.stored

    def _fresh(
        self, kind: DefinitionKind, body: Mapping[str, Any], by: str, key: str | None, version: str | None, *, trusted: bool
    ) -> StoredDefinition:
        """What would be stored, in place of what `key` names. An id that is not known yet is empty."""
        now, values = self._clock.now(), dict(body)
        if key is None:
            before = StoredDefinition(kind, "", "{}", 0, by, now)
        else:
            before = self._own(kind, key, version)
            shown = next(one.body for one in self._settings().entries if one.stored is before)
            old = json.loads(before.body)
            if trusted or hosts_in(values) <= hosts_in(old):  # else a secret would be sent where whoever changed the address reads it
                values = restored(values, old, msgspec.json.decode(shown))
            values.setdefault("id", key)
            if values["id"] != key:
                raise _RefusedError(Saved(SaveResult.INVALID, faults=(_OTHER_ID,)))
        text = json.dumps(values, ensure_ascii=False)
        if len(text) > _MAX_BODY:
            raise _RefusedError(Saved(SaveResult.INVALID, faults=(Fault("it is too long", f"at most {_MAX_BODY // 1024} KiB"),)))
        return StoredDefinition(kind, before.id, text, before.version + 1, by, max(now, before.at + 1), trusted)

    async def _tried(self, fresh: StoredDefinition) -> tuple[Desired, StoredDefinition]:
        """The configuration with it, and what is to be stored of it."""
        stored = self._stored()
        if fresh.id:
            stored = [fresh if (one.kind, one.id) == (fresh.kind, fresh.id) else one for one in stored]
        else:
            stored.append(fresh)
        desired = await self._with(stored, fresh)
        of_kind = [one.stored for one in desired.entries if one.stored is not None and one.kind == fresh.kind]
        return desired, next(one for one in reversed(of_kind) if fresh.id in (one.id, ""))  # what is new comes last

    async def _with(self, stored: Sequence[StoredDefinition], fresh: StoredDefinition | None = None) -> Desired:
        """The configuration with these definitions. Whoever is the worse for a change keeps it from being made."""
        try:
            desired = await asyncio.to_thread(self._edit, tuple(stored))
        except ConfigError as error:
            raise _RefusedError(Saved(SaveResult.INVALID, faults=tuple(error.faults))) from error
        known = {(one.kind, one.id) for one in self._settings().entries if one.faults}
        broken = [one for one in desired.entries if one.faults]
        own = [one for one in broken if fresh is not None and (one.kind, one.id) == (fresh.kind, fresh.id)]
        others = [one for one in broken if (one.kind, one.id) not in known]
        if own:
            faults = tuple(replace(fault, file="") for fault in own[0].faults)
            raise _RefusedError(Saved(SaveResult.CONFLICT if is_taken(faults) else SaveResult.INVALID, faults=faults))
        if others:
            raise _RefusedError(Saved(SaveResult.INVALID, faults=tuple(fault for one in others for fault in one.faults)))
        return desired


def _definition(entry: Entry) -> Definition:
    stored = entry.stored
    where = "" if stored is not None else f"{entry.file}:{entry.line}" if entry.line else entry.file
    body: dict[str, Any] = msgspec.json.decode(entry.body)
    if stored is None:
        return Definition(DefinitionKind(entry.kind), entry.id, entry.name, body, where, version_of(entry))
    return Definition(DefinitionKind(entry.kind), entry.id, entry.name, body, "", version_of(entry), stored.by, stored.at, entry.faults)
