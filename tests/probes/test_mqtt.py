"""MQTT against real brokers, and against ones that refuse, lie and stumble.

One real broker comes from PyPI and needs nothing else; Mosquitto, which speaks MQTT 5 too, is tried as well where the system has it.
"""

import asyncio
import logging
import os
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from amqtt.broker import Broker
from tests._packages import program

from vigie.core.model import Cause, CheckResult, Status
from vigie.net import Secret
from vigie.probes.kit.deps import configured
from vigie.probes.mqtt import Config
from vigie.testing.servers import Handler, Serve, serving

Look = Callable[..., Awaitable[CheckResult]]
Contexts = Callable[..., ssl.SSLContext]
LOGIN = {"user": "vigie", "password": "open sesame"}

logging.getLogger("amqtt").setLevel(logging.CRITICAL)
logging.getLogger("transitions").setLevel(logging.CRITICAL)


@asynccontextmanager
async def amqtt(context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    broker = Broker({"listeners": {"default": {"type": "external"}}, "plugins": plugins})
    await broker.start()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await broker.stream_connected(reader, writer, listener_name="default")

    async with serving(handle, context) as port:
        yield port
    await broker.shutdown()


@pytest.fixture(scope="module")
def mosquitto(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Mosquitto on two free ports, plain and TLS; who gives a name must know the password."""
    folder = tmp_path_factory.mktemp("mosquitto")
    cert = authority.issue_cert("127.0.0.1")
    cert.private_key_pem.write_to_path(folder / "key.pem")
    cert.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    tool = program("mosquitto_passwd")
    assert tool is not None
    subprocess.run([tool, "-c", "-b", str(folder / "passwords"), *LOGIN.values()], check=True, capture_output=True)
    yield from started(folder)


def started(folder: Path) -> Iterator[tuple[int, int]]:
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            other.bind(("127.0.0.1", 0))
            plain, secure = one.getsockname()[1], other.getsockname()[1]
        (folder / "conf").write_text(
            f"{'user root' if os.geteuid() == 0 else ''}\nallow_anonymous true\npassword_file {folder / 'passwords'}\n"
            f"listener {plain} 127.0.0.1\nlistener {secure} 127.0.0.1\ncertfile {folder / 'cert.pem'}\nkeyfile {folder / 'key.pem'}\n"
        )
        with subprocess.Popen([str(program("mosquitto")), "-c", str(folder / "conf")], stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            try:
                said = ""
                while "running" not in said and (line := process.stderr.readline()):
                    said += line
                if "running" in said:
                    yield plain, secure
                    return
                assert "in use" in said, said  # somebody else took a port
            finally:
                process.kill()
                process.stderr.read()


def scripted(*answers: bytes) -> Handler:
    """Answers whatever it hears with the next of these."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(65_536)
            writer.write(answer)
        await reader.read()

    return handle


async def test_a_healthy_broker_is_up(look_at: Look, make_context: Contexts) -> None:
    async with amqtt() as port, amqtt(make_context()) as secure, amqtt(make_context(days=-1)) as expired:
        result = await look_at("mqtt", port=port)
        message = await look_at("mqtt", port=port, topic="health/vigie")
        private = await look_at("mqtt", port=secure, tls="implicit")
        bad = await look_at("mqtt", port=expired, tls="implicit")

    assert (result.status, result.message) == (Status.UP, "connected, pong"), result
    assert (message.status, message.message) == (Status.UP, "connected, message came back, pong"), message
    assert private.status is Status.UP
    assert private.tls is not None
    assert bad.cause is Cause.TLS_EXPIRED


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_mosquitto_is_up(look_at: Look, mosquitto: tuple[int, int], version: str) -> None:
    plain, secure = mosquitto
    result = await look_at("mqtt", port=plain, version=version, topic="health/é")
    entered = await look_at("mqtt", port=secure, tls="implicit", version=version, client_id="x" * 200, **LOGIN)
    refused = await look_at("mqtt", port=plain, version=version, user="vigie", password="close sesame")

    assert (result.status, result.message) == (Status.UP, "connected, message came back, pong"), result
    assert entered.status is Status.UP, entered
    assert (refused.status, refused.cause) == (Status.DOWN, Cause.PROTOCOL_MISMATCH)
    assert refused.message == f"the login is refused ({'0x05' if version == '3.1.1' else '0x87'})"


HELLO, HELLO_5, PONG = b"\x20\x02\0\0", b"\x20\x03\0\0\0", b"\xd0\0"


@pytest.mark.parametrize(
    ("options", "answers", "message"),
    [
        ({}, [b"\x20\x02\0\x01"], "the broker does not speak this version of MQTT (0x01)"),
        ({}, [b"\x20\x02\0\x03"], "the broker is not available (0x03)"),
        (LOGIN, [b"\x20\x02\0\x04"], "the login is refused (0x04)"),
        ({"version": "5"}, [b"\x20\x03\0\x89\0"], "the broker is too busy (0x89)"),
        ({"version": "5"}, [HELLO_5 + b"\xe0\x02\x8b\0"], "the broker disconnected (0x8b)"),
        ({}, [b"\x20\x02\0\x70"], "the broker refuses the connection (0x70)"),
        ({}, [b"HTTP/1.1 400 Bad Request\r\n\r\n"], "the answer is not MQTT (HTTP)"),
        ({}, [b"\x20\xff\xff\xff\xff\x01"], "the answer is not MQTT, or too long"),
        ({}, [b"\0\0\0\0"], "the answer is not MQTT (····)"),
        ({"topic": "a"}, [HELLO, b"\x90\xff\xff\xff\x01"], "the answer is not MQTT, or too long"),
        ({"topic": "a"}, [HELLO, b"\x90\x03\0\x01\x80"], "the subscription is refused (0x80)"),
    ],
)
async def test_a_refusal_carries_the_brokers_code(
    look_at: Look, serve: Serve, options: dict[str, Any], answers: list[bytes], message: str
) -> None:
    async with serve(scripted(*answers)) as port, serve(scripted(HELLO, PONG)) as healthy:
        result = await look_at("mqtt", port=port, **options)
        assert (await look_at("mqtt", port=healthy)).status is Status.UP

    assert (result.status, result.cause) == (Status.DOWN, Cause.PROTOCOL_MISMATCH)
    assert result.message.startswith(message), result


async def test_a_message_that_does_not_come_back_is_waited_for_until_the_deadline(look_at: Look, serve: Serve) -> None:
    answers = (HELLO, b"\x90\x03\0\x01\0", b"\x30\x09\0\x01aother!" + PONG)
    async with serve(scripted(*answers)) as port:
        result = await look_at("mqtt", port=port, topic="a", within=200)

    assert (result.status, result.cause) == (Status.DOWN, Cause.TIMEOUT_TOTAL)


def test_urls_and_faults_of_the_configuration() -> None:
    config = configured(Config, Config.from_url("mqtts://me:p%40ss@broker.example.com/health/vigie?version=5"))
    assert (config.target, config.topic, config.version) == ("mqtts://broker.example.com:8883", "health/vigie", "5")
    wrongs: list[dict[str, Any]] = [{"topic": "a/#"}, {"topic": ""}, {"password": Secret("x")}, {"client_id": "x" * 70_000}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"topic|password|65,535"):
            Config(host="x", **wrong)
