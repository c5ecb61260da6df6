"""HTTP/1.1, 2 and 3 against real servers: what is asked for, what is negotiated, and what each of them may break."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from vigie.core.model import Cause, Status
from vigie.probes.kit.http import libcurl
from vigie.probes.kit.http.exchange import Exchange
from vigie.probes.kit.http.verdict import failure
from vigie.testing.servers import Handler, answering, page, serving
from vigie.testing.version_server import Answer, serving_versions

from .looking import OK, Deps, ask, bounded_memory, is_down, look

Cert = tuple[Path, Path]


@pytest.fixture(scope="module")
def cert(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Cert:
    """A certificate for 127.0.0.1 and its key, as files."""
    folder, leaf = tmp_path_factory.mktemp("versions"), authority.issue_cert("127.0.0.1", "localhost")
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(one.bytes() for one in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(key)
    return chain, key


@pytest.mark.parametrize(
    ("asked", "spoken", "got"),
    [
        (None, ("h2", "http/1.1"), "2"),
        (None, ("http/1.1",), "1.1"),
        ("1.1", ("h2", "http/1.1"), "1.1"),
        ("2", ("h2", "http/1.1"), "2"),
        ("2", ("http/1.1",), "1.1"),
        ("3", ("h2", "http/1.1"), "3"),
    ],
)
async def test_what_is_negotiated_over_tls_is_a_fact(
    asked: str | None, spoken: tuple[str, ...], got: str, make_deps: Deps, cert: Cert
) -> None:
    async with serving_versions(Answer(), cert, spoken) as port:
        result = await look(make_deps, f"https://127.0.0.1:{port}/", 3_000, http=asked, expect={"keyword": "hello"})

    assert result.status is Status.UP, result.message
    assert result.http is not None
    assert (result.http.version, result.http.bytes, result.http.type) == (got, 5, "text/plain")
    assert result.tls is not None
    assert result.tls.version == "TLSv1.3"
    timings = result.timings
    assert None not in (timings.connect, timings.tls, timings.first_byte, timings.transfer, timings.total)


@pytest.mark.parametrize(("asked", "got"), [(None, "1.1"), ("1.1", "1.1"), ("2", "2")])
async def test_what_is_spoken_in_clear_text(asked: str | None, got: str, make_deps: Deps) -> None:
    async with serving_versions(Answer()) as port:
        result = await look(make_deps, f"http://127.0.0.1:{port}/", http=asked, expect={"keyword": "hello"})

    assert result.http is not None
    assert (result.status, result.http.version) == (Status.UP, got)


async def test_http_1_0_is_still_an_answer(make_deps: Deps) -> None:
    result = await ask(make_deps, answering("HTTP/1.0 200 OK\n\n", b"hello"), expect={"keyword": "hello"})

    assert result.http is not None
    assert (result.status, result.http.version) == (Status.UP, "1.0")


@pytest.mark.parametrize("version", ["1.1", "2", "3"])
async def test_a_status_is_a_status_in_every_version(version: str, make_deps: Deps, cert: Cert) -> None:
    async with serving_versions(Answer(b"no", 503), cert) as port:
        assert is_down(await look(make_deps, f"https://127.0.0.1:{port}/", http=version), Cause.HTTP_STATUS)


@pytest.mark.parametrize("version", ["1.1", "2", "3"])
async def test_an_answer_that_does_not_end_is_cut_at_the_deadline(version: str, make_deps: Deps, cert: Cert) -> None:
    async with serving_versions(Answer(pause_s=0.8), cert) as port:
        result = await look(make_deps, f"https://127.0.0.1:{port}/", 400, http=version)

    assert is_down(result, Cause.TIMEOUT_TOTAL), result.message
    assert result.timings.first_byte is not None


@pytest.mark.parametrize("version", ["1.1", "2", "3"])
async def test_a_long_body_is_read_to_its_bound(version: str, make_deps: Deps, cert: Cert) -> None:
    async with serving_versions(Answer(b"z" * 3_000_000), cert) as port:
        result = await look(make_deps, f"https://127.0.0.1:{port}/", 8_000, http=version)

    assert result.status is Status.UP, result.message
    assert result.http is not None
    assert result.http.bytes == 1_048_576


@pytest.mark.parametrize("version", ["1.1", "2", "3"])
async def test_a_certificate_is_judged_in_every_version(version: str, make_deps: Deps, cert: Cert, tmp_path: Path) -> None:
    stranger = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    async with serving_versions(Answer(), cert) as port:
        refused = await look(make_deps, f"https://127.0.0.1:{port}/", http=version, ca_file=str(stranger))
        insecure = await look(make_deps, f"https://127.0.0.1:{port}/", http=version, ca_file=str(stranger), insecure=True)
        other = await look(make_deps, f"https://app.localhost:{port}/", http=version, ip=4)

    assert is_down(refused, Cause.TLS_UNTRUSTED), refused.message
    assert insecure.status is Status.UP
    assert is_down(other, Cause.TLS_HOSTNAME), other.message
    assert all(result.tls is not None and result.tls.chain for result in (refused, insecure, other))


# HTTP/3


@contextmanager
def datagrams() -> Iterator[socket.socket]:
    """A UDP socket that takes what comes."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        yield sock


