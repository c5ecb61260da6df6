"""Several requests as one check, against a small shop that wants a login: what is carried over, what is not, and who is blamed."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from vigie.config import one_monitor
from vigie.config.convert import dec_hook
from vigie.core.model import Cause, CheckResult, Status
from vigie.errors import ConfigError
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.steps import Config, build
from vigie.probes.steps.template import body_of, header_of, url_of
from vigie.report.wording import cause_words, short_words
from vigie.testing.servers import Serve, page
from vigie.testing.starvation import measured

Deps = Callable[[], ProbeDeps]
TOKEN = "t0k3n+with/signs=&more"


class Shop:
    """Login by a form with a token in it, a session in a cookie, an API with a bearer. `broken` paths answer 500, `slow` ones late."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], str]] = []
        self.broken: set[str] = set()
        self.slow: dict[str, float] = {}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
        self.asked.append((method, target, headers, body))
        path = urlsplit(target).path
        await asyncio.sleep(self.slow.get(path, 0))
        status, more, text = (500, "", "oops") if path in self.broken else self._page(path, target, headers, body)
        kind = "application/json" if text.startswith("{") else "text/html"
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(text.encode())}\r\n{more}Connection: close\r\n\r\n"
        writer.write((head + text).encode())
        await writer.drain()

    def _page(self, path: str, target: str, headers: dict[str, str], body: str) -> tuple[int, str, str]:
        session = "session=s3ss10n-of-anna" in headers.get("cookie", "")
        if path == "/login" and not body:
            return 200, "Set-Cookie: visitor=v1\r\n", f'<form><input name="csrf" value="{TOKEN.replace("&", "&amp;")}"></form>'
        if path == "/login":
            good = parse_qs(body) == {"user": ["anna"], "csrf": [TOKEN]} and "visitor=v1" in headers.get("cookie", "")
            cookies = "Set-Cookie: session=s3ss10n-of-anna; Path=/; HttpOnly\r\nSet-Cookie: visitor=; Max-Age=0\r\n"
            return (302, f"{cookies}Location: /home\r\n", "") if good else (403, "", "no")
        if path == "/home":
            return (200, "X-Next: /api/cart?of=anna%20b\r\n", "welcome anna") if session else (401, "", "who are you")
        if path == "/api/cart":
            return 200, "", json.dumps({"token": TOKEN, "count": 3, "of": parse_qs(urlsplit(target).query).get("of", [""])[0]})
        if path == "/api/order":
            good = headers.get("authorization") == f"Bearer {TOKEN}" and json.loads(body)["token"] == TOKEN
            return (201, "", '{"order": 7}') if good else (400, "", f"bad token {TOKEN}")
        return 200, "", "bye"

    def paths(self) -> list[str]:
        return [urlsplit(target).path for _, target, _, _ in self.asked]


def steps(base: str) -> list[dict[str, Any]]:
    return [
        {"name": "form", "url": f"{base}/login", "save": {"csrf": {"regex": 'name="csrf" value="([^"]+)"'}}},
        {
            "name": "login",
            "url": f"{base}/login",
            "method": "POST",
            "body": "user=anna&csrf={{csrf}}",
            "expect": {"keyword": "welcome"},
            "save": {"next": {"header": "X-Next"}},
        },
        {"url": "{{next}}", "expect": {"json": {"$.of": "anna b"}}, "save": {"token": "$.token", "count": "$.count"}},
        {
            "name": "order",
            "url": f"{base}/api/order?count={{{{count}}}}",
            "method": "POST",
            "headers": {"Content-Type": "application/json", "Authorization": "Bearer {{token}}"},
            "body": '{"token": "{{token}}"}',
            "expect": {"status": 201},
        },
        {"name": "logout", "url": f"{base}/logout", "always": True},
    ]


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def look(make_deps: Deps, wanted: list[dict[str, Any]], timeout: int = 3_000, **options: Any) -> CheckResult:
    deps = make_deps()
    try:
        return await build(msgspec.convert({"steps": wanted, **options}, Config, dec_hook=dec_hook), deps).check(timeout)
    finally:
        deps.close()


