"""The prober process: a real child that really looks; it is killed, stopped and confused, and always comes back."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from itertools import count

import msgspec
import pytest

from vigie.buses.process import Assign, Late, LogLine, ProcessAgent, Stop, Up, frame, read_frame
from vigie.clock import SystemClock
from vigie.core.model import Cause, CheckResult, Status
from vigie.errors import StoreError, StoreFault, VigieError
from vigie.fleet.wire import CheckNow, Pace
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Batch
from vigie.testing.servers import page, serving

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def spec(name: str, port: int, every_ms: int = 200) -> CheckSpec:
    url = f"http://127.0.0.1:{port}/"
    return CheckSpec(name, name, "http", url, "127.0.0.1", every_ms, 2_000, {"url": url})


class Parent:
    """The parent's side, and what came over."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.came = asyncio.Event()
        self.runs = count(1)
        self.agent = ProcessAgent(clock=SystemClock(), publish=self._publish, next_run=self._next_run, control=[])

    async def _publish(self, batch: Batch) -> None:
        self.batches.append(batch)
        self.came.set()

    async def _next_run(self) -> int:
        return next(self.runs)

    def results(self) -> list[CheckResult]:
        return [result for batch in self.batches for result in batch.results]

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not wanted():
                self.came.clear()
                await self.came.wait()


@contextlib.asynccontextmanager
async def watching(*names: str) -> AsyncIterator[tuple[Parent, int]]:
    """A child that watches a page on loopback under these names; stopped at the end."""
    async with serving(page(b"hello")) as port:
        parent = Parent()
        await parent.agent.assign([spec(name, port) for name in names])
        parent.agent.start()
        try:
            await parent.until(lambda: {result.monitor for result in parent.results()} >= set(names))
            yield parent, port
        finally:
            await parent.agent.stop()


async def test_a_child_looks_and_its_results_come_over_whole() -> None:
    async with watching("shop") as (parent, _):
        result = parent.results()[0]
        assert (result.status, result.address) == (Status.UP, "127.0.0.1")
        assert result.http is not None
        assert result.http.status == 200
        assert result.timings.total is not None
        assert result.run == 1
        assert parent.agent.pid not in (None, os.getpid())
    assert parent.agent.pid is None


async def test_a_monitor_that_may_contact_no_internal_address_does_not_in_the_child_either() -> None:
    async with watching("shop") as (parent, port):
        await parent.agent.assign([replace(spec("inside", port), reach=())])
        await parent.until(lambda: any(result.monitor == "inside" for result in parent.results()))
        result = next(result for result in parent.results() if result.monitor == "inside")
        assert (result.status, result.cause, result.http) == (Status.UNKNOWN, Cause.PROBE_ERROR, None)


async def test_a_new_assignment_replaces_the_old_one() -> None:
    async with watching("old") as (parent, port):
        await parent.agent.assign([spec("new", port)])
        await parent.until(lambda: any(result.monitor == "new" for result in parent.results()))
        parent.batches.clear()
        await parent.until(lambda: len(parent.results()) >= 3)
        assert {result.monitor for result in parent.results()} == {"new"}


async def test_a_monitor_whose_options_make_no_sense_is_unknown_and_the_others_are_watched() -> None:
    async with watching("shop") as (parent, port):
        odd = replace(spec("odd", port), options={"url": "http://127.0.0.1/", "no_such_key": 1})
        await parent.agent.assign([spec("shop", port), odd])
        await parent.until(lambda: any(result.monitor == "odd" for result in parent.results()))
        found = next(result for result in parent.results() if result.monitor == "odd")
        assert (found.status, found.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR)


async def test_what_is_sent_to_a_child_that_has_ended_is_let_go_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    async with watching("shop") as (parent, _):
        await parent.agent.stop()
        for _ in range(10):
            await parent.agent.pace("shop", 1_000)
    assert caplog.text == ""


async def test_stopping_drains_and_ends_the_child() -> None:
    async with watching("shop") as (parent, _):
        pid = parent.agent.pid
        assert pid is not None
        await parent.agent.stop()
        assert parent.agent.pid is None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@posix
async def test_a_killed_child_comes_back_with_the_same_work_and_a_higher_run(caplog: pytest.LogCaptureFixture) -> None:
    async with watching("shop", "blog") as (parent, _):
        await parent.agent.pace("shop", 100)
        first = parent.agent.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await parent.until(lambda: {result.monitor for result in parent.results() if result.run == 2} == {"shop", "blog"})
        assert parent.agent.pid not in (None, first)
    assert "the prober process died" in caplog.text


