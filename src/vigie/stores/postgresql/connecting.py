"""A connection to the server that takes writes: each host in its turn, TLS as libpq means it, and the settings of a session.

Settings are made by statements once the connection is there: a pooler in between refuses, or drops, what it does not know of a start.
"""

import contextlib
import os
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
from asyncpg import exceptions as pg

from vigie.errors import StoreError, StoreFault
from vigie.net import system_ca_file
from vigie.stores.postgresql import Config
from vigie.stores.postgresql.address import FILES
from vigie.stores.postgresql.errors import unsuitable, words_of

Connection = Any  # asyncpg comes without types
MARGIN = 5.0  # seconds after the server's time-out, for a server that does not answer any more
_GONE_SECONDS = 10  # without a sign of life from the other machine: a connection to it is over, here and there
_KEEPALIVE = {"IDLE": 4, "INTVL": 2, "CNT": 3}  # seconds, seconds, times: as good as _GONE_SECONDS where nothing is under way
# After these another host may do better: a machine that is gone, a server that starts or stops. A wrong password is wrong everywhere.
_ELSEWHERE = (OSError, TimeoutError, EOFError, pg.CannotConnectNowError, pg.PostgresConnectionError, pg.AdminShutdownError)
_TAKES_WRITES = "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'"
_TIMELINE = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"


class Connector:
    """Makes connections, one after the other; of several hosts it begins with the one that took writes last.

    `patience` is how many seconds all hosts together may take; without it each has `connect_timeout`.
    """

    def __init__(self, config: Config, idle_ms: int, patience: float | None) -> None:
        self._config, self._hosts = config, list(config.hosts)
        self._seconds = config.connect_timeout if patience is None else patience / len(config.hosts)
        seconds = min(config.statement_timeout, patience or config.statement_timeout)
        settings = {
            "search_path": f'"{config.schema}"',
            "statement_timeout": round(seconds * 1000),
            "idle_in_transaction_session_timeout": idle_ms,
            "default_transaction_isolation": "'read committed'",  # what is done alone says so, and a conflict would be an error
            "tcp_user_timeout": _GONE_SECONDS * 1000,  # a machine that is cut off holds nothing that others wait for
            **{f"tcp_keepalives_{name}": _KEEPALIVE[key] for name, key in (("idle", "IDLE"), ("interval", "INTVL"), ("count", "CNT"))},
        }
        self._settings = "; ".join(f"SET {name} TO {value}" for name, value in settings.items())

    async def connect(self) -> Connection:
        """To the only host, or to the first of several that takes writes. Raises StoreError, and what the driver raises."""
        failed: dict[tuple[str, int], BaseException | str] = {}
        for place in tuple(self._hosts):
            try:
                made = await self._connected(place)
            except _ELSEWHERE as error:
                if len(self._hosts) == 1 or isinstance(error, ssl.SSLError):
                    raise
                failed[place] = error
                continue
            if len(self._hosts) == 1 or await made.fetchval(_TAKES_WRITES):
                self._hosts.sort(key=lambda one: one != place)
                return made
            made.terminate()
            failed[place] = "takes no writes"
        raise self._none(failed)

    def _none(self, failed: Mapping[tuple[str, int], BaseException | str]) -> StoreError:
        """The error where none of several hosts will do."""
        what = "; ".join(f"{host}:{port} {_why(error)}" for (host, port), error in failed.items())
        if all(isinstance(one, str) for one in failed.values()):
            fix = "promote one of them, or turn off default_transaction_read_only for this role or database"
            return StoreError(StoreFault.READ_ONLY, f"{self._config.shown}: none of the servers takes writes", fix)
        fix = "start the primary, or promote a standby; what was committed is not lost, and Vigie goes on once one takes writes"
        return StoreError(StoreFault.UNREACHABLE, f"{self._config.shown}: no server takes writes: {what}", fix)

    async def _connected(self, place: tuple[str, int]) -> Connection:
        one = self._config
        tls = _trusting(one.tls)
        if missing := [file for name, file in tls.items() if name in FILES and not Path(file).is_file()]:  # noqa: ASYNC240 - in a thread of its own
            raise unsuitable(one.shown, f"the file {missing[0]} does not exist", "correct sslrootcert, sslcert or sslkey of `store`")
        made: Connection = await asyncpg.connect(
            f"postgresql://?{urlencode(tls)}" if tls else None,
            host=[place[0]],
            port=[place[1]],
            user=one.user or None,
            password=one.password.reveal() or None,
            database=one.database,
            timeout=self._seconds,
            command_timeout=one.statement_timeout + MARGIN,
            server_settings={"application_name": one.application_name},
            target_session_attrs="any",
        )
        try:
            _notice_its_end(made)
            await made.execute(self._settings)
            await made.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=_number, format="text")
        except BaseException:  # also when cancelled: a connection that is not set up must not stay open
            made.terminate()
            raise
        return made


def _why(error: BaseException | str) -> str:
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    return error if isinstance(error, str) else f"cannot be reached ({words_of(error)})"


async def timeline_of(connection: Connection) -> str | None:
    """Which history the server writes: another one after a standby was promoted. None where it does not say."""
    try:
        return str(await connection.fetchval(_TIMELINE))
    except asyncpg.PostgresError:  # a standby, or a service that has no such function
        return None


def _notice_its_end(connection: Connection) -> None:
    """Have the system end a connection to a machine that is gone; otherwise that takes it a quarter of an hour."""
    sock = connection._transport.get_extra_info("socket")  # noqa: SLF001 - the driver has no setting for it
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wanted = {f"TCP_KEEP{key}": value for key, value in _KEEPALIVE.items()} | {"TCP_USER_TIMEOUT": _GONE_SECONDS * 1000}
    for name, value in wanted.items():
        if hasattr(socket, name):  # not on every system
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _number(text: str) -> int | float:
    """A sum or an average, which PostgreSQL counts in decimals."""
    return float(text) if "." in text or "N" in text else int(text)


def _trusting(tls: Mapping[str, str]) -> dict[str, str]:
    """The options with the authorities of this machine where `verify-full` names none, or `system`.

    `verify-ca` gets none: whoever has a certificate of a public authority, for whatever name, would be trusted.
    """
    named = tls.get("sslrootcert") or os.environ.get("PGSSLROOTCERT") or _own_authorities()
    if tls.get("sslmode") == "verify-full" and named in (None, "system") and (found := system_ca_file()) is not None:
        return {**tls, "sslrootcert": found}
    return dict(tls)


def _own_authorities() -> str | None:
    """Where libpq looks for them, if they are there."""
    with contextlib.suppress(RuntimeError):  # a user without a home
        path = Path.home() / ".postgresql" / "root.crt"
        return str(path) if path.is_file() else None
    return None
