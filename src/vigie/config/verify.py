"""What can be verified of an adapter on this machine, without its network: files that exist and parse, programs, rights.

A file is verified by the mark of its field (`vigie.net.AUTHORITIES`), anything else by the adapter's own `verify(config)`.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from vigie.config.convert import fields_of, struct_of
from vigie.config.tree import Path, Tree
from vigie.net import trust_fault
from vigie.ports import Problem

_FIX = "name a PEM file of certificates that the user Vigie runs as can read"


def verify(tree: Tree, module: Any, config: Any, path: Path) -> None:
    """Note what would keep an adapter from its work on this machine. Only where the tree was read to be verified."""
    if not tree.verifying:
        return
    own = getattr(module, "verify", None)
    for problem in (*_files(config, ()), *(own(config) if own is not None else ())):
        tree.problem((*path, *_keys(problem.key)), problem.message, problem.fix, certain=problem.certain)


def _keys(dotted: str) -> Path:
    return tuple(int(part) if part.isdigit() else part for part in dotted.split(".") if part)


def _files(config: Any, at: Path) -> Iterator[Problem]:
    """Every file that a field is marked to name, in structs within as well."""
    if isinstance(config, list | tuple):
        for index, one in enumerate(config):
            yield from _files(one, (*at, index))
    if not isinstance(config, msgspec.Struct):
        return
    for one in fields_of(type(config)):
        value, here = getattr(config, one.name), (*at, one.encode_name)
        if isinstance(value, str) and _is_authorities(one.type) and (why := trust_fault(value)) is not None:
            yield Problem(".".join(map(str, here)), f"the file of trusted authorities {value} cannot be used ({why})", _FIX)
        elif isinstance(value, list | tuple) or struct_of(one.type) is not None:
            yield from _files(value, here)


def _is_authorities(kind: Any) -> bool:
    metas = [one for one in getattr(kind, "__metadata__", ()) if isinstance(one, msgspec.Meta)]
    return any((one.extra or {}).get("file") == "authorities" for one in metas)
