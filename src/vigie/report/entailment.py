"""Whether the facts that a sentence cites bear out what it states: nothing said, denied, counted, compared or explained beyond them.

Each clause has to be borne by the facts of one matter (the failed check, Vigie's link, one group of siblings, the past, …): a sentence that
takes a figure from one and a verb from another says something that nobody measured.
"""

import re
from collections.abc import Sequence

from vigie.report import lexicon
from vigie.report.facts import Fact
from vigie.report.figures import Claim, Reading, readings
from vigie.report.licences import CHECK, MEMBERS, PAST, Licence, licences
from vigie.report.rules import Hypothesis
from vigie.report.statements import CARRIERS, MARK, Clause, any_of, clauses, readings_of
from vigie.text import concepts, numbers

_REASON_PRECEDES, _REASON_NOUNS = any_of(concepts.REASON_PRECEDES), any_of(concepts.REASON_NOUNS)
_ONLY, _ALL, _SOME, _COMPARES, _EXCEPTS = (
    any_of(words) for words in (concepts.ONLY, concepts.ALL, concepts.SOME, concepts.COMPARES, concepts.EXCEPTS)
)
_TURNED = any_of(concepts.TURNED)
_UNTIL, _AFTER, _EXPECTS, _OUTSIDE, _INSIDE = (
    any_of(words) for words in (concepts.UNTIL, concepts.AFTER, concepts.EXPECTS, concepts.OUTSIDE, concepts.INSIDE)
)
_UP, _DOWN, _FIRST, _LAST, _NOW = (
    any_of(words) for words in (concepts.INCREASES, concepts.DECREASES, concepts.FIRST, concepts.LAST, concepts.NOW)
)
_OLD, _ADDED, _REMOVED = (any_of(words) for words in (concepts.OLD, concepts.ADDED, concepts.REMOVED))
_UNIT = "|".join((*numbers.SPANS, *numbers.UNITS))
_NEXT_IS_MEASURE = re.compile(
    rf"^(?:\W+\w+){{0,2}}?\W+(?:\d[\d ,.\u202f\u00a0]*\s?(?:{_UNIT})s?(?!\w)"
    r"|(?:with |by |avec |par )?(?:the |le |un |a )?(?:status |statut )?http)",
    re.IGNORECASE,
)
_NE_QUE = re.compile(r"\bn(?:e\s|['’])(?!.{0,120}\b(?:pas|plus|aucune?|jamais|rien|ni)\b).{1,40}?\s(?:que\s|qu['’])", re.IGNORECASE)
_ADDRESS = re.compile(r"\b(?:address|adresse)\b", re.IGNORECASE)
_LOOKED = re.compile(r"\b(?:checked|tested|asked|queried|consulted|vérifiée?s?|contrôlée?s?|interrogée?s?|consultée?s?)\b", re.IGNORECASE)
_LATER = re.compile(r"\b(?:after|après)\b(?!(?:\W+\w+){0,5}?\W+\d)", re.IGNORECASE)
_ONE_OF_TWO = re.compile(r"\b(?:one of the|une des|l'une des) (?:\d|two|deux) ad?dress", re.IGNORECASE)
_OF_NAME = re.compile(r"\b(?:name|nom|domaine?)\b", re.IGNORECASE)
_ORIGIN = re.compile("à l'origine", re.IGNORECASE)
_SEEN_GOOD = frozenset({"work", "answer", "reachable", "accept"})
_PAST_TENSE = re.compile(r"\b(?:was|were|\w+ed|\w{2,}ait|a (?:répondu|fonctionné))\b", re.IGNORECASE)
_SINCE = re.compile(r"\b(?:since|from|depuis|dès|à partir)\b", re.IGNORECASE)
_OTHER = re.compile(r"\b(?:others?|autres?)\b", re.IGNORECASE)
_OF_CHECKS = re.compile(r"check|contrôle|attempt|tentative", re.IGNORECASE)
_PART = re.compile(r"\b(?:(?:some|part) of the|une partie des) (?:\S+ )?ad?dress", re.IGNORECASE)
_PAIR = re.compile(r"\b(?:both|les deux)\b", re.IGNORECASE)
_SINGLE = re.compile(r"\b(?:un seul|une seule|a single)\b", re.IGNORECASE)
# What a clause may not be about without saying anything that can be held against facts.
_MUST_SAY = frozenset({"zone", "resolver", "certificate", "link", "siblings", "connection", "handshake", "maintenance"})
_FROM_TO = re.compile(r"\b(?:from\s|de\s|d['’])(.{1,320}?)\s(?:to|à|en)\s(.+)", re.IGNORECASE)
_TO = re.compile(r"\b(?:went|gone|passée?s?|changed)\s(?:to|à)\s", re.IGNORECASE)
_WINDOW = re.compile(
    r"\b(?:last|past|previous|derni\w{1,6}|précéd\w{1,6})\s\d|\d\s(?:derni|précéd)|\b(?:en|sur)\s\d{1,4}\sjours?", re.IGNORECASE
)
_AHEAD = re.compile(r"\b(?:in|dans)\s\d+\s(?:day|jour|hour|heure|week|semaine|minute)s?\b", re.IGNORECASE)
_TIMES = ("time", "date")
# What is true of a part (a link, a phase, another monitor) while the service itself, of which a clause without a topic speaks, fails.
_OF_THE_WHOLE = {"says": ("work", "succeed"), "denies": ("fail", "down", "affect"), "missing": ("fault",)}


