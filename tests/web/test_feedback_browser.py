"""The page that a mail's link opens, in a real browser: it fits, can be read, fetches nothing, and its form answers without a script."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.web._browser import WIDER, contrasts, launched, visits

SHOTS = os.environ.get("VIGIE_SHOTS")  # a folder for pictures, to look at
pytestmark = pytest.mark.needs("chromium")

SENTENCES = {
    "en": ("The nginx server answers HTTP 502.", "The answer came after 180 ms.", "</div><script>document.title='taken'</script>"),
    "fr": ("Le serveur nginx répond HTTP 502.", "La réponse est arrivée après 180 ms.", "x" * 300),
}
READ = "h1, p, small, a, label, input, textarea, button, footer"


def done(work: Coroutine[Any, Any, Any]) -> Any:
    """Run it in a thread of its own: the browser's driver keeps a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open an office's page."""
    with visits(browser) as go:
        yield lambda office, query="", **view: go(office.app, office.path + query, **view)


def check(page: Page, width: int, shot: str) -> None:
    """It fits, and every word of it can be read (WCAG 2.2, 1.4.3)."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{shot}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(WIDER) == []
    assert [(round(ratio, 2), text) for ratio, text in contrasts(page, READ) if ratio < 4.5] == []
    assert "taken" not in page.title()


@pytest.mark.parametrize(
    ("language", "width", "scheme"), [("fr", 320, "light"), ("fr", 1200, "dark"), ("en", 1200, "light"), ("en", 390, "dark")]
)
def test_it_is_read_and_answered(width: int, scheme: str, language: str, open_office: Any, visit: Callable[..., Page]) -> None:
    office = done(open_office(language=language, name="Boutique \u202e<b>" + "É" * 60, sentences=SENTENCES[language]))
    page = visit(office, "?helpful=yes", width=width, scheme=scheme)

    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("input[value=yes]").is_checked()
    check(page, width, f"ask-{language}-{width}-{scheme}")
    page.locator("label", has=page.locator("input[value=no]")).click()
    page.locator("input[name=cause]").fill("not_listening")
    page.locator("textarea").fill("the disk\nwas full")
    page.locator("button").click()
    page.locator(".thanks").wait_for()
    check(page, width, f"thanks-{language}-{width}-{scheme}")

    (said,) = done(office.said())
    assert (said.helpful, said.cause, said.note) == (False, "not_listening", "the disk was full")


def test_an_answer_without_a_thumb_is_not_sent(open_office: Any, visit: Callable[..., Page]) -> None:
    office = done(open_office())
    page = visit(office)
    page.locator("textarea").fill("a note alone")
    page.locator("button").click()

    assert page.locator("input[value=yes]").evaluate("one => one.validity.valueMissing")
    assert done(office.said()) == []


def test_the_reader_changes_the_language_and_keeps_the_thumb(open_office: Any, visit: Callable[..., Page]) -> None:
    page = visit(done(open_office()), "?helpful=no")
    page.get_by_role("link", name="Français").click()

    assert page.locator("h1").inner_text() == "L'analyse a-t-elle été utile ?"
    assert page.locator("input[value=no]").is_checked()
