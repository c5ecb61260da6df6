"""Which libcurl carries an exchange: the one on BoringSSL what works over TLS, the one on OpenSSL everything else."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol
from urllib.parse import urlsplit

from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http.boringssl import BoringSslTransport, stands, takes
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
    return deps.shared("http", _transport, lambda transport: transport.close())


def _transport() -> Transport:
    found = library()
    return _openssl() if found is None else TwoTransports(BoringSslTransport(found))


def _openssl() -> Transport:
    from vigie.probes.kit.http.openssl import OpenSslTransport  # 14 MB of libraries, which a process without failures need not have

    return OpenSslTransport()


class TwoTransports:
    """HTTPS on BoringSSL, at two thirds of the cost; what it cannot do, and whatever fails in its TLS, on OpenSSL, by the same deadline.

    So a verdict on TLS is always OpenSSL's, and what is said of a good answer is the same by either. A host that has once needed
    OpenSSL is asked by it alone for an hour: who speaks TLS badly is not connected to twice at each check.
    """

    def __init__(self, boringssl: Transport, make_openssl: Callable[[], Transport] = _openssl) -> None:
        self._boringssl, self._make_openssl = boringssl, make_openssl
        self._openssl: Transport | None = None
        self._openssl_until: dict[str, float] = {}  # by host and port, on the loop's clock

    async def exchange(self, request: Request) -> Exchange:
        """See `Transport`."""
        now, host = asyncio.get_running_loop().time, urlsplit(request.url).netloc
        began = now()
        if not takes(request) or is_shared() or self._openssl_until.get(host, began) > began:
            return await self._thorough().exchange(request)
        done = await self._boringssl.exchange(request)
        if stands(done):
            return done
        self._remember(host, now() + _AGAIN_S)
        left = request.total_ms - round((now() - began) * 1000)
        if left < 1:
            return done
        return await self._thorough().exchange(replace(request, total_ms=left, connect_ms=min(request.connect_ms, left)))

    def close(self) -> None:
        """See `Transport`."""
        self._boringssl.close()
        if self._openssl is not None:
            self._openssl.close()

    def _thorough(self) -> Transport:
        if self._openssl is None:
            self._openssl = self._make_openssl()
        return self._openssl

    def _remember(self, host: str, until: float) -> None:
        if len(self._openssl_until) >= _HOSTS_KEPT:  # a server may redirect to ever new names
            self._openssl_until.clear()
        self._openssl_until[host] = until
