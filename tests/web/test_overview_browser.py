"""The overview in a real browser: nothing overflows, nothing runs, nothing is fetched, everything can be read and reached."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.web._axe import assert_accessible
from tests.web._browser import assert_fits, contrasts, launched, visits
from tests.web._made import Snapshot, app_of, health_of, views

from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, HttpFacts, Incident, Monitor, Status, Timings

NOW = 1_767_225_600_000
READ = "h1, h2, p, .row a, .row span, .row time, .tally a, .sum span, footer, .btn"
pytestmark = pytest.mark.needs("chromium")

HOSTILE = [
    "<script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "متجر \u202eevil",
    "x" * 300,
    "a b " * 100,
    "🔥" * 80,
    "{{ 7 * 7 }}",
]


def monitor(number: int, name: str) -> Monitor:
    return Monitor(f"m{number}", name, "http", f"https://s{number}.example.com/{'path/' * (number % 40)}", "h", 60_000, 10_000)


def mixed(language: str = "en") -> Snapshot:
    """Every state, and every name that tries to break the page."""
    statuses: list[tuple[Status, Cause | None]] = [
        (Status.DOWN, Cause.HTTP_STATUS),
        (Status.DOWN, Cause.TIMEOUT_FIRST_BYTE),
        (Status.DEGRADED, Cause.LATENCY_THRESHOLD),
    ]
    statuses += [(Status.UNKNOWN, Cause.PROBE_NETWORK), (Status.UP, None), (Status.UP, None)]
    watched = [monitor(number, name) for number, name in enumerate([*HOSTILE, "Shop API", "Not yet"])]
    results = {}
    for one, (status, cause) in zip(watched[:-1], [*statuses, *statuses], strict=False):
        figures: dict[str, Any] = {"status": 502, "expected": "200-299"} if cause is Cause.HTTP_STATUS else {"limit_ms": 10_000}
        results[one.id] = CheckResult(
            one.id, NOW - 5_000, status, cause, timings=Timings(total=12_345.6), figures=figures, http=HttpFacts(502, "2")
        )
    trouble = tuple(
        Incident(
            f"m{number}-1",
            f"m{number}",
            severity,
            Cause.HTTP_STATUS,
            NOW - 6_000_000,
            NOW,
            closed,
            "Zoé " * 20,
            "Zoé " * 20 if closed else None,
        )
        for number, severity, closed in (
            (0, Severity.OUTAGE, None),
            (4, Severity.OUTAGE, None),
            (2, Severity.DEGRADATION, None),
            (5, Severity.OUTAGE, NOW),
        )
    )
    found = views(watched, results, trouble)
    return Snapshot(found, trouble, health_of(found, NOW, unsent=1, undeliverable=2), language)


def quiet(count: int) -> Snapshot:
    watched = [monitor(number, f"Service {number}") for number in range(count)]
    results = {one.id: CheckResult(one.id, NOW, Status.UP, timings=Timings(total=3.0)) for one in watched}
    found = views(watched, results, ())
    return Snapshot(found, (), health_of(found, NOW), "en")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open the page of a snapshot."""
    with visits(browser) as go:

        def visit(snapshot: Snapshot, *, at: str = "", query: str = "", **view: Any) -> Page:
            return go(app_of(snapshot), f"/{at}{query}", **view)

        yield visit


@pytest.mark.parametrize(("language", "scheme", "widths"), [("fr", "light", (320, 1280, 390)), ("en", "dark", (320, 390, 1280))])
def test_every_state_and_hostile_name_fits_and_can_be_read(
    language: str, scheme: str, widths: tuple[int, ...], visit: Callable[..., Page]
) -> None:
    page = visit(mixed(), width=widths[0], scheme=scheme, query=f"?lang={language}")

    assert_fits(page, *widths)
    assert "taken" not in page.title()
    assert_accessible(page)
    low = [(round(ratio, 2), text) for ratio, text in contrasts(page, READ) if ratio < 4.5]  # WCAG 2.2, 1.4.3
    assert low == []
    assert page.locator("html").get_attribute("lang") == language


