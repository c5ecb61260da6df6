"""To a `vigie serve` over HTTPS, from behind any NAT, firewall or proxy: every connection is opened by the agent.

`POST /agent/v1/hello`, `POST /agent/v1/batches`, and `GET /agent/v1/orders`, whose answer goes on for as long as the link stands.
Bodies are those of `fleet.wire` and of encoded batches, each behind its length as four bytes, little-endian (`application/vnd.vigie`);
a length of zero is a sign of life, every 15 seconds.
"""

import asyncio
import contextlib
import errno
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import msgspec

from vigie.errors import UplinkError, UplinkFault, VigieError
from vigie.fleet import wire
from vigie.net import USER_AGENT, UnusableProxyError, client, is_loopback, system_ca_file
from vigie.text.marks import escaped
from vigie.uplinks import UplinkDeps

if TYPE_CHECKING:
    import httpx

TYPE = "application/vnd.vigie"
_LENGTH = 4
_GZIP, _LEVEL = 31, 6  # zlib's numbers for a gzip header and its usual effort
_SMALLEST, _USUAL, _LARGEST = 32 * 1024, 1024 * 1024, 4 * 1024 * 1024  # bytes of batches in one request
_MAX_ANSWER, _MAX_ORDER = 64 * 1024, 256 * 1024 * 1024
_SILENCE_SECONDS = 45.0  # three signs of life
_CONNECT_SECONDS = 10.0
_OTHER_NAME, _EXPIRED, _OTHER_ADDRESS = 62, 10, 64  # OpenSSL's own numbers of verification results (X509_V_ERR_…)
_PERMANENT = (UplinkFault.AUTH, UplinkFault.VERSION, UplinkFault.REFUSED)
_BY_STATUS = {401: UplinkFault.AUTH, 403: UplinkFault.AUTH, 408: UplinkFault.BUSY, 413: UplinkFault.REFUSED, 422: UplinkFault.REFUSED,
              426: UplinkFault.VERSION, 429: UplinkFault.BUSY}  # fmt: skip
_FIXES = {
    UplinkFault.AUTH: "make a new token with `vigie agent enroll` on the server and set it in VIGIE_AGENT_TOKEN",
    UplinkFault.VERSION: "install versions of agent and server that are closer to each other",
    UplinkFault.REFUSED: "the log of the server says why",
    UplinkFault.STANDBY: "give --server once for each server, so that the agent finds the one that evaluates",
}


@dataclass(frozen=True, slots=True)
class Config:
    """Where the server is."""

    url: str

    @classmethod
    def of(cls, address: str) -> Self:
        """From its URL, as browsers have it. Raises ValueError."""
        parts = urlsplit(address)
        if parts.username is not None or parts.password is not None:
            raise ValueError("an address has no login; the token is set in VIGIE_AGENT_TOKEN")
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("write the address of the server as https://vigie.example.com, with nothing after it but a path")
        _ = parts.port  # raises ValueError for what is not one
        return cls(address.rstrip("/"))


def build(config: Config, deps: UplinkDeps) -> "HttpsUplink":
    """The uplink; nothing is contacted yet. Raises VigieError for a token that is missing, or would be seen on its way."""
    if deps.token is None or not deps.token.reveal():
        raise VigieError("VIGIE_AGENT_TOKEN is not set", "`vigie agent enroll NAME --location PLACE` on the server makes a token")
    if not deps.token.reveal().isascii() or not deps.token.reveal().isprintable():
        raise VigieError("VIGIE_AGENT_TOKEN is not a token", "set it as `vigie agent enroll` wrote it")
    parts = urlsplit(config.url)
    if parts.scheme.lower() == "http" and not deps.plain and not is_loopback(parts.hostname or ""):
        raise VigieError(
            f"the token and what is measured would travel to {parts.hostname} unencrypted",
            "write https://, or allow it with --insecure-http where the network itself is trusted",
        )
    return HttpsUplink(config, deps)


