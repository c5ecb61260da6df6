"""The store of several servers: a PostgreSQL database, version 14 to 18. docs/postgresql.md says how to set it up."""

import getpass
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self
from urllib.parse import urlencode

import msgspec

from vigie.errors import VigieError
from vigie.net import Secret
from vigie.ports import Store, StoredDefinition
from vigie.stores import StoreDeps
from vigie.stores.postgresql.address import parts_of

if TYPE_CHECKING:
    from vigie.stores.kit.sql.tables import Tables

_NO_COPY = "back up the database itself: pg_dump --format=custom --schema={schema} {database}; docs/postgresql.md says how it is restored"
_TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslpassword")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the database is, and how it is reached."""

    hosts: Annotated[
        tuple[tuple[str, int], ...], msgspec.Meta(description="Servers and their ports; of several, the one that takes writes.")
    ]
    database: Annotated[str, msgspec.Meta(description="The database.", examples=["vigie"])]
    user: Annotated[str, msgspec.Meta(description="The role; by default PGUSER, or the user of the system.")] = ""
    password: Annotated[Secret, msgspec.Meta(description="Its password; by default PGPASSWORD, or ~/.pgpass.")] = Secret("")
    schema: Annotated[str, msgspec.Meta(description="The schema that holds the tables.")] = "vigie"
    pool: Annotated[int, msgspec.Meta(description="Connections of a process, 2 to 4.")] = 4
    connect_timeout: Annotated[int, msgspec.Meta(description="Seconds to connect.")] = 10
    statement_timeout: Annotated[int, msgspec.Meta(description="Seconds that a statement may take.")] = 30
    application_name: Annotated[str, msgspec.Meta(description="How the server calls the connections.")] = "vigie"
    tls: Annotated[dict[str, str], msgspec.Meta(description="sslmode and the files of certificates, as libpq calls them.")] = {}

    @classmethod
    def of(cls, address: str, base: Path) -> Self:
        """From `postgresql://user:password@host:port/database?option=value`. Raises ValueError, which never shows the password."""
        found = parts_of(address, base)
        options = found.options
        numbers = {name: int(options[name]) for name in ("pool", "connect_timeout", "statement_timeout") if name in options}
        words = {name: options[name] for name in ("schema", "application_name") if name in options}
        tls = {name: options[name] for name in _TLS if name in options}
        password = Secret(found.password)
        return cls(hosts=found.hosts, database=found.database, user=found.user, password=password, tls=tls, **numbers, **words)  # type: ignore[arg-type] # numbers and words by their names

    @property
    def file(self) -> None:
        """Not a file of this machine."""
        return

    @property
    def role(self) -> str:
        """The role, also where the address does not name it."""
        return self.user or os.environ.get("PGUSER") or getpass.getuser()

    @property
    def shown(self) -> str:
        """As people read it: without the password, and what else is usual."""
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        schema = "" if self.schema == "vigie" else f"?{urlencode({'schema': self.schema})}"
        return f"postgresql://{f'{self.user}@' if self.user else ''}{hosts}/{self.database}{schema}"


def definitions(config: Config) -> Sequence[StoredDefinition]:
    """What a page or the API made, for whoever reads the configuration: nothing is made, migrated or locked. Raises StoreError."""
    from vigie.stores.postgresql.reading import read

    return read(config)


def copy(config: Config, target: Path, size: Callable[[int], None]) -> int:  # noqa: ARG001 - every store's `copy` takes them
    """A copy is made by the tools of PostgreSQL. Raises VigieError, which names them."""
    raise VigieError(f"{config.shown} is not a file on this machine", _NO_COPY.format(schema=config.schema, database=config.database))


def examine(path: Path) -> int:
    """There is no copy that is a file. Raises VigieError."""
    raise VigieError(f"{path} is not a copy of a PostgreSQL store", "restore it with pg_restore")


def tables(config: Config) -> "Tables":
    """The database as tables, for copying; made where there are none. Raises StoreError."""
    from vigie.stores.postgresql import copied

    return copied.tables(config)


def build(config: Config, deps: StoreDeps) -> Store:
    """Open the store, making or migrating it. Raises StoreError."""
    from vigie.stores.postgresql.store import PostgresqlStore  # whoever reads the configuration needs no driver

    return PostgresqlStore(config, monotonic=deps.clock.monotonic, prompt=deps.prompt)
