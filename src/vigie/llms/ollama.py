"""Ollama through its official client, under our own deadlines; each of its ways to fail becomes a ModelFault with its fix.

The client has no default time-out, lets transport, JSON and validation errors of its parts escape, accepts `done: false` in silence, and
reads proxies from the environment even for localhost; all of that is dealt with here.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from vigie.core.duration import Duration
from vigie.errors import ModelError, ModelFault
from vigie.llms import ModelDeps
from vigie.ports import Prompt, Reply

_OPTIONS_KEPT = {"temperature": 0, "seed": 7}
_CONNECT_SECONDS = 2.0
_EXAMINE_SECONDS = 5.0
_PRELOAD_SECONDS = 300.0
_LEAVES = "so incident data would leave the machine; set allow_remote: true if that is meant"
_CLOUD = ("-cloud", ":cloud")
# A prompt cut by the server shows in its own count: ours is pessimistic, so half of it is surely a cut.
_CUT_SHARE = 0.25

ENVIRONMENT = {"model": "OLLAMA_MODEL", "url": "OLLAMA_HOST"}


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The local model."""

    model: Annotated[str, msgspec.Meta(description="Model, as `ollama list` names it.", examples=["llama3", "qwen3:4b"])] = "llama3"
    url: Annotated[str, msgspec.Meta(description="Where Ollama listens; any form of OLLAMA_HOST.")] = "http://localhost:11434"
    allow_remote: Annotated[bool, msgspec.Meta(description="Allow a server outside private networks, or a cloud model.")] = False
    num_ctx: Annotated[int, msgspec.Meta(description="Context window in tokens; changing it reloads the model.", ge=2048)] = 4096
    num_predict: Annotated[int, msgspec.Meta(description="Longest reply in tokens.", ge=64)] = 400
    keep_alive: Annotated[str, msgspec.Meta(description="How long the model stays loaded.")] = "10m"
    first_token: Annotated[Duration, msgspec.Meta(description="Longest wait for the first token, loading included.")] = msgspec.field(
        default_factory=lambda: Duration(45_000)
    )
    stall: Annotated[Duration, msgspec.Meta(description="Longest silence between two tokens.")] = msgspec.field(
        default_factory=lambda: Duration(20_000)
    )

    def __post_init__(self) -> None:
        """Raise ValueError for what would make data leave the machine unasked."""
        host = urlsplit(base_url(self.url)).hostname or ""
        if not self.allow_remote and not _is_near(host):
            raise ValueError(
                f"{host} is no private address: incident data would leave the machine; set allow_remote: true if that is meant"
            )
        if not self.allow_remote and self.model.endswith(_CLOUD):
            raise ValueError(
                f"{self.model} runs in a cloud: incident data would leave the machine; set allow_remote: true if that is meant"
            )


def base_url(host: str) -> str:
    """A URL out of any form of OLLAMA_HOST (ports as Ollama's own tools default them); a bind address means this machine."""
    text = host.strip() or "localhost"
    if "://" not in text:
        text = f"http://{text}"
    parts = urlsplit(text)
    name = parts.hostname or "localhost"
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)  # noqa: S104 - recognised, not bound
    port = parts.port or (11434 if "://" not in host else {"https": 443}.get(parts.scheme, 80))
    bracketed = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{bracketed}:{port}{parts.path.rstrip('/')}"


