"""POST to an address that a stranger gave: only over TLS, only to the Internet, and to the very address that was looked at.

A name is looked up once, every address of it must be public, and one of these is connected to: another look-up, which could lead inside,
never happens. No proxy is used, because it would look the name up by itself. No redirect is followed.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import USER_AGENT, host_of
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.connect import Fixes, named, trust_store
from vigie.notifiers.kit.http import SHORT_BYTES, refused
from vigie.report.subscriptions import is_public_address

LookUp = Callable[[str, int], Awaitable[list[str]]]
_FIXES = Fixes("nothing can be done here", "its certificate must be one that everybody trusts", "it must speak TLS", "it is too slow")


async def addresses(host: str, port: int) -> list[str]:
    """Every address of a name, by the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


async def post_public(
    deps: NotifierDeps,
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    look_up: LookUp = addresses,
    allowed: Callable[[str], bool] = is_public_address,
) -> None:
    """Raises DeliveryError, permanent where the address is an internal one."""
    import httpx

    parts = urlsplit(url)
    host, port, where = parts.hostname or "", parts.port or 443, host_of(url)
    try:
        async with asyncio.timeout(deps.timeout_seconds):
            chosen = await _chosen(host, port, where, look_up, allowed)
            trust = await trust_store(deps.ca_file)
            pinned = _pinned(chosen)
            transport = httpx.AsyncHTTPTransport(verify=trust, trust_env=False)
            transport._pool._network_backend = pinned  # noqa: SLF001 - httpx hands no backend of its own on to httpcore
            async with (
                httpx.AsyncClient(
                    transport=transport, trust_env=False, follow_redirects=False, timeout=deps.timeout_seconds * 0.8
                ) as client,
                client.stream(
                    "POST", url, content=body, headers={"Content-Type": "application/json", "User-Agent": USER_AGENT, **headers}
                ) as answer,
            ):
                read = 0
                async for piece in answer.aiter_raw():
                    read += len(piece)
                    if read >= SHORT_BYTES:
                        break
    except (httpx.HTTPError, OSError) as error:
        raise named(error, where, deps.timeout_seconds, _FIXES) from None
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise DeliveryError(DeliveryReason.CONFIG, f"{where}: no request could be made ({type(error).__name__})", permanent=True) from None
    if not 200 <= answer.status_code < 300:
        raise refused(where, answer.status_code, f"HTTP {answer.status_code}", answer.headers.get("retry-after"), deps.clock.now())


async def _chosen(host: str, port: int, where: str, look_up: LookUp, allowed: Callable[[str], bool]) -> str:
    found = await look_up(host, port)
    if not found or not all(allowed(one) for one in found):
        raise DeliveryError(DeliveryReason.CONFIG, f"{where} is not an address of the Internet", permanent=True)
    return found[0]


def _pinned(address: str) -> Any:
    """A way to connect to one address, whatever the host is called; TLS still asks for the host's own certificate."""
    from httpcore import AsyncNetworkBackend, AsyncNetworkStream
    from httpcore._backends.auto import AutoBackend

    class Pinned(AsyncNetworkBackend):
        def __init__(self) -> None:
            self._inner = AutoBackend()

        async def connect_tcp(self, host: str, port: int, **options: Any) -> AsyncNetworkStream:  # type: ignore[override]  # noqa: ARG002 - whatever the host is called
            return await self._inner.connect_tcp(address, port, **options)

        async def sleep(self, seconds: float) -> None:
            await self._inner.sleep(seconds)

    return Pinned()
