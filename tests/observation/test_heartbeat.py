"""Jobs that report in: every law of observation/heartbeat.py, and that no history of pings accuses a job that keeps its schedule."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.model import Cause, Status
from vigie.net import Secret
from vigie.observation.heartbeat import Expected, Finding, Job, Ping, Signal, begun, deafened, due_at, heard, judge
from vigie.probes.heartbeat import Config
from vigie.report.wording import cause_words, short_words
from vigie.report.wording import job_line as line

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
HOURLY = Expected("every 1h", lambda at: at + HOUR, 10 * MINUTE, 20 * MINUTE)


def job(expected: Expected = HOURLY, at: int = T0) -> Job:
    return begun(None, "backup", expected, at)


def after(*pings: tuple[float, Signal] | tuple[float, Signal, str], expected: Expected = HOURLY) -> Job:
    """The job after these pings, in minutes from T0."""
    found = job(expected)
    for minutes, signal, *run in pings:
        code = 3 if signal is Signal.FAIL else None
        found = heard(found, Ping(T0 + round(minutes * MINUTE), signal, "".join(run), code), expected)
    return found


def said(found: Job, minutes: float, expected: Expected = HOURLY) -> tuple[Status | None, Cause | None]:
    finding = judge(found, expected, T0 + round(minutes * MINUTE))
    return finding.status, finding.cause


START, SUCCESS, FAIL, LOG = Signal.START, Signal.SUCCESS, Signal.FAIL, Signal.LOG
UP, WAITING = (Status.UP, None), (None, None)
MISSED, FAILED = (Status.DOWN, Cause.HEARTBEAT_MISSED), (Status.DOWN, Cause.HEARTBEAT_FAILED)
LATE, UNHEARD = (Status.DOWN, Cause.HEARTBEAT_LATE), (Status.UNKNOWN, Cause.PROBE_ERROR)


@pytest.mark.parametrize(
    ("pings", "at", "expected"),
    [
        pytest.param((), 0, WAITING, id="new"),
        pytest.param((), 69.9, WAITING, id="new, its first ping not missed yet"),
        pytest.param((), 70, MISSED, id="never reported"),
        pytest.param(((5, SUCCESS),), 5, UP, id="reported"),
        pytest.param(((5, SUCCESS),), 74.9, UP, id="in its grace"),
        pytest.param(((5, SUCCESS),), 75, MISSED, id="missed"),
        pytest.param(((5, SUCCESS), (76, SUCCESS)), 76, UP, id="back again"),
        pytest.param(((5, FAIL),), 5, FAILED, id="failed"),
        pytest.param(((5, FAIL),), 74, FAILED, id="still failed"),
        pytest.param(((5, FAIL),), 75, MISSED, id="failed, then silent"),
        pytest.param(((5, FAIL), (6, START)), 7, FAILED, id="a start settles no failure"),
        pytest.param(((5, FAIL), (6, LOG)), 7, FAILED, id="nor does a log"),
        pytest.param(((5, FAIL), (6, START), (8, SUCCESS)), 8, UP, id="a success does"),
        pytest.param(((5, START),), 6, UP, id="first start"),
        pytest.param(((5, START),), 25, LATE, id="never ended"),
        pytest.param(((5, SUCCESS), (64, START)), 83.9, UP, id="a start in time gives the run its allowance"),
        pytest.param(((5, SUCCESS), (64, START)), 84, LATE, id="but no more"),
        pytest.param(((5, SUCCESS), (64, START), (70, SUCCESS)), 139, UP, id="ended in time"),
        pytest.param(((5, SUCCESS), (64, START), (90, SUCCESS)), 90, UP, id="ended late: works again"),
        pytest.param(((5, SUCCESS), (76, START)), 77, MISSED, id="a start that comes too late settles nothing"),
        pytest.param(((5, SUCCESS), (64, START), (70, START), (80, START), (90, START)), 94.9, UP, id="restarts"),
        pytest.param(((5, SUCCESS), (64, START), (70, START), (80, START), (90, START)), 95, MISSED, id="restarts for ever"),
        pytest.param(((5, START, "a"), (10, START, "b"), (12, SUCCESS, "b")), 24, UP, id="runs that overlap"),
        pytest.param(((5, START, "a"), (10, START, "b"), (12, SUCCESS, "b")), 25, LATE, id="the other one hangs"),
        pytest.param(((5, START, "a"), (30, SUCCESS, "b")), 30, UP, id="a later success settles a run that was late"),
        pytest.param(((5, START, "a"), (10, FAIL, "a")), 10, FAILED, id="that run failed"),
    ],
)
def test_the_laws(pings: tuple[tuple[float, Signal]], at: float, expected: tuple[Status | None, Cause | None]) -> None:
    assert said(after(*pings), at) == expected


@pytest.mark.parametrize(
    ("pings", "deaf", "at", "expected"),
    [
        pytest.param(((5, SUCCESS),), (64, 66), 76, UNHEARD, id="the ping may have come in vain"),
        pytest.param(((5, SUCCESS),), (64, 66), 135.9, UNHEARD, id="until the next one is missed"),
        pytest.param(((5, SUCCESS),), (64, 66), 136, MISSED, id="which is missed"),
        pytest.param(((5, SUCCESS),), (64, 66.5), 67, UNHEARD, id="said as soon as it is so"),
        pytest.param(((5, SUCCESS),), (20, 25), 75, MISSED, id="nothing was due then"),
        pytest.param(((5, SUCCESS),), (20, 64.5), 76, UNHEARD, id="it may have been a little early"),
        pytest.param(((5, SUCCESS),), (80, 85), 86, MISSED, id="it was missed before"),
        pytest.param(((5, SUCCESS),), (6, 6_000), 6_001, UNHEARD, id="days"),
        pytest.param((), (20, 600), 601, UNHEARD, id="its first ping"),
        pytest.param(((5, FAIL),), (20, 30), 31, FAILED, id="a failure stays one"),
        pytest.param(((5, SUCCESS), (60, START)), (70, 75), 82, UNHEARD, id="the end of a run"),
        pytest.param(((5, SUCCESS), (60, START)), (70, 75), 96, LATE, id="its allowance counts from the end of the deafness"),
        pytest.param(((5, START),), (30, 40), 41, LATE, id="it was late before"),
    ],
)
def test_what_could_not_be_heard_is_not_held_against_a_job(
    pings: tuple[tuple[float, Signal]], deaf: tuple[float, float], at: float, expected: tuple[Status | None, Cause | None]
) -> None:
    start, end = (T0 + round(minutes * MINUTE) for minutes in deaf)
    assert said(deafened(after(*pings), HOURLY, start, end), at) == expected


def test_the_next_report_ends_the_doubt() -> None:
    deaf = deafened(after((5, SUCCESS)), HOURLY, T0 + 64 * MINUTE, T0 + 66 * MINUTE)

    assert said(heard(deaf, Ping(T0 + 70 * MINUTE, SUCCESS), HOURLY), 71) == UP


def test_a_late_run_may_be_a_degradation() -> None:
    lenient = replace(HOURLY, late=Status.DEGRADED)

    assert said(after((5, START), expected=lenient), 30, lenient) == (Status.DEGRADED, Cause.HEARTBEAT_LATE)


def test_another_schedule_counts_anew() -> None:
    quick = replace(HOURLY, schedule="every 1m", after=lambda at: at + MINUTE, grace_ms=MINUTE)
    known = begun(after((5, SUCCESS)), "backup", quick, T0 + 50 * MINUTE)

    assert said(known, 51, quick) == UP
    assert said(known, 52, quick) == MISSED
    assert begun(known, "backup", quick, T0 + 90 * MINUTE) is known


def test_a_clock_that_was_set_back_puts_nothing_off_for_ever() -> None:
    ahead = after((180, SUCCESS))

    assert said(ahead, 10) == UP
    assert due_at(ahead, HOURLY, T0 + 10 * MINUTE) == T0 + 70 * MINUTE


def test_how_long_a_run_took_is_known() -> None:
    assert after((5, START, "a"), (8, START, "b"), (9, SUCCESS, "b")).took_ms == MINUTE
    assert after((5, START), (8, FAIL)).took_ms == 3 * MINUTE
    assert heard(job(), Ping(T0, SUCCESS, took_ms=7.5), HOURLY).took_ms == 7.5
    assert after((8, SUCCESS)).took_ms is None
    assert len(after(*[(minute, START, f"r{minute}") for minute in range(60)]).runs) == 20


def test_the_number_that_mattered_is_said() -> None:
    missed = judge(after((5, SUCCESS)), HOURLY, T0 + 130 * MINUTE)
    late = judge(after((5, START)), HOURLY, T0 + 30 * MINUTE)
    failed = judge(after((5, FAIL)), HOURLY, T0 + 6 * MINUTE)

    assert line(missed) == "no ping for 2 h 05 min; one was due 1 h 05 min ago"
    assert line(late) == "started 25 min ago and still running, limit 20 min"
    assert line(failed) == "the job reported a failure (exit status 3)"
    assert words(missed, "fr") == ("aucun signal de la tâche depuis 2 h 05 min", "aucun signal depuis 2 h 05 min")
    assert words(late, "en") == ("the job started 25 min ago and has not finished (limit 20 min)", "job still running after 25 min")
    assert words(failed, "fr") == ("la tâche a échoué (code de retour 3)", "tâche en échec")
    assert line(judge(job(), HOURLY, T0 + 70 * MINUTE)) == "no ping received yet; one was due 10 min ago"


def words(finding: Finding, language: str) -> tuple[str, str]:
    assert finding.cause is not None
    figures = finding.figures or {}
    return cause_words(finding.cause, figures, language), short_words(finding.cause, figures, language)


histories = st.lists(
    st.tuples(st.integers(0, 300 * MINUTE), st.sampled_from(list(Signal)), st.sampled_from(["", "a", "b"])), max_size=12
).map(sorted)


@given(histories, st.integers(0, 400 * MINUTE), st.integers(0, HOUR))
def test_between_two_looks_nothing_changes_by_itself(pings: list[tuple[int, Signal, str]], at: int, further: int) -> None:
    found = job()
    for offset, signal, run in pings:
        found = heard(found, Ping(T0 + offset, signal, run), HOURLY)
    now = T0 + max(at, *(offset for offset, _, _ in pings), 0)
    first = judge(found, HOURLY, now)
    later = now + further
    if first.look_at is None or later < first.look_at:
        then = judge(found, HOURLY, later)
        assert (then.status, then.cause) == (first.status, first.cause)
    else:
        assert first.look_at > now


@given(st.lists(st.integers(-5 * MINUTE, 9 * MINUTE), min_size=1, max_size=20), st.data())
def test_a_job_that_keeps_its_schedule_is_never_accused(jitter: list[int], data: st.DataObject) -> None:
    """Whatever its jitter inside the grace, and whenever Vigie is deaf meanwhile (its pings are lost then)."""
    length = (len(jitter) + 1) * HOUR
    start = data.draw(st.integers(0, length))
    end = start + data.draw(st.integers(0, 3 * HOUR))
    found, at, deaf = job(), T0, False
    for offset in jitter:
        due = at + HOUR + offset if offset >= 0 else at + HOUR
        for now in range(at, due, 7 * MINUTE):
            if not deaf and now >= T0 + end:
                found, deaf = deafened(found, HOURLY, T0 + start, T0 + end), True
            if not T0 + start <= now < T0 + end:
                assert judge(found, HOURLY, now).status is not Status.DOWN
        at = due
        if not deaf and at >= T0 + end:
            found, deaf = deafened(found, HOURLY, T0 + start, T0 + end), True
        if not T0 + start <= at < T0 + end:
            found = heard(found, Ping(at, SUCCESS), HOURLY)


PARIS = ZoneInfo("Europe/Paris")


def nightly() -> Expected:
    return Config(token=Secret("nightly-token"), cron="30 2 * * *", timezone="Europe/Paris").expected()


def ms(*moment: int, fold: int = 0) -> int:
    return round(datetime(*moment, tzinfo=PARIS, fold=fold).timestamp() * 1000)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("reported", "next_one"),
    [
        pytest.param(ms(2026, 3, 28, 2, 30), ms(2026, 3, 29, 3, 0), id="spring: 2:30 does not exist, cron runs it at 3:00"),
        pytest.param(ms(2026, 3, 29, 3, 0), ms(2026, 3, 30, 2, 30), id="and at 2:30 the day after, 23.5 h later"),
        pytest.param(ms(2026, 10, 24, 2, 30), ms(2026, 10, 25, 2, 30), id="autumn: the first 2:30"),
        pytest.param(ms(2026, 10, 25, 2, 30), ms(2026, 10, 26, 2, 30), id="and not the second"),
        pytest.param(ms(2026, 10, 25, 2, 30, fold=1), ms(2026, 10, 26, 2, 30), id="a job that ran at the second one"),
        pytest.param(ms(2026, 6, 1, 2, 29) + 58_000, ms(2026, 6, 2, 2, 30), id="a clock two seconds ahead"),
        pytest.param(ms(2026, 6, 1, 2, 31), ms(2026, 6, 2, 2, 30), id="an ordinary day"),
    ],
)
def test_a_cron_schedule_follows_the_clocks_of_its_zone(reported: int, next_one: int) -> None:
    expected = nightly()
    found = heard(begun(None, "backup", expected, reported - DAY), Ping(reported, SUCCESS), expected)

    assert due_at(found, expected, reported) == next_one
    assert judge(found, expected, next_one + HOUR - 1).status is Status.UP
    assert judge(found, expected, next_one + HOUR).cause is Cause.HEARTBEAT_MISSED


def test_a_year_of_nights_is_never_accused() -> None:
    """Over both changes of the clocks, judged every few minutes around each ping."""
    expected = nightly()
    at = ms(2026, 1, 1, 2, 30)
    found = begun(None, "backup", expected, at - DAY // 2)
    for _ in range(365):
        found = heard(found, Ping(at + 45_000, SUCCESS), expected)
        following = expected.after(at)
        assert 23 * HOUR <= following - at <= 25 * HOUR
        assert [judge(found, expected, now).status for now in range(following - HOUR, following + HOUR, 10 * MINUTE)] == [UP[0]] * 12
        at = following
