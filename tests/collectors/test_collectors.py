"""Diagnostics: bounded, honest about what it could not see, and never an exception."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import trustme

from vigie.collectors import CollectorDeps, addresses, control, dns, tls
from vigie.core.model import Cause, Certificate, CheckResult, Status, Timings, TlsFacts
from vigie.net import Answer, hang_up
from vigie.report.facts import Evidence, Subject

Deps = Callable[..., CollectorDeps]
About = Callable[..., Subject]


@contextlib.asynccontextmanager
async def _listening(context: ssl.SSLContext | None = None, *, mute: bool = False) -> AsyncIterator[int]:
    """A port of 127.0.0.1 that accepts; a mute one never says a word."""

    taken: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)
        await reader.read(1 if not mute else -1)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for _ in range(4):  # what was accepted gets as far as its handler
            await asyncio.sleep(0)
        for writer in taken:
            hang_up(writer.transport)
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def _by_name(found: Any) -> dict[str, Evidence]:
    return {one.name: one for one in found}


async def test_names_tells_what_each_resolver_says(deps: Deps, subject: About) -> None:
    answers = {None: Answer((), Cause.DNS_NXDOMAIN, 3.0), "9.9.9.9": Answer(("192.0.2.7",), None, 9.0, "9.9.9.9")}
    given = deps(answers, second="9.9.9.9")
    found = _by_name(await dns.build(given).collect(subject(), 5_000))
    assert found["resolver.system"].fr == "Le résolveur du système ne donne aucune adresse pour shop.example (dns.nxdomain)."
    assert found["resolver.system"].bad is True
    assert found["resolver.second"].en == "The second resolver returns 192.0.2.7 for shop.example."
    assert found["resolver.second"].bad is False


async def test_names_asks_no_second_resolver_that_nobody_configured(deps: Deps, subject: About) -> None:
    given = deps({None: Answer(("192.0.2.7",), None, 3.0)})
    assert list(_by_name(await dns.build(given).collect(subject(), 5_000))) == ["resolver.system"]


async def test_names_compares_with_the_last_successful_check(deps: Deps, subject: About) -> None:
    good = CheckResult("shop", 0, Status.UP, addresses=("192.0.2.6",))
    given = deps({None: Answer(("192.0.2.7",), None, 3.0)})
    found = _by_name(await dns.build(given).collect(subject(good=good), 5_000))
    assert found["answer.change"].en == "At the last successful check, the DNS response was 192.0.2.6."
    assert found["answer.change"].bad is True
    same = CheckResult("shop", 0, Status.UP, addresses=("192.0.2.7",))
    assert _by_name(await dns.build(given).collect(subject(good=same), 5_000))["answer.change"].bad is False


@pytest.mark.parametrize("host", ["", "192.0.2.1", "2001:db8::1", "[2001:db8::1]"])
async def test_names_asks_nothing_about_an_address(deps: Deps, subject: About, host: str) -> None:
    given: Any = deps()
    assert await dns.build(given).collect(subject(host=host), 5_000) == []
    assert given.resolver.asked == []


async def test_addresses_tells_those_that_answer_from_those_that_refuse(deps: Deps, subject: About) -> None:
    async with _listening() as port:
        about = subject(f"https://shop.example:{port}/", addresses=("127.0.0.1", "127.0.0.2"))
        found = _by_name(await addresses.build(deps()).collect(about, 5_000))
    assert found["address.127.0.0.1"].bad is False
    assert "accepts the connection in" in found["address.127.0.0.1"].en
    assert found["address.127.0.0.2"].bad is True
    assert found["address.127.0.0.2"].fr == f"L'adresse 127.0.0.2, port {port}, refuse la connexion."


async def test_addresses_names_the_family_that_fails_alone(deps: Deps, subject: About) -> None:
    async with _listening() as port:
        about = subject(f"http://shop.example:{port}/", addresses=("127.0.0.1", "::1"))
        found = _by_name(await addresses.build(deps()).collect(about, 5_000))
    assert found["address.::1"].bad is True
    assert found["family"].en == "No IPv6 address accepts the connection, every IPv4 address does."


async def test_addresses_looks_at_the_host_itself_when_it_is_one(deps: Deps, subject: About) -> None:
    about = subject(f"http://127.0.0.1:{_closed_port()}/", "127.0.0.1")
    (found,) = await addresses.build(deps()).collect(about, 5_000)
    assert found.bad is True


async def test_addresses_burdens_a_sick_service_with_six_connections_at_most(deps: Deps, subject: About) -> None:
    many = tuple(f"127.0.0.{number}" for number in range(1, 30))
    found = await addresses.build(deps()).collect(subject(f"http://shop.example:{_closed_port()}/", addresses=many), 5_000)
    assert len(found) == 6


@pytest.mark.parametrize("target", ["", "icmp:shop.example", "https://shop.example:99999/", "tcp://shop.example"])
async def test_addresses_says_nothing_without_a_port(deps: Deps, subject: About, target: str) -> None:
    assert await addresses.build(deps()).collect(subject(target, addresses=("127.0.0.1",)), 5_000) == []


async def test_addresses_keeps_to_its_budget_when_nobody_answers(deps: Deps, subject: About, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "open_connection", never)
    started = time.monotonic()
    first, other = await addresses.build(deps()).collect(subject(addresses=("192.0.2.1",)), 200)
    assert time.monotonic() - started < 0.4
    assert "does not answer within 1" in first.en
    assert (other.name, other.bad) == ("other_port", True)


async def test_control_acquits_or_accuses_the_link(deps: Deps, subject: About, link: Any) -> None:
    about = subject(address="203.0.113.7", host="shop.example")
    about = subject(address="8.8.8.8")
    (fine,) = await control.build(deps(link=link())).collect(about, 5_000)
    assert (fine.name, fine.bad, fine.en) == ("link", False, "Vigie's own network link works.")
    (broken,) = await control.build(deps(link=link(Cause.PROBE_NETWORK))).collect(about, 5_000)
    assert (broken.bad, broken.fr) == (True, "La connexion réseau de Vigie elle-même est en défaut.")
    (names,) = await control.build(deps(link=link(Cause.PROBE_RESOLVER))).collect(about, 5_000)
    assert "resolver is at fault" in names.en


async def test_control_does_not_acquit_by_a_mere_route(deps: Deps, subject: About, link: Any) -> None:
    (found,) = await control.build(deps(link=link(has_targets=False))).collect(subject(address="8.8.8.8"), 5_000)
    assert (found.bad, found.en) == (None, "Vigie's own machine has a route to the outside.")


async def test_control_is_not_asked_about_a_private_service(deps: Deps, subject: About, link: Any) -> None:
    told = link()
    assert await control.build(deps(link=told)).collect(subject(address="10.0.0.8"), 5_000) == []
    assert told.asked == 0


async def test_control_gives_up_at_the_end_of_its_budget(deps: Deps, subject: About, link: Any) -> None:
    told = link()
    told.fault = asyncio.Event().wait
    assert await control.build(deps(link=told)).collect(subject(address="8.8.8.8"), 50) == []


@pytest.fixture(scope="module")
def context() -> ssl.SSLContext:
    """A server's context with a certificate for shop.example."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("shop.example").configure_cert(made)
    return made


