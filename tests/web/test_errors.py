"""Where a page cannot be shown: the database fails, nothing is there, it is refused, Vigie has a fault. People, programs and parts of pages."""

import html
import json
import logging
import re
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from tests.web._house import House, made
from tests.web._made import site_of
from tests.web.auth._door import HTML, Town, log_in
from tests.web.test_overview import snapshot

from vigie.accounts import Role
from vigie.errors import StoreError, StoreFault
from vigie.text.dashboard import errors
from vigie.web import app as application
from vigie.web.access import Public, route

FRAGMENT = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1/?state=down", "Accept": "*/*"}
FAULT = StoreError(StoreFault.FULL, "no space left for /var/lib/vigie/vigie.db", "free some space")


def client(app: Any, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://127.0.0.1", headers=headers)


def said(answer: httpx.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def broken(fault: StoreError = FAULT) -> House:
    """Its site was made while the database still worked."""
    house = made()
    house.store.broken = fault
    return house


@pytest.mark.parametrize("path", ["/alerts", "/alerts/checkout-1", "/monitors/checkout"])
@pytest.mark.parametrize("fault", list(StoreFault))
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_failing_database_is_a_page_that_says_what_when_and_what_to_do(path: str, fault: StoreFault, language: str) -> None:
    house = broken(StoreError(fault, "/x/vigie.db: a message", "a remedy"))
    async with client(house.app(), **HTML) as web:
        answer = await web.get(f"{path}?lang={language}")

    column = {"fr": 0, "en": 1}[language]
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    for name in (f"what_{fault}", "works_checks", "works_alerts", f"next_{fault}"):
        assert errors.TEXTS[name][column] in said(answer)
    assert re.search(r'<time datetime="20[^"]+" data-t="clock">', answer.text)
    assert "/x/vigie.db: a message. a remedy" in said(answer)
    assert '<nav class="nav"' in answer.text
    assert answer.text.count("<h1>") == 1


async def test_since_when_it_fails_stays_while_it_fails_and_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    house, now = broken(), [1_767_225_600_000]
    site = house.site()
    site.now = lambda: now[0]
    app = application.build(site)
    seen = []
    async with client(app, **HTML) as web:
        for step in (0, 30_000, 100_000, 121_000):
            now[0] += step
            seen += re.findall(r'<p>First noticed at <time datetime="([^"]+)"', (await web.get("/alerts")).text)
    assert seen == ["2026-01-01T00:00:00+00:00"] * 3 + ["2026-01-01T00:04:11+00:00"]
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == [
        "pages cannot be shown: no space left for /var/lib/vigie/vigie.db. free some space"
    ] * 3  # at once, after a minute, and of the second time


async def test_a_part_of_a_page_is_a_small_box_and_a_program_gets_a_line_or_a_problem() -> None:
    app = broken().app()
    async with client(app) as web:
        part = await web.get("/alerts/checkout-1/members", headers=FRAGMENT)
        line = await web.get("/alerts")
        problem = await web.get("/api/v1/alerts", headers=HTML)

    assert (part.status_code, part.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert part.text.strip().startswith('<p class="strip-note" role="alert">')
    assert "The disk with Vigie’s database is full. Checks go on." in said(part)
    assert 'href="/?state=down"' in part.text
    assert (line.status_code, line.text) == (503, "no space left for /var/lib/vigie/vigie.db. free some space\n")
    assert problem.status_code == 503
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["type"] == "urn:vigie:problem:store"


async def test_what_is_in_memory_is_shown_while_the_database_fails() -> None:
    """The frame does without Vigie's health, the overview without history."""
    shown = snapshot(names=("Shop",))

    async def fails(*_: Any) -> Any:
        raise FAULT

    made_site: Any = site_of(shown)
    made_site.health.health = fails
    made_site.queries.notices.failing = fails
    async with client(application.build(made_site), **HTML) as web:
        overview, keyboard = await web.get("/"), await web.get("/keyboard")
    assert (overview.status_code, keyboard.status_code) == (200, 200)
    assert "The disk with Vigie’s database is full. Checks go on; history and details are missing here." in said(overview)
    assert "Shop" in said(overview)


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_an_unknown_path_is_a_page_and_a_way_on(language: str) -> None:
    async with client(made().app(), **HTML) as web:
        answer = await web.get(f"/nothing/here?lang={language}")
        part = await web.get("/nothing", headers=FRAGMENT)
        program = await web.get("/nothing", headers={"Accept": "*/*"})
        api = await web.get("/api/v1/nothing")
    column = {"fr": 0, "en": 1}[language]
    assert answer.status_code == part.status_code == program.status_code == api.status_code == 404
    assert errors.TEXTS["title_404"][column] in said(answer)
    assert 'href="/search"' in answer.text
    assert part.text.startswith(("There is nothing", "Il n’y a rien"))
    assert program.text == "Not Found"
    assert json.loads(api.content)["status"] == 404


async def test_a_method_that_is_not_allowed_says_so_and_which_are() -> None:
    async with client(made().app(), **HTML) as web:
        answer = await web.get("/alerts/checkout-1/acknowledge")
    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]
    assert errors.TEXTS["title_405"][1] in said(answer)


async def test_a_crash_is_a_page_without_details_and_logged_by_whoever_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(_: Request) -> Response:
        raise ValueError("secret value")

    monkeypatch.setattr("vigie.web.static_files.routes", lambda: [route("/crash", crash, needs=Public.ANYBODY)])
    app = made().app()
    async with client(app, **HTML) as web:
        answer = await web.get("/crash")
        part = await web.get("/crash", headers=FRAGMENT)
    assert (answer.status_code, part.status_code) == (500, 500)
    assert errors.TEXTS["title_500"][1] in said(answer)
    assert errors.TEXTS["title_500"][1] in said(part)
    assert "secret" not in answer.text + part.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    with pytest.raises(ValueError, match="secret value"):  # once, to whoever logs it
        await httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers=HTML).get("/crash")


async def test_strangers_learn_nothing_of_what_is_watched_nor_of_the_machine() -> None:
    town = Town()
    await town.user()
    town.store.broken = FAULT
    async with town.client(**HTML) as web:
        failing = await web.get("/settings/audit")
        missing = await web.get("/nothing")
    assert (failing.status_code, missing.status_code) == (503, 404)
    assert "/var/lib" not in failing.text + missing.text
    assert '<nav class="nav"' not in failing.text + missing.text
    assert errors.TEXTS["what_full"][1] in said(failing)


async def test_a_full_disk_does_not_lock_out_who_is_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town()
    await town.user(role=Role.VIEWER)

    async def full(*_: Any) -> None:
        raise FAULT

    async with town.client(**HTML) as web:
        assert (await log_in(web)).status_code == 303
        monkeypatch.setattr(town.store.accounts, "touch_session", full)
        town.now += 120_000
        assert (await web.get("/account")).status_code == 200


async def test_what_could_not_be_saved_is_not_passed_over() -> None:
    async with client(broken().app(), **HTML) as web:
        answer = await web.post("/alerts/checkout-1/acknowledge")
    assert answer.status_code == 503
    assert "may not have been saved" in said(answer)
    assert "Try again" not in said(answer)
