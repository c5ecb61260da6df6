"""From plain text to TLS in every protocol: servers that go along, servers that do not want to, and one real mail server."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from vigie.core.model import Cause, CheckResult, Status
from vigie.net import hang_up
from vigie.probes import tls
from vigie.probes.kit.deps import ProbeDeps, configured
from vigie.probes.kit.starttls import PROTOCOLS, USUAL_PORTS
from vigie.testing.servers import Handler, Serve
from vigie.testing.smtp_server import SmtpServer

Deps = Callable[[], ProbeDeps]
Contexts = Callable[..., ssl.SSLContext]
Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter

XMPP = "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>"
XMPP_TLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
LDAP = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
MYSQL = b"\x0a8.0.36\0" + b"\x01\0\0\0" + b"12345678\0" + b"%s" + b"\x2d\x02\0\0\0\x15" + bytes(10) + b"123456789012\0"


def mysql(capabilities: int) -> bytes:
    body = MYSQL.replace(b"%s", capabilities.to_bytes(2, "little"))
    return len(body).to_bytes(3, "little") + b"\0" + body


# What a server says at once, then (what it waits for, what it answers) in turn; the last answer is the one that goes along, and the
# last item one that does not.
Script = tuple[bytes, list[tuple[bytes, bytes]], bytes]
SCRIPTS: dict[str, Script] = {
    "smtp": (
        b"220-mail.test\r\n220 ready\r\n",
        [(b"EHLO [127.0.0.1]\r\n", b"250-mail.test\r\n250-SIZE\r\n250 STARTTLS\r\n"), (b"STARTTLS\r\n", b"220 go\r\n")],
        b"454 not now\r\n",
    ),
    "imap": (b"* OK ready\r\n", [(b"a STARTTLS\r\n", b"* some news\r\na OK begin\r\n")], b"a BAD what\r\n"),
    "pop3": (b"+OK ready\r\n", [(b"STLS\r\n", b"+OK begin\r\n")], b"-ERR no\r\n"),
    "ftp": (b"220-Welcome\r\nto our\r\n  220 files\r\n220 ready\r\n", [(b"AUTH TLS\r\n", b"234 go\r\n")], b"502 no\r\n"),
    "nntp": (b"201 news.test\r\n", [(b"STARTTLS\r\n", b"382 go\r\n")], b"580 no\r\n"),
    "sieve": (b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK "ready"\r\n', [(b"STARTTLS\r\n", b'OK "begin"\r\n')], b'NO "not here"\r\n'),
    "irc": (b":irc.test NOTICE * :looking up\r\n", [(b"STARTTLS\r\n", b":irc.test 670 * :go\r\n")], b":irc.test 691 * :no\r\n"),
    "xmpp": (
        b"",
        [
            (b"version='1.0'>", f"{XMPP}<stream:features>{XMPP_TLS}</stream:features>".encode()),
            (XMPP_TLS.encode(), b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
        ],
        b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    ),
    "ldap": (b"", [(LDAP, bytes.fromhex("300c02010178070a010004000400"))], bytes.fromhex("308400000010020101788400000007") + b"\x0a\x01\x34\x04\0\x04\0"),
    "postgres": (b"", [(bytes.fromhex("0000000804d2162f"), b"S")], b"N"),
    "mysql": (mysql(0x0A00), [(b"\x20\0\0\x01", b"")], b""),
}  # fmt: skip
SCRIPTS["xmpp-server"] = SCRIPTS["xmpp"]
REFUSING_GREETINGS = {"mysql": mysql(0x0200)}


def playing(script: Script, context: ssl.SSLContext | None, heard: list[bytes]) -> Handler:
    """Goes along where a context is given."""
    greeting, turns, refusal = script

    async def handler(reader: Reader, writer: Writer) -> None:
        writer.write(greeting)
        for number, (wanted, answer) in enumerate(turns, 1):
            heard.append(await _through(reader, wanted))
            last = number == len(turns)
            writer.write(refusal if last and context is None else answer)
            await writer.drain()
        if context is not None:
            await writer.start_tls(context)
        await reader.read()

    return handler


async def _through(reader: Reader, wanted: bytes) -> bytes:
    return await reader.readuntil(wanted)


async def look(make_deps: Deps, port: int, protocol: str, timeout: int = 5_000, **keys: object) -> CheckResult:
    deps = make_deps()
    config = configured(tls.Config, {"host": "127.0.0.1", "port": port, "starttls": protocol, **keys})
    try:
        return await tls.build(config, deps).check(timeout)
    finally:
        deps.close()


def test_every_protocol_is_played() -> None:
    assert set(PROTOCOLS) == set(SCRIPTS) == set(USUAL_PORTS)


async def test_mysql_goes_on_without_a_word(make_deps: Deps, make_context: Contexts) -> None:
    """The client's handshake may come together with its request, which asyncio's streams could not give back: hence bare sockets."""
    loop, listener = asyncio.get_running_loop(), socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)

    async def serve_one() -> tuple[bytes, asyncio.Transport]:
        sock, _ = await loop.sock_accept(listener)
        await loop.sock_sendall(sock, mysql(0x0A00))
        request = await loop.sock_recv(sock, 36)
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, sock, ssl=make_context(days=3))
        return request, transport

    server = asyncio.create_task(serve_one())
    result = await look(make_deps, listener.getsockname()[1], "mysql")
    request, transport = await server
    hang_up(transport)
    listener.close()

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.TLS_EXPIRING), result
    assert request == bytes.fromhex("20000001" + "008a0000" + "00000001" + "2d" + "00" * 23)


@pytest.mark.parametrize("protocol", [one for one in PROTOCOLS if one != "mysql"])
async def test_a_server_that_goes_along_shows_its_certificate(serve: Serve, make_deps: Deps, make_context: Contexts, protocol: str) -> None:
    heard: list[bytes] = []
    async with serve(playing(SCRIPTS[protocol], make_context(days=3), heard)) as port:
        result = await look(make_deps, port, protocol)

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.TLS_EXPIRING), result
    assert result.tls is not None
    assert result.tls.chain


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_server_that_does_not_want_to_is_named(serve: Serve, make_deps: Deps, protocol: str) -> None:
    greeting, turns, refusal = SCRIPTS[protocol]
    script = (REFUSING_GREETINGS.get(protocol, greeting), turns, refusal)
    async with serve(playing(script, None, [])) as port:
        result = await look(make_deps, port, protocol)

    assert (result.status, result.cause) == (Status.DOWN, Cause.PROTOCOL_MISMATCH), result
    assert "is refused" in result.message or "does not offer" in result.message


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("said", [b"\x00\xff\r\n" * 50, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"x" * 200_000])
async def test_another_protocol_is_a_mismatch(serve: Serve, make_deps: Deps, protocol: str, said: bytes) -> None:
    async def other(reader: Reader, writer: Writer) -> None:
        writer.write(said)
        await writer.drain()
        writer.write_eof()
        await reader.read()

    async with serve(other) as port:
        result = await look(make_deps, port, protocol, timeout=500)

    assert (result.status, result.cause) == (Status.DOWN, Cause.PROTOCOL_MISMATCH), result
    assert len(result.message) < 300
    assert result.message.isprintable()


async def test_mysql_says_why_it_refuses(serve: Serve, make_deps: Deps) -> None:
    async def busy(reader: Reader, writer: Writer) -> None:
        body = b"\xff" + (1040).to_bytes(2, "little") + b"Too many connections"
        writer.write(len(body).to_bytes(3, "little") + b"\0" + body)
        await reader.read()

    async with serve(busy) as port:
        result = await look(make_deps, port, "mysql")

    assert result.message == "the server refuses the connection (error 1040)"
    assert result.figures["got"] == "Too many connections"


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_silence_ends_at_the_deadline(serve: Serve, make_deps: Deps, protocol: str, stopwatch: Callable[[], float]) -> None:
    async def hang(reader: Reader, _: Writer) -> None:
        await reader.read()

    async with serve(hang) as port:
        result = await look(make_deps, port, protocol, timeout=300)

    assert result.cause is Cause.TIMEOUT_FIRST_BYTE
    assert stopwatch() < 0.5 + 1


async def test_a_real_mail_server(make_deps: Deps, tmp_path: Path) -> None:
    async with SmtpServer(tmp_path, password="-") as server:
        result = await look(make_deps, server.port, "smtp", ca_file=str(server.ca_file), server_name="localhost")

    assert result.status is Status.UP, result
