"""What a sentence states, clause by clause: what each clause is about, what it says of it and what it denies, with its figures.

The same reading is made of the facts' own sentences and of the model's, by the words of `text.concepts`; `report.licences` compares.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from vigie.report.figures import Claim, Reading, claims, ranged
from vigie.text import concepts


def any_of(words: str) -> re.Pattern[str]:
    """One pattern of alternatives that are separated by commas, each over whole words."""
    alternatives = "|".join(re.split(r",(?!\d{0,3}\})(?![^\[(]{0,80}[\])])", words))
    return re.compile(rf"(?<![\w-])(?:{alternatives})(?![\w-])", re.IGNORECASE)  # pattern: made into constants below


_NEUTRAL = any_of(concepts.NEUTRAL)
_TOPICS = {name: any_of(words) for name, words in concepts.TOPICS.items()}
_CONCEPTS = {name: any_of(words) for name, words in concepts.CONCEPTS.items()}
_THINGS = {name: any_of(words) for name, words in concepts.THINGS.items()}
_AFTER, _ANYWHERE = any_of(concepts.DENIES_AFTER), any_of(concepts.DENIES_ANYWHERE)
_CONTRAST = any_of(concepts.CONTRASTS)
_NE_QUE = re.compile(r"\bn(?:e\s|['’])(?!.{0,120}\b(?:pas|plus|aucune?|jamais|rien|ni)\b)(.{1,40}?)\s(?:que\s|qu['’])", re.IGNORECASE)
_NI, _NEITHER = re.compile(r"\bni\b", re.IGNORECASE), re.compile(r"\b(?:neither|nor)\b", re.IGNORECASE)
_NE = re.compile(r"(?<![\w'’-])(?:ne\b|n['’](?=\w))", re.IGNORECASE)
MARK = "⊘"  # stands for "instead of" and its like
_REASON = any_of(concepts.REASON_FOLLOWS)
_CONTRAST_FIRST = re.compile(rf"^\s*{MARK}\s+([^,]{{1,60}}),\s*(.+)$")  # "instead of this, that"
_EXPIRED_WAIT = re.compile(
    r"\b((?:attempt|connection|request|wait|tentative|connexion|requête|attente|délai)"
    r"(?: [^\s,;]{1,30}){0,4}?) (?:has |have |a |ont |est )?expirée?d?s?\b",
    re.IGNORECASE,
)
_JOINT = re.compile(
    rf"\s?[;()–—]\s?|\s?:\s|,\s(?!\d{{1,3}}(?:\.\d+){{3}})|\s(?:{'|'.join(concepts.CONJUNCTIONS.split(','))})(?![\w-])\s?|\.\s",
    re.IGNORECASE,
)
_FRONTED = re.compile(
    r"(?:at|in|on|since|after|with|during|by|au|aux|à|en|depuis|après|lors|dans|sur|avec|selon|d['’]après|according|pendant)\b",
    re.IGNORECASE,
)
_ENDED_BY = re.compile(r"\bend(?:s|ed)? (?:in|with|by)\b|\bterminée?s? (?:par|sur)\b|\bse terminent? par\b", re.IGNORECASE)
_VERB = re.compile(r"\b(?:is|are|was|were|be|took|takes?|needed|est|sont|était|étaient|pris|prend|demandé)\b", re.IGNORECASE)
_SUBJECT = re.compile(
    r"\b(?:service|site|page|api|monitor|moniteur|checks?|contrôles?|host|hôte|"  # words: models write it
    r"status|statut|http|name|nom|port|address|adresse|server|serveur|"
    r"responses?|réponses?|answers?|applications?|job|tâche|domain|domaine|nothing|rien|device|équipement|failures?|échecs?|figures?)\b|\w\.\w",
    re.IGNORECASE,
)
_BLANKED = ("link", "siblings", "history", "since_good", "duration")  # topics with words that would say more than they do
_ELLIPSIS = re.compile(r"\b(?:le sont|l['’]est|(?:are|is|do|does|did|were|was) (?:too|as well|so))\b", re.IGNORECASE)
# Verbs whose denial means what is said to be missing with them ("got no answer").
CARRIERS = frozenset({"receive", "send", "arrive", "found", "establish", "listed", "answer", "end", "begin", "use", "lasting", "able"})
_OF_STATUS = (3, 7)  # characters of a status or a range of them
_AGENT = re.compile(r"\b(?:by|par) (?:\w+ )?(?=\d{1,3}\.)", re.IGNORECASE)
_WHOLE_FIGURES = ("measure", "count", "status", "range")


@dataclass(frozen=True, slots=True)
class Clause:
    """What one clause says. `says` and `denies` are concepts; `missing` the things it says are not there; `denials` how often it denies."""

    text: str
    topics: frozenset[str]
    says: frozenset[str]
    denies: frozenset[str]
    missing: frozenset[str]
    denials: int
    figures: tuple[Claim, ...]
    subjects: frozenset[str] = field(default=frozenset())
    reason: bool = False  # it gives the reason for the clause before
    order: tuple[str, ...] = ()  # topics listed before the figures


@lru_cache(maxsize=1024)  # every sentence of a reply is held against the same facts
def clauses(text: str, language: str) -> tuple[Clause, ...]:
    """The clauses of a sentence, in order; one without a subject of its own has that of the clause before."""
    flat = _CONTRAST.sub(f" {MARK} ", _NEUTRAL.sub(lambda match: "·" * len(match[0]), _rewritten(text)))
    flat = _CONTRAST_FIRST.sub(rf"\2 {MARK} \1", flat)
    found: list[Clause] = []
    for part, reason in _parts(flat, language):
        one = _read(part, language, reason=reason)
        if found and _ELLIPSIS.search(part) and not one.says:
            one = replace(one, says=found[-1].says)
        if found and not _has_subject(one):
            before = found[-1].subjects
            one = replace(one, topics=one.topics | before, subjects=before | one.subjects)
        found.append(one)
    return tuple(found)


def unread(text: str) -> str:
    """What of a text is not read as a statement or a denial: only that needs a licence word by word."""
    for pattern in (*_CONCEPTS.values(), _AFTER, _ANYWHERE):
        text = pattern.sub(" ", text)
    return text


def _rewritten(text: str) -> str:
    """Without the words that would read as others: what waited expired, which no certificate did."""
    return _EXPIRED_WAIT.sub(r"\1 timed out", ranged(text.rstrip(". ")))


def _parts(text: str, language: str) -> Iterator[tuple[str, bool]]:
    """Pieces that say something; what says nothing by itself belongs to the piece after it, at the end to the one before."""
    pieces: list[tuple[str, bool]] = []
    held = ""
    for part, reason in _split(text):
        whole = f"{held} {part}".strip()
        fronted = not pieces and not held and _FRONTED.match(part) and not claims(part, language) and len(part) < len(text)
        if not fronted and _complete(part, language):
            pieces.append((whole, reason))
            held = ""
        else:
            held = whole
    if held:
        last, reason = pieces.pop() if pieces else ("", False)
        pieces.append((f"{last} {held}".strip(), reason))
    yield from pieces


def _split(text: str) -> Iterator[tuple[str, bool]]:
    reason = False
    for whole in _JOINT.split(text):
        start = 0
        for match in _REASON.finditer(whole or ""):
            yield whole[start : match.start()].strip(), reason
            start, reason = match.end(), True
        yield (whole or "")[start:].strip(), reason
        reason = False


def _complete(part: str, language: str) -> bool:
    if any(pattern.search(part) for pattern in _CONCEPTS.values()) or _VERB.search(part):
        return True
    if _ELLIPSIS.search(part) or (_AFTER.search(part) and any(pattern.search(part) for pattern in _THINGS.values())):
        return True
    found = claims(part, language)
    if any(one.kind in ("status", "range") for one in found):
        return True
    figured = any(one.kind in _WHOLE_FIGURES for one in found)
    return figured and any(pattern.search(part) for pattern in _TOPICS.values())


def _read(part: str, language: str, *, reason: bool) -> Clause:
    figures = tuple(claims(part, language))
    topics, rest = _topics(part)
    denials, starts = _denials(rest)
    said, denied, first = _said(rest, starts)
    if denials:
        said, denied = said - CARRIERS, denied | (said & CARRIERS)
    if _ENDED_BY.search(rest) and "maintenance" not in {name for name, _ in topics}:
        said.discard("end")  # a check that ended with a status says the status
    if any(one.kind in ("status", "range", "number") and len(value) in _OF_STATUS for one in figures for _, value in one.readings):
        said.discard("again")  # a status that came back has nothing to do with recovery
    missing = (
        {name for name, pattern in _THINGS.items() for match in pattern.finditer(rest) if _denied_at(match.start(), starts)}
        if denials
        else set()
    )
    addresses = {f"address:{value}" for one in figures if one.kind == "address" for _, value in one.readings}
    versions = {"version"} if any(one.kind == "version" for one in figures) else set()
    marked = frozenset(name for name, _ in topics) | addresses | versions
    before = frozenset(name for name, at in topics if at < first) | (
        addresses if first > len(part) // 4 or _AGENT.search(part) else frozenset()
    )
    order = _listed(part, topics)
    return Clause(part, marked, frozenset(said), frozenset(denied), frozenset(missing), denials, figures, before, reason, order)


def _listed(part: str, topics: list[tuple[str, int]]) -> tuple[str, ...]:
    """The topics in order where all of them come before the first digit: what follows may be a list of their figures."""
    digit = re.search(r"\d", part)
    places = sorted((at, name) for name, at in topics)
    places = [one for one in places if one[1] != "since_good"]
    return tuple(name for _, name in places) if digit and len(places) > 1 and places[-1][0] < digit.start() else ()


def _topics(part: str) -> tuple[list[tuple[str, int]], str]:
    """The topics with their places, and the text without the words of those whose words would say more than they do."""
    found: list[tuple[str, int]] = []
    rest = part
    for name, pattern in _TOPICS.items():
        for match in pattern.finditer(rest):
            found.append((name, match.start()))
            if name in _BLANKED or name.startswith("tie:") or match[0].lower() in ("first byte", "premier octet"):
                rest = rest[: match.start()] + "·" * len(match[0]) + rest[match.end() :]
    return found, rest


def _denials(rest: str) -> tuple[int, list[tuple[int, int]]]:
    """How often a clause denies, and the stretches in which it does."""
    spots = [(0, match.start()) for match in _ANYWHERE.finditer(rest)]
    spots += [(match.start(), match.start()) for match in (*_AFTER.finditer(rest), *_NE.finditer(rest))]
    if not spots:
        return 0, []
    if _NE_QUE.search(rest):
        spots = [spot for spot in spots if not _NE.match(rest, spot[1])]
    return _merged(rest, spots), [(start, len(rest)) for start, _ in spots]


def _merged(rest: str, spots: list[tuple[int, int]]) -> int:
    """The words of one denial (`ne … pas`, `aucun … n'`, `neither … nor`) count once."""
    count = len(spots)
    has_ne = len(_NE.findall(rest))
    french = len(re.findall(r"\b(?:pas|plus|aucune?s?|jamais|rien|ni|personne|guère|non)\b", rest, re.IGNORECASE)) if has_ne else 0
    if has_ne and french:
        count -= has_ne + french - max(1, has_ne)
    if (many := len(_NEITHER.findall(rest))) > 1:
        count -= many - 1
    if not has_ne and (many := len(_NI.findall(rest))) > 1:
        count -= many - 1
    return max(count, 1) if spots else 0


def _denied_at(place: int, stretches: list[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in stretches)


def _said(rest: str, stretches: list[tuple[int, int]]) -> tuple[set[str], set[str], int]:
    """What is said and what is denied, and where the first of them stands."""
    said, denied, first = set[str](), set[str](), len(rest)
    for name, pattern in _CONCEPTS.items():
        for match in pattern.finditer(rest):
            first = min(first, match.start())
            (denied if _denied_at(match.start(), stretches) else said).add(name)
    return said, denied, first


def _has_subject(clause: Clause) -> bool:
    """Whether something comes before what the clause says, so that it does not speak of the clause before."""
    return (
        bool(clause.subjects)
        or any(not _any_concept(clause.text[: match.start()]) for match in _SUBJECT.finditer(clause.text))
        or not (clause.says or clause.denies)
    )


def _any_concept(text: str) -> bool:
    return any(pattern.search(text) for pattern in _CONCEPTS.values())


def readings_of(found: tuple[Claim, ...]) -> frozenset[Reading]:
    """All that the figures may be read as."""
    return frozenset[Reading]().union(*(one.readings for one in found))
