"""The embedded store: one SQLite file. scale.md says why; docs/decisions/0005 says how long what is kept."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self
from urllib.parse import unquote

import msgspec

from vigie.ports import Store, StoredDefinition
from vigie.stores import StoreDeps

if TYPE_CHECKING:
    from vigie.stores.kit.sql.tables import Tables

_SCHEME = "sqlite://"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the embedded store is kept."""

    path: Annotated[str, msgspec.Meta(description="Database file; its directory is created if missing.", examples=["vigie.db"])] = (
        "vigie.db"
    )

    @classmethod
    def of(cls, address: str, base: Path) -> Self:
        """From a path, or `sqlite:///path` as SQLAlchemy writes it: a fourth slash makes it absolute.

        A relative path starts at `base`. Raises ValueError.
        """
        path = address
        if address.lower().startswith(_SCHEME):
            host, slash, rest = address[len(_SCHEME) :].partition("/")
            if host or not slash or not rest or "?" in rest:
                raise ValueError("an SQLite store is a file on this machine: sqlite:///vigie.db, or sqlite:////var/lib/vigie/vigie.db")
            path = unquote(rest)
        if not path:
            raise ValueError("an SQLite store needs the name of a file")
        return cls(path=str(base / path))

    @property
    def file(self) -> Path:
        """The database."""
        return Path(self.path)

    @property
    def shown(self) -> str:
        """As people read it."""
        return self.path


def definitions(config: Config) -> Sequence[StoredDefinition]:
    """What a page or the API made, for whoever reads the configuration: nothing is made, migrated or locked. Raises StoreError."""
    from vigie.stores.sqlite.reading import read_file

    return read_file(config.file)


def copy(config: Config, target: Path, size: Callable[[int], None]) -> int:
    """A whole copy in a new file, while others work on it; the version of its schema. Raises StoreError."""
    from vigie.stores.sqlite import copying

    return copying.copy(config.file, target, size)


def examine(path: Path) -> int:
    """Whether a copy is whole and not of a newer program; the version of its schema. Raises StoreError."""
    from vigie.stores.sqlite import copying

    return copying.examine(path)


def tables(config: Config) -> "Tables":
    """The database as tables, for copying; made where there are none. Raises StoreError."""
    from vigie.stores.sqlite import copied

    return copied.tables(config.file)


def build(config: Config, deps: StoreDeps) -> Store:
    """Open the store, making or migrating it. Raises StoreError."""
    from vigie.stores.sqlite.store import SqliteStore  # whoever reads the configuration needs no database

    return SqliteStore(config.file, threads=deps.threads, monotonic=deps.clock.monotonic, now=deps.clock.now)
