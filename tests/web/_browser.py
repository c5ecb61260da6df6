"""A page of the application in a real browser: what it fetches elsewhere and complains about, whether it fits, whether it can be read."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests._packages import PACKAGES, program
from tests.web._served import served

PATIENCE_MS = 120_000  # until what a loaded machine does late counts as not done; whatever happens is seen at once

# What HTMX writes where a link is followed before an answer has come; an answer that is an error reads otherwise.
_CUT_OFF = ("htmx:afterRequest", "htmx:sendAbort", "htmx:sendError")

# What sticks out to the right.
WIDER = """() => [...document.querySelectorAll("main, main *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.outerHTML.slice(0, 80))"""
# The contrast of each element's text with what is behind it, by WCAG 2.2.
_CONTRAST = """(selectors) => {
  const light = (value) => { const s = value / 255; return s <= 0.03928 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; };
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = (c) => 0.2126 * light(c[0]) + 0.7152 * light(c[1]) + 0.0722 * light(c[2]);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = parts(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
  };
  return [...document.querySelectorAll(selectors)].map((element) => {
    const [a, b] = [luminance(parts(getComputedStyle(element).color)), luminance(ground(element))];
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.textContent.trim().slice(0, 40)];
  });
}"""


def listen(page: Page, complaints: list[str]) -> None:
    """Keep what a page complains about."""
    page.on("console", lambda said: complaints.append(said.text) if not said.text.startswith(_CUT_OFF) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))


def assert_fits(page: Page, *widths: int) -> None:
    """Fail where the page has to be scrolled sideways at one of these widths; the page stays at the last."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width


def contrasts(page: Page, selectors: str) -> list[tuple[float, str]]:
    """(ratio, beginning of the text) of each element."""
    return [(ratio, text) for ratio, text in page.evaluate(_CONTRAST, selectors)]


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """A browser."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=program(*PACKAGES["chromium"].programs[0]), args=["--no-sandbox", "--disable-gpu"]
        )
        yield found
        found.close()


@contextlib.contextmanager
def visits(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a path of an application; what pages fetch elsewhere and complain about is kept, and none of it is allowed."""
    strangers: list[str] = []
    with contextlib.ExitStack() as stack:
        addresses: dict[int, str] = {}

        def go(app: Any, path: str, *, width: int = 1200, scheme: Any = "light") -> Page:
            address = addresses.get(id(app)) or addresses.setdefault(id(app), stack.enter_context(served(app)))
            context = stack.enter_context(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme))
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.on("request", lambda request: strangers.append(request.url) if not request.url.startswith((address, "data:")) else None)
            listen(page, strangers)
            page.goto(address + path)
            return page

        yield go
        assert strangers == []