async def test_a_silent_port_is_no_connection_over_quic(make_deps: Deps) -> None:
    with datagrams() as sock:
        result = await look(make_deps, f"https://127.0.0.1:{sock.getsockname()[1]}/", 300, http="3")

    assert is_down(result, Cause.TIMEOUT_CONNECT), result.message


async def test_a_closed_port_refuses_over_quic(make_deps: Deps) -> None:
    with datagrams() as sock:
        port = sock.getsockname()[1]
    for host in ("127.0.0.1", "localhost"):
        result = await look(make_deps, f"https://{host}:{port}/", 500, http="3")
        assert is_down(result, Cause.TCP_REFUSED)
        assert result.message == "the UDP port refused the connection, so there is no HTTP/3"
        assert "over HTTP/2 it may answer" in result.advice[0]


@pytest.mark.parametrize("code", [libcurl.E_OWN, libcurl.E_UNSUPPORTED_PROTOCOL, libcurl.E_NOT_BUILT_IN])
def test_a_libcurl_without_http_3_is_not_held_against_the_service(code: int) -> None:
    found = failure(Exchange(code=code, error="libcurl does not take the request", quic=True), 1_000, secure=True)

    assert found is not None
    assert (found.cause, found.status) == (Cause.PROBE_ERROR, Status.UNKNOWN)
    assert found.message == "the libcurl that is installed has no HTTP/3; ask for another version"


@pytest.mark.parametrize("answer", [b"no quic at all", b"\xc0\0\0\0\0\0\0", b"\0" * 1_200, b"\xff" * 1_200])
async def test_noise_over_quic_is_not_believed(answer: bytes, make_deps: Deps) -> None:
    with datagrams() as sock:
        loop = asyncio.get_running_loop()

        async def noise() -> None:
            while True:
                _, peer = await loop.sock_recvfrom(sock, 2_000)
                for _ in range(20):
                    await loop.sock_sendto(sock, answer, peer)

        noisy = asyncio.create_task(noise())
        result = await look(make_deps, f"https://127.0.0.1:{sock.getsockname()[1]}/", 300, http="3")
        noisy.cancel()

    assert result.cause in (Cause.TIMEOUT_CONNECT, Cause.TLS_HANDSHAKE), result.message


async def test_only_tcp_is_no_answer_to_http_3(make_deps: Deps, cert: Cert) -> None:
    """And the healthy neighbour: the same server without `http: 3`."""
    async with serving_versions(Answer(), cert) as port:
        other = port
        assert (await look(make_deps, f"https://127.0.0.1:{port}/")).status is Status.UP
    async with serving(page(b""), None, other):
        assert is_down(await look(make_deps, f"https://127.0.0.1:{other}/", 500, http="3"), Cause.TCP_REFUSED)


# HTTP/2, frame by frame (RFC 9113 §4.1)


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


DATA, HEADERS, RST, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
HELLO = frame(SETTINGS)
OK_HEADERS = frame(HEADERS, END_HEADERS, 1, b"\x88")  # :status 200 (RFC 7541 A)


