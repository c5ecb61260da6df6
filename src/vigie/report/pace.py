"""How fast a model is on this machine, learnt from its replies, and what may be asked of it in the time that is left. Pure."""

from dataclasses import dataclass
from enum import StrEnum

SENTENCE_TOKENS, FRAME_TOKENS, CHOICE_TOKENS = 75, 30, 60  # of a reply: a sentence with its citations, what is around them, ids alone
MAX_SENTENCES = 3
_MARGIN = 1.25  # a machine under an incident is not the one that was measured
_NEWEST = 0.3  # weight of the newest reply
_MIN_TOKENS = 8  # of fewer, a rate says nothing
_SLOWED = 0.7
_KEPT_MS = 86_400_000


class Way(StrEnum):
    """How a report is made in the time that is left."""

    COMPOSE = "compose"
    SELECT = "select"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second, reading the prompt and writing the reply; `at` is when it was last measured, epoch ms."""

    prefill: float
    decode: float
    at: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What one reply tells; None where the server does not say."""

    prompt_tokens: int | None
    prefill_ms: float | None
    reply_tokens: int | None
    decode_ms: float | None


@dataclass(frozen=True, slots=True)
class Sizes:
    """Tokens of the two prompts that may be sent."""

    compose: int
    select: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask for: `sentences` at most where the model composes. `why` is empty where nothing was left out."""

    way: Way
    sentences: int = MAX_SENTENCES
    why: str = ""


def learned(before: Speed | None, found: Measured, at: int) -> Speed | None:
    """The speed with one more reply counted in; what it was, where the reply does not tell."""
    prefill, decode = _rate(found.prompt_tokens, found.prefill_ms), _rate(found.reply_tokens, found.decode_ms)
    if before is None:
        return Speed(prefill, decode, at) if prefill and decode else None
    if prefill is None and decode is None:
        return before
    return Speed(_mixed(before.prefill, prefill), _mixed(before.decode, decode), at)


def slowed(before: Speed | None, sizes: Sizes, sentences: int, took_ms: int, at: int) -> Speed:
    """After a report that was not finished in time: the machine is slower than that, by how much is not known."""
    if before is not None:
        return Speed(before.prefill * _SLOWED, before.decode * _SLOWED, at)
    half = max(took_ms, 1) / 2_000
    return Speed(sizes.compose / half, _reply(sentences) / half, at)


def plan(speed: Speed | None, sizes: Sizes, left_ms: int, now: int, *, may_compose: bool) -> Plan:
    """The most that can be done in time: three sentences, two, one, ids alone, nothing. A speed of long ago is not believed."""
    wanted = Way.COMPOSE if may_compose else Way.SELECT
    if speed is None or not 0 <= now - speed.at <= _KEPT_MS:
        return Plan(wanted)
    most = _needed(speed, sizes.compose, _reply(MAX_SENTENCES)) if may_compose else _needed(speed, sizes.select, CHOICE_TOKENS)
    if most <= left_ms:
        return Plan(wanted)
    why = f"{most / 1000:.0f} s expected of {left_ms / 1000:.0f} s ({speed.prefill:.0f} tokens/s read, {speed.decode:.1f} written)"
    for sentences in range(MAX_SENTENCES - 1, 0, -1) if may_compose else ():
        if _needed(speed, sizes.compose, _reply(sentences)) <= left_ms:
            return Plan(Way.COMPOSE, sentences, f"asked for {sentences} of {MAX_SENTENCES} sentences: {why}")
    if may_compose and _needed(speed, sizes.select, CHOICE_TOKENS) <= left_ms:
        return Plan(Way.SELECT, why=f"asked to select facts only: {why}")
    return Plan(Way.PLAIN, why=f"the model was not asked: {why}")


def _reply(sentences: int) -> int:
    return FRAME_TOKENS + sentences * SENTENCE_TOKENS


def _needed(speed: Speed, prompt: int, reply: int) -> float:
    """In ms."""
    return (prompt / speed.prefill + reply / speed.decode) * 1000 * _MARGIN


def _rate(tokens: int | None, ms: float | None) -> float | None:
    return tokens / ms * 1000 if tokens is not None and ms is not None and tokens >= _MIN_TOKENS and ms > 0 else None


def _mixed(before: float, found: float | None) -> float:
    return before if found is None else before + _NEWEST * (found - before)
