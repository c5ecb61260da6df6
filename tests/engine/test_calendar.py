"""The availability report: when it is queued, that it is told once whatever happens, and what it says in both languages."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from vigie.core.detection import Severity
from vigie.core.incident import DetectionState
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.engine.calendar import Calendar
from vigie.engine.ingest import Ingest
from vigie.engine.messages import Composer
from vigie.engine.transition import Transition
from vigie.errors import DeliveryError, DeliveryReason, StoreError, StoreFault
from vigie.observation.visibility import Blind
from vigie.planning.period import Every
from vigie.ports import Commit, Delivery, OutboxState, Store
from vigie.report.facts import Message
from vigie.report.headline import SUBJECT_LENGTH
from vigie.report.render import RenderContext
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel, FakeVigie, fake_monitor, policies
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
PARIS = ZoneInfo("Europe/Paris")
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SHOP, BLOG, NEW = (fake_monitor(name, policy=policies(to=("mail",))) for name in ("shop", "blog", "new"))


def at(text: str, zone: ZoneInfo = PARIS) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


FRIDAY, MONDAY = at("2026-11-13 12:00"), at("2026-11-16 08:00")  # of week 46, and after it


async def watched(store: Store, since: int, *monitors: Monitor) -> None:
    """The first result of each that is on record."""
    await store.catalog.sync_monitors(monitors)
    await store.ledger.commit(Commit(details=tuple(CheckResult(one.id, since, Status.UP) for one in monitors)))


def calendar(
    store: Store,
    clock: VirtualClock,
    every: Every | None = Every.WEEKLY,
    *,
    monitors: Sequence[Monitor] = (SHOP,),
    channels: tuple[str, ...] = ("mail",),
) -> Calendar:
    """One life of it."""
    ingest = Ingest(store.ledger, store.archive, clock, hold_ms=0)
    made = Calendar(store.ledger, store.archive, ingest, clock, lambda: None)
    made.use(monitors, every, channels, PARIS)
    return made


async def waiting(store: Store) -> list[str]:
    return [row.notice.key for row in await store.ledger.outbox(OutboxState.WAITING)]


@pytest.fixture(params=["memory", "sqlite"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "vigie.db", threads=False)


async def test_each_week_is_told_once_to_every_channel_over_restarts_and_after_delivery(either: Store, clock: VirtualClock) -> None:
    await watched(either, FRIDAY, SHOP)
    clock.step(FRIDAY - clock.now())
    seen = []
    for _ in range(24 * 16):  # a process each hour, as cron starts it
        await calendar(either, clock, channels=("mail", "chat")).tick()
        for row in await either.ledger.claim(clock.now(), 1_000, 9):
            local = datetime.fromtimestamp(row.notice.at / 1000, PARIS)
            seen.append((row.notice.key, f"{local:%a %H:%M}"))
            await either.ledger.record(delivery(row.notice, clock))
        await clock.sleep(3_600)
    assert seen == [(f"availability-2026-W{week}:availability:{channel}", "Mon 08:00") for week in (46, 47) for channel in ("mail", "chat")]


def delivery(notice: Notice, clock: VirtualClock) -> Delivery:
    return Delivery.of(notice, clock.now(), 1, None, "taken", 1)


async def test_one_that_was_down_tells_the_last_whole_period_only(either: Store, clock: VirtualClock) -> None:
    await watched(either, at("2026-06-01 00:00"), SHOP)
    clock.step(at("2026-11-19 15:00") - clock.now())
    for every in (Every.WEEKLY, Every.MONTHLY):
        await calendar(either, clock, every).tick()
    assert await waiting(either) == ["availability-2026-W46:availability:mail", "availability-2026-M10:availability:mail"]


async def test_what_was_not_watched_is_not_told(either: Store, clock: VirtualClock) -> None:
    await watched(either, MONDAY, SHOP)
    clock.step(MONDAY + DAY - clock.now())
    ours = calendar(either, clock)
    await ours.tick()
    assert await waiting(either) == []
    clock.step(7 * DAY)
    await ours.tick()
    assert await waiting(either) == ["availability-2026-W47:availability:mail"]


async def test_a_service_that_is_not_configured_any_more_asks_for_no_report(either: Store, clock: VirtualClock) -> None:
    await watched(either, FRIDAY, BLOG)
    clock.step(MONDAY - clock.now())
    await calendar(either, clock).tick()
    assert await waiting(either) == []


async def test_off_is_off(either: Store, clock: VirtualClock) -> None:
    await watched(either, FRIDAY, SHOP)
    clock.step(MONDAY - clock.now())
    await calendar(either, clock, None).tick()
    assert await waiting(either) == []


async def test_a_channel_that_is_new_begins_with_the_next_period(either: Store, clock: VirtualClock) -> None:
    await watched(either, FRIDAY, SHOP)
    clock.step(MONDAY - clock.now())
    ours = calendar(either, clock)
    await ours.tick()
    ours.use((SHOP,), Every.WEEKLY, ("mail", "chat"), PARIS)
    await ours.tick()
    assert await waiting(either) == ["availability-2026-W46:availability:mail"]


async def test_a_store_that_fails_is_asked_again(clock: VirtualClock) -> None:
    store = MemoryStore()
    await watched(store, FRIDAY, SHOP)
    clock.step(MONDAY - clock.now())
    ours = calendar(store, clock)
    store.broken = StoreError(StoreFault.FULL, "full", "")
    with pytest.raises(StoreError):
        await ours.tick()
    store.broken = None
    await ours.tick()
    assert await waiting(store) == ["availability-2026-W46:availability:mail"]


async def test_nothing_is_told_before_a_result_has_shown_what_was_missed(clock: VirtualClock) -> None:
    store = MemoryStore()
    await watched(store, FRIDAY, SHOP)
    clock.step(MONDAY - clock.now())
    ours = calendar(store, clock)
    running = asyncio.create_task(ours.run())
    state = DetectionState("shop")
    await ours.on_transition(Transition(SHOP, state, state, (), None))
    await clock.sleep(600)
    assert await waiting(store) == []
    await ours.on_transition(Transition(SHOP, state, state, (), CheckResult("shop", clock.now(), Status.UP)))
    store.broken = StoreError(StoreFault.FULL, "full", "")
    await clock.sleep(30)
    store.broken = None
    await clock.sleep(30)
    assert await waiting(store) == ["availability-2026-W46:availability:mail"]
    running.cancel()


async def test_a_running_one_tells_it_at_eight_and_keeps_it_while_the_channel_is_dead(store: MemoryStore, clock: VirtualClock) -> None:
    clock.step(MONDAY - 10 * MINUTE - clock.now())
    mail = FakeChannel(clock, always=DeliveryError(DeliveryReason.REFUSED, "refused"))
    ours = FakeVigie(store, clock, [SHOP], lambda _: Status.UP, {"mail": mail})
    ours.calendar.use([SHOP], Every.WEEKLY, ("mail",), PARIS)
    await watched(store, FRIDAY, SHOP)
    async with ours.at_work():
        await clock.sleep(9 * 60)
        assert await store.ledger.outbox(OutboxState.WAITING) == []
        await clock.sleep(5 * 60)
        assert [row.notice.at // MINUTE for row in await store.ledger.outbox(OutboxState.WAITING)] == [MONDAY // MINUTE]
        mail.always = None
        await clock.sleep(10 * 60)
    assert [message.headline for _, message in mail.told] == ["📊 Availability, week 46 of 2026: 100% (1 monitor)"]


async def a_bad_week(store: Store) -> None:
    """Of the shop, watched since Friday noon: two outages in sight, one out of sight; all blind for two hours; a spotless blog."""
    await watched(store, FRIDAY, SHOP)
    await store.ledger.commit(Commit(details=(CheckResult("blog", FRIDAY - 90 * DAY, Status.UP), CheckResult("new", MONDAY, Status.UP))))
    saturday = FRIDAY + DAY
    spans = [(saturday, 30 * MINUTE), (saturday + 3 * HOUR, 10 * MINUTE), (saturday + 6 * HOUR, HOUR)]
    outages = [
        Incident(f"shop-{number}", "shop", Severity.OUTAGE, Cause.HTTP_STATUS, start, start + 5_000, start + lasted)
        for number, (start, lasted) in enumerate(spans, 1)
    ]
    slow = Incident("blog-1", "blog", Severity.DEGRADATION, Cause.LATENCY_THRESHOLD, saturday, saturday, saturday + HOUR)
    blind = Blind(1, saturday + 6 * HOUR, Cause.PROBE_NETWORK, saturday + 8 * HOUR)
    await store.ledger.commit(Commit(incidents=(*outages, slow), blind=(blind,)))


async def composed(store: Store, clock: VirtualClock, language: str, name: str = "2026-W46", monitors: Sequence[Monitor] = ()) -> Message:
    about = f"availability-{name}"
    notice = Notice(about, "vigie", "mail", NoticeReason.AVAILABILITY, MONDAY)
    known = {one.id: one for one in monitors or (BLOG, SHOP, NEW)}
    return await Composer(store.archive, clock, RenderContext(language, PARIS), known).compose(notice)


async def test_it_says_in_french_how_each_stood_the_worst_first(either: Store, clock: VirtualClock) -> None:
    await a_bad_week(either)
    message = await composed(either, clock, "fr")
    assert message.headline == "📊 Disponibilité, semaine 46 de 2026 : 99,702 % (2 services)"
    assert message.subject == "📊 Disponibilité, semaine 46 de 2026 : 99,702 % [availability-2026-W46]"
    assert message.lines == (
        "Du 9 novembre 2026 au 15 novembre 2026 inclus.",
        "2 pannes, 40 min au total ; la plus longue : 30 min (shop).",
        "Le moins disponible : shop, 98,851 %.",
        "Le temps pendant lequel Vigie n'a pas pu contrôler ne compte pas : jusqu'à 2 h 00 min par service.",
    )
    assert [(row.id, row.label, row.value) for row in message.rows] == [
        (
            "98,851 %",
            "fake",
            "shop : 2 pannes, 40 min au total, la plus longue 30 min, non observé pendant 2 h 00 min, surveillé depuis le 13 novembre 2026",
        ),
        ("100 %", "fake", "blog : aucune panne, non observé pendant 2 h 00 min"),
    ]
    assert (message.thread, message.opens_thread, message.monitor) == ("availability-2026-W46", True, "Vigie")
    assert message.footer == "Vigie · availability-2026-W46 · à tout moment : vigie incidents uptime"


async def test_and_in_english(either: Store, clock: VirtualClock) -> None:
    await a_bad_week(either)
    message = await composed(either, clock, "en")
    assert message.headline == "📊 Availability, week 46 of 2026: 99.702% (2 monitors)"
    assert message.subject.endswith(" [availability-2026-W46]")
    assert message.lines[1:] == (
        "2 outages, 40 min in total; the longest: 30 min (shop).",
        "Least available: shop, 98.851%.",
        "Time in which Vigie could not check does not count: up to 2 h 00 min per monitor.",
    )
    assert [row.value for row in message.rows] == [
        "shop: 2 outages, 40 min in total, the longest 30 min, not observed for 2 h 00 min, monitored since 13 November 2026",
        "blog: no outages, not observed for 2 h 00 min",
    ]


@pytest.mark.parametrize(
    ("language", "headline"),
    [
        ("fr", "📊 Disponibilité, novembre 2026 : 99,850 % (1 service)"),
        ("en", "📊 Availability, November 2026: 99.850% (1 monitor)"),
    ],
)
async def test_a_month_is_called_by_its_name(either: Store, clock: VirtualClock, language: str, headline: str) -> None:
    """An outage that began in October and one that lasts into December count by their part of November."""
    await watched(either, at("2026-10-01 00:00"), SHOP)
    begins, ends = at("2026-11-01 00:00"), at("2026-12-01 00:00")
    spans = [(begins - DAY, begins + 30 * MINUTE), (ends - 35 * MINUTE, None)]
    outages = [Incident(f"shop-{n}", "shop", Severity.OUTAGE, Cause.TIMEOUT_TOTAL, a, a, b) for n, (a, b) in enumerate(spans)]
    await either.ledger.commit(Commit(incidents=tuple(outages)))
    message = await composed(either, clock, language, "2026-M11", (SHOP,))
    assert message.headline == headline
    assert len(message.subject) <= SUBJECT_LENGTH
    assert message.subject.endswith(" [availability-2026-M11]")


@pytest.mark.parametrize(("language", "row"), [("fr", "shop : non observé"), ("en", "shop: not observed")])
async def test_of_what_was_never_seen_no_figure_is_made(either: Store, clock: VirtualClock, language: str, row: str) -> None:
    await watched(either, FRIDAY - 90 * DAY, SHOP)
    await either.ledger.commit(Commit(blind=(Blind(1, FRIDAY - 30 * DAY, Cause.PROBE_NETWORK),)))
    message = await composed(either, clock, language, monitors=(SHOP,))
    assert (message.rows[0].id, message.rows[0].value) == ("–", row)
    assert ": – (1 " in message.headline.replace(" :", ":")
    assert "100" not in str(message)


async def test_of_many_the_worst_are_named_and_the_others_counted(clock: VirtualClock) -> None:
    store = MemoryStore()
    many = [fake_monitor(f"shop{number:03}") for number in range(100)]
    many[0] = replace(many[0], name="a name " * 30)
    await watched(store, FRIDAY - 90 * DAY, *many)
    down = [
        Incident(f"{one.id}-1", one.id, Severity.OUTAGE, Cause.TIMEOUT_TOTAL, FRIDAY, FRIDAY, FRIDAY + (n + 1) * MINUTE)
        for n, one in enumerate(many[:45])
    ]
    await store.ledger.commit(Commit(incidents=tuple(down)))
    english, french = [await composed(store, clock, language, monitors=many) for language in ("en", "fr")]
    assert len(english.rows) == 40
    assert english.rows[0].value.startswith("shop044: 1 outage, 45 min in total")
    assert (english.rows[-1].label, english.rows[-1].value) == ("…", "and 61 monitors more: 6 outages, 21 min in total")
    assert french.rows[-1].value == "et 61 services de plus : 6 pannes, 21 min au total"
    spotless = await composed(store, clock, "en", "2026-W45", many)
    assert spotless.lines[1:] == ("No outages.",)
    assert spotless.rows[-1].value == "and 61 monitors more: no outages"
