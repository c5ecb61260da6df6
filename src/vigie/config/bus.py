"""The key `bus`: its address, read by the adapter that its scheme names."""

from pathlib import Path as FilePath

from vigie import plugins
from vigie.buses import UNADDRESSED, kind_of
from vigie.config.assemble import module
from vigie.config.desired import BusSettings
from vigie.config.tree import Tree


def bus(tree: Tree, address: str | None, base: FilePath) -> BusSettings | None:
    """The bus that an address names; None without one, or after noting what is wrong with it."""
    if address is None:
        return None
    kind, path = kind_of(address), ("bus",)
    known = [one for one in plugins.kinds("buses") if one not in UNADDRESSED]
    if kind not in known:
        tree.fault(path, f"no bus is called {kind!r}", f"write nats://host:4222; installed: {', '.join(known)}")
        return None
    adapter = module(tree, "buses", kind, path)
    try:
        return None if adapter is None else BusSettings(kind, adapter.Config.of(address, base))
    except ValueError as error:  # msgspec's own among them
        tree.fault(path, str(error))
        return None