async def test_a_whole_visit_is_up_with_each_step_timed(serve: Serve, make_deps: Deps, shop: Shop) -> None:
    async with serve(shop.answer) as port:
        result = await look(make_deps, steps(f"http://127.0.0.1:{port}"))

    assert result.status is Status.UP, result
    assert shop.paths() == ["/login", "/login", "/home", "/api/cart", "/api/order", "/logout"]
    assert result.message == "5 steps, the last one HTTP 201"
    assert set(result.figures) == {f"step_{number}_ms" for number in range(1, 6)}
    assert result.timings.total is not None
    assert result.timings.total >= 4 * (result.timings.connect or 0) / 5
    assert "visitor" not in shop.asked[2][2]["cookie"]


async def test_two_visits_share_nothing(serve: Serve, make_deps: Deps, shop: Shop) -> None:
    deps = make_deps()
    async with serve(shop.answer) as port:
        probe = build(msgspec.convert({"steps": steps(f"http://127.0.0.1:{port}")}, Config, dec_hook=dec_hook), deps)
        results = await asyncio.gather(*(probe.check(5_000) for _ in range(5)))
    deps.close()

    assert {one.status for one in results} == {Status.UP}
    assert [headers for _, target, headers, body in shop.asked if target == "/login" and not body and "cookie" in headers] == []


async def test_the_step_that_fails_is_named_and_ends_the_visit(serve: Serve, make_deps: Deps, shop: Shop) -> None:
    shop.broken = {"/home"}
    async with serve(shop.answer) as port:
        result = await look(make_deps, steps(f"http://127.0.0.1:{port}"))

    assert (result.status, result.cause) == (Status.DOWN, Cause.HTTP_STATUS)
    assert result.message == 'step 2 "login": HTTP 500, expected 200-299'
    assert (result.figures["step"], result.figures["step_name"], result.figures["status"]) == (2, "login", 500)
    assert shop.paths() == ["/login", "/login", "/home", "/logout"]
    assert cause_words(Cause.HTTP_STATUS, result.figures, "fr") == "étape 2 « login » : HTTP 500 au lieu de 200-299"
    assert short_words(Cause.HTTP_STATUS, result.figures, "en") == "step 2: HTTP 500"


async def test_a_last_step_that_fails_alone_is_a_failure_too(serve: Serve, make_deps: Deps, shop: Shop) -> None:
    shop.broken = {"/logout"}
    async with serve(shop.answer) as port:
        result = await look(make_deps, steps(f"http://127.0.0.1:{port}"))

    assert result.message == 'step 5 "logout": HTTP 500, expected 200-299'


async def test_a_value_that_is_not_there_is_the_fault_of_its_step(serve: Serve, make_deps: Deps, shop: Shop) -> None:
    async with serve(shop.answer) as port:
        base = f"http://127.0.0.1:{port}"
        results = [
            await look(make_deps, [{"url": f"{base}{path}", "save": {"it": where}}])
            for path, where in (
                ("/logout", {"regex": "token=(.*)"}),
                ("/logout", "$.token"),
                ("/api/cart", "$.nothing"),
                ("/logout", {"header": "X-Token"}),
            )
        ]

    assert [(one.status, one.cause) for one in results] == [
        (Status.DOWN, Cause.CONTENT_MISSING),
        (Status.DOWN, Cause.CONTENT_JSON),
        (Status.DOWN, Cause.CONTENT_JSON),
        (Status.DOWN, Cause.CONTENT_MISSING),
    ]
    for one in results:
        assert "'it' cannot be saved" in one.message


