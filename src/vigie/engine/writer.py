"""One report by a model: asked in one of two modes, certified, and asked once more when nothing of the answer may go out."""

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from vigie.errors import ModelError, ModelFault
from vigie.ports import Clock, LanguageModel, Prompt, Reply
from vigie.report import prompt, rules, select, verify
from vigie.report.facts import Analysis, Bundle, Subject
from vigie.report.pace import Measured, Sizes
from vigie.report.rules import Hypothesis
from vigie.text.prompts import COMPOSE_AGAIN

log = logging.getLogger("vigie.writer")

_RETRY_SHARE = 0.5  # of the deadline must be left for a second try
_SIZE = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)\s*(b|m)(?![a-z])", re.IGNORECASE)
_SMALL = 3.0  # billions of parameters


class Mode(StrEnum):
    """Who writes the sentences: the model, or code out of what the model chose."""

    COMPOSE = "compose"
    SELECT = "select"


@dataclass(frozen=True, slots=True)
class Brief:
    """What a report is to be written about, and how."""

    bundle: Bundle
    subject: Subject
    hypotheses: Sequence[Hypothesis]
    language: str
    mode: Mode = Mode.COMPOSE
    instructions: str | None = None
    sentences: int = prompt.MAX_SENTENCES


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it: the certified analysis, the last reply, and how often the model was asked."""

    analysis: Analysis
    reply: Reply
    tries: int


def mode_for(model: str) -> Mode:
    """`select` for a model whose name says that it has fewer than three billion parameters."""
    sizes = [float(number) / (1_000 if unit.lower() == "m" else 1) for number, unit in _SIZE.findall(model)]
    return Mode.SELECT if sizes and min(sizes) < _SMALL else Mode.COMPOSE


def brief(bundle: Bundle, subject: Subject, language: str, mode: Mode = Mode.COMPOSE, instructions: str | None = None) -> Brief:
    """A brief with the rules' shortlist."""
    return Brief(bundle, subject, rules.shortlist(bundle, subject), language, mode, instructions)


def asked(about: Brief) -> Prompt:
    """The prompt of a brief."""
    if about.mode is Mode.SELECT:
        return Prompt(*select.build(about.bundle, about.subject, about.hypotheses, about.language))
    return Prompt(*prompt.build(about.bundle, about.subject, about.hypotheses, about.language, about.instructions, about.sentences))


def sizes(about: Brief) -> Sizes:
    """How many tokens a brief takes in either mode."""
    composing, selecting = (asked(replace(about, mode=mode)) for mode in (Mode.COMPOSE, Mode.SELECT))
    return Sizes(*(prompt.tokens(one.system) + prompt.tokens(one.user) for one in (composing, selecting)))


def measured(reply: Reply) -> Measured:
    """What a reply tells of the model's speed."""
    return Measured(reply.prefill_tokens, reply.prefill_ms, reply.reply_tokens, reply.decode_ms)


async def write(model: LanguageModel, about: Brief, deadline_ms: int, clock: Clock) -> Written:
    """Ask, certify, and ask once more when no sentence passed and time is left. Raises ModelError and nothing else."""
    started, question = clock.monotonic(), asked(about)
    reply = await _ask(model, question, deadline_ms)
    analysis = _certified(about, reply, _ms_since(clock, started))
    left = deadline_ms - _ms_since(clock, started)
    if analysis.sentences or left < deadline_ms * _RETRY_SHARE:
        return Written(analysis, reply, 1)
    broken = ", ".join(sorted({one.rule for one in analysis.dropped})) or "schema"
    again = Prompt(question.system, question.user + COMPOSE_AGAIN[about.language].format(rules=broken), question.schema)
    try:
        second = await _ask(model, again, left)
    except ModelError as error:
        log.info("the second attempt failed: %s", error)
        return Written(analysis, reply, 2)
    return Written(_certified(about, second, _ms_since(clock, started)), second, 2)


async def _ask(model: LanguageModel, question: Prompt, deadline_ms: int) -> Reply:
    try:
        async with asyncio.timeout(deadline_ms / 1000 + 1):
            return await model.write(question, deadline_ms)
    except TimeoutError:
        raise ModelError(ModelFault.TIMEOUT_TOTAL, f"no report within {deadline_ms / 1000:g} s") from None
    except ModelError:
        raise
    except Exception as error:  # the port promises ModelError; a model that breaks its promise costs only its paragraph
        log.exception("the language model crashed")
        raise ModelError(ModelFault.OTHER, f"{type(error).__name__}: {error}") from error


def _certified(about: Brief, reply: Reply, took_ms: int) -> Analysis:
    check = select.certify if about.mode is Mode.SELECT else verify.certify
    found = check(reply.text, about.bundle, about.subject, about.hypotheses, about.language, reply.model, took_ms)
    return replace(found, local=reply.local)


def _ms_since(clock: Clock, started: float) -> int:
    return round((clock.monotonic() - started) * 1000)
