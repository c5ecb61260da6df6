"""A PostgreSQL server for the tests of stores: started with the first that wants it, once in each process of the suite."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from vigie.testing.postgres_server import PostgresServer, postgres, servers

SERVERS = servers()


@pytest.fixture(scope="session")
def postgres_servers() -> Iterator[Callable[[str], PostgresServer]]:
    """Gives the server of a name of `SERVERS`."""
    with ExitStack() as ends:
        running: dict[str, PostgresServer] = {}

        def named(name: str) -> PostgresServer:
            if name not in running:
                running[name] = ends.enter_context(postgres(SERVERS[name]))
            return running[name]

        yield named


@pytest.fixture(scope="session")
def server(postgres_servers: Callable[[str], PostgresServer]) -> PostgresServer:
    """The newest server there is."""
    return postgres_servers(next(iter(SERVERS)))
