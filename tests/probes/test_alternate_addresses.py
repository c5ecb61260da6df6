"""One dead address of several, one family dead of two: named, though the check itself succeeded; and neighbours that are not accused."""

import asyncio
import contextlib
import datetime as dt
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from vigie.agent import build_probe, check_once
from vigie.clock import SystemClock
from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, HttpFacts, Incident, Monitor, Status
from vigie.net import Answer, Link
from vigie.observation.check_spec import CheckSpec
from vigie.probes.kit import alternate_addresses
from vigie.probes.kit.alternate_addresses import CHECKS_PER_TRIAL, AlternateAddresses
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.link_guard import LinkGuard
from vigie.report import rules
from vigie.report.facts import Subject
from vigie.report.measured import bundle
from vigie.report.wording import cause_words, short_words
from vigie.testing.servers import black_hole, ended, page
from vigie.testing.starvation import measured

UP, DEGRADED = Status.UP, Status.DEGRADED
V4, OTHER, V6 = "127.0.0.1", "127.0.0.2", "::1"


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind((V6, 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6, not even of its own")


@dataclass
class Told:
    """A resolver that knows one name."""

    addresses: tuple[str, ...]

    async def resolve(self, host: str, *, family: int | None = None, timeout_ms: int = 5_000, server: str | None = None) -> Answer:
        return Answer(self.addresses, None, 0.1)

    def close(self) -> None: ...


@contextlib.asynccontextmanager
async def serving(*hosts: str) -> AsyncIterator[tuple[int, list[str]]]:
    """A healthy service on the same port of each address; yields the port and where somebody connected, oldest first."""
    met: list[str] = []
    answer = page(b"hello")

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(writer.get_extra_info("sockname")[0])
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await answer(reader, writer)
        writer.transport.abort()

    servers = [await asyncio.start_server(handler, hosts[0], 0)]
    port = servers[0].sockets[0].getsockname()[1]
    servers += [await asyncio.start_server(handler, host, port) for host in hosts[1:]]
    try:
        yield port, met
    finally:
        await ended(*servers)


def watched(port: int, *addresses: str, every: int = CHECKS_PER_TRIAL) -> AlternateAddresses:
    """The probe of a name with these addresses, as the agent makes it; what the page says is not read."""
    resolver: Any = Told(addresses)
    deps = ProbeDeps(SystemClock(), resolver, Link(resolver, ()))
    url = f"http://shop.test:{port}/"
    spec = CheckSpec("shop", "shop", "http", url, "shop.test", 60_000, 2_000, {"url": url, "content_checks": False})
    return build_probe(spec, deps, every=every)


async def test_a_dead_address_is_named_once_two_looks_found_it_so() -> None:
    async with serving(V4) as (port, _):
        probe = watched(port, V4, OTHER)
        results = [await probe.check(2_000) for _ in range(CHECKS_PER_TRIAL + 3)]
    assert [one.status for one in results] == [UP] * CHECKS_PER_TRIAL + [DEGRADED] * 3
    last = results[-1]
    assert (last.cause, last.address) == (Cause.TCP_REFUSED, V4)
    assert last.figures == {"address": OTHER, "dead": 1, "addresses": 2}
    assert OTHER in last.message
    assert last.http == HttpFacts(200, "1.1", bytes=5, type="text/html"), "all else is as the check found it"


@needs_ipv6
async def test_at_most_one_look_in_a_few_checks_and_never_two_in_one() -> None:
    async with serving(V4, OTHER, V6) as (port, met):
        probe = watched(port, V4, OTHER, V6)
        results, looks = [], []
        for _ in range(CHECKS_PER_TRIAL * 6):
            before = len(met)
            results.append(await probe.check(2_000))
            await asyncio.sleep(0)
            looks.append(len(met) - before - 1)
    assert {one.status for one in results} == {UP}
    assert (sum(looks), max(looks)) == (6, 1)
    assert met.count(OTHER) == met.count(V6) == 3, "each in its turn"


async def test_an_address_that_failed_once_and_answers_again_is_nothing() -> None:
    async with serving(V4) as (port, _):
        probe = watched(port, V4, OTHER)
        for _ in range(CHECKS_PER_TRIAL):
            await probe.check(2_000)
        other = await asyncio.start_server(lambda _, writer: writer.transport.abort(), OTHER, port)
        assert [(await probe.check(2_000)).status for _ in range(CHECKS_PER_TRIAL * 2)] == [UP] * CHECKS_PER_TRIAL * 2
        other.close()


async def test_its_return_is_seen_at_the_next_look() -> None:
    async with serving(V4) as (port, _):
        probe = watched(port, V4, OTHER, every=1)
        assert [(await probe.check(2_000)).status for _ in range(3)] == [UP, DEGRADED, DEGRADED]
        other = await asyncio.start_server(lambda _, writer: writer.transport.abort(), OTHER, port)
        assert (await probe.check(2_000)).status is UP
        other.close()


async def test_an_address_that_left_the_name_is_forgotten() -> None:
    async with serving(V4) as (port, _):
        probe = watched(port, V4, OTHER, every=1)
        results = [await probe.check(2_000) for _ in range(2)]
        probe.deps.resolver.addresses = (V4,)  # type: ignore[attr-defined]
        results.append(await probe.check(2_000))
    assert [one.status for one in results] == [UP, DEGRADED, UP]


@needs_ipv6
async def test_a_family_that_is_dead_as_a_whole_is_named_as_such() -> None:
    async with serving(V4, OTHER) as (port, _):
        probe = watched(port, V4, V6, OTHER, every=1)
        results = [await probe.check(2_000) for _ in range(5)]
    last = results[-1]
    assert (last.status, last.cause, last.figures["family"], last.figures["address"]) == (DEGRADED, Cause.TCP_REFUSED, "IPv6", V6)
    assert "no IPv6 address works" in last.message


async def test_a_silent_address_costs_no_more_than_the_checks_time() -> None:
    async with serving(V4) as (port, _):
        with black_hole(OTHER, port):
            probe = watched(port, V4, OTHER, every=1)
            for status in (UP, DEGRADED):
                async with measured() as starved:
                    started = time.monotonic()
                    result = await probe.check(700)
                    took = time.monotonic() - started
                assert took < 0.9 + starved.lost
                assert result.status is status
    assert result.cause is Cause.TIMEOUT_CONNECT
    assert result.timings.total is not None
    assert result.timings.total < 300, "the look is no part of what was measured"


async def test_dead_addresses_are_told_though_the_check_went_round_them() -> None:
    """The probe tries its addresses in turn: here the first of them refuses."""
    async with serving(OTHER) as (port, _):
        probe = watched(port, V4, OTHER, every=1)
        results = [await probe.check(2_000) for _ in range(2)]
    assert [one.status for one in results] == [UP, DEGRADED]
    assert (results[1].address, results[1].figures["address"]) == (OTHER, V4)


async def test_a_machine_without_ipv6_accuses_no_address_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alternate_addresses, "has_route", lambda _, family: family.name == "AF_INET")
    async with serving(V4) as (port, _):
        probe = watched(port, V4, V6, every=1)
        assert {(await probe.check(2_000)).status for _ in range(6)} == {UP}


@dataclass
class Way:
    """A link that gets out by these families only."""

    families: tuple[int, ...]
    asked: list[int] = field(default_factory=list)

    async def reaches(self, version: int) -> bool:
        self.asked.append(version)
        return version in self.families


@dataclass
class Found:
    """A probe that finds what it is told."""

    result: CheckResult

    async def check(self, timeout_ms: int) -> CheckResult:
        return self.result


OUTSIDE = ("8.8.8.8", "2001:4860::8", "8.8.4.4")


@pytest.mark.parametrize(("families", "accused"), [((4, 6), "2001:4860::8"), ((4,), None)])
async def test_a_silence_counts_only_where_we_get_out_by_that_family(
    monkeypatch: pytest.MonkeyPatch, families: tuple[int, ...], accused: str | None
) -> None:
    async def connected(address: str, port: int, wait_ms: int) -> Cause | None:
        return Cause.TIMEOUT_CONNECT if ":" in address else None

    monkeypatch.setattr(alternate_addresses, "_connected", connected)
    way: Any = Way(families)
    resolver: Any = Told(OUTSIDE)
    found = CheckResult("", 0, UP, address=OUTSIDE[0], addresses=OUTSIDE)
    probe = AlternateAddresses(Found(found), ProbeDeps(SystemClock(), resolver, way), "https://shop.test/", every=1)
    results = [await probe.check(2_000) for _ in range(6)]
    assert results[-1].figures.get("address") == accused
    assert set(way.asked) == {6}


@pytest.mark.parametrize(
    ("status", "cause", "target", "address"),
    [
        (Status.DOWN, Cause.HTTP_STATUS, "http://shop.test/", V4),
        (Status.UNKNOWN, Cause.PROBE_NETWORK, "http://shop.test/", V4),
        (UP, None, "", V4),
        (UP, None, "http://shop.test:nonsense/", V4),
        (UP, None, "http://shop.test/", "192.0.2.9"),
        (UP, None, "http://shop.test/", None),
        (UP, None, "http://localhost:8080/", V4),
        (UP, None, "http://shop.localhost/", V4),
    ],
)
async def test_where_it_has_no_business_it_looks_at_nothing(
    monkeypatch: pytest.MonkeyPatch, status: Status, cause: Cause | None, target: str, address: str | None
) -> None:
    async def connected(*_: object) -> Cause | None:
        raise AssertionError("it looked")

    monkeypatch.setattr(alternate_addresses, "_connected", connected)
    resolver: Any = Told(())
    deps = ProbeDeps(SystemClock(), resolver, Link(resolver, ()))
    found = CheckResult("", 0, status, cause, address=address, addresses=(V4, OTHER))
    assert await AlternateAddresses(Found(found), deps, target, every=1).check(2_000) is found


async def test_another_degradation_keeps_its_own_words() -> None:
    resolver: Any = Told(())
    deps = ProbeDeps(SystemClock(), resolver, Link(resolver, ()))
    async with serving(V4) as (port, _):
        found = CheckResult("", 0, DEGRADED, Cause.TLS_EXPIRING, address=V4, addresses=(V4, OTHER))
        probe = AlternateAddresses(Found(found), deps, f"https://shop.test:{port}/", every=1)
        assert [await probe.check(2_000) for _ in range(3)] == [found] * 3


async def test_a_redirect_gives_no_port_to_a_service_that_is_not_tried_by_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alternate_addresses, "_connected", None)  # a try would fail
    resolver: Any = Told(())
    deps = ProbeDeps(SystemClock(), resolver, Link(resolver, ()))
    http = HttpFacts(200, "3", redirects=1, hops=("https://shop.test:1/welcome",))
    found = CheckResult("", 0, UP, address=V4, addresses=(V4, OTHER), http=http)
    assert await AlternateAddresses(Found(found), deps, "", every=1).check(2_000) is found


