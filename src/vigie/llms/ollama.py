"""Ollama through its official client, under our own deadlines; each of its ways to fail becomes a ModelFault with its fix.

The client has no default time-out, lets transport, JSON and validation errors of its parts escape, accepts `done: false` in silence,
follows redirects, and reads proxies from the environment even for localhost; all of that is dealt with here. Before the first prompt
leaves, the server is asked whether the model runs here or is only a name for one that runs elsewhere.
"""

import asyncio
import importlib.util
import re
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from vigie.errors import ModelError, ModelFault
from vigie.llms import ANSWER, LEAVES, PLAIN, PULLING, STREAM, Bounds, Faults, ModelDeps, bounded, figure, in_time, is_near, tokens_of, way
from vigie.net import ADDRESS, SHOWN, redact, redact_url
from vigie.planning.duration import Duration
from vigie.ports import Offered, Prompt, Pulled, Reply
from vigie.report.prompt import tokens

_OPTIONS_KEPT = {"temperature": 0, "seed": 7}
_CONNECT_SECONDS, _ANSWER_SECONDS = 2.0, 10.0
_EXAMINE_SECONDS, _PRELOAD_SECONDS = 15.0, 300.0
_PULL_SECONDS, _PULL_SILENCE_MS = 86_400.0, 60_000
_LONGEST_REPLY = 20_000  # characters; num_predict tokens make a few thousand
_HOST = re.compile(r"[A-Za-z0-9_.:-]+")
_PACKAGE = "ollama"
_CLOUD = ("-cloud", ":cloud")
# No tokenizer packs more bytes into a token; a count below that is a prompt that was cut. The static part may come from the
# server's cache, which older servers leave out of the count, so only the user's part is held against it.
_BYTES_A_TOKEN = 8

ENVIRONMENT = {"model": "OLLAMA_MODEL", "url": "OLLAMA_HOST"}


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The local model."""

    model: Annotated[
        str, msgspec.Meta(description="Model name, as listed by `ollama list`.", examples=["llama3", "qwen3:4b"], extra=SHOWN)
    ] = "llama3"
    url: Annotated[str, msgspec.Meta(description="Where Ollama listens; any form of OLLAMA_HOST.", extra=ADDRESS)] = (
        "http://localhost:11434"
    )
    allow_remote: Annotated[bool, msgspec.Meta(description="Allow a server outside private networks, or a cloud model.")] = False
    num_ctx: Annotated[
        int, msgspec.Meta(description="Context window in tokens; changing it reloads the model.", ge=2048, le=10_000_000)
    ] = 4096
    num_predict: Annotated[int, msgspec.Meta(description="Maximum length of the reply in tokens.", ge=64, le=1_000_000)] = 400
    keep_alive: Annotated[str, msgspec.Meta(description="How long the model stays loaded.")] = "10m"
    first_token: Annotated[Duration, msgspec.Meta(description="Maximum wait for the first token, including loading.")] = msgspec.field(
        default_factory=lambda: Duration(45_000)
    )
    stall: Annotated[Duration, msgspec.Meta(description="Maximum gap between two tokens.")] = msgspec.field(
        default_factory=lambda: Duration(20_000)
    )

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be reached, or would make data leave the machine unasked."""
        if not self.model.strip():
            raise ValueError("`model` is empty; write a name that `ollama list` shows")
        parts = _parts(self.url)
        if not self.allow_remote and not is_near(parts.hostname or ""):
            raise ValueError(f"{parts.hostname!r} is not a private address, {LEAVES}")
        if not self.allow_remote and self.model.endswith(_CLOUD):
            raise ValueError(f"{self.model!r} runs in a cloud, {LEAVES}")


def _parts(url: str) -> SplitResult:
    """An address taken apart; ValueError for one that cannot be asked. It is not repeated whole, for it may hold a password."""
    try:
        parts = urlsplit(base_url(url))
        if parts.scheme in ("http", "https") and _HOST.fullmatch(parts.hostname or "") and parts.username is None:
            return parts
    except ValueError:
        pass  # told below
    raise ValueError("`url` (OLLAMA_HOST) is not a server address; write http://localhost:11434 or localhost:11434")


