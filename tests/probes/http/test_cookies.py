"""Cookies along one check: kept as browsers keep them, told to nobody else, forgotten afterwards."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from vigie.core.model import Cause, Status
from vigie.probes.kit.http.cookies import CookieJar, is_public_suffix, merged
from vigie.probes.kit.http.urls import Place
from vigie.testing.servers import Handler, page, serving

from .looking import Deps, MakeContext, ask, is_down, look

NOW = 1_700_000_000_000
Answer = tuple[str, Sequence[str]]  # Location or the body, Set-Cookie fields


def cookie_of(request: bytes) -> str:
    lines = [line for line in request.split(b"\r\n") if line.lower().startswith(b"cookie:")]
    assert len(lines) < 2, "one header"
    return lines[0].partition(b":")[2].strip().decode() if lines else ""


def talking(say: Callable[[str, str], Answer], seen: list[bytes] | None = None) -> Handler:
    """Answers with what `say` makes of the path and the Cookie header: a place that begins with / or http to go to, else a body."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(request)
        said, cookies = say(request.split(b" ")[1].decode(), cookie_of(request))
        moves = said.startswith(("/", "http"))
        head = f"HTTP/1.1 {'302 Found' if moves else '200 OK'}\r\n" + (f"Location: {said}\r\n" if moves else "")
        head += "".join(f"Set-Cookie: {one}\r\n" for one in cookies)
        body = b"" if moves else said.encode()
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    return handler


def gate(path: str, cookie: str) -> Answer:
    """Lets in who comes back with the cookie."""
    return ("inside", ()) if "seen=1" in cookie else (path, ("seen=1",))


@pytest.mark.parametrize("secure", [False, True])
async def test_a_page_that_sets_a_cookie_and_asks_again_is_up(secure: bool, make_deps: Deps, make_context: MakeContext) -> None:
    context = make_context(days=60) if secure else None
    result = await ask(make_deps, talking(gate), context=context, expect={"keyword": "inside"})

    assert result.status is Status.UP, result.message
    assert result.http is not None
    assert result.http.redirects == 1


async def test_one_check_knows_nothing_of_the_one_before(make_deps: Deps) -> None:
    seen: list[bytes] = []
    async with serving(talking(gate, seen)) as port:
        for _ in range(2):
            await look(make_deps, f"http://127.0.0.1:{port}/")

    assert [cookie_of(one) for one in seen] == ["", "seen=1", "", "seen=1"]


async def test_a_circle_stays_a_circle_whatever_cookies_it_sets(make_deps: Deps) -> None:
    """The same cookie each time changes nothing; ever new ones end with max_redirects."""
    same = await ask(make_deps, talking(lambda path, _: (path, ("a=1",))))
    turns = iter(range(1_000))
    new = await ask(make_deps, talking(lambda path, _: (path, (f"a={next(turns)}",))), max_redirects=7)

    assert is_down(same, Cause.HTTP_REDIRECT)
    assert same.message == "the redirects form a loop after 2 hops"
    assert is_down(new, Cause.HTTP_REDIRECT)
    assert new.message == "more than 7 redirects"


async def test_a_configured_cookie_is_sent_beside_the_others(make_deps: Deps) -> None:
    seen: list[bytes] = []
    await ask(make_deps, talking(gate, seen), headers={"Cookie": "mine=é; seen=0"})

    assert [cookie_of(one) for one in seen] == ["mine=é; seen=0", "mine=é; seen=1"]


async def test_another_host_gets_none_and_the_first_has_its_own_again(make_deps: Deps) -> None:
    away: list[bytes] = []
    home: list[bytes] = []
    async with serving(page(b"")) as spare:
        back = spare

    def start(path: str, _: str) -> Answer:
        return ("done", ()) if path == "/back" else (f"http://localhost:{other}/", ("home=1",))

    async with (
        serving(talking(lambda _p, _c: (f"http://127.0.0.1:{back}/back", ("away=1",)), away)) as other,
        serving(talking(start, home), port=back),
    ):
        result = await look(make_deps, f"http://127.0.0.1:{back}/", headers={"Cookie": "mine=1"})

    assert result.status is Status.UP, result.message
    assert cookie_of(away[0]) == ""
    assert [cookie_of(one) for one in home] == ["mine=1", "mine=1; home=1"]


