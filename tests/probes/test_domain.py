"""The domain probe against an RDAP service and a list of registries on loopback, both of which may misbehave."""

import asyncio
import contextlib
import datetime as dt
import json
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from vigie.config import one_monitor
from vigie.core.model import Cause, CheckResult, Status
from vigie.errors import ConfigError
from vigie.probes import domain
from vigie.probes.kit.deps import ProbeDeps, configured
from vigie.testing.servers import Serve, reset, serving

Deps = Callable[[], ProbeDeps]
Contexts = Callable[..., ssl.SSLContext]
Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


def in_days(days: float) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(days=days, hours=6)).isoformat()


def registered(name: str = "shop.test", days: float | None = 400, *states: str, **more: Any) -> dict[str, Any]:
    events = [{"eventAction": "registration", "eventDate": "2001-02-03T04:05:06Z"}]
    events += [] if days is None else [{"eventAction": "expiration", "eventDate": in_days(days)}]
    about = {"objectClassName": "domain", "ldhName": name.upper(), "status": list(states) or ["active"], "events": events}
    return {**about, "nameservers": [{"ldhName": "ns1.test"}], **more}


@dataclass
class Registry:
    """Answers by path: (status, body); `location` of a redirect. `asked` holds the paths."""

    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    head: str = ""
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def put(self, path: str, body: Any, status: int = 200) -> None:
        self.answers[path] = (status, body if isinstance(body, bytes) else json.dumps(body).encode())

    async def serve(self, reader: Reader, writer: Writer) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split()[1].decode()
        self.asked.append(path)
        status, body = self.answers.get(path, (404, b""))
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{self.head}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.asynccontextmanager
async def registry(body: Any = None, status: int = 200, context: ssl.SSLContext | None = None) -> AsyncIterator[Registry]:
    made = Registry()
    if body is not None:
        made.put("/domain/shop.test", body, status)
    async with serving(made.serve, context) as made.port:
        yield made


async def look(deps: ProbeDeps, server: str | None = None, timeout: int = 5_000, **keys: Any) -> CheckResult:
    given = {} if server is None else {"rdap_server": server}
    return await domain.build(configured(domain.Config, {"domain": "shop.test", **given, **keys}), deps).check(timeout)


@pytest.fixture
def deps(make_deps: Deps) -> ProbeDeps:
    return make_deps()


async def test_a_registered_domain_is_up(deps: ProbeDeps) -> None:
    async with registry(registered()) as one:
        result = await look(deps, one.url)

    assert result.status is Status.UP, result
    assert result.figures == {"days_left": 400, "ends": in_days(400)[:10]}
    assert result.message == f"registered until {in_days(400)[:10]}, 400 days left"
    assert result.timings.total is not None


@pytest.mark.parametrize(
    ("body", "status", "cause", "words"),
    [
        (registered(days=29), Status.DEGRADED, Cause.DOMAIN_EXPIRING, "shop.test is registered for 29 more days, fewer than 30"),
        (registered(days=-3), Status.DOWN, Cause.DOMAIN_EXPIRING, "the registration of shop.test ended 3 days ago"),
        (registered("shop.test", 90, "redemption period"), Status.DOWN, Cause.DOMAIN_EXPIRING, "has lapsed (redemption period)"),
        (registered("shop.test", 90, "Pending Delete"), Status.DOWN, Cause.DOMAIN_EXPIRING, "has lapsed (pending delete)"),
        (registered("shop.test", 90, "active", "client hold"), Status.DOWN, Cause.DNS_NXDOMAIN, "out of the DNS (client hold)"),
        (registered("shop.test", 90, "server hold"), Status.DOWN, Cause.DNS_NXDOMAIN, "out of the DNS (server hold)"),
        ({"errorCode": 404, "title": "Not Found"}, Status.DOWN, Cause.DNS_NXDOMAIN, "shop.test is not registered"),
    ],
)
async def test_trouble_is_told_with_its_number(deps: ProbeDeps, body: dict[str, Any], status: Status, cause: Cause, words: str) -> None:
    async with registry(body, 404 if "errorCode" in body else 200) as one:
        result = await look(deps, one.url)

    assert (result.status, result.cause) == (status, cause), result
    assert words in result.message