async def test_what_was_saved_is_never_shown(serve: Serve, make_deps: Deps, shop: Shop) -> None:
    async with serve(shop.answer) as port:
        base = f"http://127.0.0.1:{port}"
        wanted = [
            {"url": f"{base}/api/cart", "save": {"token": "$.token"}},
            {"url": f"{base}/api/cart?of={{{{token}}}}", "expect": {"json": {"$.of": "anna"}}},
        ]
        result = await look(make_deps, wanted)

    assert result.cause is Cause.CONTENT_JSON
    assert "***" in result.message
    for text in (result.message, *map(str, result.figures.values())):
        assert "t0k3n" not in text


async def test_one_deadline_for_all(serve: Serve, make_deps: Deps, shop: Shop, stopwatch: Callable[[], float]) -> None:
    shop.slow = {"/login": 0.25, "/home": 30}
    async with serve(shop.answer) as port:
        result = await look(make_deps, steps(f"http://127.0.0.1:{port}"), 800)

    assert stopwatch() < 0.8 + 0.25
    assert (result.status, result.cause) == (Status.DOWN, Cause.TIMEOUT_FIRST_BYTE)
    assert result.message.startswith('step 2 "login": no first byte within 0.')
    assert result.message.endswith("all that was left of 0.8 s")


async def test_a_slow_visit_is_degraded(serve: Serve, make_deps: Deps, shop: Shop) -> None:
    shop.slow = {"/home": 0.2}
    async with serve(shop.answer) as port:
        result = await look(make_deps, steps(f"http://127.0.0.1:{port}"), latency="100ms")
        step = await look(make_deps, [{"url": f"http://127.0.0.1:{port}/home", "expect": {"status": 401, "latency": "50ms"}}])

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.LATENCY_THRESHOLD)
    assert (step.status, step.cause, step.figures["step"]) == (Status.DEGRADED, Cause.LATENCY_THRESHOLD, 1)


async def test_a_saved_value_leads_to_no_strange_host_and_into_no_header(serve: Serve, make_deps: Deps) -> None:
    async def evil(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        text = json.dumps(
            {"elsewhere": "http://evil.test/steal", "lines": "a\r\nX-Evil: yes", "odd": "http://a b/", "file": "file:///etc/passwd"}
        )
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        await writer.drain()

    async with serve(evil) as port:
        first = {"url": f"http://127.0.0.1:{port}/", "save": {"it": "$.elsewhere"}}
        elsewhere = await look(make_deps, [first, {"url": "{{it}}"}])
        odd = await look(make_deps, [{**first, "save": {"it": "$.odd"}}, {"url": "{{it}}"}])
        file = await look(make_deps, [{**first, "save": {"it": "$.file"}}, {"url": "{{it}}"}])
        lines = await look(make_deps, [{**first, "save": {"it": "$.lines"}}, {**first, "headers": {"X-It": "{{it}}"}}])

    assert (elsewhere.cause, "does not name" in elsewhere.message) == (Cause.HTTP_REDIRECT, True)
    for one in (odd, file, lines):
        assert (one.status, one.cause) == (Status.DOWN, Cause.CONTENT_MISSING), one
        assert one.message.startswith("step 2: a saved value cannot be used in a request")


async def test_a_pattern_that_would_search_for_ever_is_stopped(serve: Serve, make_deps: Deps) -> None:
    async with serve(page(b"a" * 200_000)) as port, measured() as loop:
        result = await look(make_deps, [{"url": f"http://127.0.0.1:{port}/", "save": {"x": {"regex": "((a+)+)+b$"}}}])

    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR)
    assert loop.held < 0.15


