"""One request and its answer, by libcurl: options in, a plain record of what happened out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pycurl

from vigie.net import USER_AGENT
from vigie.probes.kit.http.transfers import Transport

MAX_HEADER_BYTES = 262_144
E_OWN = -1  # not libcurl's: an option could not even be set
E_PEER = 60  # CURLE_PEER_FAILED_VERIFICATION
_HEAD_BYTES = 16_384  # of a body that nobody asked to see: enough for the title of an error page
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
_WITH_BODY = ("POST", "PUT", "PATCH")
_BLANK = (b"\r\n", b"\n")
_TLS_LINE = b"SSL connection using "
_CONSTANT: tuple[tuple[int, Any], ...] = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.HTTP09_ALLOWED, 0),
    (pycurl.FRESH_CONNECT, 1),
    (pycurl.FORBID_REUSE, 1),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.NOPROXY, ""),  # what the environment says about proxies is not for us
)
_CONSTANT_TLS: tuple[tuple[int, Any], ...] = (
    (pycurl.OPT_CERTINFO, 1),
    (pycurl.SSL_SESSIONID_CACHE, 0),  # a resumed session shows no certificate
    # What is obsolete must be seen to be called weak, so it is let in here and judged later.
    (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_0),
    (pycurl.SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0"),
    # All of them; the first with SHA-256, which processors have instructions for: 2 % of a check less than with OpenSSL's order.
    (pycurl.TLS13_CIPHERS, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"),
    (pycurl.SSL_EC_CURVES, "X25519:P-256:P-384:P-521"),  # the default's post-quantum share costs 100 µs a check
)


@dataclass(slots=True)
class Request:
    """What is sent. `address` is connected to whatever the URL's host is; None leaves it to the proxy. Times in ms.

    `connect_ms` bounds the TCP connection alone, so that the next address gets its turn; TLS has until `total_ms`.
    """

    url: str
    secure: bool
    method: str
    lines: Sequence[bytes]
    body: bytes | None
    address: str | None
    total_ms: int
    connect_ms: int
    version: str | None
    ca_file: str | None
    verify: bool
    proxy: str | None
    max_body: int
    keep_body: bool
    keep_page: bool  # keep the body if it may be HTML
    read_tls_version: bool


@dataclass(slots=True)
class Exchange:
    """What happened. `code` and `error` are libcurl's; phases are float ms, None where they did not happen.

    `sent` (of a proxy only) says that a request was on its way, if only to the proxy; `ended` that the headers came to their end.
    `tunnel` is a proxy's answer to CONNECT, 0 where none was asked or given; `proxy_error` is libcurl's CURLINFO_PROXY_ERROR.
    """

    code: int = 0
    error: str = ""
    os_errno: int = 0
    status: int = 0
    version: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)  # the Set-Cookie fields, which cannot be joined into one
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
    quic: bool = False  # HTTP/3 was asked for
    sent: bool = False
    ended: bool = True
    tunnel: int = 0
    proxy_error: int = 0


class _Sink:
    """Receives headers and body within their bounds; returning another count than was given makes libcurl stop."""

    __slots__ = ("_keep_bytes", "_keep_page", "_max", "chunks", "cookies", "ended", "full", "header_bytes", "headers", "size")

    def __init__(self, request: Request) -> None:
        self.headers: dict[str, str] = {}
        self.cookies: list[str] = []
        self.header_bytes = 0
        self.ended = False
        self.chunks: list[bytes] = []
        self.size = 0
        self.full = False
        self._max = request.max_body
        self._keep_page = request.keep_page
        self._keep_bytes = request.max_body if request.keep_body else min(_HEAD_BYTES, request.max_body)

    def header(self, line: bytes) -> int | None:
        self.header_bytes += len(line)
        if self.header_bytes > MAX_HEADER_BYTES:
            return -1
        if line.startswith(b"HTTP/"):
            self.headers.clear()
            self.cookies.clear()
            self.ended = False
            return None
        if line in _BLANK:
            self.ended = True
            if self._keep_page and "html" in self.headers.get("content-type", "html").lower():
                self._keep_bytes = self._max
            return None
        name, colon, value = line.decode("latin-1").partition(":")
        if colon and not self.size:  # what comes after the body is a trailer
            lower, said = name.strip().lower(), value.strip()
            if lower == "set-cookie":
                self.cookies.append(said)
            if lower == "content-encoding":
                self._keep_bytes = self._max
                said = f"{self.headers.get(lower, '')},{said}"  # several lines are one list (RFC 9110 §5.3)
            self.headers[lower] = said
        return None

    def body(self, chunk: bytes) -> int | None:
        room = self._max - self.size
        if self.size < self._keep_bytes:
            self.chunks.append(chunk[: self._keep_bytes - self.size])
        self.size += min(len(chunk), room)
        if len(chunk) > room:
            self.full = True
            return -1
        return None


async def exchange(transport: Transport, request: Request) -> Exchange:
    """Do one request within `request.total_ms`; never raises for what the server does."""
    curl, sink = transport.handle(), _Sink(request)
    said: list[bytes] = []
    try:
        try:
            _set_options(curl, request, sink, said)
        except (pycurl.error, TypeError, ValueError) as error:  # an option that this libcurl lacks, a value it cannot take
            return Exchange(code=E_OWN, error=f"libcurl does not take the request: {error}")
        if request.connect_ms < request.total_ms:
            code, error_text = await _connect_in_time(transport, curl, request.connect_ms)
        else:
            code, error_text = await transport.perform(curl)
        return _read(curl, request, sink, code, error_text, said)
    finally:
        transport.release(curl)


async def _connect_in_time(transport: Transport, curl: pycurl.Curl, connect_ms: int) -> tuple[int, str]:
    """End it unless TCP connects in time; libcurl's own connect timeout would count the TLS handshake in."""

    def look() -> None:
        if not curl.getinfo(pycurl.CONNECT_TIME_T):
            transport.end(curl, pycurl.E_OPERATION_TIMEDOUT, "no connection in time")

    timer = transport.later(connect_ms / 1000, look)
    try:
        return await transport.perform(curl)
    finally:
        timer.cancel()


