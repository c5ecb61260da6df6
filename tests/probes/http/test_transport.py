"""libcurl on the loop: with a poller of our own, and with the loop's own readers as other platforms have it."""

import asyncio
import gc
import select
import time

import pytest

from vigie.core.model import Cause, CheckResult, Status
from vigie.probes.http import Config, build
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http.transfers import Transport
from vigie.testing.servers import page, serving

from .looking import Deps, MakeContext, announced, hang

POLLERS = [True, False] if hasattr(select, "epoll") else [False]


def with_poller(make_deps: Deps, own: bool) -> ProbeDeps:
    """What probes share, on a transport of this kind."""
    deps = make_deps()
    deps.shared("http", lambda: Transport(own_poller=own), Transport.close)
    return deps


async def checks(deps: ProbeDeps, *urls: str, timeout: int = 1_500) -> list[CheckResult]:
    """All of them at once."""
    return await asyncio.gather(*(build(Config(url=url), deps).check(timeout) for url in urls))


@pytest.mark.parametrize("own", POLLERS)
async def test_many_checks_side_by_side_each_get_their_own_answer(
    own: bool, make_deps: Deps, make_context: MakeContext, unused_port: int
) -> None:
    deps = with_poller(make_deps, own)
    async with serving(page(b"x" * 70_000)) as good, serving(page(b"hello"), make_context(days=60)) as secure, serving(hang) as deaf:
        urls = [
            f"http://127.0.0.1:{good}/",
            f"https://127.0.0.1:{secure}/",
            f"http://127.0.0.1:{unused_port}/",
            f"http://127.0.0.1:{deaf}/",
        ]
        results = await checks(deps, *urls * 10, timeout=600)
    deps.close()

    assert [result.cause for result in results[:4]] == [None, None, Cause.TCP_REFUSED, Cause.TIMEOUT_FIRST_BYTE]
    assert [result.cause for result in results] == [result.cause for result in results[:4]] * 10


@pytest.mark.parametrize("own", POLLERS)
async def test_a_check_that_is_cancelled_leaves_nothing_behind(own: bool, make_deps: Deps) -> None:
    deps = with_poller(make_deps, own)
    transport = deps.shared("http", Transport, Transport.close)
    came = asyncio.Semaphore(0)
    async with serving(announced(hang, came)) as deaf, serving(page(b"hello")) as port:
        waiting = [asyncio.create_task(build(Config(url=f"http://127.0.0.1:{deaf}/"), deps).check(5_000)) for _ in range(5)]
        for _ in waiting:
            await came.acquire()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert transport._waiting == {}
        assert transport._watched == {}
        (result,) = await checks(deps, f"http://127.0.0.1:{port}/")
    deps.close()

    assert all(task.cancelled() for task in waiting)
    assert result.status is Status.UP


@pytest.mark.parametrize("own", POLLERS)
async def test_closing_ends_what_is_under_way(own: bool, make_deps: Deps) -> None:
    deps = with_poller(make_deps, own)
    came = asyncio.Semaphore(0)
    async with serving(announced(hang, came)) as deaf:
        waiting = asyncio.create_task(build(Config(url=f"http://127.0.0.1:{deaf}/"), deps).check(5_000))
        await came.acquire()
        deps.close()
        await asyncio.gather(waiting, return_exceptions=True)

    assert waiting.cancelled()


@pytest.mark.parametrize("own", POLLERS)
async def test_a_waiting_check_costs_no_time(own: bool, make_deps: Deps) -> None:
    """No timer spins while a server thinks."""
    deps = with_poller(make_deps, own)
    async with serving(hang) as deaf:
        await checks(deps, f"http://127.0.0.1:{deaf}/", timeout=50)
        gc.collect()
        before = time.process_time()
        await checks(deps, *[f"http://127.0.0.1:{deaf}/"] * 10, timeout=500)
        spent = time.process_time() - before
    deps.close()

    assert spent < 0.15


async def test_handles_are_used_again(make_deps: Deps) -> None:
    deps = make_deps()
    async with serving(page(b"hello")) as port:
        for _ in range(20):
            assert (await checks(deps, f"http://127.0.0.1:{port}/"))[0].status is Status.UP
    transport = deps.shared("http", Transport, Transport.close)
    assert len(transport._idle) == 1
    deps.close()


async def test_what_is_shared_is_made_once_and_closed_with_the_others(make_deps: Deps) -> None:
    deps, closed = make_deps(), list[list[str]]()
    made = [deps.shared(key, lambda: [name], closed.append) for key, name in (("a", "first"), ("b", "second"), ("a", "third"))]  # noqa: B023
    deps.close()
    deps.close()

    assert made == [["first"], ["second"], ["first"]]
    assert closed == [["first"], ["second"]]
