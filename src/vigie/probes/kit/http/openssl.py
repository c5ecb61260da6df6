"""Exchanges through pycurl, whose libcurl is built on OpenSSL: supports every option, and decides every failure of TLS."""

from collections.abc import Callable, Iterable
from typing import Any

import pycurl

from vigie.net import USER_AGENT
from vigie.probes.kit.http import libcurl
from vigie.probes.kit.http.exchange import BROWSER_CIPHERS, Exchange, Request, Sink, http_version, read, tls_version
from vigie.probes.kit.http.transfers import OWN_POLLER, Transfers

_WITH_BODY = ("POST", "PUT", "PATCH")
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
    # All of them; the first with SHA-256, which processors have instructions for: 2 % of a check less than with OpenSSL's order.
    (pycurl.TLS13_CIPHERS, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"),
    (pycurl.SSL_EC_CURVES, "X25519:P-256:P-384:P-521"),  # the default's post-quantum share costs 100 µs a check
)


# Weak signatures and short keys must be seen to be judged, so that they are let in here.
_ANY_CIPHERS = "DEFAULT@SECLEVEL=0"
_BROWSERS_CIPHERS = f"{BROWSER_CIPHERS}:@SECLEVEL=0"


class _Multi:
    """pycurl's multi interface."""

    def __init__(self) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_NOTHING)
        self.add, self.remove, self.act = self._multi.add_handle, self._multi.remove_handle, self._multi.socket_action

    def listen(self, on_socket: Callable[[int, int], None], on_timer: Callable[[int], None]) -> None:
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, lambda action, fd, _multi, _data: on_socket(fd, action))
        self._multi.setopt(pycurl.M_TIMERFUNCTION, on_timer)

    def ended(self) -> Iterable[tuple[pycurl.Curl, int, str]]:
        left: int = 1
        while left:
            left, done, failed = self._multi.info_read()
            for curl in done:
                yield curl, libcurl.OK, ""
            yield from failed


class OpenSslTransport:
    """Performs exchanges for every HTTP probe of this process.

    One multi handle keeps the parsed trust store, which costs 5 ms to parse anew; easy handles are used again.
    """

    def __init__(self, *, own_poller: bool = OWN_POLLER) -> None:
        self.transfers: Transfers[pycurl.Curl] = Transfers(_Multi(), own_poller=own_poller)
        self.spare: list[pycurl.Curl] = []

    async def exchange(self, request: Request) -> Exchange:
        """Do one request within `request.total_ms`; never raises for what the server does."""
        curl, sink = self.spare.pop() if self.spare else pycurl.Curl(), Sink(request)
        said: list[bytes] = []
        try:
            try:
                _set_options(curl, request, sink, said)
            except (pycurl.error, TypeError, ValueError) as error:  # an option that this libcurl lacks, a value it cannot take
                return Exchange(code=libcurl.E_OWN, error=f"libcurl does not take the request: {error}", quic=request.version == "3")
            connect_ms = request.connect_ms if request.connect_ms < request.total_ms else None
            code, words = await self.transfers.perform(curl, connect_ms, lambda: curl.getinfo(pycurl.CONNECT_TIME_T) > 0)
            return _read(curl, request, sink, code, words, said)
        finally:
            curl.reset()
            self.spare.append(curl)

    def close(self) -> None:
        """Stop every exchange."""
        self.transfers.close()
        self.spare.clear()


def _set_options(curl: pycurl.Curl, request: Request, sink: Sink, said: list[bytes]) -> None:
    setopt, secure = curl.setopt, request.secure
    for option, value in _CONSTANT:
        setopt(option, value)
    setopt(pycurl.URL, request.url)
    setopt(pycurl.HTTP_VERSION, http_version(request))
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
    if (connect_to := request.connect_to) is not None:
        setopt(pycurl.CONNECT_TO, [connect_to])
    if request.method != "GET" or request.body is not None:
        _set_method(curl, request)
    if secure:
        _set_tls(curl, request, said)


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
    # A version that is known to be a current one is not let fall unseen; where it is not known, an old one is let in to be named.
    old = request.read_tls_version or not request.verify
    curl.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_0 if old else pycurl.SSLVERSION_TLSv1_2)
    curl.setopt(pycurl.SSL_CIPHER_LIST, _BROWSERS_CIPHERS if request.verify else _ANY_CIPHERS)
    curl.setopt(pycurl.SSL_VERIFYPEER, int(request.verify))
    curl.setopt(pycurl.SSL_VERIFYHOST, 2 if request.verify else 0)
    if request.ca_file is not None:
        curl.setopt(pycurl.CAINFO, request.ca_file)
    if request.read_tls_version:
        curl.setopt(pycurl.VERBOSE, 1)
        curl.setopt(pycurl.DEBUGFUNCTION, lambda kind, line: said.append(line) if kind == pycurl.INFOTYPE_TEXT else None)


def _read(curl: pycurl.Curl, request: Request, sink: Sink, code: int, error: str, said: list[bytes]) -> Exchange:
    getinfo = curl.getinfo
    done = read(getinfo, request, sink, code, error)
    done.address = getinfo(pycurl.PRIMARY_IP) or request.address
    if request.proxy is not None:
        done.sent = getinfo(pycurl.REQUEST_SIZE) > 0
        done.tunnel, done.proxy_error = getinfo(pycurl.HTTP_CONNECTCODE), getinfo(pycurl.PROXY_ERROR)
    if request.secure:
        done.chain = tuple([value for certificate in getinfo(pycurl.INFO_CERTINFO) for name, value in certificate if name == "Cert"])
        done.tls_version = tls_version(said, done)
    return done
