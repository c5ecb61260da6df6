"""One visit of a page: open it, act, look. Every wait has the check's deadline, and everything the page does is only counted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from vigie.core.model import Cause, Certificate, Timings, TlsFacts
from vigie.net import redact_url
from vigie.probes.browser.config import Action, Config, Press
from vigie.probes.kit.http.config import status_ranges
from vigie.probes.kit.verdict import CheckFailed

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page, Request, ResourceTiming, Response

_EXPECT_MS = 5_000.0
_BLANK_MS = 3_000.0
_LOOK_SECONDS = 0.1
_NAMES = 120
_QUICKEST_MS = 50.0  # that a picture takes
_COUNTED = 200  # messages of a page that are counted; a page that floods is not listened to any longer
_EXPECTS = ("expect_text", "expect_url", "expect_title", "expect_selector")
_SEEN = """() => {
  const text = node => (node.innerText || "").trim() !== "";
  const media = "img,svg,canvas,video,picture,iframe,object,embed,input,button,select,textarea,hr";
  const shown = element => {
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    return box.width > 1 && box.height > 1 && style.visibility !== "hidden" && style.opacity !== "0";
  };
  if (!document.body) return document.documentElement !== null && document.documentElement.localName !== "html";
  if (text(document.body)) return true;
  for (const element of document.body.querySelectorAll("*")) {
    // What a component shows in a tree of its own cannot always be read; that it takes room is enough.
    if ((element.matches(media) || element.localName.includes("-") || element.shadowRoot) && shown(element)) return true;
    if (getComputedStyle(element).backgroundImage !== "none" && shown(element)) return true;
  }
  return getComputedStyle(document.body).backgroundImage !== "none";
}"""


@dataclass(slots=True)
class Seen:
    """How far a visit came; `step` is the number and title of the action under way, `answer` the status of the newest page."""

    step: tuple[int, str] | None = None
    answer: int | None = None
    opened_at: float | None = None
    ended_at: float | None = None
    requests: int = 0
    failed: int = 0
    errors: int = 0
    crashed: bool = False
    timings: Timings = field(default_factory=Timings)
    address: str | None = None
    tls: TlsFacts | None = None  # of the first page: the server's certificate alone, which is all that the browser tells
    endpoint: str = ""
    image: bytes | None = None


class Visit:
    """One check's page. Raises CheckFailed for what is wrong with it, and the library's own errors for whoever knows what they mean."""

    def __init__(self, config: Config, page: "Page", seen: Seen, left_ms: Callable[[], float]) -> None:
        self._config, self._page, self._seen, self._left_ms = config, page, seen, left_ms
        self._ranges = status_ranges(config.status)
        self._listen()

    def _listen(self) -> None:
        page, seen = self._page, self._seen

        def count() -> None:
            seen.errors += 1
            if seen.errors == _COUNTED:
                page.remove_listener("console", on_console)
                page.remove_listener("pageerror", on_error)

        def on_console(message: Any) -> None:
            if message.type == "error" and not message.text.startswith("Failed to load resource"):  # that is a failed request
                count()

        def on_error(_: object) -> None:
            count()

        page.on("console", on_console)
        page.on("pageerror", on_error)
        page.on("crash", self._on_crash)
        page.on("request", self._on_request)
        page.on("requestfailed", self._on_failed)
        page.on("response", self._on_response)

    def _on_crash(self, _: object) -> None:
        self._seen.crashed = True

    def _on_request(self, _: object) -> None:
        self._seen.requests += 1

    def _on_failed(self, request: "Request") -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # given up by the page itself
            self._seen.failed += 1

    def _on_response(self, response: "Response") -> None:
        request = response.request
        if not request.is_navigation_request():
            self._seen.failed += response.status >= 400 and not response.url.endswith("/favicon.ico")
        elif request.frame == self._page.main_frame and not 300 <= response.status < 400:
            self._seen.answer = response.status

    async def go(self) -> None:
        """The whole script."""
        config, seen = self._config, self._seen
        await self._open(config.url)
        for number, action in enumerate(config.actions, 1):
            seen.step = number, action.title
            await self._do(action)
            self._judge_status()
        if not any(action.verb in _EXPECTS for action in config.actions):
            seen.step = None
            await self._look_for_anything()

    async def _open(self, url: str) -> None:
        self._seen.answer = None
        response = await self._page.goto(url, wait_until="domcontentloaded", timeout=self._left_ms())
        if response is not None and self._seen.timings.total is None:
            await self._measure(response)
        self._judge_status()

    def _judge_status(self) -> None:
        status = self._seen.answer
        if status is not None and not any(low <= status <= high for low, high in self._ranges):
            expected = str(self._config.status)
            raise CheckFailed(Cause.HTTP_STATUS, f"HTTP {status}, expected {expected}", {"status": status, "expected": expected})

    async def _measure(self, response: "Response") -> None:
        """The phases of the first page's last hop, as the browser's network side saw them, and the address that it came from."""
        self._seen.timings = _phases(response.request.timing)
        server = await response.server_addr()
        self._seen.address = server["ipAddress"].strip("[]") if server else None
        details = await response.security_details() if response.url.startswith("https:") else None
        self._seen.tls, self._seen.endpoint = _facts(details or {}), urlsplit(response.url).netloc.rpartition("@")[2]

    async def _do(self, action: Action) -> None:
        page, what = self._page, action.what
        match action.verb:
            case "goto":
                await self._open(urljoin(page.url, str(action.goto)))
            case "click":
                await self._on(what, page.locator(what).first.click)
            case "fill" if action.fill is not None:
                text = action.fill.secret.reveal() if action.fill.secret is not None else action.fill.text
                await self._on(what, lambda timeout: page.locator(what).first.fill(text or "", timeout=timeout))
            case "press":
                await self._press(action.press)
            case "wait_for":
                await self._visible(what, what, self._left_ms())
            case "expect_selector":
                await self._visible(what, what, self._patience())
            case "expect_text":
                await self._text(what)
            case "expect_url":
                await self._holds("address", what, lambda: _now(page.url))
            case "expect_title":
                await self._holds("title", what, page.title)

    def _patience(self) -> float:
        return min(_EXPECT_MS, self._left_ms())

    async def _on(self, selector: str, act: Callable[..., Awaitable[None]]) -> None:
        """Act on an element; when time runs out, tell one that is not there from one that takes no action."""
        from playwright.async_api import TimeoutError as LateError

        try:
            await act(timeout=self._left_ms())
        except LateError:
            if await self._page.locator(selector).count() == 0:
                raise CheckFailed(Cause.CONTENT_MISSING, f"{selector!r} is not on the page", {"keyword": selector}) from None
            raise

    async def _press(self, wanted: str | Press | None) -> None:
        if isinstance(wanted, Press) and wanted.on is not None:
            key, selector = wanted.key, wanted.on
            await self._on(selector, lambda timeout: self._page.locator(selector).first.press(key, timeout=timeout))
        else:
            await self._page.keyboard.press(wanted.key if isinstance(wanted, Press) else str(wanted))

    async def _visible(self, selector: str, shown: str, timeout: float) -> None:
        from playwright.async_api import TimeoutError as LateError

        try:
            await self._page.locator(selector).filter(visible=True).first.wait_for(state="visible", timeout=timeout)
        except LateError:
            words = f"{shown!r} is not visible after {timeout / 1000:.1f} s"
            raise CheckFailed(Cause.CONTENT_MISSING, words, {"keyword": shown}) from None

    async def _text(self, text: str) -> None:
        from playwright.async_api import TimeoutError as LateError

        timeout = self._patience()
        try:
            await self._page.get_by_text(text).filter(visible=True).first.wait_for(state="visible", timeout=timeout)
        except LateError:
            raise CheckFailed(Cause.CONTENT_MISSING, f"{text!r} is not visible after {timeout / 1000:.1f} s", {"keyword": text}) from None

    async def _holds(self, where: str, text: str, read: Callable[[], Awaitable[str]]) -> None:
        """Wait until the address or the title holds a text."""
        left = self._patience()
        while text not in (found := await read()):
            if left <= 0:
                got = redact_url(found) if where == "address" else found[:60]
                cause = Cause.HTTP_REDIRECT if where == "address" else Cause.CONTENT_MISSING
                raise CheckFailed(cause, f"the {where} is {got!r}, expected {text!r} in it", {"keyword": text, "where": where})
            await asyncio.sleep(_LOOK_SECONDS)
            left -= _LOOK_SECONDS * 1000

    async def _look_for_anything(self) -> None:
        """A page that shows nothing at all is blank, whatever its status: what it should have shown is the script's to say."""
        left = min(_BLANK_MS, self._left_ms() - _LOOK_SECONDS * 1000)
        while not await self._page.evaluate(_SEEN):
            if left <= 0:
                words = "nothing is visible" + (f" ({self._seen.errors} script errors)" if self._seen.errors else "")
                raise CheckFailed(Cause.CONTENT_BLANK, words, {"status": self._seen.answer or 0})
            await asyncio.sleep(_LOOK_SECONDS)
            left -= _LOOK_SECONDS * 1000