def broken(text: str, facts: Sequence[Fact], chosen: Hypothesis | None, host: str, language: str) -> str:
    """The first rule that a sentence breaks against its facts; empty when they bear it out."""
    allowed = licences(facts, chosen)
    own = readings(host, language)
    parts = clauses(text, language)
    for clause in parts:
        if fault := _clause_fault(clause, allowed, own, language):
            return fault
    states = {one.bad for one in allowed if one.fact.startswith("address.")}
    supposed = chosen is not None and _PART.search(" ".join(chosen.text))
    if (_ONE_OF_TWO.search(text) or _PART.search(text)) and len(states) < 2 and not supposed:
        return "quantity"  # what holds for all is not said of one
    return _reason_fault(parts, allowed, facts, chosen)


def _clause_fault(clause: Clause, allowed: Sequence[Licence], own: frozenset[Reading], language: str) -> str:
    if clause.denials > 1:
        return "negation"
    if clause.denials and _REASON_NOUNS.search(clause.text):
        return _blameless_fault(clause, allowed, own)
    faults = []
    for matter in dict.fromkeys(one.matter for one in allowed):
        found = [one for one in allowed if one.matter == matter]
        fault = _matter_fault(clause, found, own, language) or _quantity_fault(clause, found, allowed)
        if not fault:
            return ""
        faults.append(fault)
    return next((one for one in faults if one not in ("claim", "mixed")), faults[0] if faults else "claim")


def _blameless_fault(clause: Clause, allowed: Sequence[Licence], own: frozenset[Reading]) -> str:
    """That something is not the reason is borne by a fact that speaks for it; what is not explained may be of any cited fact."""
    figures = all(one.readings & own or any(one.readings & giver.figures for giver in allowed) for one in clause.figures)
    speakers = [one for one in allowed if one.bad is False]
    subjects = (clause.subjects or clause.topics) - {"response"}
    unmoved = {"change"} if any("change" in one.denies for one in speakers) else set()
    told = frozenset[str]().union(*(one.says for one in allowed if one.bad))  # what there is to explain
    cleared = bool(speakers) and all(any(topic in one.topics for one in speakers) for topic in subjects)
    return "" if figures and cleared and not clause.says - CARRIERS - {"error"} - unmoved - told else "negation"


