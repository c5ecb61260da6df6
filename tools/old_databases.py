"""Makes the databases that tests/stores/test_old_databases.py opens: what an installation of schema 4 may look like when it is updated.

They were made with the program of commit f03e05c (24 November 2026) and are kept. This tool runs only with that program, which commit
6ef5567 still has: after `git worktree add ../then 6ef5567`, `python -m tools.old_databases` writes tests/stores/fixtures/v1-*.sql there,
the databases as statements, and beside each a .json: how it was configured, what the program said of it, and how it went on when it was
started again.
"""
# ruff: noqa: I001 - sorted by the modules that there were then

import json
import logging
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.stores import old
from tests.stores.at_work import Vigie

from vigie.core.events import Acked, Resolved
from vigie.observation.heartbeat import Ping, Signal
from vigie.core.model import PageFacts
from vigie.core.report.history import Remark
from vigie.core.report.scores import Scores, Share
from vigie.errors import DeliveryError, DeliveryReason, ModelError, ModelFault
from vigie.stores.sqlite import SqliteStore
from vigie.testing import VirtualClock, run_virtual
from vigie.testing.fakes import FakeChannel, FakeModel

Plain = dict[str, Any]
MINUTE, HOUR = 60, 3_600
REFUSED = DeliveryError(DeliveryReason.REFUSED, "connection refused", fix="start the mail server")
AUTH = DeliveryError(DeliveryReason.AUTH, "the password was not accepted", fix="use an app password", permanent=True)


def monitor(identity: str, **values: Any) -> Plain:
    """A monitor as the tests read it."""
    usual: Plain = {"id": identity, "name": identity.title(), "every_s": MINUTE, "confirm": 2, "recover": 2, "remind_s": 0, "to": ["mail"]}
    return usual | {"degraded_to": [], "fallback": [], "maintenance": [], "job": None} | values


@dataclass
class Scene:
    """One database to be made. `then` says how the program goes on afterwards, for comparison."""

    name: str
    start: int
    monitors: list[Plain]
    make: Callable[["Scene", Path, VirtualClock], Awaitable[None]]
    then: Plain
    channels: Sequence[str] = ("mail", "chat")
    weekly_to: Sequence[str] = ()
    models: Sequence[str] = ()
    fakes: dict[str, FakeChannel] = field(default_factory=dict)

    async def live(self, path: Path, clock: VirtualClock, **values: Any) -> Vigie:
        """Start a life of the program."""
        self.fakes = self.fakes or {name: FakeChannel(clock) for name in self.channels}
        store = SqliteStore(path, threads=False, monotonic=clock.monotonic)
        vigie = Vigie(store, clock, self.monitors, self.fakes, weekly_to=self.weekly_to, **values)
        await vigie.start()
        return vigie


# Incidents in every stage ------------------------------------------------------------------------------------------------------------

NOON = 1_767_268_800_000  # 2026-01-01T12:00:00Z
TO_3 = [[NOON, NOON + 3 * HOUR * 1_000]]
INCIDENTS = [
    monitor("calm"),
    monitor("shop", to=["mail", "chat"], remind_s=20 * MINUTE),  # open, two channels, two reminders
    monitor("bank", remind_s=10 * MINUTE),  # acknowledged after two reminders
    monitor("wiki", to=["mail", "chat"], remind_s=HOUR, maintenance=TO_3),  # opened inside a window that still holds
    monitor("docs", remind_s=HOUR, maintenance=TO_3),  # the same, and acknowledged already
    monitor("muted", maintenance=TO_3),  # opened and recovered inside that window
    monitor("cdn", recover=4, remind_s=20 * MINUTE),  # seems to recover: two good checks of four
    monitor("api", confirm=3),  # suspected: two failures of three
    monitor("feed", confirm=4, degraded_to=["chat"]),  # a degradation is suspected
    monitor("blog", degraded_to=["chat"], remind_s=30 * MINUTE),  # a degradation is open
    monitor("pair", degraded_to=["chat"]),  # both tracks are open
    monitor("mended"),  # recovered
    monitor("again"),  # closed by a person, and open again
    monitor("former", to=["mail", "chat"]),  # open; removed from the configuration before the next start
]
STAGES = {
    "calm": [(0, "up")],
    "shop": [(0, "up"), (300, "down")],
    "bank": [(0, "up"), (300, "down http.status")],
    "wiki": [(0, "up"), (600, "down")],
    "docs": [(0, "up"), (600, "down")],
    "muted": [(0, "up"), (600, "down"), (1200, "up")],
    "cdn": [(0, "up"), (600, "down timeout.connect"), (2940, "up")],
    "api": [(0, "up"), (2940, "down")],
    "feed": [(0, "up"), (2940, "degraded")],
    "blog": [(0, "up"), (1200, "degraded")],
    "pair": [(0, "up"), (600, "degraded"), (1500, "down")],
    "mended": [(0, "up"), (300, "down"), (900, "up")],
    "again": [(0, "up"), (300, "down"), (1380, "up"), (2400, "down dns.nxdomain")],
    "former": [(0, "up"), (1800, "down")],
}
AFTER_STAGES = {
    "calm": [(0, "up")],
    "shop": [(0, "down"), (3600, "up")],
    "bank": [(0, "down http.status"), (7200, "up")],
    "wiki": [(0, "down"), (12000, "up")],
    "docs": [(0, "down")],
    "muted": [(0, "up")],
    "cdn": [(0, "up")],
    "api": [(0, "down"), (1200, "up")],
    "feed": [(0, "degraded")],
    "blog": [(0, "degraded"), (5400, "up")],
    "pair": [(0, "down"), (300, "degraded"), (1200, "up")],
    "mended": [(0, "up"), (600, "down")],
    "again": [(0, "down dns.nxdomain")],
}


