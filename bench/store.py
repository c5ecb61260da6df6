"""The store: CPU, device writes and bytes kept for each check, at 1,000 results a second, through SqliteStore.commit.

What is committed is what ingest makes of 1,000 monitors of which some fail in bursts: results, states, incidents, notices, whole results
of failures, in the batches in which a prober sends them, after a first second that is not counted (the first result of every monitor is
kept whole). The floor is the plainest way to keep the same figures: one row a check, one
transaction a second, the same driver. CPU is that of the process; device writes are what the kernel counts (/proc/self/io); both take the
closing of the database in.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import apsw

from bench.ground import folder, say
from vigie.clock import SystemClock
from vigie.core.model import Cause, Certificate, CheckResult, HttpFacts, Status, Timings, TlsFacts
from vigie.engine.ingest import Ingest
from vigie.ports import Batch, Commit
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing.fakes import fake_monitor, policies
from vigie.testing.memory import MemoryStore

RATE, SECONDS, TURNS = 1_000, 12, 2
BATCHES = 4  # a second
BURST_EVERY, BURST_LASTS, BURST_SIZE = 6, 4, 5  # seconds, seconds, monitors
START = 1_795_000_000_000


@dataclass(frozen=True)
class Used:
    """For each check: CPU µs, bytes written to the device (None where nobody counts them), bytes in the file at the end."""

    cpu: float
    written: float | None
    kept: float


def results(chance: random.Random) -> list[list[CheckResult]]:
    """One list for each batch: every monitor once a second, log-normal phases, bursts of failure. The first second is not counted."""
    leaf = Certificate(
        "shop.example", "R11", START - 10**9, START + 5 * 10**9, "EC 256", "sha256WithRSAEncryption", ("shop.example",), "ab" * 32
    )
    facts = TlsFacts("TLSv1.3", "R11", "shop.example", START + 5 * 10**9, 57, (leaf, replace(leaf, subject="R11", issuer="ISRG Root X1")))
    batches: list[list[CheckResult]] = []
    order = 0
    for second in range(SECONDS + 1):
        sick = range(BURST_SIZE) if second % BURST_EVERY > BURST_EVERY - BURST_LASTS else range(0)
        for part in range(BATCHES):
            batch = []
            for number in range(part, RATE, BATCHES):
                order += 1
                dns, connect, tls, first, rest = (chance.lognormvariate(mean, 0.5) for mean in (0.5, 1.5, 2.5, 3.5, 0.0))
                down = number in sick
                batch.append(
                    CheckResult(
                        f"m{number}",
                        START + second * 1_000 + part * 250 + number // BATCHES,
                        Status.DOWN if down else Status.UP,
                        Cause.HTTP_STATUS if down else None,
                        "HTTP 503, expected 200-299" if down else "HTTP 200",
                        Timings(dns, connect, tls, first, rest, dns + connect + tls + first + rest),
                        {"status": 503, "expected": "200-299"} if down else {},
                        "192.0.2.7",
                        ("192.0.2.7",),
                        HttpFacts(
                            503 if down else 200, "2", bytes=18_213, type="text/html", headers={"server": "nginx", "via": "1.1 cache"}
                        ),
                        facts,
                        run=1,
                        sequence=order,
                    )
                )
            batches.append(batch)
    return batches


async def commits(batches: Sequence[Sequence[CheckResult]]) -> list[Commit]:
    """What ingest makes of them."""
    store, policy = MemoryStore(), policies(confirm=3, recover=2, to=("mail",))
    ingest = Ingest(store.ledger, store.archive, SystemClock(), hold_ms=2_000)
    await ingest.start()
    await ingest.configure([fake_monitor(f"m{number}", policy=policy) for number in range(RATE)])
    for number, batch in enumerate(batches, 1):
        await ingest.take(Batch("local", 1, number, tuple(batch)))
    return store.commits


def written_bytes() -> int | None:
    """What this process has had written to the device so far."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


class Meter:
    """From now on, what is used for a database: nothing is in its log when this is made, nor when it is read."""

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, path.stat().st_size
        self.cpu, self.written = time.process_time(), written_bytes()

    def read(self) -> Used:
        checks, now = RATE * SECONDS, written_bytes()
        written = None if now is None or self.written is None else (now - self.written) / checks
        return Used((time.process_time() - self.cpu) / checks * 1e6, written, (self.path.stat().st_size - self.size) / checks)


async def through_the_store(path: Path, changes: Sequence[Commit]) -> Used:
    """In real time, as a prober's batches come."""
    store = SqliteStore(path)
    await store.catalog.sync_monitors([fake_monitor(f"m{number}") for number in range(RATE)])
    for change in changes[:BATCHES]:
        await store.ledger.commit(change)
    await store.close()
    store = SqliteStore(path)
    meter, started = Meter(path), time.monotonic()
    for number, change in enumerate(changes[BATCHES:]):
        await asyncio.sleep(started + number / BATCHES - time.monotonic())
        await store.ledger.commit(change)
    await store.close()
    return meter.read()


def plain_rows(path: Path, batches: Sequence[Sequence[CheckResult]]) -> Used:
    """The floor."""
    db = apsw.Connection(str(path))
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE result (monitor, at, status, cause, http, dns, connect, tls, first_byte, transfer, total)")
    db.close()
    db = apsw.Connection(str(path))
    db.execute("PRAGMA synchronous = NORMAL")
    meter = Meter(path)
    for second in range(1, SECONDS + 1):
        with db:
            for batch in batches[second * BATCHES : (second + 1) * BATCHES]:
                db.executemany("INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (_row(result) for result in batch))
    db.close()
    return meter.read()


def _row(one: CheckResult) -> tuple[object, ...]:
    times = one.timings
    phases = times.dns, times.connect, times.tls, times.first_byte, times.transfer, times.total
    return (int(one.monitor[1:]), one.at, one.status == Status.UP, one.cause, one.http.status if one.http else None, *phases)


def main() -> None:
    """Both, in turns."""
    logging.getLogger("vigie").setLevel(logging.CRITICAL)
    batches = results(random.Random(7))
    changes = asyncio.run(commits(batches))
    ours, floor = [], []
    for turn in range(TURNS):
        with folder() as place:
            floor.append(plain_rows(place / f"plain{turn}.db", batches))
            ours.append(asyncio.run(through_the_store(place / f"vigie{turn}.db", changes)))
            floor.append(plain_rows(place / f"again{turn}.db", batches))
    own, plain = min(one.cpu for one in ours), min(one.cpu for one in floor)
    opened = sum(len(change.incidents) for change in changes[BATCHES:])
    say(
        "CPU of the store, a check",
        own,
        "µs",
        8,
        f"plain rows {plain:.1f} µs, x {own / plain:.2f}; {opened} incident rows written meanwhile",
    )
    written, least = [[one.written for one in each if one.written] for each in (ours, floor)]
    if written and least:
        say(
            "written to the device, a check",
            min(written),
            "bytes",
            1_000,
            f"plain rows {min(least):.0f}, x {min(written) / min(least):.2f}",
        )
    else:
        print("nobody counts device writes here (no /proc/self/io, or a file system in memory)", flush=True)
    kept, rows = min(one.kept for one in ours), min(one.kept for one in floor)
    say("kept in the file, a check", kept, "bytes", None, f"plain rows {rows:.0f}, x {kept / rows:.2f}")


if __name__ == "__main__":
    main()
