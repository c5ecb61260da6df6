"""Redirects: followed hop by hop by our own rules, and secrets that stay at home."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from vigie.core.model import Cause, Status
from vigie.probes.kit.http.urls import Place
from vigie.testing.servers import Handler, page, serving

from .looking import Deps, MakeContext, ask, hang, is_down, look

Way = Callable[[str], str]


def moving(to: Way, status: str = "302 Found", seen: list[bytes] | None = None) -> Handler:
    """Sends every path on to where `to` says, until `/end`."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(request)
        path = request.split(b" ")[1].decode()
        if path == "/end":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend")
        else:
            writer.write(f"HTTP/1.1 {status}\r\nLocation: {to(path)}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))
        await writer.drain()

    return handler


async def test_redirects_are_followed_and_counted(make_deps: Deps) -> None:
    result = await ask(make_deps, moving(lambda path: "/end" if path == "/two" else "/two"), expect={"keyword": "end"})

    assert result.status is Status.UP
    assert result.http is not None
    assert result.http.redirects == 2
    assert [hop.rpartition("/")[2] for hop in result.http.hops] == ["two", "end"]


@pytest.mark.parametrize(
    "location",
    [
        "/end",
        "end",
        "./end",
        "/x/../end",
        "//127.0.0.1:{port}/end",
        "http://127.0.0.1:{port}/end",
        "/end#part",
        " /end ",
        "HTTP://127.0.0.1:{port}/end",
    ],
)
async def test_every_way_to_name_the_next_place(location: str, make_deps: Deps) -> None:
    async with serving(page(b"")) as spare:
        port = spare
    async with serving(moving(lambda _: location.format(port=port)), port=port):
        result = await look(make_deps, f"http://127.0.0.1:{port}/", expect={"keyword": "end"})

    assert result.status is Status.UP, result.message


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/caf\xc3\xa9?q=\xc3\xa9", b"/caf%C3%A9?q=%C3%A9"),
        ("/caf\xe9?\xe9", b"/caf%E9?%E9"),
        ("/a b", b"/a%20b"),
        ("/%41", b"/%41"),
        ('/a<b>"c"{d}`e`^|', b"/a%3Cb%3E%22c%22%7Bd%7D%60e%60%5E|"),
        ("/?a<b>\"c\"'d'{e}`f`^|\\", b"/?a%3Cb%3E%22c%22%27d%27{e}`f`^|\\"),
        ("\\a\\b?c\\d", b"/a/b?c\\d"),
        ("/a/%2e%2E/b/%2e/c", b"/b/c"),
        ("/a/../../b", b"/b"),
        ("?only", b"/?only"),
        ("/a\tb", b"/ab"),
        ("  /a  ", b"/a"),
        ("http:next", b"/next"),
        ("/[x]%zz%", b"/[x]%zz%"),
        ("/a;b=c,d:e@f!g$h&i(j)*k+l", b"/a;b=c,d:e@f!g$h&i(j)*k+l"),
    ],
)
async def test_a_place_that_is_not_plain_ascii_is_sent_as_browsers_do(location: str, path: bytes, make_deps: Deps) -> None:
    seen: list[bytes] = []
    await ask(make_deps, moving(lambda at: location if at == "/" else "/end", seen=seen))

    assert seen[1].split(b" ")[1] == path


FAULTY: list[tuple[str, Way, dict[str, Any], str]] = [
    ("to itself", lambda _: "/", {}, "loop"),
    ("to nothing", lambda _: "", {}, "loop"),
    ("in a circle", lambda path: "/b" if path == "/" else "/", {}, "loop"),
    ("without end", lambda path: path + "x", {"max_redirects": 3}, "more than 3"),
    ("not even once", lambda _: "/end", {"max_redirects": 0}, "more than 0"),
    ("elsewhere", lambda _: "http://localhost:1/", {"allow_other_host": False}, "another host"),
    ("by another way", lambda _: "ftp://127.0.0.1/", {}, "not an http(s) URL"),
    ("to a file", lambda _: "file:///etc/passwd", {}, "not an http(s) URL"),
    ("to a script", lambda _: "javascript:alert(1)", {}, "not an http(s) URL"),
    ("to no port", lambda _: "http://127.0.0.1:0/", {}, "not an http(s) URL"),
    ("to a broken address", lambda _: "http://[::1/", {}, "not an http(s) URL"),
    ("to a name too long", lambda _: f"http://{'a' * 300}.test/", {}, "not an http(s) URL"),
    ("to a name of foreign letters too long", lambda _: "http://" + "\xc3\xbc" * 5_000 + "/", {}, "not an http(s) URL"),
]


