"""What people define by a page or the API, beside the file: monitors, status pages. It is the same model as the configuration file's."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from vigie.errors import Fault


class DefinitionKind(StrEnum):
    """Of which part of the configuration it is."""

    MONITOR = "monitor"
    STATUS_PAGE = "status_page"


@dataclass(frozen=True, slots=True)
class Definition:
    """One entry as it would be written in the file. `where` is `vigie.yaml:42` for one of the file, which is read-only; else empty.

    `name` is how people call it; `body` holds plain JSON values, secrets masked; `version` is the ETag. `faults` say why it is not in
    force: it was made by page or API, and this version, or the file as it is now, does not take it.
    """

    kind: DefinitionKind
    id: str
    name: str
    body: Mapping[str, Any]
    where: str = ""
    version: str = ""
    changed_by: str = ""
    changed_at: int | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def enabled(self) -> bool:
        """Whether it is to be in force."""
        return self.body.get("enabled") is not False


class SaveResult(StrEnum):
    """What came of saving or deleting."""

    DONE = "done"
    INVALID = "invalid"  # the faults say why
    READ_ONLY = "read_only"  # it is in the file
    CONFLICT = "conflict"  # somebody changed it meanwhile, or the name is taken
    UNKNOWN = "unknown"  # there is no such definition


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of it, and the definition as it is now in force."""

    result: SaveResult
    definition: Definition | None = None
    faults: tuple[Fault, ...] = ()


class DefinitionCommands(Protocol):
    """Every method raises StoreError."""

    async def definitions(self, kind: DefinitionKind) -> tuple[Definition, ...]:
        """All of them, those of the file first, in its order."""

    async def definition(self, kind: DefinitionKind, key: str) -> Definition | None:
        """One of them."""

    async def validate(self, kind: DefinitionKind, body: Mapping[str, Any], key: str | None = None) -> tuple[Fault, ...]:
        """What would be wrong with it, in place of the one with this id (`key`); nothing is kept."""

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
        """Add it, or replace the one with this id (`key`), which must still have this `version` where one is given.

        It is in force on return.

        What is not `trusted` (made by somebody who is not an admin) may not probe internal addresses.
        """

    async def delete(self, kind: DefinitionKind, key: str, *, version: str | None = None) -> Saved:
        """Remove it; its history stays."""
