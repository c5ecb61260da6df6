"""What holds for every kind that asks one service: the same causes for the same faults, deadlines, bounds, and no secret in any word."""

import asyncio
import base64
import random
import ssl
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vigie import plugins
from vigie.buses.process import Assign, frame, read_down
from vigie.config import load
from vigie.config.convert import dec_hook
from vigie.config.shown import schema, shown
from vigie.core.model import Cause, CheckResult, Status
from vigie.net import Secret
from vigie.probes import redis, websocket
from vigie.probes.kit.deps import configured
from vigie.report.wording import cause_words, short_words
from vigie.testing.servers import Handler, Serve, reset
from vigie.testing.starvation import measured

Look = Callable[..., Awaitable[CheckResult]]
Contexts = Callable[..., ssl.SSLContext]
KINDS = ("grpc", "imap", "mqtt", "mysql", "postgres", "redis", "smtp", "ssh", "websocket")
PASSWORD = "sesame-öpen-1234"
LOGINS: dict[str, dict[str, Any]] = {
    "grpc": {"token": "sesame-open-1234"},
    "imap": {"user": "me", "password": PASSWORD, "tls": "starttls"},
    "mqtt": {"user": "me", "password": PASSWORD},
    "mysql": {"user": "me", "password": PASSWORD},
    "postgres": {"user": "me", "password": PASSWORD},
    "redis": {"user": "me", "password": PASSWORD},
    "smtp": {"user": "me", "password": PASSWORD, "tls": "starttls"},
    "websocket": {"auth": {"basic": {"user": "me", "password": PASSWORD}}},
}
URLS = {
    "grpc": "grpc://h.test/shop.Orders",
    "imap": "imaps://me:sesame-1234@h.test",
    "mqtt": "mqtts://me:sesame-1234@h.test/health",
    "mysql": "mysql://me:sesame-1234@h.test/shop",
    "postgres": "postgresql://me:sesame-1234@h.test/shop",
    "redis": "rediss://:sesame-1234@h.test/2",
    "smtp": "smtps://me:sesame-1234@h.test",
    "ssh": "ssh://h.test:2222",
    "websocket": "wss://h.test/live?token=sesame-1234",
}


def of(kind: str, port: int, **more: Any) -> dict[str, Any]:
    """The keys of a check of this port; `tls` says whether from the first byte."""
    tls = more.pop("tls", "off")
    if kind == "websocket":
        config = msgspec.convert({"url": "ws://x", **more}, websocket.Config, dec_hook=dec_hook)
        return {"url": f"{'wss' if tls == 'implicit' else 'ws'}://127.0.0.1:{port}/", "auth": config.auth}
    return {"port": port, **({"tls": tls} if tls != "off" else {}), **more}


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_listens(look_at: Look, unused_port: int, kind: str) -> None:
    result = await look_at(kind, **of(kind, unused_port))

    assert (result.status, result.cause, result.advice != ()) == (Status.DOWN, Cause.TCP_REFUSED, True)


@pytest.mark.parametrize("kind", KINDS)
async def test_silence_a_cut_and_a_reset_are_told_apart(look_at: Look, serve: Serve, stopwatch: Callable[[], float], kind: str) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.wait([asyncio.ensure_future(reader.read(1))], timeout=0.02)

    async def knock(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.wait([asyncio.ensure_future(reader.read(1))], timeout=0.02)
        reset(writer)

    async with serve(hang) as silent, serve(cut) as closed, serve(knock) as broken:
        silence = await look_at(kind, **of(kind, silent), within=200)
        took = stopwatch()
        cutting, breaking = await look_at(kind, **of(kind, closed)), await look_at(kind, **of(kind, broken))

    assert (silence.status, silence.cause, silence.figures) == (Status.DOWN, Cause.TIMEOUT_FIRST_BYTE, {"limit_ms": 200})
    assert took < 0.2 + 0.2
    assert cutting.cause in (Cause.PROTOCOL_MISMATCH, Cause.TCP_RESET), cutting
    assert breaking.cause is Cause.TCP_RESET, breaking


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("ssh", "mysql")])
async def test_tls_from_the_first_byte_is_judged(look_at: Look, serve: Serve, make_context: Contexts, kind: str) -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"good day to you all, how nice to see everybody here\r\n\r\n")
        await reader.read()

    async with serve(chatter, make_context("shop.test")) as other, serve(chatter, make_context()) as right, serve(chatter) as plain:
        wrong_name = await look_at(kind, **of(kind, other, tls="implicit"))
        other_words = await look_at(kind, **of(kind, right, tls="implicit"))
        no_tls = await look_at(kind, **of(kind, plain, tls="implicit"))

    assert wrong_name.cause is Cause.TLS_HOSTNAME
    assert (other_words.cause, other_words.tls is not None) == (Cause.PROTOCOL_MISMATCH, True)
    assert no_tls.cause is Cause.TLS_HANDSHAKE