def frames(*parts: bytes, loop: bytes = b"", hold: bool = False) -> Handler:
    """Reads the preface and the request, sends these frames, then `loop` for ever; ends there, or holds the connection."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(b"".join(parts))
        await writer.drain()
        while loop:
            writer.write(loop)
            await writer.drain()
        if not hold:
            writer.write_eof()  # what the client still says is read, else it would meet a reset
        await reader.read()

    return handler


LITERAL = b"\0\x01x\x7f\x81\x07" + b"a" * 262  # a header `x` with a value of 262 letters (RFC 7541 §6.2.2)
H2: list[tuple[str, Handler, Cause | None]] = [
    ("is fine", frames(HELLO, OK_HEADERS, frame(DATA, END_STREAM, 1, b"hello")), None),
    ("is fine and stays", frames(HELLO, OK_HEADERS, frame(DATA, END_STREAM, 1, b"hello"), hold=True), None),
    ("speaks HTTP/1.1", page(b"hello"), Cause.HTTP_PROTOCOL),
    ("speaks noise", frames(bytes(range(256)) * 9), Cause.HTTP_PROTOCOL),
    ("says nothing more", frames(HELLO, hold=True), Cause.TIMEOUT_FIRST_BYTE),
    ("sends headers only", frames(HELLO, OK_HEADERS, hold=True), Cause.TIMEOUT_TOTAL),
    ("resets the stream", frames(HELLO, frame(RST, 0, 1, b"\0\0\0\2"), hold=True), Cause.HTTP_PROTOCOL),
    ("resets it in the body", frames(HELLO, OK_HEADERS, frame(DATA, 0, 1, b"he"), frame(RST, 0, 1, b"\0\0\0\2"), hold=True), Cause.HTTP_PROTOCOL),
    ("goes away", frames(HELLO, frame(GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\1"), hold=True), Cause.HTTP_PROTOCOL),
    ("closes in the body", frames(HELLO, OK_HEADERS, frame(DATA, 0, 1, b"he")), Cause.HTTP_TRUNCATED),
    ("has a frame too long", frames(HELLO, OK_HEADERS, frame(DATA, 0, 1, b"z" * 70_000), hold=True), Cause.HTTP_PROTOCOL),
    ("has data before headers", frames(HELLO, frame(DATA, END_STREAM, 1, b"hello"), hold=True), Cause.HTTP_PROTOCOL),
    ("has no status", frames(HELLO, frame(HEADERS, END_HEADERS | END_STREAM, 1, LITERAL), hold=True), Cause.HTTP_PROTOCOL),
    ("continues for ever", frames(HELLO, frame(HEADERS, 0, 1, b"\x88"), loop=frame(CONTINUATION, 0, 1, LITERAL)), Cause.HTTP_PROTOCOL),
    ("continues with nothing for ever", frames(HELLO, frame(HEADERS, 0, 1, b"\x88"), loop=frame(CONTINUATION, 0, 1) * 100), Cause.HTTP_PROTOCOL),
]  # fmt: skip


@pytest.mark.parametrize(("handler", "cause"), [one[1:] for one in H2], ids=[one[0] for one in H2])
async def test_an_http_2_server_that(handler: Handler, cause: Cause | None, make_deps: Deps) -> None:
    async with bounded_memory():
        result = await ask(make_deps, handler, 400, http="2")

    assert result.cause is cause, result.message
    assert cause is None or result.status is Status.DOWN


@pytest.mark.parametrize("flood", [frame(PING, 0, 0, b"12345678") * 50, frame(SETTINGS) * 50, frame(DATA, 0, 1) * 100])
async def test_a_flood_of_frames_ends_in_time(flood: bytes, make_deps: Deps) -> None:
    """Whichever it is called: it is told as a failure, in time and memory."""
    async with bounded_memory():
        result = await ask(make_deps, frames(HELLO, OK_HEADERS, loop=flood), 400, http="2")

    assert result.status is Status.DOWN, result.message


@pytest.mark.parametrize("options", [{"http": "2"}, {}])
async def test_http_1_0_words_from_an_http_2_port(options: dict[str, Any], make_deps: Deps) -> None:
    result = await ask(make_deps, answering(OK + "Content-Length: 5\n\n", b"hello"), **options)

    assert (result.cause is None) is (not options)
