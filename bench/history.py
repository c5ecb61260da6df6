"""A year of 1,000 monitors checked once a minute: what it costs to keep, and how fast it is read.

First a day and two hours of checks go through the store as in `vigie serve`: in commits of a second, compacted each hour, merged at the
end of the day. CPU is that of the process without what makes the checks up; device writes are what the kernel counts, with the closing
of the database. Then a year is laid down: roll-ups of 365 days, hours of 90, single results of 40 (30 whole, 10 thin), out of days that
were generated once and went through the codec; chunks do not know where in time they are, so a few dozen serve for all. Incidents: one
outage a fortnight for each monitor, a restart a day, maintenance once a month for a tenth of them. Queries are timed warm: the best of
five, through the queries that pages use.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from bench.ground import folder, say
from bench.store import written_bytes
from vigie.core.model import Cause, CheckResult, HttpFacts, Status, Timings
from vigie.engine.queries import StoredQueries
from vigie.fleet import packed
from vigie.observation.rollup import DAY_MS, HOUR_MS, Resolution, Retention
from vigie.planning.maintenance import MaintenanceSpan
from vigie.ports import Commit
from vigie.stores.kit import chunks
from vigie.stores.kit.records import encode
from vigie.stores.kit.sql import commit, tiers
from vigie.stores.sqlite.db import Db
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing.fakes import fake_monitor

MONITORS, EVERY_MS, DAYS, CHUNK_DAYS = 1_000, 60_000, 365, 40
TEMPLATES, OUTAGES = 24, 26
KEEP = Retention()
TODAY = 1_795_046_400_000 // DAY_MS * DAY_MS
NOW = TODAY + 9 * HOUR_MS
NAMES = [f"m{number}" for number in range(MONITORS)]
A_DAY = DAY_MS // EVERY_MS


def timings(chance: random.Random, pool: int) -> list[Timings]:
    """Log-normal phases."""
    found = []
    for _ in range(pool):
        dns, connect, tls, first, rest = (chance.lognormvariate(mean, 0.5) for mean in (0.5, 1.5, 2.5, 3.5, 0.0))
        found.append(Timings(dns, connect, tls, first, rest, dns + connect + tls + first + rest))
    return found


def groups(chance: random.Random, start: int, hours: int) -> list[list[CheckResult]]:
    """Every monitor once a minute, in groups of a second."""
    pool, order = timings(chance, 5_000), count(1)
    http = {True: HttpFacts(200, "2"), False: HttpFacts(503, "2")}
    found = []
    for second in range(hours * 3_600):
        some = []
        for number in range(second % 60, MONITORS, 60):
            good = chance.random() > 0.003
            some.append(
                CheckResult(
                    NAMES[number],
                    start + second * 1_000 + chance.randrange(20),
                    Status.UP if good else Status.DOWN,
                    None if good else Cause.HTTP_STATUS,
                    timings=pool[chance.randrange(5_000)],
                    http=http[good],
                    run=1,
                    sequence=next(order),
                )
            )
        found.append(some)
    return found


async def keep_a_day(path: Path) -> None:
    """Commits and compaction, as time goes by."""
    store = SqliteStore(path)
    await store.catalog.sync_monitors([fake_monitor(name) for name in NAMES])
    worker: Any = store.ledger._worker  # noqa: SLF001 - how long its thread is held is what is measured
    numbers = dict(await worker.read(lambda db: db.fetch("SELECT id, number FROM monitor")))
    chance, cpu, checks, longest = random.Random(3), 0.0, 0, 0.0
    began = written_bytes()

    async def run(work: Callable[[Db], Any]) -> Any:
        def timed(db: Db) -> Any:
            nonlocal longest
            start = time.perf_counter()
            found = work(db)
            longest = max(longest, time.perf_counter() - start)
            return found

        return await original(timed)

    original, worker.run = worker.run, run
    committed = dense = 0.0
    for hour in range(26):
        made = groups(chance, TODAY + hour * HOUR_MS, 1)
        if hour == 25:  # the last hour as if there were sixty times as many monitors: a thousand results a second
            made = [[one for group in made[first : first + 60] for one in group] for first in range(0, len(made), 60)]
        start = time.process_time()
        for group in made:
            await original(
                partial(commit.write, change=Commit(tuple(group)), newest=[], numbers=numbers, locations={"local": 0}, durable=False)
            )
            checks += len(group)
        dense, committed = (time.process_time() - start) / sum(map(len, made)), committed + (time.process_time() - start) * (hour < 25)
        while await store.history.compact(TODAY + (hour + 1) * HOUR_MS + 360_000, KEEP):
            pass
        cpu += time.process_time() - start
    start = time.process_time()
    while await store.history.compact(TODAY + 27 * HOUR_MS, KEEP):
        pass
    await store.close()
    cpu += time.process_time() - start
    ended = written_bytes()
    compacted, sparse = (cpu - committed - dense * checks / 26) / checks, committed / (checks * 25 / 26)
    say(
        "CPU to write and compact, at 1,000 results/s, a check",
        (compacted + dense) * 1e6,
        "µs",
        8,
        f"of it compaction {compacted * 1e6:.1f}",
    )
    say(
        "the same at 17 results/s",
        (compacted + sparse) * 1e6,
        "µs",
        None,
        f"{checks} checks; a commit costs nearly as much by itself as what is in it",
    )
    if began is not None and ended is not None and ended > began:
        say("written to the device, a check", (ended - began) / checks, "bytes", 1_000, "commits, chunks, roll-ups, checkpoints")
    say("longest that compaction held the writer", longest * 1_000, "ms", 50, "of one transaction, by the clock on the wall")


def lay_down(path: Path, now: int, days: int = DAYS, chunk_days: int = CHUNK_DAYS, hourly_days: int = 90) -> None:
    """The days before that of `now`, of every monitor that the database knows, and their incidents."""
    chance = random.Random(5)
    db = Db(path)
    known: dict[int, str] = dict(db.fetch("SELECT number, id FROM monitor ORDER BY number"))
    made = [template(chance) for _ in range(TEMPLATES)]
    today = now // DAY_MS
    with db.transaction(durable=False):
        for place, number in enumerate(known):
            for day in range(today - days, today):
                one = made[(place * 7 + day) % TEMPLATES]
                tiers.put_rollup(db, "rollup_day", (number, 0, day, *one["day"]))
                if day >= today - hourly_days:
                    for hour, row in enumerate(one["hours"]):
                        tiers.put_rollup(db, "rollup_hour", (number, 0, day * 24 + hour, *row))
    with db.transaction(durable=False):
        sql = "INSERT INTO day_chunk (start, monitor, location, thin, count, body) VALUES (?, ?, 0, ?, ?, ?)"
        for day in range(today - chunk_days, today):
            thin = day < today - 30
            for place, number in enumerate(known):
                db.execute(sql, (day, number, int(thin), A_DAY, made[(place * 7 + day) % TEMPLATES]["thin" if thin else "whole"]))
    with db.transaction(durable=False):
        incidents(db, chance, list(known.values()), now)
    db.close()


def lay_down_hours(path: Path, now: int) -> None:
    """The hours of the day of `now` that are over, in chunks of hours."""
    db, made, pool = Db(path), list[tuple[bytes, tuple[Any, ...]]](), timings(random.Random(6), 60)
    for hour in range(now // DAY_MS * 24, now // HOUR_MS):
        rows = [
            (hour * HOUR_MS + minute * EVERY_MS, 1, minute + 1, packed.body_of(CheckResult("m", 0, Status.UP, timings=phases)))
            for minute, phases in enumerate(pool)
        ]
        made += [(one.body, one.rollup[2:]) for one in tiers.prepare((0, 0), chunks.gathered(rows), ())]
    with db.transaction(durable=False):
        for (number,) in db.fetch("SELECT number FROM monitor"):
            for body, row in made:
                db.execute("INSERT INTO hour_chunk (start, monitor, location, count, body) VALUES (?, ?, 0, 60, ?)", (row[0], number, body))
                tiers.put_rollup(db, "rollup_hour", (number, 0, *row))
    db.close()


def lay_down_hot(path: Path) -> None:
    """This morning's checks as they were committed."""
    db = Db(path)
    numbers: dict[str, int] = dict(db.fetch("SELECT id, number FROM monitor"))
    with db.transaction(durable=False):
        for group in groups(random.Random(7), TODAY, 9):
            base, size, body = packed.pack(group, numbers, {"local": 0})
            db.execute("INSERT INTO hot (base, count, body) VALUES (?, ?, ?)", (base, size, body))
    db.close()