async def test_a_jar_that_is_stuffed_stays_small(make_deps: Deps) -> None:
    """Thousands of cookies, and some of enormous size: what is sent stays below what servers take."""
    seen: list[bytes] = []
    many = [f"c{number}={'x' * 1_500}" for number in range(120)]
    await ask(make_deps, talking(lambda path, _: (path + "x", many), seen), max_redirects=3)

    assert max(map(len, seen)) < 66_000


# The jar itself

RULES: list[tuple[str, str, str, str, str]] = [
    # what, set at, Set-Cookie, asked at, Cookie
    ("a host's own", "https://a.test/", "c=1", "https://a.test/x", "c=1"),
    ("not its subdomain's", "https://a.test/", "c=1", "https://b.a.test/", ""),
    ("its domain's", "https://b.a.test/", "c=1; Domain=a.test", "https://c.a.test/", "c=1"),
    ("its domain's with a dot", "https://b.a.test/", "c=1; domain=.A.TEST", "https://a.test/", "c=1"),
    ("not another's", "https://a.test/", "c=1; Domain=b.test", "https://b.test/", ""),
    ("not one that ends alike", "https://xa.test/", "c=1; Domain=a.test", "https://a.test/", ""),
    ("not a public suffix's", "https://a.co.uk/", "c=1; Domain=co.uk", "https://b.co.uk/", ""),
    ("not a public suffix's with a wildcard", "https://a.b.ck/", "c=1; Domain=b.ck", "https://c.b.ck/", ""),
    ("an exception's", "https://a.www.ck/", "c=1; Domain=www.ck", "https://www.ck/", "c=1"),
    ("not a private suffix's", "https://a.github.io/", "c=1; Domain=github.io", "https://b.github.io/", ""),
    ("not the top level's", "https://a.test/", "c=1; Domain=test", "https://a.test/", ""),
    ("the public suffix's own", "https://github.io/", "c=1; Domain=github.io", "https://github.io/", "c=1"),
    ("but nobody below it", "https://github.io/", "c=1; Domain=github.io", "https://a.github.io/", ""),
    ("an address's own", "http://192.0.2.1/", "c=1; Domain=192.0.2.1", "http://192.0.2.1/", "c=1"),
    ("not part of an address", "http://192.0.2.1/", "c=1; Domain=2.1", "http://192.0.2.1/", ""),
    ("a foreign name's", "https://a.bücher.test/", "c=1; Domain=b\xfccher.test", "https://b.bücher.test/", "c=1"),
    ("a foreign public suffix's", "https://a.个人.hk/", "c=1; Domain=xn--ciqpn.hk", "https://b.个人.hk/", ""),
    ("an empty domain", "https://a.test/", "c=1; Domain=", "https://a.test/", "c=1"),
    ("another port's", "https://a.test/", "c=1", "https://a.test:8443/", "c=1"),
    ("secure, over http", "https://a.test/", "c=1; Secure", "http://a.test/", ""),
    ("secure, from http", "http://a.test/", "c=1; Secure", "https://a.test/", ""),
    ("secure, on this machine", "http://127.0.0.1/", "c=1; Secure", "http://127.0.0.1/", "c=1"),
    ("plain, over https", "http://a.test/", "c=1", "https://a.test/", "c=1"),
    ("its path's", "https://a.test/x", "c=1; Path=/y", "https://a.test/y/z", "c=1"),
    ("its path's itself", "https://a.test/x", "c=1; Path=/y", "https://a.test/y?q", "c=1"),
    ("not one that begins alike", "https://a.test/x", "c=1; Path=/y", "https://a.test/yy", ""),
    ("the folder's", "https://a.test/x/y", "c=1", "https://a.test/x/z", "c=1"),
    ("not the folder above", "https://a.test/x/y", "c=1", "https://a.test/", ""),
    ("a path that is none", "https://a.test/x/y", "c=1; Path=z", "https://a.test/x/", "c=1"),
    ("the last path counts", "https://a.test/", "c=1; Path=/y; Path=/", "https://a.test/", "c=1"),
    ("over already", "https://a.test/", "c=1; Max-Age=0", "https://a.test/", ""),
    ("over in the past", "https://a.test/", "c=1; Max-Age=-1", "https://a.test/", ""),
    ("over by date", "https://a.test/", "c=1; Expires=Thu, 01-Jan-1970 00:00:01 GMT", "https://a.test/", ""),
    ("over by date alone", "https://a.test/", "c=1; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:01 GMT", "https://a.test/", "c=1"),
    ("not over yet", "https://a.test/", "c=1; Expires=Fri, 31 Dec 2049 23:59:59 GMT", "https://a.test/", "c=1"),
    ("a date that is none", "https://a.test/", "c=1; Expires=tomorrow", "https://a.test/", "c=1"),
    ("without a name", "https://a.test/", "only", "https://a.test/", "only"),
    ("without a value", "https://a.test/", "c=", "https://a.test/", "c="),
    ("without anything", "https://a.test/", "; Path=/", "https://a.test/", ""),
    ("with equals signs", "https://a.test/", "c=a=b==", "https://a.test/", "c=a=b=="),
    ("in quotes", "https://a.test/", 'c="a b"', "https://a.test/", 'c="a b"'),
    ("with a control character", "https://a.test/", "c=a\x01b", "https://a.test/", ""),
    ("too long", "https://a.test/", "c=" + "x" * 4_096, "https://a.test/", ""),
    ("__Host- with a domain", "https://a.test/", "__Host-c=1; Secure; Path=/; Domain=a.test", "https://a.test/", ""),
    ("__Host- without Secure", "https://a.test/", "__Host-c=1; Path=/", "https://a.test/", ""),
    ("__Host- as it must be", "https://a.test/", "__Host-c=1; Secure; Path=/", "https://a.test/", "__Host-c=1"),
    ("__Secure- without Secure", "https://a.test/", "__secure-c=1", "https://a.test/", ""),
    ("for scripts too", "https://a.test/", "c=1; HttpOnly; SameSite=Strict; Priority=High", "https://a.test/", "c=1"),
]


