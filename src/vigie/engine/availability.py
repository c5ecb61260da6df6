"""How available each monitor was over a period: its outages, less what Vigie could not see, and less planned work."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from vigie.observation.availability import AvailabilitySummary, Span, Unseen, summary
from vigie.ports import Archive

_EVER = 2**63 - 1
_NONE: tuple[Span, ...] = ()


async def standings(archive: Archive, start: int, end: int, monitors: Collection[str] | None = None) -> dict[str, AvailabilitySummary]:
    """How each monitor, or each of these, stood over [start, end), epoch ms, by its id; one watched since a later instant, from there.

    Raises StoreError.
    """
    found = await several(archive, [(start, end)], monitors)
    return {monitor: one for monitor, (one,) in found.items() if one is not None}


async def several(
    archive: Archive, periods: Sequence[Span], monitors: Collection[str] | None = None
) -> dict[str, tuple[AvailabilitySummary | None, ...]]:
    """The same over several periods: None for one in which a monitor was not watched yet. Raises StoreError."""
    oldest = min(start for start, _ in periods)
    wanted = None if monitors is None else frozenset(monitors)
    outages, since = await archive.outages(oldest, wanted), await archive.watched_since()
    unseen = await _unseen(archive, oldest)
    chosen = [monitor for monitor in since if wanted is None or monitor in wanted]
    columns = [_over(start, end, chosen, since, outages, unseen) for start, end in periods]
    return dict(zip(chosen, zip(*columns, strict=True), strict=True))


@dataclass(frozen=True, slots=True)
class _EachUnseen:
    """What could not be seen: of every monitor, and for those that have spans of their own, of each."""

    general: Unseen
    own: Mapping[str, Unseen]

    def of(self, monitor: str) -> Unseen:
        return self.own.get(monitor, self.general)


async def _unseen(archive: Archive, since: int) -> _EachUnseen:
    blind: dict[str, list[Span]] = defaultdict(list)
    planned: dict[str, list[Span]] = defaultdict(list)
    for span in [one for one in await archive.blinds(since) if not one.location]:  # where one location cannot see, others do
        blind[span.monitor].append((span.start, _EVER if span.until is None else span.until))
    for work in await archive.maintained(since):
        for monitor in ("",) if work.monitors is None else work.monitors:
            planned[monitor].append((work.start, work.end))
    known: dict[tuple[tuple[Span, ...], tuple[Span, ...]], Unseen] = {}
    own = {}
    for monitor in (blind.keys() | planned.keys()) - {""}:
        key = tuple(blind.get(monitor, _NONE)), tuple(planned.get(monitor, _NONE))
        if key not in known:  # many monitors share planned work
            known[key] = Unseen.of([*blind.get("", _NONE), *key[0]], [*planned.get("", _NONE), *key[1]])
        own[monitor] = known[key]
    return _EachUnseen(Unseen.of(blind.get("", _NONE), planned.get("", _NONE)), own)


def _over(
    start: int,
    end: int,
    monitors: Sequence[str],
    since: Mapping[str, int],
    outages: Mapping[str, Sequence[tuple[int, int | None]]],
    unseen: _EachUnseen,
) -> list[AvailabilitySummary | None]:
    """One period. What is the same for most monitors is worked out once."""
    usual = summary(start, end, (), unseen.general, None)
    found: list[AvailabilitySummary | None] = []
    for monitor in monitors:
        first, known = since[monitor], outages.get(monitor, ())
        if first >= end:
            found.append(None)
            continue
        of_it = [(began, _EVER if ended is None else ended) for began, ended in known if ended is None or ended >= start]
        if not of_it and first <= start and monitor not in unseen.own:
            found.append(usual)
        else:
            found.append(summary(max(start, first), end, of_it, unseen.of(monitor), None if first <= start else first))
    return found