async def incidents(scene: Scene, path: Path, clock: VirtualClock) -> None:
    """Fifty minutes, then a power cut."""
    vigie = await scene.live(path, clock, model=FakeModel(clock))
    await vigie.watch(STAGES, 1200)
    await vigie.ingest.handle("again", Resolved(clock.now(), "ann", "the disk was full"))
    await vigie.watch(STAGES, 600, first=1200)
    for one in ("bank", "docs"):
        await vigie.ingest.handle(one, Acked(clock.now(), "ann"))
    await vigie.watch(STAGES, 1260, first=1800)
    await vigie.kill()


# Notices in every stage --------------------------------------------------------------------------------------------------------------

SUNDAY = 1_767_570_600_000  # 2026-01-04T23:50:00Z: the last week is told on Monday from eight o'clock on
NOTICES = [
    monitor("shop", to=["mail", "chat"], fallback=["sms", "pager"]),
    monitor("bank", to=["sms", "note"], remind_s=5 * MINUTE),
    monitor("slow", to=["hook"]),
    monitor("late", to=["sms", "mail"], degraded_to=["note"]),
]
MORNING = {
    "shop": [(0, "up"), (1200, "down")],
    "bank": [(0, "up"), (960, "down"), (1380, "up")],
    "slow": [(0, "up"), (1440, "down")],
    "late": [(0, "up"), (1500, "down")],
}
UNSEEN = {one: [(480, "unknown")] for one in MORNING}


async def notices(scene: Scene, path: Path, clock: VirtualClock) -> None:
    """A mail server that is down, a chat that refuses the password, a slow hook; an outbox that dies before the program does."""
    vigie = await scene.live(path, clock)
    await vigie.watch(MORNING, 420)
    await vigie.stop()
    await clock.sleep(8 * HOUR)
    scene.fakes["mail"].always = scene.fakes["pager"].always = REFUSED
    scene.fakes["chat"].always = AUTH
    scene.fakes["hook"].always = 25.0
    vigie = await scene.live(path, clock, model=FakeModel(clock, takes=45), hold_ms=10_000)
    await vigie.watch(MORNING, 480)
    await vigie.watch(UNSEEN, 300, first=480)  # Vigie's own link fails
    await vigie.watch(MORNING, 180, first=780)
    await vigie.see({"bank": "down"})
    await clock.sleep(5)
    await vigie.see({"bank": "down"})
    await clock.sleep(15)
    scene.fakes["note"].always = REFUSED  # it has the page; the report that follows it does not get through
    await clock.sleep(40)
    await vigie.watch(MORNING, 480, first=1020)
    await vigie.see({one: steps[-1][1] for one, steps in MORNING.items() if one != "late"})
    await clock.sleep(15)
    await vigie.kill_outbox()  # in the middle of what the hook takes
    await vigie.see({"late": "down"})
    await clock.sleep(20)
    await vigie.see({"late": "down"})
    await vigie.kill()


