"""Policy, routing, schedule, availability and durations: the small pure parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.alert import route
from vigie.core.availability import availability
from vigie.core.detection import Severity
from vigie.core.duration import Duration
from vigie.core.events import Closed, Decision, Disclosed, Opened, Recovered, Reminded, Suspected
from vigie.core.model import Cause
from vigie.core.notification import Notice, NoticeReason, Window, backoff_ms, retry_at
from vigie.core.schedule import next_due, phase_ms
from vigie.testing.fakes import policies

OUTAGE, DEGRADATION = Severity.OUTAGE, Severity.DEGRADATION
POLICY = policies(to=("mail", "slack"), degraded_to=("slack",))
DAY = 86_400_000


def test_windows_that_touch_count_as_one() -> None:
    policy = policies(windows=(Window(20, 30), Window(10, 20), Window(25, 40), Window(50, 60)))

    assert [policy.notification.muted_until(at) for at in (9, 10, 29, 39, 40, 55)] == [None, 40, 40, 40, None, 60]


@pytest.mark.parametrize(
    ("decision", "keys"),
    [
        (Opened(OUTAGE, "a-1", 5, 1, Cause.TCP_RESET, page=True), ["a-1:opened:mail", "a-1:opened:slack"]),
        (Opened(OUTAGE, "a-1", 5, 1, Cause.TCP_RESET, page=False), []),
        (Opened(DEGRADATION, "a-1", 5, 1, Cause.TLS_WEAK, page=True), ["a-1:opened:slack"]),
        (Disclosed(OUTAGE, "a-1", 5), ["a-1:disclosed:mail", "a-1:disclosed:slack"]),
        (Reminded(OUTAGE, "a-1", 5, 3), ["a-1:reminder:3:mail", "a-1:reminder:3:slack"]),
        (Recovered(OUTAGE, "a-1", 5, page=True), ["a-1:recovered:mail", "a-1:recovered:slack"]),
        (Recovered(OUTAGE, "a-1", 5, page=False), []),
        (Closed(OUTAGE, "a-1", 5, "ann", "", page=True), ["a-1:closed:mail", "a-1:closed:slack"]),
        (Suspected(OUTAGE, 5, Cause.TCP_RESET), []),
    ],
)
def test_decisions_become_notices_with_steady_keys(decision: Decision, keys: list[str]) -> None:
    assert [notice.key for notice in route(decision, "a", POLICY.notification)] == keys


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
    notice = Notice("a-1:opened:mail", "a-1", "a", "mail", NoticeReason.OPENED, 0)

    assert (retry_at(1_000, notice, attempt, waited, permanent=permanent) is None) is gives_up


@pytest.mark.parametrize(("asked", "at"), [(90_000, 91_000), (3_600_000, 3_601_000), (7 * DAY, 3_601_000)])
def test_a_channel_gets_the_wait_it_asked_for_up_to_an_hour(asked: int, at: int) -> None:
    notice = Notice("a-1:opened:mail", "a-1", "a", "mail", NoticeReason.OPENED, 0)

    assert retry_at(1_000, notice, 1, 0, permanent=False, retry_after_ms=asked) == at


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
