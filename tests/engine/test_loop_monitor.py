"""A machine that was busy, suspended, or whose clock stepped: what it spoilt is not held against the target, what it did not is."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from vigie.agent import check_once
from vigie.core.model import Cause, CheckResult, FaultScope, Scalar, Status
from vigie.engine.loop_monitor import LoopMonitor, monitored_loop
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Commit
from vigie.testing import VirtualClock, VirtualLoop
from vigie.testing.fakes import fake_spec
from vigie.testing.memory.data import Data
from vigie.testing.memory.ledger import MemoryLedger
from vigie.testing.servers import serving

UP, DOWN, UNKNOWN = Status.UP, Status.DOWN, Status.UNKNOWN
SHOP = fake_spec()  # ten seconds


def stall(seconds: float) -> None:
    """Nothing else on this loop runs for so long: a busy processor, or a disk that does not answer."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop._jumping.jumped += seconds


@dataclass
class Told:
    """Takes half a second, has something happen in the middle, and then finds what it is told."""

    happens: Callable[[], None]
    cause: Cause | None = Cause.TIMEOUT_CONNECT
    figures: dict[str, Scalar] = field(default_factory=dict)
    takes: float = 0.5
    looks: int = 0

    async def check(self, timeout_ms: int) -> CheckResult:
        self.looks += 1
        await asyncio.sleep(self.takes / 2)
        self.happens()
        await asyncio.sleep(self.takes / 2)
        return CheckResult("", 0, UP if self.cause is None else DOWN, self.cause, figures=self.figures)


@contextlib.asynccontextmanager
async def at_work(clock: VirtualClock) -> AsyncIterator[LoopMonitor]:
    async with monitored_loop(clock) as loop_monitor:
        await clock.sleep(3)
        yield loop_monitor


def nothing() -> None: ...


@pytest.mark.virtual
@pytest.mark.parametrize("cause", [Cause.TIMEOUT_CONNECT, Cause.HTTP_STATUS, None])
async def test_a_machine_that_stood_still_spoils_whatever_was_under_way(clock: VirtualClock, cause: Cause | None) -> None:
    async with at_work(clock) as loop_monitor:
        result = await loop_monitor.run_check(Told(lambda: stall(3), cause), SHOP)
    assert (result.status, result.cause, result.fault) == (UNKNOWN, Cause.PROBE_ERROR, FaultScope.MACHINE)
    assert "too busy for" in result.message


@pytest.mark.virtual
@pytest.mark.parametrize("step_ms", [3_600_000, -3_600_000, 5_000])
async def test_so_does_a_clock_that_stepped_or_a_suspended_machine(clock: VirtualClock, step_ms: int) -> None:
    async with at_work(clock) as loop_monitor:
        result = await loop_monitor.run_check(Told(lambda: clock.step(step_ms), None), SHOP)
    assert (result.status, result.fault) == (UNKNOWN, FaultScope.MACHINE)
    assert f"{step_ms / 1000:+.1f} s" in result.message


@pytest.mark.virtual
@pytest.mark.parametrize(
    ("stalled", "timeout_ms", "cause", "ours"),
    [
        (0.8, 1_000, Cause.TIMEOUT_FIRST_BYTE, True),
        (0.8, 2_000, Cause.DNS_TIMEOUT, True),
        (0.8, 10_000, Cause.TIMEOUT_CONNECT, False),
        (0.8, 1_000, Cause.TCP_REFUSED, False),
        (0.8, 1_000, None, False),
        (0.0, 1_000, Cause.TIMEOUT_CONNECT, False),
    ],
)
async def test_a_short_stall_excuses_a_check_that_ran_out_of_time_by_it(
    clock: VirtualClock, stalled: float, timeout_ms: int, cause: Cause | None, ours: bool
) -> None:
    spec = CheckSpec("x", "x", "fake", "", "", 60_000, timeout_ms)
    async with at_work(clock) as loop_monitor:
        result = await loop_monitor.run_check(Told(lambda: stall(stalled), cause), spec)
    assert (result.status is UNKNOWN) is ours


