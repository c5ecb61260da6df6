"""What the status page shows, as plain values: gathered from the read side, worst first."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from vigie.core.model import Incident
from vigie.observation.channel import ChannelState
from vigie.queries import Health, HealthQueries, MonitorState, MonitorView, Queries, collected
from vigie.report.deliveries import Account
from vigie.report.render import RenderContext

_RECENT = 10


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything one rendering needs; times are shown in `zone`.

    `failing` are the channels that have not worked for a while; `accounts` are the notices of each recent incident.
    """

    monitors: tuple[MonitorView, ...]
    recent: tuple[Incident, ...]
    health: Health
    language: str
    zone: tzinfo = UTC
    failing: tuple[ChannelState, ...] = ()
    accounts: Mapping[str, Sequence[Account]] = field(default_factory=dict)

    def count(self, state: MonitorState) -> int:
        """How many monitors are in this state."""
        return sum(one.state is state for one in self.monitors)

    def name(self, monitor: str) -> str:
        """What people call a monitor; its id once it is gone."""
        return next((one.monitor.name for one in self.monitors if one.monitor.id == monitor), monitor)


async def gathered(queries: Queries, health: HealthQueries, setting: RenderContext) -> Snapshot:
    """How things are now. Raises StoreError."""
    monitors = await collected(lambda cursor, limit: queries.monitors.monitors(cursor=cursor, limit=limit))
    recent = await queries.incidents.incidents(limit=_RECENT)
    accounts = {one.id: await queries.notices.accounts(one.alert or one.id) for one in recent.items}
    failing = tuple(await queries.notices.failing())
    return Snapshot(worst_first(monitors), recent.items, await health.health(), setting.language, setting.zone, failing, accounts)


def worst_first(monitors: Iterable[MonitorView]) -> tuple[MonitorView, ...]:
    """By state, then by name."""
    order = list(MonitorState)
    return tuple(sorted(monitors, key=lambda one: (order.index(one.state), _natural(one.monitor.name))))


def _natural(name: str) -> list[tuple[int, str]]:
    """`Node 2` before `Node 10`."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", name.casefold())]
