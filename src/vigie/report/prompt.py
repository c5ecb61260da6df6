"""What the model is asked: closed facts, sentences that cite them, a flat schema made for this incident.

Static text first and evidence last, so that the server's prefix cache serves every incident of a language.
"""

from collections.abc import Sequence

from vigie.report.facts import Bundle, Fact, Subject
from vigie.report.rules import Hypothesis
from vigie.report.wording import label
from vigie.text import pick, prompts

MAX_TOKENS = 1_800
MAX_SENTENCES = 3
_KEPT = 2


def tokens(text: str) -> int:
    """A pessimistic count: tokenizers rarely make more than one token of three bytes of such text."""
    return len(text.encode()) // 3 + 1


def build(
    bundle: Bundle,
    subject: Subject,
    hypotheses: Sequence[Hypothesis],
    language: str,
    instructions: str | None = None,
    sentences: int = MAX_SENTENCES,
) -> tuple[str, str, dict[str, object]]:
    """(system, user, schema). `instructions` replace ours; facts, schema and checks stay.

    At most MAX_TOKENS: instructions so long that no fact would fit cost the examples, then facts are dropped from the tail; what is
    dropped is not in the schema either. The cause and the count of failures, which stand first, are always asked about.
    `sentences`: the most that may be written.
    """
    own = instructions.strip() if instructions else ""
    system = f"{own or prompts.COMPOSE[language]}\n\n{prompts.COMPOSE_EXAMPLES[language]}"
    if tokens(system) > MAX_TOKENS // 2:
        system = own
    start = "\n".join([*causes(subject, hypotheses, language), prompts.FACTS[language]])
    fewer = prompts.AT_MOST[language].format(count=sentences) + "\n" if sentences < MAX_SENTENCES else ""
    answer_head = fewer + prompts.ANSWER[language]
    room = MAX_TOKENS - tokens(system) - tokens(start) - tokens(answer_head)
    lines: list[str] = []
    known: list[str] = []
    for fact in bundle.facts:
        line = fact_line(fact, language)
        room -= tokens(line)
        if room < 0 and len(known) >= _KEPT:
            break
        lines.append(line)
        known.append(fact.id)
    return system, "\n".join([start, *lines, answer_head]), schema([one.id for one in hypotheses], known, sentences)


def causes(subject: Subject, hypotheses: Sequence[Hypothesis], language: str) -> list[str]:
    """The closed list the model picks from, with the rules' grade and the facts that support each."""
    listed = [f"{one.id}: {pick(one.text, language)} ({label(one.grade, language)}; {', '.join(one.facts)})" for one in hypotheses]
    return [prompts.SERVICE.format(name=subject.monitor.name), prompts.CAUSES[language], *listed, "unknown"]


def fact_line(fact: Fact, language: str) -> str:
    """One fact as the model reads it."""
    return f"{fact.id} {fact.evidence.sentence(language)}"


def schema(causes: Sequence[str], facts: Sequence[str], sentences: int = MAX_SENTENCES) -> dict[str, object]:
    """The JSON Schema of a reply about this incident."""
    sentence = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "facts": {"type": "array", "items": {"type": "string", "enum": list(facts)}, "minItems": 1},
        },
        "required": ["text", "facts"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "cause": {"type": "string", "enum": [*causes, "unknown"]},
            "sentences": {"type": "array", "items": sentence, "minItems": 1, "maxItems": sentences},
        },
        "required": ["cause", "sentences"],
        "additionalProperties": False,
    }
