"""Certifies what the model wrote: a sentence goes out only if everything it claims is in the facts it cites.

The reply must be strict JSON of the schema, with known ids. Then each sentence on its own must keep every rule of `_broken_rule`; one that
breaks a rule is dropped with the rule's name. No sentence left means that the plain report is used.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vigie.report import entailment, lexicon, statements, vocabulary
from vigie.report.facts import Analysis, Bundle, Dropped, Fact, Subject
from vigie.report.figures import MONTHS, Reading, claims, readings
from vigie.report.locations import misplaced
from vigie.report.rules import Hypothesis
from vigie.text import terms

MIN_LENGTH, MAX_LENGTH, MAX_SENTENCES = 28, 320, 4
_LONGEST_REPLY = 20_000

_INLINE = re.compile(r"(?<!\s)\s*+[\[(](F\d++(?:\s*+[,;]\s*+F\d++)*+)[\])]")
_LINK = re.compile(r"(?i)[a-z][a-z0-9+.-]{0,30}://|\bwww\.|\S@\S|\]\(|\bmailto:")
_PHRASED = re.compile(rf"\b(\d{{3}})\s\(?({'|'.join(phrase for pair in terms.PHRASES.values() for phrase in pair)})\b", re.IGNORECASE)
_MARKUP = frozenset("<>@[]{}|`*#\\~^_")
_OPENED, _CLOSED = re.compile('[“«"‹]'), re.compile('[”»"›]')
_NAME = re.compile(r"(?<![\w.'’-])(?<!^)[A-ZÀ-Ý][\w-]*")
_STARTS = re.compile(r"(?:^|[.!?:]\s+)([A-ZÀ-Ý])")
_KNOWN_NAMES = frozenset("api cdn dns get http https id ip ipv4 ipv6 json ssl tcp tls udp url utc vigie web".split())
_LETTERS = re.compile(r"[a-zà-ÿœ'’]+")
_STOP = {
    "fr": frozenset(
        "le la les un une des du de et est a ont en dans par pour sur au aux depuis après avec ce cette son sa sont été que qui pas lors aucun aucune il elle il n l d se mais car qu ne plus deux trois quatre".split()
    ),
    "en": frozenset(
        "the a an of and is has have in by for on at since after with this that was were are been not which it its from to as ago took over but no none or did does only still now at be because can cannot could however while when than".split()
    ),
}
_FOREIGN = {"fr": frozenset("en a on des par pour".split()), "en": frozenset("a on".split())}  # words that both languages have


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class _Licence:
    """What a sentence may say: the words of its cited facts and of the chosen hypothesis, and the figures of the facts alone."""

    words: str
    causes: str
    figures: frozenset[Reading]


def certify(
    text: str, bundle: Bundle, subject: Subject, hypotheses: Sequence[Hypothesis], language: str, model: str, duration_ms: int = 0
) -> Analysis:
    """What of a reply may go out. Raises nothing: what fails is dropped with the rule it broke; no sentence left means none may."""
    reply, fault = _parsed(text, {one.id for one in hypotheses} | {"unknown"})
    if fault:
        return Analysis(model, language, (), (Dropped(fault, _shown(text)),), "", duration_ms)
    chosen = _chosen(reply["cause"], hypotheses)
    passed: dict[str, tuple[str, ...]] = {}
    dropped: list[Dropped] = []
    facts = {fact.id: fact for fact in bundle.facts}
    for place, item in enumerate(reply["sentences"]):
        sentence, broken = _cited(item, facts)
        broken = broken or ("too_many" if place >= MAX_SENTENCES else "") or _broken_rule(sentence, subject, chosen, language)
        if broken:
            dropped.append(Dropped(broken, _shown(sentence.text)))
        elif sentence.text not in passed:
            passed[sentence.text] = tuple(fact.id for fact in sentence.facts)
    cause = chosen.id if chosen else "unknown"
    return Analysis(model, language, tuple(passed), tuple(dropped), cause, duration_ms, cited=tuple(passed.values()))


def _chosen(cause: str, hypotheses: Sequence[Hypothesis]) -> Hypothesis | None:
    """A decisive hypothesis wins, whatever the model picked."""
    decisive = (one for one in hypotheses if one.grade == "high")
    return next(decisive, None) or next((one for one in hypotheses if one.id == cause), None)


def _shown(text: str) -> str:
    """A dropped text as it may be kept and shown: short, without anything that a terminal or page would act on."""
    return "".join(one if one.isprintable() else "·" for one in " ".join(text[: 2 * MAX_LENGTH].split()))[:MAX_LENGTH]


def _parsed(text: str, causes: set[str]) -> tuple[dict[str, Any], str]:
    """The reply as the schema has it, or the rule that the whole of it breaks."""
    try:
        if len(text) > _LONGEST_REPLY:
            return {}, "too_long"
        reply = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return {}, "not_json"
    if not isinstance(reply, dict) or reply.keys() != {"cause", "sentences"}:
        return {}, "schema"
    if not isinstance(reply["cause"], str) or not isinstance(reply["sentences"], list) or not reply["sentences"]:
        return {}, "schema"
    return (reply, "") if reply["cause"] in causes else ({}, "unknown_cause")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("duplicate key")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _cited(item: object, facts: dict[str, Fact]) -> tuple[_Sentence, str]:
    """The sentence with its facts; citations inside the text (`[F1]`) must be among them and are taken out."""
    if not isinstance(item, dict) or item.keys() != {"text", "facts"} or not isinstance(item["text"], str):
        return _Sentence(str(item), ()), "schema"
    flat = " ".join(item["text"].split())  # before any pattern sees it: a model may send thousands of spaces
    inline = {name for group in _INLINE.findall(flat) for name in re.findall(r"F\d+", group)}
    text = " ".join(_INLINE.sub("", flat).split())
    names = item["facts"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return _Sentence(text, ()), "schema"
    if not names:
        return _Sentence(text, ()), "no_citation"
    if any(name not in facts for name in names) or not inline <= set(names):
        return _Sentence(text, ()), "unknown_citation"
    return _Sentence(text, tuple(facts[name] for name in dict.fromkeys(names))), ""


def _broken_rule(sentence: _Sentence, subject: Subject, chosen: Hypothesis | None, language: str) -> str:
    """The first rule a sentence breaks; empty when it may go out."""
    text, licence = sentence.text, _licence(sentence.facts, subject, chosen)
    if not MIN_LENGTH <= len(text) <= MAX_LENGTH:
        return "length"
    if _LINK.search(text):
        return "link"
    if not _plain(text, licence.words):
        return "characters"
    for rule, pattern in lexicon.RULES.items():
        if lexicon.unlicensed(pattern, text, licence.words):
            return rule
    for claim in claims(text, language):
        if not claim.readings & licence.figures:
            return claim.kind
    if any(match[2].lower() not in terms.PHRASES.get(match[1], ()) for match in _PHRASED.finditer(text)):
        return "status"
    checks = (
        ("location", misplaced(text, sentence.facts, subject.seen)),
        ("quotation", any(quoted.lower() not in licence.words for quoted in _quoted(text))),
        ("cause", lexicon.foreign_cause(text, licence.causes)),
        (entailment.broken(text, sentence.facts, chosen, subject.monitor.host, language), True),
        ("name", not _names_known(text, licence.causes)),
        ("language", not _in_language(text, language)),
        ("vocabulary", not _words_known(text, licence.causes, language)),
    )
    return next((rule for rule, broken in checks if broken and rule), "")


def _licence(facts: Sequence[Fact], subject: Subject, chosen: Hypothesis | None) -> _Licence:
    """Facts count in both languages; the monitor's own name and host may appear in every sentence."""
    own = f"{subject.monitor.name} \n {subject.monitor.host}"
    figures = readings(own, "en") | readings(own, "fr")
    parts = [own]
    for fact in facts:
        parts += [fact.evidence.fr, fact.evidence.en, str(fact.evidence.value), *fact.evidence.renderings]
        figures |= _figures_of(fact)
        parts += _official(fact)
    addresses = sum(fact.evidence.name.startswith("address.") for fact in facts)
    if (
        len({str(fact.evidence.value) for fact in facts if fact.evidence.name == "cause" or fact.evidence.name.startswith("resolver.")})
        == 1
        < len(facts)
    ):
        figures |= {("number", "2")}  # the system's resolver and the second
    figures |= {("count:address", str(addresses)), ("number", str(addresses))} if addresses > 1 else set()
    if any(fact.evidence.name == "dns" or fact.evidence.name.startswith("resolver.") for fact in facts):
        parts.append("dns")  # what resolves a name
    words = " \n ".join(parts).lower()
    return _Licence(words, f"{words} \n {' '.join(chosen.text).lower() if chosen else ''}", figures)


