"""libcurl on the loop: with a poller of our own, and with the loop's own readers as other platforms have it."""

import asyncio
import gc
import select
import time

import pytest

from vigie.core.model import Cause, CheckResult, Status
from vigie.probes.http import Config, build
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http.boringssl import BoringSslTransport
from vigie.probes.kit.http.openssl import OpenSslTransport
from vigie.probes.kit.http.transport import FallbackTransport, Transport
from vigie.testing.servers import page, serving

from .looking import Deps, MakeContext, announced, hang, made, with_transport

POLLERS = [True, False] if hasattr(select, "epoll") else [False]
KINDS = [(kind, own) for kind in ("openssl", "boringssl") for own in POLLERS]


def carrying(transport: Transport) -> OpenSslTransport | BoringSslTransport:
    """The one that HTTPS runs on."""
    found = transport.boringssl if isinstance(transport, FallbackTransport) else transport
    assert isinstance(found, OpenSslTransport | BoringSslTransport)
    return found


async def checks(deps: ProbeDeps, *urls: str, timeout: int = 1_500) -> list[CheckResult]:
    """All of them at once."""
    return await asyncio.gather(*(build(Config(url=url), deps).check(timeout) for url in urls))


@pytest.mark.parametrize(("kind", "own"), KINDS)
async def test_many_checks_side_by_side_each_get_their_own_answer(
    kind: str, own: bool, make_deps: Deps, make_context: MakeContext, unused_port: int
) -> None:
    deps, context = with_transport(make_deps, made(kind, own)), make_context(days=60)
    async with serving(page(b"x" * 70_000)) as good, serving(page(b"hello"), context) as secure, serving(hang, context) as deaf:
        urls = [
            f"http://127.0.0.1:{good}/",
            f"https://127.0.0.1:{secure}/",
            f"https://127.0.0.1:{unused_port}/",
            f"https://127.0.0.1:{deaf}/",
        ]
        results = await checks(deps, *urls * 10, timeout=900)
    deps.close()

    assert [result.cause for result in results[:4]] == [None, None, Cause.TCP_REFUSED, Cause.TIMEOUT_FIRST_BYTE]
    assert [result.cause for result in results] == [result.cause for result in results[:4]] * 10


@pytest.mark.parametrize(("kind", "own"), KINDS)
async def test_a_check_that_is_cancelled_leaves_nothing_behind(kind: str, own: bool, make_deps: Deps, make_context: MakeContext) -> None:
    transport, context = made(kind, own), make_context(days=60)
    deps, transfers = with_transport(make_deps, transport), carrying(transport).transfers
    came = asyncio.Semaphore(0)
    async with serving(announced(hang, came), context) as deaf, serving(page(b"hello"), context) as port:
        waiting = [asyncio.create_task(build(Config(url=f"https://127.0.0.1:{deaf}/"), deps).check(5_000)) for _ in range(5)]
        for _ in waiting:
            await came.acquire()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert transfers._waiting == {}
        assert transfers._watched == {}
        (result,) = await checks(deps, f"https://127.0.0.1:{port}/")
    deps.close()

    assert all(task.cancelled() for task in waiting)
    assert result.status is Status.UP


@pytest.mark.parametrize(("kind", "own"), KINDS)
async def test_closing_ends_what_is_under_way(kind: str, own: bool, make_deps: Deps, make_context: MakeContext) -> None:
    deps = with_transport(make_deps, made(kind, own))
    came = asyncio.Semaphore(0)
    async with serving(announced(hang, came), make_context(days=60)) as deaf:
        waiting = asyncio.create_task(build(Config(url=f"https://127.0.0.1:{deaf}/"), deps).check(5_000))
        await came.acquire()
        deps.close()
        await asyncio.gather(waiting, return_exceptions=True)

    assert waiting.cancelled()


@pytest.mark.parametrize(("kind", "own"), KINDS)
async def test_a_waiting_check_costs_no_time(kind: str, own: bool, make_deps: Deps) -> None:
    """No timer spins while a server thinks."""
    deps = with_transport(make_deps, made(kind, own))
    async with serving(hang) as deaf:
        await checks(deps, f"https://127.0.0.1:{deaf}/", timeout=50)
        gc.collect()
        before = time.process_time()
        await checks(deps, *[f"https://127.0.0.1:{deaf}/"] * 10, timeout=500)
        spent = time.process_time() - before
    deps.close()

    assert spent < 0.15


@pytest.mark.parametrize("kind", ["openssl", "boringssl"])
async def test_handles_are_used_again(kind: str, make_deps: Deps, make_context: MakeContext) -> None:
    transport = made(kind, own=POLLERS[0])
    deps = with_transport(make_deps, transport)
    async with serving(page(b"hello"), make_context(days=60)) as port:
        for _ in range(20):
            assert (await checks(deps, f"https://127.0.0.1:{port}/"))[0].status is Status.UP
    assert len(carrying(transport).spare) == 1
    deps.close()


async def test_what_is_shared_is_made_once_and_closed_with_the_others(make_deps: Deps) -> None:
    deps, closed = make_deps(), list[list[str]]()
    made = [deps.shared(key, lambda: [name], closed.append) for key, name in (("a", "first"), ("b", "second"), ("a", "third"))]  # noqa: B023
    deps.close()
    deps.close()

    assert made == [["first"], ["second"], ["first"]]
    assert closed == [["first"], ["second"]]
