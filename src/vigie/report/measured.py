"""What a check itself measured, as facts, and the bundle of all evidence of an incident."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from vigie.core.detection import Pattern
from vigie.core.model import LOCAL, Cause, HttpFacts, Scalar
from vigie.report import locations
from vigie.report.changes import TLS_VERSIONS, changes, product, self_signed
from vigie.report.facts import Bundle, Evidence, Fact, FactKind, Subject
from vigie.report.members import Group
from vigie.report.together import common_figures, tie_words
from vigie.report.wording import NAMED, both, cause_words, count_of, days_of, forms, listed, printable, took
from vigie.text import LANGUAGES, Pair, facts
from vigie.text import members as texts
from vigie.text.formatting import clock_time, date_time, grouped, sayable, timestamp

_MAX_WAIT_DIGITS = 6
_MAX_CAUSES, _NAME = 3, 40
_NOT_LOOKED = ("check", "memory")  # sources of evidence that contact nothing


class _Maker:
    """Collects the evidence that a check itself measured."""

    def __init__(self, subject: Subject, zone: tzinfo) -> None:
        self.subject, self.zone = subject, zone
        self.cause = subject.result.cause or subject.incident.cause
        self.found: list[Evidence] = []

    def add(
        self,
        kind: FactKind,
        name: str,
        value: Scalar,
        pair: Pair,
        *,
        unit: str = "",
        bad: bool | None = None,
        tainted: bool = False,
    ) -> None:
        """One more; `pair` is its (French, English) sentence."""
        at = self.subject.result.at
        self.found.append(Evidence(kind, name, value, *pair, at=at, source="check", unit=unit, tainted=tainted, bad=bad))


def bundle(subject: Subject, evidence: Sequence[Evidence], made_at: int, zone: tzinfo, location: str = LOCAL) -> Bundle:
    """Number what the check measured, then what the collectors brought, in a steady order. They looked from `location`."""
    maker = _Maker(subject, zone)
    for add in (
        _check_facts,
        _location_facts,
        _member_facts,
        _change_facts,
        _timing_facts,
        _address_facts,
        _http_facts,
        _page_facts,
        _tls_facts,
    ):
        add(maker)
    looked = [one for one in evidence if one.source not in _NOT_LOOKED]
    evidence = [*evidence, locations.diagnosed(location, made_at)] if subject.seen and looked else evidence
    kinds = list(FactKind)
    brought = sorted(_current(evidence, subject), key=lambda one: (kinds.index(one.kind), one.name))
    numbered = tuple(Fact(f"F{number}", one) for number, one in enumerate([*_first(maker.found), *brought, *_then(maker.found)], 1))
    return Bundle(subject.incident.id, made_at, numbered)


def _current(evidence: Sequence[Evidence], subject: Subject) -> list[Evidence]:
    """Without what was seen of other monitors before the last of them failed."""
    last = max((one.incident.started_at for one in subject.members), default=0)
    return [one for one in evidence if one.kind is not FactKind.SIBLINGS or one.at >= last]


# A prompt that is too long loses facts from its tail, so what tells least comes last.
_TAIL = (FactKind.TIMINGS, FactKind.HTTP)


def _first(found: Sequence[Evidence]) -> list[Evidence]:
    return [one for one in found if one.kind not in _TAIL or one.bad]


def _then(found: Sequence[Evidence]) -> list[Evidence]:
    return [one for one in found if one.kind in _TAIL and not one.bad]


def _check_facts(maker: _Maker) -> None:
    subject, cause = maker.subject, maker.cause
    fr, en = (cause_words(cause, subject.result.figures, language) for language in LANGUAGES)
    what = subject.monitor.host or subject.monitor.name
    pair = both(facts.CAUSE, what=what, observed=(fr, en), cause=cause)
    maker.add(FactKind.CHECK, "cause", cause.value, pair, bad=None if cause.own else True)
    template = _failed(subject)
    pair = both(template, count=subject.failures, since=clock_time(subject.incident.started_at, maker.zone))
    maker.add(FactKind.CHECK, "failures", subject.failures, pair, bad=True)


def _location_facts(maker: _Maker) -> None:
    maker.found += locations.evidence(maker.subject, maker.zone)


def _member_facts(maker: _Maker) -> None:
    """The other services of the alert: how many, with which causes, since when, and the first of them by name."""
    group = Group.of(maker.subject)
    if not group.several:
        return
    services, (cause, common) = group.services, group.causes[0]
    count = tuple(grouped(len(services), language) for language in LANGUAGES)
    tie = tuple(tie_words(group, language) for language in LANGUAGES)
    whats = {one: _cause_of(one, common_figures(group, maker.subject, one)) for one, _ in group.causes[:_MAX_CAUSES]}
    name = f"members.{group.tie[0] if group.tie else 'count'}"
    pair = both(texts.COUNT if common == len(services) else texts.COUNT_ALONE, count=count, tie=tie, what=whats[cause])
    maker.add(FactKind.SIBLINGS, name, len(services), pair, bad=True)
    if common < len(services):
        for one, number in group.causes[:_MAX_CAUSES]:
            maker.add(
                FactKind.SIBLINGS, f"members.{one}", number, both(forms(texts.OF_CAUSE, number), count=number, what=whats[one]), bad=True
            )
    first, last = (clock_time(one.started_at, maker.zone) for one in (services[0], services[-1]))
    maker.add(
        FactKind.SIBLINGS, "members.times", first, both(texts.TIMES if first != last else texts.ONE_TIME, first=first, last=last), bad=True
    )
    names = tuple(listed([printable(one.name, _NAME) for one in services[:NAMED]], language) for language in LANGUAGES)
    maker.add(FactKind.SIBLINGS, "members.names", names[1], both(texts.NAMES, names=names))


def _cause_of(cause: Cause, figures: Mapping[str, Scalar]) -> Pair:
    return cause_words(cause, figures, "fr"), cause_words(cause, figures, "en")


def _failed(subject: Subject) -> Pair:
    """What is said of the failures that opened the incident."""
    match subject.incident.pattern:
        case Pattern.FLAPPING:
            return facts.FLAPPING
        case Pattern.SPREAD:
            return facts.SPREAD
        case Pattern.STEADY if subject.monitor.detection.confirm_ms:
            return facts.ALL_FAILED  # a draft cannot know how many there will be
        case Pattern.STEADY:
            return facts.FIRST_FAILURE if subject.failures < 2 else facts.FAILURES


def _timing_facts(maker: _Maker) -> None:
    slow = maker.cause.startswith(("latency.", "timeout."))
    for phase, template in facts.PHASES.items():
        value: float | None = getattr(maker.subject.result.timings, phase)
        if value is not None and sayable(value):
            # A phase that was reached and ended speaks for the service; how long all of it took speaks for nobody.
            bad = None if phase == "total" or slow else False
            maker.add(FactKind.TIMINGS, phase, round(value), both(template, took=took(value)), unit="ms", bad=bad)


def _address_facts(maker: _Maker) -> None:
    result = maker.subject.result
    if result.address:
        maker.add(FactKind.TCP, "contacted", result.address, both(facts.CONTACTED, address=result.address))
    if "dead" in result.figures and result.address:
        dead = str(result.figures.get("address", ""))
        maker.add(FactKind.TCP, f"address.{dead}", dead, both(facts.ADDRESS_DEAD, address=dead), bad=True)
        pair = both(facts.ADDRESS_ALIVE, address=result.address)
        maker.add(FactKind.TCP, f"address.{result.address}", result.address, pair, bad=False)
    if (count := len(result.addresses)) > 1:
        maker.add(FactKind.DNS, "addresses", count, both(facts.ADDRESSES, count=count_of(count, "address")), bad=False)


def _http_facts(maker: _Maker) -> None:
    http = maker.subject.result.http
    if http is None:
        return
    bad = True if maker.cause is Cause.HTTP_STATUS else None
    maker.add(FactKind.HTTP, "status", http.status, both(facts.STATUS, status=http.status), bad=bad)
    _header_facts(maker, http)
    if http.redirects:
        maker.add(FactKind.HTTP, "redirects", http.redirects, both(facts.REDIRECTS, count=count_of(http.redirects, "redirect")))
    maker.add(FactKind.HTTP, "size", http.bytes, both(facts.SIZE, count=count_of(http.bytes, "byte")), unit="B")


def _header_facts(maker: _Maker, http: HttpFacts) -> None:
    """What the target says of itself, in words of ours."""
    if server := product(http.headers):
        maker.add(FactKind.HTTP, "server", server, both(facts.SERVER, server=server), tainted=True)
    if "via" in http.headers:
        maker.add(FactKind.HTTP, "via", True, facts.VIA, tainted=True)
    wait = http.headers.get("retry-after", "")
    if wait.isascii() and wait.isdigit() and len(wait) <= _MAX_WAIT_DIGITS:
        pair = both(facts.RETRY_AFTER, wait=f"{int(wait)} s")
        maker.add(FactKind.HTTP, "retry_after", int(wait), pair, unit="s", tainted=True)


def _page_facts(maker: _Maker) -> None:
    sign = maker.subject.result.figures.get("signature")
    if isinstance(sign, str):
        maker.add(FactKind.PAGE, "signature", sign, both(facts.SIGNATURE, sign=sign), bad=True)
    if "content" in maker.subject.result.figures:
        maker.add(FactKind.PAGE, "content", "not read in time", facts.UNREAD)


def _tls_facts(maker: _Maker) -> None:
    tls = maker.subject.result.tls
    if tls is None:
        return
    if tls.version in TLS_VERSIONS:
        maker.add(FactKind.TLS, "version", tls.version, both(facts.TLS_VERSION, version=tls.version))
    if tls.expires_at is not None and tls.days_left is not None:
        fr, en = (date_time(tls.expires_at, maker.zone, language) for language in LANGUAGES)
        pair = both(facts.EXPIRED_AT if tls.days_left < 0 else facts.VALID_UNTIL, days=days_of(tls.days_left), at=(fr, en))
        maker.add(FactKind.TLS, "days_left", tls.days_left, pair, unit="d", bad=tls.days_left < 0)
    if len(tls.chain) == 1 and self_signed(tls.chain[0]):
        maker.add(FactKind.TLS, "self_signed", True, facts.SELF_SIGNED, bad=True)
    elif tls.chain:
        maker.add(FactKind.TLS, "chain", len(tls.chain), both(facts.CHAIN, count=count_of(len(tls.chain), "certificate")))


def _change_facts(maker: _Maker) -> None:
    good = maker.subject.last_good
    if good is None:
        maker.add(FactKind.CHANGE, "never_good", True, facts.NEVER_GOOD)
        return
    fr, en = (date_time(good.at, maker.zone, language) for language in LANGUAGES)
    maker.add(FactKind.CHANGE, "last_good", timestamp(good.at, maker.zone), both(facts.LAST_GOOD, at=(fr, en)))
    for one in changes(good, maker.subject.result):
        maker.add(FactKind.CHANGE, one.name, one.differs, both(facts.SINCE_GOOD, change=one.pair), bad=one.differs)
