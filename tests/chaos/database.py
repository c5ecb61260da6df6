"""What a run left in the database: SQLite or PostgreSQL, by the tables that both have."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.chaos.verdict import IncidentRow, NoticeRow

_INCIDENTS = "SELECT id, monitor, severity, started_at, closed_at, alert FROM incident ORDER BY started_at"
_NOTICES = "SELECT key, alert, monitor, reason, state FROM outbox ORDER BY id"


async def rows(address: str, began: int) -> tuple[list[IncidentRow], list[NoticeRow]]:
    """Incidents and notices of the script's services, with instants since its beginning."""
    both = await _postgresql(address) if address.startswith("postgresql:") else _sqlite(Path(address))
    incidents = [
        IncidentRow(one[0], one[1], one[2], one[3] - began, None if one[4] is None else one[4] - began, one[5])
        for one in both[0]
        if _is_ours(one[1])
    ]
    return incidents, [NoticeRow(*one) for one in both[1] if _is_ours(one[2])]


def _is_ours(monitor: str) -> bool:
    return len(monitor) == 3 and monitor[0] == "s" and monitor[1:].isdigit()


def _sqlite(file: Path) -> tuple[list[Any], list[Any]]:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(_INCIDENTS).fetchall(), connection.execute(_NOTICES).fetchall()


async def _postgresql(address: str) -> tuple[list[Any], list[Any]]:
    import asyncpg

    connection = await asyncpg.connect(address, server_settings={"search_path": "vigie"})
    try:
        return [tuple(one) for one in await connection.fetch(_INCIDENTS)], [tuple(one) for one in await connection.fetch(_NOTICES)]
    finally:
        await connection.close()


async def holder(address: str, lease: str) -> str | None:
    """Who holds a lease, by a PostgreSQL database; None where nobody does, or it cannot be asked."""
    import asyncpg

    try:
        connection = await asyncpg.connect(address, server_settings={"search_path": "vigie"}, timeout=3)
        try:
            found = await connection.fetchval("SELECT holder FROM lease WHERE name = $1 ORDER BY epoch DESC LIMIT 1", lease)
            return None if found is None else str(found)
        finally:
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return None
