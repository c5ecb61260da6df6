"""The locations that a configuration names, held against those that there are: of this process, other servers, and enrolled agents."""

import difflib

from vigie.config import Desired
from vigie.errors import Fault, StoreError
from vigie.ports import Store


async def unknown_locations(settings: Desired, store: Store) -> list[Fault]:
    """A warning for each location that monitors name and nobody checks from. They work; a location may be named before its agent comes."""
    named: dict[str, list[str]] = {}
    for one in settings.monitors:
        for location in one.monitor.locations:
            named.setdefault(location, []).append(one.monitor.name)
    if not named:
        return []
    try:
        elsewhere = {one.location for one in await store.fleet.agents()} | {one.location for one in await store.fleet.servers()}
    except StoreError:
        return []
    known = sorted({settings.location, *elsewhere} - {""})
    return [_fault(name, whom, known) for name, whom in named.items() if name not in known]


def _fault(name: str, whom: list[str], known: list[str]) -> Fault:
    more = f" and {len(whom) - 1} more" if len(whom) > 1 else ""
    near = difflib.get_close_matches(name, known, 1)
    fix = f"did you mean {near[0]!r}?" if near else f"enroll one: vigie agent enroll NAME --location {name}"
    words = f"no agent is enrolled at the location {name!r}, from which {whom[0]!r}{more} should be checked"
    return Fault(words, fix, "monitors.locations")
