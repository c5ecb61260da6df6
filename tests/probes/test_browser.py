"""Pages in a real Chromium on loopback: healthy ones of every sort, and those whose status lies."""

import asyncio
import os
import signal
import ssl
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests._packages import require

from vigie.config import one_monitor
from vigie.config.convert import dec_hook
from vigie.config.shown import plain
from vigie.core.model import Cause, CheckResult, Status
from vigie.errors import ConfigError
from vigie.net import Secret
from vigie.probes.browser import Config, build
from vigie.probes.browser.chromium import BrowserError, Chromium, find
from vigie.probes.browser.evidence import KEPT, Evidence
from vigie.probes.kit.deps import ProbeDeps
from vigie.report.wording import cause_words
from vigie.testing.servers import Handler, Serve, page
from vigie.testing.starvation import measured

Deps = Callable[[], ProbeDeps]
Contexts = Callable[..., ssl.SSLContext]

HEALTHY: dict[str, str] = {
    "plain": "<title>Shop</title><h1>Welcome</h1>",
    "script": "<title>Shop</title><div id=app></div><script>setTimeout(() => document.getElementById('app').textContent = 'Welcome', 300)</script>",
    "error beside": "<title>Shop</title><h1>Welcome</h1><script>console.error('a'); throw new Error('an advertisement failed')</script>",
    "picture": "<title>Shop</title><svg width=100 height=100><rect width=90 height=90 /></svg>",
    "background": "<title>Shop</title><div style='width:9em;height:9em;background-image:linear-gradient(red, blue)'></div>",
    "component": "<title>Shop</title><x-shop></x-shop><script>customElements.define('x-shop', class extends HTMLElement {"
    "constructor() { super(); this.attachShadow({mode: 'closed'}).innerHTML = '<p>Welcome</p>'; } })</script>",
    "never loaded": "<title>Shop</title><h1>Welcome</h1><img src='/hang'>",
    "dialog": "<title>Shop</title><script>alert('hello')</script><h1>Welcome</h1>",
    "strict": "<title>Shop</title><meta http-equiv=Content-Security-Policy content=\"default-src 'none'\"><h1>Welcome</h1>",
}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """One for all tests of this process: starting it takes a second."""
    require("chromium")
    made = Chromium(None, None)
    yield made
    made.close()


class Look:
    """Looks at pages with the shared browser."""

    def __init__(self, make_deps: Deps, chromium: Chromium, folder: Path) -> None:
        self.make_deps, self.chromium, self.folder = make_deps, chromium, folder
        self.took = 0.0  # seconds, of the newest check

    async def __call__(self, url: str, *actions: dict[str, Any], timeout: int | None = None, **options: Any) -> CheckResult:
        if timeout is None:  # a browser that is not there yet is given the time that a busy machine takes to start it
            timeout = 8_000 if self.chromium._live else 20_000
        deps = self.make_deps()
        deps.evidence = self.folder / "evidence"
        deps._shared["browser None None"] = (self.chromium, lambda: None)
        config = msgspec.convert({"url": url, "actions": list(actions), **options}, Config, dec_hook=dec_hook)
        probe, started = build(config, deps), time.monotonic()
        try:
            return await probe.check(timeout)
        finally:
            self.took = time.monotonic() - started
            deps.close()
            await asyncio.wrap_future(self.chromium.submit(self._settled()))

    async def _settled(self) -> None:
        """The profile is closed: no connection of it comes after the server has stopped."""
        await asyncio.gather(*self.chromium._tasks, return_exceptions=True)


@pytest.fixture
def look(make_deps: Deps, chromium: Chromium, tmp_path: Path) -> Look:
    return Look(make_deps, chromium, tmp_path)


