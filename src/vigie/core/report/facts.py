"""Facts: what a report may say, each with the exact ways its value may be written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from vigie.core.model import Cause, CheckResult, Incident, Monitor, NoticeReason, Scalar, Severity
from vigie.core.report import words


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
    """What a report is about. `last_good` is the newest good result before the incident, when one is known."""

    monitor: Monitor
    incident: Incident
    result: CheckResult
    last_good: CheckResult | None = None
    failures: int = 1


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
    """What the model wrote and code certified; labelled as automatic in every message."""

    model: str
    language: str
    sentences: tuple[str, ...]
    dropped: tuple[Dropped, ...] = ()
    cause: str = ""
    duration_ms: int = 0


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
    `since` is the incident's first failed check, epoch ms, 0 without an incident: with `thread` it names the incident among all installations.
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
        self.found: list[Evidence] = []

    def add(self, kind: FactKind, name: str, value: Scalar, fr: str, en: str, *, unit: str = "", bad: bool | None = None) -> None:
        """One more."""
        self.found.append(Evidence(kind, name, value, fr, en, self.subject.result.at, "check", unit=unit, bad=bad))


def bundle(subject: Subject, evidence: Sequence[Evidence], made_at: int, zone: tzinfo) -> Bundle:
    """Number what the check measured, then what the collectors brought, in a steady order."""
    maker = _Maker(subject, zone)
    for add in (_check_facts, _timing_facts, _address_facts, _http_facts, _tls_facts, _change_facts):
        add(maker)
    facts = tuple(Fact(f"F{number}", one) for number, one in enumerate([*maker.found, *evidence], 1))
    return Bundle(subject.incident.id, made_at, facts)


def _check_facts(maker: _Maker) -> None:
    subject, result = maker.subject, maker.subject.result
    cause = result.cause or subject.incident.cause
    fr, en = (words.cause_words(cause, result.figures, language) for language in words.LANGUAGES)
    host = subject.monitor.host
    maker.add(FactKind.CHECK, "cause", cause.value, f"Contrôle de {host} : {fr} ({cause}).", f"Check of {host}: {en} ({cause}).", bad=True)
    since = words.clock_time(subject.incident.started_at, maker.zone)
    maker.add(
        FactKind.CHECK,
        "failures",
        subject.failures,
        f"{subject.failures} contrôles de suite ont échoué depuis {since}.",
        f"{subject.failures} checks in a row failed since {since}.",
        bad=True,
    )


_PHASES = {
    "dns": ("La résolution du nom a pris {ms} ms.", "Resolving the name took {ms} ms."),
    "connect": ("La connexion TCP a pris {ms} ms.", "The TCP connection took {ms} ms."),
    "tls": ("La négociation TLS a pris {ms} ms.", "The TLS handshake took {ms} ms."),
    "first_byte": ("Le premier octet est arrivé après {ms} ms.", "The first byte arrived after {ms} ms."),
    "total": ("Le contrôle a duré {ms} ms en tout.", "The check lasted {ms} ms in all."),
}


def _timing_facts(maker: _Maker) -> None:
    for phase, (fr, en) in _PHASES.items():
        value: float | None = getattr(maker.subject.result.timings, phase)
        if value is not None:
            ms = round(value)
            maker.add(FactKind.TIMINGS, phase, ms, fr.format(ms=ms), en.format(ms=ms), unit="ms")


def _address_facts(maker: _Maker) -> None:
    address = maker.subject.result.address
    if address:
        maker.add(FactKind.TCP, "address", address, f"L'adresse contactée est {address}.", f"The address contacted is {address}.")


# What a `server` header may be told as: the target writes it, so only known products are named.
_PRODUCTS = (
    "nginx",
    "apache",
    "cloudflare",
    "caddy",
    "iis",
    "envoy",
    "varnish",
    "openresty",
    "litespeed",
    "haproxy",
    "gunicorn",
    "traefik",
)


def _http_facts(maker: _Maker) -> None:
    http = maker.subject.result.http
    if http is None:
        return
    maker.add(FactKind.HTTP, "status", http.status, f"Le statut HTTP est {http.status}.", f"The HTTP status is {http.status}.")
    server = http.headers.get("server", "").lower()
    product = next((name for name in _PRODUCTS if name in server), None)
    if product:
        maker.add(
            FactKind.HTTP, "server", product, f"La réponse vient d'un serveur {product}.", f"The answer comes from a {product} server."
        )
    if http.redirects:
        count = http.redirects
        maker.add(FactKind.HTTP, "redirects", count, f"{count} redirection(s) suivie(s).", f"{count} redirect(s) followed.")


def _tls_facts(maker: _Maker) -> None:
    tls = maker.subject.result.tls
    if tls is None or tls.days_left is None:
        return
    days = tls.days_left
    fr = f"Le certificat est valable encore {days} jours." if days >= 0 else f"Le certificat a expiré il y a {-days} jours."
    en = f"The certificate is valid for {days} more days." if days >= 0 else f"The certificate expired {-days} days ago."
    maker.add(FactKind.TLS, "days_left", days, fr, en, unit="d", bad=days < 0)


def _change_facts(maker: _Maker) -> None:
    good, result = maker.subject.last_good, maker.subject.result
    if good is None:
        maker.add(
            FactKind.CHANGE,
            "never_good",
            True,
            "Aucun bon contrôle n'est connu avant l'incident.",
            "No good check is known before the incident.",
        )
        return
    at = words.date_time(good.at, maker.zone)
    maker.add(FactKind.CHANGE, "last_good", at, f"Dernier état sain enregistré : {at}.", f"Last healthy state on record: {at}.", bad=None)
    if good.addresses and result.addresses:
        same = set(good.addresses) == set(result.addresses)
        fr = "Les adresses du nom n'ont pas changé." if same else "Les adresses du nom ont changé depuis le dernier état sain."
        en = "The name's addresses have not changed." if same else "The name's addresses changed since the last healthy state."
        maker.add(FactKind.CHANGE, "addresses", not same, fr, en, bad=not same)
    if good.tls and result.tls and good.tls.chain and result.tls.chain:
        same = good.tls.chain[0].sha256 == result.tls.chain[0].sha256
        fr = "Le certificat n'a pas changé." if same else "Le certificat a changé depuis le dernier état sain."
        en = "The certificate has not changed." if same else "The certificate changed since the last healthy state."
        maker.add(FactKind.CHANGE, "certificate", not same, fr, en, bad=not same)
