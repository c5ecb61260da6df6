"""A service that goes up and down, with the whole engine: what leaves the house, and what is on record."""

import pytest

from vigie.core.detection import DetectionPolicy, Pattern
from vigie.core.model import Status
from vigie.core.notification import NoticeReason
from vigie.engine.rechecks import rechecks
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel, FakeVigie, fake_monitor, policies
from vigie.testing.memory import MemoryStore

MINUTE = 60_000


def vigie(store: MemoryStore, clock: VirtualClock, mail: FakeChannel, until: float) -> FakeVigie:
    """Five minutes down, five up, until a second; then up."""
    start, policy = clock.now(), policies(to=("mail",), remind_ms=0)

    def status(at: int) -> Status:
        second = (at - start) / 1000
        return Status.DOWN if second < until and second % 600 < 300 else Status.UP

    return FakeVigie(store, clock, [fake_monitor(policy=policy)], status, {"mail": mail})


@pytest.mark.virtual
async def test_it_is_notified_of_as_flapping_once_and_once_as_stable(store: MemoryStore, clock: VirtualClock) -> None:
    mail = FakeChannel(clock)
    async with vigie(store, clock, mail, 2 * 3600).at_work():
        await clock.sleep(3 * 3600)
        found = await store.archive.incidents()

    ordinary = [NoticeReason.OPENED, NoticeReason.RECOVERED]
    assert [message.reason for _, message in mail.told] == [*ordinary, *ordinary, NoticeReason.FLAPPING, NoticeReason.STABLE]
    assert [one.pattern for one in reversed(found)] == [Pattern.STEADY, Pattern.STEADY, Pattern.FLAPPING]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (DetectionPolicy(), 4),
        (DetectionPolicy(2, confirm_ms=2 * MINUTE), 25),
        (DetectionPolicy(2, confirm_ms=10 * MINUTE, recover_ms=5 * MINUTE), 3),
        (DetectionPolicy(2, 1, confirm_ms=2 * MINUTE), 201),
    ],
)
def test_a_single_cycle_checks_again_as_often_as_a_short_span_needs(policy: DetectionPolicy, expected: int) -> None:
    assert rechecks(policy) == expected
