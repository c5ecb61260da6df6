"""A virtual clock and a real store in a scratch folder, used from the test's own thread so that time can be virtual."""

from pathlib import Path

import pytest

from vigie.stores.sqlite import SqliteStore
from vigie.testing import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "vigie.db", threads=False)
