"""What each fact allows a sentence to say: typed statements with their sign, what may be denied, and the figures with their roles.

A fact states what its own sentences state (read as a model's are), and what follows from its kind and its cause by the tables below.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vigie.report.facts import Fact, FactKind
from vigie.report.figures import Reading, readings
from vigie.report.rules import Hypothesis
from vigie.report.statements import MARK, Clause, clauses
from vigie.text import LANGUAGES, Pair

# What follows from a statement, by concept; a leading minus denies.
_FOLLOWS: dict[str, str] = {
    "refuse": "-accept -establish -reachable -succeed -open reject",
    "accept": "-refuse reachable establish open succeed answer",
    "-accept": "-establish -reachable",
    "work": "-down -fail succeed -affect reachable answer fault!",
    "down": "-work fail -succeed -reachable",
    "fail": "-succeed down -work",
    "-change": "same",
    "change": "-same",
    "expired": "-valid -renew -trust",
    "expires": "-expired valid",
    "-trust": "untrusted reject -valid",
    "-exist": "gone -resolve -found",
    "reset": "cut -succeed",
    "malformed": "-wellformed -valid",
    "other_name": "-match -valid",
    "empty": "",
}
# What the cause of a failure means; `x!` is a thing that is not there.
_FAILED = "down fail affect -work -succeed -recover -again"
_CAUSES: dict[str, str] = {
    "dns.": f"{_FAILED} -resolve -found affect",
    "dns.nxdomain": "-exist -found address! name! gone response!",
    "dns.no_answer": "address! -found",
    "dns.timeout": "-answer response! timeout slow",
    "dns.mismatch": "expected! answer receive send change",
    "tcp.": f"{_FAILED} connection! -establish -reachable -answer",
    "tcp.refused": "refuse -accept -open reject",
    "tcp.reset": "reset cut",
    "tcp.unreachable": "-answer -reachable",
    "timeout.": f"{_FAILED} timeout",
    "timeout.connect": "connection! -establish -accept -answer -reachable response! -receive",
    "timeout.tls": "establish -end",
    "timeout.first_byte": "byte! response! -answer -receive -send -arrive anything!",
    "timeout.total": "begin -end slow receive",
    "tls.": f"{_FAILED} reject receive send use",
    "tls.expired": "expired -valid -renew -trust",
    "tls.not_yet_valid": "-valid",
    "tls.hostname": "other_name -match -valid",
    "tls.untrusted": "-trust untrusted -valid",
    "tls.expiring": "expires valid",
    "http.": f"{_FAILED} answer receive send reachable arrive",
    "http.status": "expected! error",
    "http.protocol": "malformed -wellformed -valid",
    "http.empty_reply": "response! -answer -send -receive cut",
    "http.truncated": "-end begin",
    "content.": f"{_FAILED} answer receive send reachable found",
    "latency.": "slow answer receive",
    "icmp.": f"{_FAILED} -answer response!",
    "protocol.": f"{_FAILED} answer receive send expected!",
    "heartbeat.": _FAILED,
    "domain.": "expires",
}
# What a fact means beyond its words, by its name.
_NAMES: dict[str, str] = {
    "failures": f"{_FAILED} begin receive affect",
    "addresses": "resolve found send",
    "dns": "resolve answer succeed arrive end work receive",
    "connect": "establish succeed work reachable accept end",
    "tls": "succeed end establish work",
    "first_byte": "answer begin arrive reachable send receive work",
    "total": "end lasting",
    "size": "send lasting",
    "status": "receive send answer",
    "server": "answer send reachable arrive",
    "chain": "send receive",
    "version": "use",
    "contacted": "receive",
    "never_good": "-succeed -listed",
    "last_good": "succeed listed work answer reachable accept",
    "similar": "listed found first!",
    "owner": "belong",
    "pace": "change lasting",
    "self_signed": "self_signed -trust use",
    "days_left": "lasting",
}
_QUICK_MS = 1_000  # what took longer is not called quick
_PHASE_FINE = ("dns", "connect", "tls", "first_byte")  # what they mean beyond their words holds while they speak for the service
# Facts that belong to another matter than the failed check itself; a clause speaks of one matter.
_MATTERS: dict[FactKind, str] = {FactKind.CONTROL: "link", FactKind.CHANGE: "past"}
PAST = _MATTERS[FactKind.CHANGE]
_OWN_MATTER = (FactKind.SIBLINGS, FactKind.CONTEXT, FactKind.HISTORY)
CHECK, MEMBERS = "check", "members"
_STATUS_TOPICS = frozenset({"server", "body", "first_byte", "connection", "handshake", "application", "duration"})
# What causes and facts are about beyond their own words.
_CAUSE_TOPICS: dict[str, frozenset[str]] = {
    "dns": frozenset({"resolution", "response"}),
    "tcp": frozenset({"connection"}),
    "timeout": frozenset({"response"}),
    "timeout.connect": frozenset({"connection", "response"}),
    "timeout.tls": frozenset({"connection", "response", "handshake"}),
    "http": frozenset({"response"}),
    "content": frozenset({"response"}),
    "latency": frozenset({"response"}),
    "protocol": frozenset({"response"}),
    "icmp": frozenset({"response"}),
    "tls": frozenset({"certificate", "connection", "handshake"}),
}
_NAME_TOPICS: dict[str, frozenset[str]] = {
    "addresses": frozenset({"resolution"}),
    "tls": frozenset({"version"}),
    "connect": frozenset({"version"}),
    "resolver.second": frozenset({"resolution"}),
    "last_good": frozenset({"since_good"}),
} | dict.fromkeys(("status", "size", "first_byte", "server", "dns", "failures"), frozenset({"response"}))
_BESIDE: dict[str, frozenset[str]] = {
    "status": _STATUS_TOPICS,
    "failures": _STATUS_TOPICS,
    "first_byte": frozenset({"body", "server"}),
    "total": frozenset({"body", "server", "response"}),
    "version": frozenset({"handshake"}),
    "tls": frozenset({"connection"}),
}
_OWN_FAILURE = frozenset({"proxy", "firewall"})  # supposed to be the culprit: what the service does is not what they do
_OF_MEMBERS = frozenset({"siblings", "duration"})  # "in total" counts services here
_PAIR = frozenset({("number", "2")})
_CHANGED = re.compile(r"\b(?:from|de)\s(.{1,400}?)\s(?:to|à)\s(.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Licence:
    """What one fact allows. `also` are topics of clauses that its figures may be in; `old` and `new`, `wanted`: figures with a role."""

    fact: str
    matter: str
    topics: frozenset[str]
    says: frozenset[str]
    denies: frozenset[str]
    missing: frozenset[str]
    figures: frozenset[Reading] = frozenset()
    also: frozenset[str] = frozenset()
    anchors: frozenset[str] = frozenset()
    wanted: frozenset[Reading] = frozenset()
    old: frozenset[Reading] = frozenset()
    new: frozenset[Reading] = frozenset()
    words: str = ""
    bad: bool | None = None
    first: frozenset[Reading] = frozenset()  # when something was seen first, where it was seen more than once
    latest: frozenset[Reading] = frozenset()

    def instants(self, first: bool, latest: bool) -> frozenset[Reading]:
        """The times that a clause may speak of: the first one unless it says that it means the latest."""
        if first and latest:
            return self.first | self.latest
        return self.latest if latest else self.first


def licences(facts: Sequence[Fact], chosen: Hypothesis | None) -> tuple[Licence, ...]:
    """One of each cited fact, and one of the chosen hypothesis, whose words may be used as they stand."""
    found = [_of(fact) for fact in facts]
    topics = frozenset[str]().union(*(one.topics for one in found if one.matter == CHECK and one.bad))
    contacted = frozenset[str]().union(*(one.topics for one in found if one.fact == "contacted"))
    parts = _read(chosen.text) if chosen is not None else []
    found = [_widened(one, topics, contacted, _topics(parts) - topics) for one in found]
    found = _of_one_alert(_agreed(found, facts))
    if chosen is not None:
        says, denies, missing = _grown(parts, "")
        where = contacted | frozenset(one for one in topics if one.startswith("address:"))
        found.append(Licence("hypothesis", CHECK, _topics(parts) | where, says, denies, missing, words=" ".join(chosen.text).lower()))
    return tuple(found)


def _read(pair: Pair) -> list[Clause]:
    return [clause for text, language in zip(pair, LANGUAGES, strict=True) for clause in clauses(text, language)]


def _widened(one: Licence, failing: frozenset[str], contacted: frozenset[str], supposed: frozenset[str]) -> Licence:
    """The count and the beginning of failures belong to whatever failed; what failed, failed at the address that was contacted."""
    if one.matter != CHECK:
        return one
    more = failing if one.fact == "failures" else frozenset[str]()
    more |= contacted if one.fact in ("cause", "failures", "status") else frozenset()
    also = one.also | supposed | (failing if one.fact == "contacted" else frozenset())
    return replace(one, topics=one.topics | more | (supposed - _OWN_FAILURE), also=also)


def _agreed(found: Sequence[Licence], facts: Sequence[Fact]) -> list[Licence]:
    """What fails for the system's resolver and for the second one alike may be said of both."""
    causes = {str(fact.evidence.value) for fact in facts if fact.evidence.name == "cause"}
    seconds = {str(fact.evidence.value) for fact in facts if fact.evidence.name.startswith("resolver.") and fact.evidence.bad}
    if not causes & seconds:
        return list(found)
    return [
        replace(one, topics=one.topics | {"resolver"}, words=f"{one.words} both les deux", figures=one.figures | _PAIR)
        if one.fact == "cause"
        else one
        for one in found
    ]


