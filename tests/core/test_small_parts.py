"""Policy, notices, schedule, availability and durations: the small pure parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.alert import AlertState, notices
from vigie.core.detection import Severity
from vigie.core.events import (
    AckRecorded,
    AlertDecision,
    Announced,
    Disclosed,
    Ended,
    Escalated,
    Joined,
    Reached,
    Reminded,
    SnoozeEnded,
    SnoozeRecorded,
    Updated,
    Withheld,
)
from vigie.core.notification import Notice, NoticeReason
from vigie.core.subject import SubjectKind
from vigie.observation.availability import availability
from vigie.planning.backoff import backoff_ms, retry_at
from vigie.planning.duration import Duration
from vigie.planning.schedule import next_due, phase_ms
from vigie.testing.windows import Window, WindowedPolicy

NOTICE = Notice("a-1", "a", "mail", NoticeReason.OPENED, 0)
DAY = 86_400_000


def test_windows_that_touch_count_as_one() -> None:
    policy = WindowedPolicy(windows=(Window(20, 30), Window(10, 20), Window(25, 40), Window(50, 60)))

    assert [policy.muted_until(at) for at in (9, 10, 29, 39, 40, 55)] == [None, 40, 40, 40, None, 60]


@pytest.mark.parametrize(
    ("decision", "keys"),
    [
        (Announced(5, "a-1", ("mail", "slack")), ["a-1:opened:mail", "a-1:opened:slack"]),
        (Announced(5, "a-1"), []),
        (Withheld(5, "a-1"), []),
        (Joined(5, "a-1", "b-2"), []),
        (Disclosed(5, "a-1", ("mail", "slack")), ["a-1:disclosed:mail", "a-1:disclosed:slack"]),
        (Disclosed(5, "a-1", ("mail",), quiet=True), ["a-1:quiet_over:mail"]),
        (Reached(5, "a-1", ("sms",)), ["a-1:opened:sms"]),
        (Updated(5, 2, "a-1", ("mail",)), ["a-1:updated:2:mail"]),
        (Reminded(5, 3, "a-1", ("mail", "slack")), ["a-1:reminder:3:mail", "a-1:reminder:3:slack"]),
        (Escalated(5, 1, "a-1", ("sms",)), ["a-1:escalated:1:sms"]),
        (AckRecorded(5, "ann", "a-1"), []),
        (AckRecorded(5, "ann", "a-1", 1, ("duty",)), ["a-1:acknowledged:1:duty"]),
        (SnoozeRecorded(5, "ann", 9, "a-1"), []),
        (SnoozeEnded(5, 1, "a-1", ("mail",)), ["a-1:snooze_ended:1:mail"]),
        (Ended(5, announced=True, alert="a-1", to=("mail", "slack")), ["a-1:recovered:mail", "a-1:recovered:slack"]),
        (Ended(5, announced=True, by="ann", alert="a-1", to=("mail", "slack")), ["a-1:closed:mail", "a-1:closed:slack"]),
        (Ended(5, announced=False, alert="a-1"), []),
        (Ended(5, announced=False, by="ann", alert="a-1"), []),
    ],
)
def test_decisions_become_notices_with_steady_keys(decision: AlertDecision, keys: list[str]) -> None:
    found = notices(decision, AlertState("a-1", Severity.OUTAGE, "a", SubjectKind.VIGIE))

    assert [one.key for one in found] == keys
    assert {(one.alert, one.monitor, one.at, one.subject) for one in found} <= {("a-1", "a", 5, SubjectKind.VIGIE)}
    assert not any(one.failover_for or one.about for one in found)


@pytest.mark.parametrize(
    ("reason", "number", "failover_for", "about", "key"),
    [
        (NoticeReason.OPENED, 0, "", None, "a-1:opened:mail"),
        (NoticeReason.REMINDER, 1, "", None, "a-1:reminder:1:mail"),
        (NoticeReason.REPORT, 0, "", None, "a-1:report:mail"),
        (NoticeReason.BLIND, 0, "", None, "a-1:blind:mail"),
        (NoticeReason.OPENED, 0, "slack", None, "a-1:opened:instead:mail"),
        (NoticeReason.OPENED, 0, "ops:sms", None, "a-1:opened:instead:mail"),
        (NoticeReason.REMINDER, 12, "slack", None, "a-1:reminder:12:instead:mail"),
        (NoticeReason.UNDELIVERABLE, 0, "slack", NoticeReason.OPENED, "a-1:opened:slack:buried:mail"),
        (NoticeReason.UNDELIVERABLE, 12, "slack", NoticeReason.REMINDER, "a-1:reminder:12:slack:buried:mail"),
        (NoticeReason.UNDELIVERABLE, 0, "ops:sms", NoticeReason.RECOVERED, "a-1:recovered:ops:sms:buried:mail"),
    ],
)
def test_a_key_is_derived_from_the_fields(
    reason: NoticeReason, number: int, failover_for: str, about: NoticeReason | None, key: str
) -> None:
    """A failover channel has one notice, whichever of the others failed; what was undeliverable, one for each that failed."""
    assert Notice("a-1", "a", "mail", reason, 5, number, failover_for, about).key == key


IDS = st.sampled_from(["a-1", "a-12", "availability-2026-W47"])
CHANNELS = st.sampled_from(["mail", "slack", "pager"])
REGULAR = st.builds(Notice, IDS, st.just("a"), CHANNELS, st.sampled_from(NoticeReason), st.just(5), st.integers(0, 12))
FAILOVER = st.builds(Notice, IDS, st.just("a"), CHANNELS, st.sampled_from(NoticeReason), st.just(5), st.integers(0, 12), CHANNELS)
BURIED = st.builds(
    Notice,
    IDS,
    st.just("a"),
    CHANNELS,
    st.just(NoticeReason.UNDELIVERABLE),
    st.just(5),
    st.integers(0, 12),
    CHANNELS,
    st.sampled_from(NoticeReason),
)


@given(first=REGULAR | FAILOVER | BURIED, second=REGULAR | FAILOVER | BURIED)
def test_two_notices_have_the_same_key_only_if_they_say_the_same_to_the_same_channel(first: Notice, second: Notice) -> None:
    def says(one: Notice) -> tuple[object, ...]:
        return (
            one.alert,
            one.about or one.reason,
            one.number,
            one.channel,
            one.failover_for if one.about else bool(one.failover_for),
            bool(one.about),
        )

    assert (first.key == second.key) == (says(first) == says(second))


@given(attempt=st.integers(1, 200), key=st.text(max_size=20))
def test_back_off_doubles_to_ten_minutes_with_a_fifth_of_jitter(attempt: int, key: str) -> None:
    middle = min(2_000 * 2 ** (attempt - 1), 600_000)

    assert 0.8 * middle - 1 <= backoff_ms(attempt, key) <= 1.2 * middle + 1
    assert backoff_ms(attempt, key) == backoff_ms(attempt, key)


@pytest.mark.parametrize(
    ("attempt", "waited", "permanent", "gives_up"),
    [(1, 0, True, True), (9, DAY + 1, False, True), (7, 9 * DAY, False, False), (99, DAY, False, False), (1, DAY + 1, True, True)],
)
def test_what_is_given_up_is_a_permanent_fault_or_a_day_of_failures(attempt: int, waited: int, permanent: bool, gives_up: bool) -> None:
    assert (retry_at(1_000, NOTICE, attempt, waited, permanent=permanent) is None) is gives_up


@pytest.mark.parametrize(("asked", "at"), [(90_000, 91_000), (3_600_000, 3_601_000), (7 * DAY, 3_601_000)])
def test_a_channel_gets_the_wait_it_asked_for_up_to_an_hour(asked: int, at: int) -> None:
    assert retry_at(1_000, NOTICE, 1, 0, permanent=False, retry_after_ms=asked) == at


@given(monitor=st.text(max_size=30), every=st.integers(1_000, DAY), now=st.integers(-DAY, 10**13))
def test_the_next_turn_is_later_than_now_within_one_interval_and_on_the_grid(monitor: str, every: int, now: int) -> None:
    due = next_due(monitor, every, now)

    assert now < due <= now + every
    assert (due - phase_ms(monitor, every)) % every == 0


def test_ten_thousand_monitors_do_not_bunch() -> None:
    seconds = [0] * 60
    for number in range(10_000):
        seconds[phase_ms(f"monitor-{number}", 60_000) // 1_000] += 1

    assert min(seconds) > 110
    assert max(seconds) < 230


def test_unknown_time_is_in_neither_side_of_availability() -> None:
    found = availability(0, 1_000, down=[(100, 300), (200, 400), (900, 2_000)], unknown=[(350, 600)])

    assert (found.observed_ms, found.down_ms) == (750, 350)
    assert found.ratio == pytest.approx(1 - 350 / 750)
    assert found.budget_left_ms(0.5) == 25
    assert availability(0, 10, [], [(0, 10)]).ratio is None


SPANS = st.lists(st.tuples(st.integers(-50, 150), st.integers(0, 80)).map(lambda span: (span[0], span[0] + span[1])), max_size=8)


@given(down=SPANS, unknown=SPANS)
def test_availability_agrees_with_counting_every_millisecond(down: list[tuple[int, int]], unknown: list[tuple[int, int]]) -> None:
    def inside(at: int, spans: list[tuple[int, int]]) -> bool:
        return any(start <= at < end for start, end in spans)

    seen = [at for at in range(100) if not inside(at, unknown)]
    found = availability(0, 100, down, unknown)

    assert (found.observed_ms, found.down_ms) == (len(seen), sum(inside(at, down) for at in seen))


@pytest.mark.parametrize(
    ("text", "ms"), [("500ms", 500), ("30s", 30_000), ("1h30m", 5_400_000), ("1.5s", 1_500), ("2 d", 2 * DAY), ("0", 0)]
)
def test_durations_are_read_as_people_write_them(text: str, ms: int) -> None:
    assert Duration.parse(text) == ms


@pytest.mark.parametrize("text", ["", "5", "5q", "-3s", "s", "3s!", "five"])
def test_what_is_no_duration_says_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="30s"):
        Duration.parse(text)


@given(ms=st.integers(0, 400 * DAY))
def test_a_duration_reads_back_what_it_writes(ms: int) -> None:
    assert Duration.parse(str(Duration(ms))) == ms