@pytest.mark.parametrize(
    "body",
    [
        registered(days=30),
        registered("shop.test", 90, "client transfer prohibited", "auto renew period", "server delete prohibited"),
        registered(days=None),
        registered(rdapConformance=["rdap_level_0"], ldhName="shop.test."),
    ],
)
async def test_healthy_neighbours_are_up(deps: ProbeDeps, body: dict[str, Any]) -> None:
    async with registry(body) as one:
        assert (await look(deps, one.url)).status is Status.UP


async def test_days_may_be_chosen(deps: ProbeDeps) -> None:
    async with registry(registered(days=40)) as one:
        assert (await look(deps, one.url, days=60)).cause is Cause.DOMAIN_EXPIRING
        assert (await look(deps, one.url, days=40)).status is Status.UP


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 429, "is rate-limiting requests (HTTP 429)"),
        (b"", 503, "is rate-limiting requests (HTTP 503)"),
        (b"<html>oops", 500, "answers HTTP 500"),
        (b"", 403, "answers HTTP 403"),
        (b"<html>not found", 404, "answers HTTP 404"),
        (b"<html>welcome", 200, "is not RDAP"),
        (b"[" * 100_000, 200, "is not RDAP"),
        (b"\xff\xfe", 200, "is not RDAP"),
        ({"objectClassName": "entity"}, 200, "is not RDAP"),
        ({"objectClassName": "domain", "status": "active"}, 200, "is not RDAP"),
        (registered("other.test"), 200, "is about 'OTHER.TEST'"),
        (registered(events=[{"eventAction": "expiration", "eventDate": "soon"}]), 200, "expiry date cannot be read"),
        (b"x" * 300_000, 200, "longer than 262144 bytes"),
    ],
)
async def test_what_the_registry_does_badly_is_unknown(deps: ProbeDeps, body: Any, status: int, words: str) -> None:
    async with registry(body, status) as one:
        result = await look(deps, one.url)

    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR), result
    assert words in result.message


async def test_a_registry_that_is_not_there_or_not_well_is_unknown(
    serve: Serve, deps: ProbeDeps, unused_port: int, stopwatch: Callable[[], float]
) -> None:
    async def hang(reader: Reader, _: Writer) -> None:
        await reader.read()

    async def knock(reader: Reader, writer: Writer) -> None:
        await reader.readline()
        reset(writer)

    async def drip(reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert "cannot be reached" in (await look(deps, f"http://127.0.0.1:{unused_port}")).message
    for handler, words in ((hang, "did not answer"), (knock, "does not speak valid HTTP"), (drip, "did not answer")):
        async with serve(handler) as port:
            before = stopwatch()
            result = await look(deps, f"http://127.0.0.1:{port}", timeout=300)
            assert stopwatch() - before < 0.3 + 1
        assert result.status is Status.UNKNOWN
        assert words in result.message


async def test_redirects_are_followed_but_not_for_ever(deps: ProbeDeps) -> None:
    async with registry(registered()) as good, registry(b"", 302) as one:
        one.head = f"Location: {good.url}/domain/shop.test\r\n"
        followed = await look(deps, one.url)
        one.head = "Location: /domain/shop.test\r\n"
        circle = await look(deps, one.url)
        one.head = "Location: file:///etc/passwd\r\n"
        elsewhere = await look(deps, one.url)

    assert followed.status is Status.UP
    assert "more than 3 times" in circle.message
    assert "is not an http(s) URL" in elsewhere.message


async def test_the_registry_is_reached_over_tls(deps: ProbeDeps, make_context: Contexts) -> None:
    async with (
        registry(registered(), context=make_context("localhost")) as one,
        registry(registered(), context=make_context("localhost", trusted=False)) as false,
    ):
        good = await look(deps, f"https://localhost:{one.port}")
        other_name = await look(deps, f"https://127.0.0.1:{one.port}")
        untrusted = await look(deps, f"https://localhost:{false.port}")

    assert good.status is Status.UP, good
    assert [(found.status, found.cause) for found in (other_name, untrusted)] == [(Status.UNKNOWN, Cause.PROBE_ERROR)] * 2


# Address of the list of registries.


def listed(*services: tuple[list[str], list[str]]) -> dict[str, Any]:
    return {"version": "1.0", "services": [list(service) for service in services]}


async def test_the_registry_is_found_in_the_list(deps: ProbeDeps) -> None:
    async with registry() as one:
        one.put("/test/domain/shop.test", registered())
        one.put("/deep/domain/shop.co.test", registered("shop.co.test", 3))
        one.put("/dns.json", listed((["org", "test"], [f"{one.url}/test"]), (["co.test"], [f"{one.url}/deep/"])))
        found = await look(deps, rdap_list=f"{one.url}/dns.json")
        longest = await look(deps, rdap_list=f"{one.url}/dns.json", domain="shop.co.test")
        unknown = await look(deps, rdap_list=f"{one.url}/dns.json", domain="shop.example")
        gone = await look(deps, rdap_list=f"{one.url}/dns.json", domain="gone.test")

    assert (found.status, longest.cause) == (Status.UP, Cause.DOMAIN_EXPIRING)
    assert (unknown.status, unknown.message) == (Status.UNKNOWN, "no RDAP server is known for .example")
    assert unknown.advice == ("Name the registry's RDAP server with rdap_server, if it has one.",)
    assert (gone.status, gone.cause) == (Status.DOWN, Cause.DNS_NXDOMAIN)  # the list's own address: a bare 404 is its word
    assert one.asked.count("/dns.json") == 1


async def test_a_list_that_cannot_be_had_is_unknown(deps: ProbeDeps) -> None:
    async with registry() as one:
        missing = await look(deps, rdap_list=f"{one.url}/dns.json")
        one.put("/dns.json", b"<html>")
        garbage = await look(deps, rdap_list=f"{one.url}/dns.json")

    for result in (missing, garbage):
        assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR)
        assert "IANA's list of registries cannot be fetched" in result.message