def _of_one_alert(found: Sequence[Licence]) -> list[Licence]:
    """The facts about the services of the alert speak of the same services: of their number, their names and their times."""
    topics, anchors = (
        frozenset[str]().union(*(getattr(one, side) for one in found if one.matter == MEMBERS)) for side in ("topics", "anchors")
    )
    return [replace(one, topics=topics, anchors=anchors) if one.matter == MEMBERS else one for one in found]


def _of(fact: Fact) -> Licence:
    evidence = fact.evidence
    parts = _read(evidence.pair)
    cause = str(evidence.value) if evidence.name == "cause" else ""
    family = cause.partition(".")[0]
    extra = f"{_CAUSES.get(family + '.', '')} {_CAUSES.get(cause, '')}" if cause and not cause.startswith("probe.") else ""
    name = evidence.name
    if name in _NAMES and evidence.kind is not FactKind.CHANGE and not (name in _PHASE_FINE and evidence.bad):
        extra += f" {_NAMES[name]}"
    if name.startswith("address."):
        extra += " affect" if evidence.bad else " work"
    if name.startswith("resolver.") and evidence.bad:
        extra += f" {_CAUSES.get(str(evidence.value), '')}"
    if name.startswith("members."):
        extra += f" {_FAILED} begin"
    if evidence.kind is FactKind.TIMINGS:
        extra += " fast -slow" if isinstance(evidence.value, int | float) and evidence.value < _QUICK_MS else ""
    if evidence.kind is FactKind.CHANGE:
        extra += f" {_NAMES.get(name, 'succeed')} succeed" if name != "never_good" else f" {_NAMES[name]}"
    says, denies, missing = _grown(parts, extra)
    own = frozenset[str]().union(*(part.says | part.denies for part in parts)) - {"succeed"}
    figures, wanted, old, new = _figures(evidence.pair, evidence.renderings)
    matter = _matter(name, evidence.kind)
    topics = _topics(parts) | _CAUSE_TOPICS.get(cause, _CAUSE_TOPICS.get(family, frozenset())) | _NAME_TOPICS.get(name, frozenset())
    topics |= _OF_MEMBERS if matter == MEMBERS else frozenset()
    anchors = _anchors(name, matter, own | (says | denies if evidence.kind is FactKind.SIBLINGS else frozenset()))
    first, latest = _times(evidence.pair) if name == "members.times" else (frozenset[Reading](), frozenset[Reading]())
    return Licence(
        name, matter, topics, says, denies, missing, figures, also=_also(name, cause), anchors=anchors, wanted=wanted, old=old, new=new,
        words=f"{evidence.fr} {evidence.en}".lower(), bad=evidence.bad,
        first=first, latest=latest,
    )  # fmt: skip