@pytest.mark.parametrize(("to", "options", "words"), [one[1:] for one in FAULTY], ids=[one[0] for one in FAULTY])
async def test_faulty_redirects(to: Way, options: dict[str, Any], words: str, make_deps: Deps) -> None:
    result = await ask(make_deps, moving(to), **options)

    assert is_down(result, Cause.HTTP_REDIRECT), result.message
    assert words in result.message
    assert result.http is not None
    assert result.http.redirects == result.figures["redirects"]
    assert result.http.redirects > 0


async def test_as_many_redirects_as_allowed_are_allowed(make_deps: Deps) -> None:
    def to(path: str) -> str:
        return path + "x" if len(path) < 3 else "/end"

    assert (await ask(make_deps, moving(to), max_redirects=3)).status is Status.UP
    assert is_down(await ask(make_deps, moving(to), max_redirects=2), Cause.HTTP_REDIRECT)


async def test_a_redirect_is_not_followed_when_told_so(make_deps: Deps) -> None:
    assert (await ask(make_deps, moving(lambda _: "/end"), follow_redirects=False, expect={"status": 302})).status is Status.UP


@pytest.mark.parametrize("status", ["300 Multiple Choices", "304 Not Modified", "201 Created"])
async def test_not_every_answer_with_a_location_is_a_redirect(status: str, make_deps: Deps) -> None:
    result = await ask(make_deps, moving(lambda _: "/end", status), expect={"status": int(status[:3])})

    assert result.status is Status.UP


async def test_a_redirect_without_a_place_is_its_status(make_deps: Deps) -> None:
    assert is_down(await ask(make_deps, page(b"", status="302 Found")), Cause.HTTP_STATUS)


async def test_a_redirect_to_another_port_is_the_same_host(make_deps: Deps) -> None:
    async with serving(page(b"hello")) as other:
        result = await ask(make_deps, moving(lambda _: f"http://127.0.0.1:{other}/"), allow_other_host=False)

    assert result.status is Status.UP


async def test_a_redirect_down_to_http_is_refused(make_deps: Deps, make_context: MakeContext) -> None:
    async with serving(page(b"plain")) as plain, serving(moving(lambda _: f"http://127.0.0.1:{plain}/"), make_context()) as port:
        refused = await look(make_deps, f"https://127.0.0.1:{port}/")
        allowed = await look(make_deps, f"https://127.0.0.1:{port}/", allow_downgrade=True)

    assert is_down(refused, Cause.HTTP_REDIRECT)
    assert "down to http" in refused.message
    assert allowed.status is Status.UP


async def test_a_redirect_up_to_https_is_followed_and_its_certificate_judged(make_deps: Deps, make_context: MakeContext) -> None:
    for context, cause in (
        (make_context(days=60), None),
        (make_context(days=-1), Cause.TLS_EXPIRED),
        (make_context(days=3), Cause.TLS_EXPIRING),
    ):
        async with serving(page(b"hello"), context) as secure:
            result = await ask(make_deps, moving(lambda _: f"https://127.0.0.1:{secure}/"))
        assert result.cause is cause, result.message
        assert result.tls is not None


@pytest.mark.parametrize("hop", ["refused", "hangs", "not a valid name"])
async def test_a_failure_behind_a_redirect_is_told_as_what_it_is(hop: str, make_deps: Deps, unused_port: int) -> None:
    async with serving(hang) as deaf:
        places = {"refused": f"127.0.0.1:{unused_port}", "hangs": f"127.0.0.1:{deaf}", "not a valid name": "two..dots"}
        result = await ask(make_deps, moving(lambda _: f"http://{places[hop]}/"), timeout=400)

    causes = {"refused": Cause.TCP_REFUSED, "hangs": Cause.TIMEOUT_FIRST_BYTE, "not a valid name": Cause.HTTP_REDIRECT}
    assert is_down(result, causes[hop]), result.message


async def test_slow_hops_share_one_deadline(make_deps: Deps) -> None:
    way = moving(lambda path: path + "x")

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.15)
        await way(reader, writer)

    result = await ask(make_deps, slow, timeout=500, max_redirects=50)

    assert is_down(result, Cause.TIMEOUT_FIRST_BYTE)


# Methods


@pytest.mark.parametrize(
    ("method", "status", "second"),
    [
        ("GET", "302 Found", b"GET"),
        ("POST", "301 Moved", b"GET"),
        ("POST", "302 Found", b"GET"),
        ("POST", "303 See Other", b"GET"),
        ("PUT", "303 See Other", b"GET"),
        ("PUT", "302 Found", b"PUT"),
        ("POST", "307 Temporary", b"POST"),
        ("POST", "308 Permanent", b"POST"),
        ("HEAD", "303 See Other", b"HEAD"),
    ],
)
async def test_what_becomes_of_the_method_and_its_body(method: str, status: str, second: bytes, make_deps: Deps) -> None:
    seen: list[bytes] = []
    body: dict[str, Any] = {"body": "{}"} if method in ("POST", "PUT") else {}
    result = await ask(
        make_deps, moving(lambda _: "/end", status, seen), method=method, headers={"Content-Type": "application/json"}, **body
    )

    assert result.status is Status.UP, result.message
    assert seen[1].split(b" ")[0] == second
    assert (b"content-type" in seen[1].lower()) is (second.decode() == method)


