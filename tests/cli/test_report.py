"""`vigie report`: a model on frozen incidents, and a past incident written again."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from vigie.cli.report import app
from vigie.errors import ModelError, VigieError
from vigie.evaluate import baselines
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing.ollama_server import Mode, ScriptedOllama

from .test_incidents import NOW, _filled

Run = Callable[..., Any]


@pytest.fixture
def server() -> Iterator[ScriptedOllama]:
    """A scripted Ollama on a loop of its own thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def done(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    made = ScriptedOllama()
    done(made.__aenter__())
    yield made
    done(made.__aexit__(None, None, None))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: ScriptedOllama) -> Run:
    monkeypatch.chdir(tmp_path)
    url = server.url
    (tmp_path / "vigie.yaml").write_text(f"timezone: UTC\nllm: {{url: '{url}'}}\nmonitors: [{{name: Shop, url: 'http://127.0.0.1:9/'}}]\n")
    asyncio.run(_filled(tmp_path / "vigie.db"))
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_a_model_that_keeps_to_the_facts_is_good_enough_and_that_is_kept(run: Run, tmp_path: Path) -> None:
    done = run("eval", "--cases", "13")

    assert done.exit_code == 0, done.output
    assert "good enough to compose" in done.output
    assert "right cause" in done.output
    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    (kept,) = asyncio.run(store.catalog.scores("llama3"))
    asyncio.run(store.close())
    assert kept.shares["accepted"].count == 13
    assert kept.digest == ""  # the scripted server tells none


def test_a_model_that_writes_prose_is_not(run: Run, server: ScriptedOllama) -> None:
    server.mode = Mode.PROSE
    done = run("eval", "--cases", "5")
    assert done.exit_code == 1
    assert "not good enough" in done.output
    assert "not_json 5" in done.output


def test_a_model_that_fails_counts_as_failing_and_does_not_end_it(run: Run, server: ScriptedOllama) -> None:
    server.mode = Mode.CUT
    assert "valid          0.00" in run("eval", "--cases", "3").output


def test_a_missing_model_says_how_to_get_it(run: Run) -> None:
    error = run("eval", "--model", "other:7b").exception
    assert isinstance(error, ModelError)
    assert error.fix == "ollama pull other:7b"


def test_baselines_are_computed_on_the_same_incidents() -> None:
    found = baselines("fr")
    assert {len(tried) for tried in found.values()} == {65}
    assert all(one.sentences >= 3 for one in found["plain report"])
    assert not any(one.obeyed for tried in found.values() for one in tried)
    assert sum(one.cause == one.right for one in found["rules only"]) >= 60


def test_a_past_incident_is_written_again_beside_what_is_on_record(run: Run, tmp_path: Path) -> None:
    from vigie.ports import StoredReport
    from vigie.report.facts import Analysis, Bundle, Evidence, Fact, FactKind

    pair = "Contrôle de 127.0.0.1 : connexion refusée (tcp.refused).", "Check of 127.0.0.1: connection refused (tcp.refused)."
    facts = tuple(Fact(f"F{number}", Evidence(FactKind.CHECK, "cause", "tcp.refused", *pair, NOW, "check", bad=True)) for number in (1, 2))
    old = Analysis("llama2", "en", ("What the old model said.",), (), "not_listening", 900)

    async def save() -> None:
        store = SqliteStore(tmp_path / "vigie.db", threads=False)
        await store.ledger.save_report(StoredReport("shop-1", Bundle("shop-1", NOW, facts), old, None, NOW), NOW, ())
        await store.close()

    asyncio.run(save())
    (tmp_path / "mine.txt").write_text("Write one sentence.")
    done = run("draft", "shop-1", "--prompt", "mine.txt")

    assert done.exit_code == 0, done.output
    assert "What the old model said." in done.output
    assert "Check of 127.0.0.1: connection refused" in done.output.split("Draft (compose)")[1]


def test_what_cannot_be_drafted_is_said(run: Run) -> None:
    for arguments, words in (
        (("draft", "shop-9"), "no report on incident shop-9"),
        (("eval", "--prompt", "none.txt"), "none.txt cannot be read"),
    ):
        error = run(*arguments).exception
        assert isinstance(error, VigieError)
        assert words in error.message


def test_doctor_tells_of_the_models_and_pulls_a_missing_one(run: Run, server: ScriptedOllama) -> None:
    from vigie.cli.doctor import app as doctor

    server.models = ("qwen3:4b",)
    missing = CliRunner().invoke(doctor, [])
    pulled = CliRunner().invoke(doctor, ["--pull"])

    assert "note  model: model llama3 is not installed; alerts carry the plain report" in missing.output
    assert "fix: ollama pull llama3" in missing.output
    assert "available models: qwen3:4b (runs locally), llama3 (runs locally)" in pulled.output
    assert "speed on this machine: a report in " in pulled.output
    assert "never evaluated (`vigie report eval`); mode auto: it writes, code checks" in pulled.output
    assert list(server.models) == ["qwen3:4b", "llama3"]
