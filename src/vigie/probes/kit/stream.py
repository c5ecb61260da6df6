"""A check that talks over one TCP connection, plain or TLS: addresses, deadlines and causes, handled once for every such kind.

A kind passes a `Peer` and a coroutine that talks through a `Dialogue` to `converse`; whatever goes wrong becomes a result with its cause.
"""

import asyncio
import contextlib
import errno
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from vigie.core.model import Cause, CheckResult, Expiry, Scalar, Status, Timings, TlsFacts
from vigie.net import MASK, ChainLimits, ascii_name, hang_up, is_trusted, peer_chain, refusal, tls_facts, trust_fault
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.keys import host_port
from vigie.probes.kit.verdict import (
    TLS_DAYS,
    CheckFailed,
    Verdict,
    advice,
    expiring,
    expiry_of,
    no_address,
    no_trust,
    refused,
    slow,
    unverified,
    weak,
)

_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM)
_MAX_BYTES = 65_536  # bytes that a line or an answer may have
_SHOWN = 120
_GOODBYE_SECONDS = 0.2
_UNTIL_BREATH = 64  # reads
_SHORTEST_SECRET = 4  # anything shorter occurs in too many words


@dataclass(frozen=True, slots=True)
class Peer:
    """The server to talk to, and what is asked of the connection. `latency_ms` in ms, None for no limit. `tls`: from the first byte on.

    `secrets`, in every form in which they travel, are masked wherever the server's response is quoted.
    """

    host: str
    port: int
    tls: bool = False
    ip: int | None = None
    resolver: str | None = None
    ca_file: str | None = None
    insecure: bool = False
    tls_days: int = TLS_DAYS
    latency_ms: int | None = None
    alpn: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(
        cls,
        options: "ConnectionOptions",
        host: str,
        port: int,
        *,
        tls: bool = False,
        alpn: tuple[str, ...] = (),
        secrets: tuple[str, ...] = (),
    ) -> "Peer":
        """A peer that is reached as a configuration says."""
        latency = None if options.latency is None else int(options.latency)
        return cls(
            host, port, tls, options.ip, options.resolver, options.ca_file, options.insecure, options.tls_days, latency, alpn, secrets
        )


class ConnectionOptions(Protocol):
    """The keys that say how a peer is reached and what its certificate must be, the same in every kind that has them."""

    @property
    def ip(self) -> int | None:
        """4 or 6: only that family of addresses; None for either."""

    @property
    def resolver(self) -> str | None:
        """The DNS server to ask, `address[:port]`; None for the system's."""

    @property
    def ca_file(self) -> str | None:
        """PEM file of the authorities to trust; None for the usual ones."""

    @property
    def insecure(self) -> bool:
        """Whether the certificate goes unverified."""

    @property
    def tls_days(self) -> int:
        """Fewer days left on the certificate are a degradation."""

    @property
    def latency(self) -> int | None:
        """Slower than this many ms is too slow; None for no limit."""


