"""A resolver that is closed at the end, and a clock for its cache that the test moves."""

import socket
from collections.abc import Iterator

import pytest

from vigie.net import Resolver


class Hands:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def resolver(hands: Hands) -> Iterator[Resolver]:
    """Its cache lives on a clock that stands still."""
    made = Resolver(monotonic=hands)
    yield made
    made.close()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
