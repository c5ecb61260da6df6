"""A scripted server on a real socket that speaks Ollama's API and misbehaves in every way that a report must survive."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from vigie.net import hang_up

_PIECE = 24  # characters of a reply in one chunk
_TOKEN_BYTES = 4  # what a tokenizer makes of such text


class Mode(StrEnum):
    """How the server behaves when it is asked for a chat; everything else is answered as a healthy server would."""

    HONEST = "honest"  # two sentences copied from the facts of the prompt
    REPLY = "reply"  # the text of `reply`
    NOT_PULLED = "not_pulled"  # 404
    BUSY = "busy"  # 503
    BROKEN = "broken"  # 500
    NO_THINK = "no_think"  # 400 as long as `think` is sent
    HTML = "html"  # 200 with a web page
    NO_OLLAMA = "no_ollama"  # 200 with JSON lines of something else
    ARRAY = "array"  # 200 with a JSON line that is not an object
    PROSE = "prose"  # the model ignores the schema
    EMPTY = "empty"  # a complete reply without text
    THINKING = "thinking"  # all of it went into `thinking`
    CUT = "cut"  # ends by length
    NO_DONE = "no_done"  # the stream ends without its end
    RESET = "reset"  # the connection breaks in mid-stream
    MID_ERROR = "mid_error"  # an error line under status 200
    SILENT = "silent"  # never a first token
    STALL = "stall"  # a first token, then silence
    DRIP = "drip"  # tokens for ever, one every `pace` seconds
    FLOOD = "flood"  # tokens for ever, as fast as they can be read
    CUT_PROMPT = "cut_prompt"  # says that it read a part of the prompt
    REDIRECT = "redirect"  # sends the client elsewhere


@dataclass(slots=True)
class ScriptedOllama:
    """`async with ScriptedOllama() as server:` listens on a free port of 127.0.0.1; `mode` may be changed at any time.

    `asked` holds (path, body) of every request. `remote_host` makes the model a cloud model; `pace` is in seconds; `elsewhere` is where
    REDIRECT leads, `fault` what BROKEN says.
    """

    mode: Mode = Mode.HONEST
    reply: str = ""
    models: tuple[str, ...] = ("llama3:latest",)
    version: str = "0.12.6"
    remote_host: str = ""
    pace: float = 0.01
    elsewhere: str = "http://127.0.0.1:9/"
    fault: str = "llama runner process has terminated: exit status 2"
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    chatting: asyncio.Event = field(default_factory=asyncio.Event)  # set once a chat was asked for
    _server: asyncio.Server | None = None
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None, "not started"  # noqa: S101 - misuse of a test kit
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def chats(self) -> list[dict[str, Any]]:
        """The bodies of the chat requests."""
        return [body for path, body in self.asked if path == "/api/chat"]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None  # noqa: S101 - entered before
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this in a task
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                path, body, _ = await request_of(reader)
                await self._answer(path, body, writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        finally:
            self._tasks.discard(task)

    async def _answer(self, path: str, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self.asked.append((path, body))
        known = body.get("model", "") in self.models or f"{body.get('model')}:latest" in self.models
        match path:
            case "/api/version":
                await send_json(writer, 200, {"version": self.version})
            case "/api/tags":
                await send_json(writer, 200, {"models": [{"model": name, "name": name} for name in self.models]})
            case "/api/pull" if self.mode is not Mode.NOT_PULLED:
                self.models = (*self.models, str(body.get("model")))
                steps: list[dict[str, Any]] = [
                    {"status": "pulling manifest"},
                    {"status": "downloading", "completed": 40, "total": 80},
                    {"status": "success"},
                ]
                await send_json_lines(writer, steps)
            case "/api/show" | "/api/chat" | "/api/generate" if not known or self.mode is Mode.NOT_PULLED:
                await send_json(writer, 404, {"error": f"model '{body.get('model')}' not found"})
            case "/api/show":
                remote = {"remote_host": self.remote_host, "remote_model": body.get("model")} if self.remote_host else {}
                await send_json(writer, 200, {"details": {"family": "llama"}, "model_info": {}, "capabilities": ["completion"], **remote})
            case "/api/generate":
                await send_json(writer, 200, {"model": body.get("model"), "response": "", "done": True, "done_reason": "load"})
            case "/api/chat":
                await self._chat(body, writer)
            case _:
                await send_json(writer, 404, {"error": "404 page not found"})

    async def _chat(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self.chatting.set()
        refusal = self._refusal(body)
        if refusal is not None:
            await send_json(writer, *refusal)
            return
        if self.mode is Mode.SILENT:
            await asyncio.Event().wait()
        kind = "text/html" if self.mode is Mode.HTML else "application/x-ndjson"
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode())
        async for line in self._lines(body):
            data = (line if isinstance(line, str) else json.dumps(line)).encode() + b"\n"
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
        if self.mode is Mode.RESET:
            hang_up(writer.transport)
            return
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    def _refusal(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        """(status, body) of the modes that answer with an error."""
        match self.mode:
            case Mode.BUSY:
                return 503, {"error": "server busy, please try again. maximum pending requests exceeded"}
            case Mode.BROKEN:
                return 500, {"error": self.fault}
            case Mode.NO_THINK if body.get("think") is not None:
                return 400, {"error": f'"{body.get("model")}" does not support thinking'}
            case Mode.REDIRECT:
                return 307, {"location": self.elsewhere}
        return None

    async def _lines(self, body: dict[str, Any]) -> AsyncIterator[dict[str, Any] | str]:
        """What the stream holds, line by line."""
        model = body.get("model", "")
        odd: dict[Mode, dict[str, Any] | str] = {
            Mode.HTML: "<html><body>Welcome to your router</body></html>",
            Mode.NO_OLLAMA: {"choices": [{"delta": {"content": "hello"}}]},
            Mode.ARRAY: "[1, 2, 3]",
        }
        if self.mode in odd:
            yield odd[self.mode]
            return
        while self.mode in (Mode.DRIP, Mode.FLOOD):
            yield _chunk(model, "x" * _PIECE)
            await asyncio.sleep(self.pace if self.mode is Mode.DRIP else 0)  # slow: it is asked to be
        text = self._text(body)
        for start in range(0, len(text), _PIECE):
            yield _chunk(model, text[start : start + _PIECE], thinking=self.mode is Mode.THINKING)
            if self.mode is Mode.STALL:
                await asyncio.Event().wait()
            if self.mode is Mode.RESET:
                return
            if self.mode is Mode.MID_ERROR:
                yield {"error": "an error was encountered while running the model: CUDA error"}
                return
        if self.mode is not Mode.NO_DONE:
            yield self._end(body, text)

    def _text(self, body: dict[str, Any]) -> str:
        texts: dict[Mode, Callable[[], str]] = {
            Mode.HONEST: lambda: honest(body),
            Mode.PROSE: lambda: "Certainly! Here is your alert: the service seems to be experiencing difficulties.",
            Mode.EMPTY: lambda: "",
        }
        return texts.get(self.mode, lambda: self.reply or honest(body))()

    def _end(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        sent = sum(len(message["content"].encode()) for message in body.get("messages", []))
        return {
            **_chunk(body.get("model", ""), ""),
            "done": True,
            "done_reason": "length" if self.mode is Mode.CUT else "stop",
            "load_duration": 1_500_000_000,
            "prompt_eval_count": 60 if self.mode is Mode.CUT_PROMPT else sent // _TOKEN_BYTES,
            "prompt_eval_duration": 250_000_000,
            "eval_count": len(text) // _TOKEN_BYTES + 1,
            "eval_duration": 900_000_000,
        }


def honest(body: dict[str, Any]) -> str:
    """A reply that copies the first two facts of a chat's prompt and picks the first cause it offers."""
    asked = body["messages"][-1]["content"]
    facts = dict(re.findall(r"^(F\d+) (.+)$", asked, re.MULTILINE))
    causes = body.get("format", {}).get("properties", {}).get("cause", {}).get("enum", ["unknown"])
    sentences = [{"text": text, "facts": [name]} for name, text in list(facts.items())[:2]]
    return json.dumps({"cause": causes[0], "sentences": sentences}, ensure_ascii=False)


def _chunk(model: str, text: str, *, thinking: bool = False) -> dict[str, Any]:
    message = {"role": "assistant", "content": "" if thinking else text} | ({"thinking": text} if thinking else {})
    return {"model": model, "created_at": "2026-11-24T13:02:05Z", "message": message, "done": False}


async def request_of(reader: asyncio.StreamReader) -> tuple[str, dict[str, Any], dict[str, str]]:
    """The path, JSON body and headers (names in lower case) of one request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    path = head.split(" ", 2)[1]
    pairs = (line.partition(":") for line in head.split("\r\n")[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return path, json.loads(body) if body else {}, headers


async def send_json_lines(writer: asyncio.StreamWriter, lines: list[dict[str, Any]]) -> None:
    """A whole answer of JSON lines."""
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    writer.write(
        f"HTTP/1.1 200 X\r\nContent-Type: application/x-ndjson\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data
    )
    await writer.drain()


async def send_json(writer: asyncio.StreamWriter, status: int, body: dict[str, Any]) -> None:
    """One whole answer; `location` in the body becomes the header of a redirect."""
    data = json.dumps(body).encode()
    location = f"Location: {body['location']}\r\n" if status == 307 else ""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{location}Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + data)
    await writer.drain()
