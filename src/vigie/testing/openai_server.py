"""A scripted server on a real socket that speaks OpenAI's chat completions and misbehaves as `ollama_server.Mode` says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from vigie.net import hang_up
from vigie.testing.ollama_server import Mode, honest, request_of, send_json
from vigie.testing.servers import serving

_PIECE, _TOKEN_BYTES = 24, 4


@dataclass(slots=True)
class ScriptedOpenAi:
    """`async with ScriptedOpenAi() as server:` listens on a free port of 127.0.0.1; `mode` may be changed at any time.

    `asked` holds (path, body, Authorization) of every request; a `token` is asked for when it is set; `knows` are the request keys
    beyond the plain ones that this server takes, any other is answered with 400.
    """

    mode: Mode = Mode.HONEST
    reply: str = ""
    models: tuple[str, ...] = ("tiny",)
    token: str = ""
    knows: tuple[str, ...] = ("response_format", "chat_template_kwargs")
    pace: float = 0.01
    asked: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    _serving: AbstractAsyncContextManager[int] | None = None
    _port: int = 0

    @property
    def url(self) -> str:
        """Base of the API."""
        return f"http://127.0.0.1:{self._port}/v1"

    async def __aenter__(self) -> Self:
        self._serving = serving(self._connected)
        self._port = await self._serving.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._serving is not None:
            await self._serving.__aexit__(None, None, None)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path, body, headers = await request_of(reader)
        self.asked.append((path, body, headers.get("authorization", "")))
        status, answer = self._refusal(path, body, headers) or (200, None)
        if answer is not None:
            await send_json(writer, status, answer)
        elif path == "/v1/models":
            await send_json(writer, 200, {"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})
        elif not body.get("stream"):
            await send_json(writer, 200, {"choices": [{"message": {"content": "."}, "finish_reason": "length"}]})
        else:
            await self._chat(body, writer)

    def _refusal(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, dict[str, Any]] | None:
        """(status, body) of an answer that is an error."""
        extra = body.keys() - {"model", "messages", "stream", "stream_options", "temperature", "seed", "max_tokens"}
        unknown = sorted(extra - set(self.knows))
        if self.token and headers.get("authorization") != f"Bearer {self.token}":
            return 401, _error("invalid api key")
        if path not in ("/v1/models", "/v1/chat/completions"):
            return 404, _error("no such path")
        if path == "/v1/models":
            return None
        if self.mode is Mode.NOT_PULLED or body.get("model") not in self.models:
            return 404, _error(f"model {body.get('model')} does not exist")
        refusals = {Mode.BUSY: (503, "busy"), Mode.BROKEN: (500, "out of memory at 0x7f"), Mode.REDIRECT: (307, "elsewhere")}
        if self.mode in refusals:
            status, words = refusals[self.mode]
            return status, {**_error(words), "location": "http://127.0.0.1:9/"}
        return (400, _error(f"unknown field {unknown[0]}")) if unknown else None

    async def _chat(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        if self.mode is Mode.SILENT:
            await asyncio.Event().wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        async for event in self._events(body):
            writer.write((event if isinstance(event, str) else f"data: {json.dumps(event)}").encode() + b"\n\n")
            await writer.drain()
        if self.mode is Mode.RESET:
            hang_up(writer.transport)

    async def _events(self, body: dict[str, Any]) -> AsyncIterator[dict[str, Any] | str]:
        odd = {Mode.HTML: "<html>router</html>", Mode.NO_OLLAMA: 'data: {"model": "x", "done": true}', Mode.ARRAY: "data: [1, 2]"}
        if self.mode in odd:
            yield odd[self.mode]
            return
        yield ": a comment keeps the connection open"
        while self.mode in (Mode.DRIP, Mode.FLOOD):
            yield _delta("x" * _PIECE)
            await asyncio.sleep(self.pace if self.mode is Mode.DRIP else 0)  # slow: it is asked to be
        text = {Mode.EMPTY: "", Mode.PROSE: "Certainly! Here is your alert."}.get(self.mode, self.reply or honest(_as_ollama(body)))
        for start in range(0, len(text), _PIECE):
            piece = text[start : start + _PIECE]
            yield _delta(piece, key="reasoning_content" if self.mode is Mode.THINKING else "content")
            if self.mode is Mode.STALL:
                await asyncio.Event().wait()
            if self.mode is Mode.RESET:
                return
            if self.mode is Mode.MID_ERROR:
                yield _error("slot was cancelled")
                return
        if self.mode is not Mode.NO_DONE:
            for event in self._end(body, text):
                yield event

    def _end(self, body: dict[str, Any], text: str) -> list[dict[str, Any] | str]:
        sent = sum(len(message["content"].encode()) for message in body["messages"])
        read = 12 if self.mode is Mode.CUT_PROMPT else sent // _TOKEN_BYTES
        usage = {"prompt_tokens": read, "completion_tokens": len(text) // _TOKEN_BYTES + 1}
        finish = "length" if self.mode is Mode.CUT else "stop"
        return [
            {"choices": [{"delta": {}, "finish_reason": finish}]},
            {"choices": [], "usage": usage, "timings": {"prompt_ms": 250.0, "predicted_ms": 900.0}},
            "data: [DONE]",
        ]


def _as_ollama(body: dict[str, Any]) -> dict[str, Any]:
    """The body with its schema where `honest` looks for it."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    return {**body, "format": schema}


def _delta(text: str, *, key: str = "content") -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {key: text}, "finish_reason": None}]}


def _error(words: str) -> dict[str, Any]:
    return {"error": {"message": words, "type": "server_error"}}