def _matter_fault(clause: Clause, found: Sequence[Licence], own: frozenset[Reading], language: str) -> str:
    """What the facts of one matter do not bear out in a clause."""
    topics = frozenset(one for one in clause.topics if one not in {f"address:{value}" for _, value in own})
    for concept in sorted(clause.says):
        if not _borne(concept, topics, found, "says"):
            turned = any(concept in one.denies for one in found)
            return "change" if concept in ("change", "same") else "polarity" if turned else "claim"
    silent = not (clause.says or clause.denies or clause.missing or clause.reason or [one for one in clause.figures if one.kind != "host"])
    if (
        silent
        and found[0].matter != MEMBERS
        and topics & _MUST_SAY
        and not _REASON_NOUNS.search(clause.text)
        and not _LOOKED.search(clause.text)
    ):
        return "claim"
    if (
        "exist" in clause.says | clause.denies
        and "resolver" in topics
        and not (_OF_NAME.search(clause.text) or any(one.readings & own for one in clause.figures))
    ):
        return "claim"  # a name exists or not, a resolver does
    if _TURNED.search(clause.text) or ("other_name" in clause.says and "certificate" not in topics):
        return "claim"
    if found[0].matter == PAST and clause.says & _SEEN_GOOD and not _seen_then(clause, found):
        return "claim"
    if clause.denials and (fault := _denial_fault(clause, topics, found, own)):
        return fault
    return _figure_fault(clause, topics, found, own, language)


def _seen_then(clause: Clause, found: Sequence[Licence]) -> bool:
    """Whether it is told in the past, of the time of the last successful check."""
    seen = [one for one in found if one.fact == "last_good"]
    times = [one for one in clause.figures if one.kind in _TIMES]
    return bool(times and seen) and _PAST_TENSE.search(clause.text) is not None and not _SINCE.search(clause.text)


def _borne(concept: str, topics: frozenset[str], found: Sequence[Licence], side: str) -> bool:
    """Whether facts say (or deny) it of every topic of the clause."""
    sayers = [one for one in found if concept in getattr(one, side)]
    if not topics and concept in _OF_THE_WHOLE.get(side, ()) and any(one.matter != PAST for one in sayers):
        return False
    topics = topics - {"response"} if concept == "lasting" else topics
    return bool(sayers) and all(any(topic in one.topics for one in sayers) for topic in topics)


def _denial_fault(clause: Clause, topics: frozenset[str], found: Sequence[Licence], own: frozenset[Reading]) -> str:
    """A denial needs the fact that denies this very thing."""
    wanted = frozenset[Reading]().union(*(one.wanted for one in found))
    stated = [one for one in clause.figures if one.kind in ("status", "range") and not one.readings & own]
    if any(not one.readings & wanted for one in stated):
        return "negation"
    denied = {concept for concept in clause.denies if _borne(concept, topics, found, "denies")}
    for concept in clause.denies - denied - CARRIERS:
        return "polarity" if any(concept in one.says for one in found) else "negation"
    missing = {thing for thing in clause.missing if _borne(thing, topics, found, "missing")}
    if _EXPECTS.search(clause.text) or (stated and wanted):
        missing |= {"expected"} if any("expected" in one.missing for one in found) else set()
    if denied - {"listed"} or missing:
        return ""
    if denied & {"change"} or ("same" in denied):
        return ""
    return "change" if clause.denies & {"change", "same"} else "negation"


