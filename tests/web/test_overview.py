"""The overview over made-up snapshots: what it says, in which language, and that a hostile name stays text."""

import html
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.web._made import Snapshot, app_of, health_of, views

from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, Expiry, ExpiryKind, Incident, Monitor, Status, Timings
from vigie.core.notification import NoticeReason
from vigie.engine.board import natural
from vigie.errors import DeliveryReason
from vigie.observation.channel import ChannelState, Spell
from vigie.planning.maintenance import InMaintenance
from vigie.queries import MonitorState, MonitorView
from vigie.queries.board import BoardRow
from vigie.report.deliveries import Account, Attempt, Fate
from vigie.text import LANGUAGES
from vigie.text.dashboard import overview
from vigie.text.formatting import availability, latency, response_time
from vigie.web.filters import Sort, ordered
from vigie.web.page import shown
from vigie.web.rendering import Words

NOW = 1_767_225_600_000


def monitor(name: str) -> Monitor:
    return Monitor(name.lower(), name, "http", f"https://{name.lower()}.test/", name, 60_000, 10_000)


def result(name: str, status: Status, cause: Cause | None = None) -> CheckResult:
    return CheckResult(name.lower(), NOW - 5_000, status, cause, timings=Timings(total=12.3))


def incident(name: str, closed: int | None = None) -> Incident:
    return Incident(f"{name.lower()}-1", name.lower(), Severity.OUTAGE, Cause.TCP_REFUSED, NOW - 600_000, NOW - 590_000, closed)


def snapshot(*results: CheckResult, names: tuple[str, ...] = ("Shop",), incidents: tuple[Incident, ...] = (), **health: Any) -> Snapshot:
    found = views([monitor(name) for name in names], {item.monitor: item for item in results}, incidents)
    return Snapshot(found, incidents, health_of(found, NOW, **health), "en")


async def get(shown: Snapshot, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=app_of(shown))
    async with httpx.AsyncClient(transport=transport, base_url="http://vigie.test") as client:
        return await client.get(path)


async def test_a_quiet_morning_reads_as_such() -> None:
    page = (await get(snapshot(result("Shop", Status.UP), result("Atlas", Status.UP), names=("Shop", "Atlas")), "/")).text

    assert "All 2 services are up" in page
    assert ">5 s</time>" in page


async def test_an_outage_leads_the_page_with_its_incident() -> None:
    shown = snapshot(
        result("Shop", Status.DOWN, Cause.TCP_REFUSED),
        result("Atlas", Status.UP),
        names=("Atlas", "Shop"),
        incidents=(incident("Shop"),),
    )
    page = (await get(shown, "/")).text

    assert "1 of 2 services is down" in page
    assert page.index("shop.test") < page.index("atlas.test")
    assert "Shop: connection refused" in page
    assert 'href="/alerts/shop-1"' in page
    assert 'action="/alerts/shop-1/acknowledge"' in page
    assert ">10 min</time>" in page
    assert "open, not acknowledged" in page


async def test_the_reader_may_ask_for_french() -> None:
    shown = snapshot(result("Shop", Status.DOWN, Cause.TCP_REFUSED), incidents=(incident("Shop"),))
    page = (await get(shown, "/?lang=fr")).text

    assert "1 service sur 1 est en panne" in page
    assert "connexion refusée" in page
    assert '<html lang="fr">' in page
    assert '<a href="/?lang=en" lang="en" hreflang="en">English</a>' in page


@pytest.mark.parametrize(
    ("status", "severity", "state"),
    [
        (None, None, MonitorState.NONE),
        (Status.UP, None, MonitorState.UP),
        (Status.DOWN, None, MonitorState.SUSPECTED),
        (Status.DOWN, Severity.OUTAGE, MonitorState.DOWN),
        (Status.DOWN, Severity.DEGRADATION, MonitorState.SUSPECTED),
        (Status.DEGRADED, None, MonitorState.DEGRADED),
        (Status.DEGRADED, Severity.DEGRADATION, MonitorState.DEGRADED),
        (Status.DEGRADED, Severity.OUTAGE, MonitorState.RECOVERING),
        (Status.UP, Severity.OUTAGE, MonitorState.RECOVERING),
        (Status.UNKNOWN, Severity.OUTAGE, MonitorState.UNKNOWN),
    ],
)
async def test_what_one_check_saw_is_told_apart_from_what_is_confirmed(
    status: Status | None, severity: Severity | None, state: MonitorState
) -> None:
    seen = [result("Shop", status, None if status is Status.UP else Cause.HTTP_STATUS)] if status else []
    trouble = (replace(incident("Shop"), severity=severity),) if severity else ()
    now = snapshot(*seen, result("Other", Status.UP), names=("Shop", "Other"), incidents=trouble)
    assert next(one for one in now.monitors if one.monitor.id == "shop").state is state
    for language in LANGUAGES:
        page = (await get(now, f"/?lang={language}")).text
        headline = page.split("<h1>")[1].split("</h1>")[0]
        words = Words(language, overview.TEXTS, overview.COUNTED)
        wanted = words("all_up", count=2, total=2) if state is MonitorState.UP else words(f"some_{state}", count=1, total=2)
        assert headline == wanted


