"""Contracts on imports that import-linter has no kind for; the tables are in pyproject.toml, under `[tool.vigie.contracts]`.

packages    each layer has an allow-list of third-party packages; an entry that nothing uses is a fault too
siblings    the members of a package are independent of each other; they share what is listed, and nothing else
adapters    only the composition root names an adapter; everybody else gets one handed in, or asks `plugins` for a kind by its name, which
            is why nobody but `plugins` (and the list of commands) may put the name of a module together
pure        the pure packages import allowed modules of the standard library only, and call no clock, randomness, file or environment
"""

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import purity
from tools.source import PACKAGE, ROOT, Import, Module, computed_imports, imports, modules


@dataclass(frozen=True, slots=True)
class Rules:
    """The tables of pyproject.toml. Names of modules are relative to the package."""

    packages: dict[str, list[str]]
    siblings: dict[str, list[str]]
    ports: list[str]
    composition: list[str]
    by_name: list[str]
    pure: purity.Rules
    exceptions: list[str] = field(default_factory=list)  # "importer -> imported", each with its reason beside it in pyproject.toml


def rules(pyproject: Path) -> Rules:
    """Read the tables."""
    table: dict[str, Any] = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["vigie"]["contracts"]
    return Rules(**{**table, "pure": purity.Rules(**table["pure"])})


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken contract: its name, where, and what was done there. `edge` is set for an import, so that an exception can name it."""

    contract: str
    place: str
    words: str
    edge: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.words} [{self.contract}]"


@dataclass(frozen=True, slots=True)
class Edge:
    """One module imports another."""

    module: Module
    to: Import

    def fault(self, contract: str, words: str) -> Fault:
        """What is said of this import where it breaks a contract."""
        importer = f"{PACKAGE}.{self.module.name}".rstrip(".")
        return Fault(
            contract,
            f"{self.module.path}:{self.to.line}",
            f"{importer} imports {self.to.target}: {words}",
            f"{importer} -> {self.to.target}",
        )


def check(root: Path, table: Rules) -> list[str]:
    """Everything that is wrong with the package in the folder `root`."""
    found = modules(root)
    known = frozenset(module.name for module in found)
    edges = [Edge(module, one) for module in found for one in imports(module, known)]
    faults = [*_packages(edges, found, table), *_siblings(edges, table), *_adapters(edges, table)]
    for module in found:
        if module.layer not in table.by_name:
            words = f"only {' and '.join(table.by_name)} may import a module by a name that is put together"
            faults += [Fault("adapters", f"{module.path}:{line}", words) for line in computed_imports(module)]
        if module.layer in table.pure.packages:
            faults += [Fault("pure", f"{module.path}:{line}", words) for line, words in purity.faults(module, known, table.pure)]
    used = {fault.edge for fault in faults}
    left = [str(fault) for fault in faults if fault.edge not in table.exceptions]
    return [
        *dict.fromkeys(left),
        *(f"pyproject.toml: the exception {one!r} is no longer needed" for one in table.exceptions if one not in used),
    ]


def _packages(edges: list[Edge], found: list[Module], table: Rules) -> Iterator[Fault]:
    """The longest name that fits a module adds to those above it: `probes.http` may have more than `probes`."""
    layers = {module.layer for module in found} - {"", "__main__"}
    for layer in sorted(layers - table.packages.keys()):
        yield Fault("packages", "pyproject.toml", f"{layer} has no list of third-party packages")
    used = set()
    for edge in edges:
        if not edge.to.third_party:
            continue
        allowed = [place for place, names in table.packages.items() if _within(edge.module.name, place) and edge.to.top in names]
        used |= {(place, edge.to.top) for place in allowed}
        if not allowed:
            yield edge.fault("packages", f"{edge.to.top} is not on the list of {edge.module.layer or PACKAGE}")
    for place, names in table.packages.items():
        for name in names:
            if (place, name) not in used:
                yield Fault("packages", "pyproject.toml", f"{place} is allowed {name} and does not import it")


def _siblings(edges: list[Edge], table: Rules) -> Iterator[Fault]:
    for edge in edges:
        for package, shared in table.siblings.items():
            mine, theirs = _member(edge.module.name, package), _member(edge.to.inner, package)
            if theirs and mine is not None and theirs not in (mine, *shared):
                yield edge.fault("siblings", f"the members of {PACKAGE}.{package} share only {', '.join(shared) or 'the package itself'}")


def _adapters(edges: list[Edge], table: Rules) -> Iterator[Fault]:
    for edge in edges:
        for port in table.ports:
            kind = _member(edge.to.inner, port)
            if kind and kind != "kit" and edge.module.layer != port and edge.module.layer not in table.composition:
                yield edge.fault("adapters", f"only the composition root ({', '.join(table.composition)}) names an adapter")


def _within(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}.")


def _member(name: str | None, package: str) -> str | None:
    """The member of a package that a module is or belongs to; empty for the package itself, None for one from elsewhere."""
    if name is None or not _within(name, package):
        return None
    return name.removeprefix(package).lstrip(".").partition(".")[0]


def main() -> int:
    """Print what is wrong; 1 when anything is."""
    found = check(ROOT / "src" / PACKAGE, rules(ROOT / "pyproject.toml"))
    print("\n".join(found).replace(f"{ROOT}/", "") or "contracts: packages, siblings, adapters and purity hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
