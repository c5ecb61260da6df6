"""What pages cost while checks run: `vigie serve` over 1,000 monitors with a year of history, then over 10,000 with a quarter.

Server time is the CPU of the process that serves, of all its threads, from the request to the last byte, as the scheduler counts it;
checks go on meanwhile, so that some of theirs is in it. Beside it is the time by the clock on the wall, which other programs lengthen.
The first request of each page comes first and is told apart: it is what somebody waits for after a start.

Then 200 readers follow the overview by server-sent events, and in the end pages are asked for by eight readers at once without a pause,
while `/health` is asked every 50 ms: how long it takes is how long the loop that ingests and notifies was held.
"""

import asyncio
import contextlib
import gzip
import http.client
import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import history
from bench.ground import QUIET, cpu, health, needed, nginx, quantile, resident, say, serving

TIMES = 40
VIEWERS, FOLLOWED, WATCHED_SECONDS = 200, 60, 20
READERS, HAMMERED_SECONDS = 8, 15
STATUS = "status_pages: {public: {title: Everything, monitors: [%s]}}\n"
SHOWN = 50  # services of the status page


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one request."""

    cpu_ms: float
    wall_ms: float
    bytes: int


class Reader:
    """Asks for pages over one kept connection, as a browser does."""

    def __init__(self, pid: int, port: int) -> None:
        self._pid, self._connection = pid, http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def get(self, path: str) -> bytes:
        """The compressed body. Raises SystemExit for anything but 200."""
        self._connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: HTTP {answer.status}")
        return body

    def cost(self, path: str) -> Cost:
        """What one request takes."""
        before, start = spent_ms(self._pid), time.perf_counter()
        body = self.get(path)
        wall = (time.perf_counter() - start) * 1000
        return Cost(spent_ms(self._pid) - before, wall, len(body))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def spent_ms(pid: int) -> float:
    """CPU of a process so far: by thread from the scheduler, in nanoseconds, where there is one that says it."""
    tasks, total = Path(f"/proc/{pid}/task"), 0
    if not tasks.exists():
        return cpu([pid]) * 1000
    for task in tasks.iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e6


def page(reader: Reader, what: str, paths: Sequence[str], target_ms: float, target_bytes: int) -> None:
    """One kind of page."""
    first = reader.cost(paths[0])
    costs = [reader.cost(paths[number % len(paths)]) for number in range(TIMES)]
    by_cpu, by_wall = ([getattr(one, name) for one in costs] for name in ("cpu_ms", "wall_ms"))
    more = f"median {quantile(by_cpu, 0.5):.0f}; on the wall p95 {quantile(by_wall, 0.95):.0f}; the first {first.cpu_ms:.0f}, {first.wall_ms:.0f}"
    say(f"{what}: server time at p95", quantile(by_cpu, 0.95), "ms", target_ms, more)
    say(f"{what}: compressed", max(one.bytes for one in [first, *costs]) / 1000, "KB", target_bytes)


def ready(port: int, count: int, seconds: float = 150) -> None:
    """Until every monitor was checked."""
    began = time.monotonic()
    while sum(health(port)["monitors"].values()) - health(port)["monitors"].get("pending", 0) < count:
        time.sleep(1)
        if time.monotonic() - began > seconds:
            print(f"not all of {count} monitors were checked in time: {health(port)['monitors']}", flush=True)
            return


def rows_of(reader: Reader) -> list[str]:
    """The monitors whose rows the overview sends."""
    return list(dict.fromkeys(re.findall(r'href="/monitors/([^"/?]+)"', gzip.decompress(reader.get("/")).decode())))


async def watch(pid: int, port: int, rows: Sequence[str]) -> tuple[float, float, int]:
    """Shares of a core without and with viewers, and how many there were to the end."""
    idle = await share(pid)
    query = f"/events?rows={','.join(rows[:FOLLOWED])}"
    viewers = [asyncio.create_task(follow(port, query)) for _ in range(VIEWERS)]
    await asyncio.sleep(3)
    busy = await share(pid)
    there = sum(not one.done() for one in viewers)
    for one in viewers:
        one.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    return idle, busy, there


async def share(pid: int) -> float:
    """Of one core, over a while."""
    before, start = spent_ms(pid), time.monotonic()
    await asyncio.sleep(WATCHED_SECONDS)
    return (spent_ms(pid) - before) / 10 / (time.monotonic() - start)


async def follow(port: int, path: str) -> None:
    """Read events until cancelled; ends when the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    try:
        while await reader.read(65_536):
            pass
    finally:
        writer.close()


@contextlib.contextmanager
def hammered(pid: int, port: int, paths: Sequence[str]) -> Iterator[list[int]]:
    """Readers that ask without a pause; what is yielded counts the answers."""
    stop, answers = threading.Event(), list[int]()

    def ask(first: int) -> None:
        reader, number = Reader(pid, port), first
        while not stop.is_set():
            answers.append(len(reader.get(paths[number % len(paths)])))
            number += 1
        reader.close()

    threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(READERS)]
    for one in threads:
        one.start()
    try:
        yield answers
    finally:
        stop.set()
        for one in threads:
            one.join(60)


