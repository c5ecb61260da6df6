"""MySQL against real servers, and against servers that refuse, lie and stumble.

One real server comes from PyPI and needs nothing else; MariaDB itself is tried as well where the system has it (Debian: mariadb-server-core).
"""

import asyncio
import hashlib
import os
import socket
import ssl
import struct
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from mysql_mimic import IdentityProvider, MysqlServer, NativePasswordAuthPlugin, User
from mysql_mimic.auth import AuthInfo, AuthPlugin, AuthState, Forbidden, Success
from mysql_mimic.utils import nonce
from tests._packages import program

from vigie.core.model import Cause, CheckResult, Status
from vigie.net import Secret
from vigie.probes.kit.deps import configured
from vigie.probes.mysql import Config
from vigie.testing.servers import Handler, Serve, serving

Look = Callable[..., Awaitable[CheckResult]]
Contexts = Callable[..., ssl.SSLContext]
Server = Callable[[ssl.SSLContext], AbstractAsyncContextManager[int]]
PASSWORD = "open sesame é"
TABLES = Path("/usr/share/mysql")
RSA = rsa.generate_private_key(65537, 2048)
PEM = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
USERS = f"""
FLUSH PRIVILEGES;
CREATE USER native@'%' IDENTIFIED BY '{PASSWORD}';
CREATE USER empty@'%';
"""