@pytest.mark.virtual
@pytest.mark.parametrize(("measured", "ours"), [(900, True), (1_700, False)])
async def test_and_one_that_was_too_slow_by_it(clock: VirtualClock, measured: int, ours: bool) -> None:
    slow = Told(lambda: stall(0.8), Cause.LATENCY_THRESHOLD, {"measured_ms": measured, "limit_ms": 800})
    async with at_work(clock) as loop_monitor:
        assert ((await loop_monitor.run_check(slow, SHOP)).status is UNKNOWN) is ours


@pytest.mark.virtual
async def test_what_happened_before_a_check_does_not_spoil_it(clock: VirtualClock) -> None:
    async with at_work(clock) as loop_monitor:
        stall(30)
        await clock.sleep(1)
        clock.step(86_400_000)
        assert (await loop_monitor.run_check(Told(nothing), SHOP)).status is DOWN


@pytest.mark.virtual
async def test_a_stall_at_the_very_end_needs_no_tick_to_be_noticed(clock: VirtualClock) -> None:
    async with at_work(clock) as loop_monitor:
        mark = loop_monitor.mark()
        stall(3)
        assert loop_monitor.invalidation(mark) is not None


@pytest.mark.virtual
async def test_a_probe_that_breaks_because_the_machine_stood_still_is_not_at_fault_itself(clock: VirtualClock) -> None:
    def breaks() -> None:
        stall(20)
        raise RuntimeError("boom")

    def broken() -> None:
        raise KeyError("x")

    async with at_work(clock) as loop_monitor:
        assert "too busy" in (await loop_monitor.run_check(Told(breaks), SHOP)).message
        result = await loop_monitor.run_check(Told(broken), SHOP)
    assert (result.status, result.figures) == (UNKNOWN, {})
    assert "KeyError" in result.message


@pytest.mark.virtual
async def test_a_single_cycle_looks_once_more_where_its_own_machine_spoilt_the_check(clock: VirtualClock) -> None:
    happened: list[int] = []

    def once_suspended() -> None:
        happened.append(1)
        if len(happened) == 1:
            clock.step(8 * 3_600_000)

    async with at_work(clock) as loop_monitor:
        probe = Told(once_suspended, None)
        assert (await loop_monitor.run_check_with_retry(probe, SHOP)).status is UP
        assert probe.looks == 2
        hopeless = Told(lambda: stall(4), None)
        assert (await loop_monitor.run_check_with_retry(hopeless, SHOP)).status is UNKNOWN
        assert hopeless.looks == 2


async def test_a_check_from_the_command_line_is_watched_over_too() -> None:
    """On real time: the server answers at once, but this process hears nothing for most of the check's time."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asyncio.get_running_loop().call_later(0.02, time.sleep, 0.9)
        await asyncio.sleep(0.05)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with serving(answer) as port:
        url = f"http://127.0.0.1:{port}/"
        (result,) = await check_once([CheckSpec("x", "x", "http", url, "127.0.0.1", 60_000, 600, {"url": url})], [])
    assert (result.status, result.cause, result.monitor) == (UNKNOWN, Cause.PROBE_ERROR, "x")


@pytest.mark.virtual
async def test_a_disk_that_stalls_is_not_the_targets_silence(clock: VirtualClock) -> None:
    """A single cycle keeps its results in the same thread that looks at services: while that waits for the disk, nobody is heard."""

    class Stalling(MemoryLedger):
        async def commit(self, change: Commit) -> None:
            stall(5)
            await super().commit(change)

    ledger, results = Stalling(Data()), list[CheckResult]()
    async with at_work(clock) as loop_monitor:

        async def one(cause: Cause | None, takes: float) -> None:
            result = await loop_monitor.run_check(Told(nothing, cause, takes=takes), SHOP)
            results.append(result)
            await ledger.commit(Commit((result,)))

        await asyncio.gather(one(None, 0.5), one(Cause.TIMEOUT_FIRST_BYTE, 2.0))
    assert [(one.status, one.cause) for one in results] == [(UP, None), (UNKNOWN, Cause.PROBE_ERROR)]