def _set_options(curl: pycurl.Curl, request: Request, sink: _Sink, said: list[bytes]) -> None:
    setopt, secure = curl.setopt, request.secure
    for option, value in _CONSTANT:
        setopt(option, value)
    setopt(pycurl.URL, request.url)
    setopt(pycurl.HTTP_VERSION, _http_version(request.version, secure))
    setopt(pycurl.TIMEOUT_MS, max(request.total_ms, 1))
    setopt(pycurl.CONNECTTIMEOUT_MS, max(request.total_ms, 1))
    setopt(pycurl.HTTPHEADER, request.lines)
    setopt(pycurl.HEADERFUNCTION, sink.header)
    setopt(pycurl.WRITEFUNCTION, sink.body)
    setopt(pycurl.PROXY, request.proxy or "")
    if request.proxy is not None:
        setopt(pycurl.USERAGENT, USER_AGENT)  # for CONNECT, which gets none of our headers
        if request.ca_file is not None:
            setopt(pycurl.PROXY_CAINFO, request.ca_file)
    if request.address is not None:
        bracketed = f"[{request.address}]" if ":" in request.address else request.address
        setopt(pycurl.CONNECT_TO, [f"::{bracketed}:"])
    if request.method != "GET" or request.body is not None:
        _set_method(curl, request)
    if secure:
        _set_tls(curl, request, said)


def _http_version(wanted: str | None, secure: bool) -> int:
    if wanted == "2" and not secure:
        return int(pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
    return _VERSIONS[wanted]


def _set_method(curl: pycurl.Curl, request: Request) -> None:
    if request.method == "HEAD":
        curl.setopt(pycurl.NOBODY, 1)
        return
    body = request.body
    if body is None and request.method in _WITH_BODY:
        body = b""  # these say a length even without a body, else some servers answer 411
    if body is not None:
        curl.setopt(pycurl.POSTFIELDS, body)
    curl.setopt(pycurl.CUSTOMREQUEST, request.method)


def _set_tls(curl: pycurl.Curl, request: Request, said: list[bytes]) -> None:
    for option, value in _CONSTANT_TLS:
        curl.setopt(option, value)
    curl.setopt(pycurl.SSL_VERIFYPEER, int(request.verify))
    curl.setopt(pycurl.SSL_VERIFYHOST, 2 if request.verify else 0)
    if request.ca_file is not None:
        curl.setopt(pycurl.CAINFO, request.ca_file)
    if request.read_tls_version:
        curl.setopt(pycurl.VERBOSE, 1)
        curl.setopt(pycurl.DEBUGFUNCTION, lambda kind, line: said.append(line) if kind == pycurl.INFOTYPE_TEXT else None)


def _read(curl: pycurl.Curl, request: Request, sink: _Sink, code: int, error: str, said: list[bytes]) -> Exchange:
    getinfo = curl.getinfo
    done = Exchange(code, error, status=getinfo(pycurl.RESPONSE_CODE), headers=sink.headers, size=sink.size, full=sink.full)
    done.cookies = sink.cookies
    done.raw = b"".join(sink.chunks)
    done.ended, done.quic = sink.ended, request.version == "3"
    done.headers_too_large = sink.header_bytes > MAX_HEADER_BYTES
    done.version = _VERSION_NAMES.get(getinfo(pycurl.INFO_HTTP_VERSION), "")
    _read_phases(curl, done, secure=request.secure)
    done.address = getinfo(pycurl.PRIMARY_IP) or request.address
    if code:
        done.os_errno = getinfo(pycurl.OS_ERRNO)
    if request.proxy is not None:
        done.sent = getinfo(pycurl.REQUEST_SIZE) > 0
        done.tunnel, done.proxy_error = getinfo(pycurl.HTTP_CONNECTCODE), getinfo(pycurl.PROXY_ERROR)
    if request.secure:
        done.chain = tuple([value for certificate in getinfo(pycurl.INFO_CERTINFO) for name, value in certificate if name == "Cert"])
        done.tls_version = _tls_version(said, done.version)
    return done


def _read_phases(curl: pycurl.Curl, done: Exchange, *, secure: bool) -> None:
    getinfo = curl.getinfo
    connected, total = getinfo(pycurl.CONNECT_TIME_T), getinfo(pycurl.TOTAL_TIME_T)
    done.total = total / 1000
    if connected > 0:
        done.connect = (connected - getinfo(pycurl.NAMELOOKUP_TIME_T)) / 1000
    if secure and (shaken := getinfo(pycurl.APPCONNECT_TIME_T)) > 0:
        # Over QUIC both happen at once: the handshake is the connection.
        done.tls = max(shaken - connected, 0) / 1000
    first = getinfo(pycurl.STARTTRANSFER_TIME_T)
    if first > 0 and done.status:  # libcurl also stamps it when the connection failed
        done.first_byte = (first - getinfo(pycurl.PRETRANSFER_TIME_T)) / 1000
        done.transfer = (total - first) / 1000


def _tls_version(said: list[bytes], http_version: str) -> str | None:
    """Read libcurl's verbose text, the only place that tells the version; QUIC has but one (RFC 9001)."""
    for line in said:
        if _TLS_LINE in line:
            return line.partition(_TLS_LINE)[2].split(b" ")[0].strip().decode("latin-1")
    return "TLSv1.3" if said and http_version == "3" else None
