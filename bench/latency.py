"""How true the measured times are, through `vigie serve`: a 50 ms answer over HTTP, 100 checks a second.

The server says with each answer how long it really took; what Vigie reports beyond that is its error. Then the same while reports, pages
and storage keep the parent busy, and the same beside 40 monitors whose names never resolve. Each pair is measured in turns. What else runs
on the machine only ever adds to an error, so a figure is that of the least disturbed turn. How disturbed even that was is told by the
floor: a process that does nothing but connect, ask and wait, ten times a second, beside each turn.
"""

import asyncio
import contextlib
import gc
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from bench.busy import busy, sick_site
from bench.ground import folder, quantile, say
from bench.living import Living, living, mail, monitor, until
from vigie.core.model import CheckResult, Status
from vigie.engine.transition import Transition
from vigie.testing.ollama_server import ScriptedOllama
from vigie.testing.smtp_server import SmtpServer

MONITORS = 100  # each once a second
WARM_SECONDS, SECONDS, TURNS = 2.5, 6.0, 4
DEAD_NAMES = 40
QUIET = "llm: {provider: none}\n"


@dataclass
class Errors:
    """What was reported beyond the true delay, ms. `silent` counts results of names that never resolve."""

    total: list[float] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    other: int = 0
    silent: int = 0

    def add(self, result: CheckResult) -> None:
        if result.http is None or result.status is not Status.UP:
            self.silent += result.monitor.startswith("dead")
            self.other += result.monitor.startswith("exact")
            return
        if result.monitor.startswith("exact"):
            true_ms = int(result.http.headers["server"]) / 1000
            self.total.append((result.timings.total or 0) - true_ms)
            self.waiting.append((result.timings.first_byte or 0) - true_ms)


@contextlib.contextmanager
def exact_server() -> Iterator[tuple[int, int]]:
    """Yields its ports: HTTP, names."""
    process = subprocess.Popen([sys.executable, "-m", "bench.exact_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port, names = process.stdout.readline().split()
        yield int(port), int(names)
    finally:
        process.stdin.close()
        process.wait(10)


def floor(port: int) -> None:
    """Print the errors of the plainest client; what `python -m bench.latency PORT` does."""
    gc.disable()
    for _ in range(int(SECONDS * 10)):
        started = time.perf_counter()
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = sock.recv(1_000)
            took = (time.perf_counter() - started) * 1000
        print(took - int(answer.split(b"Server: ")[1].split(b"\r")[0]) / 1000)
        time.sleep(max(started + 0.1 - time.perf_counter(), 0))


async def measure(one: Living, port: int) -> Errors:
    """The errors of some seconds."""
    found = Errors()

    def hear(turn: Transition) -> None:
        if turn.result is not None:
            found.add(turn.result)

    await asyncio.sleep(WARM_SECONDS)
    one.hear = hear
    plain = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.latency", str(port), stdout=subprocess.PIPE)
    said, _ = await plain.communicate()
    found.floor.extend(float(line) for line in said.split())
    return found


def exact(url: str, more: str = "") -> str:
    return "".join(monitor(f"exact{number}", url, more=more) for number in range(MONITORS))


async def quiet(port: int) -> Errors:
    async with living(f"{QUIET}monitors:\n{exact(f'http://127.0.0.1:{port}/')}") as one:
        return await measure(one, port)


async def beside_work(port: int) -> tuple[Errors, dict[str, float]]:
    """The same while incidents open and close, reports are written and mailed, pages are read and results are stored."""
    async with everything() as (text, sick):
        more = "".join(monitor(f"sick{number}", f"{sick}{number}") for number in range(10))
        async with living(f"{text}monitors:\n{exact(f'http://127.0.0.1:{port}/')}{more}") as one, busy(one) as done:
            return await measure(one, port), done


@contextlib.asynccontextmanager
async def everything() -> AsyncIterator[tuple[str, str]]:
    """A model, a mail server, and a site that is up and down by turns: the configuration's beginning, and the site's address."""
    with folder() as place:
        async with ScriptedOllama() as model, SmtpServer(place) as server, sick_site() as sick:
            llm = f"llm: {{provider: ollama, model: llama3, url: '{model.url}'}}\n"
            notify = f"notify: {{mail: {mail(server.port, server.ca_file)}}}\n"
            yield f"{llm}{notify}alerts: {{default: {{confirm: 1, recover: 1, confirm_every: 1s, group: off}}}}\n", sick


async def named(port: int, names: int, dead: int) -> Errors:
    """By names that are asked for anew at each check, of the same name server that leaves the dead ones unanswered."""
    more = f", resolver: '127.0.0.1:{names}'"
    silent = "".join(monitor(f"dead{number}", f"http://dead{number}.test/", every="5s", timeout="4s", more=more) for number in range(dead))
    async with living(f"{QUIET}monitors:\n{exact(f'http://good.test:{port}/', more)}{silent}") as one:
        if dead and not await until(lambda: one.service.runtime.ingest.state("dead0").status is not None, 15):
            print("no result came of a name that never resolves", flush=True)
        return await measure(one, port)


def at(turns: list[Errors], part: float, kind: str) -> float:
    """A quantile of one kind of error, in the least disturbed turn."""
    return min(quantile(getattr(turn, kind), part) for turn in turns)


async def run(port: int, names: int) -> None:
    """In turns."""
    calm, hard, alone, beside, work = [], [], [], [], dict[str, float]()
    for turn in range(TURNS):
        calm.append(await quiet(port))
        found, work = await beside_work(port)
        hard.append(found)
        if turn % 2:
            alone.append(await named(port, names, 0))
            beside.append(await named(port, names, DEAD_NAMES))
    told = f"bare socket {at(calm, 0.5, 'floor'):.2f}; {sum(len(turn.total) for turn in calm)} checks, least of {TURNS} turns"
    say("total too long, median", at(calm, 0.5, "total"), "ms", 0.7, told)
    say("total too long, p99", at(calm, 0.99, "total"), "ms", 2.5, f"bare socket {at(calm, 0.95, 'floor'):.2f} at p95")
    say("waiting time too long, median", at(calm, 0.5, "waiting"), "ms", 0.2)
    say("waiting time too long, p99", at(calm, 0.99, "waiting"), "ms", 1.5)
    moved = at(hard, 0.99, "waiting") - at(calm, 0.99, "waiting")
    say("waiting time's p99, moved by a busy parent", moved, "ms", 2, ", ".join(f"{value:.0f} {what}" for what, value in work.items()))
    moved = at(beside, 0.99, "total") - at(alone, 0.99, "total")
    say(f"total's p99, moved by {DEAD_NAMES} names that never resolve", moved, "ms", 50, f"{at(alone, 0.99, 'total'):.2f} without them")
    if at(calm, 0.95, "floor") > 2:
        print("other work disturbed this machine, as the bare socket shows: the figures at p99 say little", flush=True)
    if lost := sum(turn.other for turn in (*calm, *hard, *alone, *beside)):
        print(f"{lost} checks of the exact server were not up", flush=True)


def main() -> None:
    """Measure all of it."""
    if len(sys.argv) > 1:
        floor(int(sys.argv[1]))
        return
    with exact_server() as (port, names):
        asyncio.run(run(port, names))


if __name__ == "__main__":
    main()