@lru_cache(maxsize=512)  # every sentence of a reply is held against the same facts
def _official(fact: Fact) -> tuple[str, ...]:
    return tuple(_phrases(fact))


def _phrases(fact: Fact) -> Iterator[str]:
    """The names that standards give to what a fact says: a status has its reason phrase (RFC 9110), what waited expired."""
    for claim in claims(fact.evidence.en, "en"):
        if claim.kind == "status":
            yield from (phrase for _, code in claim.readings for phrase in terms.PHRASES.get(code, ()))
    if str(fact.evidence.value).startswith("timeout."):
        yield "timed out, expired, délai expiré"
    if fact.evidence.name == "contacted":
        yield "been contacted, été contactée"


def _plain(text: str, permitted: str) -> bool:
    """Latin letters, plain digits and ordinary punctuation; anything else only where the facts have it."""
    return all(character.lower() in permitted or _ordinary(character) for character in text)


def _ordinary(character: str) -> bool:
    if character in _MARKUP or not character.isprintable():
        return False
    category = unicodedata.category(character)
    if category[0] == "L":
        return unicodedata.name(character, "").startswith("LATIN")
    return character.isascii() or category in ("Pd", "Pi", "Pf", "Po", "Zs")


def _words_known(text: str, permitted: str, language: str) -> bool:
    """Every word is neutral, the facts' or the hypothesis' own, or one whose meaning was held against the facts already."""
    known = vocabulary.stems(permitted)
    return not vocabulary.foreign(text, known, language) or not vocabulary.foreign(statements.unread(text), known, language)


