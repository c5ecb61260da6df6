"""Connecting to the real server: each way to log in, and each way in which a server can be wrong, by what people are told."""

import asyncio
import base64
import binascii
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.buses.nats_rig import connected, needs_nats, opened

from vigie.buses import BusDeps
from vigie.buses.nats import topology
from vigie.buses.nats.bus import NatsBus
from vigie.clock import SystemClock
from vigie.errors import BusError, BusFault
from vigie.net.nats.address import Config
from vigie.net.nats.connection import Connection
from vigie.net.nats.keys import UserKey, seed_of
from vigie.testing.nats_server import NatsServer, cluster, free_port
from vigie.testing.servers import page, serving

pytestmark = needs_nats
OPERATOR, ACCOUNT, USER = 14 << 3, 0, 20 << 3


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as stack:

        def one(config: str = "", **options: Any) -> NatsServer:
            return stack.enter_context(NatsServer(tmp_path, config, **options))

        yield one


async def fault_of(address: str, base: Path = Path()) -> BusError:
    with pytest.raises(BusError) as raised:
        async with connected(address, base):
            pass
    assert raised.value.fix
    return raised.value


async def works(address: str, base: Path = Path()) -> None:
    async with connected(address, base) as connection:
        await connection.api("INFO")


@pytest.mark.parametrize(
    ("config", "good", "bad"),
    [
        ("authorization { user: me, password: 's3cret' }", "me:s3cret@", ["", "me:wrong@", "token@"]),
        ("authorization { token: 's3cret' }", "s3cret@", ["", "wrong@", "me:s3cret@"]),
    ],
)
async def test_a_login_is_used_and_a_wrong_one_is_refused_at_once(start: Any, config: str, good: str, bad: list[str]) -> None:
    server = start(config)
    await works(f"nats://{good}{server.address}")
    for login in bad:
        error = await fault_of(f"nats://{login}{server.address}")
        assert error.fault is BusFault.AUTH
        assert server.address in error.message
        assert "s3cret" not in str(error)


async def test_an_nkey_is_used_without_its_library(start: Any, tmp_path: Path) -> None:
    seed, other = seed_of(Ed25519PrivateKey.generate()), seed_of(Ed25519PrivateKey.generate())
    server = start(f"authorization {{ users: [{{ nkey: {UserKey(seed).public} }}] }}")
    (tmp_path / "good.nk").write_text(f"{seed}\n")
    (tmp_path / "bad.nk").write_text(f"{other}\n")
    (tmp_path / "none.nk").write_text("hello")
    await works(f"{server.url}?nkey=good.nk", tmp_path)
    assert (await fault_of(f"{server.url}?nkey=bad.nk", tmp_path)).fault is BusFault.AUTH
    for file in ("none.nk", "missing.nk"):
        error = await fault_of(f"{server.url}?nkey={file}", tmp_path)
        assert error.fault is BusFault.AUTH
        assert file in error.message


def public(key: Ed25519PrivateKey, kind: int) -> str:
    raw = bytes([kind]) + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode().rstrip("=")


def jwt(signer: Ed25519PrivateKey, issuer: str, subject: str, claims: dict[str, Any], **more: int) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    body = {"jti": subject, "iat": 1_700_000_000, "iss": issuer, "sub": subject, "name": "tests", "nats": {"version": 2, **claims}, **more}
    text = f"{part({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{part(body)}"
    return f"{text}.{base64.urlsafe_b64encode(signer.sign(text.encode())).decode().rstrip('=')}"