def babble(seed: int) -> Handler:
    """Bytes at random, in pieces at random, behind a beginning that some kinds like; then the end, or nothing more."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dice = random.Random(seed)
        beginnings = (b"", b"220 x\r\n", b"* OK x\r\n", b"+PONG\r\n", b"\x20\x02\0\0", b"R\0\0\0\x08\0\0\0\0", b"SSH-2.0-x\r\n", MYSQL)
        writer.write(dice.choice(beginnings))
        for _ in range(dice.randrange(1, 6)):
            writer.write(
                dice.choice((dice.randbytes(dice.randrange(1, 300)), bytes(dice.randrange(1, 40)), b"\xff" * 9, b"9" * 5_000 + b"\r\n"))
            )
            await asyncio.sleep(0)
        if dice.random() < 0.9:
            return
        await reader.read()

    return handle


MYSQL = b"\x4a\0\0\0\x0a8.0\0" + bytes(8) + b"a" * 8 + b"\0" + b"\xff" * 8 + b"\x15" + bytes(10) + b"b" * 12 + b"\0mysql_native_password\0"


@pytest.mark.parametrize("kind", KINDS)
async def test_whatever_comes_the_check_ends_in_a_verdict(look_at: Look, serve: Serve, kind: str) -> None:
    async def one(seed: int) -> CheckResult:
        async with serve(babble(seed)) as port:
            return await look_at(kind, **of(kind, port, **({} if kind in ("imap", "smtp") else LOGINS.get(kind, {}))), within=100)

    for first in range(0, 120, 10):
        async with measured() as starved:
            results = await asyncio.gather(*map(one, range(first, first + 10)))
        for result in results:
            assert result.status in (Status.DOWN, Status.UP)
            assert result.cause is None or not result.cause.own
            assert result.timings.total is not None
            assert result.timings.total < 300 + starved.lost * 1000


@pytest.mark.parametrize("kind", KINDS)
async def test_a_flood_costs_neither_memory_nor_time(look_at: Look, serve: Serve, kind: str) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"\x1f" * 262_144)
            await writer.drain()

    async with serve(flood) as port:
        tracemalloc.start()
        async with measured() as starved:
            result = await look_at(kind, **of(kind, port), within=300)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert result.status is Status.DOWN
    assert result.timings.total is not None
    assert result.timings.total < 500 + starved.lost * 1000
    assert peak < 4 * 1024 * 1024


def echo(beginning: bytes) -> Handler:
    """Says everything back that it hears, as it came and decoded, between words of several protocols."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        while data := await reader.read(65_536):
            words = data.split()
            plain = b" ".join(base64.b64decode(word) for word in words if len(word) % 4 == 0 and word.isalnum())
            writer.write(b"-ERR " + data.replace(b"\r\n", b" ") + plain + b"\r\n")

    return handle


@pytest.mark.parametrize("kind", LOGINS)
async def test_no_secret_stands_in_any_word(look_at: Look, serve: Serve, make_context: Contexts, kind: str) -> None:
    login = dict(LOGINS[kind])
    context = make_context()

    async def upgrading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeting, capable = (
            (b"220 hi\r\n", b"250-hi\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n")
            if kind == "smtp"
            else (
                b"* OK hi\r\n",
                b"* CAPABILITY STARTTLS\r\n%s OK\r\n",
            )
        )
        writer.write(greeting)
        for encrypted in (False, True):
            tag = (await reader.readline()).split()[0]
            writer.write(capable % tag if kind == "imap" else capable)
            if not encrypted:
                tag = (await reader.readline()).split()[0]
                writer.write(b"220 go\r\n" if kind == "smtp" else tag + b" OK go\r\n")
                await writer.start_tls(context)
        await echo(b"")(reader, writer)

    async with serve(upgrading if kind in ("smtp", "imap") else echo({"mysql": MYSQL}.get(kind, b""))) as port:
        result = await look_at(kind, **of(kind, port, **login))

    said = repr(result)
    assert result.status is Status.DOWN, result
    for secret in (
        "sesame",
        base64.b64encode(PASSWORD.encode()).decode()[:10],
        base64.b64encode(f"\0me\0{PASSWORD}".encode()).decode()[:12],
    ):
        assert secret not in said, said


@pytest.mark.parametrize("kind", KINDS)
def test_a_url_is_a_whole_monitor_whose_options_travel(kind: str, tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text(f"monitors:\n  - {URLS[kind]}\n  - {{url: '{URLS[kind]}', name: Slow, latency: 1s, ip: 4}}\n")
    found = load(None, {}, tmp_path)
    adapter = plugins.load("probes", kind)

    assert [one.monitor.kind for one in found.monitors] == [kind, kind]
    for one in found.monitors:
        travelled = read_down(frame(Assign(1, [one.spec], []))[4:])
        assert isinstance(travelled, Assign)
        assert configured(adapter.Config, travelled.specs[0].options) == one.config.reveal()
        assert one.monitor.host == "h.test"
        assert "sesame" not in one.monitor.target + one.monitor.name + shown(found)
    if kind in LOGINS and kind not in ("grpc", "websocket"):
        assert set(found.monitors[0].secrets) == {Secret("sesame-1234")}


def test_every_kind_is_in_the_schema() -> None:
    kinds = [one.get("properties", {}).get("type") for one in schema()["properties"]["monitors"]["items"]["anyOf"]]

    assert all({"const": kind} in kinds for kind in KINDS)


@pytest.mark.parametrize(
    ("answer", "fr", "en"),
    [
        (b"220 mail\r\n", "le port répond dans un autre protocole", "the port speaks another protocol"),
        (b"-LOADING wait\r\n", "le service refuse la requête", "the service refuses the request"),
        (b"+PONG\r\n$4\r\na:1\n\r\n", "réponse autre que « 2 »", "response other than “2”"),
    ],
)
async def test_reports_say_how_an_exchange_went_another_way(look_at: Look, serve: Serve, answer: bytes, fr: str, en: str) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"PING\r\n")
        writer.write(answer)
        await reader.read()

    async with serve(handle) as port:
        result = await look_at("redis", port=port, expect=redis.Expect(info={"a": 2}))

    assert [cause_words(Cause.PROTOCOL_MISMATCH, result.figures, language) for language in ("fr", "en")] == [fr, en]
    assert len(short_words(Cause.PROTOCOL_MISMATCH, result.figures, "fr")) <= 30
