"""The statements of a commit, and of what a start reads. What they mean is said by vigie.ports.Ledger."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from vigie.core.alert import AlertState
from vigie.core.incident import DetectionState
from vigie.core.members import NOBODY, Member, Members
from vigie.core.model import CheckResult, Incident
from vigie.errors import StoreError, StoreFault
from vigie.fleet import packed
from vigie.learning.baseline import Baseline
from vigie.ports import Commit, Lease, Snapshot
from vigie.stores.kit.records import decode, encode
from vigie.stores.kit.sql import catalog, defined, outbox
from vigie.stores.kit.sql.archive import find_incidents, find_members
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.fleet import check_lease
from vigie.stores.kit.sql.incident_rows import INCIDENT
from vigie.stores.kit.sql.locations import add_locations, location_numbers
from vigie.stores.kit.sql.tables import COPYING

_INCIDENT_MARKS = ", ".join("?" * len(INCIDENT.split(", ")))
_INCIDENT_AGAIN = ", ".join(f"{name} = excluded.{name}" for name in INCIDENT.split(", ")[1:])
_ALL = 9_223_372_036_854_775_807
_FINISH = "run the same `vigie store copy` again, or name another store"
_RUNS_SINCE, _MAX_RUN = 1_735_689_600, 2**31 - 2**24  # 2025; in the order of results a run has 31 bits, of which a wrong clock leaves some


def next_run(db: Db, now: int) -> int:
    """One more than the last, and at least the second of the clock: what was given out since the backup that was restored is not again."""
    sql = "INSERT INTO meta VALUES ('run', ?1) ON CONFLICT (name) DO UPDATE SET value = max(meta.value + 1, ?1) RETURNING value"
    with db.transaction(durable=True):
        return int(db.fetch(sql, (min(max(now // 1000 - _RUNS_SINCE, 1), _MAX_RUN),))[0][0])


def load(db: Db) -> Snapshot:
    """What is on the disk. Raises StoreError where a copy into this store is not finished."""
    if db.fetch("SELECT 1 FROM meta WHERE name = ?", (COPYING,)):
        raise StoreError(StoreFault.UNSUITABLE, "a copy into this store is not finished", _FINISH)
    states = {monitor: decode(body, DetectionState) for monitor, body in db.fetch("SELECT monitor, body FROM monitor_state")}
    cursors = {agent: (run, sequence) for agent, run, sequence in db.fetch("SELECT agent, run, sequence FROM cursor")}
    alerts = tuple(_alert(db, decode(body, AlertState)) for (body,) in db.fetch("SELECT body FROM alert WHERE open = 1 ORDER BY id"))
    return Snapshot(states, alerts, tuple(find_incidents(db, True, _ALL)), cursors, baselines(db))


def _alert(db: Db, stored: AlertState) -> AlertState:
    """With its members, which are the incidents that name it."""
    found = find_members(db, stored.id)
    members = Members(Member(one.id, one.monitor, one.closed_at is None, one.severity) for one in found)
    return replace(stored, members=members)


def baselines(db: Db) -> dict[str, Baseline]:
    """Every baseline that can be read; the others are learnt anew."""
    found: dict[str, Baseline] = {}
    for monitor, body in db.fetch("SELECT monitor, body FROM baseline"):
        with contextlib.suppress(StoreError):
            found[monitor] = decode(body, Baseline)
    return found


def _with_new_locations(db: Db, results: Sequence[CheckResult], known: Mapping[str, int]) -> Mapping[str, int]:
    """The numbers of all locations of these results; a location gets one when it is first seen."""
    fresh = dict.fromkeys(one.location for one in results if one.location not in known)
    if not fresh:
        return known
    add_locations(db, fresh)
    return location_numbers(db)


class Numbers(NamedTuple):
    """The numbers that packed results have for names; `monitors` None where a commit did not change them."""

    monitors: dict[str, int] | None
    locations: Mapping[str, int]


def write(
    db: Db,
    change: Commit,
    newest: Sequence[CheckResult],
    numbers: Mapping[str, int],
    locations: Mapping[str, int],
    lease: Lease | None = None,
    *,
    durable: bool,
) -> Numbers:
    """One transaction, refused where the lease is no longer its holder's; the numbers as they are after it.

    `newest` are good results whose facts a start must know.
    """
    with db.transaction(durable=durable):
        if lease is not None:
            check_lease(db, lease, holding=False)
        locations = _with_new_locations(db, change.results, locations)
        made = [packed.pack(part, numbers, locations) for part in packed.parts(change.results)]
        came = [(one.base, one.count, one.body) for one in packed.joined(change.packed)]
        db.bulk("INSERT INTO hot (base, count, body) VALUES (?, ?, ?)", [row for row in (*made, *came) if row[1]])
        db.bulk("INSERT OR REPLACE INTO monitor_state VALUES (?, ?)", [(state.monitor, encode(state)) for state in change.states])
        db.bulk("INSERT OR REPLACE INTO alert VALUES (?, ?, ?)", [(one.id, int(one.is_open), encode(_bare(one))) for one in change.alerts])
        db.bulk("INSERT OR REPLACE INTO cursor VALUES (?, ?, ?)", change.cursors)
        db.bulk("INSERT OR REPLACE INTO baseline VALUES (?, ?)", [(monitor, encode(known)) for monitor, known in change.baselines])
        rows = [(one.number, one.monitor, one.cause, one.start, one.until, int(one.quiet), one.location) for one in change.blind]
        db.bulk("INSERT OR REPLACE INTO blind (number, monitor, cause, start, until, quiet, location) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        spans = [(one.key, one.start, one.end, encode(one)) for one in change.maintenance]
        db.bulk("INSERT OR REPLACE INTO maintenance_span (key, start, until, body) VALUES (?, ?, ?, ?)", spans)
        details = [(result.monitor, result.at, int(result.is_good), encode(result)) for result in change.details]
        db.bulk("INSERT INTO detail (monitor, at, good, body) VALUES (?, ?, ?, ?)", details)
        known = [(result.monitor, result.at) for result in change.details]
        db.bulk(
            "INSERT INTO watched VALUES (?, ?) ON CONFLICT (monitor) DO UPDATE SET since = excluded.since "
            "WHERE excluded.since < watched.since",
            known,
        )
        kept = [(result.monitor, result.location, encode(result)) for result in newest]
        db.bulk("INSERT OR REPLACE INTO newest (monitor, location, body) VALUES (?, ?, ?)", kept)
        db.bulk(
            f"INSERT INTO incident ({INCIDENT}) VALUES ({_INCIDENT_MARKS}) ON CONFLICT (id) DO UPDATE SET {_INCIDENT_AGAIN}",
            [_incident_row(one) for one in change.incidents],
        )
        events = [(entry.incident, entry.at, type(entry.decision).__name__, encode(entry.decision)) for entry in change.timeline]
        db.bulk("INSERT INTO incident_event (incident, at, kind, body) VALUES (?, ?, ?, ?)", events)
        outbox.enqueue(db, change.outbox)
        db.bulk("DELETE FROM inbox WHERE id = ?", [(number,) for number in change.commands])
        if change.watched is not None:
            catalog.write_monitors(db, change.watched)
        db.bulk("INSERT OR REPLACE INTO job VALUES (?, ?)", [(job.monitor, encode(job)) for job in change.jobs])
        defined.write(db, change.definitions, change.undefined)
        if lease is not None:  # held at the end only: whoever renews or claims it waits for nothing but the commit itself
            check_lease(db, lease)
    return Numbers(None if change.watched is None else catalog.monitor_numbers(db), locations)


def _bare(one: AlertState) -> AlertState:
    """Without its members: a storm changes an alert thousands of times."""
    return replace(one, members=NOBODY)


def _incident_row(one: Incident) -> tuple[Any, ...]:
    return (
        one.id, one.monitor, one.severity, one.cause, one.started_at, one.opened_at, one.closed_at, one.acked_by, one.closed_by, one.note,
        one.subject, one.alert, one.failures, one.pattern,
    )  # fmt: skip
