"""Alerts of a store over SQL, a page at a time."""

import json
from typing import Any

from vigie.ports import AlertFilter, AlertRow
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.incident_rows import INCIDENT, incident_of

_OPEN = "SELECT alert FROM incident WHERE closed_at IS NULL"


def find_alerts(db: Db, wanted: AlertFilter, limit: int, before: str | None) -> list[AlertRow]:
    """Newest first. An alert is the incident that has its id; a row keeps its rowid as long as it lives."""
    conditions, values = _conditions(wanted)
    if before is not None:
        conditions.append("(opened_at, rowid) < (SELECT opened_at, rowid FROM incident WHERE id = ?)")
        values.append(before)
    where = " AND ".join(["alert = id", *conditions])
    sql = f"SELECT {INCIDENT} FROM incident WHERE {where} ORDER BY opened_at DESC, rowid DESC LIMIT ?"
    firsts = [incident_of(row) for row in db.fetch(sql, (*values, limit))]
    sizes = _sizes(db, [one.id for one in firsts])
    return [AlertRow(one, *sizes[one.id]) for one in firsts]


def _conditions(wanted: AlertFilter) -> tuple[list[str], list[Any]]:
    conditions, values = list[str](), list[Any]()
    if wanted.open_only:
        conditions.append(f"id IN ({_OPEN})")
    if wanted.over_only:
        conditions.append(f"id NOT IN ({_OPEN})")
    if wanted.monitors is not None:
        conditions.append("id IN (SELECT alert FROM incident WHERE monitor IN (SELECT value FROM json_each(?)))")
        values.append(json.dumps(sorted(wanted.monitors)))
    if wanted.causes is not None:
        conditions.append("cause IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(sorted(wanted.causes)))
    if wanted.severity is not None:
        conditions.append("severity = ?")
        values.append(wanted.severity.value)
    return conditions, values


def _sizes(db: Db, alerts: list[str]) -> dict[str, tuple[int, int]]:
    """How many members each alert has, and how many of them are open."""
    sql = "SELECT alert, count(*), count(*) - count(closed_at) FROM incident WHERE alert IN (SELECT value FROM json_each(?)) GROUP BY alert"
    return {alert: (size, still) for alert, size, still in db.fetch(sql, (json.dumps(alerts),))}
