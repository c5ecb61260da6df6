"""A monitor whose pages are made to take for ever, beside 200 others: how late the others' checks start, and what all of them find.

    python -m bench.hostile [seconds]

Each monitor gets another page at every check, every second. p99 of the lateness is to stay at 50 ms.
"""

import asyncio
import sys
from collections import Counter
from itertools import count

from vigie.agent import build_probe, probe_deps
from vigie.core.model import CheckResult, CheckSpec
from vigie.engine.prober import LocalAgent
from vigie.ports import Batch
from vigie.testing.servers import Handler, serving

OTHERS, EVERY_MS, P99_MAX = 200, 1_000, 50
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


async def run(others: int, seconds: float) -> tuple[list[int], list[CheckResult]]:
    """(lateness of each check in ms, every result); monitor `m0` is the hostile one."""
    found: list[CheckResult] = []

    async def publish(batch: Batch) -> None:
        found.extend(batch.results)

    deps = probe_deps([])
    good = b"<!doctype html><title>Bakery</title><main><h1>Bread</h1>" + b"<p>We bake every loaf by hand.</p>" * 100
    async with serving(pages(COMMENTS, SPACES, WHITE, DEEP)) as hostile, serving(pages(good)) as honest:
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
            for port in [honest if number else hostile]
        ]
        agent = LocalAgent(name="bench", run=1, clock=deps.clock, publish=publish, build=lambda one: build_probe(one, deps))
        agent.start()
        await agent.assign(specs)
        await asyncio.sleep(seconds)
        await agent.stop()
    deps.close()
    return sorted(agent.lateness.samples), found


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    late, found = asyncio.run(run(OTHERS, seconds))
    p99 = late[int(len(late) * 0.99)]
    print(
        f"hostile  {len(late)} checks: lateness p99 {p99} ms, most {late[-1]} ms   at most {P99_MAX}   {'ok' if p99 <= P99_MAX else 'TOO LATE'}"
    )
    for who, chosen in (
        ("others", [one for one in found if one.monitor != "m0"]),
        ("hostile", [one for one in found if one.monitor == "m0"]),
    ):
        print(f"         {who}: {dict(Counter(f'{one.status}, {one.message}' for one in chosen))}")


if __name__ == "__main__":
    main()