def site(pages: dict[str, Handler]) -> Handler:
    """Pages by path; `/hang` never answers, what is not there is a 404."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split(b" ")[1].decode().partition("?")[0]
        if path == "/hang":
            await reader.read()
            return
        again = asyncio.StreamReader()
        again.feed_data(request)
        await pages.get(path, page(b"<h1>nothing here</h1>", status="404 Not Found"))(again, writer)

    return handler


@pytest.mark.parametrize("name", HEALTHY)
async def test_a_healthy_page_is_up(serve: Serve, look: Look, name: str) -> None:
    async with serve(site({"/": page(HEALTHY[name].encode())})) as port:
        result = await look(f"http://127.0.0.1:{port}/")

    assert result.status is Status.UP, result
    assert result.message == "HTTP 200"
    assert result.address == "127.0.0.1"
    assert result.timings.total is not None
    assert result.timings.first_byte is not None
    assert not (look.folder / "evidence").exists()


async def test_errors_beside_a_healthy_page_are_counted(serve: Serve, look: Look) -> None:
    html = b"<h1>Welcome</h1><img src=/missing.png><script>throw 1</script>"
    async with serve(site({"/": page(html)})) as port:
        result = await look(f"http://127.0.0.1:{port}/", {"wait_for": "h1"})

    assert result.status is Status.UP
    assert int(result.figures["console_errors"]) >= 1
    assert int(result.figures["requests"]) >= 2


async def test_a_script_error_that_blanks_the_page(serve: Serve, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigie.probes.browser.script._BLANK_MS", 500.0)
    html = b"<title>Shop</title><div id=root></div><script>document.getElementById('root').render()</script>"
    async with serve(site({"/": page(html)})) as port:
        result = await look(f"http://127.0.0.1:{port}/")

    assert (result.status, result.cause) == (Status.DOWN, Cause.CONTENT_BLANK)
    assert result.message == "nothing is visible (1 script errors)"
    assert cause_words(Cause.CONTENT_BLANK, result.figures, "fr") == "la page n'affiche rien (erreurs de script : 1)"
    look_at(Path(str(result.figures["screenshot"])), look.folder)


def look_at(picture: Path, folder: Path) -> None:
    assert picture.parent == folder / "evidence"
    assert picture.read_bytes()[:2] == b"\xff\xd8"
    assert stat.S_IMODE(picture.stat().st_mode) == 0o600


async def test_a_script_of_actions_is_gone_through(serve: Serve, look: Look) -> None:
    form = (
        b"<title>Shop</title><form action=/home><input id=user><input id=word type=password><button>Sign in</button></form>"
        b"<script>document.forms[0].onsubmit = () => { document.forms[0].action = '/home?u=' + user.value + word.value.length }</script>"
    )
    home = b"<title>Home of the shop</title><h1>Welcome back</h1><a href=/cart>Cart</a><p hidden>Welcome <b>ghost</b></p>"
    cart = b"<title>Cart</title><ul id=cart><li class=item>Tea</ul>"
    async with serve(site({"/": page(form), "/home": page(home), "/cart": page(cart)})) as port:
        result = await look(
            f"http://127.0.0.1:{port}/",
            {"wait_for": "#user"},
            {"fill": {"into": "#user", "text": "anna"}},
            {"fill": {"into": "#word", "secret": "hunter22"}},
            {"press": {"key": "Enter", "on": "#word"}},
            {"expect_url": "/home"},
            {"expect_title": "Home"},
            {"expect_text": "welcome back"},
            {"click": "text=Cart"},
            {"expect_selector": "#cart .item"},
            {"goto": "/home"},
            {"press": "End"},
            {"expect_text": "Welcome back"},
        )

    assert result.status is Status.UP, result


@pytest.mark.parametrize(
    ("action", "cause", "words"),
    [
        ({"expect_text": "Welcome"}, Cause.CONTENT_MISSING, "'Welcome' is not visible after"),
        ({"expect_text": "ghost"}, Cause.CONTENT_MISSING, "'ghost' is not visible after"),
        ({"expect_selector": "#cart"}, Cause.CONTENT_MISSING, "'#cart' is not visible after"),
        ({"expect_title": "Shop"}, Cause.CONTENT_MISSING, "the title is 'Sorry', expected 'Shop' in it"),
        ({"expect_url": "/home"}, Cause.HTTP_REDIRECT, "/login', expected '/home' in it"),
        ({"click": "#buy"}, Cause.CONTENT_MISSING, "'#buy' is not on the page"),
        ({"click": "#off"}, Cause.TIMEOUT_TOTAL, "not finished within 4 s"),
        ({"fill": {"into": "#off", "text": "x"}}, Cause.TIMEOUT_TOTAL, "not finished within"),
        ({"wait_for": "text=ready"}, Cause.CONTENT_MISSING, "'text=ready' is not visible"),
        ({"goto": "/broken"}, Cause.HTTP_STATUS, "HTTP 500, expected 200-299"),
    ],
)
async def test_the_action_that_fails_is_named(
    serve: Serve, look: Look, monkeypatch: pytest.MonkeyPatch, action: dict[str, Any], cause: Cause, words: str
) -> None:
    monkeypatch.setattr("vigie.probes.browser.script._EXPECT_MS", 900.0)
    login = b"<title>Sorry</title><h1>Please log in</h1><p hidden>ghost</p><input id=off disabled>"
    moved = page(b"", status="302 Found", more="Location: /login\n")
    pages = {"/": moved, "/login": page(login), "/broken": page(b"oops", status="500 Oops")}
    async with serve(site(pages)) as port:
        result = await look(f"http://127.0.0.1:{port}/", {"expect_text": "Please"}, action, timeout=4_000)

    assert (result.status, result.cause) == (Status.DOWN, cause), result
    assert words in result.message
    assert result.message.startswith('action 2 "')
    assert result.figures["step"] == 2


async def test_a_click_that_leads_to_an_error_page_fails(serve: Serve, look: Look) -> None:
    pages = {"/": page(b"<a href=/broken>Buy</a>"), "/broken": page(b"oops", status="503 Oops")}
    async with serve(site(pages)) as port:
        result = await look(f"http://127.0.0.1:{port}/", {"click": "text=Buy"}, {"expect_text": "oops"})

    assert (result.cause, result.figures["status"]) == (Cause.HTTP_STATUS, 503)


@pytest.mark.parametrize(
    ("html", "cause"),
    [
        (None, Cause.TIMEOUT_FIRST_BYTE),
        (b"<h1>x</h1><script>while (true) {}</script>", Cause.TIMEOUT_TOTAL),
        (b"<div></div><script>setTimeout(() => { while (true) {} }, 50)</script>", Cause.TIMEOUT_TOTAL),
    ],
    ids=["silent", "spinning", "spinning later"],
)
async def test_a_page_that_hangs_ends_at_the_deadline(serve: Serve, look: Look, html: bytes | None, cause: Cause) -> None:
    async with serve(site({"/": page(html)} if html else {})) as port:
        await look(f"http://127.0.0.1:{port}/healthy", timeout=8_000)  # the browser is there
        async with measured() as starved:  # the page keeps a core busy, which this process may want
            result = await look(f"http://127.0.0.1:{port}/{'' if html else 'hang'}", timeout=1_200)
        took = look.took - starved.lost
        healthy = await look(f"http://127.0.0.1:{port}/", status="200-499") if html is None else None

    assert took < 1.2 + 0.2
    assert (result.status, result.cause) == (Status.DOWN, cause), result
    assert healthy is None or healthy.status is Status.UP


async def test_a_slow_page_is_degraded(serve: Serve, look: Look) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        await page(b"<h1>Welcome</h1>")(reader, writer)

    async with serve(site({"/": slow})) as port:
        result = await look(f"http://127.0.0.1:{port}/", latency="250ms")

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.LATENCY_THRESHOLD)


async def test_statuses_without_a_page_and_downloads(serve: Serve, look: Look) -> None:
    pages = {
        "/empty": page(b"", status="500 Oops"),
        "/file": page(b"PK", kind="application/zip", more="Content-Disposition: attachment\n"),
        "/gone": page(b"<h1>gone</h1>", status="404 Not Found"),
    }
    async with serve(site(pages)) as port:
        base = f"http://127.0.0.1:{port}"
        empty, file, gone = [await look(f"{base}{path}") for path in pages]
        meant = await look(f"{base}/gone", status="404")

    assert (empty.cause, empty.figures["status"]) == (Cause.HTTP_STATUS, 500)
    assert file.cause is Cause.CONTENT_TYPE
    assert gone.cause is Cause.HTTP_STATUS
    assert meant.status is Status.UP


async def test_network_faults_have_their_causes(look: Look, unused_port: int) -> None:
    refused = await look(f"http://127.0.0.1:{unused_port}/")
    unknown = await look("http://nobody.invalid/")

    assert (refused.status, refused.cause) == (Status.DOWN, Cause.TCP_REFUSED)
    assert refused.figures["detail"] == "ERR_CONNECTION_REFUSED"
    assert unknown.cause is not None
    assert unknown.cause.startswith(("dns.", "probe.resolver"))


async def test_certificates_are_judged_as_browsers_do(serve: Serve, look: Look, make_context: Contexts) -> None:
    async with serve(page(b"<h1>Welcome</h1>"), make_context(trusted=False)) as port:
        strict = await look(f"https://127.0.0.1:{port}/")
        lenient = await look(f"https://127.0.0.1:{port}/", insecure=True)

    assert (strict.status, strict.cause) == (Status.DOWN, Cause.TLS_UNTRUSTED)
    assert lenient.status is Status.UP
    assert lenient.timings.tls is not None


async def test_visits_share_no_cookies_and_language_and_login_are_told(serve: Serve, look: Look) -> None:
    seen: list[bytes] = []
    more = "Set-Cookie: a=b\n"
    async with serve(page(b"<h1>Welcome</h1>", more=more, seen=seen)) as port:
        for _ in range(2):
            await look(f"http://127.0.0.1:{port}/", language="fr-FR")
    assert not any(b"Cookie:" in request for request in seen if request.startswith(b"GET / "))
    assert b"Accept-Language: fr-FR" in seen[0]

    async def closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        status = "200 OK" if b"Authorization: Basic YW5uYTpodW50ZXIyMg==" in request else "401 No"
        writer.write(f"HTTP/1.1 {status}\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 5\r\n\r\nhello".encode())
        await writer.drain()

    async with serve(closed) as port:
        stranger = await look(f"http://127.0.0.1:{port}/")
        known = await look(f"http://127.0.0.1:{port}/", basic={"user": "anna", "password": "hunter22"})
    assert (stranger.cause, known.status) == (Cause.HTTP_STATUS, Status.UP)


async def test_a_selector_that_is_none_is_our_own_fault(serve: Serve, look: Look) -> None:
    async with serve(page(b"<h1>Welcome</h1>")) as port:
        result = await look(f"http://127.0.0.1:{port}/", {"click": "h1 >>> {{"})

    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR)


@pytest.mark.needs("chromium")
async def test_a_page_that_chatters_is_healthy_and_one_that_floods_keeps_to_the_deadline(
    serve: Serve, make_deps: Deps, tmp_path: Path
) -> None:
    own = Chromium(None, None)
    look = Look(make_deps, own, tmp_path)
    html = (
        "<h1>Welcome</h1><script>setInterval(() => {{ for (let i = 0; i < {count}; i++) console.error('x'.repeat(1000)) }}, {ms})</script>"
    )
    pages = {"/chatter": page(html.format(count=20, ms=10).encode()), "/flood": page(html.format(count=2_000, ms=1).encode())}
    try:
        async with serve(site(pages)) as port:
            chatter = await look(f"http://127.0.0.1:{port}/chatter", {"expect_text": "Welcome"})
            flood = await look(f"http://127.0.0.1:{port}/flood", {"expect_text": "Welcome"}, {"wait_for": "#never"}, timeout=1_500)
            took = look.took
            after = await look(f"http://127.0.0.1:{port}/chatter", {"expect_text": "Welcome"})
    finally:
        own.close()

    assert (chatter.status, after.status) == (Status.UP, Status.UP), (chatter, after)
    assert int(chatter.figures["console_errors"]) <= 400
    assert took < 1.5 + 0.5  # both cores are busy with the flood
    assert flood.status is not Status.UP


@pytest.mark.needs("chromium")
async def test_a_browser_that_dies_is_not_the_pages_fault_and_another_takes_over(serve: Serve, make_deps: Deps, tmp_path: Path) -> None:
    own = Chromium(None, None)
    look = Look(make_deps, own, tmp_path)
    try:
        asked = asyncio.Event()

        async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            asked.set()
            await reader.read()

        async with serve(site({"/": page(b"<h1>Welcome</h1>"), "/wait": wait})) as port:
            url = f"http://127.0.0.1:{port}"
            assert (await look(f"{url}/")).status is Status.UP
            visit = asyncio.create_task(look(f"{url}/wait", timeout=8_000))
            await asked.wait()
            own.kill()
            died = await visit
            assert (died.status, died.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR), died
            assert (await look(f"{url}/")).status is Status.UP
    finally:
        own.close()


@pytest.mark.needs("chromium")
@pytest.mark.skipif(os.name != "posix", reason="signals")
async def test_a_browser_that_hangs_is_killed_in_time(serve: Serve, make_deps: Deps, tmp_path: Path) -> None:
    own = Chromium(None, None)
    look = Look(make_deps, own, tmp_path)
    try:
        async with serve(site({"/": page(b"<h1>Welcome</h1>")})) as port:
            url = f"http://127.0.0.1:{port}/"
            assert (await look(url)).status is Status.UP
            assert own._live is not None
            assert own._live.pid is not None
            hung = own._live.pid
            os.killpg(os.getpgid(hung), signal.SIGSTOP)
            result = await look(url, timeout=1_000)
            assert look.took < 1.0 + 0.2
            assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR), result
            assert (await look(url)).status is Status.UP
            assert own._live.pid != hung
    finally:
        own.close()


async def test_no_browser_and_a_broken_one_name_their_fix(make_deps: Deps, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    results = []
    for executable in (str(tmp_path / "nothing"), str(broken)):
        deps = make_deps()
        config = msgspec.convert({"url": "http://127.0.0.1:9/", "executable": executable}, Config)
        results.append(await build(config, deps).check(8_000))
        deps.close()

    for result in results:
        assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR), result
    assert "`executable`" in results[0].advice[0]
    assert "does not start" in results[1].message


def test_where_the_browser_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    own.write_text("")
    own.chmod(0o755)
    monkeypatch.setattr("vigie.probes.browser.chromium._NAMES", ("nobody-has-this",))
    monkeypatch.setattr("vigie.probes.browser.chromium._PLACES", ())

    assert find(None, str(own)) == str(own)
    with pytest.raises(BrowserError) as raised:
        find(None, str(tmp_path / "nothing"))
    assert "playwright install chromium" in raised.value.fix


def test_a_few_pictures_are_kept(tmp_path: Path) -> None:
    config = Config(url="https://shop.test/a b".replace(" ", "%20"))
    evidence = Evidence(tmp_path / "evidence", config.target, config)
    other = Evidence(tmp_path / "evidence", config.target, Config(url="https://shop.test/other"))
    assert other.keep(1, b"x") is not None
    for at in (9, 10, 11, 99, 100, 101, 1_000):
        assert evidence.keep(at, b"x") is not None

    kept = sorted(path.name for path in (tmp_path / "evidence").iterdir())
    assert len(kept) == KEPT + 1
    assert not any(name.endswith(("-9.jpg", "-10.jpg")) for name in kept)
    assert evidence.keep(100 * 86_400_000, b"x") is not None
    assert [path.name.rpartition("-")[2] for path in (tmp_path / "evidence").iterdir()] == ["8640000000.jpg"]
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert Evidence(blocked, config.target, config).keep(1, b"x") is None


def test_what_is_typed_in_secret_stays_one() -> None:
    one = one_monitor(
        {"type": "browser", "url": "https://shop.test/", "actions": [{"fill": {"into": "#word", "secret": "hunter22"}}, {"goto": "/x?k=v"}]}
    )

    assert set(one.secrets) == {Secret("hunter22")}
    assert "hunter22" not in str(plain(one.config.reveal()))
    assert [action.title for action in one.config.reveal().actions] == ["fill #word", "goto /x?k=***"]
    assert one.monitor.every_ms == 300_000


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "shop.test"}, "not an http"),
        ({"actions": [{}]}, "an action is one of"),
        ({"actions": [{"click": "a", "goto": "/"}]}, "an action is one of"),
        ({"actions": [{"click": " "}]}, "`click` is empty"),
        ({"actions": [{"fill": {"into": "a"}}]}, "`text` or `secret`"),
        ({"actions": [{"klick": "a"}]}, "klick"),
        ({"status": "2xx"}, "not a list of statuses"),
        ({"viewport": {"width": 9}}, "240"),
    ],
)
def test_a_faulty_configuration_is_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        one_monitor({"type": "browser", "url": "https://shop.test/", **values})
