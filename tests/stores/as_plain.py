"""What a store says, in plain values that JSON holds: names of the field, no names of classes.

This part follows the program when its ports change; what it returns for a database of an earlier version does not (fixtures/v1-*.json).
Instants are epoch ms.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from vigie.core.alert import AlertState, Phase
from vigie.core.events import (
    Acked,
    AckRecorded,
    Cleared,
    Closed,
    Decision,
    Disclosed,
    Opened,
    PersonEvent,
    Recovered,
    Reminded,
    Suspected,
    Withheld,
)
from vigie.core.incident import DetectionState, Track
from vigie.core.model import CheckResult, Incident
from vigie.learning.baseline import Baseline
from vigie.observation.heartbeat import Job, Ping
from vigie.observation.visibility import Blind
from vigie.ports import Delivery, OutboxRow, OutboxState, Store, StoredReport, TimelineEntry
from vigie.report.history import Remark
from vigie.report.scores import Scores

Plain = dict[str, Any]
_HOUR_MS = 3_600_000


async def everything(store: Store, now: int, monitors: list[str], models: list[str]) -> Plain:
    """All that a store holds at `now`. It leases what is due, so it is for a copy."""
    incidents = await incidents_of(store)
    names = [one["id"] for one in incidents]
    about = [*names, *sorted({row["incident"] for row in await unsent_of(store)} - set(names))]
    return {
        "incidents": incidents,
        "open": [one["id"] for one in await incidents_of(store, open_only=True)],
        "states": await states_of(store),
        "timeline": {one: await timeline_of(store, one) for one in names},
        "unsent": await unsent_of(store),
        "given up": await given_up_of(store),
        "deliveries": {one: await deliveries_of(store, one) for one in about},
        "reports": {one: await report_of(store, one) for one in names},
        "remarks": await remarks_of(store, names),
        "scores": {one: await scores_of(store, one) for one in models},
        "baselines": await baselines_of(store),
        "blind": await blind_of(store),
        "cursors": {agent: list(cursor) for agent, cursor in sorted((await store.ledger.load()).cursors.items())},
        "watched since": dict(sorted((await store.archive.watched_since()).items())),
        "last results": {one: result_of(found) for one, found in sorted((await store.archive.last_results()).items())},
        "last whole results": {one: await whole_of(store, one, now) for one in monitors},
        "jobs": {one: job_of(found) for one, found in sorted((await store.inbox.jobs()).items())},
        "pings": {one: [ping_of(found) for found in await store.inbox.pings(one)] for one in monitors},
        "left pings": [[monitor, ping_of(found)] for _, monitor, found in await store.inbox.waiting_pings()],
        "listened": await store.inbox.listened(),
        "next due": await store.ledger.next_due(),
        **await _by_taking(store, now),
    }


async def _by_taking(store: Store, now: int) -> Plain:
    """What is seen only by taking it. A lease of no length hides nothing from the next look."""
    return {
        "left commands": [command_of(one.monitor, one.event) for one in await store.inbox.commands()],
        "due at once": [row.notice.key for row in await store.ledger.claim(now, 0, 1_000, now)],
        "due within the hour": sorted(row.notice.key for row in await store.ledger.claim(now + _HOUR_MS, 0, 1_000, now + _HOUR_MS)),
    }


async def incidents_of(store: Store, *, open_only: bool = False) -> list[Plain]:
    """Newest first."""
    return [incident_of(one) for one in await store.archive.incidents(open_only=open_only, limit=1_000)]


def incident_of(one: Incident) -> Plain:
    """A span of trouble."""
    return {
        "id": one.id,
        "monitor": one.monitor,
        "severity": str(one.severity),
        "cause": str(one.cause),
        "started": one.started_at,
        "opened": one.opened_at,
        "closed": one.closed_at,
        "acknowledged by": one.acked_by,
        "closed by": one.closed_by,
        "note": one.note,
    }


async def states_of(store: Store) -> Plain:
    """What is remembered of each monitor: where it stands, who was notified, what comes next."""
    known = await store.ledger.load()
    alerts = {one.id: one for one in known.alerts}
    return {monitor: state_of(found, alerts) for monitor, found in sorted(known.states.items())}


def state_of(state: DetectionState, alerts: Mapping[str, AlertState]) -> Plain:
    """Detection and notification of one monitor."""
    tracks = (state.outage, state.degradation)
    wakes = [alerts[one.incident].wake_at for one in tracks if one.is_open]
    return {
        "order": max(((one.run << 32) + one.sequence for one in state.views), default=0),
        "ordinal": state.ordinal,  # of the newest incident
        "status": None if state.status is None else str(state.status),
        "cause": None if state.cause is None else str(state.cause),
        "at": state.at,
        "wake at": min((at for at in wakes if at is not None), default=None),
        "outage": _track_of(state.outage, alerts),
        "degradation": _track_of(state.degradation, alerts),
    }


def _track_of(track: Track, alerts: Mapping[str, AlertState]) -> Plain:
    """`in a row` counts failures while suspected, good checks while recovering; what follows only means something while it is open."""
    counts = str(track.phase) in ("suspected", "recovering")
    found: Plain = {"phase": str(track.phase), "in a row": track.count if counts else 0, "newest incident": track.incident}
    if counts or track.is_open:
        found |= {"since": track.since}
    if track.is_open:
        alert = alerts[track.incident]
        found |= {
            "opening notified": alert.announced,
            "acknowledged": alert.phase in (Phase.ACKED, Phase.WITHHELD_ACKED),
            "reminders": alert.reminders,
            "remind at": alert.remind_at,
        }
    return found


async def timeline_of(store: Store, incident: str) -> list[Plain]:
    """Oldest first."""
    about = await store.archive.incident(incident)
    return [decision_of(one, str(about.severity) if about else "") for one in await store.archive.timeline(incident)]


_WHAT: dict[type[Decision], str] = {
    Suspected: "suspected",
    Cleared: "cleared",
    Opened: "opened",
    Disclosed: "disclosed",
    Reminded: "reminded",
    AckRecorded: "acknowledged",
    Recovered: "recovered",
    Closed: "closed",
    Withheld: "withheld",
}


def decision_of(entry: TimelineEntry, severity: str) -> Plain:
    """One decision. `notified`: people were notified of this one; of an end the deliveries say it."""
    found, one = {"at": entry.at, "what": _WHAT[type(entry.decision)], "severity": severity}, entry.decision
    match one:
        case Opened():
            return found | {"started": one.started_at, "cause": str(one.cause), "notified": one.page}
        case Reminded():
            return found | {"number": one.number}
        case AckRecorded():
            return found | {"by": one.by}
        case Closed():
            return found | {"by": one.by, "note": one.note}
        case _:
            return found


async def unsent_of(store: Store) -> list[Plain]:
    """What still has to be sent, oldest first."""
    return [notice_of(row) for row in await store.ledger.outbox(OutboxState.WAITING)]


async def given_up_of(store: Store) -> list[Plain]:
    """What could not be delivered, oldest first."""
    return [notice_of(row) for row in await store.ledger.outbox(OutboxState.UNDELIVERABLE)]


def notice_of(row: OutboxRow) -> Plain:
    """One notice. Its `key` stays what it was: whoever got it before is not notified again."""
    one = row.notice
    return {
        "key": one.key,
        "incident": one.alert,  # or the thread of what is about no incident
        "monitor": one.monitor,
        "channel": one.channel,
        "reason": str(one.reason),
        "at": one.at,
        "due": row.due_at,
        "failed attempts": row.attempts,
    }


async def deliveries_of(store: Store, incident: str) -> list[Plain]:
    """Every attempt, oldest first."""
    return [delivery_of(one) for one in await store.archive.deliveries(incident)]


def delivery_of(one: Delivery) -> Plain:
    """One attempt; `fault` is None when the channel took it."""
    return {
        "key": one.key,
        "channel": one.channel,
        "at": one.at,
        "attempt": one.attempt,
        "fault": one.failure,
        "answer": one.answer,
        "took ms": one.duration_ms,
    }


async def report_of(store: Store, incident: str) -> Plain | None:
    """The evidence and what a model made of it."""
    found: StoredReport | None = await store.archive.report(incident)
    if found is None:
        return None
    analysis = found.analysis
    return {
        "made": found.made_at,
        "fault": found.fault,
        "facts": [
            [one.id, str(one.evidence.kind), one.evidence.name, one.evidence.value, one.evidence.en, one.evidence.fr]
            for one in found.bundle.facts
        ],
        "analysis": None
        if analysis is None
        else {
            "model": analysis.model,
            "language": analysis.language,
            "sentences": list(analysis.sentences),
            "dropped": [[one.rule, one.text] for one in analysis.dropped],
            "cause": analysis.cause,
            "local": analysis.local,
        },
    }


async def remarks_of(store: Store, incidents: list[str]) -> list[Plain]:
    """What people said afterwards, oldest first."""
    return [remark_of(one) for one in await store.catalog.remarks(incidents)]


def remark_of(one: Remark) -> Plain:
    """One remark."""
    return {"incident": one.incident, "at": one.at, "by": one.by, "helpful": one.helpful, "cause": one.cause, "note": one.note}


async def scores_of(store: Store, model: str) -> list[Plain]:
    """How a model did, newest first."""
    return [_scores_of(one) for one in await store.catalog.scores(model)]


def _scores_of(one: Scores) -> Plain:
    shares = {name: [share.count, share.whole] for name, share in sorted(one.shares.items())}
    return {
        "model": one.model,
        "mode": one.mode,
        "language": one.language,
        "at": one.at,
        "digest": one.digest,
        "shares": shares,
        "dropped": one.dropped,
        "medians": one.medians,
        "rate": one.rate,
        "good enough": one.good_enough,
    }


async def baselines_of(store: Store) -> Plain:
    """What is usual for each monitor."""
    return {monitor: _baseline_of(found) for monitor, found in sorted((await store.ledger.load()).baselines.items())}


def _baseline_of(known: Baseline) -> Plain:
    season = known.season
    return {
        "hours": season.hours,
        "week": season.week.hex(),
        "spread": season.spread.hex(),
        "peak": [season.peak, season.worst],
        "hour": [known.hour, known.slot],
        "samples": known.samples.hex(),
        "limit ms": None if known.limit == float("inf") else round(known.limit, 3),
        "slow checks": [known.score, known.since, known.told],
        "slow": msgspec.to_builtins(known.slow),
        "page": known.page.hex(),
        "another page": None if known.strange is None else [known.strange.signs, known.strange.hours, known.strange.shape.hex()],
    }


async def blind_of(store: Store) -> list[Plain]:
    """The spans in which Vigie could not see, oldest first."""
    return [_blind_of(one) for one in await store.archive.blinds(0)]


def _blind_of(one: Blind) -> Plain:
    """`monitor` is empty where it concerned all; an `intended` one was a stop that somebody asked for."""
    return {
        "number": one.number,
        "start": one.start,
        "end": one.until,
        "cause": str(one.cause),
        "monitor": one.monitor,
        "intended": one.quiet,
    }


async def whole_of(store: Store, monitor: str, now: int) -> list[Plain | None]:
    """The newest good and the newest bad result that were kept whole."""
    return [
        None if one is None else result_of(one)
        for one in [await store.archive.last_detail(monitor, good=good, before=now) for good in (True, False)]
    ]


def result_of(one: CheckResult) -> Plain:
    """One check, as far as packed results and whole ones agree on it (their order is kept only with whole ones)."""
    times = one.timings
    return {
        "at": one.at,
        "status": str(one.status),
        "cause": None if one.cause is None else str(one.cause),
        "message": one.message,
        "phases": [times.dns, times.connect, times.tls, times.first_byte, times.transfer, times.total],
        "figures": one.figures,
        "address": one.address,
        "http": None if one.http is None else [one.http.status, one.http.version, one.http.headers],
        "tls": None if one.tls is None else [one.tls.version, one.tls.expires_at, len(one.tls.chain)],
        "advice": list(one.advice),
        "location": one.location,
    }


def job_of(job: Job) -> Plain:
    """A job that reports in."""
    return {
        "since": job.since,
        "schedule": job.schedule,
        "ended": None if job.ended is None else [str(job.ended), job.ended_at, job.exit_status, job.took_ms],
        "started": job.started_at,
        "runs": [[one.run, one.at, one.since] for one in job.runs],
        "may have been unheard": job.deaf,
    }


def ping_of(ping: Ping) -> Plain:
    """One ping."""
    return {"at": ping.at, "what": str(ping.signal), "run": ping.run, "exit": ping.exit_status, "took ms": ping.took_ms, "body": ping.body}


def command_of(monitor: str, left: PersonEvent) -> Plain:
    """What a person asked for by the command line."""
    what = "acknowledge" if isinstance(left, Acked) else "resolve"
    return {"monitor": monitor, "what": what, "at": left.at, "by": left.by, "note": getattr(left, "note", "")}
