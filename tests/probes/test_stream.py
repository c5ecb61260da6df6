"""What every kind that talks over one connection shares: each failure told apart, certificates read even where they are refused."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from vigie.core.model import Cause, CheckResult, Status
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.stream import Dialogue, Peer, converse
from vigie.testing.servers import Serve, reset

Deps = Callable[[], ProbeDeps]
Contexts = Callable[..., ssl.SSLContext]


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 hello\r\n")
    await writer.drain()
    await reader.readline()


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def read_greeting(dialogue: Dialogue) -> str:
    line = await dialogue.read_line()
    dialogue.expect(ok=line.startswith("220"), message="another greeting is expected", got=line)
    return line


async def look(make_deps: Deps, port: int, timeout: int = 2_000, host: str = "127.0.0.1", **peer: Any) -> CheckResult:
    deps = make_deps()
    try:
        return await converse(Peer(host, port, **peer), deps, timeout, read_greeting)
    finally:
        deps.close()


async def test_a_healthy_exchange_is_up_with_its_phases(serve: Serve, make_deps: Deps) -> None:
    async with serve(greet) as port:
        result = await look(make_deps, port)

    assert (result.status, result.message, result.address) == (Status.UP, "220 hello", "127.0.0.1")
    assert result.timings.connect is not None
    assert result.timings.first_byte is not None
    assert result.timings.tls is None


async def test_a_healthy_exchange_over_tls_shows_the_chain(serve: Serve, make_deps: Deps, make_context: Contexts) -> None:
    async with serve(greet, make_context()) as port:
        result = await look(make_deps, port, tls=True)

    assert result.status is Status.UP, result
    assert result.tls is not None
    assert result.tls.version == "TLSv1.3"
    assert result.tls.chain


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"days": -2, "begins": -30}, Cause.TLS_EXPIRED),
        ({"begins": 2, "days": 30}, Cause.TLS_NOT_YET_VALID),
        ({"names": ("shop.test",)}, Cause.TLS_HOSTNAME),
        ({"trusted": False}, Cause.TLS_UNTRUSTED),
        ({"days": 3}, Cause.TLS_EXPIRING),
    ],
)
async def test_a_certificate_is_judged_and_its_facts_are_told(
    serve: Serve, make_deps: Deps, make_context: Contexts, options: dict[str, Any], cause: Cause
) -> None:
    names = options.pop("names", ())
    async with serve(greet, make_context(*names, **options)) as port:
        result = await look(make_deps, port, tls=True)
        unjudged = await look(make_deps, port, tls=True, insecure=True)

    assert result.cause is cause
    assert result.status is (Status.DEGRADED if cause is Cause.TLS_EXPIRING else Status.DOWN)
    assert result.tls is not None
    assert result.tls.days_left is not None
    assert unjudged.status in (Status.UP, Status.DEGRADED)


async def test_a_weak_key_is_degraded(serve: Serve, make_deps: Deps, weak_context: tuple[ssl.SSLContext, Path]) -> None:
    context, pem = weak_context
    async with serve(greet, context) as port:
        result = await look(make_deps, port, tls=True, ca_file=str(pem))

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.TLS_WEAK)


async def test_a_missing_intermediate_is_untrusted(serve: Serve, make_deps: Deps, authority: trustme.CA) -> None:
    between = authority.create_child_ca()
    leaf = between.issue_cert("127.0.0.1")
    whole, cut = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(whole)
    with leaf.private_key_pem.tempfile() as key, leaf.cert_chain_pems[0].tempfile() as cert:
        cut.load_cert_chain(cert, key)
    async with serve(greet, whole) as port, serve(greet, cut) as cut_port:
        assert (await look(make_deps, port, tls=True)).status is Status.UP
        assert (await look(make_deps, cut_port, tls=True)).cause is Cause.TLS_UNTRUSTED


async def test_nobody_listens(make_deps: Deps, unused_port: int) -> None:
    assert (await look(make_deps, unused_port)).cause is Cause.TCP_REFUSED


async def test_every_address_is_tried(serve: Serve, make_deps: Deps) -> None:
    async with serve(greet) as port:
        assert (await look(make_deps, port, host="localhost")).status is Status.UP


@pytest.mark.parametrize(("tls", "cause"), [(False, Cause.TIMEOUT_FIRST_BYTE), (True, Cause.TIMEOUT_TLS)])
async def test_silence_ends_at_the_deadline_in_its_phase(
    serve: Serve, make_deps: Deps, stopwatch: Callable[[], float], tls: bool, cause: Cause
) -> None:
    async with serve(hang) as port:
        result = await look(make_deps, port, timeout=300, tls=tls)

    assert (result.status, result.cause) == (Status.DOWN, cause)
    assert stopwatch() < 0.5 + 0.2


async def test_a_drip_ends_at_the_deadline(serve: Serve, make_deps: Deps) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def two_lines(dialogue: Dialogue) -> str:
        await dialogue.read_some()
        return await dialogue.read_line()

    async with serve(drip) as port:
        result = await converse(Peer("127.0.0.1", port), make_deps(), 300, two_lines)

    assert result.cause is Cause.TIMEOUT_TOTAL


async def test_other_endings_have_their_own_causes(serve: Serve, make_deps: Deps) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"22")
        await writer.drain()

    async def knock(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reset(writer)

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 go\x07 away\r\n")
        await writer.drain()
        await reader.read()

    wanted = {cut: Cause.PROTOCOL_MISMATCH, knock: Cause.TCP_RESET, flood: Cause.PROTOCOL_MISMATCH, other: Cause.PROTOCOL_MISMATCH}
    for handler, cause in wanted.items():
        async with serve(handler) as port:
            assert (await look(make_deps, port)).cause is cause, handler.__name__
    async with serve(greet) as port:
        assert (await look(make_deps, port, tls=True)).cause is Cause.TLS_HANDSHAKE


async def test_what_is_slipped_in_before_tls_is_found_out(serve: Serve, make_deps: Deps) -> None:
    async def slip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 go ahead\r\n250 slipped in\r\n")
        await reader.read()

    async def encrypt(dialogue: Dialogue) -> str:
        await dialogue.read_line()
        await dialogue.start_tls()
        return "encrypted"

    async with serve(slip) as port:
        result = await converse(Peer("127.0.0.1", port), make_deps(), 1_000, encrypt)

    assert (result.cause, result.message) == (Cause.PROTOCOL_MISMATCH, "the server sent more plain text after agreeing to TLS")


@pytest.mark.parametrize("content", [None, "no certificate", ""])
async def test_authorities_that_cannot_be_read_are_our_fault_and_not_the_server_s(
    serve: Serve, make_deps: Deps, make_context: Contexts, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    async with serve(greet, make_context()) as port:
        result = await look(make_deps, port, tls=True, ca_file=str(file))

    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR)
    assert (result.figures["obstacle"], result.figures["file"]) == ("ca_file", str(file))