def _figure_fault(clause: Clause, topics: frozenset[str], found: Sequence[Licence], own: frozenset[Reading], language: str) -> str:
    """Every figure is one of a fact that is about this very thing, in the role that it has there."""
    spans = [one for one in clause.figures if one.kind == "measure"]
    if 1 < len(spans) == len(clause.order) == len(clause.figures):  # each has its own
        pairs = zip(clause.order, spans, strict=True)
        own_each = all(any(topic in one.topics and span.readings & one.figures for one in found) for topic, span in pairs)
        return _role_fault(clause, found, language) if own_each else "mixed"
    for figure in clause.figures:
        if figure.readings & own:
            continue
        givers = [one for one in found if figure.readings & one.figures]
        fits = [one for one in givers if topics <= one.topics | one.also or (one.fact == "hypothesis")]
        if not fits:
            return "mixed"
        said = clause.says | clause.denies
        if all(
            one.anchors and not one.anchors & said and not ("since_good" in topics and one.fact == "last_good") and not _left(clause, one)
            for one in fits
        ):
            return "mixed"
        if clause.denials and figure.kind in ("measure", "count") and not any(_denies_too(one, clause) for one in fits):
            return "mixed"
        if figure.kind in _TIMES and (fault := _time_fault(clause, figure, fits)):
            return fault
        if (
            _AHEAD.search(clause.text)
            and any(kind == "span" for kind, _ in figure.readings)
            and not any("expires" in one.says for one in fits)
        ):
            return "mixed"
        if (
            all(one.fact == "similar" for one in fits)
            and any(kind == "span" for kind, _ in figure.readings)
            and not _WINDOW.search(clause.text)
        ):
            return "mixed"
    return _role_fault(clause, found, language)


def _denies_too(one: Licence, clause: Clause) -> bool:
    """Whether the fact of a figure denies what the clause denies: "not valid for 90 days" is nothing that "expires in 90 days" says."""
    return bool(clause.denies & one.denies or clause.missing & one.missing) or one.fact == "failures" or one.matter != CHECK


def _left(clause: Clause, one: Licence) -> bool:
    return one.fact == "days_left" and re.search(r"\b(?:left|remain\w*|reste\w*)\b", clause.text, re.IGNORECASE) is not None


def _time_fault(clause: Clause, figure: Claim, fits: Sequence[Licence]) -> str:
    """A time is when something began or was seen; "until" and "before" are for what was good till then."""
    spans = [one for one in fits if one.first]
    said = _FIRST.search(clause.text) is not None, _LAST.search(clause.text) is not None
    if (spans and not any(figure.readings & one.instants(*said) for one in spans)) or _AFTER.search(clause.text):
        return "mixed"
    if _UNTIL.search(clause.text) and not any(one.fact == "last_good" or (one.fact == "days_left" and one.bad is False) for one in fits):
        return "mixed"
    return ""


def _role_fault(clause: Clause, found: Sequence[Licence], language: str) -> str:
    """Got and wanted, old and new keep their places."""
    wanted = frozenset[Reading]().union(*(one.wanted for one in found))
    got = frozenset[Reading]().union(*(one.figures - one.wanted for one in found))
    old, new = (frozenset[Reading]().union(*(getattr(one, side) for one in found)) for side in ("old", "new"))
    before, mark, after = clause.text.partition(MARK)
    first, second = readings(before, language), readings(after, language)
    if mark:
        if second and not second & (wanted | old):
            return "role"
        if first & (wanted - got) or (first & (old - new) and not first & new):
            return "role"
        return ""
    said = readings_of(clause.figures)
    if _INSIDE.search(clause.text) and not clause.denials:
        return "role"
    if (
        _EXPECTS.search(clause.text)
        and not clause.denials
        and (not said & wanted or (said & (got - wanted) and not _OUTSIDE.search(clause.text) and _statuses(clause)))
    ):
        return "role"
    if said & (wanted - got) and not clause.denials and not (_EXPECTS.search(clause.text) or _OUTSIDE.search(clause.text)):
        return "role"
    return _change_fault(clause, old, new, found, language)


def _statuses(clause: Clause) -> bool:
    return sum(1 for one in clause.figures if one.kind in ("status", "range", "number")) > 1


