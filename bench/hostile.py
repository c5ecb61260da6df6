"""A monitor whose pages are made to take for ever, beside 200 others: how late the others' checks start, and what all of them find.

    python -m bench.hostile [seconds]

Each monitor gets another page at every check, every second; then the same again with a good page in place of the hostile ones. What the
machine kept from this process (other programs that ran meanwhile) is told, and taken off the lateness: `own` is how long a check that was
late had been kept waiting by this process's own work. p99 of that is to stay at 50 ms. The servers run in the same process.
"""

import asyncio
import sys
import time
from collections import Counter, deque
from itertools import count

from vigie.agent import build_probe, probe_deps
from vigie.core.model import CheckResult
from vigie.engine.prober import Lateness, LocalAgent
from vigie.memory import freeze
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Batch
from vigie.testing.servers import Handler, serving

OTHERS, EVERY_MS, P99_MAX = 200, 1_000, 50
BEAT = 0.005
START_SECONDS = 2.0  # first checks import what they need, as at any start; they are left out
COMMENTS = b"<!---->" * 40 + b"x"
SPACES = b"<p>bread</p><script>eval" + b" " * 200_000 + b";unescape</script>"
WHITE = b'<div style="' + b"color:#fff;" * 46_000 + b'background"><a href="//a.test/">a</a><a href="//b.test/">b</a></div>'
DEEP = b"<div>" * 100_000


def pages(*bodies: bytes) -> Handler:
    """A page at each request, never the same twice."""
    numbers = count(1)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        number = next(numbers)
        body = bodies[number % len(bodies)] + b"<!-- %d -->" % number
        kind = b"" if body.startswith(COMMENTS) else b"Content-Type: text/html\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n%bContent-Length: %d\r\n\r\n%b" % (kind, len(body), body))
        await writer.drain()

    return handler


class OwnLateness(Lateness):
    """Beside each lateness, how much of it this process computed: what a machine that runs others takes is not Vigie's."""

    def __init__(self) -> None:
        super().__init__()
        self.own: list[int] = []
        self._worked = deque([(time.monotonic(), time.process_time())], 2_000)

    async def beat(self) -> None:
        """Remember at each moment how much was computed."""
        while True:
            await asyncio.sleep(BEAT)
            self._worked.append((time.monotonic(), time.process_time()))

    def add(self, ms: int) -> None:
        """Add one."""
        super().add(ms)
        due = time.monotonic() - ms / 1000
        before = next((worked for at, worked in reversed(self._worked) if at <= due), self._worked[0][1])
        self.own.append(min(ms, round((time.process_time() - before) * 1000)))


async def run(others: int, seconds: float, *, hostile: bool = True) -> tuple[OwnLateness, list[CheckResult]]:
    """(lateness of each check in ms, every result); monitor `m0` is the hostile one."""
    found: list[CheckResult] = []

    async def publish(batch: Batch) -> None:
        found.extend(batch.results)

    deps = probe_deps([])
    good = b"<!doctype html><title>Bakery</title><main><h1>Bread</h1>" + b"<p>We bake every loaf by hand.</p>" * 100
    async with serving(pages(COMMENTS, SPACES, WHITE, DEEP)) as bad, serving(pages(good)) as honest:
        specs = [
            CheckSpec(
                f"m{number}",
                f"m{number}",
                "http",
                f"http://127.0.0.1:{port}/",
                f"h{number}",
                EVERY_MS,
                10_000,
                {"url": f"http://127.0.0.1:{port}/"},
            )
            for number in range(others + 1)
            for port in [bad if hostile and not number else honest]
        ]
        agent = LocalAgent(name="bench", run=1, clock=deps.clock, publish=publish, build=lambda one: build_probe(one, deps))
        agent.lateness = late = OwnLateness()
        beating = asyncio.create_task(late.beat())
        agent.start()
        await agent.assign(specs)
        freeze()  # as the process that probes does
        await asyncio.sleep(START_SECONDS)
        late.samples.clear()
        late.own.clear()
        await asyncio.sleep(seconds)
        await agent.stop()
        beating.cancel()
    deps.close()
    return late, found


def quantile(values: list[int]) -> int:
    """p99."""
    return sorted(values)[int(len(values) * 0.99)]


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    good, _ = asyncio.run(run(OTHERS, seconds, hostile=False))
    late, found = asyncio.run(run(OTHERS, seconds))
    own, more = quantile(late.own), quantile(late.own) - quantile(good.own)
    for who, one in (("without", good), ("with", late)):
        print(
            f"hostile  {who:8} {len(one.samples)} checks: lateness p99 {quantile(one.samples)} ms, most {max(one.samples)} ms;"
            f" own p99 {quantile(one.own)} ms, most {max(one.own)} ms"
        )
    print(f"hostile  own p99 {own} ms, {more:+} ms for the hostile one   at most {P99_MAX}   {'ok' if own <= P99_MAX else 'TOO LATE'}")
    for who, chosen in (
        ("others", [one for one in found if one.monitor != "m0"]),
        ("hostile", [one for one in found if one.monitor == "m0"]),
    ):
        print(f"         {who}: {dict(Counter(f'{one.status}, {one.message}' for one in chosen))}")


if __name__ == "__main__":
    main()
