"""Several locations on pages: a row for each on the monitor's, from where it fails on the alert's; in a browser, with axe."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.web._axe import assert_accessible
from tests.web._browser import assert_fits, launched, visits
from tests.web._house import House, made, monitor, ran, refused, well
from tests.web.test_alert_pages import browse, plain

from vigie.clock import SystemClock
from vigie.core.model import CheckResult
from vigie.engine.queries import StoredQueries
from vigie.testing.memory import MemoryStore

SHOP = monitor("Shop")


def house(language: str = "en") -> House:
    """A shop that refuses connections from lyon and paris, and works from here; nice was heard long ago."""
    return ran(_house(language))


async def _house(language: str) -> House:
    store, clock = MemoryStore(), SystemClock()
    found = House(store, clock, [SHOP], language)
    found.extra["history"] = StoredQueries(store, lambda: [SHOP]).history
    await store.catalog.sync_monitors([SHOP])
    await found.ingest.start([SHOP])
    await found.ingest.configure([SHOP])
    now = clock.now()
    await found.take([_at(well(SHOP, now - 3_600_000), "nice")])
    for number in range(4):
        at, count = now - 60_000 + number * 15_000, number + 1
        fine = [_at(well(SHOP, at, count), "local")]
        bad = [_at((refused if number else well)(SHOP, at + 1_000, count), place) for place in ("lyon", "paris")]
        await found.take([*fine, *bad])
    await found.ingest.wake(now, everything=True)
    return found


def _at(one: CheckResult, location: str) -> CheckResult:
    return replace(one, location=location)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Locations where it is checked from", "lyon", "nice", "no recent result", "here", "connection refused")),
        ("fr", ("Emplacements d’où le service est contrôlé", "lyon", "nice", "aucun résultat récent", "ici", "connexion refusée")),
    ],
)
def test_a_monitor_has_a_row_for_each_location(language: str, words: tuple[str, ...]) -> None:
    said = plain(browse(house(language)).get("/monitors/shop").text)
    table = said[said.index(words[0]) :]
    for one in words:
        assert one in table


def test_the_chart_is_of_one_location_where_it_is_asked_for() -> None:
    page = browse(house()).get("/monitors/shop?from=paris").text
    assert 'from=lyon"' in page
    assert 'aria-current="true">paris</a>' in page


def test_a_monitor_that_one_location_checks_has_no_such_rows() -> None:
    page = browse(made()).get("/monitors/checkout").text
    assert 'id="plc"' not in page


def test_an_alert_says_where_it_fails_and_its_timeline_too() -> None:
    said = plain(browse(house()).get("/alerts/shop-1").text)
    assert "Fails from lyon (since " in said
    assert "works from local, no recent result from nice." in said
    assert "(fails from lyon and paris, works from local" in said


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture
def go(browser: Browser) -> Iterator[Callable[..., Page]]:
    with visits(browser) as found:
        yield found


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("path", ["/monitors/shop", "/monitors/shop?from=lyon", "/alerts/shop-1"])
def test_axe_finds_nothing_and_nothing_sticks_out(path: str, language: str, go: Callable[..., Page]) -> None:
    page = go(house(language).app(), path)
    assert_accessible(page)
    assert_fits(page, 1400)
    page.set_viewport_size({"width": 380, "height": 900})
    expect(page.locator("html")).to_have_js_property("scrollWidth", 380)  # a chart follows its window a moment later
