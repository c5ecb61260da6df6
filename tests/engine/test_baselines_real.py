"""What is usual of a real server on loopback: days pass on the clock between two checks, the checks themselves are real."""

import asyncio
import importlib.util
from dataclasses import dataclass, field, replace

import pytest

from vigie.core.model import Cause, CheckResult, Status
from vigie.engine.baselines import Baselines
from vigie.net import Link, Resolver
from vigie.ports import Probe
from vigie.probes.http import Config, build
from vigie.probes.kit.deps import ProbeDeps
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor
from vigie.testing.servers import page, serving

START, MINUTE = 1_767_225_600_000, 60_000
SHOP = fake_monitor()
HOME = b"<title>Shop</title><header>Shop</header><main><h1>Bread</h1>" + b"<p>We bake every loaf by hand.</p>" * 40 + b"</main>"
OTHER = b"<title>Owned</title><script src=https://evil.example/x.js></script><p>nothing of it is left</p>"


@dataclass
class Shop:
    """A page, how long it takes, and what is said of it."""

    body: bytes = HOME
    takes: float = 0.005
    at: int = START
    known: Baselines = field(default_factory=Baselines)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self.takes)
        await page(self.body)(reader, writer)

    async def see(self, probe: Probe, count: int, step: int) -> list[CheckResult]:
        found = []
        for _ in range(count):
            result = replace(await probe.check(5_000), at=self.at)
            assert result.status is Status.UP, result.message
            found.append(self.known.judge(SHOP, result))
            self.at += step
        return found


async def watched(shop: Shop, *changes: tuple[int, float, bytes]) -> list[list[CheckResult]]:
    """What is said while it is learnt, for more than two days; then of so many checks a minute apart, of each change.

    Three checks an hour, so that one that the machine held up does not count.
    """
    resolver = Resolver()
    deps = ProbeDeps(VirtualClock(), resolver, Link(resolver, ()), None)
    async with serving(shop.handle) as port:
        probe = build(Config(url=f"http://127.0.0.1:{port}/"), deps)
        said = [await shop.see(probe, 3 * 51, 20 * MINUTE)]
        for count, shop.takes, shop.body in changes:
            said.append(await shop.see(probe, count, MINUTE))
    deps.close()
    return said


async def test_a_service_that_became_slow_and_stayed_so() -> None:
    learnt, slow = await watched(Shop(), (6, 0.5, HOME))

    assert {one.cause for one in learnt} == {None}
    assert (slow[-1].status, slow[-1].cause) == (Status.DEGRADED, Cause.LATENCY_ANOMALY)
    assert slow[-1].figures["phase"] == "first_byte"
    assert slow[0].cause is None


async def test_a_service_that_is_slow_for_a_moment_is_not_told() -> None:
    said = await watched(Shop(), (3, 0.5, HOME), (6, 0.005, HOME))

    assert {one.cause for some in said for one in some} == {None}


pages = pytest.mark.skipif(importlib.util.find_spec("vigie.probes.kit.http.page") is None, reason="pages are not read")


@pages
async def test_a_page_that_became_another() -> None:
    learnt, changed = await watched(Shop(), (2, 0.0, OTHER))

    assert {one.cause for one in learnt} == {None}
    assert (changed[-1].status, changed[-1].cause) == (Status.DEGRADED, Cause.CONTENT_CHANGED)


@pages
async def test_a_page_with_other_words_is_the_same_page() -> None:
    said = await watched(Shop(), (2, 0.0, HOME.replace(b"loaf", b"cake")))

    assert {one.cause for some in said for one in some} == {None}