def _figures_of(fact: Fact) -> frozenset[Reading]:
    evidence = fact.evidence
    more = [readings(rendering, language) for rendering in evidence.renderings for language in ("fr", "en")]
    return readings(evidence.fr, "fr").union(readings(evidence.en, "en"), *more)


def _names_known(text: str, permitted: str) -> bool:
    """A capital inside a sentence makes a name, and names come from the facts."""
    starts = {match.start(1) for match in _STARTS.finditer(text)}
    names = (match[0].lower() for match in _NAME.finditer(text) if match.start() not in starts)
    return all(name in _KNOWN_NAMES or name in MONTHS or name in permitted for name in names)


def _in_language(text: str, language: str) -> bool:
    """A vote of the small words that only one of the languages has."""
    other = "en" if language == "fr" else "fr"
    found = [word for whole in _LETTERS.findall(text.lower()) for word in re.split(r"['’]", whole)]
    votes = {name: sum(word in _STOP[name] - _FOREIGN[name] for word in found) for name in (language, other)}
    return votes[language] >= 1 and votes[language] > votes[other]


def _quoted(text: str) -> Iterator[str]:
    """What is in quotation marks; a plain scan, since a pattern takes ever longer where none is closed."""
    at = 0
    while (opened := _OPENED.search(text, at)) is not None and (closed := _CLOSED.search(text, opened.end())) is not None:
        yield text[opened.end() : closed.start()].strip()
        at = closed.end()
