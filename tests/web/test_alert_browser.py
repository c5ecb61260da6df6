"""The pages of alerts and monitors in a real browser: acts, keys, facts that light both ways; they fit, can be read, and hold still."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page
from tests.web._axe import assert_accessible
from tests.web._browser import WIDER, assert_fits, launched, visits
from tests.web._house import House, made, ran
from tests.web.test_alert_pages import HOSTILE, with_history

from vigie.queries.alerts import AlertDetails

pytestmark = pytest.mark.needs("chromium")

# How much the layout moved by itself since the page began.
_SHIFT = """() => new Promise((resolve) => { let sum = 0; new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) sum += one.value; })
  .observe({type: "layout-shift", buffered: true}); setTimeout(() => resolve(sum), 400); })"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture
def go(browser: Browser) -> Iterator[Callable[..., Page]]:
    with visits(browser) as found:
        yield found


def details(house: House) -> AlertDetails:
    alerts = house.site().alerts
    assert alerts is not None
    found = ran(alerts.alert("checkout-1"))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("language", "link", "acknowledge", "note"),
    [("en", "checkout-1", "Acknowledge", "Save the note"), ("fr", "checkout-1", "Acquitter", "Enregistrer la note")],
)
def test_from_a_failing_monitor_to_its_alert_read_acknowledged_snoozed_and_noted(
    language: str, link: str, acknowledge: str, note: str, go: Callable[..., Page]
) -> None:
    house = made(language=language)
    page = go(house.app(), "/monitors/checkout")
    page.get_by_role("link", name=link).first.click()
    assert page.locator("html").get_attribute("lang") == language

    sentence = page.locator(".report .s[data-f]").nth(1)
    fact = page.locator(f"#{sentence.get_attribute('data-f')}")
    sentence.hover()
    assert "on" in (fact.get_attribute("class") or "")
    page.locator("h1").hover()
    assert "on" not in (fact.get_attribute("class") or "")
    fact.hover()
    assert "on" in (sentence.get_attribute("class") or "")

    page.keyboard.press("n")
    page.keyboard.type("the map file was empty")
    page.get_by_role("button", name=note).click()
    page.wait_for_url("**?done=note")
    page.keyboard.press("s")
    page.locator(".acts .choice button").nth(1).click()
    page.wait_for_url("**?done=snooze")
    page.keyboard.press("a")
    page.wait_for_url("**?done=acknowledge")
    assert page.get_by_role("button", name=acknowledge, exact=True).count() == 0

    found = details(house)
    assert found.alert.acked_by is not None
    assert [one.note for one in found.details.remarks if one.note][-1] == "the map file was empty"


def test_on_a_phone_the_acts_are_under_the_thumb_and_a_fact_comes_to_the_reader(go: Callable[..., Page]) -> None:
    house = made()
    page = go(house.app(), "/alerts/checkout-1", width=390)
    button = page.locator(".thumb").get_by_role("button", name="Acknowledge")
    box = button.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 900
    assert box["height"] >= 44
    page.locator(".report .cite").first.click()
    assert page.locator(".peek").is_visible()
    button.click()
    page.wait_for_url("**?done=acknowledge")
    assert details(house).alert.acked_by is not None


def test_resolving_asks_first_and_can_be_left(go: Callable[..., Page]) -> None:
    page = go(made().app(), "/alerts/checkout-1")
    page.get_by_text("Resolve…").click()
    assert page.get_by_role("button", name="Leave it open").is_visible()
    page.get_by_role("button", name="Leave it open").click()
    assert not page.get_by_role("button", name="Resolve the alert").is_visible()
    page.get_by_text("Resolve…").click()
    page.get_by_role("button", name="Resolve the alert").click()
    page.wait_for_url("**?done=resolve")


@pytest.mark.parametrize(
    "path", ["/alerts/checkout-1", "/monitors/search-api", "/monitors/checkout", "/alerts", "/alerts/checkout-1/review?edit=1"]
)
def test_pages_are_accessible_fit_and_hold_still(path: str, go: Callable[..., Page]) -> None:
    app = with_history().app()
    for width, scheme in ((390, "dark"), (1280, "light")):
        page = go(app, path, width=width, scheme=scheme)

        assert_accessible(page)
        assert_fits(page, width)
        assert page.evaluate(WIDER) == []
        assert page.evaluate(_SHIFT) < 0.005  # dates are rewritten as the viewer writes them


def test_the_chart_is_drawn_in_its_place_and_read_by_pointing(go: Callable[..., Page]) -> None:
    page = go(with_history().app(), "/monitors/search-api")
    plot = page.locator("#plot canvas")
    assert plot.count() == 1
    page.locator("#plot").hover()
    assert "p95" in page.locator("#read").inner_text()
    page.get_by_role("link", name="7 d").click()
    assert "span=7d" in page.url


def test_hostile_names_do_not_break_the_layout(go: Callable[..., Page]) -> None:
    house = made(names=HOSTILE, model=False)
    app = house.app()
    for path in (f"/alerts/{house.monitors[0].id}-1", f"/monitors/{house.monitors[2].id}", "/alerts"):
        assert_fits(go(app, path), 1280, 320)
