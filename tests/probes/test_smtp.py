"""SMTP against a real server, and against servers that refuse, lie and stumble."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from vigie.core.model import Cause, CheckResult, Status
from vigie.net import Secret, hang_up
from vigie.probes.kit.deps import configured
from vigie.probes.smtp import Config
from vigie.testing.servers import Serve
from vigie.testing.smtp_server import AUTH_REQUIRED, BLOCKED, BUSY, Fault, SmtpServer

Look = Callable[..., Awaitable[CheckResult]]
Contexts = Callable[..., ssl.SSLContext]
LOGIN = {"user": "vigie", "password": "open sesame"}


def allow(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"vigie", b"open sesame")
    return AuthResult(success=known, handled=False)  # the server words the refusal


@asynccontextmanager
async def aiosmtpd(context: ssl.SSLContext, *, implicit: bool = False, **options: Any) -> AsyncIterator[int]:
    """The real server on a free port."""
    sessions: list[SMTP] = []

    def make() -> SMTP:
        sessions.append(SMTP(object(), tls_context=None if implicit else context, authenticator=allow, **options))
        return sessions[-1]

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=context if implicit else None)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for session in sessions:
            if isinstance(session.transport, asyncio.WriteTransport):
                hang_up(session.transport)
        await asyncio.sleep(0)


@pytest.mark.parametrize("tls", ["off", "starttls", "implicit"])
async def test_a_healthy_server_is_up(look_at: Look, make_context: Contexts, tls: str) -> None:
    async with aiosmtpd(make_context(), implicit=tls == "implicit") as port:
        result = await look_at("smtp", port=port, tls=tls)

    assert (result.status, result.message) == (Status.UP, "SMTP answers"), result
    assert (result.tls is not None) == (result.timings.tls is not None) == (tls != "off")
    assert result.timings.first_byte is not None


@pytest.mark.parametrize("excluded", [[], ["PLAIN"], ["LOGIN"]])
async def test_a_login_is_tried_by_what_the_server_offers(look_at: Look, make_context: Contexts, excluded: list[str]) -> None:
    async with aiosmtpd(make_context(), auth_exclude_mechanism=excluded) as port:
        good = await look_at("smtp", port=port, tls="starttls", **LOGIN)
        bad = await look_at("smtp", port=port, tls="starttls", user="vigie", password="close sesame")

    assert (good.status, good.message) == (Status.UP, "SMTP answers, login accepted"), good
    assert (bad.status, bad.cause, bad.figures["code"]) == (Status.DOWN, Cause.PROTOCOL_MISMATCH, "535")
    assert "the login is refused (535: " in bad.message


async def test_what_is_not_offered_is_named(look_at: Look, tmp_path: Path, make_context: Contexts) -> None:
    async with SmtpServer(tmp_path, tls="none") as server:
        assert (await look_at("smtp", port=server.port, tls="starttls")).message == "STARTTLS is not offered"
    async with SmtpServer(tmp_path) as server:
        result = await look_at("smtp", port=server.port, tls="starttls", ca_file=str(server.ca_file), **LOGIN)
        assert result.message == "the server does not offer a password login"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (BUSY, "the server refuses the connection in its greeting (421: 4.3.2 Too many connections)"),
        (BLOCKED, "the server refuses the connection in its greeting (554: 5.7.1 No service for this address)"),
        (Fault("EHLO", "550 go away"), "the server refuses EHLO (550: go away)"),
        (Fault("STARTTLS", "454 TLS not available"), "STARTTLS is refused (454: TLS not available)"),
        (Fault("NOOP", "451 disk"), "the server rejects NOOP (451: disk)"),
        (Fault("NOOP", "hey sunny"), "the answer is not SMTP (hey sunny)"),
    ],
)
async def test_a_refusal_carries_the_servers_code(look_at: Look, tmp_path: Path, fault: Fault, message: str) -> None:
    async with SmtpServer(tmp_path, fault=fault) as server:
        options = {"port": server.port, "tls": "starttls", "ca_file": str(server.ca_file)}
        broken = await look_at("smtp", **options)
        server.fault = AUTH_REQUIRED  # concerns mails alone
        healthy = await look_at("smtp", **options)

    assert (broken.status, broken.cause, broken.message) == (Status.DOWN, Cause.PROTOCOL_MISMATCH, message)
    assert healthy.status is Status.UP


async def test_no_mail_is_sent_and_the_server_hears_goodbye(look_at: Look, tmp_path: Path) -> None:
    async with SmtpServer(tmp_path) as server:
        await look_at("smtp", port=server.port, helo="monitor.example.com")
        await server.quiet()

    assert server.commands == ["EHLO monitor.example.com", "NOOP", "QUIT"]


async def test_a_server_that_never_says_goodbye_is_up_at_once(look_at: Look, tmp_path: Path) -> None:
    async with SmtpServer(tmp_path, fault=Fault("QUIT", "stall")) as server:
        result = await look_at("smtp", port=server.port, within=400, latency=150)

    assert (result.status, result.cause) == (Status.UP, None), result


async def test_an_old_server_is_greeted_by_helo(look_at: Look, serve: Serve) -> None:
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 old\r\n")
        while line := await reader.readline():
            writer.write(b"500 what?\r\n" if line.startswith(b"EHLO") else b"250 ok\r\n")

    async with serve(old) as port:
        assert (await look_at("smtp", port=port)).status is Status.UP


async def test_a_reply_without_end_is_cut(look_at: Look, serve: Serve) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"220-and\r\n" * 100)
            await writer.drain()

    async with serve(endless) as port:
        result = await look_at("smtp", port=port)

    assert (result.cause, result.message) == (Cause.PROTOCOL_MISMATCH, "a reply of more than 100 lines")


@pytest.mark.parametrize(
    ("options", "cause"),
    [({"days": -2}, Cause.TLS_EXPIRED), ({"trusted": False}, Cause.TLS_UNTRUSTED), ({"days": 3}, Cause.TLS_EXPIRING)],
)
async def test_the_certificate_after_starttls_is_judged(
    look_at: Look, make_context: Contexts, options: dict[str, Any], cause: Cause
) -> None:
    async with aiosmtpd(make_context(**options)) as port:
        result = await look_at("smtp", port=port, tls="starttls", **LOGIN)
        unencrypted = await look_at("smtp", port=port)

    assert result.cause is cause
    assert result.tls is not None
    assert unencrypted.status is Status.UP


def test_urls_and_faults_of_the_configuration() -> None:
    config = configured(Config, Config.from_url("smtp://me:p%40ss@mail.example.com:587?helo=here"))
    assert (config.target, config.tls, config.user, config.secret) == ("smtp://mail.example.com:587", "starttls", "me", "p@ss")
    assert configured(Config, Config.from_url("smtps://mail.example.com")).target == "smtps://mail.example.com:465"
    assert Config(host="mail.example.com", tls="starttls").target == "smtp://mail.example.com:25"
    wrongs: list[dict[str, Any]] = [
        {"user": "me"},
        {"user": "me", "password": Secret("x")},
        {"host": "smtp://x"},
        {"host": ""},
        {"resolver": "x"},
    ]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"user|unencrypted|not a host|not a resolver"):
            Config(**{"host": "x", **wrong})
    for url in ("imap://x", "smtp://x:y", "smtp://x/path"):
        with pytest.raises(ValueError, match=r"must begin|not a number|cannot have a path"):
            Config.from_url(url)