async def test_a_credentials_file_is_used_without_the_library_of_nkeys(start: Any, tmp_path: Path) -> None:
    operator, account, user, system = (Ed25519PrivateKey.generate() for _ in range(4))
    operators, accounts, users = public(operator, OPERATOR), public(account, ACCOUNT), public(user, USER)
    limits = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1, "subs": -1, "data": -1, "payload": -1, "conn": -1}
    limits |= {"leaf": -1, "imports": -1, "exports": -1, "wildcards": True}
    of_account = jwt(operator, operators, accounts, {"type": "account", "limits": limits})
    of_operator = jwt(operator, operators, operators, {"type": "operator"})
    systems = public(system, ACCOUNT)
    of_system = jwt(operator, operators, systems, {"type": "account", "limits": {**limits, "mem_storage": 0, "disk_storage": 0}})
    preload = f"resolver_preload: {{ {accounts}: {of_account}\n {systems}: {of_system} }}"
    server = start(f"operator: {of_operator}\nsystem_account: {systems}\nresolver: MEMORY\n{preload}")
    of_user = jwt(account, accounts, users, {"type": "user", "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1})
    text = (
        f"-----BEGIN NATS USER JWT-----\n{of_user}\n------END NATS USER JWT------\n\n************************* IMPORTANT ***\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed_of(user)}\n------END USER NKEY SEED------\n"
    )
    (tmp_path / "good.creds").write_text(text)
    (tmp_path / "half.creds").write_text(text.partition("****")[0])
    stranger = seed_of(Ed25519PrivateKey.generate())
    (tmp_path / "other.creds").write_text(text.replace(seed_of(user), stranger))
    expired = jwt(
        account, accounts, users, {"type": "user", "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1}, exp=1_750_000_000
    )
    (tmp_path / "expired.creds").write_text(text.replace(of_user, expired))
    error = await fault_of(f"{server.url}?creds=expired.creds", tmp_path)
    assert error.fault is BusFault.AUTH
    assert "expired.creds expired on 2025-06-15 15:06 UTC" in error.message
    await works(f"{server.url}?creds=good.creds", tmp_path)
    assert (await fault_of(f"{server.url}?creds=other.creds", tmp_path)).fault is BusFault.AUTH
    error = await fault_of(f"{server.url}?creds=half.creds", tmp_path)
    assert "is not a credentials file" in error.message
    assert (await fault_of(server.url)).fault is BusFault.AUTH


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    authority, folder = trustme.CA(), tmp_path_factory.mktemp("tls")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    (folder / "server.pem").write_bytes(b"".join(one.bytes() for one in certificate.cert_chain_pems))
    client = authority.issue_cert("vigie@example.com")
    client.private_key_pem.write_to_path(folder / "client.key")
    (folder / "client.pem").write_bytes(b"".join(one.bytes() for one in client.cert_chain_pems))
    authority.cert_pem.write_to_path(folder / "ca.pem")
    trustme.CA().cert_pem.write_to_path(folder / "other.pem")
    return authority, folder


async def test_tls_is_verified_and_may_want_a_certificate(start: Any, authority: tuple[trustme.CA, Path]) -> None:
    _, folder = authority
    tls = f'cert_file: "{folder}/server.pem", key_file: "{folder}/server.key"'
    server = start(f"tls {{ {tls} }}")
    await works(f"tls://{server.address}?ca_file=ca.pem", folder)
    await works(f"nats://{server.address}?ca_file=ca.pem", folder)
    for address in (f"tls://{server.address}", f"tls://{server.address}?ca_file=other.pem"):
        error = await fault_of(address, folder)
        assert error.fault is BusFault.TLS
        assert "certificate" in error.message
    server.stop()
    server.start(f'tls {{ {tls}, ca_file: "{folder}/ca.pem", verify: true }}')
    await works(f"tls://{server.address}?ca_file=ca.pem&cert_file=client.pem&key_file=client.key", folder)
    assert (await fault_of(f"tls://{server.address}?ca_file=ca.pem", folder)).fault in (BusFault.TLS, BusFault.UNREACHABLE)
    assert (await fault_of(f"tls://{server.address}?ca_file=missing.pem", folder)).fault is BusFault.TLS


async def test_a_login_never_leaves_unencrypted_where_tls_was_asked_for(start: Any) -> None:
    server = start("authorization { user: me, password: 's3cret' }")
    error = await fault_of(f"tls://me:s3cret@{server.address}")
    assert error.fault is BusFault.TLS
    assert "offers no TLS" in error.message
    assert not any("authentication" in line.lower() for line in server.log)


async def test_nobody_is_there() -> None:
    error = await fault_of(f"nats://127.0.0.1:{free_port()}")
    assert error.fault is BusFault.UNREACHABLE
    assert not error.permanent


async def test_somebody_else_is_there() -> None:
    async with serving(page(b"hello")) as port:
        assert (await fault_of(f"nats://127.0.0.1:{port}")).fault in (BusFault.OTHER, BusFault.TIMEOUT)


def greeting(**info: object) -> bytes:
    return b"INFO " + json.dumps({"server_id": "x", "version": "2.12.0", "proto": 1, "headers": True, **info}).encode() + b"\r\n"


STRANGERS = {
    "a line without an end": b"INFO " + b"x" * 1_000_000,
    "a list": b"INFO []\r\n",
    "a number": b"INFO 7\r\n",
    "not JSON": b"INFO {\r\n",
    "not UTF-8": b"INFO \xff\xfe\r\n",
    "nested": b"INFO " + b"[" * 20_000 + b"\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "bytes": bytes(range(256)) + b"\r\n",
    "an error": b"-ERR '" + b"\x1b[2J" * 5_000 + b"'\r\n",
    "a version that is a number": greeting(version=7),
    "a version that is none": greeting(version="\x1b[2J"),
    "servers that are numbers": greeting(connect_urls=[7]),
    "servers that are nothing": greeting(connect_urls="x"),
    "a challenge that is a number": greeting(nonce=7, auth_required=True),
}


@pytest.mark.parametrize("what", STRANGERS)
async def test_a_stranger_on_the_port_is_an_error_of_the_bus(what: str, tmp_path: Path) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STRANGERS[what])
        await reader.readuntil(b"PING\r\n")
        writer.write(b"PONG\r\n")
        await reader.read()

    (tmp_path / "user.nk").write_text(seed_of(Ed25519PrivateKey.generate()))
    async with serving(speak) as port, asyncio.timeout(15):
        error = await fault_of(f"nats://127.0.0.1:{port}?nkey=user.nk", tmp_path)
    assert f"127.0.0.1:{port}" in error.message
    assert len(error.message) < 400
    assert error.message.isprintable()


async def test_a_server_that_is_announced_is_sent_nothing() -> None:
    """Whoever takes the place of a server for a moment must not get the login later on as well."""
    came = list[str]()

    async def elsewhere(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append("elsewhere")
        writer.close()

    async with serving(elsewhere) as other:

        async def announcing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.append("here")
            writer.write(greeting(connect_urls=[f"127.0.0.1:{other}"], max_payload=1_048_576))
            for _ in range(2):  # that of the connection, and that after its subscription
                await reader.readuntil(b"PING\r\n")
                writer.write(b"PONG\r\n")
            writer.write(greeting(connect_urls=[f"127.0.0.1:{other}"], max_payload=1_048_576))
            await writer.drain()
            writer.close()

        async with serving(announcing) as port, connected(f"nats://me:s3cret@127.0.0.1:{port}") as connection, asyncio.timeout(15):
            while len(came) < 5:
                await connection.ready()
                await asyncio.sleep(0.01)  # slow: it is connected again after a tenth of a second
        assert set(came) == {"here"}


async def _old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    info = {"server_id": "old", "version": "2.9.25", "proto": 1, "headers": True, "max_payload": 1_048_576}
    writer.write(f"INFO {json.dumps(info)}\r\n".encode())
    await reader.readuntil(b"PING\r\n")
    writer.write(b"PONG\r\n")
    await reader.read()


async def test_a_server_that_is_too_old_is_named() -> None:
    async with serving(_old) as port:
        error = await fault_of(f"nats://127.0.0.1:{port}")
        assert (error.fault, error.permanent) == (BusFault.UNSUITABLE, True)
        assert "2.9" in error.message
        assert "2.10" in error.message


async def test_without_jetstream(start: Any) -> None:
    server = start(jetstream="none")
    with pytest.raises(BusError) as raised:
        async with opened(server.url):
            pass
    assert raised.value.fault is BusFault.UNSUITABLE
    assert "JetStream" in raised.value.message + raised.value.fix


@pytest.mark.parametrize(
    ("account", "fault", "words"),
    [
        ("", BusFault.UNSUITABLE, "jetstream: enabled"),
        ("jetstream: { max_streams: 1 }", BusFault.FULL, "number of streams"),
        ("jetstream: { max_file: 1KB, max_streams: 5 }", None, ""),
        ("jetstream: { max_bytes_required: true }", BusFault.UNSUITABLE, "max_bytes"),
    ],
)
async def test_what_an_account_may_not_do_is_said(start: Any, account: str, fault: BusFault | None, words: str) -> None:
    server = start(f"accounts {{ VIGIE {{ {account}\n users: [{{user: me, password: s3cret}}] }}, SYS {{}} }}\nsystem_account: SYS")
    address = f"nats://me:s3cret@{server.address}"
    if fault is None:
        async with opened(address):
            return
    with pytest.raises(BusError) as raised:
        async with opened(address):
            pass
    assert raised.value.fault is fault
    assert words in raised.value.fix


async def test_replicas_need_a_cluster(start: Any) -> None:
    with pytest.raises(BusError) as raised:
        async with opened(f"{start().url}?replicas=3"):
            pass
    assert (raised.value.fault, raised.value.permanent) == (BusFault.UNSUITABLE, True)
    assert "cluster" in raised.value.fix


async def test_a_stream_with_other_settings_is_named_and_left_alone(start: Any, caplog: pytest.LogCaptureFixture) -> None:
    server = start()
    async with connected(server.url) as admin:
        await admin.api(
            "STREAM.CREATE.VIGIE_RESULTS", {"name": "VIGIE_RESULTS", "subjects": ["res.*.*.*"], "discard": "new", "max_age": 3600 * 10**9}
        )
        async with opened(server.url):
            assert "max_age is 3600s, wanted 259200s" in caplog.text
            assert "nats stream edit VIGIE_RESULTS" in caplog.text
        assert (await admin.api("STREAM.INFO.VIGIE_RESULTS"))["config"]["max_age"] == 3600 * 10**9
        await admin.api("STREAM.DELETE.VIGIE_RESULTS")
        await admin.api("STREAM.CREATE.VIGIE_RESULTS", {"name": "VIGIE_RESULTS", "subjects": ["res.>"], "retention": "workqueue"})
        with pytest.raises(BusError) as raised:
            async with opened(server.url):
                pass
        assert (raised.value.fault, raised.value.permanent) == (BusFault.DIFFERENT, True)
        await admin.api("STREAM.DELETE.VIGIE_RESULTS")
        await admin.api("STREAM.CREATE.MINE", {"name": "MINE", "subjects": ["res.>"]})
        with pytest.raises(BusError) as raised:
            async with opened(server.url):
                pass
        assert raised.value.fault is BusFault.DIFFERENT
        assert "account of its own" in raised.value.fix


@pytest.mark.parametrize(
    ("stream", "settings", "words"),
    [
        ("VIGIE_RESULTS", {"allow_rollup_hdrs": True}, "allow_rollup_hdrs is switched on"),
        ("VIGIE_RESULTS", {"sealed": True}, "sealed is switched on"),
        ("VIGIE_RESULTS", {"subject_transform": {"src": "res.>", "dest": "other.>"}}, "subject_transform is switched on"),
        ("VIGIE_RESULTS", {"discard": "old"}, "discard is old, wanted new"),
        ("VIGIE_RESULTS", {"no_ack": True}, "no_ack is True, wanted False"),
        ("KV_vigie-work", {"max_age": 3600 * 10**9}, "max_age is 3600s, wanted unlimited"),
        ("VIGIE_RESULTS", {"storage": "memory"}, ""),
        ("VIGIE_RESULTS", {"max_msgs": 1000}, ""),
    ],
)
async def test_what_vigie_cannot_work_with_is_told_from_what_it_can(
    start: Any, caplog: pytest.LogCaptureFixture, stream: str, settings: dict[str, Any], words: str
) -> None:
    """By a header an agent could delete all that others report, or have the server publish in their names."""
    server = start()
    bus = NatsBus(Config.of(server.url), BusDeps(SystemClock()))
    wanted = topology.results(bus._config) if stream == "VIGIE_RESULTS" else topology.work(bus._config)
    sealed = settings.pop("sealed", False)
    async with connected(server.url) as admin:
        await admin.api(f"STREAM.CREATE.{stream}", {**wanted, **settings})
        if sealed:
            await admin.api(f"STREAM.UPDATE.{stream}", {**wanted, "sealed": True, "discard": "new"})
    try:
        if not words:
            for _ in range(2):
                await bus.open()
            assert caplog.text.count(f"the stream {stream} is there with other settings") == 1
            assert next(iter(settings)) in await bus.examine()
            return
        with pytest.raises(BusError, match=words) as raised:
            await bus.open()
        assert (raised.value.fault, raised.value.permanent) == (BusFault.DIFFERENT, True)
        assert stream in raised.value.fix
    finally:
        await bus.close()


@pytest.mark.parametrize("key", topology._OFF)
def test_what_must_not_be_switched_on_is_a_fault_of_the_stream_of_results(key: str) -> None:
    """Also where no server of today lets it be set with the rest."""
    wanted = topology.results(Config.of("nats://127.0.0.1"))
    assert topology._differences(wanted, wanted) == []
    (found,) = topology._differences(wanted, {**wanted, key: True})
    assert (found.what, found.is_fault) == (f"{key} is switched on", True)
    assert topology._differences(wanted, {**wanted, key: False}) == []


async def test_who_may_not_ask_is_told_so_at_once(start: Any) -> None:
    server = start('authorization { users: [{user: me, password: s3cret, permissions: {publish: "a", subscribe: "_INBOX.>"}}] }')
    async with connected(f"nats://me:s3cret@{server.address}") as connection:
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(BusError) as raised:
            await connection.api("INFO")
        assert raised.value.fault is BusFault.RIGHTS
        assert loop.time() - started < 3

        async def handler(_: object) -> None:
            raise AssertionError

        with pytest.raises(BusError) as raised:
            await connection.subscribe("Secrets.Of.Others", handler)
        assert raised.value.fault is BusFault.RIGHTS


async def test_a_login_that_is_taken_away_ends_the_connection_and_one_that_comes_back_is_used(start: Any) -> None:
    def users(password: str) -> str:
        return f"authorization {{ user: me, password: {password} }}"

    server = start(users("first"))
    async with connected(f"nats://me:first@{server.address}") as connection:
        await connection.api("INFO")
        server.reload(users("second"))
        async with asyncio.timeout(10):
            while connection.error is None or connection.error.fault is not BusFault.AUTH:
                with pytest.raises(BusError):
                    await connection.ready(0.1) if not connection.connected else await connection.ask("nobody", b"", seconds=0.1)
        server.reload(users("first"))
        await connection.ready(10)
        await connection.api("INFO")


async def regained(connection: Connection) -> None:
    while connection.generation < 2:
        try:
            await connection.api("INFO", seconds=1)
        except BusError:
            await asyncio.sleep(0.01)  # slow: it is connected again when the server is


async def test_a_server_that_is_being_shut_down_is_left_for_another_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In its lame duck mode it keeps its connections for minutes, and JetStream no longer."""
    with cluster(tmp_path, ("one", "two"), "lame_duck_duration: 60s") as servers:
        async with connected(f"nats://{','.join(one.address for one in servers)}") as connection:
            before = connection.server.partition(" ")[0]
            next(one for one in servers if one.address == before).retire()
            async with asyncio.timeout(15):
                await regained(connection)
            assert connection.server.partition(" ")[0] != before
            assert "is being shut down" in caplog.text


async def test_what_is_subscribed_stays_subscribed(start: Any) -> None:
    server = start()
    async with connected(server.url) as connection, connected(server.url) as other:
        got: asyncio.Queue[bytes] = asyncio.Queue()

        async def take(message: Any) -> None:
            got.put_nowait(message.data)

        end = await connection.subscribe("news", take)
        server.kill()
        server.start()
        async with asyncio.timeout(10):
            await regained(connection)
            await regained(other)
            await other.publish("news", b"one")
            assert await got.get() == b"one"
            await end()
            await other.publish("news", b"two")
            await other.api("INFO")
            await connection.api("INFO")
        assert got.empty()


def test_a_seed_of_something_else_is_no_user() -> None:
    seed = seed_of(Ed25519PrivateKey.generate())
    for wrong in ("", "hello", seed[:-1], seed[:20] + ("A" if seed[20] != "A" else "B") + seed[21:], "SA" + seed[2:]):
        with pytest.raises(ValueError, match="NKey"):
            UserKey(wrong)
    assert UserKey(f" {seed}\n").public.startswith("U")


async def test_a_connection_that_is_closed_stays_closed(start: Any) -> None:
    server = start()
    connection = Connection(Config.of(server.url), "tests")
    await connection.open()
    await connection.close()
    await connection.close()
    for work in (connection.open(), connection.publish("a", b""), connection.api("INFO")):
        with pytest.raises(BusError):
            await work


async def test_what_is_being_connected_when_it_is_closed_is_hung_up(start: Any) -> None:
    server = start()
    connection = Connection(Config.of(server.url), "tests")
    server.pause()
    opening = asyncio.create_task(connection.open())
    await asyncio.sleep(0)  # it has begun
    assert connection._connecting.locked()
    await connection.close()
    server.resume()
    with pytest.raises(BusError, match="closed"):
        await opening
    assert not connection.connected


async def test_what_broke_just_before_it_is_closed_is_hung_up(start: Any) -> None:
    connection = Connection(Config.of(start().url), "tests")
    await connection.open()
    client = connection._client
    assert client is not None
    connection._lost(client, [])
    await connection.close()
    assert client.is_closed
