"""The bus of a fleet: NATS JetStream, 2.10 or later. docs/nats.md says how it is set up; docs/decisions/0074 why it is as it is."""

from typing import TYPE_CHECKING

from vigie.buses import BusDeps
from vigie.net.nats.address import Config
from vigie.ports import Traits

if TYPE_CHECKING:
    from vigie.buses.nats.bus import NatsBus

__all__ = ["TRAITS", "Config", "build"]

TRAITS = Traits(requires=("nats",))


def build(config: Config, deps: BusDeps) -> "NatsBus":
    """The bus; nothing is contacted yet."""
    from vigie.buses.nats.bus import NatsBus  # whoever reads the configuration needs no client

    return NatsBus(config, deps)
