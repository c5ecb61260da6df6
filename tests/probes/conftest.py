"""Real servers on loopback that behave and misbehave, and certificates of a throwaway authority."""

import asyncio
import contextlib
import datetime as dt
import importlib
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from vigie.clock import SystemClock
from vigie.core.model import CheckResult
from vigie.net import Link, Resolver, hang_up
from vigie.probes.kit.deps import ProbeDeps, configured
from vigie.probes.kit.workers import Workers
from vigie.testing.servers import Handler, Serve, serving


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Those that read foreign documents: a process that probes has them once, so a test does."""
    workers = Workers()
    yield workers
    workers.close()


@pytest.fixture
def make_deps(ca_file: Path, workers: Workers) -> Callable[[], ProbeDeps]:
    def make() -> ProbeDeps:
        resolver = Resolver()
        deps = ProbeDeps(SystemClock(), resolver, Link(resolver, ()), str(ca_file))
        deps.shared("workers", lambda: workers, lambda _: None)
        return deps

    return make


@pytest.fixture
def look_at(make_deps: Callable[[], ProbeDeps]) -> Callable[..., Awaitable[CheckResult]]:
    """One check of a kind on 127.0.0.1: `look_at("smtp", port=…)`; `within` is its time in ms."""

    async def look(kind: str, *, within: int = 3_000, **values: Any) -> CheckResult:
        adapter, deps = importlib.import_module(f"vigie.probes.{kind}"), make_deps()
        values = values if "url" in values else {"host": "127.0.0.1", **values}
        try:
            return await adapter.build(configured(adapter.Config, values), deps).check(within)  # type: ignore[no-any-return]
        finally:
            deps.close()

    return look


@pytest.fixture
def relay() -> Callable[..., Handler]:
    """What stands before a server that speaks no TLS itself: `relay(port, prepare)`; `prepare` talks to the client first."""

    def make(port: int, prepare: Handler | None = None) -> Handler:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if prepare is not None:
                await prepare(reader, writer)
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
            finally:
                hang_up(inner_writer.transport)

        return handle

    return make


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


@pytest.fixture
def serve() -> Serve:
    return serving


def context_of(cert: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(context)
    return context


@pytest.fixture(scope="session")
def make_context(authority: trustme.CA) -> Callable[..., ssl.SSLContext]:
    """A server context: `days` until the end (negative: expired), the names it is for, trusted or not."""

    def make(*names: str, days: float | None = None, begins: float = -30, trusted: bool = True) -> ssl.SSLContext:
        issuer = authority if trusted else trustme.CA()
        now = dt.datetime.now(dt.UTC)
        after = None if days is None else now + dt.timedelta(days=days, minutes=5)
        before = now + dt.timedelta(days=begins)
        cert = issuer.issue_cert(*(names or ("127.0.0.1", "localhost")), not_after=after, not_before=before)
        return context_of(cert)

    return make


@pytest.fixture(scope="session")
def weak_context(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A self-made certificate with a key of 1024 bits, and the file that trusts it."""
    key = rsa.generate_private_key(65537, 1024)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "weak")])
    now = dt.datetime.now(dt.UTC)
    import ipaddress

    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=100))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("weak")
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.load_cert_chain(pem, secret)
    return context, pem


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def stopwatch() -> Callable[[], float]:
    started = time.monotonic()
    return lambda: time.monotonic() - started
