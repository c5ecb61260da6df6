"""The page that a mail's link opens, in a real browser: it fits, can be read, fetches nothing, and its form answers without a script."""

import asyncio
import contextlib
import os
import shutil
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SHOTS = os.environ.get("VIGIE_SHOTS")  # a folder for pictures, to look at
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)")

SENTENCES = {
    "en": ("The nginx server answers HTTP 502.", "The answer came after 180 ms.", "</div><script>document.title='taken'</script>"),
    "fr": ("Le serveur nginx répond HTTP 502.", "La réponse est arrivée après 180 ms.", "x" * 300),
}
_CONTRAST = """() => {
  const light = (value) => { const s = value / 255; return s <= 0.03928 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; };
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = (c) => 0.2126 * light(c[0]) + 0.7152 * light(c[1]) + 0.0722 * light(c[2]);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = parts(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
  };
  return [...document.querySelectorAll("h1, p, small, a, label, input, textarea, button, footer")].map((element) => {
    const [a, b] = [luminance(parts(getComputedStyle(element).color)), luminance(ground(element))];
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.textContent.trim().slice(0, 40)];
  });
}"""
_WIDER = """() => [...document.querySelectorAll("main, main *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.outerHTML.slice(0, 80))"""


def done(work: Coroutine[Any, Any, Any]) -> Any:
    """Run it in a thread of its own: the browser's driver keeps a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """The real application on a real socket."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as sock:
        thread = threading.Thread(target=server.run, args=([sock],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open an office's page; what it fetches elsewhere and complains about is kept, and none of it is allowed."""
    with contextlib.ExitStack() as stack:

        def go(office: Any, query: str = "", *, width: int = 1200, scheme: Any = "light") -> Page:
            address = stack.enter_context(served(office.app))
            view = {"width": width, "height": 900}
            context = browser.new_context(viewport=view, color_scheme=scheme)  # type: ignore[arg-type]
            page = stack.enter_context(context).new_page()
            page.on("request", lambda request: strangers.append(request.url) if not request.url.startswith((address, "data:")) else None)
            page.on("console", lambda said: strangers.append(said.text))
            page.on("pageerror", lambda error: strangers.append(str(error)))
            page.goto(address + office.path + query)
            return page

        strangers: list[str] = []
        yield go
        assert strangers == []


def check(page: Page, width: int, shot: str) -> None:
    """It fits, and every word of it can be read (WCAG 2.2, 1.4.3)."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{shot}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(_WIDER) == []
    assert [(round(ratio, 2), text) for ratio, text in page.evaluate(_CONTRAST) if ratio < 4.5] == []
    assert "taken" not in page.title()


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1200, "dark"), (1200, "light"), (390, "dark")])
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

    assert page.locator("h1").inner_text() == "L'analyse a-t-elle aidé ?"
    assert page.locator("input[value=no]").is_checked()