def base_url(host: str) -> str:
    """A URL out of any form of OLLAMA_HOST (ports as Ollama's own tools default them); a bind address means this machine."""
    text = host.strip().strip("\"'").strip() or "localhost"
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    if rest.count(":") > 1 and "[" not in rest:  # a bare IPv6 address
        rest = f"[{rest}]"
    parts = urlsplit(f"{scheme}://{rest}")
    name = parts.hostname or "localhost"
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)  # noqa: S104 - recognised, not bound
    port = parts.port or ({"https": 443}.get(scheme, 80) if separator else 11434)
    bracketed = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{bracketed}:{port}{parts.path.rstrip('/')}"


def build(config: Config, deps: ModelDeps) -> "Ollama":
    """The model of a configuration; nothing is imported or contacted yet."""
    return Ollama(config, deps)


class Ollama:
    """Implements LanguageModel."""

    def __init__(self, config: Config, deps: ModelDeps) -> None:
        self._config, self._deps = config, deps
        self._url = base_url(config.url)
        self._place = redact_url(self._url)  # as people may read it
        self._thinks: bool | None = False  # None: this server does not want the word
        self._local: bool | None = None  # not yet known

    @property
    def name(self) -> str:
        """The model's name as the user wrote it."""
        return self._config.model

    def _client(self, bounds: Bounds = STREAM) -> Any:
        import httpx

        limits, reached = httpx.Timeout(None, connect=_CONNECT_SECONDS), way(self._url, self._deps)
        options = {"headers": PLAIN, "event_hooks": bounded(self._place, bounds)}
        return _official_client()(host=self._url, timeout=limits, transport=reached, trust_env=False, follow_redirects=False, **options)

    @property
    def _near(self) -> bool:
        return is_near(urlsplit(self._url).hostname or "")

    async def preload(self) -> None:
        """An empty request loads the model with the very options of the real one."""
        async with Faults(self, _PRELOAD_SECONDS), _closing(await self._ready()) as client:
            await client.generate(model=self.name, prompt="", options=self._options(), keep_alive=self._config.keep_alive)

    async def write(self, prompt: Prompt, deadline_ms: int) -> Reply:
        """Ask once; the stream is watched for a late first token, a stall and the total."""
        self._must_fit(prompt)
        async with Faults(self, deadline_ms / 1000), _closing(await self._ready()) as client:
            try:
                return await self._read(self._ask(client, prompt), prompt)
            except Exception as error:  # the client's own error type is known only once it is imported
                if self._thinks is None or getattr(error, "status_code", None) != 400 or "think" not in str(error).lower():
                    raise
                self._thinks = None
                return await self._read(self._ask(client, prompt), prompt)

    def _must_fit(self, prompt: Prompt) -> None:
        """The server would cut a prompt that is too long, in silence."""
        needed = tokens(prompt.system) + tokens(prompt.user) + self._config.num_predict
        if needed > self._config.num_ctx:
            words = f"prompt and reply may need {needed} tokens, the window has {self._config.num_ctx}"
            raise ModelError(ModelFault.TRUNCATED_PROMPT, words, f"set llm.num_ctx to {-(-needed // 1024) * 1024}, or shorten llm.prompt")

    async def _ready(self) -> Any:
        """A client for a model of which it is known where it runs."""
        # Importing it takes a quarter of a second, which the loop must not wait for.
        client = await asyncio.to_thread(self._client)
        if self._local is None:
            async with Faults(self, _ANSWER_SECONDS):
                await self._see_where()
        return client

    async def _see_where(self) -> None:
        """Raise ModelError when the model is missing, or a mere name for one that runs on somebody else's machine and may not."""
        shown = await self._get("/api/show", {"model": self.name})
        if shown.get("remote_host") and not self._config.allow_remote:
            raise ModelError(ModelFault.REMOTE, f"{self.name} runs elsewhere, {LEAVES}", "pull a local model: ollama pull llama3")
        self._local = self._near and not shown.get("remote_host")

    async def _get(self, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        """What the server itself says about something; the client hides or refuses parts of it."""
        import httpx

        limits = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        reached, hooks = await asyncio.to_thread(way, self._url, self._deps), bounded(self._place, ANSWER)
        async with httpx.AsyncClient(
            base_url=self._url, timeout=limits, transport=reached, trust_env=False, headers=PLAIN, event_hooks=hooks
        ) as http:
            answer = await (http.get(path) if body is None else http.post(path, json=body))
            answer.raise_for_status()
            found = answer.json()
        if not isinstance(found, dict):
            raise TypeError(f"{path} answers with {type(found).__name__}")
        return found

    def _ask(self, client: Any, prompt: Prompt) -> Any:
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        return client.chat(
            model=self.name,
            messages=messages,
            stream=True,
            format=prompt.schema,
            options=self._options(),
            keep_alive=self._config.keep_alive,
            think=self._thinks,
        )

    def _options(self) -> dict[str, Any]:
        """Always the same: other options would reload the model."""
        return {**_OPTIONS_KEPT, "num_ctx": self._config.num_ctx, "num_predict": self._config.num_predict}

    async def _read(self, asked: Any, prompt: Prompt) -> Reply:
        parts: list[str] = []
        last: Any = None
        size = 0
        stream: AsyncGenerator[Any] = await asked
        async with aclosing(stream), aclosing(in_time(stream, int(self._config.first_token), int(self._config.stall))) as chunks:
            async for last in chunks:
                parts.append(last.message.content or "")
                size += len(parts[-1])
                if size > _LONGEST_REPLY:
                    raise ModelError(ModelFault.CUT, "the reply does not end", "use another model")
                if last.done:
                    break
        return self._complete("".join(parts), last, prompt)

    def _complete(self, text: str, last: Any, prompt: Prompt) -> Reply:
        """The reply, if it is whole: an end that was said, not cut by length, not empty, to the whole prompt."""
        if last is None or not last.done:
            raise ModelError(ModelFault.CUT, "the reply was interrupted", "check Ollama's own log")
        if last.done_reason == "length":
            raise ModelError(ModelFault.CUT, "the reply was cut at num_predict", "raise llm.num_predict")
        if not text.strip():
            raise ModelError(ModelFault.EMPTY, "the reply is empty", "use a model without visible reasoning, or another model")
        count = last.prompt_eval_count
        if count is not None and (count >= self._config.num_ctx or 1 < count < len(prompt.user.encode()) / _BYTES_A_TOKEN):
            raise ModelError(ModelFault.TRUNCATED_PROMPT, f"the server read only {count} tokens of the prompt", "raise llm.num_ctx")
        return Reply(
            text=text,
            model=self.name,
            load_ms=_ms(last.load_duration),
            prefill_ms=_ms(last.prompt_eval_duration),
            decode_ms=_ms(last.eval_duration),
            prompt_tokens=tokens_of(count),
            reply_tokens=tokens_of(last.eval_count),
            local=self._local is not False,
            prefill_tokens=tokens_of(count),
        )

    async def examine(self) -> str:
        """Whether the server answers, which version it is, and that it has the model, on this machine."""
        async with Faults(self, _EXAMINE_SECONDS):
            version = (await self._get("/api/version"))["version"]
            await self._see_where()
        return f"Ollama {redact(str(version))[:20]} at {self._place} has {self.name}"

    async def offered(self) -> list[Offered]:
        """What `ollama list` shows."""
        async with Faults(self, _EXAMINE_SECONDS):
            listed = (await self._get("/api/tags"))["models"]
            return [
                Offered(str(one["name"]), local=not one.get("remote_host"), size=one.get("size"), digest=str(one.get("digest", "")))
                for one in listed
            ]

    async def pull(self) -> AsyncIterator[Pulled]:
        """`ollama pull`, step by step; it takes as long as it takes, but never stays silent for more than a minute."""
        async with Faults(self, _PULL_SECONDS), _closing(await asyncio.to_thread(self._client, PULLING)) as client:
            steps = await client.pull(model=self.name, stream=True)
            async with aclosing(in_time(steps, _PULL_SILENCE_MS, _PULL_SILENCE_MS)) as told:
                async for step in told:
                    yield Pulled(step.status or "", step.completed or 0, step.total or 0)

    def named(self, error: Exception) -> ModelError:
        """The fault that an error of the client or of its parts means."""
        import httpx

        status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(error, ConnectionError | httpx.ConnectError | httpx.ConnectTimeout):
            fix = f"start it with `ollama serve`, then `ollama pull {self.name}`; or set llm.url (OLLAMA_HOST), or llm: {{provider: none}}"
            return ModelError(ModelFault.UNREACHABLE, f"Ollama does not answer at {self._place} ({type(error).__name__})", fix)
        if isinstance(error, httpx.TimeoutException):
            words = f"{self._url} accepts the connection but does not answer"
            return ModelError(ModelFault.TIMEOUT_FIRST_TOKEN, words, "restart Ollama, or check its own log")
        if status == 404:
            return ModelError(ModelFault.NOT_PULLED, f"model {self.name} is not installed", f"ollama pull {self.name}")
        if status == 503:
            return ModelError(ModelFault.BUSY, "Ollama's queue is full", "raise OLLAMA_MAX_QUEUE, or reduce the load on the model")
        odd = "check what is listening at llm.url (OLLAMA_HOST)"
        if isinstance(error, ValueError) and "JSON" in type(error).__name__:
            return ModelError(ModelFault.NOT_JSON, f"what {self._url} sends is not JSON", odd)
        if isinstance(error, ValueError | TypeError | AttributeError | KeyError):
            return ModelError(ModelFault.SCHEMA, f"what {self._place} sends is not what Ollama sends", odd)
        if isinstance(error, httpx.HTTPError) and status is None:
            return ModelError(ModelFault.CUT, f"the connection to Ollama broke ({type(error).__name__})", "check Ollama's own log")
        return self._of_server(error, status)

    def _of_server(self, error: Exception, status: int | None) -> ModelError:
        """Ollama's own words, short and without secrets: lack of memory is the usual one."""
        said = " ".join(redact(str(getattr(error, "error", ""))).split())[:160]
        shown = "".join(character for character in said if character.isprintable()) or type(error).__name__
        where = f"status {status}" if status and status > 0 else "mid-reply"
        fix = "use a smaller model" if "memory" in shown else "check Ollama's own log"
        return ModelError(ModelFault.SERVER, f"Ollama reports an error ({where}): {shown}", fix)


_importing = threading.Lock()


def _official_client() -> Any:
    """The client's class. Importing its package would also make a client that nobody uses, by its own reading of the environment.

    That reading raises for an OLLAMA_HOST, a NO_PROXY or an SSL_CERT_FILE that it does not understand, whatever Vigie was told to use.
    So the class is imported without running the package's `__init__`, which whoever imports the package later still gets.
    """
    with _importing:
        spec = None if _PACKAGE in sys.modules else importlib.util.find_spec(_PACKAGE)
        if spec is not None:
            sys.modules[_PACKAGE] = importlib.util.module_from_spec(spec)
        try:
            from ollama._client import AsyncClient
        finally:
            if spec is not None:
                del sys.modules[_PACKAGE]
    return AsyncClient


def _ms(nanoseconds: int | None) -> float | None:
    ms = figure(nanoseconds)
    return None if ms is None else ms / 1e6


class _closing:  # noqa: N801 - reads as the verb it is, like contextlib's own
    """Closes the client's connections; not every version of the client offers a way to."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def __aenter__(self) -> Any:
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client._client.aclose()  # noqa: SLF001 - see the class
