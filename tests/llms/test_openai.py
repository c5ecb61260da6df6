"""An OpenAI-compatible server on a real socket, in every way it can misbehave: each is one fault, in time, with a fix."""

import json
from typing import Any

import msgspec
import pytest

from vigie.clock import SystemClock
from vigie.config.convert import dec_hook
from vigie.errors import ModelError, ModelFault
from vigie.llms import ModelDeps
from vigie.llms.openai import Config, OpenAi, build
from vigie.planning.duration import Duration
from vigie.ports import Prompt
from vigie.testing.ollama_server import Mode
from vigie.testing.openai_server import ScriptedOpenAi


def asking(server: ScriptedOpenAi, **changed: Any) -> OpenAi:
    return build(msgspec.convert({"model": "tiny", "url": server.url, **changed}, Config, dec_hook=dec_hook), ModelDeps(SystemClock()))


async def fault_of(model: OpenAi, prompt: Prompt, deadline_ms: int = 5_000) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await model.write(prompt, deadline_ms)
    return caught.value


async def test_a_whole_reply_comes_back_with_its_figures(prompt: Prompt) -> None:
    async with ScriptedOpenAi() as server:
        reply = await asking(server).write(prompt, 5_000)

    assert json.loads(reply.text)["cause"] == "behind_proxy"
    assert (reply.model, reply.prefill_ms, reply.decode_ms) == ("tiny", 250.0, 900.0)
    assert reply.prompt_tokens
    assert reply.reply_tokens


async def test_it_asks_with_one_constant_set_of_options_and_the_schema(prompt: Prompt) -> None:
    async with ScriptedOpenAi() as server:
        await asking(server).write(prompt, 5_000)

    ((_, body, authorization),) = server.asked
    assert (body["temperature"], body["seed"], body["max_tokens"], body["stream"]) == (0, 7, 400, True)
    assert body["response_format"]["json_schema"]["schema"] == prompt.schema
    assert authorization == ""


@pytest.mark.parametrize(
    ("knows", "tries"), [(("response_format", "chat_template_kwargs"), 1), (("response_format",), 2), (("response",), 4)]
)
async def test_a_server_that_knows_less_is_asked_for_less_and_that_is_remembered(
    prompt: Prompt, knows: tuple[str, ...], tries: int
) -> None:
    async with ScriptedOpenAi(knows=knows) as server:
        model = asking(server)
        await model.write(prompt, 5_000)
        assert len(server.asked) == tries
        await model.write(prompt, 5_000)
        assert len(server.asked) == tries + 1


async def test_a_token_is_sent_and_never_told(prompt: Prompt) -> None:
    async with ScriptedOpenAi(token="s3cret-token") as server:
        assert (await asking(server, token="s3cret-token").write(prompt, 5_000)).text
        error = await fault_of(asking(server, token="wrong-token-1"), prompt)

    assert error.fault is ModelFault.AUTH
    assert "llm.token" in error.fix
    assert "wrong-token-1" not in f"{error.message}{error.fix}"


@pytest.mark.parametrize(
    ("mode", "fault", "fix"),
    [
        (Mode.NOT_PULLED, ModelFault.NOT_PULLED, "llm.model"),
        (Mode.BUSY, ModelFault.BUSY, "reduce the load"),
        (Mode.BROKEN, ModelFault.SERVER, "log"),
        (Mode.HTML, ModelFault.NOT_JSON, "llm.url"),
        (Mode.NO_OLLAMA, ModelFault.SCHEMA, "llm.url"),
        (Mode.ARRAY, ModelFault.SCHEMA, "llm.url"),
        (Mode.EMPTY, ModelFault.EMPTY, "model"),
        (Mode.THINKING, ModelFault.EMPTY, "visible reasoning"),
        (Mode.CUT, ModelFault.CUT, "num_predict"),
        (Mode.NO_DONE, ModelFault.CUT, "log"),
        (Mode.RESET, ModelFault.CUT, "log"),
        (Mode.MID_ERROR, ModelFault.SERVER, "log"),
        (Mode.FLOOD, ModelFault.CUT, "model"),
        (Mode.CUT_PROMPT, ModelFault.TRUNCATED_PROMPT, "context"),
        (Mode.REDIRECT, ModelFault.SERVER, "log"),
    ],
)
async def test_each_misbehaviour_is_one_fault_with_a_fix(prompt: Prompt, mode: Mode, fault: ModelFault, fix: str) -> None:
    async with ScriptedOpenAi(mode) as server:
        error = await fault_of(asking(server), prompt)

    assert error.fault is fault, error
    assert fix in error.fix
    assert error.message.isprintable()


@pytest.mark.parametrize(
    ("mode", "config", "deadline_ms", "fault"),
    [
        (Mode.SILENT, {"first_token": Duration(80)}, 5_000, ModelFault.TIMEOUT_FIRST_TOKEN),
        (Mode.STALL, {"stall": Duration(80)}, 5_000, ModelFault.TIMEOUT_STALL),
        (Mode.DRIP, {}, 150, ModelFault.TIMEOUT_TOTAL),
    ],
)
async def test_silence_stalls_and_drips_end_in_time(
    prompt: Prompt, mode: Mode, config: dict[str, Any], deadline_ms: int, fault: ModelFault
) -> None:
    async with ScriptedOpenAi(mode) as server:
        assert (await fault_of(asking(server, **config), prompt, deadline_ms)).fault is fault


async def test_nobody_listens(prompt: Prompt) -> None:
    model = build(Config(model="tiny", url="http://127.0.0.1:9/v1"), ModelDeps(SystemClock()))
    error = await fault_of(model, prompt)
    assert error.fault is ModelFault.UNREACHABLE
    assert "llm.url" in error.fix


async def test_a_prompt_that_would_be_cut_does_not_leave(prompt: Prompt) -> None:
    async with ScriptedOpenAi() as server:
        error = await fault_of(asking(server), Prompt(prompt.system, "F1 word " * 3_000, prompt.schema))
    assert error.fault is ModelFault.TRUNCATED_PROMPT
    assert server.asked == []


async def test_examine_says_what_is_there(prompt: Prompt) -> None:
    async with ScriptedOpenAi(models=("tiny", "large")) as server:
        assert "on this machine or network, has tiny" in await asking(server).examine()
        await asking(server).preload()
        with pytest.raises(ModelError, match="does not have other") as caught:
            await asking(server, model="other").examine()
    assert "tiny, large" in caught.value.fix
    assert server.asked[1][1]["max_tokens"] == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "https://api.openai.com/v1"}, "incident data would leave the machine"),
        ({"url": "localhost:1234"}, "is not an http"),
        ({"model": " "}, "is empty"),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Config(**{"model": "tiny", "url": "http://localhost:1234/v1", **values})


def test_a_hosted_server_needs_a_word_of_consent() -> None:
    assert Config(model="gpt", url="https://api.openai.com/v1", allow_remote=True).allow_remote


async def test_a_reply_says_whether_the_incident_left_for_it(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedOpenAi() as server:
        assert (await asking(server).write(prompt, 5_000)).local
        monkeypatch.setattr("vigie.llms.openai.is_near", lambda _: False)
        hosted = asking(server, allow_remote=True)
        assert not (await hosted.write(prompt, 5_000)).local
