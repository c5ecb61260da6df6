"""Foreign documents are read where they can be killed: what one costs is its own monitor's, and no other's."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from bench.hostile import run

from vigie.config.convert import dec_hook
from vigie.core.model import Cause, CheckResult, Status
from vigie.engine.loop_monitor import monitored_loop
from vigie.probes.http import Config, build
from vigie.probes.kit import worker
from vigie.probes.kit import workers as module
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.lane import Lane
from vigie.probes.kit.workers import Unread, Workers
from vigie.testing.servers import Serve, answering, page
from vigie.testing.starvation import measured

Deps = Callable[[], ProbeDeps]
FOR_EVER = {"wanted": {"keywords": [], "rejected": [], "assertions": [["$..*..*", "==", 1]]}, "headers": {}}
NEVER = b"[" + b",".join([b"[" + b",".join([b"0"] * 999) + b"]"] * 999) + b"]"  # a search that takes longer than anybody waits
GOOD = {"wanted": {"keywords": ["bread"], "rejected": [], "assertions": []}, "headers": {}}
FOUND = b'{"fault": null}'


class Owner:
    """Whose documents they are."""


async def begun(workers: Workers) -> None:
    """The process runs."""
    assert await workers.ask(Owner(), "content", GOOD, b"bread", left=50) == FOUND


async def test_a_document_that_takes_for_ever_costs_only_itself(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BOUNDS", {"content": (0.3, 50.0)})
    monkeypatch.setattr(module, "_WAIT_SECONDS", 50.0)  # however busy the machine is
    await begun(workers)
    async with measured() as loop:
        hostile = asyncio.create_task(workers.ask(Owner(), "content", FOR_EVER, NEVER, left=50))
        await asyncio.sleep(0)
        others = [asyncio.create_task(workers.ask(Owner(), "content", GOOD, b"bread", left=50)) for _ in range(20)]
        with pytest.raises(Unread) as unread:
            await hostile
        found = await asyncio.gather(*others)

    assert unread.value.blame
    assert found == [FOUND] * 20
    assert loop.held < 0.2


async def test_who_is_late_twice_in_a_row_is_asked_ever_more_rarely_and_the_others_as_ever(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begun(workers)
    asked = []

    async def late(message: bytes, body: bytes, *_: object, **__: object) -> bytes:
        asked.append(body)
        raise Unread(blame=True)

    owner = Owner()
    with monkeypatch.context() as patched:
        patched.setattr(workers._pages, "ask", late)
        for number in range(40):
            with pytest.raises(Unread):
                await workers.ask(owner, "page", {}, b"%d" % number, left=50)

    assert asked == [b"0", b"1", b"4", b"9", b"18", b"35"]
    assert await workers.ask(owner, "content", GOOD, b"bread", left=50) == FOUND
    assert await workers.ask(Owner(), "content", GOOD, b"bread", left=50) == FOUND


async def test_a_process_that_is_killed_is_started_anew(workers: Workers) -> None:
    await begun(workers)
    first = workers._pages._child
    assert first is not None
    first._process.kill()

    assert await workers.ask(Owner(), "content", GOOD, b"bread", left=50) == FOUND
    assert await workers.ask(Owner(), "content", GOOD, b"bread", left=50) == FOUND
    assert workers._pages._child is not first


async def test_a_process_that_is_killed_while_it_reads_costs_nobody_anything(workers: Workers) -> None:
    await begun(workers)
    first = workers._pages._child
    assert first is not None
    asked = asyncio.create_task(workers.ask(Owner(), "content", GOOD, b"bread" * 2_000_000, left=50))
    await asyncio.sleep(0)
    first._process.kill()

    assert await asked == FOUND
    assert workers._pages._child is not first


async def test_a_process_without_work_ends_and_the_next_document_has_another() -> None:
    lane = Lane("pages", idle_seconds=0.05)
    message = msgspec.json.encode({"job": "content", "cpu": 5, **GOOD})
    try:
        for _ in range(2):
            assert await lane.ask(message, b"bread", 50, 50) == FOUND
            child = lane._child
            assert child is not None
            async with asyncio.timeout(20):
                while lane.running:  # noqa: ASYNC110 - a process that ends sets no event
                    await asyncio.sleep(0.01)  # slow: the process ends by itself
            assert await asyncio.to_thread(child._process.wait, 20) != 0
    finally:
        lane.close()


async def test_a_fault_of_a_reader_is_logged_and_ends_nothing(workers: Workers, caplog: pytest.LogCaptureFixture) -> None:
    await begun(workers)
    with pytest.raises(Unread):
        await workers.ask(Owner(), "content", {"wanted": {}, "headers": {}}, b"", left=50)

    assert "KeyError" in caplog.text
    assert await workers.ask(Owner(), "content", GOOD, b"bread", left=50) == FOUND


async def test_nobody_waits_for_a_turn_longer_than_there_is_time(workers: Workers) -> None:
    await begun(workers)
    hostile = asyncio.create_task(workers.ask(Owner(), "content", FOR_EVER, NEVER, left=50))
    await asyncio.sleep(0)
    started = time.perf_counter()
    with pytest.raises(Unread) as unread:
        await workers.ask(Owner(), "content", GOOD, b"bread", left=0)

    assert not unread.value.blame
    assert time.perf_counter() - started < 0.9
    with pytest.raises(Unread):
        await hostile


async def test_a_long_search_is_done_elsewhere_than_pages(workers: Workers) -> None:
    await begun(workers)
    hostile = asyncio.create_task(workers.ask(Owner(), "content", FOR_EVER, NEVER, left=2, long=True))
    await asyncio.sleep(0)

    assert await workers.ask(Owner(), "content", GOOD, b"bread", left=50) == FOUND
    assert not hostile.done()
    with pytest.raises(Unread):
        await hostile


async def test_after_the_end_nothing_is_read() -> None:
    workers = Workers()
    workers.start()
    workers.close()
    with pytest.raises(Unread) as unread:
        await workers.ask(Owner(), "content", GOOD, b"bread", left=50)

    assert not unread.value.blame


async def test_a_process_that_cannot_be_started_is_said_once(
    workers: Workers, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/does/not/exist")
    for _ in range(3):
        with pytest.raises(Unread) as unread:
            await workers.ask(Owner(), "content", GOOD, b"bread", left=50)
        assert not unread.value.blame
    assert caplog.text.count("could not be started") == 1


def test_a_job_ends_with_the_error_it_raised() -> None:
    assert worker._done(lambda asked, _: {"found": asked["x"]}, {}, b"") == b'{"error": "KeyError: \'x\'"}'


async def once(make_deps: Deps, url: str, **options: Any) -> CheckResult:
    deps = make_deps()
    try:
        return await build(msgspec.convert({"url": url, **options}, Config, dec_hook=dec_hook), deps).check(20_000)
    finally:
        deps.close()


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    async def late(self: Workers, *_: object, **__: object) -> bytes:
        raise Unread(blame=True)

    monkeypatch.setattr(Workers, "ask", late)


@pytest.mark.usefixtures("unreadable")
async def test_the_verdict_stands_where_the_page_was_not_read_in_time(serve: Serve, make_deps: Deps) -> None:
    async with serve(page(b"<h1>Bread</h1>")) as good, serve(page(b"<h1>Bread</h1>", status="503 Service Unavailable")) as bad:
        up, down = await once(make_deps, f"http://127.0.0.1:{good}/"), await once(make_deps, f"http://127.0.0.1:{bad}/")

    assert (up.status, up.cause, up.message) == (Status.UP, None, "HTTP 200, content not read in time")
    assert (up.figures, up.advice) == (
        {"content": "not read in time"},
        ("the page could not be read in time, so its content was not judged",),
    )
    assert (down.status, down.cause) == (Status.DOWN, Cause.HTTP_STATUS)
    assert down.figures["content"] == "not read in time"


@pytest.mark.usefixtures("unreadable")
async def test_what_the_user_expects_of_a_body_that_was_not_searched_in_time_is_not_met(serve: Serve, make_deps: Deps) -> None:
    async with serve(page(b"bread" * 20_000)) as port:
        found = await once(make_deps, f"http://127.0.0.1:{port}/", expect={"keyword": "bread"})

    assert (found.status, found.cause) == (Status.DOWN, Cause.TIMEOUT_TOTAL)


HOSTILE = {
    "comments": b"<!---->" * 40 + b"x",
    "a script of spaces": b"<p>bread</p><script>eval" + b" " * 100_000 + b";unescape</script>",
    "a white style": b'<div style="' + b"color:#fff;" * 46_000 + b'background"><a href="//a.test/">a</a><a href="//b.test/">b</a></div>',
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("status", ["200 OK", "503 Service Unavailable"])
async def test_a_hostile_page_voids_no_check(name: str, status: str, serve: Serve, make_deps: Deps) -> None:
    body = HOSTILE[name]
    kind = "" if name == "comments" else "Content-Type: text/html\n"
    handler = answering(f"HTTP/1.1 {status}\nContent-Length: {len(body)}\n{kind}\n", body)
    async with serve(handler) as port, measured() as loop:
        deps = make_deps()
        async with monitored_loop(deps.clock):
            found = await once(make_deps, f"http://127.0.0.1:{port}/")

    assert found.status is (Status.UP if status == "200 OK" else Status.DOWN), found
    assert found.cause in (None, Cause.HTTP_STATUS)
    assert loop.held < 0.3


async def test_a_hostile_monitor_beside_others_voids_and_loses_none_of_their_checks() -> None:
    """Their lateness is measured by `python -m bench.hostile`, on a machine that runs nothing else."""
    _, found = await run(20, 3.0)

    others = [one for one in found if one.monitor != "m0"]
    assert {one.monitor for one in others} == {f"m{number}" for number in range(1, 21)}
    assert {(one.status, one.message) for one in others} <= {(Status.UP, "HTTP 200"), (Status.UP, "HTTP 200, content not read in time")}
    assert {one.status for one in found if one.monitor == "m0"} == {Status.UP}