async def test_a_first_check_that_is_still_awaited_is_not_called_an_answer() -> None:
    assert "Waiting for the first checks" in (await get(snapshot(), "/")).text
    assert "What should Vigie watch?" in (await get(snapshot(names=()), "/")).text


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 1, "1 notice waiting to be sent"),
        ("en", 2, "2 notices waiting to be sent"),
        ("fr", 1, "1 notification n’a pas pu être envoyée"),
        ("fr", 2, "2 notifications n’ont pas pu être envoyées"),
    ],
)
def test_counts_agree_with_their_nouns(language: str, count: int, said: str) -> None:
    key = "undeliverable" if language == "fr" else "unsent"
    assert Words(language, overview.TEXTS, overview.COUNTED)(key, count=count).startswith(said)


async def test_an_unknown_language_falls_back() -> None:
    assert '<html lang="en">' in (await get(snapshot(), "/?lang=tlh")).text


async def test_a_hostile_name_stays_text_and_no_script_may_run() -> None:
    answer = await get(snapshot(names=("<script>alert(1)</script>",)), "/")

    assert "<script>" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("language", "headline", "until"),
    [
        ("en", "1 of 2 services is in maintenance", "Planned until 01:33 UTC: a &lt;new&gt; disk."),
        ("fr", "1 service sur 2 est en maintenance", "Prévu jusqu’à 01:33 UTC : a &lt;new&gt; disk."),
    ],
)
async def test_what_is_in_maintenance_is_shown_as_such_whatever_its_checks_see(language: str, headline: str, until: str) -> None:
    shown = snapshot(
        result("Shop", Status.DOWN, Cause.TCP_REFUSED), result("Atlas", Status.UP), names=("Atlas", "Shop"), incidents=(incident("Shop"),)
    )
    end = NOW - NOW % 86_400_000 + 93 * 60_000
    planned = tuple(
        replace(one, maintenance=InMaintenance(end, "a <new> disk")) if one.monitor.name == "Shop" else one for one in shown.monitors
    )
    page = (await get(replace(shown, monitors=planned, language=language), "/")).text

    assert headline in page
    assert until in page
    assert 'href="/alerts/shop-1"' in page


async def test_undelivered_notices_are_said_loudly() -> None:
    page = (await get(snapshot(unsent=2, undeliverable=1), "/")).text

    assert "2 notices waiting to be sent" in page
    assert "1 undeliverable notice" in page


async def test_health_counts_every_status() -> None:
    answer = await get(snapshot(result("Shop", Status.DOWN, Cause.TCP_REFUSED), incidents=(incident("Shop"),)), "/health")

    assert answer.status_code == 200
    assert answer.json()["monitors"] == {"total": 1, "up": 0, "degraded": 0, "down": 1, "unknown": 0}
    assert answer.json()["incidents_open"] == 1


async def test_a_stalled_vigie_answers_503_and_says_so_on_the_page() -> None:
    shown = snapshot(result("Shop", Status.UP), stalled=True)

    assert (await get(shown, "/health")).status_code == 503
    assert "Vigie itself needs attention" in (await get(shown, "/")).text


async def test_where_all_is_well_the_last_trouble_is_a_memory() -> None:
    page = (await get(snapshot(result("Shop", Status.UP), incidents=(incident("Shop", closed=NOW - 7_200_000),)), "/")).text

    assert "The last alert ended 2 h 00 min ago." in page


@pytest.mark.parametrize(
    ("ms", "english", "french"),
    [
        (0.4, "< 1 ms", "< 1 ms"),
        (912.6, "913 ms", "913 ms"),
        (2_312, "2,312 ms", "2\u202f312 ms"),
        (9_999.6, "10.0 s", "10,0 s"),
        (61_250, "61.2 s", "61,2 s"),
    ],
)
def test_a_latency_reads_as_its_language_has_it(ms: float, english: str, french: str) -> None:
    assert (latency(ms, "en"), latency(ms, "fr")) == (english, french)


