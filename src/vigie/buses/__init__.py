"""How batches of results travel from those who probe to ingest.

`bus:` names one by its address, whose scheme is the kind. Such a file or package has a `Config` (BusConfig) and `build(config, deps)`,
which gives a `FleetBus`. Without it there are two that need no address: `local` within a process, `process` to the prober's own.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from vigie.ports import Clock

UNADDRESSED = frozenset({"local", "process"})
_ALSO = {"tls": "nats"}


@dataclass(frozen=True, slots=True)
class BusDeps:
    """What a bus is given. `name` is what its administrator sees of this server."""

    clock: Clock
    name: str = "vigie"


class BusConfig(Protocol):
    """What the `Config` of every bus with an address can tell."""

    @classmethod
    def of(cls, address: str, base: Path) -> Self:
        """From its address; relative paths start at `base`. Raises ValueError."""

    @property
    def shown(self) -> str:
        """As people read it, without secrets."""


def kind_of(address: str) -> str:
    """The kind of bus that an address asks for: its scheme, or another that the same package serves."""
    scheme = address.partition("://")[0].lower()
    return _ALSO.get(scheme, scheme)
