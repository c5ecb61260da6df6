"""The pages of alerts and monitors over HTTP: what they say, what people do on them, who may, and what nobody should be able to break."""

import json
import re
from html import unescape
from typing import Any

import httpx
import pytest
from tests.web._house import MINUTE, Desk, House, made, monitor, ran, refused, well
from tests.web._past import MadeHistory

from vigie.commands.monitors import NotNow
from vigie.core.model import CheckResult, Status
from vigie.report.deliveries import one_line
from vigie.web import markdown
from vigie.web.alert_view import strip_of, who_and_way

SAME = {"Sec-Fetch-Site": "same-origin"}


class Reader:
    """This machine's own browser, a request at a time."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def get(self, path: str, **values: Any) -> httpx.Response:
        return ran(self._ask("GET", path, **values))

    def post(self, path: str, **values: Any) -> httpx.Response:
        return ran(self._ask("POST", path, **values))

    async def _ask(self, method: str, path: str, **values: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, **values)


def browse(house: House) -> Reader:
    return Reader(house.app())


def plain(html: str) -> str:
    """The text of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.fixture(scope="module")
def house() -> House:
    return made()


def test_an_alert_says_what_broke_who_knows_and_what_to_do_first(house: House) -> None:
    page = browse(house).get("/alerts/checkout-1").text

    assert "<h1>12 services at 203.0.113.24 are down: connection refused</h1>" in page
    said = plain(page)
    for sentence in (
        "Nobody has acknowledged yet.",
        "Likely cause",
        "First step",
        "5 sentences kept, 1 dropped",
        "Rule: cause.",
    ):
        assert sentence in said
    assert "The proxy crashed because the host ran out of memory." in said  # what was dropped, and why
    assert "attempt 1: 451 4.7.1 try again later" in said
    assert "HAProxy did not survive its last reload" in said  # a note


def test_every_citation_leads_to_a_fact_of_the_page(house: House) -> None:
    page = browse(house).get("/alerts/checkout-1").text
    cited, facts = set(re.findall(r'class="cite" href="#(F\d+)"', page)), set(re.findall(r'class="fact" id="(F\d+)"', page))

    assert len(cited) >= 4
    assert cited <= facts


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(
    "path",
    [
        "/alerts",
        "/alerts/checkout-1",
        "/alerts/checkout-1/members",
        "/alerts/checkout-1/review",
        "/monitors/checkout",
        "/monitors/checkout/results",
        "/alerts/none",
        "/monitors/none",
    ],
)
def test_pages_are_whole_in_both_languages(house: House, path: str, language: str) -> None:
    answer = browse(house).get(f"{path}?lang={language}")

    assert answer.status_code == (404 if path.endswith("none") else 200)
    assert f'<html lang="{language}">' in answer.text
    assert answer.text.count("<h1") == 1
    assert " style=" not in answer.text
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)


def test_any_member_leads_to_its_alert(house: House) -> None:
    assert "12 services at 203.0.113.24" in browse(house).get("/alerts/gift-cards-1").text


def test_what_is_done_on_a_page_is_done_once_and_shown() -> None:
    client = browse(made())
    first = client.post("/alerts/checkout-1/acknowledge", headers=SAME)
    assert (first.status_code, first.headers["location"]) == (303, "/alerts/checkout-1?done=acknowledge")
    said = plain(client.get(first.headers["location"]).text)
    assert "Acknowledged: reminders and escalation stop. This cannot be undone." in said
    assert "Acknowledged by somebody on this machine." in said

    again = client.post("/alerts/checkout-1/acknowledge", headers=SAME)
    assert again.status_code == 409
    assert "Somebody was faster" in again.text

    assert client.post("/alerts/checkout-1/snooze", data={"minutes": "60"}, headers=SAME).status_code == 303
    assert "Snoozed until" in client.get("/alerts/checkout-1").text
    assert client.post("/alerts/checkout-1/note", data={"text": "the map file was empty"}, headers=SAME).status_code == 303
    assert client.post("/alerts/checkout-1/cause", data={"text": "Reload with a bad map file"}, headers=SAME).status_code == 303
    said = plain(client.get("/alerts/checkout-1").text)
    assert "the map file was empty" in said
    assert "Reload with a bad map file somebody on this machine" in said

    assert client.post("/alerts/checkout-1/resolve", data={"text": "restarted"}, headers=SAME).status_code == 303
    assert "Resolved." in client.get("/alerts/checkout-1?done=resolve").text
    assert "is over already" in client.post("/alerts/checkout-1/resolve", headers=SAME).text
    assert "Reload with a bad map file" in client.get("/monitors/checkout").text  # among the past alerts of each member