def _reached(subject: About, port: int, **more: Any) -> Subject:
    return subject(f"https://shop.example:{port}/", address="127.0.0.1", timings=Timings(connect=1.0), **more)


async def test_tls_reads_the_certificate_that_the_check_did_not_get(deps: Deps, subject: About, context: ssl.SSLContext) -> None:
    async with _listening(context) as port:
        found = _by_name(await tls.build(deps()).collect(_reached(subject, port), 5_000))
    assert found["handshake"].bad is False
    assert found["version"].value == "TLSv1.3"
    assert found["days_left"].value > 0  # type: ignore[operator]  # days are an int
    assert "self_signed" not in found


async def test_tls_says_that_a_second_handshake_fails_too(deps: Deps, subject: About) -> None:
    async with _listening() as port:
        (found,) = await tls.build(deps()).collect(_reached(subject, port), 2_000)
    assert (found.bad, found.en) == (True, "A second TLS handshake fails as well.")


async def test_tls_says_that_a_second_handshake_does_not_finish(deps: Deps, subject: About) -> None:
    async with _listening(mute=True) as port:
        (found,) = await tls.build(deps()).collect(_reached(subject, port), 200)
    assert (found.bad, found.en) == (True, "A second TLS handshake does not finish in time.")


async def test_tls_makes_no_request_where_the_check_has_read_the_chain_or_reached_nobody(deps: Deps, subject: About) -> None:
    chain = (Certificate("a", "b", 0, 1, "EC 256", "x"),)
    look = tls.build(deps()).collect
    port = _closed_port()
    assert await look(_reached(subject, port, tls=TlsFacts("TLSv1.3", chain=chain)), 500) == []
    assert await look(subject(f"https://shop.example:{port}/", address="127.0.0.1"), 500) == []
    assert await look(subject(f"http://shop.example:{port}/", address="127.0.0.1", timings=Timings(connect=1.0)), 500) == []