@posix
async def test_a_child_that_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    async with watching("shop") as (parent, _):
        monkeypatch.setattr("vigie.buses.process._SILENCE_SECONDS", 1.0)
        await parent.until(lambda: len(parent.results()) >= 4)  # the wait that began before is over
        first, real = parent.agent.pid, parent.agent._next_run
        assert first is not None

        async def next_run() -> int:
            monkeypatch.setattr("vigie.buses.process._SILENCE_SECONDS", 60.0)  # a busy machine may take longer to start the second
            return await real()

        parent.agent._next_run = next_run
        os.kill(first, signal.SIGSTOP)
        await parent.until(lambda: parent.results()[-1].run == 2)
        assert parent.agent.pid != first
    assert "sent nothing for 1 s" in caplog.text


async def test_a_store_that_fails_at_the_start_delays_the_child_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("vigie.buses.process._RESTART_SECONDS", (0.01,))
    parent, failures = Parent(), [1, 1]

    async def next_run() -> int:
        if failures:
            failures.pop()
            raise StoreError(StoreFault.FULL, "the disk is full")
        return 5

    parent.agent._next_run = next_run
    async with serving(page(b"hello")) as port:
        await parent.agent.assign([spec("shop", port)])
        parent.agent.start()
        await parent.until(lambda: bool(parent.results()))
        await parent.agent.stop()
    assert parent.results()[0].run == 5
    assert caplog.text.count("could not be started (the disk is full)") == 2


async def _fake_child(script: str, talk: Callable[[Parent], Awaitable[None]], monkeypatch: pytest.MonkeyPatch) -> Parent:
    """A parent whose child is a script of ours."""
    real = asyncio.create_subprocess_exec

    async def spawn(program: str, *_: str, **pipes: int) -> asyncio.subprocess.Process:
        process = await real(program, "-c", script, **pipes)  # type: ignore[arg-type]
        parent.came.set()
        return process

    monkeypatch.setattr("vigie.buses.process.asyncio.create_subprocess_exec", spawn)
    parent = Parent()
    parent.agent.start()
    await talk(parent)
    await parent.agent.stop()
    return parent


@pytest.mark.parametrize("babble", ["b'no frame at all, but much text'", "bytes([3, 0, 0, 0]) + b'abc'", "b''"])
async def test_a_child_that_babbles_is_replaced_again_and_again_with_growing_waits(
    babble: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("vigie.buses.process._RESTART_SECONDS", (0.01, 0.02))
    starts = list[int]()

    async def three_lives(parent: Parent) -> None:
        real = parent.agent._next_run

        async def counted() -> int:
            starts.append(await real())
            parent.came.set()
            return starts[-1]

        parent.agent._next_run = counted
        await parent.until(lambda: len(starts) >= 3)

    await _fake_child(f"import sys; sys.stdout.buffer.write({babble}); sys.stdout.flush()", three_lives, monkeypatch)
    assert "restarting it in 0.01 s" in caplog.text
    assert "restarting it in 0.02 s" in caplog.text


async def test_a_child_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("vigie.buses.process._STOP_SECONDS", 0.5)

    async def at_work(parent: Parent) -> None:
        await parent.until(lambda: parent.agent.pid is not None)

    parent = await _fake_child("import time; time.sleep(1000)", at_work, monkeypatch)
    assert parent.agent.pid is None
    assert "was killed" in caplog.text


async def _read(data: bytes) -> Up | None:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await read_frame(reader)


async def test_frames_survive_the_journey() -> None:
    for message in (LogLine(20, "café"), Late(3, 1, 2)):
        assert await _read(frame(message)) == message
    assert await _read(frame(LogLine(20, "cut"))[:-1]) is None
    assert await _read(b"") is None


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\x01\x00\x00\x00\xc1", frame(Stop())])
async def test_what_is_no_frame_is_told_apart(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        await _read(data)


def test_every_message_to_the_child_reads_back_as_it_was() -> None:
    for message in (Assign(3, [spec("shop", 80)], ["1.1.1.1:53"]), Pace("shop", None), Pace("shop", 500), CheckNow("shop"), Stop()):
        assert msgspec.msgpack.decode(frame(message)[4:], type=Assign | Pace | CheckNow | Stop) == message


async def test_a_check_out_of_turn_is_made_by_the_child_and_published_nowhere() -> None:
    async with watching("shop") as (parent, port):
        asked = replace(spec("once", port), location="here")

        found, missing = await asyncio.gather(parent.agent.check_once(asked), parent.agent.check_once(replace(asked, kind="nothing")))

        assert (found.status, found.monitor, found.location) == (Status.UP, "once", "here")
        assert (missing.status, missing.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR)
        assert {result.monitor for result in parent.results()} == {"shop"}


async def test_a_check_out_of_turn_ends_with_its_child() -> None:
    parent = Parent()

    with pytest.raises(VigieError, match="not running"):
        await parent.agent.check_once(spec("once", 1))