@pytest.mark.parametrize(("at", "text", "asked", "sent"), [one[1:] for one in RULES], ids=[one[0] for one in RULES])
def test_whose_a_cookie_is(at: str, text: str, asked: str, sent: str) -> None:
    jar = CookieJar(NOW)
    jar.take(Place.of(at), [text])

    assert "; ".join(jar.pairs(Place.of(asked))) == sent


def test_longer_paths_come_first_then_the_older_ones() -> None:
    jar, place = CookieJar(NOW), Place.of("https://a.test/x/y")
    jar.take(place, ["a=1; Path=/", "b=2; Path=/x", "c=3; Path=/", "a=4; Path=/"])

    assert jar.pairs(place) == ("b=2", "a=4", "c=3")


def test_what_is_set_again_is_replaced_and_what_has_ended_is_gone() -> None:
    jar, place = CookieJar(NOW), Place.of("https://a.test/")
    jar.take(place, ["a=1", "b=2; Secure"])
    jar.take(place, ["a=; Max-Age=0"])
    jar.take(Place.of("http://a.test/"), ["b=stolen", "b=; Max-Age=0"])

    assert jar.pairs(place) == ("b=2",)
    assert jar.values == ["2"]


@pytest.mark.parametrize(
    ("configured", "pairs", "sent"),
    [("a=1; b=2", ("c=3",), "a=1; b=2; c=3"), ("a=1;b=2", ("b=3",), "a=1; b=3"), ("", ("b=3",), "b=3"), ("a=1", (), "a=1")],
)
def test_one_header(configured: str, pairs: Any, sent: str) -> None:
    assert merged(configured, pairs) == sent


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("com", True),
        ("co.uk", True),
        ("example.com", False),
        ("lan", True),
        ("nas.lan", False),
        ("公司.cn", True),
        ("xn--55qx5d.cn", True),
        ("", True),
    ],
)
def test_public_suffixes(name: str, public: bool) -> None:
    assert is_public_suffix(name) is public
