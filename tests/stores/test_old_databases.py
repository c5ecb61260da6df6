"""A database of an earlier version is taken up as it was left: nothing of it is lost, and what was under way goes on as it would have.

The fixtures are what the program of commit f03e05c made and said (tools/old_databases.py); they are never made anew. What follows the
program stands in as_plain.py (how a store is read) and at_work.py (how the engine is put together).
"""

from pathlib import Path
from typing import Any

import apsw
import pytest

from vigie.core.model import CheckResult
from vigie.observation.rollup import Retention
from vigie.stores.sqlite.store import SqliteStore

from .old import goes_on, holds, names, read

pytestmark = pytest.mark.virtual

SLACK_MS = 2_000  # by which what happens after a start may come earlier or later than it did
_AN_INSTANT = 1_000_000_000_000  # numbers from here on are epoch ms


@pytest.mark.parametrize("name", names())
async def test_all_that_it_holds_is_read_as_before(name: str, tmp_path: Path) -> None:
    old = read(name)

    found = await holds(old.restore(tmp_path / "vigie.db"), old.said)

    for part, expected in _said(old.said).items():
        assert found[part] == expected, part


@pytest.mark.parametrize("name", names())
async def test_it_is_read_the_same_when_it_is_opened_a_second_time(name: str, tmp_path: Path) -> None:
    """What a migration left is as good as what it was made from."""
    old = read(name)
    path = old.restore(tmp_path / "vigie.db")
    await SqliteStore(path, threads=False).close()

    assert await holds(path, old.said) == _said(old.said)


def _said(said: dict[str, Any]) -> dict[str, Any]:
    """What was said of it, less what is not kept with an end any more: whether people were notified of it, which the deliveries say.

    And less the number of the next run, which follows the clock now.
    """
    ends = ("recovered", "closed")
    timeline = {
        incident: [{key: one[key] for key in one if key != "notified" or one["what"] not in ends} for one in entries]
        for incident, entries in said["holds"]["timeline"].items()
    }
    kept = {name: one for name, one in said["holds"].items() if name != "next run"}
    return {**kept, "timeline": timeline}


@pytest.mark.timeout(240)  # the whole engine on virtual time: three quarters of a minute on a busy machine
@pytest.mark.parametrize("name", names())
async def test_what_was_under_way_goes_on_and_the_same_people_are_notified_at_the_same_time(name: str, tmp_path: Path) -> None:
    old = read(name)
    expected = old.said["goes on"]

    found = await goes_on(old.restore(tmp_path / "vigie.db"), old.said)

    ours, theirs = (sorted(one, key=_thread) for one in (found["notified"], [*expected["notified"], *_called_off(old.said)]))
    assert [_who(one) for one in ours] == [_who(one) for one in theirs]
    for one, before in zip(ours, theirs, strict=True):
        assert abs(one["after_ms"] - before["after_ms"]) <= SLACK_MS, one
    for part in expected.keys() - {"notified"}:
        assert _alike(found[part], expected[part]), (part, found[part], expected[part])


def _called_off(said: dict[str, Any]) -> list[dict[str, Any]]:
    """What that version did not send yet: the end of an alert, to each failover channel that was notified of its opening."""
    earlier = [one["key"] for entries in said["holds"]["deliveries"].values() for one in entries if one["fault"] is None]
    later = said["goes on"]["notified"]
    instead = {tuple(key.split(":opened:instead:")) for key in (*earlier, *(one["key"] for one in later)) if ":opened:instead:" in key}
    ends = {one["thread"]: one for one in later if one["reason"] == "recovered"}
    return [
        {**ends[thread], "channel": channel, "key": f"{thread}:recovered:instead:{channel}"}
        for thread, channel in sorted(instead)
        if thread in ends
    ]


def _thread(notice: dict[str, Any]) -> tuple[str, str]:
    """Within one, order matters; what else leaves at the same instant is in no order."""
    return notice["channel"], notice["thread"]


def _who(notice: dict[str, Any]) -> tuple[str, ...]:
    return tuple(notice[part] for part in ("channel", "thread", "reason", "key"))