@pytest.mark.parametrize(
    ("name", "fields"),
    [("note", {"text": "x" * 2_001}), ("note", {"text": "  "}), ("cause", {}), ("snooze", {"minutes": "0"}), ("snooze", {"minutes": "-5"}),
     ("snooze", {"minutes": "9" * 9}), ("snooze", {"minutes": "½"})],
)  # fmt: skip
def test_a_form_that_cannot_be_used_changes_nothing(house: House, name: str, fields: dict[str, str]) -> None:
    answer = browse(house).post(f"/alerts/checkout-1/{name}", data=fields, headers=SAME)

    assert answer.status_code == 400
    assert "cannot be used" in answer.text


def test_a_script_is_sent_on_and_a_stranger_gets_nowhere(house: House) -> None:
    client = browse(house)
    answer = client.post("/alerts/checkout-1/note", data={"text": "by a script"}, headers={**SAME, "HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/alerts/checkout-1?done=note")
    assert client.post("/alerts/none/note", data={"text": "x"}, headers=SAME).status_code == 404
    assert client.post("/alerts/checkout-1/note", data={"text": "x"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_the_list_has_what_is_open_first_and_can_be_narrowed() -> None:
    past, now = made(over=True), made()
    client = browse(now)
    assert "<h1>1 alert is open</h1>" in client.get("/alerts").text
    assert "<b>nobody has acknowledged</b>" in client.get("/alerts").text
    for query in ("q=tag:shop", "q=checkout", "q=cause:tcp", "state=down", "monitor=gift-cards", "show=open"):
        assert "/alerts/checkout-1" in client.get(f"/alerts?{query}").text, query
    for query in ("q=tag:other", "q=nothing", "q=cause:tls", "state=degraded", "monitor=none", "show=over"):
        assert "/alerts/checkout-1" not in client.get(f"/alerts?{query}").text, query
    assert client.get("/alerts?after=zzz").status_code == 303
    over = browse(past).get("/alerts").text
    assert "<h1>No alert is open</h1>" in over
    assert "/alerts/checkout-1" in over


def test_an_alert_that_is_over_reads_from_its_beginning() -> None:
    page = browse(made(over=True)).get("/alerts/checkout-1").text
    said = plain(page)

    assert "12 services at 203.0.113.24 were affected: connection refused" in said
    assert "Acknowledged by Marc Aubry." in said
    assert said.index("First failed check of Checkout") < said.index("Acknowledged by Marc Aubry", said.index("Timeline"))
    assert "/acknowledge" not in page


def test_thousands_of_members_come_a_page_at_a_time() -> None:
    client = browse(made(names=tuple(f"Service {number}" for number in range(1_200)), model=False))
    page = client.get("/alerts/service-0-1")

    assert "1,200 services at 203.0.113.24 are down" in page.text
    assert page.text.count('href="/monitors/service-') < 80
    assert "Show the 1150 others" in page.text or "Show the 1,150 others" in page.text
    more = client.get("/alerts/service-0-1/members?after=50", headers={"HX-Request": "true"}).text
    assert more.count("<tr>") == 201
    assert "after=250" in more
    assert len(client.get("/alerts/service-0-1/members?after=1100").text.split("<tr>")) == 102


HOSTILE = ("<script>alert(1)</script>", "متجر \u202eevil\u202c", "x" * 300, "{{ 7 * 7 }}", "é\u0000\u200b" * 40)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_and_texts_are_only_text(name: str) -> None:
    house = made(names=(name, "Other"), model=False)
    one = house.monitors[0]
    house.extra = {"history": MadeHistory(hostile=f"{name} <img src=x onerror=alert(1)> " + "9" * 10_000), "desk": Desk(refused(one, 0))}
    client = browse(house)
    alert = f"{one.id}-1"
    assert client.post(f"/alerts/{alert}/note", data={"text": f"{name[:200]} <b>bold</b>"}, headers=SAME).status_code == 303
    for path in (f"/alerts/{alert}", f"/monitors/{one.id}", f"/monitors/{one.id}/results", "/alerts", f"/alerts/{alert}/review"):
        page = client.get(path)
        assert page.status_code == 200
        for bad in ("<script>alert", "<img", "<b>bold", "\u202e", "\u0000", "9" * 1_000):
            assert bad not in page.text, (path, bad)


# Monitors


def with_history(desk: Any = None, **values: Any) -> House:
    house = made()
    slow = monitor("Search API")
    house.monitors.append(slow)
    ran(house.store.catalog.sync_monitors(house.monitors))
    ran(house.ingest.configure(house.monitors))
    if not values.get("young"):
        ran(house.take([well(slow, house.clock.now() - MINUTE, 1)]))
    house.extra = {"history": MadeHistory(**values), "desk": desk or Desk(well(slow, house.clock.now()))}
    return house


def test_a_monitor_says_how_it_is_with_the_number_that_matters() -> None:
    page = browse(with_history()).get("/monitors/search-api").text
    said = plain(page)

    assert re.search(r"<h1>Search API is up: answers in \d+ ms</h1>", page)
    for part in (
        "Available, 24 h 100%",
        "99.98% 8 min 30 s down",
        "41 min not observed",
        "R11, Let's Encrypt",
        "Every 30 s; time limit 5 s",
        "No alert so far.",
    ):
        assert part in said, part
    drawn = re.search(r'data-chart="([^"]+)"', page)
    assert drawn is not None
    chart = json.loads(unescape(drawn[1]))
    assert len(chart["x"]) == len(chart["p95"]) == 96
    assert all(a >= b for a, b in zip(chart["phases"][0], chart["phases"][1], strict=True))


@pytest.mark.parametrize("span", ["3h", "24h", "7d", "90d", "1y", "nonsense"])
def test_every_span_of_the_chart_has_points(span: str) -> None:
    page = browse(with_history()).get(f"/monitors/search-api?span={span}")

    assert page.status_code == 200
    assert 'data-chart="' in page.text


def test_a_monitor_that_fails_leads_to_its_alert() -> None:
    page = browse(with_history()).get("/monitors/checkout").text

    assert "<h1>Checkout is down: connection refused" in page
    assert 'href="/alerts/checkout-1"' in page


def test_a_monitor_just_made_says_when_it_is_checked() -> None:
    page = browse(with_history(young=True)).get("/monitors/search-api").text

    assert "<h1>Search API has not been checked yet</h1>" in page
    assert "within 30 s" in page
    assert "data-chart" not in page


def test_results_go_back_a_page_at_a_time() -> None:
    client = browse(with_history())
    first = client.get("/monitors/search-api/results").text
    older = re.search(r'href="(/monitors/search-api/results\?after=[^"]+)"', first)
    assert older is not None
    assert first.count("<tr>") == 101
    assert "Newest" in client.get(older[1]).text


class Busy(Desk):
    """Somebody else was faster."""

    async def check_now(self, monitor: str) -> CheckResult | None:
        raise NotNow(f"{monitor} was checked a moment ago")


def test_a_check_and_diagnostics_are_shown_on_the_page() -> None:
    house = with_history()
    desk = house.extra["desk"]
    client = browse(house)
    assert "Checked just now: all is well" in client.post("/monitors/search-api/check", headers=SAME).text
    assert "Port 22 answers." in client.post("/monitors/search-api/diagnose", headers=SAME).text
    assert desk.asked == ["search-api", "search-api"]
    busy = browse(with_history(Busy(well(monitor("x"), 0)))).post("/monitors/search-api/check", headers=SAME)
    assert (busy.status_code, "was checked a moment ago" in busy.text) == (409, True)
    assert client.post("/monitors/none/check", headers=SAME).status_code == 404


# Post-incident reports


def test_a_report_is_edited_by_one_person_after_the_other() -> None:
    house = made(over=True)
    house.extra = {}
    client = browse(house)
    assert client.get("/alerts/checkout-1/review").headers["etag"] == '"0"'
    text = "# What happened\n\n- the **map** was <b>empty</b>\n\n| a | b |\n|---|---|\n| 1 | `2` |\n\n> to do"
    assert client.post("/alerts/checkout-1/review", data={"text": text, "version": "0"}, headers=SAME).status_code == 303
    page = client.get("/alerts/checkout-1/review")
    assert page.headers["etag"] == '"1"'
    for part in (
        "<h2>What happened</h2>",
        "<li>the <strong>map</strong> was &lt;b&gt;empty&lt;/b&gt;</li>",
        "<td><code>2</code></td>",
        "<blockquote>to do</blockquote>",
    ):
        assert part in page.text
    assert client.get("/alerts/checkout-1/review.md").text == text
    assert "<h2>What happened</h2>" in client.get("/alerts/checkout-1/review.html").text
    assert "attachment" in client.get("/alerts/checkout-1/review.html").headers["content-disposition"]
    late = client.post("/alerts/checkout-1/review", data={"text": "# Mine", "version": "0"}, headers=SAME)
    assert late.status_code == 409
    assert "# Mine" in late.text
    assert "saved another version meanwhile" in late.text
    assert client.post("/alerts/checkout-1/review", data={"text": "x" * 200_001, "version": "1"}, headers=SAME).status_code == 400
    assert client.post("/alerts/checkout-1/review", data={"text": "x", "version": "one"}, headers=SAME).status_code == 400
    assert client.get("/alerts/checkout-1/review.exe").status_code == 404


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a *b* **c** `d<e`", "<p>a <em>b</em> <strong>c</strong> <code>d&lt;e</code></p>"),
        (r"\*not\* \<script\>", "<p>*not* &lt;script&gt;</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("*open", "<p>*open</p>"),
        ("####### deep", "<h5>deep</h5>"),
        (r"| a \| b | c |", "<table><tr><td>a | b</td><td>c</td></tr></table>"),
        ("#no heading", "<p>#no heading</p>"),
        ("<img src=x>", "<p>&lt;img src=x&gt;</p>"),
    ],
)  # fmt: skip
def test_markdown_is_text_unless_it_is_a_mark_of_ours(text: str, html: str) -> None:
    assert markdown.html(text) == html


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("HTTP 503: <html><head><title>503 Bad gate</title></head>\n<body><h1>503 Bad gate</h1><hr>nginx", "HTTP 503: 503 Bad gate nginx"),
        ("<style>body{}</style><p>Try later</p>", "Try later"),
        ("451 4.7.1 <anna@example.com> try again", "451 4.7.1 <anna@example.com> try again"),
        (
            "127.0.0.1 (HTTP 503: <!doctype html> <html><head><title>503 Busy now</title></head> <body><cent…)",
            "127.0.0.1 (HTTP 503: 503 Busy now …)",
        ),
        ("5 < 6 and 7 > 2", "5 < 6 and 7 > 2"),
        ("250 queued", "250 queued"),
    ],
)
def test_an_error_page_of_a_provider_is_one_line(answer: str, line: str) -> None:
    assert one_line(answer) == line


@pytest.mark.parametrize(("channel", "who", "way"), [("anna.mail", "anna", "mail"), ("ops", "ops", ""), ("Anna K.mail", "Anna K", "mail")])
def test_a_channel_of_a_person_is_the_person_and_the_way(channel: str, who: str, way: str) -> None:
    assert who_and_way(channel) == (who, way)


def test_last_checks_are_drawn_with_the_newest_at_the_right() -> None:
    drawn = strip_of([Status.UP, Status.DOWN])
    assert (drawn.good, drawn.bad, drawn.count, drawn.failed) == ("M170 11h3v4h-3z", "M175 2h3v13h-3z", 2, 1)