def beats(pid: int, port: int, seconds: float) -> tuple[list[float], list[float], float]:
    """How long `/health` takes in ms, how old the newest result is each time in ms, and the worst lateness of checks in ms."""
    reader, took, ages, late = Reader(pid, port), list[float](), list[float](), 0.0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.perf_counter()
        found = json.loads(gzip.decompress(body) if (body := reader.get("/health"))[:2] == b"\x1f\x8b" else body)
        took.append((time.perf_counter() - start) * 1000)
        ages.append(found["now"] - (found["last_result_at"] or found["now"]))
        late = max(late, found["late_p99_ms"] or 0)
        time.sleep(0.05)
    reader.close()
    return took, ages, late


def small(url: str, ca_file: Path) -> None:
    """A thousand monitors and their year."""
    now = time.time_ns() // 1_000_000
    settings = QUIET + STATUS % ", ".join(history.NAMES[:SHOWN])
    with serving(url, ca_file, 1_000, "60s", settings, partial(year, now=now)) as ((parent, prober), port):
        ready(port, 1_000)
        reader = Reader(parent, port)
        monitors = [f"/monitors/m{number}" for number in range(0, 1_000, 37)]
        alerts = alerts_of(reader)
        page(reader, "overview", ["/"], 50, 120)
        page(reader, "overview of a day", ["/?span=24h"], 50, 120)
        page(reader, "page of a monitor", monitors, 50, 15)
        page(reader, "page of an alert", alerts, 50, 10)
        page(reader, "list of alerts", ["/alerts"], 50, 120)
        page(reader, "status page of 50 services", ["/status/public"], 50, 120)
        page(reader, "wall", ["/wall"], 50, 120)
        say("resident, with a year of history and pages read", resident([parent, prober])[0], "MB")
        idle, busy, there = asyncio.run(watch(parent, port, rows_of(reader)))
        say("200 viewers with live updates", busy - idle, "%", 15, f"of a core; without them {idle:.1f} %; {there} stayed")
        calm = beats(parent, port, 10)
        with hammered(parent, port, ["/", "/?span=24h", *monitors[:8], *alerts[:8], "/status/public"]) as answers:
            took, ages, late = beats(parent, port, HAMMERED_SECONDS)
        what = f"{len(answers) / HAMMERED_SECONDS:.0f} pages/s by {READERS} readers; without them"
        say("loop held while pages are hammered, p99", quantile(took, 0.99), "ms", 250, f"{what} {quantile(calm[0], 0.99):.0f}")
        say("newest result while pages are hammered, at most", max(ages) / 1000, "s", 5, f"old; without them {max(calm[1]) / 1000:.1f}")
        say("start of a check late at p99 while hammered", late, "ms", 20, f"without them {calm[2]:.0f}")
        reader.close()


def alerts_of(reader: Reader) -> list[str]:
    """Addresses of alerts, from their list."""
    return list(dict.fromkeys(re.findall(r'href="(/alerts/[^"?#]+-\d+)"', gzip.decompress(reader.get("/alerts")).decode())))[:40]


def year(path: Path, now: int) -> None:
    """A year of 1,000 monitors; hours of a month of it, which is as much as pages show of hours."""
    asyncio.run(history.prepared(path, history.NAMES))
    history.lay_down(path, now, hourly_days=30)
    history.lay_down_hours(path, now)


def quarter(path: Path, now: int, count: int) -> None:
    """A quarter of more of them, without single results."""
    asyncio.run(history.prepared(path, [f"m{number}" for number in range(count)]))
    history.lay_down(path, now, days=90, chunk_days=0, hourly_days=2)


def large(url: str, ca_file: Path) -> None:
    """Ten thousand monitors."""
    now = time.time_ns() // 1_000_000
    with serving(url, ca_file, 10_000, "60s", QUIET, partial(quarter, now=now, count=10_000)) as ((parent, prober), port):
        ready(port, 10_000)
        reader = Reader(parent, port)
        page(reader, "overview, 10,000 monitors", ["/"], 150, 120)
        page(reader, "search in 10,000 monitors", ["/?q=m77"], 150, 120)
        page(reader, "wall, 10,000 monitors", ["/wall"], 150, 300)
        idle, busy, there = asyncio.run(watch(parent, port, rows_of(reader)))
        say("200 viewers, 10,000 monitors", busy - idle, "%", 15, f"of a core; without them {idle:.1f} %; {there} stayed")
        say("resident, 10,000 monitors, pages read", resident([parent, prober])[0], "MB")
        reader.close()


def main() -> None:
    """Both sizes."""
    if needed("nginx", "nginx-light") is None:
        return
    with nginx() as (plain, _, ca_file):
        small(plain, ca_file)
        large(plain, ca_file)


if __name__ == "__main__":
    main()
