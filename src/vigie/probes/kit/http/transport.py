"""Which libcurl performs an exchange: the one on BoringSSL for routine HTTPS, the one on OpenSSL for everything else."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Protocol
from urllib.parse import urlsplit

from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http.boringssl import BoringSslTransport, is_conclusive, is_eligible
from vigie.probes.kit.http.exchange import Exchange, Request
from vigie.probes.kit.http.libcurl_binding import is_shared, library

_AGAIN_S = 3_600.0
_HOSTS_KEPT = 1_024


class Transport(Protocol):
    """Performs exchanges for every HTTP probe of this process."""

    async def exchange(self, request: Request) -> Exchange:
        """Do one request within `request.total_ms`; never raises for what the server does."""
        ...

    def close(self) -> None:
        """Stop every exchange."""
        ...


def shared_transport(deps: ProbeDeps) -> Transport:
    """The transport that all probes of this process share."""
    return deps.shared("http", FallbackTransport, FallbackTransport.close)


def _boringssl() -> Transport | None:
    found = library()
    return None if found is None else BoringSslTransport(found)


def _openssl() -> Transport:
    from vigie.probes.kit.http.openssl import OpenSslTransport  # pycurl and its libraries

    return OpenSslTransport()


class FallbackTransport:
    """HTTPS through BoringSSL, at two thirds of the cost; what it cannot do and every failure of TLS go to OpenSSL, by the same deadline.

    So every verdict on TLS comes from OpenSSL, and the facts of a good response are the same from both. A host that needed OpenSSL once
    is checked through it alone for an hour, so that a host with broken TLS does not get two connections per check. Each library is
    loaded when it is first needed: 5 MB for BoringSSL, 14 MB for OpenSSL.
    """

    def __init__(
        self, make_boringssl: Callable[[], Transport | None] = _boringssl, make_openssl: Callable[[], Transport] = _openssl
    ) -> None:
        self._make_boringssl, self._make_openssl = make_boringssl, make_openssl
        self._openssl_until: dict[str, float] = {}  # by host and port, on the loop's clock

    @cached_property
    def boringssl(self) -> Transport | None:
        """None where `curl_cffi` is not installed."""
        return self._make_boringssl()

    @cached_property
    def openssl(self) -> Transport:
        """Used for everything else."""
        return self._make_openssl()

    async def exchange(self, request: Request) -> Exchange:
        """See `Transport`."""
        now = asyncio.get_running_loop().time
        began = now()
        first = self._first(request, began)
        if first is None:
            return await self.openssl.exchange(request)
        done = await first.exchange(request)
        if is_conclusive(done):
            return done
        self._remember(_host(request), now() + _AGAIN_S)
        left = request.total_ms - round((now() - began) * 1000)
        if left < 1:
            return done
        return await self.openssl.exchange(replace(request, total_ms=left, connect_ms=min(request.connect_ms, left), read_tls_version=True))

    def close(self) -> None:
        """See `Transport`."""
        for made in (self.__dict__.get("boringssl"), self.__dict__.get("openssl")):
            if made is not None:
                made.close()

    def _first(self, request: Request, now: float) -> Transport | None:
        """The transport on BoringSSL, if it is to be tried first."""
        if not is_eligible(request) or is_shared() or self._openssl_until.get(_host(request), now) > now:
            return None
        return self.boringssl

    def _remember(self, host: str, until: float) -> None:
        if len(self._openssl_until) >= _HOSTS_KEPT:  # a server may redirect to new names without end
            self._openssl_until.clear()
        self._openssl_until[host] = until


def _host(request: Request) -> str:
    return urlsplit(request.url).netloc
