"""Vigie's own sight: spans in which nothing could be seen are kept, left out of availability, and told once, when it sees again.

Where several locations check, each has a sight of its own: its spans are kept and told with its name, and of a monitor only the time is
left out of availability in which no location could see it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from vigie.core.detection import Severity
from vigie.core.events import Opened, Recovered
from vigie.core.model import LOCAL, Cause, CheckResult, FaultScope, Incident, Monitor, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.core.subject import VIGIE_ID, SubjectKind
from vigie.engine.cursors import mode_of
from vigie.engine.ingest import Ingest
from vigie.engine.steady import Plain
from vigie.engine.transition import Transition
from vigie.errors import StoreError
from vigie.net import is_literal, is_private
from vigie.observation import visibility
from vigie.observation.visibility import Blind, Decision, Event, Lasting, Lost, Regained, Seen, Silent, Stopped, Unseen, Visibility
from vigie.ports import Archive, Clock, Commit, Ledger, RunMode, TimelineEntry

log = logging.getLogger("vigie.sight")

_MIN_GAP_MS, _SILENT_MS = 120_000, 180_000
_CONCERN_ALL = (FaultScope.NETWORK, FaultScope.MACHINE)  # what kept one check from being judged keeps others from it as well
_TURNS = 3  # of the monitor that is checked most often, without any result


class SelfMonitor:
    """Listens to every result.

    `wake` wakes the outbox; `continuous` says that results should come all the time, as they do in `serve`. `elapsed` tells seconds
    on a clock that never steps and counts a suspended machine in, or None where there is none. `location` is where this process probes
    from.
    """

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        ingest: Ingest,
        clock: Clock,
        wake: Callable[[], None],
        *,
        continuous: bool,
        elapsed: Callable[[], float | None],
        location: str = LOCAL,
    ) -> None:
        self._ledger, self._archive, self._ingest, self._clock = ledger, archive, ingest, clock
        self._wake, self._continuous = wake, continuous
        self._elapsed = elapsed
        self._heard_at: float | None = None  # by `elapsed`: the newest result, and when sight was lost
        self._lost_at: float | None = None
        self._going_since: float | None = None
        self._visibility, self._announce_after_ms = Visibility(), _MIN_GAP_MS
        self._here = location
        self._sights: dict[str, Visibility] = {}  # of each location that was heard; where there is one, all is said of `_visibility`
        self._lost_there: dict[str, float | None] = {}
        self._heard_there_at: dict[str, int] = {}
        self._channels: tuple[str, ...] = ()
        self._gap_ms: int | None = None
        self._last: int | None = None
        self._unknown: dict[str, int] = {}
        self._alone: dict[str, Blind] = {}  # by monitor: the span of one that cannot be checked
        self._newest: Blind | None = None
        self._lock = asyncio.Lock()
        self._link_listeners: list[Callable[[int, int], Awaitable[None]]] = []

    @property
    def is_blind(self) -> bool:
        """Whether nothing can be seen now, for a reason that concerns every service."""
        return self._visibility.span is not None

    def on_link_regained(self, listener: Callable[[int, int], Awaitable[None]]) -> None:
        """Call this one with the span, epoch ms, in which this machine had no way out, once it has one again."""
        self._link_listeners.append(listener)

    def use(self, monitors: Iterable[Monitor], announce_after_ms: int, probed: Iterable[Monitor]) -> None:
        """Whom to tell, after how long, and how often results come: `probed` are the monitors that are checked at regular intervals."""
        watched = list(monitors)
        self._announce_after_ms = announce_after_ms
        self._channels = tuple(dict.fromkeys(channel for monitor in watched for channel in monitor.notification.to))
        transitions = [monitor.every_ms + monitor.timeout_ms for monitor in probed]
        self._gap_ms = max(_TURNS * min(transitions), _MIN_GAP_MS) if transitions and self._continuous else None
        self._unknown = {one: at for one, at in self._unknown.items() if any(monitor.id == one for monitor in watched)}

    async def start(self) -> None:
        """Take up the span that a former life of Vigie left open, or the silence since it broke off. Raises StoreError."""
        spans = await self._archive.blinds(0)
        number = max((one.number for one in spans), default=0)
        for one in spans:
            if one.location and one.until is None:
                opened = await self._archive.incident(one.incident)
                still = opened is not None and opened.closed_at is None
                self._sights[one.location] = Visibility(one.number, one, opened=still, location=one.location)
        self._alone = {one.monitor: one for one in spans if one.monitor and one.until is None}
        held = next((one for one in reversed(spans) if one.until is None and not (one.monitor or one.location)), None)
        incident = await self._archive.incident(held.incident) if held is not None else None
        self._visibility = Visibility(number, held, opened=incident is not None and incident.closed_at is None)
        if held is not None:
            return
        if self._continuous and await self._broke_off():
            self._last = max([one.at for one in (await self._archive.last_results()).values()], default=None)
        else:
            await self._skip_unobserved()

    async def _skip_unobserved(self) -> None:
        """Between single cycles that are much further apart than usual nobody looked: it counts in no availability, and is not told."""
        since = await self.paused_since()
        if since is not None:
            span = Blind(self._visibility.number + 1, since, Cause.PROBE_ERROR, self._clock.now(), quiet=True)
            await self._ingest.record(Commit(blind=(span,)))
            self._visibility = replace(self._visibility, number=span.number)

    async def paused_since(self) -> int | None:
        """Since when, epoch ms, nobody looked for much longer than usual; None when somebody did. Raises StoreError."""
        taken = await self._archive.activity()
        return taken[0] if taken and self._clock.now() - taken[0] > visibility.longest_pause(taken) else None

    async def _broke_off(self) -> bool:
        """Whether the newest life was a continuous one: single cycles may be any time apart."""
        cursors = (await self._ledger.load()).cursors
        newest = max(cursors, key=lambda cursor: cursors[cursor], default=None)
        return newest is not None and mode_of(newest) is RunMode.CONTINUOUS

    async def on_transition(self, transition: Transition) -> None:
        """A result was taken in. Raises StoreError; the next result tries again."""
        result = transition.result
        if result is None:
            return
        if result.location not in self._sights:
            self._sights[result.location] = Visibility(location=result.location)
        if len(self._sights) > 1 and await self._heard_there(transition, result):
            return
        unseen = self._unknown or transition.before.unchecked.since is not None
        quiet = self._visibility.span is None and not unseen and result.status is not Status.UNKNOWN
        if quiet and (self._last is None or self._gap_ms is None or result.at - self._last <= self._gap_ms):
            self._last, self._heard_at = result.at, self._elapsed()
            return
        async with self._lock:
            await self._heard(transition.monitor, result)
            await self._unchecked(transition)
            self._last, self._heard_at = result.at, self._elapsed()

    @property
    def each(self) -> bool:
        """Whether every result says something: somebody is blind, and the next one that sees ends it."""
        return self._visibility.span is not None or any(one.span is not None for one in self._sights.values())

    async def on_plain(self, plain: Plain) -> None:
        """Results that found everything as it was were taken in. Raises StoreError."""
        if plain.location not in self._sights:
            self._sights[plain.location] = Visibility(location=plain.location)
        self._heard_there_at[plain.location] = plain.last
        if self._last is not None and self._gap_ms is not None and plain.first - self._last > self._gap_ms:
            async with self._lock:
                self._going_since = self._heard_at
                await self._look(Silent(plain.first, self._last, self._ms_since(self._heard_at)))
                await self._look(Seen(plain.first, self._ms_since(self._lost_at)))
        self._last, self._heard_at = plain.last, self._elapsed()

    async def _heard_there(self, transition: Transition, result: CheckResult) -> bool:
        """A result of one of several locations; whether nothing more is to be made of it: it could not see, while others may."""
        sight, place = self._sights[result.location], result.location
        self._heard_there_at[place] = result.at
        concerns = result.status is Status.UNKNOWN and result.fault in _CONCERN_ALL
        if not concerns and sight.span is None:
            return False
        async with self._lock:
            lasted = self._ms_since(self._lost_there.get(place))
            if concerns:
                after = await self._step(sight, Unseen(result.at, result.cause or Cause.PROBE_ERROR, lasted))
            elif sight.span is not None and result.status is not Status.UNKNOWN and _shows(sight.span, transition.monitor, result):
                after = await self._step(sight, Seen(result.at, lasted))
            else:
                return False
            if after.span is not None and sight.span is None:
                self._lost_there[place] = self._elapsed()
            self._sights[place] = after
            if concerns and self._visibility.span is None and self._none_sees(result.at):
                await self._look(Unseen(result.at, result.cause or Cause.PROBE_ERROR, None))
            if concerns and transition.after.status is Status.UNKNOWN:  # no location sees this one
                self._unknown.setdefault(transition.monitor.id, result.at)
            if concerns and self._visibility.span is None:
                self._last, self._heard_at = result.at, self._elapsed()
        return concerns and self._visibility.span is None

    def _none_sees(self, at: int) -> bool:
        """Whether every location is blind, or silent."""
        silent = at - _SILENT_MS
        return all(one.span is not None or self._heard_there_at.get(name, 0) < silent for name, one in self._sights.items())

    async def _step(self, sight: Visibility, event: Event) -> Visibility:
        """One sight, with what was decided on record; a span is numbered among those of all."""
        numbered = replace(sight, number=self._visibility.number) if sight.span is None else sight
        after, decisions = visibility.step(numbered, event, self._announce_after_ms)
        if decisions:
            await self._ingest.record(*self._change(decisions))
            self._visibility = replace(self._visibility, number=max(self._visibility.number, after.number))
        for decision in decisions:
            _log(decision)
            if isinstance(decision, Regained):
                await self._after(decision)
        return after

    async def stop(self) -> None:
        """Vigie ends because it was asked to: what follows is not told, and not counted."""
        if self._continuous and self._last is not None:
            async with self._lock:
                try:
                    await self._look(Stopped(self._clock.now()))
                except StoreError as error:  # then the next start takes it for a crash, and says so
                    log.error("the end of monitoring could not be recorded: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more

    async def _heard(self, monitor: Monitor, result: CheckResult) -> None:
        since = self._last if self._last is not None and self._gap_ms and result.at - self._last > self._gap_ms else None
        # A machine that stood still did so since it was heard last; a check that found no way out ended just now.
        self._going_since = self._heard_at if since is not None or result.fault is FaultScope.MACHINE else self._elapsed()
        if result.status is not Status.UNKNOWN:
            await self._seen(monitor, result, since)
        elif result.fault in _CONCERN_ALL:
            if self._belongs_to_newest(monitor, result):
                return
            await self._look(Unseen(since or result.at, result.cause or Cause.PROBE_ERROR, self._ms_since(self._lost_at)))
        else:
            self._unknown.setdefault(monitor.id, result.at)

    def _belongs_to_newest(self, monitor: Monitor, result: CheckResult) -> bool:
        """Whether a span that is over covers it: a busy machine voids slow checks long after it has let quick ones see again."""
        newest = self._newest
        if self._visibility.span is not None or newest is None or newest.until is None or result.fault is not FaultScope.MACHINE:
            return False
        return newest.start - monitor.timeout_ms <= result.at <= newest.until

    async def _seen(self, monitor: Monitor, result: CheckResult, since: int | None) -> None:
        span = self._visibility.span
        if span is None and since is not None:
            await self._look(Silent(result.at, since, self._ms_since(self._heard_at)))
        elif span is not None and _shows(span, monitor, result):
            await self._look(Seen(result.at, self._ms_since(self._lost_at)))
        began = self._unknown.get(monitor.id)
        if began is not None and monitor.id not in self._alone:
            await self._keep_one(Blind(self._visibility.number + 1, began, Cause.PROBE_ERROR, max(result.at, began), monitor.id))
        if began is not None:
            del self._unknown[monitor.id]

    async def _unchecked(self, transition: Transition) -> None:
        """A monitor that cannot be checked, kept as a span from the instant that it is an incident: single cycles end before it does."""
        before, after, monitor = transition.before.unchecked, transition.after.unchecked, transition.monitor.id
        if after.incident and not before.incident and after.since is not None:
            span = Blind(self._visibility.number + 1, after.since, Cause.PROBE_ERROR, None, monitor)
        elif before.since is not None and after.since is None and monitor in self._alone:
            span = replace(self._alone[monitor], until=max(transition.after.at or before.since, before.since))
        else:
            return
        await self._ingest.record(Commit(blind=(span,)))
        self._visibility = replace(self._visibility, number=max(span.number, self._visibility.number))
        if span.until is None:
            self._alone[monitor] = span
        else:
            del self._alone[monitor]

    async def _keep_one(self, span: Blind) -> None:
        """What one monitor could not see, unless all were blind then."""
        held = self._visibility.span or self._newest
        if held is not None and held.start <= span.start and (held.until is None or span.start <= held.until):
            return
        await self._ingest.record(Commit(blind=(span,)))
        self._visibility = replace(self._visibility, number=span.number)

    async def _look(self, event: Event) -> None:
        after, decisions = visibility.step(self._visibility, event, self._announce_after_ms)
        if decisions:
            change, notices = self._change(decisions)
            await self._ingest.record(change, notices)
        if after.span is not None and self._visibility.span != after.span:
            self._lost_at = self._going_since
        self._visibility = after
        for decision in decisions:
            self._newest = decision.span
            _log(decision)
            if isinstance(decision, Regained):
                await self._after(decision)

    async def _after(self, regained: Regained) -> None:
        if regained.announced:
            self._wake()
        here = regained.span.location in ("", self._here)
        if here and regained.span.cause is Cause.PROBE_NETWORK and regained.span.until is not None:
            for listener in self._link_listeners:
                await listener(regained.span.start, regained.span.until)

    def _ms_since(self, instant: float | None) -> int | None:
        now = self._elapsed()
        return None if now is None or instant is None else round((now - instant) * 1000)

    def _change(self, decisions: tuple[Decision, ...]) -> tuple[Commit, list[Notice]]:
        """What decisions write: spans, Vigie's own incidents, and the notices of a span that was long enough."""
        spans = {decision.span.number: decision.span for decision in decisions}
        incidents, timeline, notices = [], [], list[Notice]()
        for decision in decisions:
            span = decision.span
            if isinstance(decision, Lasting):
                incidents.append(_incident(span, decision.at))
                opened = Opened(Severity.OUTAGE, span.incident, decision.at, span.start, span.cause)
                timeline.append(TimelineEntry(span.incident, decision.at, opened))
            elif isinstance(decision, Regained) and decision.announced and span.until is not None:
                incidents.append(_incident(span, span.start, span.until))
                timeline.append(TimelineEntry(span.incident, span.until, Recovered(Severity.OUTAGE, span.incident, span.until)))
                notices += [_notice(span, channel) for channel in self._channels]
        return Commit(blind=tuple(spans.values()), incidents=tuple(incidents), timeline=tuple(timeline)), notices


