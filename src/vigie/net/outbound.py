"""The HTTP client of whatever Vigie sends (notices, questions to a model): its proxy by `Proxies`, its authorities by the caller.

httpx itself would read proxies, certificates and `.netrc` from the environment, each by rules of its own; it is told not to.
"""

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING

from vigie.net.proxies import SOCKS, Proxies, Proxy

if TYPE_CHECKING:
    import httpx


def client(
    url: str,
    proxies: Proxies,
    trust: ssl.SSLContext | None,
    timeout: "httpx.Timeout | float",
    *,
    headers: Mapping[str, str] | None = None,
) -> "httpx.AsyncClient":
    """A client for the host of one URL; follows no redirect. Raises UnusableProxyError, ValueError for what is not a URL."""
    import httpx

    return httpx.AsyncClient(
        transport=transport(url, proxies, trust), timeout=timeout, headers=headers, trust_env=False, follow_redirects=False
    )


def transport(url: str, proxies: Proxies, trust: ssl.SSLContext | None) -> "httpx.AsyncHTTPTransport":
    """How the host of a URL is reached. `trust` is needed for TLS, be it with the proxy alone. Raises as `client` does."""
    import httpx

    proxy = proxies.for_url(url)
    if proxy is not None and proxy.scheme in SOCKS:
        return _over_socks(proxy, trust)
    # Without TLS a context is not used; httpx would read its own bundle for one, which takes 20 ms.
    verify: ssl.SSLContext | bool = False if trust is None else trust
    return httpx.AsyncHTTPTransport(verify=verify, trust_env=False, proxy=None if proxy is None else _of_httpx(proxy, trust))


def _of_httpx(proxy: Proxy, trust: ssl.SSLContext | None) -> "httpx.Proxy":
    import httpx

    login = None if proxy.username is None else (proxy.username, proxy.password)
    return httpx.Proxy(proxy.url, auth=login, ssl_context=trust if proxy.scheme == "https" else None)


def _over_socks(proxy: Proxy, trust: ssl.SSLContext | None) -> "httpx.AsyncHTTPTransport":
    """The pool of the transport is exchanged: httpx offers no way to hand over a network backend."""
    import httpcore
    import httpx

    from vigie.net.socks import SocksBackend

    made = httpx.AsyncHTTPTransport(verify=False if trust is None else trust, trust_env=False)
    made._pool = httpcore.AsyncConnectionPool(ssl_context=trust, network_backend=SocksBackend(proxy))  # noqa: SLF001 - see above
    return made
