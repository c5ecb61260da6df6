"""What is sent: method, headers, body, login, and the URL as it goes out on the wire."""

from typing import Any

import msgspec
import pytest

from vigie.core.model import Status
from vigie.net import Secret
from vigie.probes.http import Config
from vigie.testing.servers import page, serving

from .looking import Deps, ask, look


async def sent(make_deps: Deps, **options: Any) -> list[str]:
    """The lines of the request's header."""
    seen: list[bytes] = []
    await ask(make_deps, page(b"", seen=seen), **options)
    return seen[0].decode().split("\r\n")


async def test_method_headers_body_and_bearer_are_sent(make_deps: Deps) -> None:
    options: dict[str, Any] = {"method": "PUT", "body": "{}", "headers": {"X-A": "b", "User-Agent": "me"}, "auth": {"bearer": "t0ken"}}
    lines = await sent(make_deps, **options)

    assert lines[0] == "PUT / HTTP/1.1"
    assert {"X-A: b", "User-Agent: me", "Authorization: Bearer t0ken", "Content-Length: 2"} <= set(lines)
    assert len([line for line in lines if line.lower().startswith("user-agent")]) == 1


@pytest.mark.parametrize(
    ("user", "password", "login"),
    [("ann", "pw", "YW5uOnB3"), ("ann", "p:w", "YW5uOnA6dw=="), ("ann", "pâ", "YW5uOnDDog=="), ("", "", "Og==")],
)
async def test_basic_authentication_is_sent(user: str, password: str, login: str, make_deps: Deps) -> None:
    assert f"Authorization: Basic {login}" in await sent(make_deps, auth={"basic": {"user": user, "password": password}})


async def test_a_login_takes_the_place_of_a_header_of_that_name(make_deps: Deps) -> None:
    lines = await sent(make_deps, auth={"bearer": "new"}, headers={"authorization": "Bearer old"})

    assert [line for line in lines if line.lower().startswith("authorization")] == ["Authorization: Bearer new"]


async def test_what_is_sent_by_itself_is_little(make_deps: Deps) -> None:
    lines = await sent(make_deps)

    assert lines[0] == "GET / HTTP/1.1"
    assert sorted(line.partition(":")[0] for line in lines[1:] if line) == ["Accept", "Accept-Encoding", "Host", "User-Agent"]
    assert any(line.startswith("User-Agent: Vigie/") for line in lines)


@pytest.mark.parametrize(("value", "line"), [("", "X-Empty:"), ("  ", "X-Empty:"), ("a  b", "X-Empty: a  b"), ("é", "X-Empty: é")])
async def test_a_header_may_be_empty_or_foreign(value: str, line: str, make_deps: Deps) -> None:
    assert line in await sent(make_deps, headers={"X-Empty": value})


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PATCH", "PURGE"])
async def test_any_method(method: str, make_deps: Deps) -> None:
    async with serving(page(b"", "text/plain", "200 OK")) as port:
        result = await look(make_deps, f"http://127.0.0.1:{port}/", method=method)
    assert result.status is Status.UP

    lines = await sent(make_deps, method=method)
    assert lines[0].startswith(f"{method} / ")
    assert ("Content-Length: 0" in lines) is (method == "PATCH")


async def test_a_head_has_no_body_whatever_it_announces(make_deps: Deps) -> None:
    result = await ask(make_deps, page(b"12345"), method="HEAD")

    assert result.status is Status.UP
    assert result.http is not None
    assert result.http.bytes == 0


async def test_a_large_body_is_sent_whole(make_deps: Deps) -> None:
    got = bytearray()

    async def taking(reader: Any, writer: Any) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"expect" not in head.lower()
        got.extend(await reader.readexactly(2_000_000))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    assert (await ask(make_deps, taking, method="POST", body="x" * 2_000_000)).status is Status.UP
    assert len(got) == 2_000_000


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/a?b=c&d", "/a?b=c&d"),
        ("/é", "/%C3%A9"),
        ("/a%20b", "/a%20b"),
        ("?x", "/?x"),
        ("/a#part", "/a"),
        ("/a/../b", "/b"),
        ("//x", "//x"),
        ("/[a]", "/[a]"),
    ],
)
async def test_a_path_goes_out_as_browsers_send_it(path: str, line: str, make_deps: Deps) -> None:
    seen: list[bytes] = []
    async with serving(page(b"", seen=seen)) as port:
        await look(make_deps, f"http://127.0.0.1:{port}{path}")

    assert seen[0].split(b" ")[1].decode() == line


@pytest.mark.parametrize("names", [("http_proxy",), ("HTTP_PROXY", "ALL_PROXY"), ("all_proxy",)])
async def test_an_environment_proxy_is_not_used(names: tuple[str, ...], make_deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in names:
        monkeypatch.setenv(name, "http://127.0.0.1:9/")

    assert (await ask(make_deps, page(b"direct"))).status is Status.UP


# The configuration


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/", "http://", "https://a b/", "http://a:99999/", "nonsense", "http://[::1/", "http://a:0/", "http://a..b/",
        "http://" + "a" * 64 + "/", "http://\ud800/", "http://%2f/", "http://1.2.3.4.5/", "http://a\x7f/", "https://ann:pa/ss@host/",
    ],
)  # fmt: skip
def test_a_bad_url_is_a_fault_of_the_configuration(url: str) -> None:
    with pytest.raises((ValueError, msgspec.ValidationError)):
        Config(url=url)


@pytest.mark.parametrize(
    "url", ["https://ann:pa/hunter2@host/", "http://ann:hunter2@a b/", "ftp://ann:hunter2@a/", "http://ann:hunter2@a:99999/"]
)
def test_what_is_wrong_with_a_url_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        Config(url=url)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "get"},
        {"method": "GET /"},
        {"headers": {"X A": Secret("b")}},
        {"headers": {"X": Secret("a\r\nHost: b")}},
        {"headers": {"": Secret("b")}},
        {"resolver": "dns.example"},
        {"proxy": "127.0.0.1:3128"},
        {"proxy": "ftp://127.0.0.1"},
        {"http": "3", "url": "http://a/"},
        {"http": "3", "proxy": "http://127.0.0.1:3128"},
    ],
)
def test_a_bad_option_is_a_fault_of_the_configuration(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Config(**({"url": "https://a/"} | wrong))
