"""The uplink over HTTP: the laws, and every way in which it can be refused, by its words."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from vigie.clock import SystemClock
from vigie.errors import UplinkError, UplinkFault, VigieError
from vigie.net import Proxies, Secret
from vigie.testing.agent_server import AgentServer
from vigie.testing.servers import answering, serving, unused
from vigie.testing.uplink_suite import HELLO, UPLINK_LAWS, WELCOME, WORK, batch, fault_of
from vigie.uplinks import UplinkDeps, kind_of
from vigie.uplinks.https import Config, HttpsUplink, build


def uplink_to(
    url: str, *, token: str = "token", seconds: float = 2.0, ca_file: Path | None = None, proxies: Proxies | None = None
) -> HttpsUplink:
    return build(Config.of(url), UplinkDeps(SystemClock(), Secret(token), proxies or Proxies(), ca_file, seconds))


class HttpsRig(AgentServer):
    """The scripted server with the way to it."""

    def __init__(self, context: ssl.SSLContext | None = None, ca_file: Path | None = None) -> None:
        super().__init__(WELCOME, WORK, context=context)
        self._ca_file = ca_file

    def uplink(self) -> HttpsUplink:
        return uplink_to(self.url, ca_file=self._ca_file)


@contextlib.asynccontextmanager
async def rig_over_tls(tmp_path: Path) -> AsyncIterator[HttpsRig]:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with HttpsRig(context, tmp_path / "ca.pem") as rig:
        yield rig


@pytest.mark.parametrize("law", UPLINK_LAWS)
async def test_the_uplink_keeps_the_law(law: str) -> None:
    async with HttpsRig() as rig:
        await UPLINK_LAWS[law](rig)


@pytest.mark.parametrize("law", ["orders_end_with_the_link_and_begin_anew", "much_arrives_as_it_was_handed_over"])
async def test_over_tls_too(law: str, tmp_path: Path) -> None:
    async with rig_over_tls(tmp_path) as rig:
        await UPLINK_LAWS[law](rig)


async def test_an_authority_that_is_not_trusted_is_named(tmp_path: Path) -> None:
    async with rig_over_tls(tmp_path) as rig:
        uplink = uplink_to(rig.url)
        error = await fault_of(uplink.hello(HELLO))
        assert error.fault is UplinkFault.TLS
        assert "--ca-file" in error.fix
        other = uplink_to(rig.url.replace("127.0.0.1", "localhost"), ca_file=tmp_path / "ca.pem")
        error = await fault_of(other.hello(HELLO))
        assert "another name" in error.message
        plain = uplink_to(rig.url.replace("https", "http"))
        assert not (await fault_of(plain.hello(HELLO))).permanent
        for one in (uplink, other, plain):
            await one.close()


async def test_https_to_a_server_without_tls() -> None:
    async with HttpsRig() as rig:
        uplink = uplink_to(rig.url.replace("http", "https"))
        error = await fault_of(uplink.hello(HELLO))
        assert error.fault is UplinkFault.TLS
        assert "http: or https:" in error.fix
        await uplink.close()


async def test_a_wrong_token_is_permanent_and_says_what_to_do() -> None:
    async with HttpsRig() as rig:
        uplink = uplink_to(rig.url, token="another")
        error = await fault_of(uplink.hello(HELLO))
        assert (error.fault, error.permanent) == (UplinkFault.AUTH, True)
        assert "vigie agent enroll" in error.fix
        assert "another" not in error.message
        await uplink.close()


ANSWERS = [
    ("404 Not Found", "", UplinkFault.OTHER, False, "--server"),
    ("301 Moved", "Location: https://other.example/\n", UplinkFault.OTHER, False, "https://other.example/"),
    ("429 Slow Down", "Retry-After: 7\n", UplinkFault.BUSY, False, ""),
    ("502 Bad Gateway", "", UplinkFault.BUSY, False, ""),
    ("403 Forbidden", "", UplinkFault.AUTH, True, "VIGIE_AGENT_TOKEN"),
    ("413 Too Large", "", UplinkFault.REFUSED, True, "log of the server"),
    ("200 OK", "", UplinkFault.OTHER, False, "vigie serve"),
]


@pytest.mark.parametrize(("status", "head", "fault", "permanent", "fix"), ANSWERS)
async def test_what_others_answer(status: str, head: str, fault: UplinkFault, permanent: bool, fix: str) -> None:
    async with serving(answering(f"HTTP/1.1 {status}\n{head}Content-Length: 2\nConnection: close\n\n", b"hi")) as port:
        uplink = uplink_to(f"http://127.0.0.1:{port}")
        error = await fault_of(uplink.hello(HELLO))
        assert (error.fault, error.permanent) == (fault, permanent)
        assert fix in error.fix
        assert error.retry_after_ms == (7_000 if "Retry" in head else None)
        await uplink.close()


async def test_what_a_server_writes_is_one_readable_line() -> None:
    """Whoever answers at a wrong address moves no cursor and forges no line of the log; what a Vigie says to do is passed on."""
    evil = "\\u001b[31mred\\r\\nINFO all is well\\u0000"
    problem = f'{{"title": "no", "detail": "{evil}", "fault": "refused", "fix": "remove it{evil}"}}'.encode()
    head = f"HTTP/1.1 422 No\nContent-Length: {len(problem)}\nConnection: close\n\n"
    async with serving(answering(head, problem)) as port:
        uplink = uplink_to(f"http://127.0.0.1:{port}")
        error = await fault_of(uplink.hello(HELLO))
        assert (error.message + error.fix).isprintable()
        assert error.fix.startswith("remove it")
        await uplink.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"\x15\x03\x01 not HTTP\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000,
    ],
)
async def test_what_is_no_answer(answer: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with serving(handler) as port:
        uplink = uplink_to(f"http://127.0.0.1:{port}")
        assert not (await fault_of(uplink.hello(HELLO))).permanent
        assert not (await fault_of(anext(uplink.orders(0)))).permanent
        await uplink.close()


async def test_nobody_there_and_no_such_name() -> None:
    uplink = uplink_to(f"http://127.0.0.1:{unused()}")
    error = await fault_of(uplink.send([batch(1, 1)]))
    assert error.fault is UplinkFault.UNREACHABLE
    assert "refused the connection" in error.message
    await uplink.close()


async def test_a_proxy_is_asked_and_a_bad_one_is_named() -> None:
    uplink = uplink_to("https://vigie.example", proxies=Proxies.of({"https_proxy": f"http://127.0.0.1:{unused()}"}))
    assert (await fault_of(uplink.hello(HELLO))).fault is UplinkFault.UNREACHABLE
    await uplink.close()
    uplink = uplink_to("https://vigie.example", proxies=Proxies.of({"https_proxy": "ftp://x"}))
    error = await fault_of(uplink.hello(HELLO))
    assert "https_proxy" in error.message
    assert error.fix
    await uplink.close()


async def test_a_slow_link_gets_smaller_requests() -> None:
    async with HttpsRig() as rig:
        uplink = uplink_to(rig.url, seconds=0.3)
        many = [batch(1, number, 200_000) for number in range(1, 9)]
        rig.stall(stalled=True)
        for _ in range(3):
            with pytest.raises(UplinkError):
                await uplink.send(many)
        await uplink.close()
    async with HttpsRig() as rig:
        slow = uplink_to(rig.url)
        slow._most = uplink._most
        await slow.send(many)
        assert rig.taken == many
        assert len(rig.posts) > 2
        await slow.close()


def test_what_is_an_address() -> None:
    assert [kind_of(one) for one in ("https://x", "HTTP://x", "nats://x", "tls://x")] == ["https", "https", "nats", "nats"]
    for wrong in ("vigie.example.com", "https://", "https://a:b@x", "https://x?y", "https://x:port", "ftp://x"):
        with pytest.raises(ValueError):
            Config.of(wrong)
    with pytest.raises(ValueError, match="VIGIE_AGENT_TOKEN"):
        Config.of("https://vigie_agent_abc@vigie.example.com")
    assert Config.of("https://vigie.example.com/sub/").url == "https://vigie.example.com/sub"


def test_a_token_travels_encrypted_or_not_at_all() -> None:
    deps = UplinkDeps(SystemClock(), Secret("token"))
    with pytest.raises(VigieError, match="unencrypted"):
        build(Config.of("http://vigie.example.com"), deps)
    for near in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"):
        build(Config.of(near), deps)
    build(Config.of("http://vigie.example.com"), UplinkDeps(SystemClock(), Secret("token"), plain=True))
    for token in (None, Secret(""), Secret("a\nb"), Secret("é")):
        with pytest.raises(VigieError, match="VIGIE_AGENT_TOKEN"):
            build(Config.of("https://x"), UplinkDeps(SystemClock(), token))
