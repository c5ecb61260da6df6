"""One request and its response as plain records, independent of the libcurl in use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vigie.probes.kit.http import libcurl

MAX_HEADER_BYTES = 262_144
_HEAD_BYTES = 16_384  # of a body that nobody asked to see: enough for the title of an error page
_VERSIONS: dict[str | None, int] = {
    None: libcurl.HTTP_2TLS,
    "1.1": libcurl.HTTP_1_1,
    "2": libcurl.HTTP_2TLS,
    "3": libcurl.HTTP_3ONLY,
}
_VERSION_NAMES = {libcurl.HTTP_1_0: "1.0", libcurl.HTTP_1_1: "1.1", libcurl.HTTP_2_0: "2", libcurl.HTTP_3: "3"}
# The ciphers of TLS 1.2 and before that Chrome, Firefox and Safari offer: none of them has had DHE, RC4 or DSA for years.
BROWSER_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
    "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA"
)
_BLANK = (b"\r\n", b"\n")
_TLS_LINE = b"SSL connection using "


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

    @property
    def connect_to(self) -> str | None:
        """The address as libcurl's CONNECT_TO takes it."""
        if self.address is None:
            return None
        return f"::[{self.address}]:" if ":" in self.address else f"::{self.address}:"


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


class Sink:
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
        """Receive one header line."""
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
        """Receive a part of the body."""
        room = self._max - self.size
        if self.size < self._keep_bytes:
            self.chunks.append(chunk[: self._keep_bytes - self.size])
        self.size += min(len(chunk), room)
        if len(chunk) > room:
            self.full = True
            return -1
        return None


def http_version(request: Request) -> int:
    """The version to request, as CURL_HTTP_VERSION."""
    if request.version == "2" and not request.secure:
        return libcurl.HTTP_2_PRIOR_KNOWLEDGE
    return _VERSIONS[request.version]


def read(getinfo: Callable[[int], int], request: Request, sink: Sink, code: int, error: str) -> Exchange:
    """The outcome, as far as libcurl reports it in numbers."""
    done = Exchange(code, error, status=getinfo(libcurl.RESPONSE_CODE), headers=sink.headers, size=sink.size, full=sink.full)
    done.cookies = sink.cookies
    done.raw = b"".join(sink.chunks)
    done.ended, done.quic = sink.ended, request.version == "3"
    done.headers_too_large = sink.header_bytes > MAX_HEADER_BYTES
    done.version = _VERSION_NAMES.get(getinfo(libcurl.HTTP_VERSION), "")
    _read_phases(getinfo, done, secure=request.secure)
    if code:
        done.os_errno = getinfo(libcurl.OS_ERRNO)
    return done


def _read_phases(getinfo: Callable[[int], int], done: Exchange, *, secure: bool) -> None:
    connected, total = getinfo(libcurl.CONNECT_TIME_T), getinfo(libcurl.TOTAL_TIME_T)
    done.total = total / 1000
    if connected > 0:
        done.connect = (connected - getinfo(libcurl.NAMELOOKUP_TIME_T)) / 1000
    if secure and (shaken := getinfo(libcurl.APPCONNECT_TIME_T)) > 0:
        # Over QUIC both happen at once: the handshake is the connection.
        done.tls = max(shaken - connected, 0) / 1000
    first = getinfo(libcurl.STARTTRANSFER_TIME_T)
    if first > 0 and done.status:  # libcurl also stamps it when the connection failed
        done.first_byte = (first - getinfo(libcurl.PRETRANSFER_TIME_T)) / 1000
        done.transfer = (total - first) / 1000


def tls_version(said: list[bytes], done: Exchange) -> str | None:
    """Read libcurl's verbose text, the only place that tells the version; QUIC has but one (RFC 9001)."""
    for line in said:
        if _TLS_LINE in line:
            return line.partition(_TLS_LINE)[2].split(b" ")[0].strip().decode("latin-1")
    return "TLSv1.3" if said and done.version == "3" else None
