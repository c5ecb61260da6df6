"""Certifies what the model wrote: a sentence that says a figure, host, address, status or time that its facts do not hold does not go out."""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vigie.core.report.facts import Analysis, Bundle, Dropped, Fact, Subject
from vigie.core.report.rules import Hypothesis

MIN_LENGTH, MAX_LENGTH, MAX_SENTENCES = 40, 320, 4

_URL = re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://\S+|\bwww\.\S+|\S+@\S+\.\S+|\]\(")
_MENTION = re.compile(r"(?:^|\s)[@<!][A-Za-z]|<[^>]*>")
_TIME = re.compile(r"\b\d{1,2}[:h]\d{2}(?::\d{2})?\b")
_HOST = re.compile(r"(?i)\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}\b")
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}\b")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:[.,]\d+)*")
_CODE = re.compile(r"\b[a-z]+\.[a-z_]+\b")
_UNIT = re.compile(
    r"(\d+(?:[.,]\d+)?)\s?(ms|millisecondes?|milliseconds?|s|sec|secondes?|seconds?|min|minutes?|h|heures?|hours?|jours?|days?|%|ko|kb|mo|mb|octets?|bytes?)\b",
    re.IGNORECASE,
)
_UNITS = {
    "millisecond": "ms", "milliseconde": "ms", "sec": "s", "seconde": "s", "second": "s", "minute": "min", "heure": "h", "hour": "h",
    "jour": "d", "day": "d", "octet": "b", "byte": "b",
}  # fmt: skip
_NUMBER_WORDS = re.compile(
    r"(?i)\b(deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|quinze|vingt|trente|cent|mille|dizaines?|douzaines?|centaines?|milliers?|"
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|hundreds?|thousands?|dozens?|millions?)\b"
)
_CERTAIN = re.compile(
    r"(?i)\b(certainement|assurément|sans (?:aucun )?doute|évidemment|garanti\w*|définitivement|"
    r"certainly|definitely|undoubtedly|obviously|surely|guarantee\w*|without (?:a )?doubt)\b"
)
_FIRST_PERSON = re.compile(r"(?i)\b(j'ai|je|nous|notre|nos|i|i'm|i've|we|we've|we're|our|my)\b")
_FALSE_CALM = re.compile(
    r"(?i)\b(tout (?:fonctionne|va bien)|aucun (?:problème|incident)|fausse alerte|maintenance (?:planifiée|prévue|programmée)|pic de (?:trafic|charge)|"
    r"attaque|piratage|everything (?:works|is fine)|no (?:problem|issue|incident)s?|false alarm|planned maintenance|scheduled maintenance|"
    r"traffic spike|spike in traffic|attack\w*|hack\w*|breach\w*|has recovered|est rétabli\w*)\b"
)
_STOP = {
    "fr": frozenset(
        "le la les un une des du de et est a ont en dans par pour sur au aux depuis après avec ce cette sont été que qui pas".split()
    ),
    "en": frozenset(
        "the a an of and is has have in by for on at since after with this that was were are been not which it from to".split()
    ),
}


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    facts: tuple[Fact, ...]


def certify(
    text: str, bundle: Bundle, subject: Subject, hypotheses: Sequence[Hypothesis], language: str, model: str, duration_ms: int = 0
) -> Analysis:
    """What of a reply may go out. Raises nothing: what fails is dropped with the rule it broke; no sentence left means none may."""
    reply, fault = _parsed(text)
    if fault:
        return Analysis(model, language, (), (Dropped(fault, text[:200]),), "", duration_ms)
    causes = {one.id for one in hypotheses} | {"unknown"}
    cause = reply.get("cause")
    dropped = [] if cause in causes else [Dropped("unknown_cause", str(cause)[:80])]
    passed: list[str] = []
    facts = {fact.id: fact for fact in bundle.facts}
    for item in reply["sentences"][:MAX_SENTENCES]:
        sentence, broken = _cited(item, facts)
        broken = broken or _broken_rule(sentence, subject, language)
        if broken:
            dropped.append(Dropped(broken, sentence.text[:MAX_LENGTH]))
        elif sentence.text not in passed:
            passed.append(sentence.text)
    # One decisive hypothesis stands whatever the model picks.
    decisive = [one.id for one in hypotheses if one.grade == "high"]
    chosen = decisive[0] if decisive else str(cause) if cause in causes else "unknown"
    return Analysis(model, language, tuple(passed), tuple(dropped), chosen, duration_ms)


