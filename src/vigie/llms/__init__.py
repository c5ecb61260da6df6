"""Language models: one file per provider, found by its name; and what providers share: deadlines, nearness, faults."""

import asyncio
import ipaddress
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, TypeVar

from vigie.errors import ModelError, ModelFault
from vigie.ports import Clock

_T = TypeVar("_T")

LEAVES = "so incident data would leave the machine; if that is intended, set llm.allow_remote: true in vigie.yaml"
SLOW = "use a smaller model, or raise llm.first_token and llm.deadline"


@dataclass(frozen=True, slots=True)
class ModelDeps:
    """What providers are built with."""

    clock: Clock


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
