"""Which past incidents resemble the one at hand, and what they say."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from vigie.core.detection import Severity
from vigie.core.model import Cause, Incident, Timings
from vigie.report import history
from vigie.report.facts import FactKind, Subject
from vigie.report.history import Past, Remark

from .conftest import AT, ZONE

DAY = 86_400_000
Make = Callable[..., Subject]


def past(number: int, days: float, cause: Cause = Cause.HTTP_STATUS, monitor: str = "shop-api", **more: object) -> Past:
    started = AT - int(days * DAY)
    incident = Incident(f"{monitor}-{number}", monitor, Severity.OUTAGE, cause, started, started + 10_000, started + 720_000)
    host = str(more.pop("host", "api.shop.example"))
    return Past(incident, host, Timings(4, 11, 23, 31, 1, 71), **more)  # type: ignore[arg-type]  # keywords of Past


def test_the_same_trouble_of_the_same_monitor_is_found_newest_first(subject: Make) -> None:
    known = [past(1, 80), past(2, 3), past(9, 1, Cause.DNS_NXDOMAIN), past(8, 1, monitor="other", host="other.example")]
    assert [one.incident.id for one in history.similar(subject(), known)] == ["shop-api-2", "shop-api-1"]


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (past(1, 89), True),
        (past(1, 91), False),  # too long ago
        (past(1, 1, Cause.HTTP_REDIRECT), True),  # the same family
        (past(1, 1, monitor="shop-web"), True),  # another monitor of the same host
        (past(1, 1, Cause.HTTP_REDIRECT, monitor="shop-web"), False),  # too little in common
        (past(3, 0), False),  # it is this incident itself
    ],
)
def test_what_resembles_enough(subject: Make, one: Past, found: bool) -> None:
    assert bool(history.similar(subject(), [one])) is found


def test_the_facts_count_and_date_them_in_both_languages(subject: Make) -> None:
    said = (Remark("shop-api-2", 1, "ann", cause="behind_proxy"),)
    counted, noted = history.evidence(subject(), [past(1, 10), past(2, 3, remarks=said)], ZONE)

    assert (counted.kind, counted.value) == (FactKind.HISTORY, 2)
    assert counted.fr == (
        "Sur les 90 derniers jours : 2 incidents semblables ; le plus récent, du 21 novembre 2026 à 14:02:05 UTC+1, a duré 12 min."
    )
    assert counted.en == "In the last 90 days: 2 similar incidents; the most recent, on 21 November 2026 at 14:02:05 UTC+1, lasted 12 min."
    assert noted.value == "behind_proxy"
    assert noted.en.endswith("the application behind the reverse proxy.")


def test_nothing_is_said_where_nothing_is_alike_and_unknown_causes_are_not_repeated(subject: Make) -> None:
    assert history.evidence(subject(), [], ZONE) == []
    odd = (Remark("shop-api-1", 1, "ann", cause="<script>"),)
    assert [one.name for one in history.evidence(subject(), [past(1, 1, remarks=odd)], ZONE)] == ["similar"]


@pytest.mark.parametrize(
    ("cause", "remarks", "misled"),
    [
        ("behind_proxy", [], None),
        ("behind_proxy", [Remark("x", 1, "a", cause="behind_proxy")], False),
        ("behind_proxy", [Remark("x", 1, "a", cause="overloaded")], True),
        ("behind_proxy", [Remark("x", 1, "a", cause="overloaded"), Remark("x", 2, "a", cause="behind_proxy")], False),
        ("unknown", [Remark("x", 1, "a", cause="overloaded")], None),
        ("behind_proxy", [Remark("x", 1, "a", helpful=False)], True),
        ("behind_proxy", [Remark("x", 1, "a", helpful=False), Remark("x", 2, "b", helpful=True)], False),
    ],
)
def test_whether_a_report_misled(cause: str, remarks: list[Remark], misled: bool | None) -> None:
    assert history.misled(cause, remarks) is misled


def test_an_incident_begun_later_says_nothing_about_an_earlier_one(subject: Make) -> None:
    later = past(7, -1)
    assert replace(later).incident.started_at > AT
    assert history.similar(subject(), [later]) == []
