"""Blindness from the results of checks: what is kept, what is told, over a restart and a clock that steps; and what it does to availability."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC

import pytest

from vigie.core.model import Cause, CheckResult, FaultScope, Monitor, Status, Timings
from vigie.core.notification import NoticeReason
from vigie.engine.availability import standings
from vigie.engine.ingest import Ingest
from vigie.engine.messages import Composer
from vigie.engine.self_monitor import SelfMonitor
from vigie.errors import StoreError, StoreFault
from vigie.observation.visibility import Blind, Unseen
from vigie.ports import Batch, Commit, OutboxState, RunMode, Store
from vigie.report.render import RenderContext
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel, FakeVigie, fake_monitor, policies
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
UP, DOWN, UNKNOWN = Status.UP, Status.DOWN, Status.UNKNOWN
NETWORK, RESOLVER, ERROR = Cause.PROBE_NETWORK, Cause.PROBE_RESOLVER, Cause.PROBE_ERROR
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
TELL = 2 * MINUTE
POLICY = policies(confirm=2, recover=1, to=("mail", "chat"))
SHOP, API = (fake_monitor(name, policy=POLICY) for name in ("shop", "api"))
NAS = replace(fake_monitor("nas", policy=policies(confirm=2, recover=1, to=("hook",))), host="10.0.0.9")


@dataclass
class Intake:
    """Ingest and eyes over a store, fed with results as time goes by."""

    store: Store
    clock: VirtualClock
    continuous: bool = True
    monitors: tuple[Monitor, ...] = (SHOP, API, NAS)
    passive: tuple[Monitor, ...] = ()
    agent: str = "local"
    mode: RunMode = RunMode.CONTINUOUS
    run: int = 1
    sequence: int = 0
    woken: int = 0
    stepped: list[float] = field(default_factory=list)

    async def start(self) -> "Intake":
        self.ingest = Ingest(self.store.ledger, self.store.archive, self.clock, hold_ms=0)
        ledger, archive = self.store.ledger, self.store.archive
        self.self_monitor = SelfMonitor(
            ledger, archive, self.ingest, self.clock, self._wake, continuous=self.continuous, elapsed=self.clock.monotonic
        )
        self.ingest.listen_to_results(self.self_monitor.on_transition)
        await self.store.catalog.sync_monitors(self.monitors)
        await self.ingest.start()
        await self.ingest.configure(self.monitors)
        self.self_monitor.use(self.monitors, TELL, [one for one in self.monitors if one not in self.passive])
        await self.self_monitor.start()
        return self

    def _wake(self) -> None:
        self.woken += 1

    async def see(
        self,
        status: Status = UP,
        cause: Cause | None = None,
        *,
        monitor: Monitor = SHOP,
        after_s: float = 20,
        scope: FaultScope | None = None,
    ) -> None:
        """A result, some time after the one before."""
        at = self.clock.now()
        await self.clock.sleep(after_s)
        self.sequence += 1
        address = monitor.host if monitor is NAS else "8.8.8.8"
        timings = Timings(dns=None if monitor is NAS else 1.0, total=20.0)
        result = CheckResult(
            monitor.id,
            at + round(after_s * 1000),
            status,
            cause,
            "as told",
            timings,
            address=address,
            run=self.run,
            sequence=self.sequence,
            scope=scope,
        )
        await self.ingest.take(Batch(self.agent, self.run, self.sequence, (result,), self.mode))

    async def spans(self) -> list[tuple[Cause, int | None]]:
        """Cause and length in seconds."""
        return [(one.cause, None if one.until is None else (one.until - one.start) // 1000) for one in await self.store.archive.blinds(0)]

    async def told(self) -> list[str]:
        return [row.notice.key for row in await self.store.ledger.outbox(OutboxState.WAITING)]


@pytest.fixture
def desk(clock: VirtualClock) -> Callable[..., Intake]:
    memory = MemoryStore()

    def make(**options: object) -> Intake:
        return Intake(memory, clock, **options)  # type: ignore[arg-type]

    return make


Make = Callable[..., Intake]


async def test_one_notice_for_all_and_no_incident_of_any_service(desk: Make) -> None:
    ours = await desk().start()
    await ours.see()
    for _ in range(10):
        await ours.see(UNKNOWN, NETWORK)
        await ours.see(UNKNOWN, NETWORK, monitor=API)
    assert await ours.told() == []
    assert [one.id for one in await ours.store.archive.incidents(open_only=True)] == ["vigie-1"], "it is on record while it lasts"
    await ours.see()
    await ours.see(monitor=API)
    assert await ours.spans() == [(NETWORK, 400)]
    assert await ours.told() == [f"vigie-1:blind:{channel}" for channel in ("mail", "chat", "hook")]
    (incident,) = await ours.store.archive.incidents()
    assert (incident.monitor, incident.cause, incident.closed_at is None) == ("vigie", NETWORK, False)
    assert ours.woken == 1


@pytest.mark.parametrize(
    ("language", "headline", "line"),
    [
        ("fr", "🙈 Vigie n'a rien pu contrôler de 00:00 UTC à 00:05 UTC (5 min, pas de réseau)", "Aucun service n'a été déclaré en panne"),
        ("en", "🙈 Vigie could not check anything from 00:00 UTC to 00:05 UTC (5 min, no network)", "No service was marked down"),
    ],
)
async def test_the_notice_says_from_when_to_when_and_why(desk: Make, language: str, headline: str, line: str) -> None:
    ours = await desk().start()
    for _ in range(15):
        await ours.see(UNKNOWN, NETWORK)
    await ours.see()
    row = (await ours.store.ledger.outbox(OutboxState.WAITING))[0]
    message = await Composer(ours.store.archive, ours.clock, RenderContext(language, UTC), {}).compose(row.notice)
    assert (message.headline, message.monitor, message.reason) == (headline, "Vigie", NoticeReason.BLIND)
    assert any(line in one for one in message.lines)
    assert message.rows == ()


async def test_a_short_one_is_kept_and_not_told(desk: Make) -> None:
    ours = await desk().start()
    await ours.see()
    await ours.see(UNKNOWN, NETWORK)
    await ours.see()
    assert await ours.spans() == [(NETWORK, 20)]
    assert await ours.told() == []
    assert await ours.store.archive.incidents() == []


async def test_what_is_inside_does_not_show_that_there_is_a_way_out(desk: Make) -> None:
    ours = await desk().start()
    for _ in range(10):
        await ours.see(UNKNOWN, NETWORK)
        await ours.see(monitor=NAS)
    assert await ours.spans() == [(NETWORK, None)]
    await ours.see(DOWN, Cause.HTTP_STATUS, monitor=API)
    assert (await ours.spans())[0][1] is not None, "a service that fails was seen"


async def test_a_literal_address_does_not_show_that_names_resolve(desk: Make) -> None:
    literal = replace(API, host="8.8.8.8")
    ours = await desk(monitors=(SHOP, literal)).start()
    await ours.see(UNKNOWN, RESOLVER)
    await ours.see(monitor=literal)
    assert await ours.spans() == [(RESOLVER, None)]
    await ours.see()
    assert await ours.spans() == [(RESOLVER, 40)]


async def test_it_is_one_span_and_one_notice_over_a_restart(desk: Make) -> None:
    ours = await desk().start()
    for _ in range(8):
        await ours.see(UNKNOWN, NETWORK)
    again = await desk(run=2).start()
    for _ in range(8):
        await again.see(UNKNOWN, NETWORK)
    third = await desk(run=3).start()
    await third.see()
    assert await third.spans() == [(NETWORK, 16 * 20)]
    assert await third.told() == [f"vigie-1:blind:{channel}" for channel in ("mail", "chat", "hook")]
    assert len(await third.store.archive.incidents()) == 1


async def test_and_over_single_cycles_far_apart(desk: Make) -> None:
    for run in range(1, 6):
        ours = await desk(run=run, continuous=False, agent="shop", mode=RunMode.SINGLE).start()
        await ours.see(*((UNKNOWN, NETWORK) if 2 <= run <= 4 else (UP,)), after_s=300)
    assert await ours.spans() == [(NETWORK, 900)]
    assert len(await ours.told()) == 3


async def test_single_cycles_that_are_far_apart_are_no_silence(desk: Make) -> None:
    for run in range(1, 4):
        ours = await desk(run=run, continuous=False, agent="shop", mode=RunMode.SINGLE).start()
        await ours.see(after_s=86_400)
    serve = await desk(run=9).start()
    await serve.see(after_s=86_400)
    assert await ours.spans() == []


@pytest.mark.parametrize(("apart_s", "pause_s", "unobserved"), [(300, 1_500, False), (300, 30 * 86_400, True), (86_400, 2 * 86_400, False)])
async def test_a_pause_much_longer_than_usual_between_single_cycles_is_not_observed(
    desk: Make, apart_s: float, pause_s: float, unobserved: bool
) -> None:
    for run in range(1, 7):
        ours = await desk(run=run, continuous=False, agent="shop", mode=RunMode.SINGLE).start()
        await ours.see(after_s=apart_s)
    await ours.clock.sleep(pause_s)
    ours = await desk(run=9, continuous=False, agent="shop", mode=RunMode.SINGLE).start()
    await ours.see(after_s=1)
    assert await ours.spans() == ([(ERROR, pause_s)] if unobserved else [])
    assert await ours.told() == []
    end = ours.clock.now()
    known = (await standings(ours.store.archive, end - 30 * DAY, end))["shop"].known
    assert known.observed_ms <= 6 * apart_s * 1000 + 2_000 if unobserved else known.observed_ms > 4 * apart_s * 1000


async def test_a_life_that_broke_off_is_a_silence_that_is_told(desk: Make) -> None:
    ours = await desk().start()
    await ours.see()
    again = await desk(run=2).start()
    await again.see(after_s=3_600)
    assert await again.spans() == [(ERROR, 3_600)]
    assert len(await again.told()) == 3
    row = (await again.store.ledger.outbox(OutboxState.WAITING))[0]
    message = await Composer(again.store.archive, again.clock, RenderContext("en", UTC), {}).compose(row.notice)
    assert "machine or Vigie stopped" in message.headline


async def test_a_stop_that_was_asked_for_is_kept_and_not_told(desk: Make) -> None:
    ours = await desk().start()
    await ours.see()
    await ours.self_monitor.stop()
    again = await desk(run=2).start()
    await again.see(after_s=3_600)
    assert await again.spans() == [(ERROR, 3_600)]
    assert await again.told() == []


async def test_a_suspended_machine_was_blind_even_if_no_check_was_under_way(desk: Make) -> None:
    ours = await desk().start()
    await ours.see()
    await ours.see(after_s=8 * 3_600)
    assert await ours.spans() == [(ERROR, 8 * 3_600)]
    assert len(await ours.told()) == 3


async def test_a_monitor_that_is_looked_at_once_an_hour_is_not_silent_in_between(desk: Make) -> None:
    ours = await desk(monitors=(replace(SHOP, every_ms=HOUR),)).start()
    for _ in range(4):
        await ours.see(after_s=3_600)
    assert await ours.spans() == []


async def test_nor_does_one_that_reports_in_by_itself_make_it_so(desk: Make) -> None:
    backup = fake_monitor("backup", every_ms=1_000)
    ours = await desk(monitors=(replace(SHOP, every_ms=HOUR), backup), passive=(backup,)).start()
    for _ in range(4):
        await ours.see(after_s=3_600)
    assert await ours.spans() == []


@pytest.mark.parametrize("machine", [True, False], ids=["a check under way", "none under way"])
async def test_a_clock_that_steps_forward_leaves_a_hole_and_tells_nobody(desk: Make, machine: bool) -> None:
    ours = await desk().start()
    await ours.see()
    if machine:
        at = ours.clock.now()
        ours.clock.step(6 * HOUR)
        ours.sequence += 1
        spoilt = CheckResult("shop", at, UNKNOWN, ERROR, scope=FaultScope.MACHINE, run=1, sequence=ours.sequence)
        await ours.ingest.take(Batch("local", 1, ours.sequence, (spoilt,)))
    else:
        ours.clock.step(6 * HOUR)
    await ours.see()
    assert [cause for cause, seconds in await ours.spans() if seconds and seconds >= 6 * 3_600] == [ERROR]
    assert await ours.told() == []
    assert await ours.store.archive.incidents() == []


async def test_a_clock_that_steps_back_while_blind_does_not_keep_vigie_blind(desk: Make) -> None:
    ours = await desk().start()
    await ours.see(UNKNOWN, NETWORK)
    ours.clock.step(-6 * HOUR)
    await ours.see()
    assert (await ours.store.archive.blinds(0))[0].until is not None


async def test_what_one_monitor_cannot_see_is_kept_for_that_one(desk: Make) -> None:
    ours = await desk().start()
    for scope in (None, FaultScope.MONITOR):
        for _ in range(12):
            await ours.see(UNKNOWN, RESOLVER if scope else ERROR, scope=scope)
            await ours.see(monitor=API)
        await ours.see()
    assert [(one.monitor, one.until is not None and one.until - one.start) for one in await ours.store.archive.blinds(0)] == [
        ("shop", 480_000)
    ] * 2
    reasons = [NoticeReason(key.split(":")[1]) for key in await ours.told()]
    assert reasons == [NoticeReason.OPENED, NoticeReason.OPENED, NoticeReason.RECOVERED, NoticeReason.RECOVERED] * 2  # by both channels


async def test_what_all_could_not_see_is_not_kept_for_each(desk: Make) -> None:
    ours = await desk().start()
    await ours.see(UNKNOWN, NETWORK)
    await ours.see(UNKNOWN, ERROR, monitor=API)
    await ours.see()
    await ours.see(monitor=API)
    assert [one.monitor for one in await ours.store.archive.blinds(0)] == [""]


async def test_a_store_that_fails_is_asked_again_at_the_next_result(desk: Make) -> None:
    ours = await desk().start()
    store = ours.store
    assert isinstance(store, MemoryStore)
    await ours.see()
    before, at = ours.self_monitor._visibility, ours.clock.now()

    async def broken(_: object) -> None:
        raise StoreError(StoreFault.FULL, "full", "")

    commit, store.ledger.commit = store.ledger.commit, broken  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreError):
        await ours.self_monitor._look(Unseen(at, NETWORK))
    assert ours.self_monitor._visibility is before
    store.ledger.commit = commit  # type: ignore[method-assign]
    await ours.see(UNKNOWN, NETWORK)
    assert await ours.spans() == [(NETWORK, None)]


async def test_availability_leaves_the_blind_time_out(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await Intake(store, clock).start()
    began = clock.now()
    await ours.see(after_s=0)
    await ours.see(monitor=API, after_s=0)
    for _ in range(60):
        await ours.see(DOWN, Cause.TCP_REFUSED, after_s=60)
    for _ in range(60):
        await ours.see(UNKNOWN, NETWORK, after_s=60)
    for _ in range(120):
        await ours.see(after_s=60)
    found = await standings(store.archive, began - DAY, clock.now())
    shop, api = found["shop"].known, found["api"].known
    assert (clock.now() - began) // MINUTE == 240
    assert (shop.observed_ms // MINUTE, shop.down_ms // MINUTE) == (180, 60)
    assert (api.observed_ms // MINUTE, api.ratio) == (180, 1.0)
    assert shop.ratio == pytest.approx(2 / 3, abs=0.01)
    half = await standings(store.archive, began, began + HOUR)
    assert half["shop"].known.ratio == pytest.approx(0.0, abs=0.02)


async def test_availability_takes_ones_own_spans_only(clock: VirtualClock) -> None:
    ours = await Intake(MemoryStore(), clock).start()
    began = clock.now()
    for monitor in (SHOP, API):
        await ours.see(monitor=monitor, after_s=0)
    await ours.store.ledger.commit(Commit(blind=(Blind(1, began, ERROR, began + HOUR, "shop"),)))
    found = await standings(ours.store.archive, began, began + 2 * HOUR)
    assert (found["shop"].known.observed_ms, found["api"].known.observed_ms) == (HOUR, 2 * HOUR)


async def test_the_whole_engine_tells_of_a_night_without_network_once(clock: VirtualClock) -> None:
    """Scheduler, prober, bus, ingest, outbox: three monitors, twenty minutes without a way out, one notice."""
    began = clock.now()
    blind_from, blind_to = began + 10 * MINUTE, began + 30 * MINUTE
    channel = FakeChannel(clock)
    monitors = [fake_monitor(f"m{number}", policy=policies(to=("mail",))) for number in range(3)]
    vigie = FakeVigie(MemoryStore(), clock, monitors, lambda at: UNKNOWN if blind_from <= at < blind_to else UP, {"mail": channel})
    async with vigie.at_work():
        await clock.sleep(3_600)
    assert channel.keys() == ["vigie-1:blind:mail"]
    message = channel.told[0][1]
    assert message.headline.startswith("🙈 Vigie could not check anything from")


async def test_checks_that_one_stall_voids_are_one_span_however_late_and_mixed_with_good_ones_they_come(
    desk: Callable[..., Intake],
) -> None:
    ours = await desk().start()
    start = ours.clock.now()
    await ours.clock.sleep(10)

    async def came(began_s: float, *, good: bool) -> None:
        ours.sequence += 1
        status, cause, scope = (UP, None, None) if good else (UNKNOWN, ERROR, FaultScope.MACHINE)
        at = start + round(began_s * 1000)
        result = CheckResult("shop", at, status, cause, "as told", Timings(total=1.0), run=1, sequence=ours.sequence, scope=scope)
        await ours.ingest.take(Batch("local", 1, ours.sequence, (result,), RunMode.CONTINUOUS))

    for began_s, good in ((2, False), (6, True), (3, False), (6, True), (1, False), (7, True), (5, False), (8, True)):
        await came(began_s, good=good)
    assert await ours.spans() == [(ERROR, 4)]

    await came(9, good=False)  # another stall
    await came(10, good=True)
    assert await ours.spans() == [(ERROR, 4), (ERROR, 1)]
