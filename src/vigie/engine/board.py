"""The monitors as they are, in memory: what each result and each decision changes is changed here, and pages read it without a query.

What it holds of a monitor is small (its newest result without certificates, headers and bodies); what its history comes to is held for
those that somebody looks at, and of the others two numbers.
"""

import asyncio
import re
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from vigie.core.alert import AlertState
from vigie.core.detection import Severity
from vigie.core.model import CheckResult, Expiry, ExpiryKind, Incident, Monitor, Status, Timings
from vigie.core.quorum import Views
from vigie.engine.ingest import Ingest
from vigie.engine.live import LiveHub
from vigie.engine.past import Pasts
from vigie.engine.steady import Heard
from vigie.engine.transition import Transition
from vigie.observation.locations import Sightings, heard_again, sightings, telling, verdict_of, views_of
from vigie.planning.maintenance import InMaintenance
from vigie.ports import Archive, Clock
from vigie.queries import MonitorState, MonitorView
from vigie.queries.board import BoardRow, OpenAlert, Past, Span, Summary
from vigie.queries.live import ChangeKind

_SHARE = 0.05  # of the newest latency in what is usual
_MAINTENANCE_SECONDS, _SLICE = 2.0, 500
_GOOD = (MonitorState.UP, MonitorState.RECOVERING, MonitorState.DEGRADED)