def test_the_words_of_a_row_belong_to_its_monitor(visit: Callable[..., Page]) -> None:
    page = visit(mixed())
    box = page.locator("article.alert", has_text="<script>").first

    assert box.locator(".members .m").first.get_attribute("aria-label") == "down"
    assert "HTTP 502 instead of 200-299" in box.inner_text()
    assert page.locator("#list .row:not(.head)").first.get_attribute("data-state") == "down"
    assert page.locator("h1").inner_text() == "1 of 9 services is down"


def test_the_reader_changes_the_language_by_a_click_and_it_stays(visit: Callable[..., Page]) -> None:
    page = visit(mixed())
    page.get_by_role("link", name="Français").click()
    assert page.locator("h1").inner_text() == "1 service sur 9 est en panne"

    page.get_by_role("navigation", name="Navigation principale").get_by_role("link", name="Aperçu").click()
    assert page.locator("h1").inner_text() == "1 service sur 9 est en panne"
    assert page.get_by_role("link", name="English").is_visible()


def test_rows_come_as_they_are_scrolled_to_and_the_page_does_not_jump(visit: Callable[..., Page]) -> None:
    page = visit(quiet(300), width=390)
    tall = page.evaluate("document.documentElement.scrollHeight")
    assert page.locator("#list .row[data-id]").count() == 40

    for count in (80, 120, 160, 200, 240, 280, 300):
        page.locator(".coming").scroll_into_view_if_needed()
        expect(page.locator("#list .row[data-id]")).to_have_count(count)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert tall > 2_000


def test_no_monitor_at_all_asks_for_an_address(visit: Callable[..., Page]) -> None:
    page = visit(quiet(0))

    assert page.locator("h1").inner_text() == "What should Vigie watch?"
    assert page.locator("form.first input").is_visible()
    assert_accessible(page)


def test_typing_a_filter_changes_list_and_address(visit: Callable[..., Page]) -> None:
    page = visit(quiet(60))
    page.keyboard.press("/")
    page.keyboard.type("service 59")
    expect(page.locator("#list .row[data-id]")).to_have_count(1)

    assert "q=service%2059" in page.url
    page.get_by_role("searchbox").fill("state:dwon")
    page.get_by_role("link", name="Clear the filter").wait_for()
    page.get_by_role("link", name="Clear the filter").click()
    expect(page.locator("#list .row[data-id]")).to_have_count(40)


def test_the_palette_is_a_combobox_that_the_keyboard_alone_can_use(visit: Callable[..., Page]) -> None:
    page = visit(mixed())
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox")
    expect(page.locator("#cmds [role=option]").nth(3)).to_be_visible()
    assert_accessible(page)

    box.fill("Not yet")
    expect(page.locator("#cmds [role=option]").first).to_contain_text("Not yet")
    active = box.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"
    page.keyboard.press("Escape")
    assert page.locator("dialog.palette").is_hidden()


def test_keys_move_between_rows_and_can_be_switched_off(visit: Callable[..., Page]) -> None:
    page = visit(quiet(5))
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.locator(".row[aria-current=true]").get_attribute("data-id") == "m1"
    page.keyboard.press("?")
    page.get_by_label("Shortcuts are on").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    assert page.locator(".row[aria-current=true]").get_attribute("data-id") == "m1"


def test_a_history_that_cannot_be_read_is_said_and_states_stay(visit: Callable[..., Page]) -> None:
    page = visit(replace(mixed(), broken=True))

    assert (
        "The disk with Vigie’s database is full. Checks go on; history and details are missing here."
        in page.locator("#strips").inner_text()
    )
    assert page.locator("h1").inner_text() == "1 of 9 services is down"


@pytest.mark.parametrize("path", ["wall", "search?q=shop", "keyboard"])
def test_the_wallboard_and_the_search_fit_and_are_accessible(path: str, visit: Callable[..., Page]) -> None:
    for language, scheme, widths in (("fr", "light", (1920, 1280, 390)), ("en", "dark", (390, 1280, 1920))):
        page = visit(mixed(), width=widths[0], scheme=scheme, at=path, query=f"{'&' if '?' in path else '?'}lang={language}")

        assert_fits(page, *widths)
        assert page.locator("h1").count() == 1
        assert_accessible(page)