# Jobs and what people left -----------------------------------------------------------------------------------------------------------

JOB = [HOUR, 10 * MINUTE, 20 * MINUTE]
JOBS = [
    monitor("shop", remind_s=HOUR),
    monitor("bank"),
    *(monitor(one, confirm=1, recover=1, job=JOB) for one in ("backup", "nightly", "sync", "missed", "silent", "retried", "hung")),
]
SHOPS = {"shop": [(0, "up"), (300, "down")], "bank": [(0, "up"), (300, "down")]}


async def jobs(scene: Scene, path: Path, clock: VirtualClock) -> None:
    """A morning of jobs, an hour in which nothing could be heard, and what other processes left meanwhile."""
    vigie = await scene.live(path, clock)
    for one in ("backup", "missed", "sync"):
        await vigie.ping(one, "success")
    await vigie.ping("nightly", "start", "r1")
    await vigie.ping("hung", "start", "r7")
    await vigie.watch(SHOPS, 1800)
    await vigie.ping("nightly", "fail", "r1", 3, "disk full\nsecond line – é")
    await vigie.ping("retried", "fail", status=1)
    await vigie.ping("retried", "success")
    await vigie.ping("backup", "log", body="halfway")
    await vigie.watch(SHOPS, 1680, first=1800)
    for one in ("backup", "sync", "retried"):
        await vigie.ping(one, "success")
    await vigie.watch(SHOPS, 1800, first=3480)
    await vigie.kill()
    await clock.sleep(HOUR)
    vigie = await scene.live(path, clock)
    await vigie.ping("sync", "start", "r2")
    await vigie.watch(SHOPS, 120, first=9000)
    await vigie.kill()
    other = SqliteStore(path, threads=False)
    await other.leave_ping("nightly", Ping(clock.now(), Signal.SUCCESS, "r9", 0, 1250.5, "left by `vigie ping`"))
    await other.leave_ping("nobody", Ping(clock.now(), Signal.START))
    await other.leave("shop", Acked(clock.now(), "ann"))
    await other.leave("bank", Resolved(clock.now(), "bob", "a cable"))
    await other.close()


# What was learnt and measured --------------------------------------------------------------------------------------------------------

HISTORY = [
    monitor("shop", every_s=15 * MINUTE, degraded_to=["chat"], confirm=1, recover=1),
    monitor("bank", every_s=15 * MINUTE, recover=1),
]
QUARTERS = 54 * 4
PAGE = PageFacts("5f" * 16, 24_000, 610, "1f" * 4, "text/html", ("header", "main", "footer"), ("cdn.example",), ("blog.example",))


async def history(scene: Scene, path: Path, clock: VirtualClock) -> None:
    """More than two days of measurements: a slow evening, two outages, a report that failed, a link that is broken at the end."""
    model = FakeModel(clock)
    vigie = await scene.live(path, clock, model=model)
    for quarter in range(QUARTERS):
        bank = "down http.status" if quarter in (20, 21, 22, 60, 61) else f"up {60 + quarter * 7 % 11}ms"
        model.fault = ModelError(ModelFault.UNREACHABLE, "nothing listens on 11434") if quarter > 50 else None
        await vigie.see({"shop": f"up {90 + quarter % 5}ms", "bank": bank}, {"shop": PAGE})
        await clock.sleep(15 * MINUTE)
    for _ in range(9):
        await vigie.see({"shop": "up 790ms", "bank": "up 65ms"}, {"shop": PAGE})
        await clock.sleep(5 * MINUTE)
    for _ in range(5):
        await vigie.see(dict.fromkeys(("shop", "bank"), "unknown probe.resolver"))
        await clock.sleep(MINUTE)
    await vigie.kill()
    await said(SqliteStore(path, threads=False), clock.now())


async def said(store: SqliteStore, now: int) -> None:
    """What people said of incidents, and how models did."""
    await store.remark(Remark("bank-1", now - 50_000, "ann", helpful=True))
    await store.remark(Remark("bank-1", now - 40_000, "a reader (link)", cause="behind_proxy", note="the pool was full – é"))
    await store.remark(Remark("bank-2", now - 30_000, "bob", helpful=False, note="it was the cable"))
    shares = {name: Share(count, 65) for name, count in (("valid", 64), ("accepted", 60), ("obeyed", 0), ("right cause", 41))}
    for at, digest, rate in ((now - 90_000, "a" * 12, 31.5), (now - 20_000, "b" * 12, None)):
        medians = {"load_ms": None, "total_ms": 812.0}
        await store.save_scores(Scores("qwen3:4b", "compose", "en", at, digest, shares, {"number": 3}, medians, rate))
    await store.close()