class Dialogue:
    """One connection and what was measured on it. Its methods raise CheckFailed for the peer's fault; their deadline is the check's."""

    def __init__(self, peer: Peer, deps: ProbeDeps, timeout_ms: int) -> None:
        self.peer, self._deps = peer, deps
        self.at, self._started = deps.clock.now(), deps.clock.monotonic()
        self._ends, self._timeout_ms = self._started + timeout_ms / 1000, timeout_ms
        self.timings = Timings()
        self.addresses: tuple[str, ...] = ()
        self.address: str | None = None
        self.tls: TlsFacts | None = None
        self.expiries: tuple[Expiry, ...] = ()
        self.chain: tuple[str, ...] = ()  # as the peer sent it, leaf first, PEM
        self.figures: dict[str, Scalar] = {}
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._doing = Cause.DNS_TIMEOUT  # the cause should time run out now
        self._asked_at: float | None = None
        self._ended_at: float | None = None
        self._reads = 0

    @property
    def own_address(self) -> str:
        """Our end of the connection."""
        return str(self._open_writer().get_extra_info("sockname")[0])

    @property
    def alpn(self) -> str | None:
        """The protocol that TLS agreed on."""
        shaken = self._open_writer().get_extra_info("ssl_object")
        return None if shaken is None else shaken.selected_alpn_protocol()

    def left_ms(self) -> int:
        """Milliseconds until the check's deadline, at least 1."""
        return max(round((self._ends - self._deps.clock.monotonic()) * 1000), 1)

    def _ms_since(self, instant: float) -> float:
        return (self._deps.clock.monotonic() - instant) * 1000

    async def connect(self) -> None:
        """Resolve, then try every address until one accepts; then TLS where the peer speaks it from the first byte."""
        answer = await self._deps.resolver.resolve(
            self.peer.host, family=self.peer.ip, timeout_ms=self.left_ms(), server=self.peer.resolver
        )
        self.timings = replace(self.timings, dns=answer.ms)
        if answer.cause is not None:
            raise _as_failed(no_address(answer, self.peer.host))
        self.addresses = answer.addresses
        self._doing = Cause.TIMEOUT_CONNECT
        for index, address in enumerate(answer.addresses):
            if await self._reached(address, len(answer.addresses) - index):
                break
        if self.peer.tls:
            await self.start_tls()
        self._doing = Cause.TIMEOUT_FIRST_BYTE
        self._asked_at = self._deps.clock.monotonic()

    async def _reached(self, address: str, addresses_left: int) -> bool:
        """Whether this address accepts; raises CheckFailed when the last one does not."""
        self.address, started, last = address, self._deps.clock.monotonic(), addresses_left == 1
        try:
            async with asyncio.timeout(None if last else self.left_ms() / 1000 / addresses_left):
                self._reader, self._writer = await asyncio.open_connection(address, self.peer.port, limit=_MAX_BYTES)
        except TimeoutError:
            if last:
                raise
        except OSError as error:
            if last:
                raise _as_failed(_not_connected(error)) from None
        else:
            self.timings = replace(self.timings, connect=self._ms_since(started))
            return True
        return False

    async def start_tls(self, name: str | None = None, *, sni: bool = True) -> None:
        """Switch to TLS (STARTTLS, or from the first byte), read the chain, and verify it unless configured not to.

        `name` is the name to send and to verify (the host unless given); without `sni` none is sent.
        """
        if getattr(self._reader, "_buffer", b""):  # no public way to see it; it would count as said in TLS (CVE-2011-0411)
            raise CheckFailed(Cause.PROTOCOL_MISMATCH, "the server sent more plain text after agreeing to TLS")
        before, self._doing = self._doing, Cause.TIMEOUT_TLS
        started, writer = self._deps.clock.monotonic(), self._open_writer()
        host = ascii_name(name or self.peer.host)  # as certificates spell it
        try:
            await writer.start_tls(
                _context(self.peer.alpn), server_hostname=host if sni else None, ssl_handshake_timeout=self.left_ms() / 1000 + 1
            )
        except (ssl.SSLError, ConnectionError) as error:
            reason = getattr(error, "reason", None) or type(error).__name__
            raise CheckFailed(Cause.TLS_HANDSHAKE, f"the TLS handshake failed ({reason})", {"detail": str(reason)[:_SHOWN]}) from None
        self.timings = replace(self.timings, tls=(self.timings.tls or 0.0) + self._ms_since(started))
        shaken = writer.get_extra_info("ssl_object")
        self.chain = peer_chain(shaken)
        self.tls = tls_facts(shaken.version(), self.chain, self.at)
        if not self.peer.insecure:
            self._verify(self.tls, host)
        found = expiry_of(self.tls, host_port(host, self.peer.port), self.peer.tls_days, self.address or "")
        self.expiries = (found,) if found is not None else ()
        self._doing = before

    def _verify(self, tls: TlsFacts, host: str) -> None:
        """Raise CheckFailed unless the chain is trusted; find out when it will not be any more."""
        ca_file = self.peer.ca_file or self._deps.ca_file
        if not is_trusted(self.chain, host, ca_file):
            if (why := trust_fault(ca_file)) is not None:
                raise _as_failed(no_trust(ca_file, why))
            raise _as_failed(unverified(tls, host, self.at, "certificate verify failed"))
        if found := refusal(tls, self.chain, host, ca_file):
            raise _as_failed(refused(found))
        limits = self._deps.shared("chain limits", ChainLimits, lambda _: None)
        self.tls = replace(tls, limit=limits.limit(tls, self.chain, ca_file, private=self.peer.ca_file is not None))

    def _open_writer(self) -> asyncio.StreamWriter:
        if self._writer is None:
            raise RuntimeError("not connected")
        return self._writer

    async def send(self, data: bytes) -> None:
        """Send bytes."""
        writer = self._open_writer()
        writer.write(data)
        await writer.drain()

    async def read_line(self) -> str:
        """One line without its end, at most 64 KiB, decoded as Latin-1 (one character per byte)."""
        return (await self._read(lambda reader: reader.readuntil(b"\n"))).decode("latin-1").rstrip("\r\n")

    async def read_exactly(self, count: int) -> bytes:
        """Exactly this many bytes."""
        return await self._read(lambda reader: reader.readexactly(count))

    async def read_some(self, max_bytes: int = _MAX_BYTES) -> bytes:
        """The next bytes, at most `max_bytes`; empty at the end of the stream."""
        return await self._read(lambda reader: reader.read(max_bytes))

    async def _read(self, read: Callable[[asyncio.StreamReader], Awaitable[bytes]]) -> bytes:
        if self._reader is None:
            raise RuntimeError("not connected")
        self._reads += 1
        if self._reads % _UNTIL_BREATH == 0:
            await asyncio.sleep(0)  # what has arrived is read without waiting: thousands of tiny answers would keep the deadline waiting
        try:
            data = await read(self._reader)
        except asyncio.IncompleteReadError as error:
            words = (
                "the connection was closed in the middle of an answer" if error.partial else "the connection was closed without an answer"
            )
            raise CheckFailed(Cause.PROTOCOL_MISMATCH, words, {"detail": self.quoted(error.partial)}) from None
        except asyncio.LimitOverrunError:
            raise CheckFailed(Cause.PROTOCOL_MISMATCH, f"an answer of more than {_MAX_BYTES} bytes without an end") from None
        if self.timings.first_byte is None and self._asked_at is not None:
            self.timings = replace(self.timings, first_byte=self._ms_since(self._asked_at))
        self._doing = Cause.TIMEOUT_TOTAL
        return data

    def expect(self, *, ok: bool, message: str, got: str = "") -> None:
        """Raise CheckFailed with `protocol.mismatch` unless `ok`."""
        if not ok:
            raise CheckFailed(Cause.PROTOCOL_MISMATCH, message, {"got": self.quoted(got)} if got else {})

    def quoted(self, answer: str | bytes) -> str:
        """A server's response as it may be shown: its beginning, on one line, with secrets masked that it may have repeated."""
        text = answer if isinstance(answer, str) else answer.decode("utf-8", "replace")
        for secret in sorted(self.peer.secrets, key=len, reverse=True):
            text = text.replace(secret, MASK) if len(secret) >= _SHORTEST_SECRET else text
        return printable(text.encode())

    async def say_goodbye(self, goodbye: bytes) -> None:
        """Send the protocol's goodbye, so that the server logs no broken connection; the response is ignored and the time not counted."""
        self._ended_at = self._deps.clock.monotonic()
        with contextlib.suppress(OSError, CheckFailed):  # a TimeoutError is an OSError
            async with asyncio.timeout(min(_GOODBYE_SECONDS, self.left_ms() / 2000)):
                await self.send(goodbye)
                while await self.read_some():
                    pass

    async def close(self) -> None:
        """Close the connection without waiting for the server."""
        if self._writer is not None:
            hang_up(self._writer.transport)
            await asyncio.sleep(0)  # lets the socket go; to wait for its end would hang where a handshake was cut

    def timed_out(self) -> Verdict:
        """The phase that the deadline interrupted."""
        seconds = f"{self._timeout_ms / 1000:g} s"
        words = {
            Cause.DNS_TIMEOUT: f"no answer from the resolver within {seconds}",
            Cause.TIMEOUT_CONNECT: f"no connection within {seconds}",
            Cause.TIMEOUT_TLS: f"connected, but the TLS handshake did not finish within {seconds}",
            Cause.TIMEOUT_FIRST_BYTE: f"no first byte within {seconds}",
        }.get(self._doing, f"the exchange began but did not finish within {seconds}")
        return Verdict(self._doing, words, {"limit_ms": self._timeout_ms})

    def result(self, message: str, verdict: Verdict | None) -> CheckResult:
        """The check, concluded: `verdict` says why it is not up; without one, latency and certificate are checked for degradations."""
        ended = self._deps.clock.monotonic() if verdict or self._ended_at is None else self._ended_at
        total = (ended - self._started) * 1000
        found = verdict or self._advisory(total)
        return CheckResult(
            monitor="",
            at=self.at,
            status=found.status if found else Status.UP,
            cause=found.cause if found else None,
            message=found.message if found else message,
            timings=replace(self.timings, total=total),
            figures={**self.figures, **(found.figures if found else {})},
            address=self.address,
            addresses=self.addresses,
            tls=self.tls,
            advice=advice(found) if found else (),
            expiries=self.expiries,
        )

    def _advisory(self, total_ms: float) -> Verdict | None:
        found = [slow(total_ms, self.peer.latency_ms)] if self.peer.latency_ms is not None else []
        if self.tls is not None:
            found += [expiring(self.tls, self.peer.tls_days, self.at), weak(self.tls)]
        return next((one for one in found if one is not None), None)


