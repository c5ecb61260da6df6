"""The agent: limits, batches, doubtful machines, and what a probe that breaks costs."""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from vigie.core.model import Cause, CheckResult, Monitor, Sensitivity, Status
from vigie.engine.limits import Limits
from vigie.engine.loop_monitor import LoopMonitor
from vigie.engine.prober import LocalAgent
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Batch, Probe
from vigie.testing import VirtualClock, VirtualLoop
from vigie.testing.fakes import FakeProbe, fake_monitor, policies

pytestmark = pytest.mark.virtual


class Site:
    """An agent over fake probes, and the batches it published. While `blocked` is set nobody takes any."""

    def __init__(self, clock: VirtualClock, *, status: Status = Status.UP, takes: float = 0.02, run: int = 7) -> None:
        self.clock, self.takes, self.status = clock, takes, status
        self.batches: list[Batch] = []
        self.published_at: list[int] = []
        self.blocked: asyncio.Event | None = None
        self.probes: dict[str, FakeProbe] = {}
        self.build: Callable[[CheckSpec], Probe] = self._build
        self.agent = LocalAgent(name="here", run=run, clock=clock, publish=self._publish, build=lambda one: self.build(one))  # noqa: PLW0108 - tests exchange it

    async def watch(self, monitors: Iterable[Monitor]) -> None:
        await self.agent.assign([CheckSpec.of(one, {}) for one in monitors])

    def results(self) -> list[CheckResult]:
        return [result for batch in self.batches for result in batch.results]

    def _build(self, spec: CheckSpec) -> Probe:
        return self.probes.setdefault(spec.monitor, FakeProbe(self.clock, lambda _: self.status, self.takes))

    async def _publish(self, batch: Batch) -> None:
        if self.blocked is not None:
            await self.blocked.wait()
        self.batches.append(batch)
        self.published_at.append(self.clock.now())


