"""The schema, brought up to date: numbered files, forward only, each one transaction, under a lock that all servers share.

A file has the number of the SQLite store's migration that it equals. Each only adds, so that a server of an earlier version goes on
meanwhile; where one must not, the first line of the file says from which version on: `-- needs: 31`. docs/decisions/0070 says how.
"""

import logging
import re
import time
from contextlib import closing
from pathlib import Path

import msgspec
from asyncpg.exceptions import LockNotAvailableError

from vigie.errors import StoreError, StoreFault
from vigie.stores.postgresql import Config
from vigie.stores.postgresql.db import PgDb
from vigie.stores.postgresql.errors import MIXED, OLDEST, unsuitable

log = logging.getLogger("vigie.store")

MIGRATIONS = Path(__file__).parent / "migrations"
_NEEDS = re.compile(r"-- needs: (\d+)\n")
_SECONDS = 3_600  # that a migration may take, and that others wait for it
# Whoever waits for a table keeps everybody else from it: it is asked for shortly, and again, while a dump or a report reads it for long.
_LOCK_SECONDS, _TRIES, _REST_SECONDS = 2, 15, 2.0
_SERVER = (
    "SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_setting('server_encoding'), "
    "pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'"
)
_VERSION = (
    "CREATE TABLE IF NOT EXISTS schema_version "
    "(version BIGINT PRIMARY KEY, needs BIGINT NOT NULL, taken_at TIMESTAMPTZ NOT NULL DEFAULT now())"
)


def migrate(db: PgDb, config: Config, folder: Path = MIGRATIONS) -> int:
    """Take every migration that the database lacks; the version now in force.

    Raises StoreError: NEWER for a database that needs a newer program, UNSUITABLE for a server that Vigie cannot work with.
    """
    check_server(db, config)
    files = {int(file.name[:4]): file for file in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))}
    newest = max(files)
    version = known_version(db, config, newest)
    if version < newest:
        with closing(PgDb(msgspec.structs.replace(config, statement_timeout=_SECONDS))) as patient:
            _take_all(patient, config, files)
    db.tidy()
    return max(version, newest)


def newest() -> int:
    """The version of the schema that this program brings."""
    return max(int(file.name[:4]) for file in MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))


def check_server(db: PgDb, config: Config) -> None:
    """Raise StoreError where the server is one that Vigie cannot work with."""
    _check_session(db, config)
    number, name, encoding, replica, read_only = db.fetch(_SERVER)[0]
    if number < OLDEST:
        raise unsuitable(config.shown, f"PostgreSQL {name} is too old", "install PostgreSQL 14 or a later one")
    if encoding != "UTF8":
        fix = f"make another one: createdb --owner={config.role} --encoding=UTF8 --template=template0 {config.database}"
        raise unsuitable(config.shown, f"the encoding of the database is {encoding}, not UTF8", fix)
    if replica or read_only:
        what = "the server is a replica, which takes no writes" if replica else "the database is read-only for this role"
        fix = (
            "name the primary in `store`, or all servers: a.example.org,b.example.org"
            if replica
            else "turn off default_transaction_read_only for this role or database"
        )
        raise StoreError(StoreFault.READ_ONLY, f"{config.shown}: {what}", fix)


def _check_session(db: PgDb, config: Config) -> None:
    """A pooler that gives each transaction whatever session is free mixes up what is set and prepared for one."""
    announced, actual = db.session()
    if announced == actual:  # nothing in between
        return
    with closing(PgDb(config)) as other:
        theirs = {other.session()[1]}
        if not theirs.isdisjoint({actual, db.session()[1]}):
            raise unsuitable(config.shown, *MIXED)


def known_version(db: PgDb, config: Config, newest: int) -> int:
    """The version of the schema, 0 where there is none. Raises StoreError(NEWER) for one that this program must not work with."""
    if not db.fetch("SELECT 1 WHERE to_regclass($1) IS NOT NULL", (f'"{config.schema}".schema_version',)):
        return 0
    version, needs = db.fetch("SELECT coalesce(max(version), 0), coalesce(max(needs), 0) FROM schema_version")[0]
    if needs > newest:
        message = f"{config.shown} was taken over by a newer Vigie (schema {version}, this program knows {newest})"
        raise StoreError(StoreFault.NEWER, message, "install that version, or a newer one; a backup of before brings the older one back")
    return int(version)


def _take_all(db: PgDb, config: Config, files: dict[int, Path]) -> None:
    """One after the other, unless another process took them meanwhile."""
    if not db.fetch("SELECT 1 FROM pg_namespace WHERE nspname = $1", (config.schema,)):
        with db.transaction(durable=True, alone="migration"):
            db.script(f'CREATE SCHEMA IF NOT EXISTS "{config.schema}"')
    for number, file in files.items():
        _take_when_free(db, number, file, min(files))


def _take_when_free(db: PgDb, number: int, file: Path, oldest: int) -> None:
    """One, as soon as nobody reads for long what it changes. Raises StoreError, BUSY where that takes too long."""
    for attempt in range(_TRIES):
        try:
            _take(db, number, file, oldest)
        except StoreError as error:
            if not isinstance(error.__cause__, LockNotAvailableError) or attempt + 1 == _TRIES:
                raise
            if not attempt:
                log.warning("the tables cannot be brought up to date while somebody reads them; this is tried for a minute: %s", error)
            time.sleep(_REST_SECONDS)
        else:
            return


def _take(db: PgDb, number: int, file: Path, oldest: int) -> None:
    """One, unless another process took it meanwhile."""
    with db.transaction(durable=True, alone="migration"):
        db.script(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'; {_VERSION}")
        if not db.fetch("SELECT 1 FROM schema_version WHERE version >= $1", (number,)):
            text = file.read_text(encoding="utf-8")
            db.script(text)
            found = _NEEDS.match(text)
            db.execute("INSERT INTO schema_version (version, needs) VALUES ($1, $2)", (number, int(found[1]) if found else oldest))
