"""IMAP against a real server, and against servers that refuse, lie and stumble."""

import asyncio
import ssl
from argparse import Namespace
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer

from vigie.core.model import Cause, CheckResult, Status
from vigie.probes.imap import Config
from vigie.probes.kit.deps import configured
from vigie.testing.servers import Handler, Serve

Look = Callable[..., Awaitable[CheckResult]]
Contexts = Callable[..., ssl.SSLContext]
LOGIN = {"user": "vigie", "password": 'open "sesame" \\ é'}


async def pymap(context: ssl.SSLContext | None = None) -> Handler:
    """The real server, one connection at a time; with a context it offers STARTTLS, and no login before it."""
    wanted = {"demo_data": False, "demo_user": LOGIN["user"], "demo_password": LOGIN["password"]}
    unset = dict.fromkeys(("host", "port", "debug", "cert", "key", "passlib_cfg", "proxy_protocol"))
    options = Namespace(tls=context is not None, **unset, **wanted)
    backend, config = await DictBackend.init(options, ssl_context=context, reject_dnsbl=False, invalid_user_sleep=0.0)
    config.apply_context()
    server = IMAPServer(backend.login, config)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server(reader, writer, SocketInfoLocal(writer))

    return handle


def scripted(*answers: str, greeting: str = "* OK ready") -> Handler:
    """A server that answers each command with the next text; `{tag}` is the command's."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{greeting}\r\n".encode())
        for answer in answers:
            line = (await reader.readline()).decode()
            writer.write((answer.replace("{tag}", line.partition(" ")[0]) + "\r\n").encode())
        await reader.read()

    return handle


CAPABLE = "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n{tag} OK done"


@pytest.mark.parametrize("tls", ["off", "starttls", "implicit"])
async def test_a_healthy_server_is_up(look_at: Look, serve: Serve, make_context: Contexts, tls: str) -> None:
    context = make_context()
    async with serve(await pymap(context if tls == "starttls" else None), context if tls == "implicit" else None) as port:
        result = await look_at("imap", port=port, tls=tls)

    assert (result.status, result.message) == (Status.UP, "IMAP answers"), result
    assert (result.tls is not None) == (result.timings.tls is not None) == (tls != "off")


async def test_a_login_is_tried(look_at: Look, serve: Serve, make_context: Contexts) -> None:
    async with serve(await pymap(make_context())) as port:
        good = await look_at("imap", port=port, tls="starttls", **LOGIN)
        bad = await look_at("imap", port=port, tls="starttls", user="vigie", password="close sesame")

    assert (good.status, good.message) == (Status.UP, "IMAP answers, login accepted"), good
    assert (bad.status, bad.cause, bad.figures["code"]) == (Status.DOWN, Cause.PROTOCOL_MISMATCH, "AUTHENTICATIONFAILED")
    assert bad.message.startswith("the login is refused (AUTHENTICATIONFAILED: ")


async def test_without_sasl_the_login_is_quoted(look_at: Look, serve: Serve, make_context: Contexts) -> None:
    seen: list[bytes] = []

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK old\r\n")
        while line := await reader.readline():
            seen.append(line)
            writer.write(b"* CAPABILITY IMAP4rev1\r\n" + line.split()[0] + b" OK done\r\n")

    async with serve(old, make_context()) as port:
        result = await look_at("imap", port=port, tls="implicit", user="me", password='a"b\\c')
        foreign = await look_at("imap", port=port, tls="implicit", user="me", password="é\r\nLOGOUT")

    assert result.status is Status.UP, result
    assert seen[1] == b'v2 LOGIN "me" "a\\"b\\\\c"\r\n'
    assert foreign.message == "the server does not offer a password login (IMAP4REV1)"


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (scripted(greeting="* BYE [UNAVAILABLE] later"), "the server refuses the connection in its greeting (UNAVAILABLE: later)"),
        (scripted(greeting="+OK POP3 ready"), "the greeting is not IMAP (+OK POP3 ready)"),
        (scripted(greeting="* NO"), "the greeting is not IMAP (* NO)"),
        (scripted("{tag} BAD what"), "the server rejects CAPABILITY (BAD: what)"),
        (scripted(CAPABLE), "STARTTLS is not offered"),
        (scripted(CAPABLE, greeting="* PREAUTH hello"), "STARTTLS is not offered"),
        (scripted(CAPABLE.replace("AUTH", "STARTTLS AUTH"), "{tag} NO broken"), "STARTTLS is refused (NO: broken)"),
        (scripted("* BYE shutting down"), "the server closed the connection (BYE: shutting down)"),
        (scripted("hello"), "the answer is not IMAP (hello)"),
        (scripted("+ more"), "the answer is not IMAP (+ more)"),
        (scripted("\r\n".join(["* 1 EXISTS"] * 300)), "an answer of more than 200 lines"),
    ],
)
async def test_a_refusal_carries_the_servers_code(look_at: Look, serve: Serve, handler: Handler, message: str) -> None:
    async with serve(handler) as port:
        result = await look_at("imap", port=port, tls="starttls")

    assert (result.status, result.cause, result.message) == (Status.DOWN, Cause.PROTOCOL_MISMATCH, message)


async def test_a_noop_that_fails_is_told_from_one_that_does_not(look_at: Look, serve: Serve) -> None:
    async with serve(scripted(CAPABLE, "{tag} NO [SERVERBUG] oops")) as port:
        assert (await look_at("imap", port=port)).figures == {"code": "SERVERBUG", "got": "oops", "refused": True}
    async with serve(scripted(CAPABLE, "* OK [ALERT] quota\r\n{tag} OK done", greeting="* PREAUTH hello")) as port:
        assert (await look_at("imap", port=port)).status is Status.UP


@pytest.mark.parametrize(("options", "cause"), [({"names": ("shop.test",)}, Cause.TLS_HOSTNAME), ({"days": 3}, Cause.TLS_EXPIRING)])
async def test_the_certificate_is_judged(
    look_at: Look, serve: Serve, make_context: Contexts, options: dict[str, Any], cause: Cause
) -> None:
    context = make_context(*options.pop("names", ()), **options)
    async with serve(await pymap(context)) as port, serve(await pymap(), context) as secure:
        assert (await look_at("imap", port=port, tls="starttls")).cause is cause
        assert (await look_at("imap", port=secure, tls="implicit", **LOGIN)).cause is cause


def test_urls() -> None:
    config = configured(Config, Config.from_url("imaps://me:secret@mail.example.com/"))
    assert (config.target, config.tls, config.user, config.secret) == ("imaps://mail.example.com:993", "implicit", "me", "secret")
    assert configured(Config, Config.from_url("imap://me:secret@mail.example.com")).tls == "starttls"
    assert configured(Config, Config.from_url("imap://mail.example.com")).target == "imap://mail.example.com:143"
