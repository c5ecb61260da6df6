"""The wider diagnostics: the page again, siblings, the path, the zone's servers; and how little of it a sick service has to bear."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from vigie.collectors import CollectorDeps, PageAddress, addresses, dns, page, path, siblings, tls
from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, Monitor, Status, Timings, TlsFacts
from vigie.net import Answer
from vigie.report import facts, measured, rules
from vigie.report.facts import Evidence, Subject
from vigie.testing.servers import answering, serving

Deps = Callable[..., CollectorDeps]
About = Callable[..., Subject]


def by_name(found: Any) -> dict[str, Evidence]:
    return {one.name: one for one in found}


def reached(subject: About, url: str, **more: Any) -> Subject:
    return subject(url, address="127.0.0.1", timings=Timings(connect=1.0), **more)


async def test_the_page_is_asked_for_again_by_get_and_head(deps: Deps, subject: About) -> None:
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        seen.append(request)
        status = "200 OK" if request.startswith(b"HEAD") else "502 Bad Gateway"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    async with serving(handler) as port:
        url = f"http://shop.example:{port}/cart?x=1"
        found = by_name(await page.build(deps(page_of=lambda _: PageAddress(url))).collect(reached(subject, url), 2_000))

    assert (found["get.again"].value, found["get.again"].bad) == (502, True)
    assert found["head.again"].fr == "La même requête en HEAD reçoit le statut HTTP 200."
    assert {line.split(b"\r\n")[0] for line in seen} == {b"GET /cart?x=1 HTTP/1.1", b"HEAD /cart?x=1 HTTP/1.1"}
    assert all(f"Host: shop.example:{port}".encode() in line for line in seen)


async def test_a_page_that_answers_the_second_time_is_told_so_and_head_that_agrees_is_not(deps: Deps, subject: About) -> None:
    async with serving(answering("HTTP/1.1 200 OK\nContent-Length: 0\n\n")) as port:
        url = f"http://shop.example:{port}/"
        (found,) = await page.build(deps(page_of=lambda _: PageAddress(url))).collect(reached(subject, url), 2_000)

    assert (found.value, found.bad) == (200, False)
    assert found.en.startswith("A second request, over HTTP/1.1, gets HTTP status 200 in ")


@dataclass
class Listening:
    """A TLS server that writes down what it is sent once the handshake is done."""

    port: int
    heard: list[bytes]


@asynccontextmanager
async def listening(authority: trustme.CA, *names: str) -> AsyncIterator[Listening]:
    heard: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    async with serving(handler, context) as port:
        yield Listening(port, heard)


async def test_a_page_over_tls_is_asked_for_where_the_server_proves_who_it_is(deps: Deps, subject: About, tmp_path: Path) -> None:
    authority, file = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    async with listening(authority, "shop.example") as server:
        url = f"https://shop.example:{server.port}/?token=hunter2"
        found = by_name(await page.build(deps(page_of=lambda _: PageAddress(url, str(file)))).collect(reached(subject, url), 2_000))
        assert found["get.again"].value == 204
        assert len(server.heard) == 2


@pytest.mark.parametrize("wrong", ["another name", "an unknown authority"])
async def test_a_server_that_does_not_prove_who_it_is_hears_nothing_of_the_url(
    deps: Deps, subject: About, tmp_path: Path, wrong: str
) -> None:
    authority, other, file = trustme.CA(), trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    issuer, name = (authority, "other.example") if wrong == "another name" else (other, "shop.example")
    async with listening(issuer, name) as server:
        url = f"https://shop.example:{server.port}/?token=hunter2"
        found = by_name(await page.build(deps(page_of=lambda _: PageAddress(url, str(file)))).collect(reached(subject, url), 2_000))
        assert found["get.again"].value == 0
        assert server.heard == []
        known = PageAddress(url, str(file), insecure=True)  # the check itself verifies nothing
        found = by_name(await page.build(deps(page_of=lambda _: known)).collect(reached(subject, url), 2_000))
        assert found["get.again"].value == 204


@pytest.mark.parametrize("cause", [one for one in Cause if one.startswith("tls.")])
async def test_after_a_failure_of_tls_nothing_is_asked_for(deps: Deps, subject: About, cause: Cause) -> None:
    async with listening(trustme.CA(), "shop.example") as server:
        url = f"https://shop.example:{server.port}/?token=hunter2"
        known, about = PageAddress(url, insecure=True), reached(subject, url)
        about = replace(about, result=replace(about.result, cause=cause))
        assert await page.build(deps(page_of=lambda _: known)).collect(about, 500) == []
        assert server.heard == []


@pytest.mark.parametrize("kind", [page, addresses, tls])
async def test_a_check_that_was_led_to_another_host_has_nothing_asked_there_in_the_name_of_the_first(
    deps: Deps, subject: About, kind: Any
) -> None:
    connections = 0

    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()

    async with serving(handler) as port:
        url = f"https://shop.example:{port}/?token=hunter2"
        given = deps({None: Answer(("127.0.0.1",), None, 1.0)}, page_of=lambda _: PageAddress(url, insecure=True))
        about = reached(subject, url, addresses=("127.0.0.1",))
        about = replace(about, result=replace(about.result, host="accounts.example"))
        assert await kind.build(given).collect(about, 500) == []
        assert connections == 0


async def test_a_page_that_stays_silent_is_given_up_in_time(deps: Deps, subject: About) -> None:
    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(hang) as port:
        url = f"http://shop.example:{port}/"
        (found,) = await page.build(deps(page_of=lambda _: PageAddress(url))).collect(reached(subject, url), 200)
    assert (found.value, found.bad) == (0, True)
    assert found.en.startswith("A second request, over HTTP/1.1, gets no response within 1")


@pytest.mark.parametrize("answer", ["", "no HTTP at all\n", "HTTP/1.1 2x0 OK\n\n"])
async def test_an_answer_that_is_no_http_is_none(deps: Deps, subject: About, answer: str) -> None:
    async with serving(answering(answer)) as port:
        url = f"http://shop.example:{port}/"
        (found,) = await page.build(deps(page_of=lambda _: PageAddress(url))).collect(reached(subject, url), 2_000)
    assert found.value == 0


async def test_no_page_is_asked_for_that_may_not_be_or_that_was_not_reached(deps: Deps, subject: About) -> None:
    url = "http://shop.example/"
    assert await page.build(deps()).collect(reached(subject, url), 500) == []
    assert await page.build(deps(page_of=lambda _: PageAddress(url))).collect(subject(url, address="127.0.0.1"), 500) == []


async def test_the_zones_own_servers_are_asked(deps: Deps, subject: About) -> None:
    gone, good = Answer((), Cause.DNS_NXDOMAIN, 3.0), Answer(("192.0.2.7",), None, 3.0)
    zone = ("shop.example", ("192.0.2.53", "192.0.2.54"))
    both = by_name(await dns.build(deps({None: gone, zone[1][0]: good, zone[1][1]: good}, zone=zone)).collect(subject(), 5_000))
    one = by_name(await dns.build(deps({None: good, zone[1][0]: good, zone[1][1]: gone}, zone=zone)).collect(subject(), 5_000))
    none = by_name(await dns.build(deps({None: gone, zone[1][0]: gone, zone[1][1]: gone}, zone=zone)).collect(subject(), 5_000))

    assert both["resolver.zone"].bad is False
    assert one["resolver.zone"].bad is None
    assert one["resolver.zone"].en == "Queried servers of the zone shop.example that return an address: 1 of 2 (dns.nxdomain)."
    assert none["resolver.zone"].bad is True


async def test_addresses_of_the_other_family_are_looked_at_too(deps: Deps, subject: About) -> None:
    async with serving(answering("")) as port:
        given = deps({None: Answer(("::1", "127.0.0.1"), None, 1.0)})
        found = by_name(await addresses.build(given).collect(subject(f"http://shop.example:{port}/", addresses=("127.0.0.1",)), 3_000))
    assert found["address.127.0.0.1"].bad is False
    assert found["address.::1"].bad is True
    assert found["family"].value == "IPv6"


async def test_a_handshake_that_works_without_a_name_says_so(deps: Deps, subject: About) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("shop.example").configure_cert(context)

    def refuse(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> int | None:
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME if name else None

    context.sni_callback = refuse  # a code instead of None ends the handshake
    async with serving(answering(""), context) as port:
        found = by_name(await tls.build(deps()).collect(reached(subject, f"https://shop.example:{port}/"), 3_000))
    assert found["handshake"].bad is True
    assert found["no_sni"].bad is True


def known(name: str, status: Status, *, address: str = "192.0.2.1", tags: tuple[str, ...] = (), at: int = 0, issuer: str = "") -> Any:
    monitor = Monitor(name, name, "http", f"https://{name}.example/", f"{name}.example", 30_000, 5_000, tags=tags)
    certificate = TlsFacts("TLSv1.3", issuer, f"{name}.example", 1) if issuer else None
    return monitor, CheckResult(name, at, status, address=address, tls=certificate)


async def test_siblings_are_counted_by_what_they_share(deps: Deps, subject: About) -> None:
    given = deps()
    now = given.clock.now()
    others = [
        known("a", Status.DOWN, address="192.0.2.7", at=now),
        known("b", Status.DOWN, address="192.0.2.7", at=now),
        known("c", Status.UP, address="192.0.2.99", at=now),
        known("d", Status.DOWN, address="198.51.100.1", at=now),
        known("e", Status.DOWN, address="192.0.2.7", at=now - 86_400_000),  # too old to say anything about now
    ]

    async def all_known() -> Any:
        return others

    found = by_name(await siblings.build(deps(known=all_known)).collect(subject(address="192.0.2.7"), 100))
    assert found["siblings.address"].en == "The 2 other monitors at this address are down."
    assert found["siblings.address"].bad is True
    assert found["siblings.network"].fr == "Sur les 3 autres services surveillés de ce réseau, 2 sont en panne."
    assert found["siblings.network"].bad is None
    assert found.keys() == {"siblings.address", "siblings.network"}


async def test_the_last_good_address_stands_in_where_the_check_reached_nobody(deps: Deps, subject: About) -> None:
    given = deps()

    async def all_known() -> Any:
        return [known("a", Status.UP, address="192.0.2.7", at=given.clock.now())]

    good = CheckResult("shop", 0, Status.UP, address="192.0.2.7")
    found = by_name(await siblings.build(deps(known=all_known)).collect(subject(good=good), 100))
    assert found["siblings.address"].bad is False


async def test_the_path_to_an_address_is_traced_without_privileges(deps: Deps, subject: About) -> None:
    about = subject(address="127.0.0.1")
    timed_out = Subject(about.monitor, about.incident, CheckResult("shop", 0, Status.DOWN, Cause.TIMEOUT_CONNECT, address="127.0.0.1"))
    (found,) = await path.build(deps()).collect(timed_out, 3_000)
    assert (found.bad, found.en) == (False, "The network path reaches the host in 1 hop.")
    assert await path.build(deps()).collect(about, 3_000) == []  # a refusal comes from the host itself


async def test_a_whole_second_look_brings_a_sick_service_at_most_twelve_requests(deps: Deps, subject: About) -> None:
    count = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await reader.read(1)

    # Every address of the loopback network leads to the same server.
    async with serving(hang_up, host="0.0.0.0") as port:
        url = f"https://shop.example:{port}/"
        many = tuple(f"127.0.0.{number}" for number in range(1, 20))
        given, about = deps(page_of=lambda _: PageAddress(url)), reached(subject, url, addresses=many)
        await asyncio.gather(*(module.build(given).collect(about, 2_000) for module in (addresses, page, tls, dns, siblings, path)))
        await asyncio.sleep(0)
    assert 8 <= count <= 12


def concluded(about: Subject, cause: Cause, *evidence: Evidence, **figures: int) -> list[str]:
    """The hypotheses of the rules."""
    from datetime import UTC

    result = CheckResult("shop", 0, Status.DOWN, cause, figures=dict(figures))
    meant = Subject(about.monitor, about.incident.__class__("shop-1", "shop", Severity.OUTAGE, cause, 0, 0), result)
    return [one.id for one in rules.shortlist(measured.bundle(meant, evidence, 0, UTC), meant)]


def told(kind: facts.FactKind, name: str, *, bad: bool) -> Evidence:
    return Evidence(kind, name, 1, "Un fait.", "A fact.", 0, "diagnostics", bad=bad)


@pytest.mark.parametrize(
    ("cause", "kind", "name", "bad", "first"),
    [
        (Cause.TCP_REFUSED, facts.FactKind.SIBLINGS, "siblings.address", True, "host_down"),
        (Cause.TIMEOUT_CONNECT, facts.FactKind.SIBLINGS, "siblings.address", True, "host_down"),
        (Cause.TIMEOUT_CONNECT, facts.FactKind.SIBLINGS, "siblings.network", True, "network_down"),
        (Cause.TCP_REFUSED, facts.FactKind.SIBLINGS, "siblings.address", False, "not_listening"),
        (Cause.TIMEOUT_CONNECT, facts.FactKind.TCP, "other_port", False, "port_filtered"),
        (Cause.TIMEOUT_FIRST_BYTE, facts.FactKind.HTTP, "head.again", False, "page_stuck"),
        (Cause.TLS_HANDSHAKE, facts.FactKind.TLS, "no_sni", True, "sni"),
        (Cause.DNS_SERVFAIL, facts.FactKind.DNS, "resolver.zone", True, "zone_servers"),
    ],
)
def test_rules_draw_on_the_second_look(subject: About, cause: Cause, kind: facts.FactKind, name: str, bad: bool, first: str) -> None:
    assert concluded(subject(), cause, told(kind, name, bad=bad))[0] == first


def test_the_error_queue_is_read_for_both_families() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.connect(("::1", 9))  # there is an IPv6 loopback to test on
    (hop,) = asyncio.run(path.trace("::1", 2.0))
    assert (hop.far, hop.address, hop.arrived) == (1, "::1", True)
