"""Adapters by name: a file's (or package's) name is its kind; outsiders come in through entry points `vigie.<port>`.

An adapter that needs more than Vigie brings along names the modules in `REQUIRES` and imports them where they are used, so that it can be
described without them. Its packages stand in the extra of its own name: `pip install 'vigie[dns]'`.
"""

import difflib
import importlib
import importlib.util
import pkgutil
from importlib.metadata import entry_points
from typing import Any

from vigie.errors import MissingExtra, VigieError

PORTS = ("probes", "collectors", "llms", "notifiers", "stores", "buses")


def kinds(port: str) -> list[str]:
    """The kinds of a port that are installed; nothing is imported but the package that holds them."""
    package = importlib.import_module(f"vigie.{port}")
    own = {module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_")}
    return sorted(own | {entry.name for entry in entry_points(group=f"vigie.{port}")})


def load(port: str, kind: str, *, complete: bool = True) -> Any:
    """The module of a kind, imported on first use.

    Raises VigieError that names the nearest kind, and MissingExtra for a missing dependency: unless `complete`, only where the module
    cannot even be described without it.
    """
    known = kinds(port)
    if kind not in known:
        near = difflib.get_close_matches(kind, known, 1)
        raise VigieError(f"{kind!r} is no kind of {port}", f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}")
    outside = {entry.name: entry for entry in entry_points(group=f"vigie.{port}")}.get(kind)
    try:
        module = outside.load() if outside else importlib.import_module(f"vigie.{port}.{kind}")
    except ModuleNotFoundError as error:
        name = error.name or ""
        if name.partition(".")[0] == "vigie":
            raise  # a slip of the module's own
        raise _missing(kind, name, outside=outside is not None) from error
    for name in getattr(module, "REQUIRES", ()) if complete else ():
        if not _is_there(name):
            raise _missing(kind, name, outside=outside is not None)
    return module


def _missing(kind: str, module: str, *, outside: bool) -> MissingExtra:
    """Our own kinds each have an extra of their name; of an outsider nothing is known but the module."""
    return MissingExtra(kind, module, module.partition(".")[0] if outside else f"'vigie[{kind}]'")


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


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ModuleNotFoundError, ValueError):  # a parent package is missing; a module without a specification
        return False
