"""The status page over made-up snapshots: what it says, in which language, and that a hostile name stays text."""

from typing import Any

import httpx
import pytest

from vigie.core.model import Cause, CheckResult, Incident, Monitor, Severity, Status, Timings
from vigie.core.policy import Policy
from vigie.web.app import build
from vigie.web.view import Health, Snapshot, lines
from vigie.web.words import WORDS, span

NOW = 1_767_225_600_000


def monitor(name: str) -> Monitor:
    return Monitor(name.lower(), name, "http", f"https://{name.lower()}.test/", name, 60_000, 10_000, Policy())


def result(name: str, status: Status, cause: Cause | None = None) -> CheckResult:
    return CheckResult(name.lower(), NOW - 5_000, status, cause, timings=Timings(total=12.3))


def incident(name: str, closed: int | None = None) -> Incident:
    return Incident(f"{name.lower()}-1", name.lower(), Severity.OUTAGE, Cause.TCP_REFUSED, NOW - 600_000, NOW - 590_000, closed)


def snapshot(*results: CheckResult, names: tuple[str, ...] = ("Shop",), incidents: tuple[Incident, ...] = (), **health: Any) -> Snapshot:
    plain = {"unsent": 0, "buried": 0, "stalled": False} | health
    own = Health("1.0", NOW - 1_000_000, NOW, NOW - 5_000, **plain)
    still_open = [item for item in incidents if item.closed_at is None]
    found = lines([monitor(name) for name in names], {item.monitor: item for item in results}, still_open)
    return Snapshot(found, incidents, own, "en")


async def get(shown: Snapshot, path: str) -> httpx.Response:
    async def current() -> Snapshot:
        return shown

    transport = httpx.ASGITransport(app=build(current))
    async with httpx.AsyncClient(transport=transport, base_url="http://vigie.test") as client:
        return await client.get(path)


async def test_a_quiet_morning_reads_as_such() -> None:
    page = (await get(snapshot(result("Shop", Status.UP)), "/")).text

    assert "Every service answers" in page
    assert "12 ms" in page
    assert "5 s ago" in page


async def test_an_outage_leads_the_page_with_its_incident() -> None:
    shown = snapshot(
        result("Shop", Status.DOWN, Cause.TCP_REFUSED),
        result("Atlas", Status.UP),
        names=("Atlas", "Shop"),
        incidents=(incident("Shop"),),
    )
    page = (await get(shown, "/")).text

    assert "1 of 2 services down" in page
    assert page.index("shop.test") < page.index("atlas.test")
    assert "tcp.refused" in page
    assert "shop-1" in page
    assert "10 min" in page


async def test_the_reader_may_ask_for_french() -> None:
    page = (await get(snapshot(result("Shop", Status.DOWN, Cause.TCP_REFUSED)), "/?lang=fr")).text

    assert "1 service(s) sur 1 en panne" in page
    assert '<html lang="fr">' in page


async def test_an_unknown_language_falls_back() -> None:
    assert '<html lang="en">' in (await get(snapshot(), "/?lang=tlh")).text


async def test_a_hostile_name_stays_text_and_no_script_may_run() -> None:
    answer = await get(snapshot(names=("<script>alert(1)</script>",)), "/")

    assert "<script>" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_undelivered_notices_are_said_loudly() -> None:
    page = (await get(snapshot(unsent=2, buried=1), "/")).text

    assert "2 notice(s) still to be sent" in page
    assert "1 notice(s) could not be delivered" in page


async def test_health_counts_every_status() -> None:
    answer = await get(snapshot(result("Shop", Status.DOWN, Cause.TCP_REFUSED), incidents=(incident("Shop"),)), "/health")

    assert answer.status_code == 200
    assert answer.json()["monitors"] == {"total": 1, "up": 0, "degraded": 0, "down": 1, "unknown": 0}
    assert answer.json()["incidents_open"] == 1


async def test_a_stalled_vigie_answers_503_and_says_so_on_the_page() -> None:
    shown = snapshot(result("Shop", Status.UP), stalled=True)

    assert (await get(shown, "/health")).status_code == 503
    assert "Vigie itself needs attention" in (await get(shown, "/")).text


async def test_a_closed_incident_says_how_long_it_lasted() -> None:
    page = (await get(snapshot(result("Shop", Status.UP), incidents=(incident("Shop", closed=NOW),)), "/")).text

    assert "lasted 10 min" in page


def test_both_languages_have_the_same_words() -> None:
    assert WORDS["en"].keys() == WORDS["fr"].keys()


@pytest.mark.parametrize(
    ("ms", "said"), [(-5, "0 s"), (59_999, "59 s"), (60_000, "1 min"), (7_500_000, "2 h 05 min"), (172_800_000, "48 h")]
)
def test_a_span_has_its_two_largest_units(ms: int, said: str) -> None:
    assert span(ms) == said
