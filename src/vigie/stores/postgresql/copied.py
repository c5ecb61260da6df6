"""The database as tables, for `vigie store copy`."""

from collections.abc import Sequence
from functools import partial

import msgspec

from vigie.stores.kit.sql.tables import Tables
from vigie.stores.postgresql import Config, partitions
from vigie.stores.postgresql.db import PgDb
from vigie.stores.postgresql.migrate import migrate

_IDLE_MS = 600_000  # the other database may be slow
_SECONDS = 3_600  # that a statement may take: a table is counted, and emptied, in one
_OWN = ("schema_version",)
_SEQUENCES = (
    "SELECT a.attname, pg_get_serial_sequence(quote_ident(c.relname), a.attname) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
    "AND a.attnum > 0 WHERE c.oid = to_regclass($1) AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL"
)


def tables(config: Config) -> Tables:
    """Opened, and made where there are none. Raises StoreError."""
    db = PgDb(msgspec.structs.replace(config, statement_timeout=_SECONDS), idle_ms=_IDLE_MS)
    try:
        migrate(db, config)
        known = {name: table for name, table in db.tables().items() if name not in _OWN}
    except BaseException:
        db.close()
        raise
    return Tables(db, known, partial(partitions.cover, db), partial(_settle, db))


def _settle(db: PgDb, names: Sequence[str]) -> None:
    with db.transaction(durable=True):
        for name in names:
            for column, sequence in db.fetch(_SEQUENCES, (f'"{name}"',)):
                db.fetch(f'SELECT setval($1::text::regclass, coalesce(max("{column}"), 0) + 1, false) FROM "{name}"', (sequence,))
