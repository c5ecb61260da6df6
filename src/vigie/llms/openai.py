"""Any server that speaks OpenAI's chat completions (llama.cpp's, vLLM, LM Studio; a hosted one only with `allow_remote`).

What such servers disagree on is found out once and remembered: whether they hold a reply to a JSON schema (`response_format`), and
whether they can be told not to think aloud. Whatever they promise, the reply is checked as if they had promised nothing.
Source: OpenAI's API reference (chat completions, streaming), llama.cpp's server README, vLLM's OpenAI-compatible server page.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from vigie.errors import ModelError, ModelFault
from vigie.llms import ANSWER, LEAVES, PLAIN, SLOW, STREAM, Bounds, Faults, ModelDeps, bounded, figure, in_time, is_near, tokens_of, way
from vigie.net import ADDRESS, SHOWN, Secret, redact, redact_url
from vigie.planning.duration import Duration
from vigie.ports import Offered, Prompt, Pulled, Reply
from vigie.report.prompt import tokens

_CONNECT_SECONDS, _EXAMINE_SECONDS, _PRELOAD_SECONDS = 2.0, 15.0, 300.0
_LONGEST_REPLY, _LONGEST_LINE = 20_000, 262_144
_REFUSED = (400, 422, 501)
_SHOWN_MODELS = 5

ENVIRONMENT: dict[str, str] = {}


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model behind an OpenAI-compatible server."""

    model: Annotated[
        str, msgspec.Meta(description="Model name, as listed by the server's `/models`.", examples=["qwen3-4b-instruct"], extra=SHOWN)
    ]
    url: Annotated[
        str, msgspec.Meta(description="Base URL of the API, including the version.", examples=["http://localhost:1234/v1"], extra=ADDRESS)
    ]
    token: Annotated[Secret | None, msgspec.Meta(description="Bearer token; write `${NAME}` and keep it in `.env`.")] = None
    allow_remote: Annotated[
        bool, msgspec.Meta(description="Allow a server outside private networks: incident data then leaves the machine.")
    ] = False
    num_ctx: Annotated[
        int, msgspec.Meta(description="The context window that the server was started with, in tokens.", ge=2048, le=10_000_000)
    ] = 4096
    num_predict: Annotated[int, msgspec.Meta(description="Maximum length of the reply in tokens.", ge=64, le=1_000_000)] = 400
    first_token: Annotated[Duration, msgspec.Meta(description="Maximum wait for the first token, including loading.")] = msgspec.field(
        default_factory=lambda: Duration(45_000)
    )
    stall: Annotated[Duration, msgspec.Meta(description="Maximum gap between two tokens.")] = msgspec.field(
        default_factory=lambda: Duration(20_000)
    )

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be reached, or would make data leave the machine unasked."""
        parts = urlsplit(self.url)
        if not self.model.strip():
            raise ValueError("`model` is empty; write a name that the server's /models shows")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{self.url!r} is not an http(s) address; write http://localhost:1234/v1")
        if not self.allow_remote and not is_near(parts.hostname):
            raise ValueError(f"{parts.hostname} is not a private address, {LEAVES}")


def build(config: Config, deps: ModelDeps) -> "OpenAi":
    """The model of a configuration; nothing is imported or contacted yet."""
    return OpenAi(config, deps)


class OpenAi:
    """Implements LanguageModel."""

    def __init__(self, config: Config, deps: ModelDeps) -> None:
        self._config, self._deps = config, deps
        self._url = config.url.rstrip("/")
        self._place = redact_url(self._url)  # as people may read it
        self._asks = 0  # which of the ways of asking this server takes

    @property
    def name(self) -> str:
        """The model's name as the user wrote it."""
        return self._config.model

    def _client(self, bounds: Bounds = ANSWER) -> Any:
        import httpx

        headers = PLAIN | ({"Authorization": f"Bearer {self._config.token.reveal()}"} if self._config.token else {})
        limits = httpx.Timeout(None, connect=_CONNECT_SECONDS, read=int(self._config.first_token) / 1000)
        reached, hooks = way(self._url, self._deps), bounded(self._place, bounds)
        return httpx.AsyncClient(
            headers=headers, timeout=limits, transport=reached, trust_env=False, follow_redirects=False, event_hooks=hooks
        )

    async def preload(self) -> None:
        """One token makes a server that loads on demand load the model."""
        async with Faults(self, _PRELOAD_SECONDS), await asyncio.to_thread(self._client) as client:
            body = {"model": self.name, "messages": [{"role": "user", "content": "."}], "max_tokens": 1, "temperature": 0}
            answer = await client.post(f"{self._url}/chat/completions", json=body)
            answer.raise_for_status()

    async def write(self, prompt: Prompt, deadline_ms: int) -> Reply:
        """Ask once; the stream is watched for a late first token, a stall and the total."""
        self._must_fit(prompt)
        async with Faults(self, deadline_ms / 1000), await asyncio.to_thread(self._client, STREAM) as client:
            while True:
                async with client.stream("POST", f"{self._url}/chat/completions", json=self._body(prompt)) as answer:
                    if answer.status_code == 200:
                        return await self._read(answer, prompt)
                    await self._refused(answer)

    async def _refused(self, answer: Any) -> None:
        """Raise ModelError, unless the server may take the question in a plainer form."""
        await answer.aread()
        said = _said(answer)
        if answer.status_code == 400 and "context" in said:
            raise ModelError(
                ModelFault.TRUNCATED_PROMPT, f"the prompt does not fit: {said}", "start the server with a larger context window"
            )
        if answer.status_code in _REFUSED and self._asks < len(_WAYS) - 1:
            self._asks += 1  # perhaps it does not know the schema: the reply is checked all the same
            return
        raise self._of_status(answer.status_code, said)

    def _must_fit(self, prompt: Prompt) -> None:
        needed = tokens(prompt.system) + tokens(prompt.user) + self._config.num_predict
        if needed > self._config.num_ctx:
            words = f"prompt and reply may need {needed} tokens, the window has {self._config.num_ctx}"
            raise ModelError(ModelFault.TRUNCATED_PROMPT, words, f"give the server and llm.num_ctx {-(-needed // 1024) * 1024}")

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        return {
            "model": self.name,
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0,
            "seed": 7,
            "max_tokens": self._config.num_predict,
            **_WAYS[self._asks](prompt),
        }

    async def _read(self, answer: Any, prompt: Prompt) -> Reply:
        parts: list[str] = []
        last: dict[str, Any] = {}
        waits = (int(self._config.first_token), int(self._config.stall))
        async with aclosing(in_time(_events(answer), *waits)) as events:
            async for event in events:
                if "error" in event:
                    raise ModelError(
                        ModelFault.SERVER, f"the server reports an error: {_words(event['error'])}", "check the server's own log"
                    )
                last |= {key: event[key] for key in ("usage", "timings", "model") if event.get(key)}
                for choice in event["choices"]:
                    parts.append((choice.get("delta") or {}).get("content") or "")
                    last["finish"] = choice.get("finish_reason") or last.get("finish")
                if sum(map(len, parts)) > _LONGEST_REPLY:
                    raise ModelError(ModelFault.CUT, "the reply does not end", "use another model")
        return self._complete("".join(parts), last, prompt)

    def _complete(self, text: str, last: dict[str, Any], prompt: Prompt) -> Reply:
        """The reply, if it is whole: an end that was said, not cut by length, not empty, to the whole prompt."""
        if last.get("finish") is None:
            raise ModelError(ModelFault.CUT, "the reply was interrupted", "check the server's own log")
        if last["finish"] == "length":
            raise ModelError(ModelFault.CUT, "the reply was cut at num_predict", "raise llm.num_predict, and the server's context window")
        if not text.strip():
            raise ModelError(ModelFault.EMPTY, "the reply is empty", "use a model without visible reasoning, or another model")
        usage, timings = last.get("usage") or {}, last.get("timings") or {}
        count = usage.get("prompt_tokens")
        if isinstance(count, int) and 0 < count < len(prompt.user.encode()) / 8:
            raise ModelError(
                ModelFault.TRUNCATED_PROMPT, f"the server read only {count} tokens of the prompt", "increase its context window"
            )
        return Reply(
            text=text,
            model=self.name,
            prefill_ms=figure(timings.get("prompt_ms")),
            decode_ms=figure(timings.get("predicted_ms")),
            prompt_tokens=tokens_of(count),
            reply_tokens=tokens_of(usage.get("completion_tokens")),
            local=self._near,
            prefill_tokens=tokens_of(timings.get("prompt_n")),
        )

    async def examine(self) -> str:
        """Whether the server answers, and that it has the model."""
        names = [one.name for one in await self.offered()]
        if self.name not in names:
            shown = ", ".join(redact(name)[:40] for name in names[:_SHOWN_MODELS]) or "none"
            raise ModelError(ModelFault.NOT_PULLED, f"{self._place} does not have {self.name}", f"set llm.model to one it has: {shown}")
        where = "on this machine or network" if self._near else "elsewhere"
        return f"the server at {self._place}, {where}, has {self.name}"

    async def offered(self) -> list[Offered]:
        """What `/models` lists."""
        async with Faults(self, _EXAMINE_SECONDS), await asyncio.to_thread(self._client) as client:
            answer = await client.get(f"{self._url}/models")
            answer.raise_for_status()
            return [Offered(str(one["id"]), local=self._near) for one in answer.json()["data"]]

    async def pull(self) -> AsyncIterator[Pulled]:
        """Such servers are given their models by hand."""
        for step in tuple[Pulled, ...]():
            yield step
        raise ModelError(
            ModelFault.OTHER, f"{self._url} does not support downloading a model", "install the model as described in its own documentation"
        )

    @property
    def _near(self) -> bool:
        return is_near(urlsplit(self._url).hostname or "")

    def named(self, error: Exception) -> ModelError:
        """The fault that an error of the client means."""
        import httpx

        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            words = f"nothing answers at {self._place} ({type(error).__name__})"
            return ModelError(ModelFault.UNREACHABLE, words, "start the server, or set llm.url, or llm: {provider: none}")
        if isinstance(error, httpx.HTTPStatusError):
            status = error.response.status_code
            return self._of_status(status, _said(error.response))
        if isinstance(error, httpx.TimeoutException):
            words = f"no first token within {int(self._config.first_token) / 1000:g} s"
            return ModelError(ModelFault.TIMEOUT_FIRST_TOKEN, words, SLOW)
        if isinstance(error, httpx.HTTPError):
            return ModelError(ModelFault.CUT, f"the connection to the server broke ({type(error).__name__})", "check the server's own log")
        if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
            return ModelError(ModelFault.NOT_JSON, f"what {self._url} sends is not JSON", "check what is listening at llm.url")
        return ModelError(
            ModelFault.SCHEMA, f"what {self._url} sends is not what such a server should send", "check what is listening at llm.url"
        )

    def _of_status(self, status: int, said: str) -> ModelError:
        if status in (401, 403):
            return ModelError(ModelFault.AUTH, f"the server refuses the token (status {status})", "set llm.token")
        if status == 404:
            return ModelError(
                ModelFault.NOT_PULLED, f"the server has no model {self.name}, or the path does not exist", "set llm.model and llm.url"
            )
        if status in (429, 503):
            return ModelError(ModelFault.BUSY, f"the server is busy (status {status})", "reduce the load on the model")
        return ModelError(ModelFault.SERVER, f"the server reports an error (status {status}): {said}", "check the server's own log")


