"""The embedded store: one SQLite file. scale.md says why; docs/decisions/0005 says how long what is kept."""

from pathlib import Path
from typing import Annotated

import msgspec

from vigie.ports import Clock
from vigie.stores import StoreDeps
from vigie.stores.sqlite.ledger import SqliteStore

__all__ = ["Config", "SqliteStore", "build", "open_store"]


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the embedded store is kept."""

    path: Annotated[str, msgspec.Meta(description="The database's file; its folder is made when it is missing.", examples=["vigie.db"])] = (
        "vigie.db"
    )


def build(config: Config, deps: StoreDeps) -> SqliteStore:
    """Open the store, making or migrating it. Raises StoreError."""
    return open_store(Path(config.path), deps.clock, threads=deps.threads)


def open_store(path: Path, clock: Clock, *, threads: bool = True) -> SqliteStore:
    """Open the store at `path`, making or migrating it. Raises StoreError."""
    return SqliteStore(path, threads=threads, monotonic=clock.monotonic)
