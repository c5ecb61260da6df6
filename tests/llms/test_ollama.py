"""Ollama on a real socket, in every way it can misbehave: each is one fault, within its deadline, with a fix where there is one."""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from vigie.clock import SystemClock
from vigie.errors import ModelError, ModelFault
from vigie.llms import ModelDeps
from vigie.llms.ollama import Config, Ollama, base_url, build
from vigie.planning.duration import Duration
from vigie.ports import Prompt
from vigie.testing.ollama_server import Mode, ScriptedOllama

Make = Callable[..., Ollama]


async def _fault(model: Ollama, prompt: Prompt, deadline_ms: int = 5_000) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await model.write(prompt, deadline_ms)
    return caught.value


async def test_a_whole_reply_comes_back_with_its_figures(model: Make, prompt: Prompt) -> None:
    async with ScriptedOllama() as server:
        reply = await model(server).write(prompt, 5_000)
    assert json.loads(reply.text)["cause"] == "behind_proxy"
    assert (reply.model, reply.load_ms, reply.prefill_ms, reply.decode_ms) == ("llama3", 1_500.0, 250.0, 900.0)
    assert reply.prompt_tokens
    assert reply.reply_tokens


async def test_the_model_is_asked_with_one_constant_set_of_options_and_the_schema(model: Make, prompt: Prompt) -> None:
    async with ScriptedOllama() as server:
        asked = model(server, keep_alive="5m")
        await asked.preload()
        await asked.write(prompt, 5_000)
    bodies = {path: body for path, body in server.asked if path in ("/api/generate", "/api/chat")}
    chat, load = bodies["/api/chat"], bodies["/api/generate"]
    assert chat["options"] == load["options"] == {"temperature": 0, "seed": 7, "num_ctx": 4096, "num_predict": 400}
    assert (chat["format"], chat["stream"], chat["think"], chat["keep_alive"]) == (prompt.schema, True, False, "5m")
    assert [message["role"] for message in chat["messages"]] == ["system", "user"]


@pytest.mark.parametrize(
    ("mode", "fault", "fix"),
    [
        (Mode.NOT_PULLED, ModelFault.NOT_PULLED, "ollama pull llama3"),
        (Mode.BUSY, ModelFault.BUSY, "OLLAMA_MAX_QUEUE"),
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
        (Mode.CUT_PROMPT, ModelFault.TRUNCATED_PROMPT, "num_ctx"),
        (Mode.REDIRECT, ModelFault.SERVER, "log"),
    ],
)
async def test_each_misbehaviour_is_one_fault_with_a_fix(model: Make, prompt: Prompt, mode: Mode, fault: ModelFault, fix: str) -> None:
    long = Prompt(prompt.system, prompt.user + "\nF3 " + "and so on " * 60, prompt.schema)
    async with ScriptedOllama(mode) as server:
        error = await _fault(model(server), long)
    assert error.fault is fault
    assert fix in error.fix
    assert error.message.isprintable()


@pytest.mark.parametrize(
    ("mode", "config", "deadline_ms", "fault"),
    [
        (Mode.SILENT, {"first_token": Duration(150)}, 5_000, ModelFault.TIMEOUT_FIRST_TOKEN),
        (Mode.STALL, {"stall": Duration(150)}, 5_000, ModelFault.TIMEOUT_STALL),
        (Mode.SILENT, {}, 250, ModelFault.TIMEOUT_TOTAL),
        (Mode.STALL, {}, 250, ModelFault.TIMEOUT_TOTAL),
        (Mode.DRIP, {"stall": Duration(150)}, 400, ModelFault.TIMEOUT_TOTAL),
    ],
)
async def test_silence_stalls_and_drips_end_at_their_own_deadline(
    model: Make, prompt: Prompt, mode: Mode, config: dict[str, Duration], deadline_ms: int, fault: ModelFault
) -> None:
    async with ScriptedOllama(mode) as server:
        asked = model(server, **config)
        await asked.examine()  # the imports are not what is measured
        started = time.monotonic()
        error = await _fault(asked, prompt, deadline_ms)
        assert time.monotonic() - started < 1.5
    assert error.fault is fault
    assert "llm." in error.fix


async def test_a_model_that_ignores_the_schema_is_left_to_the_check(model: Make, prompt: Prompt) -> None:
    async with ScriptedOllama(Mode.PROSE) as server:
        assert (await model(server).write(prompt, 5_000)).text.startswith("Certainly!")


async def test_a_server_that_refuses_think_is_asked_once_more_without(model: Make, prompt: Prompt) -> None:
    async with ScriptedOllama(Mode.NO_THINK) as server:
        asked = model(server)
        await asked.write(prompt, 5_000)
        await asked.write(prompt, 5_000)
    assert [body.get("think") for body in server.chats] == [False, None, None]


async def test_nobody_at_the_address_says_how_to_start_it(prompt: Prompt) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        error = await _fault(build(Config(url=f"http://127.0.0.1:{port}"), ModelDeps(SystemClock())), prompt)
    assert error.fault is ModelFault.UNREACHABLE
    assert "ollama serve" in error.fix
    assert "ollama pull llama3" in error.fix
    assert str(port) in error.message