def _parsed(text: str) -> tuple[dict[str, Any], str]:
    try:
        reply = json.loads(text)
    except (ValueError, RecursionError):
        return {}, "not_json"
    if not isinstance(reply, dict) or not isinstance(reply.get("sentences"), list) or not reply["sentences"]:
        return {}, "schema"
    return reply, ""


def _cited(item: object, facts: dict[str, Fact]) -> tuple[_Sentence, str]:
    if not isinstance(item, dict) or not isinstance(item.get("text"), str) or not isinstance(item.get("facts"), list):
        return _Sentence(str(item), ()), "schema"
    text = " ".join(item["text"].split())
    if not item["facts"]:
        return _Sentence(text, ()), "no_citation"
    if any(name not in facts for name in item["facts"] if isinstance(name, str)) or not all(isinstance(n, str) for n in item["facts"]):
        return _Sentence(text, ()), "unknown_citation"
    return _Sentence(text, tuple(facts[name] for name in dict.fromkeys(item["facts"]))), ""


def _broken_rule(sentence: _Sentence, subject: Subject, language: str) -> str:
    """The first rule a sentence breaks; empty when it may go out."""
    text = sentence.text
    permitted = _permitted(sentence.facts, subject)
    checks = (
        ("length", not MIN_LENGTH <= len(text) <= MAX_LENGTH),
        ("characters", any(unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs") for character in text)),
        ("link", bool(_URL.search(text))),
        ("mention", bool(_MENTION.search(text))),
        ("certainty", bool(_CERTAIN.search(text))),
        ("first_person", bool(_FIRST_PERSON.search(text))),
        ("false_claim", bool(_FALSE_CALM.search(text))),
        ("number_word", bool(_NUMBER_WORDS.search(text))),
        ("time", not _all_in(_TIME, text, permitted)),
        ("address", not _all_in(_ADDRESS, text, permitted)),
        ("host", not _all_in(_HOST, text, permitted)),
        ("code", not _all_in(_CODE, text, permitted)),
        ("number", not _numbers_in(text, permitted)),
        ("unit", not _units_in(text, permitted)),
        ("language", not _in_language(text, language)),
    )
    return next((rule for rule, broken in checks if broken), "")


def _permitted(facts: Sequence[Fact], subject: Subject) -> str:
    """All that the cited facts say, in both languages, with the monitor's own name and host, which every sentence may use."""
    parts = [subject.monitor.name, subject.monitor.host]
    for fact in facts:
        evidence = fact.evidence
        parts += [evidence.fr, evidence.en, str(evidence.value), *evidence.renderings]
    return " \n ".join(parts).lower()


def _all_in(pattern: re.Pattern[str], text: str, permitted: str) -> bool:
    allowed = {match.lower() for match in pattern.findall(permitted)}
    return all(match.lower() in allowed for match in pattern.findall(text))


def _canonical(number: str) -> str:
    return number.replace(",", ".").lstrip("+")


def _numbers_in(text: str, permitted: str) -> bool:
    # Fact ids such as F1 in the text are citations, not figures.
    plain = re.sub(r"\bF\d+\b", " ", text)
    allowed = {_canonical(match) for match in _NUMBER.findall(permitted)}
    return all(_canonical(match) in allowed for match in _NUMBER.findall(plain))


def _units_in(text: str, permitted: str) -> bool:
    allowed = {_measure(match) for match in _UNIT.findall(permitted)}
    return all(_measure(match) in allowed for match in _UNIT.findall(text))


def _measure(match: tuple[str, str]) -> tuple[str, str]:
    number, unit = match
    unit = unit.lower()
    singular = unit.rstrip("s") if len(unit) > 2 else unit
    return _canonical(number), _UNITS.get(singular, unit)


def _in_language(text: str, language: str) -> bool:
    found = re.findall(r"[a-zàâçéèêëîïôûùüÿœ']+", text.lower())
    votes = {name: sum(word in stop for word in found) for name, stop in _STOP.items()}
    other = "en" if language == "fr" else "fr"
    return votes[language] >= 1 and votes[language] > votes[other]
