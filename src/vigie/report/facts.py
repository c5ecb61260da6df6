"""Facts: what a report may say, each with the exact ways its value may be written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Scalar
from vigie.core.notification import NoticeReason
from vigie.report.changes import TLS_VERSIONS, changes, product, self_signed
from vigie.text import words
from vigie.text.words import counted


class FactKind(StrEnum):
    """Which part of the evidence a fact belongs to (docs/reports.md)."""

    CHECK = "check"
    TIMINGS = "timings"
    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    PAGE = "page"
    CONTROL = "control"
    SIBLINGS = "siblings"
    CHANGE = "change"
    HISTORY = "history"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a collector brings: a value not yet numbered.

    `name` is a stable key inside the kind (`address.refused`, `resolver.second`); `tainted` says the target wrote the value.
    `fr` and `en` are whole sentences; `renderings` are the written forms of its numbers, hosts, times that a text may use
    (the forms found in `fr` and `en` are added by the bundle). `bad` says which way the fact points: True against the
    service, False in its favour, None neither.
    """

    kind: FactKind
    name: str
    value: Scalar
    fr: str
    en: str
    at: int
    source: str
    unit: str = ""
    tainted: bool = False
    bad: bool | None = None
    renderings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A piece of evidence with its number in one bundle (`F1`…)."""

    id: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about.

    `last_good` is the newest good result before the incident, `first_good` the first one after it, each when one is known.
    """

    monitor: Monitor
    incident: Incident
    result: CheckResult
    last_good: CheckResult | None = None
    failures: int = 1
    first_good: CheckResult | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """The immutable evidence of one incident; `version` is the format's."""

    incident: str
    made_at: int
    facts: tuple[Fact, ...]
    version: int = 1


@dataclass(frozen=True, slots=True)
class Dropped:
    """A sentence of the model that did not go out, and the rule it broke."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the model wrote and code certified; labelled as automatic in every message. `local`: the incident did not leave for it."""

    model: str
    language: str
    sentences: tuple[str, ...]
    dropped: tuple[Dropped, ...] = ()
    cause: str = ""
    duration_ms: int = 0
    local: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a message's table of facts."""

    id: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Link:
    """Something to click; the label is in the message's language."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel lays out, already in the reader's language; channels add no words of their own.

    `headline` (≤ 100 characters) says it all; `subject` (≤ 78) carries the incident's key. `thread` is the incident id and is
    the same in every message about it; `opens_thread` marks the first. `lines` are short plain sentences (scope, evidence, likely
    cause, first step); `rows` the table of facts. `analysis` is None when the model has nothing (certified) to say.
    `since` is the incident's first failed check, epoch ms, 0 without an incident: with `thread` it names the incident among
    all installations.
    """

    key: str
    thread: str
    opens_thread: bool
    reason: NoticeReason
    severity: Severity
    language: str
    monitor: str
    target: str
    at: int
    headline: str
    subject: str
    lines: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    analysis: Analysis | None = None
    analysis_label: str = ""
    links: tuple[Link, ...] = ()
    cause: Cause | None = None
    footer: str = ""
    since: int = 0


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
        pair: tuple[str, str],
        *,
        unit: str = "",
        bad: bool | None = None,
        tainted: bool = False,
    ) -> None:
        """One more; `pair` is its (French, English) sentence."""
        at = self.subject.result.at
        self.found.append(Evidence(kind, name, value, *pair, at=at, source="check", unit=unit, tainted=tainted, bad=bad))


def bundle(subject: Subject, evidence: Sequence[Evidence], made_at: int, zone: tzinfo) -> Bundle:
    """Number what the check measured, then what the collectors brought, in a steady order."""
    maker = _Maker(subject, zone)
    for add in (_check_facts, _change_facts, _timing_facts, _address_facts, _http_facts, _page_facts, _tls_facts):
        add(maker)
    kinds = list(FactKind)
    brought = sorted(evidence, key=lambda one: (kinds.index(one.kind), one.name))
    facts = tuple(Fact(f"F{number}", one) for number, one in enumerate([*_first(maker.found), *brought, *_then(maker.found)], 1))
    return Bundle(subject.incident.id, made_at, facts)