def _incident(span: Blind, opened_at: int, closed_at: int | None = None) -> Incident:
    name = span.incident
    return Incident(
        name, VIGIE_ID, Severity.OUTAGE, span.cause, span.start, opened_at, closed_at, subject=SubjectKind.VIGIE, alert=name
    )  # fmt: skip


def _notice(span: Blind, channel: str) -> Notice:
    return Notice(
        span.incident, VIGIE_ID, channel, NoticeReason.BLIND, span.until or span.start, subject=SubjectKind.VIGIE
    )  # fmt: skip


def _shows(span: Blind, monitor: Monitor, result: CheckResult) -> bool:
    """Whether a check that saw its service had to go the way that was blocked."""
    if span.cause is Cause.PROBE_NETWORK:
        place = result.address or monitor.host
        return bool(place) and not is_private(place)
    if span.cause is Cause.PROBE_RESOLVER:
        return result.timings.dns is not None and not is_literal(f"{monitor.host}:0")
    return True


def _log(decision: Decision) -> None:
    span = decision.span
    if span.quiet:
        return
    if isinstance(decision, Lost) and span.location:
        log.warning("location %s cannot check anything (%s): it has no vote until it can again", span.location, span.cause)
    elif isinstance(decision, Lost):
        log.warning("Vigie cannot check anything (%s): no service is marked down until it can again", span.cause)
    elif isinstance(decision, Regained) and span.until is not None:
        announced = "; a notice is sent" if decision.announced else ""
        who = f"location {span.location}" if span.location else "Vigie"
        log.warning("%s can check again after %.0f s (%s)%s", who, (span.until - span.start) / 1000, span.cause, announced)