@pytest.mark.parametrize(
    ("kind", "options", "tried"),
    [
        ("http", {"url": "https://shop.test/"}, True),
        ("http", {"url": "https://shop.test/", "http": "3"}, False),
        ("steps", {"steps": [{"url": "https://shop.test/", "http": "3"}]}, False),
        ("tcp", {"host": "shop.test", "port": 25}, True),
        ("dns", {"name": "shop.test"}, False),
        ("icmp", {"host": "shop.test"}, False),
        ("exec", {"command": ["true"]}, False),
        ("domain", {"domain": "shop.test"}, False),
        ("heartbeat", {"period": 60_000, "token": "0123456789"}, False),
    ],
)
async def test_what_can_be_tried_by_tcp_is_said_by_the_kind(kind: str, options: dict[str, object], tried: bool) -> None:
    resolver: Any = Told(())
    deps = ProbeDeps(SystemClock(), resolver, Link(resolver, ()))
    built = build_probe(CheckSpec("one", "one", kind, "some://target:1", "shop.test", 60_000, 2_000, options), deps)
    assert bool(built.target) is tried
    assert isinstance(built.probe, LinkGuard) is (kind != "heartbeat")
    deps.close()


async def test_the_port_is_that_of_the_last_hop() -> None:
    resolver: Any = Told(())
    deps = ProbeDeps(SystemClock(), resolver, Link(resolver, ()))
    async with serving(V4, OTHER) as (port, met):
        http = HttpFacts(200, "1.1", redirects=1, hops=(f"https://shop.test:{port}/welcome",))
        found = CheckResult("", 0, UP, address=V4, addresses=(V4, OTHER), http=http)
        assert (await AlternateAddresses(Found(found), deps, "http://shop.test:1/", every=1).check(2_000)).status is UP
    assert met == [OTHER]


