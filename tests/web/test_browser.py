"""The status page in a real browser: nothing overflows, nothing runs, nothing is fetched, everything can be read."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.web._browser import WIDER, contrasts, launched, visits
from tests.web._made import app_of, health_of, views

from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, HttpFacts, Incident, Monitor, Status, Timings
from vigie.web.view import Snapshot

NOW = 1_767_225_600_000
READ = "h1, h2, th, td, small, .state, a, footer, .warning"
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

        def visit(snapshot: Snapshot, *, query: str = "", **view: Any) -> Page:
            return go(app_of(snapshot), f"/{query}", **view)

        yield visit


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1200])
def test_every_state_and_hostile_name_fits_and_can_be_read(width: int, scheme: str, language: str, visit: Callable[..., Page]) -> None:
    page = visit(mixed(), width=width, scheme=scheme, query=f"?lang={language}")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(WIDER) == []
    assert "taken" not in page.title()
    low = [(round(ratio, 2), text) for ratio, text in contrasts(page, READ) if ratio < 4.5]  # WCAG 2.2, 1.4.3
    assert low == []
    assert page.locator("html").get_attribute("lang") == language


def test_the_words_of_a_row_belong_to_its_monitor(visit: Callable[..., Page]) -> None:
    page = visit(mixed())
    row = page.locator("tr", has_text="<script>").first

    assert row.locator(".state").inner_text() == "down"
    assert "HTTP 502 instead of 200-299" in row.inner_text()
    assert "12.3 s" in row.inner_text()
    assert page.locator("h1").inner_text() == "1 of 9 services is down"


def test_the_reader_changes_the_language_by_a_click(visit: Callable[..., Page]) -> None:
    page = visit(mixed())
    page.get_by_role("link", name="Français").click()

    assert page.locator("h1").inner_text() == "1 service sur 9 est en panne"
    assert page.get_by_role("link", name="English").is_visible()


def test_three_hundred_monitors_are_one_page(visit: Callable[..., Page]) -> None:
    page = visit(quiet(300), width=390)

    assert page.locator("tbody tr").count() == 300
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_no_monitor_at_all_is_said(visit: Callable[..., Page]) -> None:
    page = visit(quiet(0))

    assert page.locator("h1").inner_text() == "No service is monitored"
    assert page.locator("table").count() == 0
