"""Adapters by name: a file's (or package's) name is its kind; outsiders come in through entry points `vigie.<port>`."""

import difflib
import importlib
import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from vigie.errors import MissingExtra, VigieError

PORTS = ("probes", "collectors", "llms", "notifiers", "stores", "buses")


@cache
def _outside(port: str) -> dict[str, EntryPoint]:
    """Adapters of other packages; asked for once, because it reads the records of every installed package (3 ms)."""
    return {entry.name: entry for entry in entry_points(group=f"vigie.{port}")}


def kinds(port: str) -> list[str]:
    """The kinds of a port that are installed; nothing is imported but the package that holds them."""
    package = importlib.import_module(f"vigie.{port}")
    own = {module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_")}
    return sorted(own | _outside(port).keys())


def load(port: str, kind: str) -> Any:
    """The module of a kind, imported on first use. Raises VigieError that names the nearest kind, MissingExtra for a missing dependency."""
    known = kinds(port)
    if kind not in known:
        near = difflib.get_close_matches(kind, known, 1)
        raise VigieError(f"{kind!r} is no kind of {port}", f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}")
    outside = _outside(port)
    try:
        return outside[kind].load() if kind in outside else importlib.import_module(f"vigie.{port}.{kind}")
    except ModuleNotFoundError as error:
        raise MissingExtra(f"{kind} needs the package {error.name}", f"pip install {error.name}") from error