def _change_fault(clause: Clause, old: frozenset[Reading], new: frozenset[Reading], found: Sequence[Licence], language: str) -> str:
    """From the old to the new, and upwards only where it rose."""
    said = readings_of(clause.figures)
    elsewhere = frozenset[Reading]().union(*(one.figures for one in found if not one.old and not one.new))
    turned = [_size(old), _size(new)]
    if (_UP.search(clause.text) or _DOWN.search(clause.text)) and "change" in clause.says:
        if None in turned or not (old and new):
            return "role"
        rose = turned[1] > turned[0]  # type: ignore[operator]  # neither is None
        if bool(_UP.search(clause.text)) is not rose:
            return "role"
    if (_ADDED.search(clause.text) or _REMOVED.search(clause.text)) and any(one.kind == "address" for one in clause.figures):
        side = old if _REMOVED.search(clause.text) else new
        return "" if all(one.readings & side for one in clause.figures if one.kind == "address") else "role"
    if not said & ((old | new) - elsewhere):
        return ""
    if match := _FROM_TO.search(clause.text):
        first, second = readings(match[1], language), readings(match[2], language)
        if second & new and not first & new and not second & (old - new):
            return ""
        return "role"
    if (_NOW.search(clause.text) or _TO.search(clause.text)) and said & new and not said & old:
        return ""
    return "" if ("succeed" in clause.says or _OLD.search(clause.text)) and said & old and not said & new else "role"


def _size(found: frozenset[Reading]) -> float | None:
    sizes = [float(value) for kind, value in found if kind == "span" or kind.startswith("unit:")]
    return sizes[0] if len(sizes) == 1 else None


def _quantity_fault(clause: Clause, found: Sequence[Licence], allowed: Sequence[Licence]) -> str:
    """Only, all, some, more than: what they count must be what the fact counts."""
    words = " ".join(one.words for one in found)
    if found[0].matter == MEMBERS and _OTHER.search(clause.text) and _counted(clause):
        return "quantity"  # the service itself is one of them
    for match in (*_COMPARES.finditer(clause.text), *_EXCEPTS.finditer(clause.text)):
        if match[0].lower() not in words:
            return "quantity"
    if any(match[0].lower() not in words for match in _ALL.finditer(clause.text)) and not _counts_all(clause, found):
        return "quantity"
    if any(match[0].lower() not in words for match in _SOME.finditer(clause.text)) and (
        clause.topics & {"siblings", "addresses"} or _counted(clause) or _ADDRESS.search(clause.text)
    ):
        return "quantity"
    if clause.denials and _SINGLE.search(clause.text):
        return ""  # "not a single one" counts nothing
    only = _ONLY.search(clause.text) or _NE_QUE.search(clause.text)
    if only and only[0].lower() not in words and not _only_fits(clause, only, allowed):
        return "quantity"
    if any(match[0].lower() not in words for match in _LATER.finditer(clause.text)):
        return "quantity"  # after what? an order of events is known only where times are given
    timed = any(one.kind in _TIMES for one in clause.figures)
    if not timed and any(match[0].lower() not in words for match in _UNTIL.finditer(clause.text)):
        return "quantity"
    if _FIRST.search(clause.text) and found[0].matter != CHECK and "premier" not in words and "first" not in clause.missing:
        return "quantity"
    latest = _LAST.search(clause.text) and found[0].matter == CHECK and not _counted(clause)
    return "quantity" if latest and ("fail" in clause.says or timed) else ""  # since when is known, not when it was last seen


def _counted(clause: Clause) -> list[Claim]:
    return [one for one in clause.figures if any(kind.startswith("count:") for kind, _ in one.readings)]


def _counts_all(clause: Clause, found: Sequence[Licence]) -> bool:
    """All of a number that the fact counts whole; of addresses only what each is known of."""
    counted = [one for one in clause.figures if any(kind.startswith("count:") or kind == "number" for kind, _ in one.readings)]
    whole = [one for one in found if one.fact == "failures" or one.fact.startswith(("siblings.", "members."))]
    if "siblings" in clause.topics and not counted:  # "both other monitors at this address"
        return all(_all_tied(clause, one) for one in whole) and bool(whole)
    if any(one.fact == "failures" and figure.readings & one.figures for figure in clause.figures if figure.kind == "time" for one in whole):
        return _OF_CHECKS.search(clause.text) is not None  # each since then
    return "addresses" not in clause.topics and any(figure.readings & one.figures for figure in counted for one in whole)