def template(chance: random.Random) -> dict[str, Any]:
    """A day of one monitor as it is stored."""
    rows, pool = [], timings(chance, A_DAY)
    for number, phases in enumerate(pool):
        result = CheckResult("m", number * EVERY_MS + chance.randrange(20), Status.UP, timings=phases, http=HttpFacts(200, "2"))
        rows.append((result.at, 1, number * MONITORS + chance.randrange(20) + 1, packed.body_of(result)))
    whole = chunks.gathered(rows)
    hours = [tiers.prepare((0, 0), whole.part(hour * 60, hour * 60 + 60), ())[0].rollup[3:] for hour in range(24)]
    return {
        "whole": chunks.encode(whole, 0),
        "thin": chunks.encode(chunks.thinned(whole), 0),
        "hours": hours,
        "day": tiers.rollup_row((0, 0), 0, tiers.tally(whole, ()))[3:],
    }


def incidents(db: Db, chance: random.Random, names: Sequence[str], now: int) -> None:
    """A year of them."""
    sql = (
        "INSERT INTO incident (id, monitor, severity, cause, started_at, opened_at, closed_at, alert) "
        "VALUES (?, ?, 'outage', 'http.status', ?, ?, ?, ?)"
    )
    numbers = count(1)
    for name in names:
        db.execute("INSERT INTO watched VALUES (?, ?)", (name, now - 400 * DAY_MS))
        for start in sorted(chance.randrange(now - DAYS * DAY_MS, now - HOUR_MS) for _ in range(OUTAGES)):
            identity = f"{name}-{next(numbers)}"
            db.execute(sql, (identity, name, start, start + 120_000, start + chance.randrange(300_000, 3_000_000), identity))
    for number in range(DAYS):
        start = now - number * DAY_MS
        db.execute("INSERT INTO blind VALUES (?, '', 'probe.error', ?, ?, 1)", (DAYS - number, start - 20_000, start))
    for number in range(12):
        start = now - (number + 1) * 30 * DAY_MS
        span = MaintenanceSpan(f"s{number}", start, start + HOUR_MS, tuple(names[:100]))
        db.execute("INSERT INTO maintenance_span VALUES (?, ?, ?, ?)", (span.key, span.start, span.end, encode(span)))