def _alike(found: Any, expected: Any) -> bool:
    """The same, but for instants a little earlier or later, and for runs, which follow the clock now."""
    if isinstance(expected, dict) and "order" in expected:
        found, expected = ({**one, "order": one["order"] & 0xFFFF_FFFF} for one in (found, expected))
    if isinstance(expected, dict):
        return isinstance(found, dict) and found.keys() == expected.keys() and all(_alike(found[one], expected[one]) for one in expected)
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(_alike, found, expected))
    if isinstance(expected, int) and expected >= _AN_INSTANT and isinstance(found, int):
        return abs(found - expected) <= SLACK_MS
    return bool(found == expected)


def _count(path: Path, sql: str) -> int:
    connection = apsw.Connection(str(path))
    (found,) = next(iter(connection.execute(sql)))
    connection.close()
    return int(found)


@pytest.mark.parametrize(
    ("name", "holding"),
    [
        ("v1-incidents", "incident WHERE closed_at IS NULL AND acked_by IS NOT NULL"),
        ("v1-incidents", "incident WHERE closed_at IS NOT NULL AND closed_by IS NOT NULL"),
        ("v1-incidents", "outbox WHERE reason = 'reminder'"),
        ("v1-incidents", "incident WHERE severity = 'degradation' AND closed_at IS NULL"),
        ("v1-notices", "outbox WHERE state = 'waiting' AND attempts > 0"),
        ("v1-notices", "outbox WHERE state = 'waiting' AND lease_until > 0"),
        ("v1-notices", "outbox WHERE state = 'waiting' AND due_at > at AND attempts = 0"),
        ("v1-notices", "outbox WHERE state = 'waiting' AND key LIKE '%:instead:%'"),
        ("v1-notices", "outbox WHERE state = 'waiting' AND reason = 'report'"),
        ("v1-notices", "outbox WHERE state = 'waiting' AND reason = 'availability'"),
        ("v1-notices", "outbox WHERE state = 'waiting' AND reason = 'blind'"),
        ("v1-notices", "outbox WHERE state = 'delivered' AND reason = 'buried'"),
        ("v1-notices", "outbox WHERE state = 'buried'"),
        ("v1-notices", "blind WHERE quiet"),
        ("v1-jobs", "ping WHERE taken = 0"),
        ("v1-jobs", "inbox WHERE kind = 'Acked'"),
        ("v1-jobs", "inbox WHERE kind = 'Resolved'"),
        ("v1-jobs", "job"),
        ("v1-history", "baseline"),
        ("v1-history", "blind WHERE until IS NULL"),
        ("v1-history", "remark"),
        ("v1-history", "evaluation"),
        ("v1-history", "report"),
    ],
)
def test_the_fixtures_hold_what_they_were_made_for(name: str, holding: str, tmp_path: Path) -> None:
    path = read(name).restore(tmp_path / "vigie.db")

    assert _count(path, "SELECT user_version FROM pragma_user_version") == 4
    assert _count(path, f"SELECT count(*) FROM {holding}") > 0


@pytest.mark.parametrize("name", names())
async def test_its_results_go_to_chunks_and_none_is_lost(name: str, tmp_path: Path) -> None:
    """Also those that were packed before locations and sequences were."""
    store = SqliteStore(read(name).restore(tmp_path / "vigie.db"), threads=False)
    before = await _recorded(store)
    while await store.history.compact(max((one.at for one in before), default=0) + 5 * 86_400_000, Retention()):
        pass
    assert store.ledger._worker.db.fetch("SELECT count(*) <= 1 FROM hot") == [(1,)]
    found = await _recorded(store)
    assert {repr(one) for one in found} == {repr(one) for one in before}, "what is the same in every respect, and has no number, is one"
    await store.close()


async def _recorded(store: SqliteStore) -> list[CheckResult]:
    found, after = await store.archive.recorded(0)
    while after:
        more, after = await store.archive.recorded(0, after)
        found += more
    return found