@pytest.mark.parametrize(
    ("ms", "english", "french"),
    [
        (0.4, "< 1 ms", "< 1 ms"),
        (999.4, "999 ms", "999 ms"),
        (999.6, "1.00 s", "1,00 s"),
        (1_236, "1.24 s", "1,24 s"),
        (12_345, "12.3 s", "12,3 s"),
    ],
)
def test_a_response_time_of_a_second_or_more_is_in_seconds(ms: float, english: str, french: str) -> None:
    assert (response_time(ms, "en"), response_time(ms, "fr")) == (english, french)


@pytest.mark.parametrize(
    ("ratio", "english", "french"),
    [(1.0, "100%", "100\u00a0%"), (0.99999999, "99.99%", "99,99\u00a0%"), (0.5, "50.00%", "50,00\u00a0%"), (0.0, "0.00%", "0,00\u00a0%")],
)
def test_availability_is_rounded_down(ratio: float, english: str, french: str) -> None:
    assert (availability(ratio, "en"), availability(ratio, "fr")) == (english, french)


def test_names_are_sorted_as_people_count() -> None:
    rows = [
        BoardRow(one, one.state, None, None, natural(one.monitor.name))
        for one in map(MonitorView, map(monitor, ("Node 10", "node 2", "Atlas")))
    ]

    assert [one.view.monitor.name for one in ordered(rows, Sort.NAME, {})] == ["Atlas", "node 2", "Node 10"]


def test_what_could_turn_a_line_around_is_taken_out() -> None:
    assert shown("a\u202eb\u2066c\x07\u200b") == "abc"
    assert shown("\U0001f468\u200d\U0001f469 é متجر") == "\U0001f468\u200d\U0001f469 é متجر"


async def test_who_was_notified_late_and_which_channel_fails_is_said() -> None:
    refused = [Attempt(NOW - 590_000 + wait, DeliveryReason.AUTH, "535 no") for wait in (0, 9_000)]
    late = Account("mail", NoticeReason.OPENED, NOW - 590_000, Fate.WAITING, tuple(refused), NOW + 5_000)
    spell = Spell(NOW - 1_200_000, 9, 0, DeliveryReason.AUTH, "535 <b>no", NOW - 300_000)
    shown = replace(
        snapshot(result("Shop", Status.DOWN, Cause.TCP_REFUSED), incidents=(incident("Shop"),)),
        failing=(ChannelState("mail", spell),),
        accounts={"shop-1": [late]},
    )
    page = html.unescape((await get(shown, "/")).text)
    assert "Channel mail: nothing could be sent for 20 min; the login was refused (535 no; 9 failed attempts)" in page
    assert "Nobody has been notified since" in page
    assert "<b>no" not in (await get(shown, "/")).text
    assert "Canal mail : aucun envoi possible depuis 20 min" in (await get(shown, "/?lang=fr")).text


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (ExpiryKind.CERTIFICATE, "The next thing to expire is the certificate of <b>account.lumen.example</b>, in 31 d."),
        (ExpiryKind.DOMAIN, "The next thing to expire is the domain <b>account.lumen.example</b>, in 31 d."),
        (ExpiryKind.AUTHORITY, "The next thing to expire is the intermediate certificate <b>account.lumen.example</b>, in 31 d."),
    ],
)
async def test_while_all_is_well_what_runs_out_next_is_said(kind: ExpiryKind, sentence: str) -> None:
    ends = Expiry("account.lumen.example:443", kind, "account.lumen.example", NOW + 31 * 86_400_000 + 5, NOW)
    well = replace(snapshot(result("Shop", Status.UP)), expiry=ends)
    assert sentence in (await get(well, "/?lang=en")).text
    assert "Ce qui expire en premier" in (await get(well, "/?lang=fr")).text


async def test_what_has_run_out_or_hides_its_name_or_comes_beside_an_alert_is_not_said_as_the_next() -> None:
    ends = Expiry("x:443", ExpiryKind.CERTIFICATE, "<b>x</b>\u202e", NOW + 86_400_000, NOW)
    well = snapshot(result("Shop", Status.UP))
    assert "&lt;b&gt;x&lt;/b&gt;</b>, in 24 h" in (await get(replace(well, expiry=ends), "/?lang=en")).text
    assert "next thing" not in (await get(replace(well, expiry=replace(ends, ends_at=NOW)), "/?lang=en")).text
    ill = snapshot(result("Shop", Status.DOWN, Cause.TCP_REFUSED), incidents=(incident("Shop"),))
    assert "next thing" not in (await get(replace(ill, expiry=ends), "/?lang=en")).text
