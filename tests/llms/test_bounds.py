"""What a model server sends is bounded while it is read: without end, without a line's end, compressed, drop by drop, or nothing at all."""

import asyncio
import gzip
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator

import pytest

from vigie.clock import SystemClock
from vigie.errors import ModelError, ModelFault
from vigie.llms import ModelDeps, ollama, openai
from vigie.planning.duration import Duration
from vigie.ports import LanguageModel, Prompt
from vigie.testing.servers import serving

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNK = b"x" * 65_536
WHOLE = 500_000_000
ALLOWED = 24_000_000  # bytes that may be held at once while a server sends 500 MB
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def built(provider: str, port: int) -> LanguageModel:
    """A model of either provider that asks a server on loopback."""
    deps = ModelDeps(SystemClock())
    if provider == "ollama":
        return ollama.build(ollama.Config(url=f"http://127.0.0.1:{port}", model="m", first_token=Duration(5_000)), deps)
    return openai.build(openai.Config(url=f"http://127.0.0.1:{port}/v1", model="m", first_token=Duration(5_000)), deps)


async def _drain(model: LanguageModel) -> None:
    async for _ in model.pull():
        pass


CALLS: dict[str, Callable[[LanguageModel, Prompt], Awaitable[object]]] = {
    "write": lambda model, prompt: model.write(prompt, 20_000),
    "preload": lambda model, _: model.preload(),
    "examine": lambda model, _: model.examine(),
    "offered": lambda model, _: model.offered(),
    "pull": lambda model, _: _drain(model),
}
EVERY = [(provider, call) for provider in ("ollama", "openai") for call in CALLS if (provider, call) != ("openai", "pull")]


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)


def answering_each(send: Callable[[asyncio.StreamWriter], Awaitable[None]], *, shown: bool = True) -> Handler:
    """A server that says where its model runs, as Ollama does (unless not `shown`), and answers everything else by `send`."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await _request(reader)
        if shown and b"/api/show" in head:
            writer.write(HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")
            await writer.drain()
        else:
            await send(writer)

    return handler


async def flood(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"\r\n{")
    for _ in range(WHOLE // len(CHUNK)):
        writer.write(CHUNK)
        await writer.drain()


async def lines(writer: asyncio.StreamWriter) -> None:
    """Short lines for ever."""
    writer.write(HEAD + b"\r\n")
    for _ in range(WHOLE // len(CHUNK)):
        writer.write(b": keep alive\n" * 5_000)
        await writer.drain()


async def headers(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    for number in range(WHOLE // 65_600):
        writer.write(b"X-%d: " % number + CHUNK + b"\r\n")
        await writer.drain()


@pytest.fixture
def held() -> Iterator[Callable[[], int]]:
    """The most bytes that were held at once since the test began."""
    import httpx  # noqa: F401 - what imports cost is not what is measured
    import ollama as client  # noqa: F401 - see above

    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


async def _fault(provider: str, call: str, prompt: Prompt, handler: Handler) -> ModelError:
    async with serving(handler) as port:
        with pytest.raises(ModelError) as caught:
            await CALLS[call](built(provider, port), prompt)
    return caught.value


@pytest.mark.parametrize("send", [flood, lines, headers])
@pytest.mark.parametrize(("provider", "call"), EVERY)
async def test_half_a_gigabyte_is_never_held(
    provider: str, call: str, send: Callable[[asyncio.StreamWriter], Awaitable[None]], prompt: Prompt, held: Callable[[], int]
) -> None:
    error = await _fault(provider, call, prompt, answering_each(send))
    assert held() < ALLOWED
    assert error.fault in (ModelFault.ENDLESS, ModelFault.CUT, ModelFault.NOT_JSON)
    if send is flood:
        assert error.fault is ModelFault.ENDLESS


async def test_where_a_model_runs_is_asked_within_bounds_too(prompt: Prompt, held: Callable[[], int]) -> None:
    error = await _fault("ollama", "write", prompt, answering_each(flood, shown=False))
    assert error.fault is ModelFault.ENDLESS
    assert held() < ALLOWED


@pytest.mark.parametrize(("provider", "call"), EVERY)
async def test_an_answer_that_is_compressed_is_not_unpacked(provider: str, call: str, prompt: Prompt, held: Callable[[], int]) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)
        await writer.drain()

    before = held()
    error = await _fault(provider, call, prompt, answering_each(send))
    assert error.fault is ModelFault.SCHEMA
    assert "compressed" in error.message
    assert held() - before < ALLOWED


@pytest.mark.parametrize(("provider", "call"), EVERY)
async def test_a_compressed_answer_is_not_asked_for(provider: str, call: str, prompt: Prompt) -> None:
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await _request(reader))
        writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()

    await _fault(provider, call, prompt, handler)
    assert all(b"accept-encoding: identity\r\n" in one.lower() for one in seen)
    assert seen


@pytest.mark.parametrize(("provider", "call"), EVERY)
async def test_status_200_with_nothing_in_it_is_said_in_one_way(provider: str, call: str, prompt: Prompt) -> None:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()

    error = await _fault(provider, call, prompt, answering_each(send))
    assert error.fault is ModelFault.EMPTY
    assert error.message.endswith(" answers with status 200 and nothing else")
    assert error.fix == "check what is listening at llm.url"


@pytest.mark.parametrize("provider", ["ollama", "openai"])
async def test_single_bytes_that_never_make_a_line_end_at_the_deadline(provider: str, prompt: Prompt) -> None:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with serving(answering_each(send)) as port:
        model = built(provider, port)
        started = time.monotonic()
        with pytest.raises(ModelError) as caught:
            await model.write(prompt, 400)
    assert caught.value.fault is ModelFault.TIMEOUT_TOTAL
    assert time.monotonic() - started < 3
