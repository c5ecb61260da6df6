"""SOCKS proxies for httpx: httpx-socks connects, and its errors become httpx's, with their names in words.

`socks5` and `socks4` resolve the name here, `socks5h` and `socks4a` leave it to the proxy, as with curl.
"""

import ssl

import httpx
from httpx_socks import AsyncProxyTransport
from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType

from vigie.net.proxies import Proxy

_LEFT_TO_THE_PROXY = ("socks4a", "socks5h")


class SocksTransport(httpx.AsyncBaseTransport):
    """A transport through one proxy. `trust` is for the receiver behind it; None where TLS is not spoken."""

    def __init__(self, proxy: Proxy, trust: ssl.SSLContext | None) -> None:
        self._inner = AsyncProxyTransport(
            proxy_type=ProxyType.SOCKS5 if proxy.scheme.startswith("socks5") else ProxyType.SOCKS4,
            proxy_host=proxy.host,
            proxy_port=proxy.port,
            username=proxy.username,
            password=proxy.password,
            rdns=proxy.scheme in _LEFT_TO_THE_PROXY,
            verify=False if trust is None else trust,
            trust_env=False,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer. Raises httpx.TransportError and nothing else."""
        try:
            return await self._inner.handle_async_request(request)
        except ProxyTimeoutError as error:
            raise httpx.ConnectTimeout("the SOCKS proxy does not answer", request=request) from error
        except ProxyConnectionError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        except ProxyError as error:
            raise httpx.ProxyError(str(error), request=request) from error
        except OSError as error:  # the name does not resolve here
            raise httpx.ConnectError(str(error), request=request) from error

    async def aclose(self) -> None:
        """Close every connection."""
        await self._inner.aclose()
