"""How available each monitor was over a period: its incidents, less what Vigie could not see."""

from collections import defaultdict

from vigie.core.blind import Blind
from vigie.core.model import Incident
from vigie.core.uptime import Availability, of_incidents
from vigie.ports import Store

_ALL = 1_000_000


async def availabilities(store: Store, start: int, end: int) -> dict[str, Availability]:
    """Availability by monitor id over [start, end), epoch ms; of one watched since a later instant, from there. Raises StoreError."""
    incidents: dict[str, list[Incident]] = defaultdict(list)
    for incident in await store.incidents(since=start, limit=_ALL):
        incidents[incident.monitor].append(incident)
    spans: dict[str, list[Blind]] = defaultdict(list)
    for span in await store.blinds(start):
        spans[span.monitor].append(span)
    since = await store.watched_since()
    return {
        monitor: of_incidents(max(start, first), end, incidents[monitor], [*spans[""], *spans[monitor]])
        for monitor, first in since.items()
        if first < end
    }
