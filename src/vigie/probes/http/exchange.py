"""One request and its answer, by libcurl: options in, a plain record of what happened out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pycurl

from vigie.net import USER_AGENT
from vigie.probes.http.transport import Transport

MAX_HEADER_BYTES = 262_144
_VERSIONS: dict[str | None, int] = {
    None: pycurl.CURL_HTTP_VERSION_2TLS,
    "1.1": pycurl.CURL_HTTP_VERSION_1_1,
    "2": pycurl.CURL_HTTP_VERSION_2TLS,
    "3": pycurl.CURL_HTTP_VERSION_3ONLY,
}
_VERSION_NAMES = {
    pycurl.CURL_HTTP_VERSION_1_0: "1.0",
    pycurl.CURL_HTTP_VERSION_1_1: "1.1",
    pycurl.CURL_HTTP_VERSION_2_0: "2",
    pycurl.CURL_HTTP_VERSION_3: "3",
}
_TLS_LINE = "SSL connection using "


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `address` is connected to whatever the URL's host is; None leaves it to the proxy. Times in ms."""

    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes | None
    address: str | None
    total_ms: int
    connect_ms: int
    version: str | None
    ca_file: str | None
    verify: bool
    basic: str | None = None
    proxy: str | None = None
    max_body: int = 1_048_576
    keep_body: bool = False
    read_tls_version: bool = False


@dataclass(slots=True)
class Exchange:
    """What happened. `code` and `error` are libcurl's; phases are float ms, None where they did not happen."""

    code: int = 0
    error: str = ""
    os_errno: int = 0
    status: int = 0
    version: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    size: int = 0
    full: bool = False  # the body went on past max_body and was left there
    headers_too_large: bool = False
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    transfer: float | None = None
    total: float = 0.0
    tls_version: str | None = None
    chain: tuple[str, ...] = ()
    address: str | None = None


class _Sink:
    """Receives headers and body within their bounds; returning another count than was given makes libcurl stop."""

    def __init__(self, request: Request) -> None:
        self.headers: dict[str, str] = {}
        self.header_bytes = 0
        self.chunks: list[bytes] = []
        self.size = 0
        self.full = False
        self.keep = request.keep_body
        self._max = request.max_body

    def header(self, line: bytes) -> int | None:
        self.header_bytes += len(line)
        if self.header_bytes > MAX_HEADER_BYTES:
            return -1
        if line.startswith(b"HTTP/"):
            self.headers.clear()
            return None
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            lower = name.strip().lower()
            self.headers[lower] = value.strip()
            if lower == "content-encoding":
                self.keep = True
        return None

    def body(self, chunk: bytes) -> int | None:
        room = self._max - self.size
        kept = chunk[:room]
        self.size += len(kept)
        if self.keep or self.size <= 4096:
            self.chunks.append(kept)
        if len(chunk) > room:
            self.full = True
            return -1
        return None


async def exchange(transport: Transport, request: Request) -> Exchange:
    """Do one request within `request.total_ms`; never raises for what the server does."""
    curl = transport.handle()
    sink, said = _Sink(request), []
    _set_options(curl, request, sink)
    if request.read_tls_version:
        curl.setopt(pycurl.VERBOSE, 1)
        curl.setopt(pycurl.DEBUGFUNCTION, lambda kind, line: said.append(line) if kind == pycurl.INFOTYPE_TEXT else None)
    try:
        code, error = await transport.perform(curl)
        return _read(curl, request, sink, code, error, said)
    finally:
        transport.release(curl)


def _set_options(curl: pycurl.Curl, request: Request, sink: _Sink) -> None:
    secure = request.url.startswith("https:")
    options: dict[int, Any] = {
        pycurl.URL: request.url,
        pycurl.NOSIGNAL: 1,
        pycurl.HTTP_VERSION: _http_version(request.version, secure),
        pycurl.HTTP09_ALLOWED: 0,
        pycurl.FRESH_CONNECT: 1,
        pycurl.FORBID_REUSE: 1,
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.TIMEOUT_MS: max(request.total_ms, 1),
        pycurl.CONNECTTIMEOUT_MS: max(request.connect_ms, 1),
        pycurl.HTTPHEADER: _header_lines(request),
        pycurl.HEADERFUNCTION: sink.header,
        pycurl.WRITEFUNCTION: sink.body,
        pycurl.PROXY: request.proxy or "",
    }
    if request.address is not None:
        bracketed = f"[{request.address}]" if ":" in request.address else request.address
        options[pycurl.CONNECT_TO] = [f"::{bracketed}:"]
    if request.basic is not None:
        options[pycurl.USERPWD] = request.basic
        options[pycurl.HTTPAUTH] = pycurl.HTTPAUTH_BASIC
    if secure:
        options |= _tls_options(request)
    for option, value in (options | _method_options(request)).items():
        curl.setopt(option, value)


