"""CPU of one HTTP(S) check beside libcurl's own, in turns within one process, so that a busy machine slows both alike.

    python bench/http_probe.py [rounds]

Needs nginx. The prober sits on the first core, nginx on the last. Figures are µs of CPU a check.
"""

import asyncio
import contextlib
import os
import select
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pycurl

from bench.ground import needed, nginx, say
from vigie.clock import SystemClock
from vigie.net import Link, Resolver
from vigie.probes.http import Config, build
from vigie.probes.kit.deps import ProbeDeps

AT_ONCE = 8
CHECKS = 400
Work = Callable[[], Awaitable[None]]


class Floor:
    """libcurl's multi interface on a bare epoll: what the transfers alone cost."""

    def __init__(self, url: str, ca_file: Path) -> None:
        self.multi, self.epoll, self.known, self.due = pycurl.CurlMulti(), select.epoll(), set[int](), 0.0
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self.on_socket)
        self.multi.setopt(pycurl.M_TIMERFUNCTION, self.on_timer)
        self.handles = [self.handle(url, ca_file) for _ in range(AT_ONCE)]

    @staticmethod
    def handle(url: str, ca_file: Path) -> pycurl.Curl:
        curl = pycurl.Curl()
        options = {pycurl.URL: url, pycurl.NOSIGNAL: 1, pycurl.FRESH_CONNECT: 1, pycurl.FORBID_REUSE: 1, pycurl.PROXY: ""}
        options |= {pycurl.CAINFO: str(ca_file), pycurl.SSL_SESSIONID_CACHE: 0, pycurl.OPT_CERTINFO: 1, pycurl.TIMEOUT_MS: 5000}
        options |= {pycurl.WRITEFUNCTION: lambda _: None, pycurl.SSL_EC_CURVES: "X25519:P-256:P-384:P-521"}
        for option, value in options.items():
            curl.setopt(option, value)
        return curl

    def on_socket(self, action: int, fd: int, _multi: object, _data: object) -> None:
        if action == pycurl.POLL_REMOVE:
            with contextlib.suppress(OSError):
                self.epoll.unregister(fd)
            self.known.discard(fd)
            return
        bits = (select.EPOLLIN if action & pycurl.POLL_IN else 0) | (select.EPOLLOUT if action & pycurl.POLL_OUT else 0)
        (self.epoll.modify if fd in self.known else self.epoll.register)(fd, bits)
        self.known.add(fd)

    def on_timer(self, timeout_ms: int) -> None:
        self.due = time.monotonic() + timeout_ms / 1000 if timeout_ms >= 0 else float("inf")

    async def run(self) -> None:
        done = 0
        for curl in self.handles:
            self.multi.add_handle(curl)
        while done < CHECKS:
            for fd, bits in self.epoll.poll(min(max(self.due - time.monotonic(), 0), 1)):
                self.multi.socket_action(fd, (1 if bits & ~select.EPOLLOUT else 0) | (2 if bits & select.EPOLLOUT else 0))
            if self.due <= time.monotonic():
                self.due = float("inf")
                self.multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            _, good, bad = self.multi.info_read()
            assert not bad, bad
            for curl in good:
                done += 1
                self.multi.remove_handle(curl)
                self.multi.add_handle(curl)
        for curl in self.handles:
            self.multi.remove_handle(curl)


def probing(url: str, ca_file: Path) -> Work:
    resolver = Resolver()
    probe = build(Config(url=url), ProbeDeps(SystemClock(), resolver, Link(resolver, ()), str(ca_file)))

    async def some() -> None:
        for _ in range(CHECKS // AT_ONCE):
            result = await probe.check(5_000)
            assert result.status in ("up", "degraded"), result

    async def run() -> None:
        await asyncio.gather(*(some() for _ in range(AT_ONCE)))

    return run


async def measure(works: dict[str, Work], rounds: int) -> dict[str, list[float]]:
    spent: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        await work()
    for _ in range(rounds):
        for name, work in works.items():
            started = time.process_time()
            await work()
            spent[name].append((time.process_time() - started) / CHECKS * 1e6)
    return spent


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    if needed("nginx", "nginx-light") is None:
        return
    with contextlib.suppress(AttributeError):  # not on every platform
        os.sched_setaffinity(0, {0})
    with nginx() as (plain, secure, ca_file), asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        for name, url, target in (("HTTP", plain, 2.5), ("HTTPS", secure, 1.3)):

            async def both(url: str = url) -> dict[str, list[float]]:
                return await measure({"libcurl": Floor(url, ca_file).run, "probe": probing(url, ca_file)}, rounds)

            spent = runner.run(both())
            floor, probe = spent["libcurl"], spent["probe"]
            # The two of a round are measured one right after the other: what slows the machine for longer slows both.
            ratio = statistics.median(one / other for one, other in zip(probe, floor, strict=True))
            figures = f"median of {rounds} rounds; medians {statistics.median(probe):.0f} and {statistics.median(floor):.0f} µs a check"
            say(f"{name}, one probe ÷ libcurl alone", ratio, "×", target, f"{figures}, least {min(probe):.0f} and {min(floor):.0f}")


if __name__ == "__main__":
    main()
