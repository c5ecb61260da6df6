"""`vigie replay`: what it prints of a history, of a proposed policy, and of what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Done

Run = Callable[..., Done]
START = 1_767_225_600


@pytest.fixture
def history(folder: Path) -> Path:
    """A day at a pace of ten seconds: three blips of forty seconds, hours apart, and one outage of half an hour."""
    bad = [(7_200, 7_240), (21_600, 21_640), (43_200, 43_240), (60_000, 61_800)]
    rows = (f"{START + t},Shop,{'down' if any(a <= t < b for a, b in bad) else 'up'}" for t in range(0, 86_400, 10))
    path = folder / "history.csv"
    path.write_text("time,monitor,status\n" + "\n".join(rows) + "\n")
    return path


def test_of_a_csv_it_counts_outages_and_false_notices_and_suggests_a_confirm(vigie: Run, quick: Path, history: Path) -> None:
    quick.write_text(quick.read_text().replace("confirm: 2", "confirm: 3"))
    done = vigie("replay", "--from", str(history))

    assert done.status == 0, done.out + done.err
    assert "Outages (2m or longer): 1. Blips (shorter): 3." in done.out + done.err
    assert "Shop: `confirm: 5`, 3 fewer false, longest time to notify 0.7 min instead of 0.3 min" in done.out + done.err
    assert "missed outages                               0" in done.out + done.err


def test_a_proposed_policy_is_compared_with_todays(vigie: Run, quick: Path, history: Path, folder: Path) -> None:
    (folder / "proposed.yaml").write_text("alerts: {default: {confirm: 1m, to: [mail]}}\n")
    done = vigie("replay", "--from", str(history), "--policy", "proposed.yaml", "--format", "json")

    assert done.status == 0, done.out + done.err
    said = json.loads(done.out)
    assert [one["reason"] for one in said["today"]["notices"]] == ["opened", "recovered"] * 4
    assert [one["reason"] for one in said["proposed"]["notices"]] == ["opened", "recovered"]
    assert (len(said["today"]["false"]), len(said["proposed"]["false"]), said["proposed"]["longest_ms"]) == (3, 0, 60_000)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--policy", "bad.yaml"], "bad.yaml:1: alerts.default.confirm: a whole number from 1 to 100"),
        (["--policy", "web.yaml"], "only `alerts:` is expected here"),
        (["--policy", "none.yaml"], "none.yaml"),
        (["--since", "soon"], "--since: 'soon' is neither a duration nor a date"),
        (["--blip", "short"], "--blip: 'short' is not a duration"),
        (["--monitor", "nope"], "has no monitor 'nope'"),
        (["--since", "2027-01-01"], "nothing is recorded"),
    ],
)
def test_what_is_wrong_is_said(vigie: Run, quick: Path, history: Path, folder: Path, arguments: list[str], said: str) -> None:
    (folder / "bad.yaml").write_text("alerts: {default: {confirm: 5q}}\n")
    (folder / "web.yaml").write_text("web: {enabled: false}\n")
    done = vigie("replay", "--from", str(history), *arguments)

    assert done.status == 3
    assert said in done.out + done.err


def test_without_a_database_it_says_what_to_run(vigie: Run, quick: Path) -> None:
    done = vigie("replay")

    assert done.status == 3
    assert "there is no database" in done.out + done.err
