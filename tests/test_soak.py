"""The soak of `make bench`: its script, its reading of the checks, and that Vigie accepts every monitor of its tables. The run itself is a benchmark."""

import contextlib
import json
from pathlib import Path

from bench.soak import healthy, hostile
from bench.soak.checks import Checks, read
from bench.soak.plan import HOOK_MOODS, MAIL_MOODS, Due, Group, Monitor, cycles, disk_is_full, is_down, login_is_refused, mood
from bench.soak.program import configuration, jobs
from bench.soak.world import World

from vigie.config import load


def spans(holds: list[bool]) -> int:
    """How many times it begins to hold."""
    return sum(now and not before for before, now in zip([False, *holds], holds, strict=False))


def test_everything_that_fails_is_well_at_the_end_and_as_often_as_the_script_says() -> None:
    for seconds in (60, 120, 600):
        times = [tenth / 10 for tenth in range(0, seconds * 10 + 200, 5)]
        for number in range(0, 40, 3):
            assert spans([is_down(number, at, seconds) for at in times]) == cycles(seconds)
            assert not any(is_down(number, at, seconds) for at in times if at > seconds - 15)
        assert not any(disk_is_full(at, seconds) for at in times if at > seconds - 15)
        assert not any(mood(MAIL_MOODS, at, seconds) or mood(HOOK_MOODS, at, seconds) for at in times if at >= seconds)
    assert {mood(MAIL_MOODS, at, 600) for at in range(600)} == {"", *MAIL_MOODS}
    assert {mood(HOOK_MOODS, at, 600) for at in range(600)} == {"", *HOOK_MOODS}
    assert spans([login_is_refused(at, 600) for at in range(600)]) == 1
    assert Due.of(["a", "b"], ("mail", "hook"), 600).total == 2 * 2 * 2 * 10


def test_checks_are_read_and_a_prober_that_was_killed_spoils_nothing(tmp_path: Path) -> None:
    good, bad = Monitor("healthy-1", Group.HEALTHY, {}), Monitor("hostile-2", Group.HOSTILE, {}, "down|unknown")
    lines = ["healthy-1\t900.0\t3000\t0.0\tdown\ttimeout\t0"] * 3 + [
        "hostile-2\t3150.0\t3000\t100.0\tunknown\tprobe.error\t0",
        "late\t80\t50.5",
    ]
    (tmp_path / "checks.7").write_text("\n".join([*lines, "hostile-2\t30"]))
    (tmp_path / "checks.8").write_text("healthy-1\t1.0\t3000\t0.0\tunknown\tprobe.error\t1\n")

    found = read(tmp_path / "checks")

    assert (found.done, found.voided, found.over, found.over_net) == (5, 1, 150.0, 50.0)
    assert (found.late, found.late_net) == ([80.0], [29.5])
    assert list(found.misjudged([good, bad])) == ["healthy-1: expected up, got {'down': 3} (3 timeout)"]
    assert list(Checks().misjudged([good])) == ["healthy-1: no result"]


async def test_vigie_accepts_every_monitor_of_the_tables(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        hostile_world, healthy_world = (World(tmp_path, 60, network, stack) for network in (40, 20))
        await hostile.build(hostile_world)
        await healthy.build(healthy_world, 100)
    others, tokens = jobs()
    monitors = [*hostile_world.monitors, *healthy_world.monitors, *others]
    channels = {name: {"type": "webhook", "url": "http://127.0.0.1:1/"} for name in ("mail", "hook", "calm")}
    (tmp_path / "vigie.yaml").write_text(json.dumps(configuration(monitors, channels, tmp_path, 8080)))

    desired = load(None, {}, tmp_path)

    assert [one.monitor.name for one in desired.monitors] == [one.name for one in monitors]
    assert len({one.name for one in monitors}) == len(monitors) == len({one.monitor.id for one in desired.monitors})
    assert len(tokens) == len(set(tokens))
