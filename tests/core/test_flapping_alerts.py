"""What people are notified of a service that goes up and down: both machines together."""

from itertools import chain, cycle, islice, repeat

from vigie.core import alert
from vigie.core.alert import AlertState
from vigie.core.detection import DetectionPolicy, Pattern, Severity
from vigie.core.events import Acked, Opened, Recovered, Steadied, Woke
from vigie.core.model import Cause, Status
from vigie.core.notification import NoticeReason
from vigie.testing.windows import WindowedPolicy

from .machines import DOWN, HOUR, SECOND, UP, Happening, Machines, Policies, granted, seen

POLICY = Policies(DetectionPolicy(), WindowedPolicy(remind_ms=HOUR, to=("mail",), degraded_to=("mail",)))
TURNS = list(islice(cycle([DOWN, UP]), 300))


def told(statuses: list[Status]) -> list[NoticeReason]:
    log = [Happening(seen(status, number * 60, number)) for number, status in enumerate(statuses, 1)]
    _, found = granted(POLICY, log)
    return [notice.reason for one in found for notice in one.notices]


def test_one_notice_that_it_flaps_one_that_it_is_stable_and_no_reminder_between() -> None:
    assert told([*TURNS, *repeat(UP, 40)]) == [NoticeReason.FLAPPING, NoticeReason.STABLE]


def test_what_fails_for_good_is_notified_of_reminded_of_and_recovers_as_any_outage() -> None:
    words = told([*TURNS, *repeat(DOWN, 100), UP, UP])
    assert words == [NoticeReason.FLAPPING, NoticeReason.STEADY, NoticeReason.REMINDER, NoticeReason.RECOVERED]


def opened(incident: str, second: int, pattern: Pattern = Pattern.FLAPPING) -> Opened:
    return Opened(Severity.OUTAGE, incident, second * SECOND, second * SECOND, Cause.TCP_REFUSED, pattern=pattern)


def flapping(*events: Opened | Recovered | Steadied | Acked | Woke) -> tuple[AlertState, list[NoticeReason]]:
    state, reasons = AlertState("shop-1", Severity.OUTAGE, "shop"), list[NoticeReason]()
    for event in events:
        state, decisions = alert.step(state, event, POLICY.notification, "shop")
        reasons += [notice.reason for one in decisions for notice in alert.notices(one, state)]
    return state, reasons


def test_an_alert_that_somebody_acknowledged_still_says_that_it_is_steady() -> None:
    state, reasons = flapping(opened("shop-1", 1), Acked(2 * SECOND, "ann"), Steadied(Severity.OUTAGE, "shop-1", 3 * SECOND))

    assert reasons == [NoticeReason.FLAPPING, NoticeReason.STEADY]
    assert state.remind_at is None


def test_an_alert_that_a_steady_outage_joins_is_not_about_flapping_any_more() -> None:
    over = [Recovered(Severity.OUTAGE, name, 9 * SECOND) for name in ("shop-1", "shop-2")]
    _, reasons = flapping(opened("shop-1", 1), opened("shop-2", 2, Pattern.STEADY), *over)

    assert reasons == [NoticeReason.FLAPPING, NoticeReason.RECOVERED]


def test_a_flapping_service_that_joins_an_alert_leaves_it_as_it_is() -> None:
    over = [Recovered(Severity.OUTAGE, name, 9 * SECOND) for name in ("shop-1", "shop-2")]
    _, reasons = flapping(opened("shop-1", 1, Pattern.STEADY), opened("shop-2", 2), *over)

    assert reasons == [NoticeReason.OPENED, NoticeReason.RECOVERED]


def test_that_an_ordinary_alert_is_steady_is_no_news() -> None:
    _, reasons = flapping(opened("shop-1", 1, Pattern.STEADY), Steadied(Severity.OUTAGE, "shop-1", 3 * SECOND))

    assert reasons == [NoticeReason.OPENED]


def test_every_notice_of_a_flapping_service_has_a_key_of_its_own() -> None:
    log = [
        Happening(seen(status, number * 60, number))
        for number, status in enumerate(chain(TURNS, repeat(DOWN, 100), repeat(UP, 9), TURNS, repeat(UP, 50)), 1)
    ]
    machines = Machines(POLICY)
    keys = [notice.key for event, monitor in log for one in machines.take(event, monitor) for notice in one.notices]

    assert len(keys) == len(set(keys)) == 6
