"""The overview while it is looked at, in a real browser over a whole Vigie: what changes changes in place, and what is new is said."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.web._browser import launched
from tests.web._running import Running, running

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(120)]
NAMES = ("shop", "checkout", "search", "till-1", "till-2", "nightly")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as made:
        now = made.server.now()
        made.do(made.take(*(made.well(one, now - 400_000) for one in NAMES)))
        yield made


@pytest.fixture
def page(house: Running, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1200})
    found = context.new_page()
    found.goto(house.address)
    expect(found.locator("[data-live]")).to_be_visible(timeout=20_000)
    expect(found.locator("[data-live]")).to_have_text("Live")
    yield found
    context.close()


def rows(page: Page) -> list[str]:
    found: list[str] = page.evaluate("[...document.querySelectorAll('#list .row[data-id]')].map((e) => e.dataset.id)")
    return found


def test_a_state_changes_in_place_and_a_new_alert_comes_on_top(house: Running, page: Page) -> None:
    before = rows(page)
    tops = page.evaluate(
        "[...document.querySelectorAll('#list .row[data-id]')].map((e) => e.offsetTop - document.querySelector('#list').offsetTop)"
    )
    expect(page.locator("h1")).to_have_text("All 6 services are up")
    house.do(house.fail("till-2"))

    expect(page.locator("#list .row[data-id=till-2]")).to_have_attribute("data-state", "down", timeout=20_000)
    assert page.locator("#list .row[data-id=till-2] svg.m").first.get_attribute("aria-label") == "down"
    assert rows(page) == before
    assert (
        page.evaluate(
            "[...document.querySelectorAll('#list .row[data-id]')].map((e) => e.offsetTop - document.querySelector('#list').offsetTop)"
        )
        == tops
    )

    strip = page.locator("#strip-sort")
    expect(strip).to_contain_text("1 service changed state")
    expect(page.locator("h1")).to_have_text("1 of 6 services is down")
    expect(page).to_have_title("1 of 6 services is down · Vigie")
    expect(page.locator("[data-alerts]")).to_have_text("1")
    assert "icon-down" in str(page.locator("link[rel=icon]").get_attribute("href"))
    expect(page.locator("article.alert")).to_contain_text("Till 2", timeout=20_000)
    expect(page.locator("[data-alarm]")).to_have_text("New alert: Till 2")

    page.keyboard.press("r")
    expect(page.locator("#list .row[data-id]").first).to_have_attribute("data-id", "till-2")
    assert page.locator("#strip-sort").count() == 0


def test_a_lost_connection_is_said_with_its_age_and_is_taken_up_again(house: Running, page: Page) -> None:
    page.context.set_offline(True)
    house.do(_dropped(house))
    expect(page.locator("[data-live]")).to_contain_text("Lost")
    expect(page.locator("#strip-lost")).to_contain_text("What you see is from")
    assert "stale-page" in str(page.locator("body").get_attribute("class"))
    assert len(rows(page)) == 6  # the last values stay

    house.do(house.fail("shop"))
    page.context.set_offline(False)
    page.get_by_role("link", name="Try now").click()
    expect(page.locator("[data-live]")).to_have_text("Live")
    expect(page.locator("#strip-lost")).to_have_count(0)  # the browser may break the first stream once more as it comes back
    expect(page.locator("#list .row[data-id=shop]")).to_have_attribute("data-state", "down")  # what was missed has come


async def _dropped(house: Running) -> None:
    """Every stream breaks."""
    for connection in [*house.listener._open]:
        connection.hurry(drop=True)
