"""What the history of monitors comes to, for rows: read some at a time, remembered, and read again behind the readers' backs."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence

from vigie.errors import StoreError
from vigie.observation.availability import Span as Stretch
from vigie.observation.availability import clipped, common, length, merged
from vigie.observation.rollup import Resolution, Rollup
from vigie.ports import Archive, Clock
from vigie.queries import MAX_LIMIT
from vigie.queries.board import Past, Span, Spell, Summary
from vigie.queries.history import HistoryQueries

log = logging.getLogger("vigie.board")

_FRESH_MS, _SUMMARY_MS = 300_000, 900_000
_LOOKED_MS = 300_000  # summaries are read while somebody looks, and for so long after
_HELD = 2_000  # rows whose past is held whole, of all spans together
_SWEPT = 100  # monitors whose summary is read at a time
_TURN = 20  # monitors whose past is put together before the loop does something else
_NOTICED = 3  # degraded checks in a step: fewer are not drawn
_ENOUGH = 20  # checks for a p95 of the day under way
_FINE, _UNSEEN = Spell(), Spell(seen=False)


class Pasts:
    """What pages are given at once is at most some minutes old; what nobody has asked for before is waited for."""

    def __init__(self, history: HistoryQueries | None, archive: Archive, clock: Clock) -> None:
        self._history, self._archive, self._clock = history, archive, clock
        self._held: OrderedDict[tuple[str, Span], tuple[int, Past]] = OrderedDict()
        self._summaries: dict[Span, dict[str, tuple[int, Summary]]] = {span: {} for span in Span}
        self._known: dict[Span, dict[str, Summary]] = {span: {} for span in Span}
        self._looked: dict[Span, int] = {}
        self._reading: dict[Span, asyncio.Task[None]] = {}

    def keep(self, monitors: Collection[str]) -> None:
        """Forget all others."""
        for key in [key for key in self._held if key[0] not in monitors]:
            del self._held[key]
        for span in Span:
            for gone in [one for one in self._summaries[span] if one not in monitors]:
                del self._summaries[span][gone]
                self._known[span].pop(gone, None)

    def forget(self, monitor: str) -> None:
        """Its state has changed: read it anew when it is asked for, and show what there is until then."""
        for span in Span:
            if (held := self._held.get((monitor, span))) is not None:
                self._held[monitor, span] = 0, held[1]

    async def of(self, monitors: Sequence[str], span: Span) -> dict[str, Past]:
        """The pasts. Raises StoreError where one was never read and cannot be."""
        if self._history is None:
            return {}
        now = self._clock.now()
        self._looked[span] = now
        missing = [one for one in monitors if (one, span) not in self._held]
        for start in range(0, len(missing), MAX_LIMIT):
            await self._read(self._history, missing[start : start + MAX_LIMIT], span)
        found = {}
        stale = []
        for one in monitors:
            if (held := self._held.get((one, span))) is None:
                continue
            self._held.move_to_end((one, span))
            found[one] = held[1]
            stale += [one] if now - held[0] > _FRESH_MS else []
        self._refresh(stale, span)
        return found

    async def warm(self, monitors: Sequence[str]) -> None:
        """Read what the first page shows before anybody asks for it: somebody who opens it after a start must not wait."""
        await self._read_again(monitors[:MAX_LIMIT], Span.QUARTER)

    def known(self, span: Span) -> Mapping[str, Summary]:
        """The summaries that are at hand."""
        self._looked[span] = self._clock.now()
        return self._known[span]

    async def sweep(self, monitors: Iterable[str]) -> None:
        """Read some summaries that are missing or old, of the spans that somebody looks at."""
        now = self._clock.now()
        for span, looked in self._looked.items():
            if now - looked > _LOOKED_MS:
                continue
            known = self._summaries[span]
            due = [one for one in monitors if one not in known or now - known[one][0] > _SUMMARY_MS][:_SWEPT]
            if due and self._history is not None:
                await self._sum_up(self._history, due, span, now)

    async def _sum_up(self, history: HistoryQueries, monitors: Sequence[str], span: Span, now: int) -> None:
        day = Resolution.DAY.ms
        try:
            uptimes = await history.uptimes(monitors, now, [span.ms])
            days = await history.rollups(monitors, now // day * day - day, now, Resolution.DAY)
        except StoreError as error:
            log.warning("the availability of monitors cannot be read now: %s", error)
            return
        for one in monitors:
            ratio = uptimes[one][0].known.ratio if one in uptimes else None
            self._remember(one, span, Summary(ratio, _p95(days.get(one, []))), now)

    def _remember(self, monitor: str, span: Span, summary: Summary, now: int) -> None:
        self._summaries[span][monitor] = now, summary
        self._known[span][monitor] = summary

    def _refresh(self, monitors: Sequence[str], span: Span) -> None:
        """Read these again, one reading at a time."""
        if monitors and span not in self._reading:
            task = self._reading[span] = asyncio.create_task(self._read_again(monitors[:MAX_LIMIT], span))
            task.add_done_callback(lambda _: self._reading.pop(span, None))

    async def _read_again(self, monitors: Sequence[str], span: Span) -> None:
        try:
            if self._history is not None:
                await self._read(self._history, monitors, span)
        except StoreError as error:
            log.warning("the history of monitors cannot be read now: %s", error)

    async def _read(self, history: HistoryQueries, monitors: Sequence[str], span: Span) -> None:
        now = self._clock.now()
        resolution = Resolution.HOUR if span is Span.DAY else Resolution.DAY
        end = now // resolution.ms * resolution.ms + resolution.ms
        start = end - span.ms
        rollups = await history.rollups(monitors, start, end, resolution)
        uptimes = await history.uptimes(monitors, now, [span.ms])
        outages = await self._archive.outages(start, frozenset(monitors))
        planned = await self._archive.maintained(start)
        lines = await history.sparklines(monitors, now)
        days = rollups if resolution is Resolution.DAY else await history.rollups(monitors, now - 2 * 86_400_000, now, Resolution.DAY)
        for number, one in enumerate(monitors):
            if number % _TURN == 0:
                await asyncio.sleep(0)  # results come first
            ratio = uptimes[one][0].known.ratio if one in uptimes else None
            down = [(began, now if ended is None else ended) for began, ended in outages.get(one, ())]
            work = [(span.start, span.end) for span in planned if span.concerns(one)]
            spells = tuple(spells_of(rollups.get(one, []), down, work, range(start, end, resolution.ms)))
            past = Past(spells, ratio, tuple(lines.get(one, ())), _p95(days.get(one, [])))
            self._held[one, span] = now, past
            self._held.move_to_end((one, span))
            self._remember(one, span, Summary(past.ratio, past.p95), now)
        while len(self._held) > _HELD:
            self._held.popitem(last=False)


def spells_of(rollups: Sequence[Rollup], outages: Sequence[Stretch], planned: Sequence[Stretch], steps: range) -> list[Spell | None]:
    """One for each step (of its `step` ms): what was lost by confirmed outages, as availability counts it, less planned work.

    A single failed check that nothing confirms is not lost time. A span without checks between others was not seen.
    """
    by_start = {one.start: one for one in rollups}
    first = min(by_start, default=steps.stop)
    lost = merged(outages)
    work = merged(planned)
    return [_spell(by_start.get(at), lost, work, (at, at + steps.step)) if at >= first else None for at in steps]


def _spell(rollup: Rollup | None, outages: list[Stretch], planned: list[Stretch], of: Stretch) -> Spell:
    down, work = clipped(outages, *of), clipped(planned, *of)
    if down:
        minutes = (length(down) - length(common(down, work))) / 60_000
        if minutes:
            return Spell(minutes, seen=True)
    if rollup is None or rollup.count == 0:
        return Spell(seen=False, planned=True) if work else _UNSEEN
    if rollup.degraded < _NOTICED:
        return _FINE
    return Spell(degraded=rollup.degraded * (of[1] - of[0]) / 60_000 / (rollup.count + rollup.excluded))


def _p95(days: Sequence[Rollup]) -> float | None:
    """Of today, or of the day before while today has few checks."""
    for one in reversed(days[-2:]):
        if one.p95 is not None and one.count >= _ENOUGH:
            return one.p95
    return next((one.p95 for one in reversed(days) if one.p95 is not None), None)