async def test_a_jar_that_is_stuffed_stays_small(serve: Serve, make_deps: Deps) -> None:
    seen: list[int] = []

    async def stuffing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(len(await reader.readuntil(b"\r\n\r\n")))
        cookies = "".join(f"Set-Cookie: c{number}={'x' * 1_000}\r\n" for number in range(200))
        writer.write(
            f"HTTP/1.1 200 OK\r\n{cookies}Set-Cookie: bad\x7f;;=;\r\nSet-Cookie: a=b; Domain=.com\r\nContent-Length: 0\r\n\r\n".encode()
        )
        await writer.drain()

    async with serve(stuffing) as port:
        result = await look(make_deps, [{"url": f"http://127.0.0.1:{port}/"}] * 6)

    assert result.status is Status.UP, result
    assert max(seen) < 64_000


@pytest.mark.parametrize(
    ("template", "value", "url"),
    [
        ("http://a.test/{{x}}/b", "c d/é", "http://a.test/c%20d/%C3%A9/b"),
        ("http://a.test/?q={{x}}", "a&b=c+d", "http://a.test/?q=a%26b%3Dc%2Bd"),
        ("{{x}}", "/cart?id=7", "http://base.test/cart?id=7"),
        ("{{x}}?more=1", "http://a.test/b", "http://a.test/b?more=1"),
        ("{{ x }}", "https://a.test/%7B", "https://a.test/%7B"),
    ],
)
def test_values_are_encoded_for_their_place(template: str, value: str, url: str) -> None:
    assert url_of(template, {"x": value}, "http://base.test/somewhere") == url


def test_bodies_are_escaped_as_their_type_wants() -> None:
    values = {"x": 'a"b&c\n'}

    assert body_of("x={{x}}", values, "application/x-www-form-urlencoded") == "x=a%22b%26c%0A"
    assert body_of("x={{x}}", values, "") == "x=a%22b%26c%0A"
    assert body_of('{"x": "{{x}}"}', values, "application/vnd.api+json") == '{"x": "a\\"b&c\\n"}'
    assert body_of(' {"x": "{{x}}"}', values, "") == ' {"x": "a\\"b&c\\n"}'
    assert body_of("<x>{{x}}</x>", values, "text/xml") == '<x>a"b&c\n</x>'
    assert header_of("Bearer {{x}}{{x}}", {"x": "{{x}}"}) == "Bearer {{x}}{{x}}"


def test_a_monitor_of_steps_is_named_by_its_first() -> None:
    one = one_monitor({"type": "steps", "steps": [{"url": "https://shop.test/a?key=secret"}, {"url": "https://other.test/"}]})

    assert (one.monitor.id, one.monitor.target, one.monitor.host) == ("shop-test", "https://shop.test/a?key=***", "shop.test")


URL = "https://shop.test/"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ([], "at least 1|length >= 1"),
        ([{"url": URL}] * 21, "at most 20|length <= 20"),
        ([{"url": "{{x}}"}], r"step 1 uses \{\{x\}\}, which no step before it saves"),
        ([{"url": URL, "save": {"x": "$.a"}, "body": "{{x}}"}], "which no step before it saves"),
        ([{"url": URL, "save": {"x": "a"}}], "not a JSONPath"),
        ([{"url": URL, "save": {"x": "$["}}], "not a JSONPath"),
        ([{"url": URL, "save": {"x": {"regex": "("}}}], "not a regular expression"),
        ([{"url": URL, "save": {"x": {"regex": "a", "json": "$.a"}}}], "one of"),
        ([{"url": URL, "save": {"x": {"header": "a b"}}}], "not a valid header name"),
        ([{"url": URL, "save": {"x-y": "$.a"}}], "not a valid name"),
        ([{"url": URL, "save": {"x": "$.a"}}, {"url": "https://{{x}}.test/"}], "the host must be written out"),
        ([{"url": URL, "always": True}], "all steps have `always`"),
        ([{"url": URL}, {"url": URL, "always": True}, {"url": URL}], "those must come last"),
        ([{"url": "ftp://shop.test"}], "not an http"),
        ([{"url": URL, "metod": "GET"}], "metod"),
    ],
)
def test_a_faulty_configuration_is_named(wanted: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        one_monitor({"type": "steps", "name": "Shop", "steps": wanted})