async def test_a_proxy_of_the_environment_is_not_asked_for_localhost(model: Make, prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with ScriptedOllama() as server:
        assert (await model(server).write(prompt, 5_000)).text


async def test_a_model_that_runs_elsewhere_gets_no_prompt(model: Make, prompt: Prompt) -> None:
    async with ScriptedOllama(remote_host="https://ollama.com:443") as server:
        error = await _fault(model(server), prompt)
        assert (error.fault, server.chats) == (ModelFault.REMOTE, [])
        with pytest.raises(ModelError, match="runs elsewhere"):
            await model(server).preload()
        reply = await model(server, allow_remote=True).write(prompt, 5_000)
        assert (bool(reply.text), reply.local) == (True, False)
    async with ScriptedOllama() as server:
        assert (await model(server, allow_remote=True).write(prompt, 5_000)).local


async def test_a_redirect_to_another_machine_is_not_followed(model: Make, prompt: Prompt) -> None:
    async with ScriptedOllama() as stranger, ScriptedOllama(Mode.REDIRECT, elsewhere=f"{stranger.url}/api/chat") as server:
        await _fault(model(server), prompt)
        assert stranger.asked == []


async def test_a_prompt_that_cannot_fit_is_not_sent(model: Make, prompt: Prompt) -> None:
    long = Prompt(prompt.system, "F1 " + "x" * 12_000, prompt.schema)
    async with ScriptedOllama() as server:
        error = await _fault(model(server), long)
    assert (error.fault, error.fix) == (ModelFault.TRUNCATED_PROMPT, "set llm.num_ctx to 5120, or shorten llm.prompt")
    assert server.chats == []


async def test_lack_of_memory_is_said_in_the_servers_words(model: Make, prompt: Prompt) -> None:
    async with ScriptedOllama(Mode.BROKEN, fault="model requires more system memory (5.6 GiB) than is available (3.1 GiB)") as server:
        error = await _fault(model(server), prompt)
    assert "5.6 GiB" in error.message
    assert error.fix == "use a smaller model"


async def test_cancelling_a_report_leaves_nothing_open(model: Make, prompt: Prompt) -> None:
    async with ScriptedOllama(Mode.SILENT) as server:
        task = asyncio.create_task(model(server).write(prompt, 60_000))
        await server.chatting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_examine_names_version_address_and_model(model: Make) -> None:
    async with ScriptedOllama(version="0.12.6") as server:
        assert await model(server).examine() == f"Ollama 0.12.6 at {server.url} has llama3"


async def test_examine_says_which_model_to_pull(model: Make) -> None:
    async with ScriptedOllama(models=("qwen3:4b",)) as server:
        with pytest.raises(ModelError) as caught:
            await model(server).examine()
        assert (caught.value.fault, caught.value.fix) == (ModelFault.NOT_PULLED, "ollama pull llama3")
        assert "qwen3:4b" in await model(server, model="qwen3:4b").examine()


async def test_preload_of_a_missing_model_is_a_fault_too(model: Make) -> None:
    async with ScriptedOllama(models=()) as server:
        with pytest.raises(ModelError) as caught:
            await model(server).preload()
    assert caught.value.fault is ModelFault.NOT_PULLED


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("", "http://localhost:11434"),
        ("1.2.3.4", "http://1.2.3.4:11434"),
        (":56789", "http://localhost:56789"),
        ("1.2.3.4:56789", "http://1.2.3.4:56789"),
        ("http://1.2.3.4", "http://1.2.3.4:80"),
        ("https://box.lan", "https://box.lan:443"),
        ("https://box.lan:1234/path/", "https://box.lan:1234/path"),
        ("box", "http://box:11434"),
        ("box:56789/path", "http://box:56789/path"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8000", "http://127.0.0.1:8000"),
        ("http://0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("[::]:11434", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("[fd00::1]:1", "http://[fd00::1]:1"),
        (' "http://localhost:11434" ', "http://localhost:11434"),
    ],
)
def test_every_form_of_ollama_host_is_read(written: str, url: str) -> None:
    assert base_url(written) == url


@pytest.mark.parametrize("url", ["localhost", "10.0.0.8", "http://192.168.1.4:11434", "[fd00::1]", "gpu-box", "box.local", "100.64.1.2"])
def test_this_machine_and_private_networks_are_near(url: str) -> None:
    assert Config(url=url).url == url


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"url": "https://ollama.example.com"}, "not a private address"),
        ({"url": "8.8.8.8"}, "not a private address"),
        ({"model": "gpt-oss:120b-cloud"}, "runs in a cloud"),
        ({"model": "qwen3:cloud"}, "runs in a cloud"),
        ({"model": " "}, "empty"),
        ({"url": "ftp://localhost"}, "not a server address"),
        ({"url": "http://localhost:99999"}, "not a server address"),
        ({"url": "bad host"}, "not a server address"),
        ({"url": "http://user:secret@localhost:11434"}, "not a server address; write"),
    ],
)
def test_what_would_leave_the_machine_or_reach_nobody_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Config(**changed)


def test_a_public_host_is_the_users_to_allow() -> None:
    assert Config(url="https://ollama.example.com", model="gpt-oss:120b-cloud", allow_remote=True).allow_remote


@pytest.mark.parametrize(
    "environ",
    [
        {"OLLAMA_HOST": "a:b:c:d"},
        {"NO_PROXY": "localhost,127.0.0.1,fd07:b51a:cc66:f0::/64"},
        {"HTTPS_PROXY": "ftp://proxy.example:1"},
        {"SSL_CERT_FILE": "/nowhere.pem"},
        {"SSL_CERT_DIR": "/nowhere"},
    ],
)
def test_the_official_client_is_imported_whatever_its_package_would_read(environ: dict[str, str]) -> None:
    """Its package makes a client of its own when it is imported, by its own reading of the environment."""
    import os
    import subprocess
    import sys

    code = (
        "import sys\nfrom vigie.llms.ollama import Config, build\nfrom vigie.llms import ModelDeps\nfrom vigie.clock import SystemClock\n"
        "assert build(Config(url='http://127.0.0.1:9'), ModelDeps(SystemClock()))._client()\nassert 'ollama' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **environ}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
