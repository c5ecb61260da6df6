"""The main journeys of whoever sets things up, in a real browser and both languages; and no violation of axe-core on any of the pages."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect
from tests.web._axe import assert_accessible
from tests.web._browser import WIDER, launched, visits
from tests.web._definitions import MemoryDefinitions, in_file
from tests.web._managed import office
from tests.web.test_managing_pages import FULL

from vigie.clock import SystemClock

pytestmark = pytest.mark.needs("chromium")
PAGES = ("/maintenance", "/channels", "/channels/chat", "/oncall", "/settings", "/system", "/monitors/new", "/monitors/blog/edit")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


def desk_of(folder: Path, text: str = FULL) -> Any:
    known = MemoryDefinitions([in_file("blog", {"name": "Blog", "url": "https://blog.test/"})])
    return office(folder, text, SystemClock(), definitions=known)


def _closed() -> int:
    """A port of loopback on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def _answered(route: Route, led: list[str]) -> None:
    """Keep where the answer leads: the page of a monitor is not part of this application."""
    led.append(route.fetch(max_redirects=0).headers["location"])
    route.fulfill(body='<link rel="icon" href="data:,">saved', content_type="text/html")


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_and_nothing_sticks_out(browser: Browser, tmp_path: Path, path: str) -> None:
    app = desk_of(tmp_path).app
    with visits(browser) as go:
        for width, scheme in ((390, "dark"), (1280, "light")):
            page = go(app, path, width=width, scheme=scheme)
            assert_accessible(page)
            if path != "/oncall":  # its weeks are scrolled
                assert page.evaluate(WIDER) == [], width


@pytest.mark.parametrize(
    ("language", "address", "every", "save", "attempt", "copy"),
    [
        ("en", "Address", "Check every", "Start watching", "Try now", "In the file"),
        ("fr", "Adresse", "Contrôler toutes les", "Surveiller", "Essayer", "Dans le fichier"),
    ],
)
def test_a_monitor_is_made_by_page(
    browser: Browser, tmp_path: Path, language: str, address: str, every: str, save: str, attempt: str, copy: str
) -> None:
    desk = desk_of(tmp_path)
    closed, led = _closed(), list[str]()
    with visits(browser) as go:
        page = go(desk.app, f"/monitors/new?lang={language}")
        page.get_by_label(address, exact=False).first.fill(f"http://127.0.0.1:{closed}/")
        page.get_by_label(every).fill("5")
        field = page.locator("#f-every")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#e-every")).to_contain_text("write 500ms, 30s, 5m, 2h or 1d")
        field.fill("30s")
        expect(field).not_to_have_attribute("aria-invalid", "true")
        expect(page.locator("#yaml")).to_contain_text("every: 30s")
        expect(page.get_by_role("heading", name=copy)).to_be_visible()
        page.get_by_role("button", name=attempt).click()
        refused = {"en": "refused", "fr": "refusée"}[language]
        expect(page.locator("#tried")).to_contain_text(refused)
        page.route("**/monitors/new", lambda route: _answered(route, led))
        page.get_by_role("button", name=save, exact=True).click()
        expect(page.get_by_text("saved")).to_be_visible()
    assert led == ["/monitors/127-0-0-1?done=saved"]
    assert desk.definitions.calls[-1]["body"] == {"url": f"http://127.0.0.1:{closed}/", "every": "30s"}


def test_another_kind_brings_its_fields(browser: Browser, tmp_path: Path) -> None:
    with visits(browser) as go:
        page = go(desk_of(tmp_path).app, "/monitors/new")
        page.locator("#f-url").fill("tcp://db.test:5432")
        expect(page.locator("#kind")).to_have_value("tcp")
        expect(page.locator("#f-url")).to_have_value("tcp://db.test:5432")
        page.locator("#kind").select_option("exec")
        expect(page.locator("#f-command")).to_be_visible()


@pytest.mark.parametrize(
    ("language", "start", "end"), [("en", "Start maintenance", "End now"), ("fr", "Commencer la maintenance", "Terminer maintenant")]
)
def test_maintenance_is_begun_and_ended(browser: Browser, tmp_path: Path, language: str, start: str, end: str) -> None:
    desk = desk_of(tmp_path)
    with visits(browser) as go:
        page = go(desk.app, f"/maintenance?lang={language}")
        page.locator("input[name=monitor]").first.press_sequentially("Sho")
        expect(page.locator("#names option")).to_have_count(1)
        expect(page.locator('#names option[value="Shop"]')).to_have_count(1)
        page.locator("input[name=monitor]").first.fill("Shop")
        page.get_by_role("button", name=start).click()
        page.wait_for_url("**/maintenance?done=started")
        page.get_by_role("button", name=end).click()
        page.wait_for_url("**/maintenance?done=ended")
        expect(page.get_by_role("button", name=end)).to_have_count(0)
