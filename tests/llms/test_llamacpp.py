"""The real llama.cpp server with a tiny model made here: a real tokenizer, a real grammar, a real context window."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import xllamacpp

from vigie.clock import SystemClock
from vigie.errors import ModelError, ModelFault
from vigie.llms import ModelDeps
from vigie.llms.openai import Config, OpenAi, build
from vigie.ports import Prompt, Reply

from . import tiny_model

REPLY = json.dumps(
    {"cause": "behind_proxy", "sentences": [{"text": "The check of api.shop.example received HTTP 502, déjà vu.", "facts": ["F1", "F2"]}]},
    ensure_ascii=False,
)
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "cause": {"type": "string", "enum": ["behind_proxy", "unknown"]},
        "sentences": {
            "type": "array",
            "minItems": 1,
            "maxItems": 3,
            "items": {
                "type": "object",
                "properties": {"text": {"type": "string"}, "facts": {"type": "array", "items": {"type": "string", "enum": ["F1", "F2"]}}},
                "required": ["text", "facts"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["cause", "sentences"],
    "additionalProperties": False,
}

Start = Callable[..., OpenAi]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """A server with a model file, and our provider that talks to it."""
    servers: list[Any] = []

    def make(file: Path, *, window: int = 4_096, **config: Any) -> OpenAi:
        params = xllamacpp.CommonParams()
        params.model.path, params.hostnames, params.port = str(file), ["127.0.0.1"], 0
        params.n_ctx, params.n_parallel, params.warmup, params.use_jinja, params.ui, params.verbosity = window, 1, False, True, False, -1
        params.cpuparams.n_threads = 1
        servers.append(xllamacpp.Server(params))
        url = f"{servers[-1].listening_address}/v1"
        return build(Config(**{"model": str(file), "url": url, **config}), ModelDeps(SystemClock()))

    yield make
    servers.clear()


def prompt(system: str = "You write the alert.", user: str = "F1 HTTP 502\nF2 3 checks in a row\nAnswer:") -> Prompt:
    return Prompt(system, user, SCHEMA)


async def test_a_real_engine_under_a_real_grammar_gives_the_whole_reply(start: Start, tmp_path: Path) -> None:
    model = start(tiny_model.scripted(tmp_path / "scripted.gguf", REPLY))

    await model.preload()
    reply = await model.write(prompt(), 20_000)

    assert reply.text == REPLY
    assert reply.prompt_tokens is not None
    assert reply.prompt_tokens > 50
    assert reply.decode_ms is not None


async def test_a_model_that_would_break_the_schema_cannot(start: Start, tmp_path: Path) -> None:
    """The grammar holds even a model whose weights say something else; what it then says is cut or odd, but it is JSON or a fault."""
    model = start(tiny_model.scripted(tmp_path / "prose.gguf", "Certainly! Here is your alert."), num_predict=64)
    (outcome,) = await asyncio.gather(model.write(prompt(), 20_000), return_exceptions=True)
    if isinstance(outcome, Reply):
        assert json.loads(outcome.text)["cause"] in ("behind_proxy", "unknown")
    else:
        assert isinstance(outcome, ModelError)
        assert outcome.fault is ModelFault.CUT


async def test_a_model_that_babbles_is_cut_or_empty_and_never_an_exception(start: Start, tmp_path: Path) -> None:
    model = start(tiny_model.random(tmp_path / "random.gguf"), num_predict=80)
    with pytest.raises(ModelError) as caught:
        await model.write(prompt(), 20_000)
    assert caught.value.fault in (ModelFault.CUT, ModelFault.EMPTY)


async def test_a_prompt_longer_than_the_real_window_is_named(start: Start, tmp_path: Path) -> None:
    model = start(tiny_model.scripted(tmp_path / "scripted.gguf", REPLY), window=512, num_ctx=8_192)
    with pytest.raises(ModelError) as caught:
        await model.write(prompt(user="F1 word " * 400), 20_000)
    assert caught.value.fault is ModelFault.TRUNCATED_PROMPT
    assert "context window" in caught.value.fix


async def test_examine_finds_the_model_by_the_name_the_server_gives_it(start: Start, tmp_path: Path) -> None:
    model = start(tiny_model.scripted(tmp_path / "scripted.gguf", REPLY))
    assert "on this machine or network" in await model.examine()
