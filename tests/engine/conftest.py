"""A virtual clock and a store in memory. What is about crashes and durability opens an SQLite store of its own, without threads,
so that time can be virtual."""

import pytest

from vigie.testing import VirtualClock
from vigie.testing.memory import MemoryStore


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()