def _http_version(wanted: str | None, secure: bool) -> int:
    if wanted == "2" and not secure:
        return int(pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
    return _VERSIONS[wanted]


def _header_lines(request: Request) -> list[str]:
    given = {name.lower() for name in request.headers}
    defaults = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip, deflate, br"}
    lines = [f"{name}: {value}" for name, value in defaults.items() if name.lower() not in given]
    # libcurl sends a header without a value only when it ends in a semicolon.
    return lines + [f"{name}: {value}" if value else f"{name};" for name, value in request.headers.items()]


def _tls_options(request: Request) -> dict[int, Any]:
    options: dict[int, Any] = {
        pycurl.OPT_CERTINFO: 1,
        pycurl.SSL_SESSIONID_CACHE: 0,  # a resumed session shows no certificate
        pycurl.SSL_VERIFYPEER: int(request.verify),
        pycurl.SSL_VERIFYHOST: 2 if request.verify else 0,
        # What is obsolete must be seen to be called weak, so it is let in here and judged later.
        pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_0,
        pycurl.SSL_CIPHER_LIST: "DEFAULT@SECLEVEL=0",
        pycurl.SSL_EC_CURVES: "X25519:P-256:P-384:P-521",  # the default's post-quantum share costs 100 µs a check
    }
    if request.ca_file is not None:
        options[pycurl.CAINFO] = request.ca_file
    return options


def _method_options(request: Request) -> dict[int, Any]:
    if request.method == "HEAD":
        return {pycurl.NOBODY: 1}
    options: dict[int, Any] = {}
    if request.body is not None:
        options[pycurl.POSTFIELDS] = request.body
    if request.method != "GET" or request.body is not None:
        options[pycurl.CUSTOMREQUEST] = request.method
    return options


def _read(curl: pycurl.Curl, request: Request, sink: _Sink, code: int, error: str, said: list[bytes]) -> Exchange:
    done = Exchange(code=code, error=error, headers=sink.headers, size=sink.size, full=sink.full)
    done.raw = b"".join(sink.chunks)
    done.headers_too_large = sink.header_bytes > MAX_HEADER_BYTES
    done.status = curl.getinfo(pycurl.RESPONSE_CODE)
    done.version = _VERSION_NAMES.get(curl.getinfo(pycurl.INFO_HTTP_VERSION), "")
    secure = request.url.startswith("https:")
    _read_phases(curl, done, secure=secure)
    done.address = curl.getinfo(pycurl.PRIMARY_IP) or None
    if code:
        done.os_errno = curl.getinfo(pycurl.OS_ERRNO)
    if secure:
        done.chain = _chain(curl)
        done.tls_version = _tls_version(said, done.version)
    return done


def _read_phases(curl: pycurl.Curl, done: Exchange, *, secure: bool) -> None:
    lookup, connected = curl.getinfo(pycurl.NAMELOOKUP_TIME), curl.getinfo(pycurl.CONNECT_TIME)
    ready, first, total = (
        curl.getinfo(pycurl.PRETRANSFER_TIME),
        curl.getinfo(pycurl.STARTTRANSFER_TIME),
        curl.getinfo(pycurl.TOTAL_TIME),
    )
    done.total = total * 1000
    if connected > 0:
        done.connect = (connected - lookup) * 1000
    if secure and (shaken := curl.getinfo(pycurl.APPCONNECT_TIME)) > 0:
        # Over QUIC both happen at once: the handshake is the connection.
        done.tls = max(shaken - connected, 0.0) * 1000
    if first > 0 and done.status:  # libcurl also stamps it when the connection failed
        done.first_byte = (first - ready) * 1000
        done.transfer = (total - first) * 1000


def _chain(curl: pycurl.Curl) -> tuple[str, ...]:
    found: list[str] = []
    for certificate in curl.getinfo(pycurl.INFO_CERTINFO):
        found.extend(value for name, value in certificate if name == "Cert")
    return tuple(found)


def _tls_version(said: list[bytes], http_version: str) -> str | None:
    """Read libcurl's verbose text, the only place that tells the version; QUIC has but one (RFC 9001)."""
    for line in said:
        text = line.decode("latin-1")
        if _TLS_LINE in text:
            return text.partition(_TLS_LINE)[2].split(" ")[0].strip()
    return "TLSv1.3" if said and http_version == "3" else None
