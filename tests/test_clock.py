"""The clock that nobody sets."""

from pathlib import Path

import pytest

from vigie.clock import SteadyClock, SystemClock, boot, elapsed
from vigie.remote import steady
from vigie.state import State


def test_it_goes_on_from_what_the_wall_clock_said_once() -> None:
    passed = [10.0]
    clock = SteadyClock(1_767_225_600_000, lambda: passed[0])
    assert clock.now() == 1_767_225_610_000
    passed[0] += 3_600.5
    assert clock.now() == 1_767_229_210_500


@pytest.mark.skipif(elapsed() is None or not boot(), reason="this system does not tell one start of it from another")
def test_an_agent_that_starts_again_goes_on_with_the_clock_that_it_had(tmp_path: Path) -> None:
    wall = SystemClock()
    first = steady(wall, State(tmp_path / "state"))
    assert abs(first.now() - wall.now()) < 1_000

    class Set(SystemClock):
        def now(self) -> int:
            return super().now() + 7_200_000

    again = steady(Set(), State(tmp_path / "state"))
    assert abs(again.now() - wall.now()) < 1_000
    other = steady(Set(), State(tmp_path / "other"))
    assert abs(other.now() - wall.now() - 7_200_000) < 1_000


def test_another_start_of_the_machine_begins_with_the_wall_clock_anew(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    assert state.booted_at("one", 1_000) == 1_000
    assert state.booted_at("one", 2_000) == 1_000
    assert state.booted_at("two", 3_000) == 3_000
    assert State(tmp_path / "state").booted_at("two", 4_000) == 3_000
    assert state.booted_at("", 5_000) == 5_000  # a system that does not tell its starts apart


def test_what_cannot_be_read_or_kept_costs_nothing(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    for content in ("", "{}", "[1]", '["one", "x"]', "null"):
        state.restore("boot.json", content.encode())
        assert state.booted_at("one", 2_000) == 2_000
    (tmp_path / "file").write_text("")
    assert State(tmp_path / "file" / "state").booted_at("one", 2_000) == 2_000
