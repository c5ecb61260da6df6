"""Language models: one file per provider, found by its name; and what providers share: connections, deadlines, nearness, faults."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlsplit

from vigie.errors import ModelError, ModelFault
from vigie.net import DIRECT, Proxies, UnusableProxyError, transport
from vigie.ports import Clock

if TYPE_CHECKING:
    import httpx

_T = TypeVar("_T")

LEAVES = "so incident data would leave the machine; if that is intended, set llm.allow_remote: true in vigie.yaml"
SLOW = "use a smaller model, or raise llm.first_token and llm.deadline"


@dataclass(frozen=True, slots=True)
class ModelDeps:
    """What providers are built with; `ca_file` is the trust store (None: the system's), `proxies` how servers far away are reached."""

    clock: Clock
    ca_file: str | None = None
    proxies: Proxies = DIRECT


def way(url: str, deps: ModelDeps) -> "httpx.AsyncHTTPTransport":
    """How a client reaches a model's server; one that is near is never reached through a proxy. Raises ModelError.

    Reads the authorities, which takes 20 ms: not for the loop, where the server speaks TLS.
    """
    proxies = DIRECT if is_near(urlsplit(url).hostname or "") else deps.proxies
    try:
        proxy = proxies.for_url(url)
        secure = url.startswith("https:") or (proxy is not None and proxy.scheme == "https")
        return transport(url, proxies, ssl.create_default_context(cafile=deps.ca_file) if secure else None)
    except UnusableProxyError as error:
        raise ModelError(ModelFault.UNREACHABLE, str(error), error.fault.fix) from error
    except (OSError, ValueError) as error:
        raise ModelError(ModelFault.UNREACHABLE, f"no connection can be prepared: {error}", "check SSL_CERT_FILE and llm.url") from error


def is_near(host: str) -> bool:
    """Whether it is this machine, a private network, or a name without dots (a container, a host of the local network)."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan", ".localhost", ".home.arpa"))


async def in_time(stream: AsyncIterator[_T], first_ms: int, stall_ms: int) -> AsyncGenerator[_T]:
    """The stream's items; raise ModelError when the first comes later than `first_ms`, or another than `stall_ms`."""
    wait_ms, fault, words = first_ms, ModelFault.TIMEOUT_FIRST_TOKEN, "no first token"
    while True:
        try:
            async with asyncio.timeout(wait_ms / 1000):
                item = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ModelError(fault, f"{words} within {wait_ms / 1000:g} s", SLOW) from None
        yield item
        wait_ms, fault, words = stall_ms, ModelFault.TIMEOUT_STALL, "the model stopped responding"


class Naming(Protocol):
    """A provider that can say which fault a foreign error means."""

    def named(self, error: Exception) -> ModelError:
        """The fault."""
        ...


class Faults:
    """`async with Faults(model, seconds):` turns whatever escapes into a ModelError, within a total deadline in seconds."""

    def __init__(self, model: Naming, seconds: float) -> None:
        self._model, self._seconds = model, seconds
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            words = f"no complete response within {self._seconds:g} s"
            raise ModelError(ModelFault.TIMEOUT_TOTAL, words, "use a smaller model, or raise llm.deadline") from error
        if isinstance(error, Exception) and not isinstance(error, ModelError):
            raise self._model.named(error) from error
