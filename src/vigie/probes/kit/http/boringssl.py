"""Exchanges through the libcurl of `curl_cffi`, built on BoringSSL: routine HTTPS requests at two thirds of the cost."""

from vigie.probes.kit.http import libcurl
from vigie.probes.kit.http.exchange import BROWSER_CIPHERS, Exchange, Request, Sink, http_version, read, tls_version
from vigie.probes.kit.http.libcurl_binding import Easy, EasyMulti, Library
from vigie.probes.kit.http.transfers import OWN_POLLER, Transfers

_CONSTANT: tuple[tuple[int, int | bytes], ...] = (
    (libcurl.NOSIGNAL, 1),
    (libcurl.HTTP09_ALLOWED, 0),
    (libcurl.FRESH_CONNECT, 1),
    (libcurl.FORBID_REUSE, 1),
    (libcurl.PROTOCOLS, libcurl.PROTO_HTTP_AND_HTTPS),
    (libcurl.PROXY, b""),
    (libcurl.NOPROXY, b""),  # ignore the proxies of the environment
    (libcurl.CERTINFO_WANTED, 1),
    (libcurl.SSL_SESSIONID_CACHE, 0),  # a resumed session shows no certificate
    (libcurl.SSL_VERIFYPEER, 1),
    (libcurl.SSL_VERIFYHOST, 2),
    (libcurl.SSLVERSION, libcurl.SSLVERSION_TLSV1_2),  # older versions fail here and are judged through OpenSSL
    (libcurl.SSL_CIPHER_LIST, BROWSER_CIPHERS.encode()),
    (libcurl.SSL_EC_CURVES, b"X25519:P-256:P-384:P-521"),  # as in openssl.py
)
_WITHOUT_TLS = frozenset({libcurl.OK, libcurl.E_COULDNT_CONNECT, libcurl.E_OPERATION_TIMEDOUT})
# Failures of HTTP itself, once the handshake is complete: no TLS library is involved.
_OF_HTTP = frozenset({
    libcurl.E_WEIRD_SERVER_REPLY,
    libcurl.E_HTTP2,
    libcurl.E_PARTIAL_FILE,
    libcurl.E_GOT_NOTHING,
    libcurl.E_HTTP2_STREAM,
    libcurl.E_TOO_LARGE,
})  # fmt: skip


def is_eligible(request: Request) -> bool:
    """Whether this transport may try a request first: TLS with verification, no proxy, no HTTP/3, and a method that is safe to repeat.

    Plain HTTP gains nothing: pycurl, a C extension, has cheaper callbacks than cffi.
    """
    verified = request.secure and request.verify and request.ca_file is not None
    return verified and request.method in ("GET", "HEAD") and request.body is None and request.proxy is None and request.version != "3"


def is_conclusive(done: Exchange) -> bool:
    """Whether the outcome is final: a success, a failure that does not involve TLS, or a time-out, after which there is no time left."""
    at_own_limit = done.full or done.headers_too_large
    return done.code in _WITHOUT_TLS or at_own_limit or (done.tls is not None and done.code in _OF_HTTP)


class BoringSslTransport:
    """Performs eligible exchanges; conclusive outcomes are the same as OpenSSL's.

    One multi handle caches the parsed trust store. Easy handles are reused and keep their options, so that only changes are set.
    """

    def __init__(self, library: Library, *, own_poller: bool = OWN_POLLER) -> None:
        self._library, self._multi = library, EasyMulti(library)
        self.transfers: Transfers[Easy] = Transfers(self._multi, own_poller=own_poller)
        self.spare: list[Easy] = []
        self._closed = False

    async def exchange(self, request: Request) -> Exchange:
        """Do one request within `request.total_ms`; never raises for what the server does."""
        easy, sink = self.spare.pop() if self.spare else self._made(), Sink(request)
        easy.begin(sink)
        try:
            try:
                _set_options(easy, request)
            except ValueError as error:
                return Exchange(code=libcurl.E_OWN, error=f"libcurl does not take the request: {error}", quic=request.version == "3")
            connect_ms = request.connect_ms if request.connect_ms < request.total_ms else None
            code, words = await self.transfers.perform(easy, connect_ms, lambda: easy.info(libcurl.CONNECT_TIME_T) > 0)
            return _read(easy, request, sink, code, words)
        finally:
            easy.receiver = None
            if self._closed:
                easy.close()
            else:
                self.spare.append(easy)

    def close(self) -> None:
        """Stop every exchange."""
        self._closed = True
        self.transfers.close()
        self._multi.close()
        while self.spare:
            self.spare.pop().close()

    def _made(self) -> Easy:
        easy = Easy(self._library)
        for option, value in _CONSTANT:
            easy.set(option, value)
        return easy


def _set_options(easy: Easy, request: Request) -> None:
    """Set every option that may differ between requests: the handle still has those of the previous one."""
    milliseconds = max(request.total_ms, 1)
    easy.set(libcurl.URL, request.url.encode())
    easy.set(libcurl.HTTP_VERSION_WANTED, http_version(request))
    easy.set(libcurl.TIMEOUT_MS, milliseconds)
    easy.set(libcurl.CONNECTTIMEOUT_MS, milliseconds)
    easy.set(libcurl.NOBODY, int(request.method == "HEAD"))
    easy.set_lines(libcurl.HTTPHEADER, request.lines)
    easy.set_lines(libcurl.CONNECT_TO, [] if request.connect_to is None else [request.connect_to.encode()])
    easy.set(libcurl.VERBOSE, int(request.read_tls_version))
    easy.set(libcurl.CAINFO, (request.ca_file or "").encode())


def _read(easy: Easy, request: Request, sink: Sink, code: int, error: str) -> Exchange:
    done = read(easy.info, request, sink, code, error)
    done.address = easy.info_text(libcurl.PRIMARY_IP) or request.address
    done.chain = easy.certificates()
    done.tls_version = tls_version(easy.said, done)
    return done
