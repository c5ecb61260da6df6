"""Pure: when each service fails, from a seed. Every outage, and every span between two, is longer than any fault takes."""

import random
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace

BEGIN_MS, END_MS = 6_000, 14_000  # everything is up for so long at the beginning, and at the end
_SHORTEST_MS, _LONGEST_MS = 20_000, 34_000


@dataclass(frozen=True, slots=True)
class Outage:
    """A service is down from `start` until before `end`, in milliseconds since the script began."""

    service: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Script:
    """What is down when."""

    duration: int
    outages: Mapping[str, tuple[Outage, ...]]

    @classmethod
    def of(cls, seed: int, services: int, duration: int) -> "Script":
        """A script of so many services, `s00` and on; the same for the same seed."""
        names = [f"s{number:02}" for number in range(services)]
        return cls(duration, {name: tuple(_outages(name, random.Random(f"{seed}:{name}"), duration)) for name in names})

    def is_down(self, service: str, at: int) -> bool:
        """Whether a service is down at an instant."""
        mine = self.outages[service]
        before = bisect_right([one.start for one in mine], at)
        return before > 0 and at < mine[before - 1].end

    def ended(self, at: int, least: int = 10_000) -> "Script":
        """This script, over early: nothing fails from `at` on, and what is down then is up again once it was down for `least` milliseconds."""
        kept = {
            name: tuple(replace(one, end=min(one.end, max(at, one.start + least))) for one in mine if one.start < at)
            for name, mine in self.outages.items()
        }
        return Script(max([at, *(one.end for mine in kept.values() for one in mine)]), kept)

    @property
    def every(self) -> list[Outage]:
        """All outages, by their beginning."""
        return sorted((one for mine in self.outages.values() for one in mine), key=lambda one: (one.start, one.service))


def _outages(service: str, chance: random.Random, duration: int) -> list[Outage]:
    found: list[Outage] = []
    at = BEGIN_MS + chance.randrange(_LONGEST_MS)
    while (end := at + chance.randrange(_SHORTEST_MS, _LONGEST_MS)) <= duration - END_MS:
        found.append(Outage(service, at, end))
        at = end + chance.randrange(_SHORTEST_MS, _LONGEST_MS)
    return found
