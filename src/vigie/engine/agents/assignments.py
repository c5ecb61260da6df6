"""What each agent is to check, kept in step with the configuration, with who is heard, and with what the store knows of shards."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from vigie.engine.agents.coordinator import Key, changed, moved, runs_of, work_of
from vigie.engine.agents.dispatch import Dispatch
from vigie.engine.agents.registry import Registry
from vigie.fleet.shards import shard_of
from vigie.fleet.wire import ShardWork, Work
from vigie.observation.check_spec import CheckSpec
from vigie.ports import EnrolledAgent, Fleet, Ledger, ShardRun

log = logging.getLogger("vigie.agents")

LEASE, _LEASE_MS = "coordinator", 30_000
_EPOCHS = 20  # bits: so many changes of work in one life of a server


@dataclass(frozen=True, slots=True)
class Checks:
    """What is to be checked: `at` gives the specs of a location, `own` is that of the servers themselves."""

    at: Callable[[str], Sequence[CheckSpec]] = lambda location: ()  # noqa: ARG005 - nothing yet
    own: str = ""
    control: Sequence[str] = ()
    second_resolver: str | None = None


@dataclass(slots=True)
class _Sent:
    """What an agent was told last."""

    shards: dict[int, ShardWork] = field(default_factory=dict)
    link: tuple[list[str], str | None] | None = None  # how it finds out whether its own link works; None: it was told nothing yet


class Assignments:
    """`holder` is the name under which this process decides; one does at a time."""

    def __init__(self, fleet: Fleet, ledger: Ledger, registry: Registry, dispatch: Dispatch, holder: str) -> None:
        self._fleet, self._ledger, self._registry, self._dispatch, self._holder = fleet, ledger, registry, dispatch, holder
        self._checks = Checks()
        self.runs: dict[Key, ShardRun] = {}
        self.ids: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._locations: dict[str, int] = {}
        self._here: dict[str, frozenset[str]] = {}  # the monitors of each location
        self._numbers_here: dict[str, dict[int, frozenset[int]]] = {}
        self._sent: dict[str, _Sent] = {}
        self._epoch = 0
        self._stale = True  # whether work may be otherwise than it was told
        self._lock = asyncio.Lock()

    def use(self, checks: Checks) -> None:
        """A new configuration; `settle` tells the agents."""
        self._checks, self._stale = checks, True
        self._here.clear()
        self._numbers_here.clear()

    async def location_number(self, location: str) -> int:
        """The number of a location in packed results. Raises StoreError."""
        if location not in self._locations:
            self._locations[location] = await self._fleet.location_number(location)
        return self._locations[location]

    def is_checked(self, monitor: str, location: str) -> bool:
        """Whether a location is to check a monitor."""
        if location not in self._here:
            self._here[location] = frozenset(one.monitor for one in self._checks.at(location))
        return monitor in self._here[location]

    @property
    def own(self) -> str:
        """The location of the servers themselves."""
        return self._checks.own

    def holder(self, monitor: str, location: str) -> str:
        """Which agent of a location has this monitor; empty where none has."""
        held = self.runs.get((location, shard_of(monitor)))
        return "" if held is None else held.agent

    def numbers_at(self, location: str, shard: int) -> frozenset[int]:
        """The numbers in packed results of the monitors of a shard that a location is to check."""
        found = self._numbers_here.get(location)
        if found is None:
            shards = defaultdict[int, set[int]](set)
            for one in self.monitors(location) & self._numbers.keys():
                shards[shard_of(one)].add(self._numbers[one])
            found = self._numbers_here[location] = {of: frozenset(numbers) for of, numbers in shards.items()}
        return found.get(shard, frozenset())

    def monitors(self, location: str) -> frozenset[str]:
        """The monitors of a location."""
        self.is_checked("", location)
        return self._here[location]

    def of(self, monitor: str) -> list[str]:
        """The agents that check this monitor."""
        enrolled = self._registry.enrolled()
        return [one.name for one in enrolled if self.holder(monitor, one.location) == one.name and self.is_checked(monitor, one.location)]

    def runs_at(self, location: str) -> Mapping[int, ShardRun]:
        """Who has which shard there."""
        return {shard: one for (where, shard), one in self.runs.items() if where == location}

    async def settle(self, *, anew: bool = False) -> None:
        """Give shards to who is heard, and tell everybody what is otherwise than it was. Raises StoreError.

        `anew`: somebody came or went, or the configuration changed.
        """
        async with self._lock:
            self._stale = self._stale or anew
            if self._stale:
                await self._read()
            await self._give()
            if self._stale:
                await self._tell()
                self._stale = False

    async def look_again(self) -> None:
        """Read what other servers may have decided meanwhile; the next `settle` tells agents what follows. Raises StoreError."""
        async with self._lock:
            await self._read()
            self._stale = True

    async def _read(self) -> None:
        self.runs = {(one.location, one.shard): one for one in await self._fleet.shard_runs()}
        self._numbers = await self._fleet.monitor_numbers()
        self.ids = {number: monitor for monitor, number in self._numbers.items()}
        self._numbers_here.clear()

    async def _give(self) -> None:
        """Shards change hands; by who may decide it alone."""
        if not moved(self._registry.alive(), self.runs):
            return
        lease = await self._fleet.claim(LEASE, self._holder, _LEASE_MS)
        await self._read()
        self._stale = True
        if lease.holder == self._holder and (moving := moved(self._registry.alive(), self.runs)):
            given = runs_of(moving, await self._ledger.next_run())
            await self._fleet.save_shard_runs(given, lease)
            self.runs.update({(one.location, one.shard): one for one in given})
            log.info("shards change hands: %s", _counted(given))

    async def _tell(self) -> None:
        if not self._epoch:
            self._epoch = await self._ledger.next_run() << _EPOCHS
        enrolled = self._registry.enrolled()
        specs = {location: self._checks.at(location) for location in {one.location for one in enrolled}}
        for one in enrolled:
            await self._told(one, specs[one.location])
        names = {one.name for one in enrolled}
        self._sent = {name: sent for name, sent in self._sent.items() if name in names}

    async def _told(self, agent: EnrolledAgent, specs: Sequence[CheckSpec]) -> None:
        """All of its work where it was told nothing yet, else what changed."""
        sent, checks = self._sent.setdefault(agent.name, _Sent()), self._checks
        wanted = work_of(agent.name, agent.location, specs, self.runs, self._numbers)
        link = list(checks.control), checks.second_resolver
        different, whole = changed(sent.shards, wanted), sent.link is None
        if not different and sent.link == link:
            return
        self._epoch += 1
        await self._dispatch.work(agent.name, Work(self._epoch, list(wanted.values() if whole else different), whole, *link))
        sent.shards, sent.link = wanted, link


def _counted(given: Sequence[ShardRun]) -> str:
    by = dict[str, int]()
    for one in given:
        by[one.agent] = by.get(one.agent, 0) + 1
    return ", ".join(f"{name}: {count}" for name, count in sorted(by.items()))