class Clock:
    """The wall clock, some days later."""

    def __init__(self, days: float) -> None:
        from vigie.clock import SystemClock

        self.real, self.ahead = SystemClock(), round(days * 86_400_000)
        self.monotonic, self.sleep = self.real.monotonic, self.real.sleep

    def now(self) -> int:
        return self.real.now() + self.ahead


async def test_the_list_is_kept_for_a_day_and_longer_where_no_newer_one_can_be_had(make_deps: Deps, tmp_path: Path) -> None:
    def process(days: float) -> ProbeDeps:
        return replace(make_deps(), cache=tmp_path / "vigie", clock=Clock(days))

    async with registry() as one:
        one.put("/test/domain/shop.test", registered(days=4_000))
        one.put("/dns.json", listed((["test"], [f"{one.url}/test/"])))
        url = f"{one.url}/dns.json"
        fresh = [await look(process(days), rdap_list=url) for days in (0, 0.9, 1.1)]
        asked = one.asked.count("/dns.json")
        del one.answers["/dns.json"]
        stale = await look(process(3), rdap_list=url)
        old = await look(process(40), rdap_list=url)

    assert [found.status for found in fresh] == [Status.UP] * 3
    assert asked == 2
    assert stale.status is Status.UP
    assert old.status is Status.UNKNOWN
    assert [path.suffix for path in (tmp_path / "vigie").iterdir()] == [".json"]


async def test_a_cache_that_cannot_be_written_or_read_is_done_without(make_deps: Deps, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    async with registry() as one:
        one.put("/test/domain/shop.test", registered())
        one.put("/dns.json", listed((["test"], [f"{one.url}/test/"])))
        result = await look(replace(make_deps(), cache=tmp_path / "file"), rdap_list=f"{one.url}/dns.json")

    assert result.status is Status.UP


def test_a_url_stands_for_a_monitor_that_looks_once_a_day() -> None:
    found = one_monitor({"url": "domain://Example.COM?days=60"})
    german = one_monitor({"url": "domain://bücher.example", "every": "12h"})

    assert (found.monitor.kind, found.monitor.target, found.monitor.host) == ("domain", "domain://example.com", "example.com")
    assert (found.monitor.every_ms, found.config.reveal().days) == (86_400_000, 60)
    assert (german.monitor.target, german.monitor.every_ms) == ("domain://xn--bcher-kva.example", 43_200_000)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "domain://com"}, "'com' is not a registered domain"),
        ({"url": "domain://example.com/path"}, "is not a domain"),
        ({"type": "domain", "domain": "exa mple.com"}, "is not a host"),
        ({"type": "domain", "domain": "example.com", "rdap_server": "rdap.test"}, "is not the address of an RDAP server"),
    ],
)
def test_what_cannot_be_read_is_said(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        one_monitor(values)

    assert words in str(raised.value)