async def test_a_check_from_the_command_line_confirms_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from vigie import agent

    monkeypatch.setattr(agent, "Resolver", lambda: Told((V4, OTHER)))
    async with serving(V4) as (port, _):
        url = f"http://shop.test:{port}/"
        spec = CheckSpec("shop", "shop", "http", url, "shop.test", 60_000, 2_000, {"url": url})
        (result,) = await check_once([spec], [])
    assert (result.status, result.cause, result.figures["address"]) == (DEGRADED, Cause.TCP_REFUSED, OTHER)


@pytest.mark.parametrize("cause", [Cause.TCP_REFUSED, Cause.TIMEOUT_CONNECT, Cause.TCP_UNREACHABLE])
@pytest.mark.parametrize("family", [{}, {"family": "IPv6"}])
def test_reports_name_the_address_and_blame_no_stopped_service(cause: Cause, family: dict[str, str]) -> None:
    figures: dict[str, Any] = {"address": OTHER, "dead": 1, "addresses": 2, **family}
    for language in ("fr", "en"):
        for said in (cause_words(cause, figures, language), short_words(cause, figures, language)):
            assert OTHER in said
            assert all(value in said for value in family.values())
    result = CheckResult("shop", 1_000, DEGRADED, cause, "", figures=figures, address=V4, addresses=(V4, OTHER))
    monitor = Monitor("shop", "shop", "http", "http://shop.test/", "shop.test", 60_000, 2_000)
    incident = Incident("shop-1", "shop", Severity.DEGRADATION, cause, 1_000, 2_000)
    subject = Subject(monitor, incident, result)
    found = rules.shortlist(bundle(subject, (), 2_000, dt.UTC), subject)
    assert found[0].id == "one_address"
    assert "not_listening" not in [one.id for one in found]


def test_a_refusal_everywhere_keeps_its_plain_words() -> None:
    assert cause_words(Cause.TCP_REFUSED, {}, "en") == "connection refused"
    assert msgspec.json.encode(Cause.TCP_REFUSED) == b'"tcp.refused"'