async def converse(peer: Peer, deps: ProbeDeps, timeout_ms: int, talk: Callable[[Dialogue], Awaitable[str]]) -> CheckResult:
    """Connect and talk within `timeout_ms` in total; `talk` returns the message of a good check and raises CheckFailed otherwise."""
    dialogue, verdict, message = Dialogue(peer, deps, timeout_ms), None, ""
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            await dialogue.connect()
            message = await talk(dialogue)
    except CheckFailed as failed:
        verdict = failed.verdict
    except TimeoutError:
        verdict = dialogue.timed_out()
    except OSError as error:
        verdict = _broken(error)
    finally:
        await dialogue.close()
    return dialogue.result(message, verdict)


def printable(data: bytes) -> str:
    """The first 120 bytes of a response as text without control characters."""
    return "".join(character if character.isprintable() else "·" for character in data[:_SHOWN].decode("utf-8", "replace")).strip()


def _as_failed(verdict: Verdict) -> CheckFailed:
    failed = CheckFailed(verdict.cause, verdict.message)
    failed.verdict = verdict
    return failed


def _not_connected(error: OSError) -> Verdict:
    if isinstance(error, ConnectionRefusedError):
        return Verdict(Cause.TCP_REFUSED, "the connection was refused")
    if isinstance(error, ConnectionResetError):
        return Verdict(Cause.TCP_RESET, "the connection was reset")
    if error.errno in _UNREACHABLE:
        return Verdict(Cause.TCP_UNREACHABLE, "the address cannot be reached", {"detail": str(error.strerror)})
    if error.errno == errno.ETIMEDOUT:
        return Verdict(Cause.TIMEOUT_CONNECT, "no connection in time")
    return Verdict(Cause.PROBE_ERROR, f"the connection could not be attempted ({error.strerror})", {}, Status.UNKNOWN)


def _broken(error: OSError) -> Verdict:
    if isinstance(error, ssl.SSLError):
        return Verdict(Cause.TLS_HANDSHAKE, f"the TLS connection broke ({error.reason})", {"detail": str(error.reason)[:_SHOWN]})
    return Verdict(Cause.TCP_RESET, "the connection was reset")


def _context(alpn: tuple[str, ...]) -> ssl.SSLContext:
    """A client that accepts any certificate and old versions: they are checked afterwards, so that their facts can be reported."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with contextlib.suppress(ValueError):
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context