# Secrets


LOGINS: list[dict[str, Any]] = [{"basic": {"user": "ann", "password": "hunter2hunter"}}, {"bearer": "hunter2hunter"}]


@pytest.mark.parametrize("auth", LOGINS)
@pytest.mark.parametrize("away", ["localhost", "127.0.0.1"])
async def test_a_login_is_told_to_its_own_origin_only(auth: dict[str, Any], away: str, make_deps: Deps) -> None:
    """Another host is another origin, and so is another port."""
    first: list[bytes] = []
    second: list[bytes] = []
    async with serving(page(b"elsewhere", seen=second)) as other:
        headers = {
            "Cookie": "session=hunter2hunter",
            "X-Api-Key": "hunter2hunter",
            "X-Mine": "hunter2hunter",
            "CF-Access-Client-Id": "hunter2",
        }
        headers |= {"Range": "bytes=0-9", "Accept": "text/html", "Accept-Language": "fr", "User-Agent": "Ann/1"}
        home = moving(lambda _: f"http://{away}:{other}/", seen=first)
        result = await ask(make_deps, home, auth=auth, headers=headers)

    assert result.status is Status.UP
    assert b"authorization" in first[0].lower()
    request = second[0].lower()
    names = [line.partition(b":")[0] for line in request.splitlines()[1:] if line]
    assert sorted(names) == [b"accept", b"accept-encoding", b"accept-language", b"host", b"user-agent"]
    assert b"hunter2" not in request
    assert b"user-agent: ann/1" in request
    assert b"accept-language: fr" in request


async def test_a_body_that_goes_along_to_another_origin_is_described(make_deps: Deps) -> None:
    """As browsers and curl do it after 307 and 308."""
    seen: list[bytes] = []
    async with serving(page(b"elsewhere", seen=seen)) as other:
        home = moving(lambda _: f"http://127.0.0.1:{other}/", "307 Temporary Redirect")
        await ask(make_deps, home, method="POST", body="{}", headers={"Content-Type": "application/json", "X-Key": "hunter2"})

    assert b"Content-Type: application/json" in seen[0]
    assert b"hunter2" not in seen[0]


@pytest.mark.parametrize("auth", LOGINS)
async def test_a_login_stays_through_redirects_at_home(auth: dict[str, Any], make_deps: Deps) -> None:
    seen: list[bytes] = []
    await ask(make_deps, moving(lambda _: "/end", seen=seen), auth=auth, headers={"Cookie": "session=1"})

    assert all(b"authorization" in one.lower() and b"cookie" in one.lower() for one in seen)
    assert len(seen) == 2


async def test_a_login_that_came_home_again_is_told_again(make_deps: Deps) -> None:
    """To another host without it, and back with it."""
    seen: list[bytes] = []
    async with serving(page(b"")) as spare:
        port = spare
    async with serving(
        moving(lambda path: f"http://localhost:{port}/away" if path == "/" else f"http://127.0.0.1:{port}/end", seen=seen), port=port
    ):
        await look(make_deps, f"http://127.0.0.1:{port}/", auth={"bearer": "hunter2hunter"})

    assert [b"hunter2" in one for one in seen] == [True, False, True]


async def test_a_login_that_is_no_secret_of_the_new_place_is_not_in_the_hops(make_deps: Deps) -> None:
    result = await ask(make_deps, moving(lambda path: "http://ann:hunter2@127.0.0.1:1/?token=hunter2" if path == "/" else "/end"))

    assert "hunter2" not in repr(result)


def test_plain_http_to_https_of_the_same_host_is_trusted_and_the_way_back_is_not() -> None:
    plain, secure = Place.of("http://shop.example/"), Place.of("https://shop.example/")
    assert plain.trusts(secure)
    assert not secure.trusts(plain)
    assert not plain.trusts(Place.of("https://shop.example:8443/"))
    assert not secure.trusts(Place.of("https://www.shop.example/"))
    assert secure.trusts(Place.of("https://SHOP.example:443/other"))


async def test_credentials_in_the_url_are_used_as_libcurl_does_and_not_elsewhere(make_deps: Deps) -> None:
    first: list[bytes] = []
    second: list[bytes] = []
    async with (
        serving(page(b"elsewhere", seen=second)) as other,
        serving(moving(lambda _: f"http://localhost:{other}/", seen=first)) as port,
    ):
        await look(make_deps, f"http://ann:hunter2@127.0.0.1:{port}/")

    assert b"Authorization: Basic YW5uOmh1bnRlcjI=\r\n" in first[0]
    assert b"authorization" not in second[0].lower()