def _is_near(host: str) -> bool:
    """Whether it is this machine, a private network, or a name without dots (a container, a host of the local network)."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan", ".localhost", ".home.arpa"))


def build(config: Config, deps: ModelDeps) -> "Ollama":
    """The model of a configuration; nothing is imported or contacted yet."""
    return Ollama(config, deps)


class Ollama:
    """Implements LanguageModel."""

    def __init__(self, config: Config, deps: ModelDeps) -> None:
        self._config, self._deps = config, deps
        self._thinks: bool | None = False  # None: this model does not know the word

    @property
    def name(self) -> str:
        """The model's name as the user wrote it."""
        return self._config.model

    async def _client(self) -> Any:
        # Importing it takes a quarter of a second, which the loop must not wait for.
        ollama = await asyncio.to_thread(__import__, "ollama")
        import httpx

        limits = httpx.Timeout(None, connect=_CONNECT_SECONDS)
        return ollama.AsyncClient(host=base_url(self._config.url), timeout=limits, trust_env=False)

    async def preload(self) -> None:
        """An empty request loads the model with the very options of the real one."""
        async with _faults(self, _PRELOAD_SECONDS), _closing(await self._client()) as client:
            await client.generate(model=self.name, prompt="", options=self._options(), keep_alive=self._config.keep_alive)

    async def write(self, prompt: Prompt, deadline_ms: int) -> Reply:
        """Ask once; the stream is watched for a late first token, a stall and the total."""
        async with _faults(self, deadline_ms / 1000), _closing(await self._client()) as client:
            try:
                return await self._read(await self._ask(client, prompt), prompt)
            except ModelError as error:
                if error.fault is not ModelFault.OTHER or self._thinks is None:
                    raise
                self._thinks = None
                return await self._read(await self._ask(client, prompt), prompt)

    async def _ask(self, client: Any, prompt: Prompt) -> AsyncIterator[Any]:
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        found: AsyncIterator[Any] = await client.chat(
            model=self.name,
            messages=messages,
            stream=True,
            format=prompt.schema,
            options=self._options(),
            keep_alive=self._config.keep_alive,
            think=self._thinks,
        )
        return found

    def _options(self) -> dict[str, Any]:
        """Always the same: other options would reload the model."""
        return {**_OPTIONS_KEPT, "num_ctx": self._config.num_ctx, "num_predict": self._config.num_predict}

    async def _read(self, stream: AsyncIterator[Any], prompt: Prompt) -> Reply:
        parts: list[str] = []
        wait_ms, fault = int(self._config.first_token), ModelFault.TIMEOUT_FIRST_TOKEN
        last: Any = None
        while True:
            try:
                async with asyncio.timeout(wait_ms / 1000):
                    last = await anext(stream)
            except StopAsyncIteration:
                break
            except TimeoutError:
                words = "no first token" if fault is ModelFault.TIMEOUT_FIRST_TOKEN else "the model fell silent"
                raise ModelError(fault, f"{words} within {wait_ms / 1000:g} s", "use a smaller model, or raise llm.deadline") from None
            parts.append(last.message.content or "")
            wait_ms, fault = int(self._config.stall), ModelFault.TIMEOUT_STALL
            if last.done:
                break
        return self._complete("".join(parts), last, prompt)

    def _complete(self, text: str, last: Any, prompt: Prompt) -> Reply:
        """The reply, if it is whole: an end that was said, not cut by length, not empty, to the whole prompt."""
        if last is None or not last.done:
            raise ModelError(ModelFault.CUT, "the reply broke off", "see Ollama's own log")
        if last.done_reason == "length":
            raise ModelError(ModelFault.CUT, "the reply was cut at num_predict", "raise llm.num_predict")
        if not text.strip():
            raise ModelError(ModelFault.EMPTY, "the reply is empty", "use a model that does not think aloud, or another one")
        sent = (len(prompt.system) + len(prompt.user)) / 3
        if last.prompt_eval_count is not None and last.prompt_eval_count < sent * _CUT_SHARE and last.prompt_eval_count > 1:
            raise ModelError(ModelFault.TRUNCATED_PROMPT, "the server read only a part of the prompt", "raise llm.num_ctx")
        return Reply(
            text=text,
            model=self.name,
            load_ms=_ms(last.load_duration),
            prefill_ms=_ms(last.prompt_eval_duration),
            decode_ms=_ms(last.eval_duration),
            prompt_tokens=last.prompt_eval_count,
            reply_tokens=last.eval_count,
        )

    async def examine(self) -> str:
        """Whether the server answers and has the model, and that it is local."""
        async with _faults(self, _EXAMINE_SECONDS), _closing(await self._client()) as client:
            listed = {model.model for model in (await client.list()).models}
            wanted = self.name if ":" in self.name else f"{self.name}:latest"
            if wanted not in listed:
                raise self.not_pulled()
            shown = await client.show(self.name)
            if getattr(shown, "remote_host", None) and not self._config.allow_remote:
                raise ModelError(ModelFault.REMOTE, f"{self.name} runs elsewhere: data would leave the machine", "pull a local model")
        return f"Ollama at {base_url(self._config.url)} has {self.name}"

    def not_pulled(self) -> ModelError:
        """The model is not there."""
        return ModelError(ModelFault.NOT_PULLED, f"model {self.name} is not pulled", f"ollama pull {self.name}")

    def unreachable(self, error: Exception) -> ModelError:
        """Nobody listens."""
        where = base_url(self._config.url)
        fix = f"start it with `ollama serve`, then `ollama pull {self.name}`; or set llm.url (OLLAMA_HOST), or llm: {{provider: none}}"
        return ModelError(ModelFault.UNREACHABLE, f"Ollama does not answer at {where} ({type(error).__name__})", fix)


def _ms(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e6


class _closing:  # noqa: N801 - reads as the verb it is, like contextlib's own
    """Closes the client's connections; the client itself offers no way to."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def __aenter__(self) -> Any:
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client._client.aclose()  # noqa: SLF001 - see the class


class _faults:  # noqa: N801 - reads as a noun in `async with`, like asyncio.timeout
    """Turns whatever escapes the client into a ModelError, within a total deadline in seconds."""

    def __init__(self, model: Ollama, seconds: float) -> None:
        self._model, self._seconds = model, seconds
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            words = f"no complete answer within {self._seconds:g} s"
            raise ModelError(ModelFault.TIMEOUT_TOTAL, words, "use a smaller model, or raise llm.deadline") from error
        if isinstance(error, Exception) and not isinstance(error, ModelError):
            raise self._named(error) from error

    def _named(self, error: Exception) -> ModelError:
        import httpx

        status = getattr(error, "status_code", None)
        if isinstance(error, ConnectionError | httpx.ConnectError | httpx.ConnectTimeout):
            return self._model.unreachable(error)
        if status == 404:
            return self._model.not_pulled()
        if status == 503:
            return ModelError(ModelFault.BUSY, "Ollama's queue is full", "raise OLLAMA_MAX_QUEUE, or give the model less to do")
        if status == 400 and "think" in str(error).lower():
            return ModelError(ModelFault.OTHER, "this model does not take `think`")
        if isinstance(error, ValueError):
            return ModelError(ModelFault.NOT_JSON, "the server's answer is not what Ollama sends", "see what listens at llm.url")
        if isinstance(error, httpx.HTTPError):
            return ModelError(ModelFault.CUT, f"the connection to Ollama broke ({type(error).__name__})", "see Ollama's own log")
        return ModelError(ModelFault.SERVER, f"Ollama reports an error ({status or type(error).__name__})", "see Ollama's own log")