class HttpsUplink:
    """Implements Uplink."""

    def __init__(self, config: Config, deps: UplinkDeps) -> None:
        self._url, self._deps = f"{config.url}/agent/v1", deps
        self._where = urlsplit(config.url).netloc
        self._client: httpx.AsyncClient | None = None
        self._making = asyncio.Lock()
        self._closed = False
        self._most = _USUAL

    async def hello(self, hello: wire.Hello) -> wire.Welcome:
        """Introduce oneself, or say how one is."""
        seconds = min(self._deps.hello_seconds, self._deps.timeout_seconds)
        answer = _message(await self._post("hello", wire.encode(hello), {}, seconds), self._where)
        if not isinstance(answer, wire.Welcome):
            raise _odd(self._where)
        return answer

    async def orders(self, epoch: int) -> AsyncIterator[wire.Order]:
        """What this agent is to do."""
        import httpx

        seconds = httpx.Timeout(_CONNECT_SECONDS, read=_SILENCE_SECONDS)
        async with self._asked("GET", f"orders?epoch={epoch}", b"", {}, seconds, None) as answer:
            async for body in _frames(answer, self._where):
                order = _message(body, self._where)
                if isinstance(order, wire.Hello | wire.Welcome):
                    raise _odd(self._where)
                yield order
        raise UplinkError(UplinkFault.UNREACHABLE, f"{self._where} ended the connection")

    async def send(self, batches: Sequence[tuple[int, bytes]]) -> None:
        """Hand over batches, in as many requests as they need; a slow link gets smaller ones."""
        left = list(batches)
        while left:
            count = _fitting(left, self._most)
            body = await asyncio.to_thread(_gzip, [blob for _, blob in left[:count]])
            try:
                await self._post("batches", body, {"Content-Encoding": "gzip"}, self._deps.timeout_seconds)
            except UplinkError as error:
                if error.fault is UplinkFault.TIMEOUT:
                    self._most = max(self._most // 2, _SMALLEST)
                raise
            self._most = min(self._most * 2, _LARGEST)
            del left[:count]

    async def close(self) -> None:
        """Hang up."""
        self._closed = True
        if self._client is not None:
            await self._client.aclose()

    async def _post(self, what: str, body: bytes, headers: dict[str, str], seconds: float) -> bytes:
        async with self._asked("POST", what, body, headers, _brief(seconds), seconds) as answer:
            return await _bounded(answer, self._where)

    @asynccontextmanager
    async def _asked(
        self, method: str, what: str, body: bytes, headers: dict[str, str], limits: "httpx.Timeout", seconds: float | None
    ) -> AsyncIterator[Any]:
        """The answer to a request, its body not yet read, if it is a good one. Whatever fails comes out as UplinkError."""
        try:
            made = await self._connected()
            async with (
                asyncio.timeout(seconds),
                made.stream(method, f"{self._url}/{what}", content=body or None, headers=headers, timeout=limits) as answer,
            ):
                await _good(answer, self._where)
                yield answer
        except UplinkError:
            raise
        except Exception as error:  # whatever the libraries beneath raise: nothing else leaves an uplink
            raise _named(error, self._where, seconds or _SILENCE_SECONDS) from error

    async def _connected(self) -> "httpx.AsyncClient":
        """The client, made with the first request: reading the authorities takes 20 ms, in a thread."""
        async with self._making:
            if self._closed:
                raise UplinkError(UplinkFault.OTHER, "the link was closed")
            if self._client is None:
                self._client = await asyncio.to_thread(self._make)
            return self._client

    def _make(self) -> "httpx.AsyncClient":
        file = str(self._deps.ca_file) if self._deps.ca_file is not None else system_ca_file()
        token = "" if self._deps.token is None else self._deps.token.reveal()
        headers = {
            "Authorization": f"Bearer {token}",
            "User-Agent": USER_AGENT,
            "Content-Type": TYPE,
            "Accept": TYPE,
            "Accept-Encoding": "identity",
        }
        try:
            trust = ssl.create_default_context(cafile=file)
            return client(self._url, self._deps.proxies, trust, _CONNECT_SECONDS, headers=headers)
        except UnusableProxyError as error:
            raise UplinkError(UplinkFault.OTHER, str(error), fix=error.fault.fix) from error
        except OSError as error:
            why = "it contains no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            fix = "name a readable PEM file with --ca-file or SSL_CERT_FILE"
            raise UplinkError(UplinkFault.TLS, f"the trusted authorities in {file} cannot be used: {why}", fix=fix) from error


def _brief(seconds: float) -> "httpx.Timeout":
    """Shorter than the deadline around it: a client that is cancelled in the middle of a handshake forgets to close its socket."""
    import httpx

    return httpx.Timeout(seconds * 0.8, connect=min(seconds * 0.8, _CONNECT_SECONDS))


def _fitting(batches: Sequence[tuple[int, bytes]], most: int) -> int:
    """How many of the first ones fit into a request; one at least."""
    size = 0
    for count, (_, blob) in enumerate(batches):
        size += len(blob) + _LENGTH
        if count and size > most:
            return count
    return len(batches)


def _gzip(blobs: Sequence[bytes]) -> bytes:
    """Each behind its length, compressed: records are much alike."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    pieces = [packer.compress(len(blob).to_bytes(_LENGTH, "little") + blob) for blob in blobs]
    return b"".join([*pieces, packer.flush()])


async def _bounded(answer: Any, where: str) -> bytes:
    """The body of a short answer."""
    found = bytearray()
    async for piece in answer.aiter_raw():
        found += piece
        if len(found) > _MAX_ANSWER:
            raise _odd(where)
    return bytes(found)


async def _frames(answer: Any, where: str) -> AsyncIterator[bytes]:
    """The messages of a stream; signs of life are left out."""
    held = bytearray()
    async for piece in answer.aiter_raw():
        held += piece
        start = 0
        while len(held) - start >= _LENGTH:
            end = start + _LENGTH + int.from_bytes(held[start : start + _LENGTH], "little")
            if end - start > _MAX_ORDER:
                raise _odd(where)
            if len(held) < end:
                break
            if end > start + _LENGTH:
                yield bytes(held[start + _LENGTH : end])
            start = end
        del held[:start]


def _message(body: bytes, where: str) -> wire.Message:
    """What a server said. Raises UplinkError for anything else."""
    try:
        return wire.decode(body)
    except (ValueError, msgspec.MsgspecError) as error:
        raise _odd(where) from error


def _odd(where: str) -> UplinkError:
    fix = "check that --server is the address of `vigie serve`, and that nothing in between changes its answers"
    return UplinkError(UplinkFault.OTHER, f"{where} does not answer as a Vigie server does", fix=fix)


async def _good(answer: Any, where: str) -> None:
    """Raise UplinkError for an answer that says no."""
    if not answer.is_success:
        raise _refused(answer, await _bounded(answer, where), where)


class _Problem(msgspec.Struct):
    """What is read of an answer that says no (RFC 9457)."""

    title: str = ""
    detail: str = ""
    fault: str = ""
    fix: str = ""


def _line(text: str) -> str:
    """What whoever answers has written, on one line that a log may have."""
    return escaped(" ".join(text.split())[:200])


def _refused(answer: Any, body: bytes, where: str) -> UplinkError:
    """What an answer other than a good one means."""
    status, problem = answer.status_code, _Problem()
    with contextlib.suppress(msgspec.MsgspecError, ValueError):
        problem = msgspec.json.decode(body, type=_Problem)
    said = _line(problem.detail or problem.title)
    words = f"{where} answers HTTP {status}" + (f": {said}" if said else "")
    if 300 <= status < 400:
        fix = f"write the address it points to in --server: {_line(answer.headers.get('location', ''))}"
        return UplinkError(UplinkFault.OTHER, words, fix=fix)
    fault = _BY_STATUS.get(status, UplinkFault.BUSY if status >= 500 else UplinkFault.OTHER)
    if problem.fault in list(UplinkFault):
        fault = UplinkFault(problem.fault)
    if fault is UplinkFault.OTHER:
        return UplinkError(fault, words, fix="check the path of --server; a server before agents were known answers 404, too")
    wait = answer.headers.get("retry-after", "")
    wait_ms = int(wait) * 1000 if wait.isascii() and wait.isdigit() and len(wait) < 6 else None
    return UplinkError(fault, words, fix=_line(problem.fix) or _FIXES.get(fault, ""), permanent=fault in _PERMANENT, retry_after_ms=wait_ms)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _named(error: Exception, where: str, seconds: float) -> UplinkError:
    """What kept a request from being answered, read from the types in the exception's chain, never from its words."""
    import httpx

    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return _certificate(one, where)
    if any(isinstance(one, ssl.SSLError) for one in chain):
        fix = "check whether --server should begin with http: or https:"
        return UplinkError(UplinkFault.TLS, f"{where}: TLS negotiation failed", fix=fix)
    if isinstance(error, httpx.ProxyError):
        fix = "check the proxy in HTTPS_PROXY, or list the host in NO_PROXY if it can be reached directly"
        return UplinkError(UplinkFault.UNREACHABLE, f"{where}: the proxy refused the connection ({str(error)[:120]})", fix=fix)
    if any(isinstance(one, socket.gaierror) for one in chain):
        return UplinkError(
            UplinkFault.UNREACHABLE, f"{where}: the name does not resolve", fix="check --server and the resolver of this machine"
        )
    if any(isinstance(one, TimeoutError | httpx.TimeoutException) for one in chain):
        fix = "a firewall may drop the packets, or the server is overloaded"
        if seconds == _SILENCE_SECONDS:
            fix += "; a proxy in front of it must not hold back what is streamed (nginx: proxy_buffering off)"
        return UplinkError(UplinkFault.TIMEOUT, f"{where} did not answer within {seconds:g} s", fix=fix)
    if any(isinstance(one, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(one) for one in chain):
        return UplinkError(UplinkFault.UNREACHABLE, f"{where} refused the connection", fix="start `vigie serve` there, or check --server")
    numbered = next((one for one in chain if isinstance(one, OSError) and one.strerror), None)
    if numbered is not None:
        return UplinkError(
            UplinkFault.UNREACHABLE, f"{where} cannot be reached: {numbered.strerror}", fix="check the network of this machine"
        )
    return UplinkError(UplinkFault.UNREACHABLE, f"{where} closed the connection ({type(error).__name__})")


def _certificate(error: ssl.SSLCertVerificationError, where: str) -> UplinkError:
    if error.verify_code in (_OTHER_NAME, _OTHER_ADDRESS):
        words, fix = "its certificate is for another name", "write the name of the certificate in --server"
    elif error.verify_code == _EXPIRED:
        words, fix = "its certificate has expired", "renew it on the server"
    else:
        words, fix = f"its certificate is not trusted ({error.verify_message})", "name the authority's PEM file with --ca-file"
    return UplinkError(UplinkFault.TLS, f"{where}: {words}", fix=fix)