def scenes() -> list[Scene]:
    """Every database."""
    return [
        Scene("v1-incidents", NOON, INCIDENTS, incidents, then(10, AFTER_STAGES, 4 * HOUR, removed=["former"])),
        Scene(
            "v1-notices",
            SUNDAY,
            NOTICES,
            notices,
            then(10 * MINUTE, {"shop": [(0, "down"), (900, "up")], "bank": [(0, "up")], "slow": [(0, "up")], "late": [(0, "down")]}, HOUR),
            channels=("mail", "chat", "sms", "pager", "note", "hook"),
            weekly_to=("mail", "sms"),
        ),
        Scene(
            "v1-jobs",
            NOON,
            JOBS,
            jobs,
            then(
                30,
                {"shop": [(0, "down"), (3600, "up")], "bank": [(0, "down"), (1800, "up")]},
                3 * HOUR,
                pings=[["silent", "success"], ["sync", "success"]],
            ),
        ),
        Scene(
            "v1-history",
            NOON,
            HISTORY,
            history,
            then(
                40,
                {
                    "shop": [(0, "unknown probe.resolver"), (300, "up 790ms"), (900, "up 91ms")],
                    "bank": [(0, "unknown probe.resolver"), (300, "up 65ms"), (1800, "down http.status")],
                },
                HOUR,
            ),
            models=("qwen3:4b", "unknown"),
        ),
    ]


def then(after_s: int, checks: Plain, lasts_s: int, *, removed: Sequence[str] = (), pings: Sequence[Sequence[str]] = ()) -> Plain:
    """How the program goes on: started so much later, with these checks every minute and these pings at its start."""
    return {"after_s": after_s, "lasts_s": lasts_s, "removed": list(removed), "pings": [list(one) for one in pings], "checks": checks}


def make(scene: Scene, folder: Path) -> None:
    """One database as statements, and what is said of it."""
    path = folder / f"{scene.name}.db"

    async def life() -> int:
        clock = VirtualClock(scene.start)
        await scene.make(scene, path, clock)
        return clock.now()

    left_at = run_virtual(life())
    about = {"monitors": scene.monitors, "channels": list(scene.channels), "weekly_to": list(scene.weekly_to), "models": list(scene.models)}
    found: Plain = {"made by": "f03e05c", **about, "left_at": left_at, "then": scene.then}
    found = json.loads(json.dumps(found))
    script = statements(path)
    found["holds"] = run_virtual(old.holds(copied(path), found))
    found["goes on"] = run_virtual(old.goes_on(copied(path), found))
    (old.FIXTURES / f"{scene.name}.sql").write_text(script, encoding="utf-8")
    (old.FIXTURES / f"{scene.name}.json").write_text(laid_out(found) + "\n", encoding="utf-8")
    print(scene.name, len(script), "characters of SQL")


def copied(path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copy(path, path.with_suffix(".copy")))


def statements(path: Path) -> str:
    """A database as the statements that make it, its version included; text, so that it can be reviewed."""
    connection = sqlite3.connect(path)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    lines = [*connection.iterdump(), f"PRAGMA user_version = {version};"]
    connection.close()
    return "\n".join(lines) + "\n"


def laid_out(value: Any, indent: int = 0) -> str:
    """JSON in which what fits stands on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent <= 140 or not isinstance(value, dict | list) or not value:
        return flat
    pad, named = " " * (indent + 1), isinstance(value, dict)
    items = value.items() if isinstance(value, dict) else [("", one) for one in value]
    parts = [f"{pad}{json.dumps(name, ensure_ascii=False) + ': ' if named else ''}{laid_out(one, indent + 1)}" for name, one in items]
    return ("{" if named else "[") + "\n" + ",\n".join(parts) + "\n" + " " * indent + ("}" if named else "]")


def main() -> None:
    """Make those that are named, or all."""
    logging.disable(logging.CRITICAL)
    old.FIXTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for scene in scenes():
            if scene.name in sys.argv[1:] or not sys.argv[1:]:
                make(scene, Path(folder))


if __name__ == "__main__":
    main()
