"""Adapters by name: a file's (or package's) name is its kind; outsiders come in through entry points `vigie.<port>`.

What is installed is looked through once in the life of a process: that takes milliseconds, and every monitor asks for its kind.
"""

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, Any

from vigie.errors import MissingExtra, VigieError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

PORTS = ("probes", "collectors", "llms", "notifiers", "stores", "buses")


def kinds(port: str) -> list[str]:
    """The kinds of a port that are installed; nothing is imported but the package that holds them."""
    return sorted(_own(port) | _outside(port).keys())


@cache
def load(port: str, kind: str) -> Any:
    """The module of a kind, imported on first use; ours goes before an outsider of the same name.

    Raises VigieError that names the nearest kind, MissingExtra for a missing dependency.
    """
    try:
        if kind in _own(port):
            return importlib.import_module(f"vigie.{port}.{kind}")
        if kind in _outside(port):
            return _outside(port)[kind].load()
    except ModuleNotFoundError as error:
        raise MissingExtra(f"{kind} needs the package {error.name}", f"pip install {error.name}") from error
    import difflib  # only a mistake needs it

    known = kinds(port)
    near = difflib.get_close_matches(kind, known, 1)
    raise VigieError(f"{kind!r} is no kind of {port}", f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}")


@cache
def _own(port: str) -> frozenset[str]:
    package = importlib.import_module(f"vigie.{port}")
    return frozenset(module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_"))


@cache
def _outside(port: str) -> "dict[str, EntryPoint]":
    from importlib.metadata import entry_points  # 1 MB, and a prober without outsiders never needs it

    return {entry.name: entry for entry in entry_points(group=f"vigie.{port}")}