# A prompt that is too long loses facts from its tail, so what tells least stands there.
_TAIL = (FactKind.TIMINGS, FactKind.HTTP)


def _first(found: Sequence[Evidence]) -> list[Evidence]:
    return [one for one in found if one.kind not in _TAIL or one.bad]


def _then(found: Sequence[Evidence]) -> list[Evidence]:
    return [one for one in found if one.kind in _TAIL and not one.bad]


def _check_facts(maker: _Maker) -> None:
    subject, result, cause = maker.subject, maker.subject.result, maker.cause
    fr, en = (words.cause_words(cause, result.figures, language) for language in words.LANGUAGES)
    what = subject.monitor.host or subject.monitor.name
    pair = f"Contrôle de {what} : {fr} ({cause}).", f"Check of {what}: {en} ({cause})."
    maker.add(FactKind.CHECK, "cause", cause.value, pair, bad=None if cause.own else True)
    since = words.clock_time(subject.incident.started_at, maker.zone)
    fr = f"{subject.failures} contrôles de suite ont échoué depuis {since}."
    en = f"{subject.failures} checks in a row failed since {since}."
    if subject.failures < 2:
        fr, en = f"Le premier échec date de {since}.", f"The first failure was at {since}."
    maker.add(FactKind.CHECK, "failures", subject.failures, (fr, en), bad=True)


_PHASES = {
    "dns": ("La résolution du nom a pris {ms} ms.", "Resolving the name took {ms} ms."),
    "connect": ("La connexion TCP a pris {ms} ms.", "The TCP connection took {ms} ms."),
    "tls": ("La négociation TLS a pris {ms} ms.", "The TLS handshake took {ms} ms."),
    "first_byte": ("Le premier octet est arrivé après {ms} ms.", "The first byte arrived after {ms} ms."),
    "total": ("Le contrôle a duré {ms} ms en tout.", "The check lasted {ms} ms in all."),
}


def _timing_facts(maker: _Maker) -> None:
    slow = maker.cause.startswith(("latency.", "timeout."))
    for phase, (fr, en) in _PHASES.items():
        value: float | None = getattr(maker.subject.result.timings, phase)
        if value is not None:
            ms = round(value)
            # A phase that was reached and ended speaks for the service; how long all of it took speaks for nobody.
            bad = None if phase == "total" or slow else False
            maker.add(FactKind.TIMINGS, phase, ms, (fr.format(ms=ms), en.format(ms=ms)), unit="ms", bad=bad)


def _address_facts(maker: _Maker) -> None:
    result = maker.subject.result
    if result.address:
        pair = f"L'adresse contactée est {result.address}.", f"The address contacted is {result.address}."
        maker.add(FactKind.TCP, "contacted", result.address, pair)
    if "dead" in result.figures and result.address:
        dead = str(result.figures.get("address", ""))
        pair = f"L'adresse {dead} n'accepte pas la connexion.", f"The address {dead} does not accept the connection."
        maker.add(FactKind.TCP, f"address.{dead}", dead, pair, bad=True)
        pair = f"L'adresse {result.address} accepte la connexion.", f"The address {result.address} accepts the connection."
        maker.add(FactKind.TCP, f"address.{result.address}", result.address, pair, bad=False)
    if len(result.addresses) > 1:
        count = len(result.addresses)
        maker.add(FactKind.DNS, "addresses", count, (f"Le nom a {count} adresses.", f"The name has {count} addresses."), bad=False)