def _matter(name: str, kind: FactKind) -> str:
    if name.startswith("members."):
        return MEMBERS
    return name if kind in _OWN_MATTER else _MATTERS.get(kind, CHECK)


def _times(pair: Pair) -> tuple[frozenset[Reading], frozenset[Reading]]:
    """The first and the latest time of a fact that gives both; the same where it gives one."""
    parts = [text.partition(", ") for text in pair]
    first = frozenset[Reading]().union(*(readings(one, language) for (one, _, _), language in zip(parts, LANGUAGES, strict=True)))
    latest = frozenset[Reading]().union(*(readings(one, language) for (_, _, one), language in zip(parts, LANGUAGES, strict=True)))
    return first, latest or first


def _also(name: str, cause: str) -> frozenset[str]:
    return _STATUS_TOPICS if cause.startswith("http.") else _BESIDE.get(name, frozenset())


def _anchors(name: str, matter: str, own: frozenset[str]) -> frozenset[str]:
    """What a clause with a figure of the fact must say or deny: a date alone may be of anything."""
    if name == "last_good":
        return frozenset({"succeed", "change", "same", "work", "answer", "reachable", "accept"})
    if name == "days_left":
        return own | {"valid", "renew", "expired", "expires"}
    return own if matter not in (CHECK, "link", "past") and name != "similar" else frozenset()


def _topics(parts: Sequence[Clause]) -> frozenset[str]:
    return frozenset[str]().union(*(part.topics for part in parts))


def _grown(parts: Sequence[Clause], extra: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """What is said, denied and missing, with all that follows."""
    todo = [one for part in parts for one in (*part.says, *(f"-{name}" for name in part.denies), *(f"{name}!" for name in part.missing))]
    todo += extra.split()
    found: set[str] = set()
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += _FOLLOWS.get(one, "").split()
    said = frozenset(one for one in found if one[0] != "-" and one[-1] != "!")
    return said, frozenset(one[1:] for one in found if one[0] == "-"), frozenset(one[:-1] for one in found if one[-1] == "!")


def _figures(pair: tuple[str, str], renderings: Sequence[str]) -> tuple[frozenset[Reading], ...]:
    """All figures of a fact; those that were wanted instead; and the old and the new ones of a change."""
    every, wanted, old, new = set[Reading](), set[Reading](), set[Reading](), set[Reading]()
    for text, language in zip(pair, ("fr", "en"), strict=True):
        every |= readings(text, language)
        for rendering in renderings:
            every |= readings(rendering, language)
        for part in clauses(text, language):
            if MARK in part.text:
                wanted |= readings(part.text.partition(MARK)[2], language)
        if match := _CHANGED.search(text.rstrip(".")):
            old |= readings(match[1], language)
            new |= readings(match[2], language)
    return frozenset(every), frozenset(wanted), frozenset(old - new), frozenset(new - old)
