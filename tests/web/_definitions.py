"""Definitions in memory that are validated by the configuration's own model: what pages are tried with where nothing runs."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from vigie.commands.definitions import Definition, DefinitionKind, Saved, SaveResult
from vigie.config import one_monitor
from vigie.config.assemble import slug
from vigie.errors import ConfigError, Fault


class MemoryDefinitions:
    """The DefinitionCommands port. `calls` are the arguments of what was saved."""

    def __init__(self, known: Iterable[Definition] = ()) -> None:
        self._known = {one.id: one for one in known}
        self._versions = itertools.count(1)
        self.calls: list[dict[str, Any]] = []

    async def definitions(self, kind: DefinitionKind) -> tuple[Definition, ...]:
        return tuple(one for one in self._known.values() if one.kind is kind)

    async def definition(self, kind: DefinitionKind, key: str) -> Definition | None:
        found = self._known.get(key)
        return found if found is not None and found.kind is kind else None

    async def validate(self, kind: DefinitionKind, body: Mapping[str, Any], key: str | None = None) -> tuple[Fault, ...]:
        try:
            one_monitor({name: value for name, value in body.items() if name != "alert"})
        except ConfigError as error:
            return tuple(error.faults)
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
        self.calls.append({"body": dict(body), "by": by, "key": key, "version": version, "trusted": trusted})
        if faults := await self.validate(kind, body, key):
            return Saved(SaveResult.INVALID, None, faults)
        known = self._known.get(key) if key else None
        if key and known is None:
            return Saved(SaveResult.UNKNOWN)
        if known is not None and known.where:
            return Saved(SaveResult.READ_ONLY, known)
        if known is not None and version is not None and version != known.version:
            return Saved(SaveResult.CONFLICT, known)
        name = str(body.get("name") or one_monitor(dict(body)).monitor.name)
        made = Definition(kind, key or slug(name) or "monitor", name, dict(body), "", str(next(self._versions)), by, 1_700_000_000_000)
        self._known[made.id] = made
        return Saved(SaveResult.DONE, made)

    async def delete(self, kind: DefinitionKind, key: str, *, version: str | None = None) -> Saved:
        known = self._known.get(key)
        if known is None:
            return Saved(SaveResult.UNKNOWN)
        if known.where:
            return Saved(SaveResult.READ_ONLY, known)
        return Saved(SaveResult.DONE, self._known.pop(key))


def in_file(key: str, body: Mapping[str, Any], where: str = "vigie.yaml:42") -> Definition:
    """One that the file has."""
    return replace(Definition(DefinitionKind.MONITOR, key, str(body.get("name") or key), dict(body)), where=where)