def _all_tied(clause: Clause, one: Licence) -> bool:
    """Whether all the monitors with the tie of a fact are meant: the tie is named, and "both" are two."""
    pair = _PAIR.search(clause.text) is None or ("number", "2") in one.figures
    return pair and any(topic.startswith("tie:") and topic in one.topics for topic in clause.topics)


def _only_fits(clause: Clause, only: re.Match[str], allowed: Sequence[Licence]) -> bool:
    """Only so many ms or bytes, or only this service where others are seen to work."""
    if _NEXT_IS_MEASURE.match(clause.text[only.end() :].rjust(1)) or _NEXT_IS_MEASURE.match(f" {clause.text[only.end() :]}"):
        return True
    if "certificate" in clause.topics and any("1 certifica" in one.words for one in allowed):
        return True
    if where := {topic for topic in clause.topics if topic.startswith("address:")}:
        return _only_there(clause, where, allowed)
    others_work = any(one.matter.startswith("siblings.") and "work" in one.says for one in allowed)
    return others_work and not clause.topics & {"siblings", "resolver", "addresses", "link"} and not _counted(clause)


def _only_there(clause: Clause, where: set[str], allowed: Sequence[Licence]) -> bool:
    """Only this address: of every other one that is cited, it is denied."""
    others = [one for one in allowed if one.fact.startswith("address.") and not where & one.topics]
    said = clause.says - CARRIERS
    return bool(others and said) and all(said <= one.denies for one in others)


def _reason_fault(parts: Sequence[Clause], allowed: Sequence[Licence], facts: Sequence[Fact], chosen: Hypothesis | None) -> str:
    """A reason is the cause that was found, or what the chosen hypothesis rests on; nothing else is known to be one."""
    known = {
        fact.evidence.name
        for fact in facts
        if fact.evidence.name in ("cause", "status", "self_signed")
        or (chosen and fact.id in chosen.facts)
        or (fact.evidence.name.startswith("address.") and fact.evidence.bad)
    }
    reasons = [one for one in allowed if one.fact in known or one.fact == "hypothesis"]
    for clause in parts:
        if (match := _REASON_PRECEDES.search(clause.text)) and not clause.denials and not _hypothesis_precedes(clause, match, chosen):
            return "cause"
        if clause.reason and not _reason_known(clause, reasons):
            return "cause"
        if _REASON_NOUNS.search(clause.text) and not clause.denials and not _names_known(clause, reasons):
            return "cause"
    return ""


def _hypothesis_precedes(clause: Clause, match: re.Match[str], chosen: Hypothesis | None) -> bool:
    """Of “X is at the origin of it”: what comes first is what the chosen hypothesis names, and no other cause."""
    before, named = clause.text[: match.start()], " ".join(chosen.text) if chosen else ""
    causes = [pattern for pattern in lexicon.CAUSES.values() if pattern.search(before)]
    return bool(_ORIGIN.fullmatch(match[0]) and causes) and all(pattern.search(named) for pattern in causes)


def _reason_known(clause: Clause, reasons: Sequence[Licence]) -> bool:
    figures = [one for one in clause.figures if not any(one.readings & giver.figures for giver in reasons)]
    own = all(any(concept in one.says for one in reasons) for concept in clause.says)
    denied = all(any(concept in one.denies for one in reasons) or concept in CARRIERS for concept in clause.denies)
    about = clause.topics <= frozenset[str]().union(*(one.topics for one in reasons))
    return own and denied and about and not [one for one in figures if one.kind != "host"]


def _names_known(clause: Clause, reasons: Sequence[Licence]) -> bool:
    topics = frozenset[str]().union(*(one.topics for one in reasons))
    return clause.topics <= topics
