"""What status pages show, over a store: put together when something changed or has aged, kept, and shown from memory to everybody."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from vigie.core.detection import Severity
from vigie.core.model import Incident, Monitor, Status
from vigie.core.subject import SubjectKind
from vigie.engine.alive import seen_through
from vigie.errors import StoreError, VigieError
from vigie.observation.availability import Span
from vigie.observation.rollup import Resolution
from vigie.planning.maintenance import Maintenance, MaintenanceSpan, spans_of
from vigie.ports import Archive, Clock, Publications
from vigie.queries import MAX_LIMIT
from vigie.queries.history import HistoryQueries
from vigie.queries.status_pages import Draft
from vigie.report.hypotheses import known_cause
from vigie.report.public_page import DAY_MS, DAYS, Known, PublicPage, public_page
from vigie.report.publication import Impact, Post, Subscriber
from vigie.report.status_page import StatusPage
from vigie.text import pick
from vigie.text.dashboard.status_pages import TEXTS
from vigie.text.formatting import short_time

log = logging.getLogger("vigie.status_pages")

_FRESH_SECONDS = 5.0  # what is younger is shown as it is
_OLD_SECONDS = 20.0  # what is younger is shown while a newer one is made
_AHEAD_MS = 14 * DAY_MS
_ALL = 1_000_000


@dataclass(slots=True)
class _Kept:
    """A page as it was when it was made, and after how many changes."""

    asked: StatusPage
    page: PublicPage
    made: float
    change: int


class StoredStatusPages:
    """The StatusPageQueries port. `pages`, `monitors` and `planned` are those of the configuration in force; `history` knows latencies."""

    def __init__(
        self,
        archive: Archive,
        publications: Publications,
        clock: Clock,
        pages: Callable[[], Sequence[StatusPage]],
        monitors: Callable[[], Sequence[Monitor]],
        planned: Callable[[], Iterable[Maintenance]],
        history: HistoryQueries | None = None,
    ) -> None:
        self._archive, self._publications, self._clock = archive, publications, clock
        self._pages, self._monitors, self._planned, self._history = pages, monitors, planned, history
        self._kept: dict[str, _Kept] = {}
        self._making: dict[str, asyncio.Task[PublicPage]] = {}
        self._change = 0

    def changed(self) -> None:
        """What was kept shows the world as it was: make it anew before it is shown again."""
        self._change += 1

    def pages(self) -> Sequence[StatusPage]:
        """All of them."""
        return self._pages()

    def page(self, name: str) -> StatusPage | None:
        """One by its name."""
        return next((one for one in self._pages() if one.name == name), None)

    async def posts(self, name: str) -> list[Post]:
        """Everything that was published, newest beginning first."""
        return await self._publications.posts(name)

    async def subscribers(self, name: str) -> list[Subscriber]:
        """Who follows it, oldest first."""
        return await self._publications.subscribers(name)

    async def public(self, name: str) -> PublicPage | None:
        """What the public sees of it."""
        page = self.page(name)
        if page is None:
            return None
        kept = self._kept.get(name)
        if kept is None or kept.asked != page:
            return await self._made(page)
        age = self._clock.monotonic() - kept.made
        if kept.change == self._change and age < _OLD_SECONDS:
            if age >= _FRESH_SECONDS:
                self._begin(page)
            return kept.page
        try:
            return await self._made(page)
        except StoreError as error:  # up while the rest is not
            log.warning("the status page %s shows what was known %d s ago: %s", name, age, error)
            return kept.page

    async def _made(self, page: StatusPage) -> PublicPage:
        """Made now, by whoever began first; one that began before the last change does not know of it."""
        task, change = self._making.get(page.name), self._change
        if task is not None:
            with contextlib.suppress(StoreError):
                await asyncio.shield(task)
            kept = self._kept.get(page.name)
            if kept is not None and kept.change >= change and kept.asked == page:
                return kept.page
        return await asyncio.shield(self._begin(page))

    def _begin(self, page: StatusPage) -> "asyncio.Task[PublicPage]":
        task = self._making.get(page.name)
        if task is None:
            task = self._making[page.name] = asyncio.create_task(seen_through(self._make(page)))
            task.add_done_callback(lambda done: self._end(page.name, done))
        return task

    def _end(self, name: str, task: "asyncio.Task[PublicPage]") -> None:
        self._making.pop(name, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("the status page %s could not be made: %s", name, error)

    async def _make(self, page: StatusPage) -> PublicPage:
        change, now = self._change, self._clock.now()
        known, posts = await self._known(page, now), await self._publications.posts(page.name)
        made = await asyncio.to_thread(public_page, page, known, posts, now)
        before = self._kept.get(page.name)
        if before is not None and before.page == made:
            made = before.page  # the very same, so that whoever rendered it need not again
        self._kept[page.name] = _Kept(page, made, self._clock.monotonic(), change)
        return made

    async def _known(self, page: StatusPage, now: int) -> Known:
        """What is on record of the page's monitors."""
        start, ids = (now // DAY_MS - DAYS + 1) * DAY_MS, page.monitors
        incidents = await self._archive.incidents(since=start, limit=_ALL, monitors=ids)
        blind: dict[str, list[Span]] = defaultdict(list)
        for one in [one for one in await self._archive.blinds(start) if not one.location]:
            blind[one.monitor].append((one.start, now if one.until is None else one.until))
        maintained = await self._archive.maintained(start)
        newest = await self._archive.last_results(ids)
        watched = [one for one in self._monitors() if one.id in set(ids)]
        planned = await asyncio.to_thread(_planned, watched, list(self._planned()), now)
        return Known(
            incidents=[one for one in incidents if one.subject is SubjectKind.MONITOR],
            since=await self._archive.watched_since(),
            checked=frozenset(monitor for monitor, result in newest.items() if result.status is not Status.UNKNOWN),
            blind=blind,
            maintained=_held(watched, maintained, planned, now),
            planned=planned,
            latencies=await self._latencies(ids, now) if page.show_latency else {},
        )

    async def _latencies(self, ids: Sequence[str], now: int) -> dict[str, float]:
        """The median of the last day of each monitor, where it is known."""
        found: dict[str, float] = {}
        if self._history is None:
            return found
        for first in range(0, len(ids), MAX_LIMIT):
            rows = await self._history.rollups(ids[first : first + MAX_LIMIT], now - DAY_MS, now, Resolution.HOUR)
            for monitor, hours in rows.items():
                medians = sorted(one.p50 for one in hours if one.p50 is not None)
                if medians:
                    found[monitor] = medians[len(medians) // 2]
        return found

    async def drafts(self, name: str) -> tuple[Draft, ...]:
        """What could be published about open alerts of which nothing was published yet."""
        page = self.page(name)
        if page is None:
            return ()
        open_ = await self._archive.incidents(open_only=True, limit=_ALL, monitors=page.monitors)
        posts = [one for one in await self._publications.posts(name) if one.open]
        told, covered = {one.alert for one in posts if one.alert}, {monitor for one in posts for monitor in one.monitors}
        by_alert: dict[str, list[Incident]] = defaultdict(list)
        for one in open_:
            if one.subject is SubjectKind.MONITOR:
                by_alert[one.alert or one.id].append(one)
        now = self._clock.now()
        fresh = [(alert, ours) for alert, ours in by_alert.items() if alert not in told and not {one.monitor for one in ours} <= covered]
        return tuple([await self._draft(page, alert, ours, now) for alert, ours in fresh])

    async def _draft(self, page: StatusPage, alert: str, ours: Sequence[Incident], now: int) -> Draft:
        """Of the page's services alone, whoever else is in the alert; of the report only what was certified and names nothing."""
        public, language = {one.monitor: one.name for one in page.components}, page.language
        monitors = tuple(dict.fromkeys(one.monitor for one in sorted(ours, key=lambda one: one.started_at)))
        down = any(one.severity is Severity.OUTAGE for one in ours)
        names = _listed([public[monitor] for monitor in monitors], language)
        start = min(one.started_at for one in ours)
        report = None
        with contextlib.suppress(VigieError):
            report = await self._archive.report(alert)
        analysis = report.analysis if report is not None else None
        cause = known_cause(analysis.cause) if analysis is not None and set(monitors) >= {alert.rpartition("-")[0]} else None

        def said(key: str, **values: object) -> str:
            return pick(TEXTS[key], language).format(**values)

        form = "one" if len(monitors) == 1 else "many"
        title = said(f"draft_{'down' if down else 'degraded'}_{form}", names=names)
        text = said("draft_since", time=short_time(start, page.zone, language, now))
        text += "" if cause is None else " " + said("draft_cause", cause=pick(cause, language))
        known = analysis.sentences if analysis is not None else ()
        return Draft(alert, title, text, monitors, Impact.DOWN if down else Impact.DEGRADED, start, known)


def _listed(names: Sequence[str], language: str) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} {pick(('et', 'and'), language)} {names[-1]}"


def _planned(watched: Sequence[Monitor], entries: Sequence[Maintenance], now: int) -> dict[str, list[Span]]:
    """What is planned on each from now on; of many monitors, the spans of an entry are worked out once."""
    spans = [(one, [span for span in one.window.spans(now, now + _AHEAD_MS) if span[1] > now]) for one in entries]
    return {monitor.id: [span for entry, some in spans if some and entry.covers(monitor) for span in some] for monitor in watched}


def _held(
    watched: Sequence[Monitor], maintained: Sequence[MaintenanceSpan], planned: dict[str, list[Span]], now: int
) -> dict[str, list[Span]]:
    """What came about on each, and what holds now but is not on record yet."""
    return {one.id: [*spans_of(maintained, one.id), *(span for span in planned.get(one.id, ()) if span[0] <= now)] for one in watched}
