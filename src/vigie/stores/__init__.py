"""Where state is kept: one package or file per kind of database.

Each has a `Config` (StoreConfig), `build(config, deps)`, and `definitions(config)`: what a page or the API made, for whoever reads the
configuration.
`store:` names one by its address: the scheme of a URL is the kind (`sqlite:///vigie.db`), a plain path means `EMBEDDED`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from vigie.ports import Clock

EMBEDDED = "sqlite"
_ALSO = {"postgres": "postgresql"}  # as libpq takes it
_URL = re.compile(r"([a-z][a-z0-9]+)(?:\+[a-z0-9]+)?://")


@dataclass(frozen=True, slots=True)
class StoreDeps:
    """What a store is given. `threads=False` may have it work in the caller's thread: for short-lived programs, not for `serve`.

    `prompt` is for leases: a call is answered, or fails, within a few seconds, and the next one begins anew.
    """

    clock: Clock
    threads: bool = True
    prompt: bool = False


class StoreConfig(Protocol):
    """What every store's `Config` can tell."""

    @classmethod
    def of(cls, address: str, base: Path) -> Self:
        """From a path or URL; relative paths start at `base`. Raises ValueError."""

    @property
    def file(self) -> Path | None:
        """The file of a store on this machine; None for a server."""

    @property
    def shown(self) -> str:
        """As people read it, without secrets."""


def kind_of(address: str) -> str:
    """The kind of store that a path or URL asks for."""
    found = _URL.match(address.lower())
    return EMBEDDED if found is None else _ALSO.get(found[1], found[1])
