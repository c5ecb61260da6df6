"""How available each monitor was over a period: its incidents, less what Vigie could not see, and less planned work."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from vigie.core.detection import Severity
from vigie.core.model import Incident
from vigie.observation.availability import AvailabilitySummary, Span, availability, clipped, length, merged, of_incidents
from vigie.observation.visibility import Blind
from vigie.planning.maintenance import spans_of
from vigie.ports import Archive

_ALL = 1_000_000


async def standings(archive: Archive, start: int, end: int, monitors: Collection[str] | None = None) -> dict[str, AvailabilitySummary]:
    """How each monitor, or each of these, stood over [start, end), epoch ms, by its id; one watched since a later instant, from there.

    Raises StoreError.
    """
    incidents: dict[str, list[Incident]] = defaultdict(list)
    for incident in await archive.incidents(since=start, limit=_ALL, monitors=monitors):
        incidents[incident.monitor].append(incident)
    spans: dict[str, list[Blind]] = defaultdict(list)
    for span in await archive.blinds(start):
        spans[span.monitor].append(span)
    since, maintained = await archive.watched_since(), await archive.maintained(start)
    return {
        monitor: _standing(
            max(start, first),
            end,
            incidents[monitor],
            [*spans[""], *spans[monitor]],
            spans_of(maintained, monitor),
            None if first <= start else first,
        )
        for monitor, first in since.items()
        if first < end and (monitors is None or monitor in monitors)
    }


def _standing(
    start: int, end: int, incidents: Iterable[Incident], blind: list[Blind], maintenance: list[Span], since: int | None
) -> AvailabilitySummary:
    unseen = [(one.start, end if one.until is None else one.until) for one in blind]
    outages = [one for one in incidents if one.severity is Severity.OUTAGE]
    seen = [ms for one in outages if (ms := _seen_ms(start, end, one, [*unseen, *maintenance]))]
    known = of_incidents(start, end, outages, blind, maintenance)
    blind_ms, planned_ms = (length(merged(clipped(one, start, end))) for one in (unseen, maintenance))
    return AvailabilitySummary(known, len(seen), max(seen, default=0), blind_ms, since, planned_ms)


def _seen_ms(start: int, end: int, one: Incident, unseen: list[Span]) -> int:
    """How much of an outage lies in the period and was seen."""
    return availability(start, end, [(one.started_at, end if one.closed_at is None else one.closed_at)], unseen).down_ms
