"""`vigie maintenance` and `vigie oncall`: what they keep, what they say, and what they refuse."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from typer.testing import CliRunner

from vigie.cli import maintenance, oncall
from vigie.errors import ConfigError, VigieError
from vigie.planning.maintenance import StartedMaintenance
from vigie.stores.sqlite.store import SqliteStore

Run = Callable[..., Any]
NOW = 1_795_938_000_000  # 2026-11-29 07:40 UTC, a Sunday
HOUR, DAY = 3_600_000, 86_400_000
FILE = """\
timezone: UTC
llm: {provider: none}
notify: {chat: {type: webhook, url: https://h.test/}}
people: {anna: {channels: [chat]}, bob: {notify: {sms: {type: webhook, url: https://h.test/b}}}}
oncall:
  primary: {people: [anna, bob], starts: 2026-11-23 09:00, overrides: [{from: 2026-11-29 06:00, until: 2026-11-29 12:00, person: bob}]}
  lone: {people: [anna], starts: 2026-11-23 09:00}
maintenance: [{every: sun 02:00, for: 2h, why: backups, tags: [db]}, {from: 2026-01-01, for: 1h}]
monitors: [{name: Shop, url: https://a.test/}, {name: Base, url: https://b.test/, tags: [db]}]
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Both groups of commands in a folder, at a known time; `clock` moves it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vigie.yaml").write_text(FILE)
    at = [NOW]
    for module in (maintenance, oncall):
        monkeypatch.setattr(module, "_now", lambda: at[0])

    def call(*arguments: str, later: int = 0) -> Any:
        at[0] += later
        app = maintenance.app if arguments[0] != "oncall" else oncall.app
        return CliRunner().invoke(app, list(arguments[1:] if arguments[0] == "oncall" else arguments))

    return call


def kept(path: Path) -> list[StartedMaintenance]:
    async def read() -> list[StartedMaintenance]:
        store = SqliteStore(path / "vigie.db", threads=False)
        try:
            return await store.catalog.maintenance(0)
        finally:
            await store.close()

    return asyncio.run(read())


def test_maintenance_is_started_listed_and_ended(run: Run, tmp_path: Path) -> None:
    begun = run("start", "90m", "--monitor", "Shop", "--tag", "db", "--why", "new  disk", "--by", "ann")
    assert begun.stdout == "Maintenance m1 until 2026-11-29 09:10:00 UTC, on 2 of 2 monitors. To end it early: vigie maintenance end m1\n"
    assert kept(tmp_path) == [StartedMaintenance(1, NOW, NOW + 90 * 60_000, ("shop",), ("db",), "new disk", "ann")]

    listed = [re.split(r"  +", line) for line in run("list").stdout.splitlines()]
    assert listed[1] == ["maintenance[0]", "planned", "2026-12-06 02:00:00 UTC", "2026-12-06 04:00:00 UTC", "Base", "backups"]
    assert listed[2] == ["maintenance[1]", "over", "all"]
    assert listed[3] == ["m1", "under way, 1 h 30 min left", "2026-11-29 07:40:00 UTC", "2026-11-29 09:10:00 UTC", "2", "new disk (ann)"]

    assert run("end", "m1", later=HOUR).stdout.startswith("m1 is over.")
    assert [one.end for one in kept(tmp_path)] == [NOW + HOUR]
    assert "m1" not in run("list").stdout


def test_a_window_of_the_file_that_is_under_way_is_listed_as_such(run: Run) -> None:
    assert "maintenance[0]  under way, 20 min left" in run("list", later=7 * DAY - 4 * HOUR).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["end", "m7"], "no such maintenance: m7"),
        (["end", "shop"], "no such maintenance: shop"),
        (["end", "maintenance[0]"], "maintenance[0] is in "),
        (["start", "banana"], "'banana' is not a duration"),
        (["start", "0"], "maintenance takes from 1m to 365d, not 0"),
        (["start", "400d"], "maintenance takes from 1m to 365d, not 400d"),
        (["oncall", "ics", "secondary"], "there is no rotation 'secondary'"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], said: str, run: Run) -> None:
    run("start", "1h")

    done = run(*arguments)

    assert isinstance(done.exception, VigieError)
    assert said in str(done.exception)


def test_what_is_over_is_not_ended_again(run: Run) -> None:
    run("start", "1h")

    done = run("end", "m1", later=2 * HOUR)

    assert str(done.exception) == "m1 ended at 2026-11-29 08:40:00 UTC"


def test_every_name_that_nobody_has_is_named_with_the_nearest(run: Run, tmp_path: Path) -> None:
    done = run("start", "1h", "--monitor", "Shup", "--tag", "dbb")

    assert isinstance(done.exception, ConfigError)
    assert [(one.message, one.fix) for one in done.exception.faults] == [
        ("no monitor has the name or id 'Shup'", "did you mean 'Shop'?"),
        ("no monitor has the tag 'dbb'", "did you mean 'db'?"),
    ]
    assert not (tmp_path / "vigie.db").exists()


@pytest.mark.parametrize("arguments", [["oncall"], ["oncall", "show"]])
def test_who_is_on_call_is_shown_with_who_comes_next(arguments: list[str], run: Run) -> None:
    assert run(*arguments).stdout.splitlines() == [
        "primary: bob (bob.sms), until 2026-11-29 12:00:00 UTC",
        "  then anna, from 2026-11-29 12:00:00 UTC to 2026-11-30 09:00:00 UTC",
        "  then bob, from 2026-11-30 09:00:00 UTC to 2026-12-07 09:00:00 UTC",
        "  then anna, from 2026-12-07 09:00:00 UTC to 2026-12-14 09:00:00 UTC",
        "lone: anna (chat), always",
    ]


def _events(text: str) -> list[tuple[str, str, Any, Any]]:
    found: list[Any] = Calendar.from_ical(text).walk("VEVENT")
    return [(str(one["uid"]), str(one["summary"]), one["dtstart"].dt, one["dtend"].dt) for one in found]


def test_the_calendar_keeps_the_names_of_its_shifts(run: Run) -> None:
    first, later = (run("oncall", "ics", "primary", "--days", "10", later=at) for at in (0, HOUR))

    events = [_events(text.stdout) for text in (first, later)]
    assert events[0] == events[1]
    assert [f"{start:%d %H:%M} {end:%d %H:%M} {who}" for _, who, start, end in events[0]] == [
        "29 06:00 29 12:00 bob (primary)",
        "29 12:00 30 09:00 anna (primary)",
        "30 09:00 07 09:00 bob (primary)",
        "07 09:00 14 09:00 anna (primary)",
    ]
    assert len({uid for uid, *_ in events[0]}) == 4
    assert first.stdout.count("DTSTAMP:20261129T074000Z") == 4
    assert "\r\n" in first.stdout_bytes.decode()


def test_without_rotations_it_says_how_to_write_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text("monitors: [https://a.test/]\n")

    done = run("oncall")

    assert "no rotation is configured" in str(done.exception)
    assert run("list").stdout == "No maintenance is planned.\n"