def _http_facts(maker: _Maker) -> None:
    http = maker.subject.result.http
    if http is None:
        return
    pair = f"Le statut HTTP est {http.status}.", f"The HTTP status is {http.status}."
    maker.add(FactKind.HTTP, "status", http.status, pair, bad=True if maker.cause is Cause.HTTP_STATUS else None)
    if server := product(http.headers):
        pair = f"La réponse vient d'un serveur {server}.", f"The answer comes from a server named {server}."
        maker.add(FactKind.HTTP, "server", server, pair, tainted=True)
    if "via" in http.headers:
        pair = "La réponse est passée par un mandataire.", "The answer passed through a proxy."
        maker.add(FactKind.HTTP, "via", True, pair, tainted=True)
    wait = http.headers.get("retry-after", "")
    if wait.isascii() and wait.isdigit() and len(wait) < 7:
        pair = f"Le service demande d'attendre {int(wait)} s.", f"The service asks to wait {int(wait)} s."
        maker.add(FactKind.HTTP, "retry_after", int(wait), pair, unit="s", tainted=True)
    if http.redirects:
        fr, en = (counted(http.redirects, "redirection", "redirect", language) for language in words.LANGUAGES)
        maker.add(FactKind.HTTP, "redirects", http.redirects, (f"Le contrôle a suivi {fr}.", f"The check followed {en}."))
    fr, en = (counted(http.bytes, "octet", "byte", language) for language in words.LANGUAGES)
    maker.add(FactKind.HTTP, "size", http.bytes, (f"Le corps de la réponse compte {fr}.", f"The body of the answer holds {en}."), unit="B")


def _page_facts(maker: _Maker) -> None:
    sign = maker.subject.result.figures.get("signature")
    if isinstance(sign, str):
        pair = f"Le signe reconnu dans la page est « {sign} ».", f"The sign recognised in the page is “{sign}”."
        maker.add(FactKind.PAGE, "signature", sign, pair, bad=True)


def _tls_facts(maker: _Maker) -> None:
    tls = maker.subject.result.tls
    if tls is None:
        return
    if tls.version in TLS_VERSIONS:
        pair = f"La connexion utilise {tls.version}.", f"The connection uses {tls.version}."
        maker.add(FactKind.TLS, "version", tls.version, pair)
    if tls.expires_at is not None and tls.days_left is not None:
        at, days = words.date_time(tls.expires_at, maker.zone), tls.days_left
        fr, en = (counted(abs(days), "jour", "day", language) for language in words.LANGUAGES)
        pair = f"Le certificat est valable encore {fr}, jusqu'au {at}.", f"The certificate is valid for another {en}, until {at}."
        if days < 0:
            pair = f"Le certificat a expiré il y a {fr}, le {at}.", f"The certificate expired {en} ago, at {at}."
        maker.add(FactKind.TLS, "days_left", days, pair, unit="d", bad=days < 0)
    if len(tls.chain) == 1 and self_signed(tls.chain[0]):
        pair = "Le certificat est signé par lui-même.", "The certificate is signed by itself."
        maker.add(FactKind.TLS, "self_signed", True, pair, bad=True)
    elif tls.chain:
        fr, en = (counted(len(tls.chain), "certificat", "certificate", language) for language in words.LANGUAGES)
        maker.add(FactKind.TLS, "chain", len(tls.chain), (f"Le serveur envoie {fr}.", f"The server sends {en}."))


def _change_facts(maker: _Maker) -> None:
    good = maker.subject.last_good
    if good is None:
        pair = "Aucun bon contrôle n'est enregistré avant l'incident.", "No good check is on record before the incident."
        maker.add(FactKind.CHANGE, "never_good", True, pair)
        return
    at = words.date_time(good.at, maker.zone)
    maker.add(FactKind.CHANGE, "last_good", at, (f"Dernier état sain enregistré : {at}.", f"Last healthy state on record: {at}."))
    for one in changes(good, maker.subject.result):
        pair = f"Depuis le dernier état sain, {one.fr}.", f"Since the last healthy state, {one.en}."
        maker.add(FactKind.CHANGE, one.name, one.differs, pair, bad=one.differs)