def stall(seconds: float) -> None:
    """Nothing else on this loop runs for so long."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop._jumping.jumped += seconds


async def test_ten_thousand_monitors_are_all_checked_on_time_and_once_a_minute(clock: VirtualClock) -> None:
    site = Site(clock)
    site.agent.start()
    await site.watch(fake_monitor(f"m{number}") for number in range(10_000))
    await clock.sleep(60)
    before = len(site.results())
    site.agent.lateness.samples.clear()
    await clock.sleep(15)
    assert abs(len(site.results()) - before - 2_500) < 250
    assert max(site.agent.lateness.samples) <= 20
    await site.agent.stop()


async def test_a_probe_that_takes_longer_than_its_interval_never_runs_twice_at_once(clock: VirtualClock) -> None:
    site = Site(clock, takes=7)
    site.agent.start()
    await site.watch([fake_monitor(every_ms=2_000)])
    await clock.sleep(60)
    assert site.probes["shop"].most == 1
    assert 6 <= len(site.results()) <= 8
    await site.agent.stop()


async def test_a_host_that_hangs_delays_no_other_host(clock: VirtualClock) -> None:
    site = Site(clock)
    slow = [fake_monitor(f"slow{number}", host="slow.example", every_ms=10_000) for number in range(1_000)]
    quick = [fake_monitor(f"quick{number}", every_ms=10_000) for number in range(100)]

    def build(spec: CheckSpec) -> Probe:
        takes = 9.0 if spec.host == "slow.example" else 0.02
        return site.probes.setdefault(spec.monitor, FakeProbe(clock, lambda _: Status.UP, takes))

    site.build = build
    site.agent.start()
    await site.watch([*slow, *quick])
    await clock.sleep(60)
    assert all(len(site.probes[one.id].looks) >= 5 for one in quick)
    assert sum(site.probes[one.id].running for one in slow) == 8
    await site.agent.stop()


async def test_who_waits_for_a_slot_when_the_agent_stops_is_not_started(clock: VirtualClock) -> None:
    site = Site(clock, takes=9)
    site.agent.start()
    await site.watch(fake_monitor(f"slow{number}", host="slow.example", every_ms=1_000) for number in range(100))
    await clock.sleep(5)
    before = clock.now()
    await site.agent.stop()
    assert clock.now() - before <= 9_000
    assert len(site.results()) == 8


async def test_slots_are_handed_out_in_order_and_forgotten_when_nobody_needs_them() -> None:
    limits, order = Limits(10, 1), list[int]()

    async def one(number: int) -> None:
        await limits.acquire("host")
        await asyncio.sleep(1)
        order.append(number)
        limits.release("host")

    await asyncio.gather(*(one(number) for number in range(5)))
    assert order == [0, 1, 2, 3, 4]
    assert not limits._hosts


async def test_a_check_cancelled_while_it_waits_leaves_its_slot_to_the_next() -> None:
    for total, per_host in ((10, 1), (1, 10)):
        limits = Limits(total, per_host)
        await limits.acquire("host")
        first, second = (asyncio.create_task(limits.acquire("host")) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        limits.release("host")
        await second
        limits.release("host")
        assert not limits._hosts
        assert limits._total._value == total


async def test_checks_that_talk_to_no_host_share_no_queue() -> None:
    limits, started = Limits(3, 1), list[int]()

    async def one(number: int) -> None:
        await limits.acquire("")
        started.append(number)
        await asyncio.sleep(1)
        limits.release("")

    tasks = [asyncio.create_task(one(number)) for number in range(5)]
    await asyncio.sleep(0.5)
    assert started == [0, 1, 2]
    await asyncio.gather(*tasks)
    assert not limits._hosts


async def test_a_failure_is_published_at_once_and_good_results_soon(clock: VirtualClock) -> None:
    for status, at_most in ((Status.DOWN, 1), (Status.UP, 251)):
        site = Site(clock, status=status)
        site.agent.start()
        await site.watch([fake_monitor()])
        await clock.sleep(30)
        assert site.published_at[0] - (site.probes["shop"].looks[0] + 20) <= at_most
        await site.agent.stop()


async def test_orders_rise_strictly_and_carry_the_run(clock: VirtualClock) -> None:
    site = Site(clock, run=3)
    site.agent.start()
    await site.watch(fake_monitor(f"m{number}", every_ms=5_000) for number in range(20))
    await clock.sleep(30)
    await site.agent.stop()
    orders = [(result.run, result.sequence) for result in site.results()]
    assert orders == sorted(set(orders))
    assert {run for run, _ in orders} == {3}
    assert [batch.sequence for batch in site.batches] == list(range(1, len(site.batches) + 1))
    assert all(len(batch.results) <= 256 for batch in site.batches)


async def test_quick_pace_is_kept_until_it_is_taken_back(clock: VirtualClock) -> None:
    site = Site(clock)
    site.agent.start()
    await site.watch([fake_monitor()])
    await site.agent.pace("shop", 1_000)
    await clock.sleep(10.5)
    assert len(site.probes["shop"].looks) == 10
    await site.agent.pace("shop", None)
    await clock.sleep(61)
    assert len(site.probes["shop"].looks) == 11
    await site.agent.stop()


@pytest.mark.parametrize("fault", [ValueError("a bug"), TimeoutError(), OSError("no file")])
async def test_a_probe_that_raises_is_our_own_fault(clock: VirtualClock, fault: Exception) -> None:
    class Raising:
        async def check(self, timeout_ms: int) -> CheckResult:
            raise fault

    site = Site(clock)
    site.build = lambda _: Raising()
    site.agent.start()
    await site.watch([fake_monitor()])
    await clock.sleep(15)
    result = site.results()[0]
    assert (result.status, result.cause, result.monitor) == (Status.UNKNOWN, Cause.PROBE_ERROR, "shop")
    assert type(fault).__name__ in result.message
    await site.agent.stop()


async def test_a_probe_that_ignores_its_deadline_is_cut_off(clock: VirtualClock) -> None:
    class Endless:
        async def check(self, timeout_ms: int) -> CheckResult:
            await asyncio.sleep(1e9)
            raise AssertionError

    site = Site(clock)
    site.build = lambda _: Endless()
    site.agent.start()
    await site.watch([fake_monitor()])
    await clock.sleep(30)
    assert site.results()[0].cause is Cause.PROBE_ERROR
    await site.agent.stop()


async def test_a_probe_that_cannot_be_built_leaves_the_others_watched(clock: VirtualClock) -> None:
    site = Site(clock)
    normal = site.build

    def build(spec: CheckSpec) -> Probe:
        if spec.monitor == "broken":
            raise ValueError("no such option")
        return normal(spec)

    site.build = build
    site.agent.start()
    await site.watch([fake_monitor("broken"), fake_monitor("fine")])
    await clock.sleep(30)
    found = {result.monitor: result for result in site.results()}
    assert found["fine"].status is Status.UP
    assert found["broken"].status is Status.UNKNOWN
    assert "no such option" in found["broken"].message
    await site.agent.stop()


@pytest.mark.parametrize("delta_ms", [3_600_000, -3_600_000])
async def test_a_check_under_way_while_the_clock_steps_is_void(clock: VirtualClock, delta_ms: int) -> None:
    site = Site(clock, status=Status.DOWN, takes=5)
    site.agent.start()
    await site.watch([fake_monitor()])
    await site.agent.pace("shop", 1_000)
    await clock.sleep(5.99)
    clock.step(delta_ms)  # seen when the check ends, 10 ms later, before any tick of the watch
    await clock.sleep(0.02)
    assert site.results()[0].cause is Cause.PROBE_ERROR
    assert "the clock jumped" in site.results()[0].message
    await clock.sleep(10)
    assert site.results()[1].status is Status.DOWN
    await site.agent.stop()


async def test_a_step_of_the_clock_neither_bunches_nor_skips_checks(clock: VirtualClock) -> None:
    site = Site(clock, takes=0.0)
    site.agent.start()
    await site.watch(fake_monitor(f"m{number}", every_ms=10_000) for number in range(100))
    await clock.sleep(30)
    before = len(site.results())
    clock.step(-86_400_000)
    await clock.sleep(30)
    clock.step(2 * 86_400_000)
    await clock.sleep(30)
    assert abs(len(site.results()) - before - 600) <= 20
    await site.agent.stop()


async def test_checks_under_way_while_this_machine_was_stuck_are_void(clock: VirtualClock) -> None:
    loop_monitor = LoopMonitor(clock)
    ticking = asyncio.create_task(loop_monitor.run())
    await clock.sleep(10.5)
    mark = loop_monitor.mark()
    assert loop_monitor.invalidation(mark) is None
    stall(5)
    assert "too busy" in (loop_monitor.invalidation(mark) or "")  # before the tick
    await clock.sleep(1.5)
    assert "too busy" in (loop_monitor.invalidation(mark) or "")  # after it
    assert loop_monitor.invalidation(loop_monitor.mark()) is None
    ticking.cancel()


async def test_what_an_exchanged_monitor_brings_late_is_let_go(clock: VirtualClock) -> None:
    site = Site(clock, takes=5)
    site.agent.start()
    await site.watch([fake_monitor(every_ms=10_000)])
    while not site.probes["shop"].running:
        await clock.sleep(0.1)
    await site.watch([fake_monitor(every_ms=20_000)])
    await clock.sleep(6)
    assert not site.results()
    await site.agent.stop()


async def test_unchanged_monitors_keep_their_probe_over_a_reload(clock: VirtualClock) -> None:
    site, built = Site(clock), list[str]()
    normal = site.build

    def build(spec: CheckSpec) -> Probe:
        built.append(spec.monitor)
        return normal(spec)

    site.build = build
    await site.watch([fake_monitor("a"), fake_monitor("b")])
    await site.watch([fake_monitor("a"), fake_monitor("b", every_ms=30_000)])
    assert built == ["a", "b", "b"]


async def test_a_change_of_who_is_notified_keeps_probe_phase_and_the_check_in_progress(clock: VirtualClock) -> None:
    site, kept = Site(clock, takes=5), Site(clock, takes=5)
    for one in (site, kept):
        one.agent.start()
        await one.watch([fake_monitor(every_ms=10_000)])
    while not site.probes["shop"].running:
        await clock.sleep(0.1)
    before = site.agent._watched["shop"]
    changed = fake_monitor(every_ms=10_000, policy=policies(confirm=9, remind_ms=1, to=("chat",), fallback=("mail",)))
    await site.watch([replace(changed, tags=("new",), baseline=Sensitivity.OFF)])
    assert site.agent._watched["shop"] is before
    await clock.sleep(60)
    assert [one.at for one in site.results()] == [one.at for one in kept.results()]
    assert len(site.results()) >= 6
    for one in (site, kept):
        await one.agent.stop()


async def test_results_say_where_they_were_made(clock: VirtualClock) -> None:
    site = Site(clock)
    site.agent.start()
    await site.agent.assign([CheckSpec.of(fake_monitor("a"), {}), CheckSpec.of(fake_monitor("b"), {}, "paris")])
    await clock.sleep(60)
    assert {(one.monitor, one.location) for one in site.results()} == {("a", "local"), ("b", "paris")}
    await site.agent.stop()


async def test_building_thousands_of_probes_holds_up_no_check(clock: VirtualClock) -> None:
    site = Site(clock)
    normal = site.build

    def build(spec: CheckSpec) -> Probe:
        stall(0.001)
        return normal(spec)

    site.build = build
    site.agent.start()
    await site.watch([fake_monitor(every_ms=1_000)])
    await clock.sleep(5)
    site.agent.lateness.samples.clear()
    await site.watch([fake_monitor(every_ms=1_000), *(fake_monitor(f"new{number}") for number in range(3_000))])
    assert len(site.probes["shop"].looks) >= 7
    assert max(site.agent.lateness.samples) < 500
    await site.agent.stop()


async def test_memory_stays_bounded_while_nobody_takes_results(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigie.engine.prober._MAX_PENDING", 50)
    site = Site(clock)
    site.blocked = asyncio.Event()
    site.agent.start()
    await site.watch(fake_monitor(f"m{number}", every_ms=1_000) for number in range(10))
    await clock.sleep(60)
    assert len(site.agent._pending) == 50
    site.blocked.set()
    await clock.sleep(10)
    orders = [(result.run, result.sequence) for result in site.results()]
    assert orders == sorted(set(orders))
    assert len(orders) > 100
    await site.agent.stop()


async def test_stopping_while_nobody_takes_results_loses_none(clock: VirtualClock) -> None:
    site = Site(clock)
    site.blocked = asyncio.Event()
    site.agent.start()
    await site.watch([fake_monitor(every_ms=1_000)])
    await clock.sleep(10.5)
    asyncio.get_running_loop().call_later(5, site.blocked.set)
    await site.agent.stop()
    assert len(site.results()) == len(site.probes["shop"].looks)
    assert len({(result.run, result.sequence) for result in site.results()}) == len(site.results())


async def test_a_publisher_that_breaks_is_started_again(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    site, broken = Site(clock), [True]
    publish = site._publish

    async def breaking(batch: Batch) -> None:
        if broken[0]:
            raise RuntimeError("the pipe burst")
        await publish(batch)

    site.agent._publish = breaking
    site.agent.start()
    await site.watch([fake_monitor(every_ms=1_000)])
    await clock.sleep(10)
    broken[0] = False
    await clock.sleep(5)
    assert len(site.results()) >= 12
    assert "crashed and is being restarted" in caplog.text
    await site.agent.stop()


async def test_a_check_out_of_turn_leaves_the_schedule_and_never_runs_beside_another(clock: VirtualClock) -> None:
    site = Site(clock, takes=3)
    site.agent.start()
    await site.watch([fake_monitor("a", every_ms=60_000)])
    await clock.sleep(121)
    before = list(site.probes["a"].looks)
    await clock.sleep((before[-1] - clock.now()) / 1000 + 70)  # ten seconds after a regular one
    before = list(site.probes["a"].looks)
    for _ in range(3):
        await site.agent.check_now("a")
    await site.agent.check_now("gone")
    await clock.sleep(20)
    asked = site.probes["a"].looks[len(before) :]
    assert len(asked) == 2  # one at once, one for all who asked meanwhile
    assert site.probes["a"].most == 1
    await clock.sleep(60)
    assert site.probes["a"].most == 1
    regular = [one for one in site.probes["a"].looks if one not in asked]
    assert [round((late - early) / 1000) for early, late in itertools.pairwise(regular)][-2:] == [60, 60]
    assert [one.sequence for one in site.results()] == list(range(1, len(site.results()) + 1))
    await site.agent.stop()
    await site.agent.check_now("a")


async def test_a_result_has_the_instant_of_the_agents_clock_whatever_that_of_its_probe_says(clock: VirtualClock) -> None:
    """An agent far away measures by a clock that never steps, while its probes read the wall for what certificates say."""
    wall = VirtualClock()
    site = Site(clock)
    site.build = lambda _: FakeProbe(wall, lambda _: Status.UP, 0.02)
    site.agent.start()
    await site.watch([fake_monitor("shop", every_ms=1_000)])
    for delta_ms in (0, 7_200_000, -7_240_000, 40_000):
        wall.step(delta_ms)
        await clock.sleep(5)
    instants = [one.at for one in site.results()]
    assert len(instants) >= 18
    assert all(abs(later - earlier - 1_000) < 50 for earlier, later in itertools.pairwise(instants))
    assert abs(instants[-1] - clock.now()) < 1_100
    await site.agent.stop()
