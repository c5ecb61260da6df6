"""What monitors depend on: names of other monitors in the file, as ids."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from vigie.config.desired import DesiredMonitor
from vigie.config.tree import Path, Tree


def resolved(tree: Tree, found: Mapping[str, DesiredMonitor], paths: Mapping[str, Path]) -> tuple[DesiredMonitor, ...]:
    """The monitors with the ids of what they depend on; names that mean none or several, and circles, are noted."""
    names: dict[str, list[str]] = {}
    for one in found.values():
        names.setdefault(one.monitor.name, []).append(one.monitor.id)
    known = {name: tuple(ids) for name, ids in names.items()} | {name: (name,) for name in found}
    parents = {name: _parents(tree, one, known, (*paths[name], "depends_on")) for name, one in found.items()}
    for name in found:
        if (circle := _circle(name, parents)) and name == _blamed(circle, paths, tree):
            shown = " → ".join((*circle, circle[0]))
            tree.fault((*paths[name], "depends_on"), f"monitors depend on each other in a circle: {shown}", "leave one of them out")
    return tuple(replace(one, monitor=replace(one.monitor, depends_on=parents[name])) for name, one in found.items())


def _blamed(circle: Sequence[str], paths: Mapping[str, Path], tree: Tree) -> str:
    """One of a circle: what was made by a page or the API rather than what is in the file, which would keep everything from starting."""
    return min(circle, key=lambda name: (paths[name] not in tree.made, name))


def _parents(tree: Tree, one: DesiredMonitor, known: Mapping[str, tuple[str, ...]], path: Path) -> tuple[str, ...]:
    ids: dict[str, None] = {}
    for index, name in enumerate(one.monitor.depends_on):
        meant = known.get(name, ())
        if not meant and name in tree.absent:
            continue
        if not meant:
            near = difflib.get_close_matches(name, known, 1)
            fix = f"did you mean {near[0]!r}?" if near else "write the name or the id of a monitor that is enabled"
            tree.fault((*path, index), f"there is no monitor {name!r}", fix)
        elif len(meant) > 1:
            tree.fault((*path, index), f"{len(meant)} monitors are called {name!r}", f"write an id: {', '.join(meant)}")
        elif meant[0] == one.monitor.id:
            tree.fault((*path, index), "a monitor cannot depend on itself", "leave it out")
        else:
            ids[meant[0]] = None
    return tuple(ids)


def _circle(start: str, parents: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The shortest way from a monitor back to itself, or nothing."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while ways:
        way = ways.pop(0)
        for parent in parents[way[-1]]:
            if parent == start:
                return way
            if parent not in seen:
                seen.add(parent)
                ways.append((*way, parent))
    return ()
