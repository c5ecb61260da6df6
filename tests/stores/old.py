"""Databases that an earlier version of Vigie made, kept as text, and what that version said of them (fixtures/v1-*)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from vigie.stores.sqlite.store import SqliteStore
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel

from . import as_plain
from .at_work import Vigie

Plain = dict[str, Any]
FIXTURES = Path(__file__).parent / "fixtures"


@dataclass(frozen=True)
class Old:
    """One of them: its statements, and what was said of it."""

    name: str
    script: str
    said: Plain

    def restore(self, path: Path) -> Path:
        """The database anew, at `path`."""
        connection = apsw.Connection(str(path))
        for _ in connection.execute(self.script):
            pass
        connection.close()
        return path


def read(name: str) -> Old:
    """One of them by name."""
    script, said = ((FIXTURES / f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("sql", "json"))
    return Old(name, script, json.loads(said))


def names() -> list[str]:
    """All of them."""
    return sorted(path.stem for path in FIXTURES.glob("v1-*.sql"))


async def holds(path: Path, said: Plain) -> Plain:
    """What is said of a database at the instant at which it was left."""
    store = SqliteStore(path, threads=False)
    monitors = [one["id"] for one in said["monitors"]]
    found = await as_plain.everything(store, said["left_at"], monitors, said["models"])
    await store.close()
    plain: Plain = json.loads(json.dumps(found))
    return plain


async def goes_on(path: Path, said: Plain) -> Plain:
    """What happens when Vigie is started again on a database, while every channel works: who is notified, and how it ends."""
    then = said["then"]
    start = said["left_at"] + then["after_s"] * 1_000
    clock = VirtualClock(start)
    store = SqliteStore(path, threads=False, monotonic=clock.monotonic)
    monitors = [one for one in said["monitors"] if one["id"] not in then["removed"]]
    vigie = Vigie(store, clock, monitors, {name: FakeChannel(clock) for name in said["channels"]}, weekly_to=said["weekly_to"])
    await vigie.start()
    for job, what in then["pings"]:
        await vigie.ping(job, what)
    await vigie.watch(then["checks"], then["lasts_s"])
    notified = vigie.notified(start)
    ended = {
        "incidents": await as_plain.incidents_of(store),
        "states": await as_plain.states_of(store),
        "unsent": await as_plain.unsent_of(store),
        "given up": await as_plain.given_up_of(store),
        "blind": await as_plain.blind_of(store),
        "jobs": {one: as_plain.job_of(found) for one, found in sorted((await store.inbox.jobs()).items())},
    }
    await vigie.stop()
    plain: Plain = json.loads(json.dumps({"notified": notified, **ended}))
    return plain