def size(path: Path) -> None:
    """Bytes a check over the whole year, by the days that are there."""
    db = Db(path)
    whole, thin = (
        db.fetch("SELECT sum(length(body) + 40) / count(DISTINCT start) FROM day_chunk WHERE thin = ?", (layout,))[0][0]
        for layout in (0, 1)
    )
    hourly, daily = (db.fetch(f"SELECT sum(length(sketch) + 42) FROM {table}")[0][0] for table in ("rollup_hour", "rollup_day"))
    db.close()
    checks = MONITORS * A_DAY
    say("kept of a check with all phases", whole / checks, "bytes")
    say("kept of a check with status and total", thin / checks, "bytes")
    year = whole * 30 + thin * (DAYS - 30) + hourly + daily
    say(
        "kept of a check, over the year",
        year / checks / DAYS,
        "bytes",
        8,
        f"{year / 1e9:.2f} GB; of it roll-ups {(hourly + daily) / 1e9:.2f} GB",
    )


async def ask(path: Path) -> None:
    """The queries of pages."""
    store = SqliteStore(path)
    while await store.history.compact(NOW, KEEP):
        pass
    monitors = [fake_monitor(name) for name in NAMES]
    await store.catalog.sync_monitors(monitors)
    found = StoredQueries(store, lambda: monitors).history

    async def uptimes(days: int) -> None:
        for first in (0, 500):
            await found.uptimes(NAMES[first : first + 500], NOW, [days * DAY_MS])

    async def bars(number: int, days: int, resolution: Resolution) -> None:
        await found.rollups(NAMES[:number], NOW - days * DAY_MS, NOW, resolution)

    questions: list[tuple[str, Callable[[], Awaitable[object]], float | None]] = [
        ("availability of all monitors, 24 h", lambda: uptimes(1), 15),
        ("availability of all monitors, 30 d", lambda: uptimes(30), 25),
        ("availability of all monitors, 1 year", lambda: uptimes(365), 100),
        ("p50 and p95 of a monitor over 90 days", lambda: found.rollups(["m7"], NOW - 90 * DAY_MS, NOW, Resolution.DAY), 5),
        ("chart of phases of a monitor, 24 h", lambda: found.phases("m7", NOW - DAY_MS, NOW, 144), None),
        ("chart of phases of a monitor, 30 d", lambda: found.phases("m7", NOW - 30 * DAY_MS, NOW, 360), None),
        ("the newest 100 results of a monitor", lambda: found.results("m7", NOW - DAY_MS, NOW, limit=100), None),
        ("sparklines of 200 monitors", lambda: found.sparklines(NAMES[:200], NOW), None),
        ("bars of 200 monitors, 24 hours", lambda: bars(200, 1, Resolution.HOUR), None),
        ("bars of 200 monitors, 90 days", lambda: bars(200, 90, Resolution.DAY), None),
    ]
    for what, question, target in questions:
        took = []
        for _ in range(6):
            start = time.perf_counter()
            await question()
            took.append((time.perf_counter() - start) * 1_000)
        say(what, min(took[1:]), "ms", target, f"the first time {took[0]:.0f} ms")
    await store.close()


def main() -> None:
    """Both parts."""
    with folder() as place:
        asyncio.run(keep_a_day(place / "day.db"))
    with folder() as place:
        asyncio.run(prepared(place / "year.db", NAMES))
        start = time.perf_counter()
        lay_down(place / "year.db", NOW)
        lay_down_hot(place / "year.db")
        say("the year was laid down in", time.perf_counter() - start, "s")
        size(place / "year.db")
        asyncio.run(ask(place / "year.db"))


async def prepared(path: Path, names: Sequence[str]) -> None:
    """A database that knows the monitors."""
    store = SqliteStore(path)
    await store.catalog.sync_monitors([fake_monitor(name) for name in names])
    await store.close()


if __name__ == "__main__":
    main()
