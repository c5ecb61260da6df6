"""The ways in which a server can be wrong, as errors that say what to do. None of them shows a password."""

import os
import socket
import ssl

import asyncpg
from asyncpg import exceptions as pg

from vigie.errors import StoreError, StoreFault

OLDEST = 140_000
GONE: tuple[type[BaseException], ...] = (
    OSError, TimeoutError, EOFError, asyncpg.InterfaceError, pg.PostgresConnectionError, pg.CannotConnectNowError, pg.AdminShutdownError,
    pg.CrashShutdownError, pg.IdleInTransactionSessionTimeoutError,
)  # fmt: skip
# What is the case, and what to do, where a pooler gives each transaction another session.
MIXED = ("a pooler in between does not keep the session", "set `pool_mode = session` in PgBouncer, or name the server itself in `store`")
# After these a connection is of no more use: it has ended, nobody answers on it, or it leads to a server that takes no writes (any more).
OVER: tuple[type[BaseException], ...] = (
    OSError, TimeoutError, EOFError, pg.PostgresConnectionError, pg.CannotConnectNowError, pg.AdminShutdownError, pg.CrashShutdownError,
    pg.IdleInTransactionSessionTimeoutError, pg.ReadOnlySQLTransactionError,
)  # fmt: skip
# Errors by class, the special before the general: (kinds, fault, what is the case, what to do). `{0}` is what PostgreSQL said.
_RESTART = "start PostgreSQL, or correct the host and port of `store`; what was committed is not lost, and Vigie goes on once it answers"
_TABLE: tuple[tuple[tuple[type[BaseException], ...], StoreFault, str, str], ...] = (
    ((ssl.SSLCertVerificationError,), StoreFault.UNSUITABLE, "its certificate is not trusted: {0}", "name the authority with ?sslrootcert=, and the host as the certificate does"),
    ((ssl.SSLError,), StoreFault.UNSUITABLE, "TLS fails: {0}", "see ssl in the server's settings, and sslmode, sslrootcert, sslcert and sslkey of `store`"),
    ((asyncpg.ClientConfigurationError,), StoreFault.UNSUITABLE, "it cannot be connected to as the address says: {0}", "name the authority with ?sslrootcert= (or `system` with verify-full), and correct sslmode, sslcert and sslkey of `store`"),
    ((pg.InvalidPasswordError, pg.InvalidAuthorizationSpecificationError), StoreFault.AUTH, "the login is refused: {0}", "correct user and password of `store` (or PGPASSWORD), or allow the role in the server's pg_hba.conf; where that wants TLS or a certificate: ?sslmode=require, ?sslcert= and ?sslkey="),
    ((pg.InvalidCatalogNameError,), StoreFault.UNSUITABLE, "{0}", "make it: createdb --owner={user} --encoding=UTF8 --template=template0 {database}"),
    ((pg.DuplicatePreparedStatementError, pg.InvalidSQLStatementNameError), StoreFault.UNSUITABLE, *MIXED),
    ((pg.ProtocolViolationError,), StoreFault.UNSUITABLE, "it refuses the connection: {0}", "correct `store`, or the settings of the pooler in between"),
    ((pg.TooManyConnectionsError,), StoreFault.BUSY, "it takes no more connections: {0}", "raise max_connections of the server, or lower ?pool= of `store` (2 to 4)"),
    ((pg.ReadOnlySQLTransactionError,), StoreFault.READ_ONLY, "it takes no writes: {0}", "name the primary in `store`, or all servers (a.example.org,b.example.org), or turn off default_transaction_read_only for this role"),
    ((pg.InsufficientPrivilegeError,), StoreFault.READ_ONLY, "the role may not do what Vigie must: {0}", 'as a superuser: CREATE SCHEMA {schema} AUTHORIZATION "{user}"; a schema that is there already must belong to this role, with its tables'),
    ((pg.DiskFullError,), StoreFault.FULL, "its disk is full: {0}", "free space on the disk of the server; nothing that was committed is lost"),
    ((pg.DataCorruptedError, pg.IndexCorruptedError), StoreFault.CORRUPT, "the database is damaged: {0}", "see the server's log, and restore a backup"),
    ((pg.UndefinedTableError, pg.UndefinedColumnError), StoreFault.CORRUPT, "tables are missing: {0}", "restore a backup, or name another database"),
    ((pg.QueryCanceledError,), StoreFault.BUSY, "a statement took longer than {timeout} s", "see what else the server does (pg_stat_activity), or raise ?statement_timeout= of `store`"),
    ((pg.LockNotAvailableError, pg.DeadlockDetectedError, pg.SerializationError), StoreFault.BUSY, "somebody else holds what must be changed: {0}", "it is tried again; see pg_locks if it stays so"),
    ((pg.CannotConnectNowError,), StoreFault.UNREACHABLE, "{0}", "wait until it has started"),
    ((TimeoutError,), StoreFault.UNREACHABLE, "it does not answer in time", _RESTART),
    (GONE, StoreFault.UNREACHABLE, "it cannot be reached: {0}", _RESTART),
    ((pg.OutOfMemoryError,), StoreFault.OTHER, "the server is out of memory: {0}", "give it more, or lower its work_mem"),
)  # fmt: skip


def error_of(error: BaseException, shown: str, **names: object) -> StoreError:
    """An error of the driver or of the system as a StoreError. `names` are user, database, schema and timeout."""
    said = words_of(error)
    for kinds, fault, what, fix in _TABLE:
        if isinstance(error, kinds):
            return StoreError(fault, f"{shown}: {what.format(said, **names)}", fix.format(**names))
    return StoreError(StoreFault.OTHER, f"{shown}: {said}", "see the server's log; nothing that was committed is lost")


def words_of(error: BaseException) -> str:
    """What an error says, in a line: for one of the system its plain words, without the number and the address that the driver adds."""
    if isinstance(error, OSError) and (error.errno or 0) > 0 and not isinstance(error, ssl.SSLError):
        return os.strerror(error.errno or 0)
    if isinstance(error, socket.gaierror):
        return str(error.strerror)
    return " ".join(str(error).split()) or type(error).__name__


def unsuitable(shown: str, what: str, fix: str) -> StoreError:
    """The error for a server that answers, and that Vigie cannot work with."""
    return StoreError(StoreFault.UNSUITABLE, f"{shown}: {what}", fix)