async def _now(value: str) -> str:
    return value


def _phases(timing: "ResourceTiming") -> Timings:
    """Playwright's request.timing: ms from the start, -1 where a phase did not happen."""

    def between(start: float, end: float) -> float | None:
        return end - start if 0 <= start <= end else None

    secure, connected = timing["secureConnectionStart"], timing["connectEnd"]
    return Timings(
        dns=between(timing["domainLookupStart"], timing["domainLookupEnd"]),
        connect=between(timing["connectStart"], secure if secure >= 0 else connected),
        tls=between(secure, connected),
        first_byte=between(timing["requestStart"], timing["responseStart"]),
        transfer=between(timing["responseStart"], timing["responseEnd"]),
    )


async def opened(
    context: "BrowserContext", config: Config, seen: Seen, left_ms: Callable[[], float], picture_ms: Callable[[], float]
) -> None:
    """Go through the script in a fresh profile, with a picture of where it fails. Raises as `Visit` does."""
    page = await context.new_page()
    visit = Visit(config, page, seen, left_ms)
    try:
        await visit.go()
    except BaseException:
        seen.image = await _picture(page, picture_ms())
        raise


async def _picture(page: "Page", left_ms: float) -> bytes | None:
    from playwright.async_api import Error

    browser = page.context.browser
    if left_ms < _QUICKEST_MS or browser is None or not browser.is_connected():
        return None
    try:
        async with asyncio.timeout(left_ms / 1000):
            return await page.screenshot(type="jpeg", quality=60, timeout=left_ms, animations="disabled")
    except (Error, TimeoutError):
        return None


def _facts(details: Mapping[str, Any]) -> TlsFacts | None:
    """What the browser tells of a certificate (DevTools protocol, Network.SecurityDetails): dates in seconds since the epoch."""
    start, end = details.get("validFrom"), details.get("validTo")
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        return None
    subject, issuer = str(details.get("subjectName", ""))[:_NAMES], str(details.get("issuer", ""))[:_NAMES]
    leaf = Certificate(subject, issuer, round(start * 1000), round(end * 1000), key="", signature="")
    return TlsFacts(str(details.get("protocol", "")).replace("TLS ", "TLSv") or None, issuer, subject, leaf.not_after, chain=(leaf,))
