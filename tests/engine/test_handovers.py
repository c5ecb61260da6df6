"""Hand-overs: whoever takes over and whoever hands over is notified, once, over restarts, and not of what is long past."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from vigie.core.notification import NoticeReason
from vigie.engine.handovers import Handovers
from vigie.engine.ingest import Ingest
from vigie.engine.messages import Composer
from vigie.engine.planner import Planner
from vigie.planning.plan import Planned
from vigie.planning.rotation import Override, Rotation
from vigie.ports import Delivery, OutboxState
from vigie.report.render import RenderContext
from vigie.testing import VirtualClock
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
PARIS = ZoneInfo("Europe/Paris")
HOUR = 3_600_000
PEOPLE = (("anna", ("anna.mail", "chat")), ("bob", ("sms", "chat")))
WEEKLY = Rotation("on-call, day", ("anna", "bob"), timedelta(weeks=1), datetime.fromisoformat("2026-01-05 09:00"), PARIS)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp() * 1000)


class Life:
    """One life of it."""

    def __init__(self, store: MemoryStore, clock: VirtualClock, *rotations: Rotation, language: str = "en") -> None:
        self.store, self.clock, self.woken = store, clock, 0
        self.planner = Planner(store.catalog, store.archive, clock)
        self.planner.use(Planned(rotations=rotations, people=PEOPLE))
        ingest = Ingest(store.ledger, store.archive, clock, hold_ms=0, circumstances_at=self.planner.at, addressed=self.planner.addressed)
        self.handovers = Handovers(store.ledger, store.archive, ingest, self.planner, clock, self._wake)
        self.composer = Composer(store.archive, clock, RenderContext(language, PARIS), {}, handover=self.planner.handover)

    def _wake(self) -> None:
        self.woken += 1

    async def keys(self, text: str) -> list[str]:
        """What waits after a look at that time."""
        self.clock.step(at(text) - self.clock.now())
        await self.handovers.tick()
        return [row.notice.key for row in await self.store.ledger.outbox(OutboxState.WAITING)]


async def test_both_are_notified_once_over_restarts_and_after_delivery(store: MemoryStore, clock: VirtualClock) -> None:
    life = Life(store, clock, WEEKLY)
    assert await life.keys("2026-01-12 08:59:59") == []

    thread = "oncall-on-call, day-20260112T080000"
    expected = [f"{thread}:handover:{channel}" for channel in ("sms", "chat", "anna.mail")]
    assert await life.keys("2026-01-12 09:00") == expected
    assert await life.keys("2026-01-12 09:00:02") == expected
    assert await Life(store, clock, WEEKLY).keys("2026-01-12 12:00") == expected
    for row in await store.ledger.outbox(OutboxState.WAITING):
        await store.ledger.record(Delivery.of(row.notice, clock.now(), 1, None, "ok", 5))
    assert await Life(store, clock, WEEKLY).keys("2026-01-12 13:00") == []
    assert life.woken == 1


async def test_a_machine_that_was_off_tells_of_what_is_recent_only(store: MemoryStore, clock: VirtualClock) -> None:
    assert await Life(store, clock, WEEKLY).keys("2026-01-13 09:00") == []
    assert len(await Life(store, clock, WEEKLY).keys("2026-01-19 20:00")) == 3


async def test_who_asked_for_none_gets_none(store: MemoryStore, clock: VirtualClock) -> None:
    silent = Rotation("day", ("anna", "bob"), timedelta(weeks=1), datetime.fromisoformat("2026-01-05 09:00"), PARIS, handover=False)

    assert await Life(store, clock, silent).keys("2026-01-12 09:00") == []


@pytest.mark.parametrize(
    ("language", "headline", "lines"),
    [
        (
            "en",
            "📟 On call (on-call, day): bob takes over from anna",
            (
                "bob is on call (on-call, day) from 26 October 2026 at 09:00:00 UTC+1, taking over from anna.",
                "Next hand-over: 27 October 2026 at 18:00:00 UTC+1 (after 33 h 00 min).",
            ),
        ),
        (
            "fr",
            "📟 Astreinte on-call, day : bob remplace anna",
            (
                "bob est d'astreinte (on-call, day) depuis le 26 octobre 2026 à 09:00:00 UTC+1, après anna.",
                "Prochaine relève : le 27 octobre 2026 à 18:00:00 UTC+1 (après 33 h 00 min).",
            ),
        ),
    ],
)
async def test_the_message_says_who_from_when_to_when(
    language: str, headline: str, lines: tuple[str, ...], store: MemoryStore, clock: VirtualClock
) -> None:
    rotation = Rotation(
        "on-call, day", ("bob", "anna"), timedelta(weeks=1), datetime.fromisoformat("2026-10-12 09:00"), PARIS,
        (Override(at("2026-10-27 18:00"), at("2026-10-28 18:00"), "anna"),),
    )  # fmt: skip
    life = Life(store, clock, rotation, language=language)
    await life.keys("2026-10-26 09:30")
    (row, *_) = await store.ledger.outbox(OutboxState.WAITING)

    message = await life.composer.compose(row.notice)

    assert row.notice.reason is NoticeReason.HANDOVER
    assert (message.headline, message.lines) == (headline, lines)
    life.planner.use(Planned())
    gone = await life.composer.compose(row.notice)
    assert gone.lines == ()
    assert "on-call, day" in gone.headline
