"""Adapters by name: a file's (or package's) name is its kind; third-party ones are entry points of the group `vigie.<port>`.

`kit` is not a kind: it holds what the adapters of a port share.

An adapter that needs more than Vigie brings along names the modules in its `TRAITS` and imports them where they are used, so that it can be
described without them. Its packages are in the extra of its own name: `pip install 'vigie[dns]'`.
The installed packages are searched once per process: that takes milliseconds, and every monitor asks for its kind.
"""

import importlib
import importlib.util
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, Any

from vigie.errors import MissingExtra, VigieError
from vigie.ports import Traits

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_NAMES = {
    "probes": "type of check",
    "notifiers": "type of channel",
    "llms": "model provider",
    "stores": "type of store",
    "buses": "type of bus",
    "uplinks": "way to the servers",
}
KIT = "kit"
_DEFAULT = Traits()
PORTS = ("probes", "collectors", "llms", "notifiers", "stores", "buses", "uplinks")


def kinds(port: str) -> list[str]:
    """The kinds of a port that are installed; nothing is imported but the package that holds them."""
    return sorted(_own(port) | _outside(port).keys())


def load(port: str, kind: str, *, complete: bool = True) -> Any:
    """The module of a kind, imported on first use; one of ours takes precedence over a third-party one of the same name.

    Raises VigieError that names the nearest kind, and MissingExtra for a missing dependency: unless `complete`, only where the module
    cannot even be described without it.
    """
    ours = kind in _own(port)
    if not ours and kind not in _outside(port):
        raise _unknown(port, kind)
    try:
        module = importlib.import_module(f"vigie.{port}.{kind}") if ours else _outside(port)[kind].load()
    except ModuleNotFoundError as error:
        name = error.name or ""
        if name.partition(".")[0] == "vigie":
            raise  # a bug of the module's own
        raise _missing(kind, name, ours=ours) from error
    for name in traits_of(module).requires if complete else ():
        if not _is_there(name):
            raise _missing(kind, name, ours=ours)
    return module


def preload(port: str, kind: str) -> None:
    """Have what a kind imports and reads on first use here already, if its module has a `preload`: later, a descriptor may be missing."""
    if (ready := getattr(load(port, kind), "preload", None)) is not None:
        ready()


def traits(kind: str) -> Traits:
    """What the engine must know of a kind of check. Raises VigieError for one that is not installed."""
    return traits_of(load("probes", kind, complete=False))


def traits_of(module: Any) -> Traits:
    """The same, of the module of a kind."""
    found: Traits = getattr(module, "TRAITS", _DEFAULT)
    return found


@cache
def _own(port: str) -> frozenset[str]:
    package = importlib.import_module(f"vigie.{port}")
    return frozenset(module.name for module in pkgutil.iter_modules(package.__path__) if module.name != KIT and module.name[0] != "_")


@cache
def _outside(port: str) -> "dict[str, EntryPoint]":
    from importlib.metadata import entry_points  # 1 MB, and a prober without third-party kinds never needs it

    return {entry.name: entry for entry in entry_points(group=f"vigie.{port}")}


def _unknown(port: str, kind: str) -> VigieError:
    import difflib  # only needed for a mistake

    known = kinds(port)
    near = difflib.get_close_matches(kind, known, 1)
    return VigieError(f"unknown {_NAMES.get(port, port)} {kind!r}", f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}")


def _missing(kind: str, module: str, *, ours: bool) -> MissingExtra:
    """Our own kinds each have an extra of their name; of a third-party one only the missing module is known."""
    return MissingExtra(kind, module, f"'vigie[{kind}]'" if ours else module.partition(".")[0])


def of_scheme(scheme: str) -> str | None:
    """The kind of check that a URL's scheme asks for: the kind of that name, else the one whose `Config.schemes` holds it."""
    known = kinds("probes")
    if scheme in known:
        return scheme
    return next((kind for kind in known if scheme in _schemes(kind)), None)


def _schemes(kind: str) -> Any:
    try:
        return getattr(load("probes", kind, complete=False).Config, "schemes", ())
    except VigieError:
        return ()


@cache
def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ModuleNotFoundError, ValueError):  # a parent package is missing; a module without a specification
        return False