def _schema(prompt: Prompt) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "report", "strict": True, "schema": prompt.schema}}}


def _quiet_schema(prompt: Prompt) -> dict[str, Any]:
    return {**_schema(prompt), "chat_template_kwargs": {"enable_thinking": False}}


def _object(_: Prompt) -> dict[str, Any]:
    return {"response_format": {"type": "json_object"}}


def _plain(_: Prompt) -> dict[str, Any]:
    return {}


_WAYS = (_quiet_schema, _schema, _object, _plain)


async def _events(answer: Any) -> AsyncIterator[dict[str, Any]]:
    """The JSON events of a server-sent stream, up to `[DONE]`."""
    size = 0
    async for line in answer.aiter_lines():
        size = size + len(line) if not line.startswith("data:") else 0
        if size > _LONGEST_LINE:
            raise ModelError(ModelFault.ENDLESS, "the server sends without end", "check what is listening at llm.url")
        field, _, data = line.partition(":")
        if field != "data":
            if line.strip() and field not in ("", "event", "id", "retry"):
                json.loads(line)  # no event stream at all: say what it is
                raise TypeError("not server-sent events")
            continue
        if data.strip() == "[DONE]":
            return
        event = json.loads(data)
        if not isinstance(event, dict) or ("error" not in event and not isinstance(event.get("choices"), list)):
            raise TypeError("not a chat completion")
        yield event


def _said(answer: Any) -> str:
    try:
        return _words(answer.json().get("error"))
    except (ValueError, AttributeError):
        return _words("")


def _words(error: Any) -> str:
    """A server's own words, short and without secrets."""
    said = error.get("message", "") if isinstance(error, dict) else error
    flat = " ".join(redact(str(said)).split())[:160]
    return "".join(character for character in flat if character.isprintable()) or "no message"
