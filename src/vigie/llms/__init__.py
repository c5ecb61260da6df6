"""Language models: one file per provider, found by its name; and what providers share: connections, deadlines, nearness, faults."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

from vigie.errors import ModelError, ModelFault
from vigie.net import DIRECT, Proxies, UnusableProxyError, transport
from vigie.ports import Clock

if TYPE_CHECKING:
    import httpx

_T = TypeVar("_T")

# What is asked of every server: a compressed answer would have no bound once it is unpacked.
PLAIN = {"Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many bytes of an answer are read at most, in all and before a line ends (`line` 0: it may be one line)."""

    total: int
    line: int = 0


ANSWER = Bounds(4_194_304)  # a list of all the models of a large server is under one megabyte
STREAM = Bounds(8_388_608, 262_144)
PULLING = Bounds(67_108_864, 262_144)  # a line of progress is under 200 bytes, and comes some times a second

LEAVES = "so incident data would leave the machine; if that is intended, set llm.allow_remote: true in vigie.yaml"
ODD = "check what is listening at llm.url"
_OK = 200
_ABSURD = 1e18
SLOW = "use a smaller model, or raise llm.first_token and llm.deadline"


@dataclass(frozen=True, slots=True)
class ModelDeps:
    """What providers are built with; `ca_file` is the trust store (None: the system's), `proxies` how servers far away are reached."""

    clock: Clock
    ca_file: str | None = None
    proxies: Proxies = DIRECT


def way(url: str, deps: ModelDeps) -> "httpx.AsyncBaseTransport":
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


def figure(value: object) -> float | None:
    """A number of ms or the like that a server sent, None for what cannot be one."""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _ABSURD  # NaN is not
    return float(value) if fits else None  # type: ignore[arg-type]  # it is a number


def tokens_of(value: object) -> int | None:
    """A count of tokens that a server sent, None for what cannot be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _ABSURD else None


def bounded(place: str, bounds: Bounds) -> dict[str, list[Callable[[Any], Awaitable[None]]]]:
    """Event hooks for an httpx client: what a server at `place` sends is counted as it comes in, before anything keeps it.

    The stream raises ModelError for more than `bounds`, for a compressed answer, and for one with status 200 and nothing in it. Hooks see
    every answer, whichever transport or proxy it came through.
    """

    async def watch(answer: Any) -> None:
        import httpx

        if answer.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise ModelError(ModelFault.SCHEMA, f"{place} answers compressed, which was not requested", ODD)

        class Counted(httpx.AsyncByteStream):
            def __init__(self, stream: Any) -> None:
                self._stream = stream

            async def __aiter__(self) -> AsyncIterator[bytes]:
                total = line = 0
                async for piece in self._stream:
                    total += len(piece)
                    last = piece.rfind(b"\n")
                    line = len(piece) - last - 1 if last >= 0 else line + len(piece)
                    if total > bounds.total or (bounds.line and line > bounds.line):
                        raise ModelError(ModelFault.ENDLESS, f"{place} sends without end", ODD)
                    yield piece
                if not total and answer.status_code == _OK:
                    raise ModelError(ModelFault.EMPTY, f"{place} answers with status 200 and nothing else", ODD)

            async def aclose(self) -> None:
                await self._stream.aclose()

        answer.stream = Counted(answer.stream)

    return {"response": [watch]}


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
