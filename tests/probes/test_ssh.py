"""SSH against a real server, and against servers that refuse, lie and stumble."""

import asyncio
import logging
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncssh
import pytest

from vigie.core.model import Cause, CheckResult, Status
from vigie.probes.kit.deps import configured
from vigie.probes.ssh import Config, keys
from vigie.testing.servers import Handler, Serve

Look = Callable[..., Awaitable[CheckResult]]
OTHER = "SHA256:" + "A" * 43
GREETING = b"SSH-2.0-Test_1\r\n"

logging.getLogger("asyncssh").setLevel(logging.CRITICAL)


@pytest.fixture(scope="module", params=["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521", "ssh-rsa"])
def host_key(request: pytest.FixtureRequest) -> asyncssh.SSHKey:
    return asyncssh.generate_private_key(request.param)


@pytest.fixture(scope="module")
def any_key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


@asynccontextmanager
async def sshd(key: asyncssh.SSHKey, **options: Any) -> AsyncIterator[int]:
    """The real server on a free port."""
    connections: list[asyncssh.SSHServerConnection] = []

    class Remembering(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            connections.append(conn)

    async with asyncssh.listen("127.0.0.1", 0, server_factory=Remembering, server_host_keys=[key], **options) as server:
        yield server.get_port()
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(connection.wait_closed() for connection in connections))


def scripted(*parts: bytes, greeting: bytes = GREETING) -> Handler:
    """Sends the greeting, then a part for each time that it hears something."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        for part in parts:
            await reader.read(65_536)
            writer.write(part)
        await reader.read()

    return handle


def init(exchanges: bytes = b"curve25519-sha256", host_keys: bytes = b"ssh-ed25519") -> bytes:
    lists = (exchanges, host_keys, *[b"none"] * 8)
    return keys.packet(b"\x14" + bytes(16) + b"".join(map(keys.string, lists)) + bytes(5))


@pytest.mark.parametrize("exchange", ["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256"])
async def test_a_healthy_server_proves_its_host_key(look_at: Look, host_key: asyncssh.SSHKey, exchange: str) -> None:
    wanted = host_key.get_fingerprint()
    async with sshd(host_key, kex_algs=[exchange]) as port:
        result = await look_at("ssh", port=port, host_key=[OTHER, wanted])
        changed = await look_at("ssh", port=port, host_key=OTHER)

    assert (result.status, result.message) == (Status.UP, "SSH answers, host key proven"), result
    assert result.figures == {"software": f"AsyncSSH_{asyncssh.__version__}", "host_key": wanted}
    assert (changed.status, changed.cause) == (Status.DOWN, Cause.PROTOCOL_MISMATCH)
    assert changed.message == f"the host key is not the expected one ({wanted})"
    assert changed.figures["got"] == wanted


async def test_a_key_exchange_that_is_not_ours_is_no_fault(look_at: Look, any_key: asyncssh.SSHKey) -> None:
    async with sshd(any_key, kex_algs=["diffie-hellman-group14-sha256"]) as port:
        result = await look_at("ssh", port=port)
        asked = await look_at("ssh", port=port, host_key=OTHER)

    assert (result.status, result.message) == (Status.UP, "SSH answers"), result
    assert asked.message == "the host key cannot be requested: no key exchange in common"


async def test_lines_before_the_identification_are_read_over(look_at: Look, serve: Serve) -> None:
    async with serve(scripted(init(exchanges=b"other"), greeting=b"Welcome\r\n\r\nSSH-1.99-Old_1 comment here\r\n")) as port:
        result = await look_at("ssh", port=port)

    assert (result.status, result.figures) == (Status.UP, {"software": "Old_1"}), result


def said(reason: int, text: bytes) -> bytes:
    return keys.packet(b"\x01" + struct.pack(">I", reason) + keys.string(text) + keys.string(b""))


def reply(*parts: bytes) -> bytes:
    return keys.packet(b"\x1f" + b"".join(map(keys.string, parts)))


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (scripted(greeting=b"Exceeded MaxStartups\r\n" * 60), "the server does not identify itself as SSH 2 (Exceeded MaxStartups)"),
        (scripted(greeting=b"SSH-1.5-Ancient\r\n"), "the server does not identify itself as SSH 2 (SSH-1.5-Ancient)"),
        (scripted(said(12, b"Too many users")), "the server closed the connection (12: Too many users)"),
        (scripted(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "the key exchange failed: a packet of 1213486160 bytes"),
        (scripted(keys.packet(b"\x15")), "the key exchange failed: a message that is not a KEXINIT"),
        (scripted(keys.packet(b"\x14" + bytes(20))), "the key exchange failed: a message that ends too early"),
        (scripted(keys.packet(b"\x02") * 30), "the key exchange failed: more than 20 irrelevant messages"),
        (scripted(init(), keys.packet(b"\x15")), "the key exchange failed: message 21 instead of a reply"),
        (scripted(init(), reply(b"key", b"half", b"signature")), "the key exchange failed: a host key or signature that cannot be read"),
        (scripted(init(), reply(b"key", bytes(32), b"signature")), "the key exchange failed: a host key or signature that cannot be read"),
    ],
)
async def test_a_refusal_says_what_came(look_at: Look, serve: Serve, handler: Handler, message: str) -> None:
    async with serve(handler) as port:
        result = await look_at("ssh", port=port)

    assert (result.status, result.cause, result.message) == (Status.DOWN, Cause.PROTOCOL_MISMATCH, message)


async def test_a_host_key_that_did_not_sign_is_found_out(look_at: Look, serve: Serve, any_key: asyncssh.SSHKey) -> None:
    blob, other = any_key.public_data, asyncssh.generate_private_key("ssh-ed25519")
    half = keys.Half.of("curve25519-sha256").public
    signature = keys.string(b"ssh-ed25519") + keys.string(other.sign(b"x", b"ssh-ed25519")[-64:])
    async with serve(scripted(init(), reply(blob, half, signature))) as port:
        result = await look_at("ssh", port=port, host_key=any_key.get_fingerprint())

    assert (result.status, result.message) == (Status.DOWN, "the key exchange failed: a signature that is not the host key's")


def test_urls_and_faults_of_the_configuration() -> None:
    assert configured(Config, Config.from_url("ssh://git@git.example.com:2222")).target == "ssh://git.example.com:2222"
    assert Config(host="git.example.com").target == "ssh://git.example.com:22"
    with pytest.raises(ValueError, match="not a fingerprint"):
        Config(host="x", host_key="MD5:aa:bb")