class LiveBoard:
    """The Board port, for the watched monitors; `maintenance` says what is planned on one now."""

    def __init__(
        self,
        ingest: Ingest,
        clock: Clock,
        hub: LiveHub,
        monitors: Callable[[], Sequence[Monitor]],
        maintenance: Callable[[Monitor], InMaintenance | None],
        pasts: Pasts,
    ) -> None:
        self._ingest, self._clock, self._hub, self._monitors, self._maintenance = ingest, clock, hub, monitors, maintenance
        self._pasts = pasts
        self._rows: dict[str, BoardRow] = {}
        self._places: dict[str, dict[str, CheckResult]] = {}  # of monitors that several locations check, the newest result of each
        self._dirty: OrderedDict[str, int] = OrderedDict()  # decided about, and when
        self._alerts: dict[str, AlertState] = {}
        self._alerts_due = False
        self._ends: dict[str, Expiry] = {}  # what runs out first of each monitor
        self.version = 0
        hub.gather(self.refresh)

    async def start(self, archive: Archive) -> None:
        """Take over what was known before this start, once; results that came meanwhile are newer. Raises StoreError."""
        self.configure()
        for monitor, result in (await archive.last_results()).items():
            row = self._rows.get(monitor)
            if row is not None and row.view.result is None:
                self._remember_end(row, result)
                self._put(row, slim(result), row.view.incidents, None)
        for monitor, places in (await archive.newest_everywhere()).items():
            row = self._rows.get(monitor)
            verdict = None if row is None else verdict_of(places, row.view.monitor.detection)
            if row is not None and verdict is not None and monitor not in self._places:
                self._places[monitor] = {one.location: slim(one) for one in places}
                self._see(row, views_of(places), verdict, None)
        self.decided(self._rows)
        self.refresh()

    def configure(self) -> None:
        """The configuration in force is another one."""
        watched = self._monitors()
        known, self._rows = self._rows, {}
        for one in watched:
            before = known.get(one.id)
            view = MonitorView(one, None, (), self._maintenance(one)) if before is None else replace(before.view, monitor=one)
            since, usual = (None, None) if before is None else (before.since, before.usual_ms)
            self._rows[one.id] = BoardRow(view, view.state, since, usual, natural(one.name))
        self._pasts.keep(self._rows)
        self._ends = {one: end for one, end in self._ends.items() if one in self._rows}
        self._places = {one: places for one, places in self._places.items() if one in self._rows}
        self.version += 1
        self._hub.note(ChangeKind.CONFIG, "", self._clock.now())

    def decided(self, monitors: Iterable[str]) -> None:
        """Something was decided about these: look at their incidents again."""
        now = self._clock.now()
        self._dirty.update((one, now) for one in monitors)
        self._alerts_due = True

    async def on_transition(self, transition: Transition) -> None:
        """A result was taken in, or something was decided."""
        row = self._rows.get(transition.monitor.id)
        if transition.decisions or transition.notices:
            self.decided([transition.monitor.id])
        if row is None or transition.result is None:
            return
        self._remember_end(row, transition.result)
        result, views = slim(transition.result), transition.after.views
        if len(views) <= 1:
            self._put(row, result, row.view.incidents, result.at)
            return
        known = row.view.result
        places = self._places.setdefault(row.id, {} if known is None else {known.location: known})
        places[result.location] = result
        self._see(row, views, transition.after.status or result.status, result.at)

    def hear(self, monitor: str, heard: Sequence[Heard]) -> bool:
        """A monitor is as well as it was; False where that cannot be shown by what is known of it."""
        row = self._rows.get(monitor)
        if row is None:
            return True
        view, instants = row.view, {one.location: one.at for one in heard}
        fresh = [one for one in heard if one.fresh]
        if view.verdict is None:
            if len(heard) > 1 or view.result is None:
                return False
            if not fresh:
                return view.result.at == heard[0].at
            if (again := _again(view.result, fresh[0])) is not None:
                self._put(row, again, view.incidents, again.at)
            return again is not None
        known = {one.location: one.at for one in view.seen}
        if view.verdict is not Status.UP or any(not one.fresh and known.get(one.location) != one.at for one in heard):
            return False
        places = self._places[monitor]
        for one in fresh:
            if (again := _again(places.get(one.location), one)) is None:
                return False
            places[one.location] = again
        if fresh:
            seen = heard_again(view.seen, instants, view.monitor.detection.stale_ms)
            self._agree(row, seen, Status.UP, max(one.at for one in fresh))
        return True

    def _see(self, row: BoardRow, views: Views, verdict: Status, at: int | None) -> None:
        self._agree(row, sightings(views, row.view.monitor.detection.stale_ms), verdict, at)

    def _agree(self, row: BoardRow, seen: Sightings, verdict: Status, at: int | None) -> None:
        """What several locations see, and a result that bears their verdict out."""
        places, heard = self._places[row.id], {one.location for one in seen if not one.silent}
        result = telling([one for name, one in places.items() if name in heard] or list(places.values()), verdict)
        view = row.view
        self._place(row, MonitorView(view.monitor, result, view.incidents, view.maintenance, verdict if seen else None, seen), at)

    def refresh(self) -> None:
        """Take in what was decided since the last time: incidents and alerts."""
        if self._dirty:
            dirty, self._dirty = self._dirty, OrderedDict()
            of = defaultdict[str, list[Incident]](list)
            for one in sorted(self._ingest.incidents(), key=lambda one: one.severity is not Severity.OUTAGE):
                of[one.monitor].append(one)
            for monitor, at in dirty.items():
                if (row := self._rows.get(monitor)) is not None:
                    self._place(row, replace(row.view, incidents=tuple(of.get(monitor, ()))), at)
        if self._alerts_due:
            self._alerts_due = False
            self._compare_alerts()

    def _compare_alerts(self) -> None:
        before, self._alerts = self._alerts, {one.id: one for one in self._ingest.alerts() if one.is_open}
        for changed in [one for one in before.keys() | self._alerts.keys() if before.get(one) is not self._alerts.get(one)]:
            self.version += 1
            self._hub.note(ChangeKind.ALERT, changed, self._clock.now())

    async def run(self) -> None:
        """Follow planned work, which begins and ends by the clock."""
        await self._pasts.warm(list(self._rows))
        while True:
            await self._clock.sleep(_MAINTENANCE_SECONDS)
            ids = list(self._rows)
            for start in range(0, len(ids), _SLICE):
                for one in ids[start : start + _SLICE]:
                    self._replan(one)
                await asyncio.sleep(0)  # results come first
            await self._pasts.sweep(ids)

    def _replan(self, monitor: str) -> None:
        row = self._rows.get(monitor)
        if row is None:
            return
        planned = self._maintenance(row.view.monitor)
        if planned != row.view.maintenance:
            self._place(row, replace(row.view, maintenance=planned), self._clock.now())

    def _put(self, row: BoardRow, result: CheckResult | None, incidents: tuple[Incident, ...], at: int | None) -> None:
        self._place(row, MonitorView(row.view.monitor, result, incidents, row.view.maintenance), at)

    def _place(self, row: BoardRow, view: MonitorView, at: int | None) -> None:
        """Keep a row, and tell readers what it changes."""
        state = view.state
        fresh = view.result is not row.view.result
        usual = _usual(row.usual_ms, view.result) if fresh and state in _GOOD else row.usual_ms
        since = row.since if state is row.state and at is not None else at
        if view.incident is not None:
            since = view.incident.started_at
        self._rows[row.id] = BoardRow(view, state, since, usual, row.order)
        if state is not row.state:
            self.version += 1
            self._pasts.forget(row.id)
        if at is not None and (fresh or state is not row.state):
            self._hub.note(ChangeKind.RESULT if state is row.state else ChangeKind.STATE, row.id, at)

    @property
    def open_alerts(self) -> int:
        """How many alerts are open."""
        return len(self._alerts)

    def alerts(self) -> list[OpenAlert]:
        """The open alerts, outages first, newest first."""
        found = sorted(self._alerts.values(), key=lambda one: (one.severity is not Severity.OUTAGE, -one.grew_at))
        return [self._open(one) for one in found]

    def _open(self, alert: AlertState) -> OpenAlert:
        members = tuple(one.monitor for one in alert.members if one.open)
        first = self._rows.get(alert.monitor)
        steps = first.view.monitor.notification.steps(alert.severity) if first is not None else ()
        left = next((one for one in steps if one.name not in alert.taken), None)
        waits = left is not None and alert.escalate_from is not None and alert.acked_by is None and alert.snoozed_until is None
        return OpenAlert(
            alert.id,
            alert.monitor,
            members,
            alert.severity,
            alert.subject,
            alert.acked_by,
            alert.snoozed_until,
            (alert.escalate_from or 0) + left.after_ms if waits and left is not None else None,
            left.to if waits and left is not None else (),
        )

    def rows(self) -> list[BoardRow]:
        """All of them."""
        self.refresh()
        return list(self._rows.values())

    def row(self, monitor: str) -> BoardRow | None:
        """One of them."""
        return self._rows.get(monitor)

    async def past(self, monitors: Sequence[str], span: Span) -> Mapping[str, Past]:
        """The history of these. Raises StoreError."""
        return await self._pasts.of(monitors, span)

    def next_expiry(self) -> Expiry | None:
        """What runs out first."""
        return min(self._ends.values(), key=lambda one: one.ends_at, default=None)

    def _remember_end(self, row: BoardRow, result: CheckResult) -> None:
        """A check that got that far says what runs out; one that did not changes nothing."""
        ends = result.expiries
        if not ends and result.is_good and result.tls is not None and result.tls.expires_at is not None:  # as it is stored
            host = row.view.monitor.host
            ends = (Expiry(host, ExpiryKind.CERTIFICATE, host, result.tls.expires_at, result.tls.expires_at),)
        if ends:
            self._ends[row.id] = min(ends, key=lambda one: one.ends_at)

    def known(self, span: Span) -> Mapping[str, Summary]:
        """What is at hand of every monitor."""
        return self._pasts.known(span)


def _usual(before: float | None, result: CheckResult | None) -> float | None:
    """What a good check takes as a rule: a mean that forgets."""
    total = result.timings.total if result is not None else None
    if total is None:
        return before
    return total if before is None else before + _SHARE * (total - before)


def slim(result: CheckResult) -> CheckResult:
    """A result with what rows show alone."""
    return CheckResult(
        result.monitor,
        result.at,
        result.status,
        result.cause,
        message=result.message[:200],
        timings=Timings(total=result.timings.total),
        figures=result.figures,
        location=result.location,
    )


def _again(known: CheckResult | None, heard: Heard) -> CheckResult | None:
    """The newest result of a place that found what the one before it found; None where that one was not plainly good."""
    if known is None or known.status is not Status.UP or known.cause is not None or known.location != heard.location:
        return None
    return CheckResult(
        known.monitor, heard.at, Status.UP, None, known.message, Timings(total=heard.total), known.figures, location=known.location
    )  # fmt: skip


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """`Node 2` before `Node 10`."""
    return tuple((int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", name.casefold()))