class Caching(AuthPlugin):  # type: ignore[misc]  # the package ships no types
    """The server's side of caching_sha2_password with a cache that is always empty."""

    name = client_plugin_name = "caching_sha2_password"
    sealed: bool  # whether the password may come under the public key only

    async def auth(self, auth_info: AuthInfo | None = None) -> AuthState:
        given = nonce(20)
        auth_info = yield given + b"\0"
        once = hashlib.sha256(PASSWORD.encode()).digest()
        twice = hashlib.sha256(once).digest()
        proof = bytes(one ^ other for one, other in zip(once, hashlib.sha256(twice + given).digest(), strict=True))
        whole = yield b"\x04"
        password = whole.data
        if password == b"\x02" or len(password) == 256:
            sealed = (yield PEM).data if len(password) == 1 else password
            try:
                veiled = RSA.decrypt(sealed, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
            except ValueError:  # under another key
                veiled = b""
            password = bytes(byte ^ given[index % 20] for index, byte in enumerate(veiled))
        yield Success("caching") if (auth_info.data, password) == (proof, PASSWORD.encode() + b"\0") else Forbidden()


class People(IdentityProvider):  # type: ignore[misc]  # same
    """Who may log in; a stranger is denied as everybody with another password is."""

    def get_plugins(self) -> list[AuthPlugin]:
        return [NativePasswordAuthPlugin(), Caching()]

    async def get_user(self, username: str) -> User | None:
        plugins = {"caching": "caching_sha2_password", "empty": "mysql_native_password"}
        known = None if username == "empty" else NativePasswordAuthPlugin.create_auth_string(PASSWORD)
        return User(username, known, plugins.get(username, "mysql_native_password"))


@asynccontextmanager
async def mimic(context: ssl.SSLContext | None) -> AsyncIterator[int]:
    server = MysqlServer(identity_provider=People(), ssl=context)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.max_size = 36  # type: ignore[attr-defined]  # so that TLS is not read together with the request for it
        await server._client_connected_cb(reader, writer)

    async with serving(handle) as port:
        yield port


@pytest.fixture(scope="module")
def mariadb(authority: trustme.CA) -> Iterator[int]:
    """MariaDB on a free port, ready; without InnoDB it starts in half a second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        cert = authority.issue_cert("127.0.0.1")
        cert.private_key_pem.write_to_path(folder / "key.pem")
        cert.cert_chain_pems[0].write_to_path(folder / "cert.pem")
        command = [
            str(program("mariadbd")),
            "--no-defaults",
            f"--datadir={folder / 'data'}",
            "--skip-innodb",
            "--default-storage-engine=Aria",
        ]
        if os.geteuid() == 0:
            command.append("--user=nobody")
            for path in (folder, *folder.iterdir()):
                os.chown(path, 65534, 65534)
        parts = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
        script = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\nSET @skip_auth_anonymous=1;\n"
        script += "\n".join((TABLES / part).read_text() for part in parts) + USERS
        subprocess.run([*command, "--bootstrap"], input=script.encode(), check=True, capture_output=True)
        yield from started(command, folder)


def started(program: list[str], folder: Path) -> Iterator[int]:
    files = [f"--ssl-cert={folder / 'cert.pem'}", f"--ssl-key={folder / 'key.pem'}", f"--socket={folder / 'socket'}"]
    while True:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        command = [*program, *files, "--bind-address=127.0.0.1", f"--port={port}"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            try:
                said = ""
                while "ready for connections" not in said and (line := process.stderr.readline()):
                    said += line
                if "ready for connections" in said:
                    yield port
                    return
                assert "in use" in said, said  # somebody else took the port
            finally:
                process.kill()
                process.stderr.read()


@pytest.fixture(params=["mimic", pytest.param("mariadb", marks=pytest.mark.needs("mariadb-server-core"))])
def server(request: pytest.FixtureRequest) -> Server:
    if request.param == "mimic":
        return mimic
    port = request.getfixturevalue("mariadb")

    @asynccontextmanager
    async def there(context: ssl.SSLContext) -> AsyncIterator[int]:
        yield port

    return there


def packet(number: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def greeting(plugin: bytes = b"mysql_native_password", capabilities: int = 0xFFFF_F7FF) -> bytes:
    low, high = capabilities & 0xFFFF, capabilities >> 16
    body = b"\x0a8.0.36\0" + struct.pack("<I8sxHBHHB10x", 7, b"a" * 8, low, 45, 2, high, 21) + b"b" * 12 + b"\0" + plugin + b"\0"
    return packet(0, body)


def error(number: int, code: int, text: bytes) -> bytes:
    return packet(number, b"\xff" + struct.pack("<H", code) + text)


OK = b"\0\0\0\x02\0\0\0"


def scripted(first: bytes, *answers: bytes) -> Handler:
    """Greets, then answers whatever it hears with the next of these."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        for answer in answers:
            await reader.read(65_536)
            writer.write(answer)
        await reader.read()

    return handle


@pytest.mark.parametrize("tls", ["off", "starttls"])
async def test_a_healthy_server_is_up(look_at: Look, server: Server, make_context: Contexts, tls: str) -> None:
    async with server(make_context()) as port:
        knocked = await look_at("mysql", port=port, tls=tls)
        entered = await look_at("mysql", port=port, tls=tls, user="native", password=PASSWORD)
        bare = await look_at("mysql", port=port, tls=tls, user="empty")

    assert (knocked.status, knocked.message) == (Status.UP, "accepts connections"), knocked
    assert (entered.status, entered.message) == (Status.UP, "login accepted, ping answered"), entered
    assert bare.status is Status.UP
    assert (entered.tls is not None) == (entered.timings.tls is not None) == (tls != "off")
    assert str(entered.figures["software"]).partition(".")[0].isdigit()


async def test_a_refused_login_carries_the_servers_code(look_at: Look, server: Server, make_context: Contexts) -> None:
    async with server(make_context()) as port:
        result = await look_at("mysql", port=port, user="native", password="close sesame")

    assert (result.status, result.cause, result.figures["code"]) == (Status.DOWN, Cause.PROTOCOL_MISMATCH, "1045")
    assert result.message.startswith("the login is refused (1045: Access denied")


@pytest.mark.parametrize(
    ("query", "expect", "message"),
    [
        ("SELECT 41 + 1", 42, "login accepted, value as expected"),
        ("SELECT 'é'", "é", "login accepted, value as expected"),
        ("SELECT 41 + 1", None, "login accepted, query answered"),
        ("SELECT 41", 42, "value is 41, expected 42"),
        ("SELECT NULL", 42, "value is NULL, expected 42"),
        ("SET autocommit = 1", 1, "value is missing, expected 1"),
    ],
)
async def test_the_value_of_a_query_is_judged(
    look_at: Look, server: Server, make_context: Contexts, query: str, expect: str | int | None, message: str
) -> None:
    async with server(make_context()) as port:
        result = await look_at("mysql", port=port, user="native", password=PASSWORD, query=query, expect=expect)

    assert result.message == message, result


async def test_long_values_and_failed_queries(look_at: Look, server: Server, make_context: Contexts) -> None:
    login = {"user": "native", "password": PASSWORD}
    async with server(make_context()) as port:
        long = await look_at("mysql", port=port, **login, query=f"SELECT '{'x' * 70_000}'", expect="x" * 70_000)
        failed = await look_at("mysql", port=port, **login, query="SELECT FROM nothing WHERE")

    assert long.status is Status.UP
    assert failed.message.startswith("the query failed (")


@pytest.mark.parametrize("tls", ["off", "starttls"])
async def test_a_cache_that_forgot_wants_the_whole_password(look_at: Look, make_context: Contexts, tls: str) -> None:
    allowed = {} if tls == "starttls" else {"get_server_public_key": True}
    async with mimic(make_context()) as port:
        good = await look_at("mysql", port=port, tls=tls, user="caching", password=PASSWORD, **allowed)
        bad = await look_at("mysql", port=port, tls=tls, user="caching", password="close sesame", **allowed)

    assert (good.status, good.message) == (Status.UP, "login accepted, ping answered"), good
    assert bad.figures["code"] == "1045"


@pytest.mark.parametrize("wish", ["caching", "caching with a key", "sha256", "sha256 with a key", "switch to sha256", "clear"])
async def test_whoever_poses_as_the_server_without_tls_gets_no_password(look_at: Look, serve: Serve, wish: str) -> None:
    heard = bytearray()
    said = {
        "caching": (greeting(b"caching_sha2_password"), packet(2, b"\x01\x04")),
        "caching with a key": (greeting(b"caching_sha2_password"), packet(2, b"\x01" + PEM)),
        "sha256": (greeting(b"sha256_password"), packet(2, b"\x01" + PEM)),
        "sha256 with a key": (greeting(b"sha256_password") + packet(2, b"\x01" + PEM),),
        "switch to sha256": (greeting(), packet(2, b"\xfesha256_password\0" + b"a" * 20 + b"\0"), packet(4, b"\x01" + PEM)),
        "clear": (greeting(), packet(2, b"\xfemysql_clear_password\0")),
    }[wish]

    async def rogue(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in said:
            writer.write(part)
            heard.extend(await reader.read(65_536))
        heard.extend(await reader.read(65_536))

    async with serve(rogue) as port:
        result = await look_at("mysql", port=port, user="me", password="open sesame")
    assert result.status in (Status.UNKNOWN, Status.DOWN)
    assert b"sesame" not in heard
    assert len(heard) < 200  # nothing under a key of 2048 bits, which is 256 bytes
    if wish in ("caching", "sha256", "switch to sha256"):
        assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR)
        assert "`tls: starttls`" in result.message


async def test_the_servers_key_can_be_brought_along(look_at: Look, tmp_path: Path) -> None:
    ours, other = tmp_path / "ours.pem", tmp_path / "other.pem"
    ours.write_bytes(PEM)
    key = rsa.generate_private_key(65537, 2048).public_key()
    other.write_bytes(key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    async with mimic(None) as port:
        good = await look_at("mysql", port=port, user="caching", password=PASSWORD, server_public_key=str(ours))
        assert (good.status, good.message) == (Status.UP, "login accepted, ping answered"), good
        assert (await look_at("mysql", port=port, user="caching", password=PASSWORD, server_public_key=str(other))).status is Status.DOWN


async def test_a_cache_that_knows_the_user_is_fast(look_at: Look, serve: Serve) -> None:
    answers = (packet(2, b"\x01\x03") + packet(3, OK), packet(1, OK))
    async with serve(scripted(greeting(b"caching_sha2_password"), *answers)) as port:
        assert (await look_at("mysql", port=port, user="me", password="pw")).status is Status.UP


async def test_a_bad_certificate_comes_before_the_login(look_at: Look, make_context: Contexts) -> None:
    async with mimic(make_context(days=-1)) as port:
        assert (await look_at("mysql", port=port, tls="starttls", user="native", password=PASSWORD)).cause is Cause.TLS_EXPIRED
        assert (await look_at("mysql", port=port)).status is Status.UP
    async with mimic(None) as port:
        assert (await look_at("mysql", port=port, tls="starttls")).message == "the server does not offer TLS"


EC = ec.generate_private_key(ec.SECP256R1()).public_key()
EC_PEM = EC.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (scripted(error(0, 1040, b"Too many connections")), "the server has too many connections (1040: Too many connections)"),
        (
            scripted(error(0, 1129, b"Host is blocked")),
            "the server blocks this machine after too many broken connections (1129: Host is blocked)",
        ),
        (scripted(greeting(), error(2, 1045, b"#28000denied")), "the login is refused (1045: denied)"),
        (scripted(greeting(), packet(2, OK), error(1, 1053, b"#08S01bye")), "the server is stopping (1053: bye)"),
        (scripted(packet(0, b"\x0b5.0\0other")), "the greeting is not MySQL's (·5.0·other)"),
        (scripted(packet(0, b"\x0a5.0\0short")), "the greeting is not MySQL's (·5.0·short)"),
        (scripted(b"220 mail.example.com ESMTP\r\n"), "the answer is not MySQL, or too long (220)"),
        (scripted(greeting(), packet(2, b"\xfe")), "the server wants the login method of old"),
        (
            scripted(greeting(b"client_ed25519"), packet(2, b"\xfeclient_ed25519\0abc\0")),
            "the server wants the login method client_ed25519",
        ),
        (
            scripted(greeting(), packet(2, b"\xfemysql_clear_password\0")),
            "the server wants the password in clear text, which Vigie does not send without TLS",
        ),
        (scripted(greeting(), packet(2, b"\x01\x04")), "the login does not follow MySQL's protocol"),
        (scripted(greeting(), packet(2, b"\x07")), "the login does not follow MySQL's protocol"),
        (
            scripted(greeting(), *[packet(2, b"\xfemysql_native_password\0" + b"a" * 20 + b"\0")] * 20),
            "the login does not follow MySQL's protocol",
        ),
        (
            scripted(greeting(b"caching_sha2_password"), packet(2, b"\x01\x04"), packet(4, b"\x01-----BEGIN what")),
            "the server's public key cannot be used",
        ),
        (
            scripted(greeting(b"sha256_password"), packet(2, b"\x01" + EC_PEM)),
            "the server's public key cannot be used",
        ),
    ],
)
async def test_a_refusal_says_what_came(look_at: Look, serve: Serve, handler: Handler, message: str) -> None:
    async with serve(handler) as port:
        result = await look_at("mysql", port=port, user="me", password="open sesame", get_server_public_key=True)

    assert (result.status, result.cause, result.message) == (Status.DOWN, Cause.PROTOCOL_MISMATCH, message)


async def test_a_stranger_is_not_always_denied(look_at: Look, serve: Serve) -> None:
    async with (
        serve(scripted(greeting(), error(2, 1045, b"#28000denied"))) as denied,
        serve(scripted(greeting(), error(2, 1040, b""))) as full,
    ):
        assert (await look_at("mysql", port=denied)).status is Status.UP
        assert (await look_at("mysql", port=full)).message == "the server has too many connections (1040)"


def test_urls_and_faults_of_the_configuration() -> None:
    config = configured(Config, Config.from_url("mysql://me:p%40ss@db.example.com/shop?tls=starttls"))
    assert (config.target, config.tls, config.secret) == ("mysql://db.example.com:3306/shop", "starttls", "p@ss")
    wrongs: list[dict[str, Any]] = [{"password": Secret("x")}, {"query": "x"}, {"user": "me", "expect": 1}, {"user": "a\0b"}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"needs a|zero byte"):
            Config(host="x", **wrong)
