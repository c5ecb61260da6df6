"""The mode for small models: they choose, code writes. The reply holds ids only, so that no word in the message is the model's."""

import json
from collections.abc import Sequence
from typing import Any

from vigie.report.facts import Analysis, Bundle, Dropped, FactKind, Subject
from vigie.report.prompt import MAX_TOKENS, causes, fact_line, tokens
from vigie.report.rules import Hypothesis
from vigie.text import prompts

MAX_FACTS, MIN_FACTS = 3, 2


def build(bundle: Bundle, subject: Subject, hypotheses: Sequence[Hypothesis], language: str) -> tuple[str, str, dict[str, object]]:
    """(system, user, schema) of a choice; facts that do not fit are left out from the tail, and are not in the schema either."""
    system = f"{prompts.SELECT[language]}\n\n{prompts.SELECT_EXAMPLES[language]}"
    head, answer = prompts.FACTS[language], prompts.ANSWER[language]
    start = "\n".join([*causes(subject, hypotheses, language), head])
    room = MAX_TOKENS - tokens(system) - tokens(start) - tokens(answer)
    lines: list[str] = []
    for fact in bundle.facts:
        line = fact_line(fact, language)
        room -= tokens(line)
        if room < 0 and len(lines) >= MIN_FACTS:
            break
        lines.append(line)
    known = [fact.id for fact in bundle.facts[: len(lines)]]
    return system, "\n".join([start, *lines, answer]), _schema([one.id for one in hypotheses], known)


def _schema(known_causes: Sequence[str], facts: Sequence[str]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {
            "cause": {"type": "string", "enum": [*known_causes, "unknown"]},
            "facts": {"type": "array", "items": {"type": "string", "enum": list(facts)}, "minItems": 1, "maxItems": MAX_FACTS},
        },
        "required": ["cause", "facts"],
        "additionalProperties": False,
    }


def certify(
    text: str, bundle: Bundle, subject: Subject, hypotheses: Sequence[Hypothesis], language: str, model: str, duration_ms: int = 0
) -> Analysis:
    """What was chosen, written by code; raises nothing. What the check itself found stands first, chosen or not."""
    reply, fault = _parsed(text, {one.id for one in hypotheses} | {"unknown"}, {fact.id for fact in bundle.facts})
    if fault:
        return Analysis(model, language, (), (Dropped(fault, "".join(one for one in text[:200] if one.isprintable())),), "", duration_ms)
    del subject  # the facts speak for it
    first = [fact.id for fact in bundle.facts if fact.evidence.kind is FactKind.CHECK][:1]
    chosen = list(dict.fromkeys([*first, *reply["facts"]]))[:MAX_FACTS]
    by_id = {fact.id: fact.evidence for fact in bundle.facts}
    sentences = tuple(by_id[name].sentence(language) for name in chosen)
    decisive = next((one.id for one in hypotheses if one.grade == "high"), reply["cause"])
    return Analysis(model, language, sentences, (), decisive, duration_ms, cited=tuple((name,) for name in chosen))


def _parsed(text: str, known_causes: set[str], facts: set[str]) -> tuple[dict[str, Any], str]:
    try:
        reply = json.loads(text)
    except (ValueError, RecursionError):
        return {}, "not_json"
    if not isinstance(reply, dict) or reply.keys() != {"cause", "facts"} or not isinstance(reply["facts"], list) or not reply["facts"]:
        return {}, "schema"
    if reply["cause"] not in known_causes:
        return {}, "unknown_cause"
    return (reply, "") if all(isinstance(name, str) and name in facts for name in reply["facts"]) else ({}, "unknown_citation")
