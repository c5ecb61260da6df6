"""What the kinds of check found, in both languages: with the number that mattered, and true of what was seen."""

from typing import Any

import pytest

from vigie.core.model import Cause
from vigie.report.wording import cause_words, short_words
from vigie.text.causes import OF_KIND, OF_KIND_SHORT

CASES: list[tuple[Cause, dict[str, Any], str, str]] = [
    (
        Cause.ICMP_LOSS,
        {"sent": 5, "received": 3, "loss_percent": 40},
        "40 % des pings perdus (5 envoyés)",
        "40% of pings lost (5 sent)",
    ),
    (
        Cause.CONTENT_ERROR_PAGE,
        {"signature": "WordPress database error", "family": "database", "where": "heading"},
        "erreur de base de données à la place de la page",
        "database error instead of the page",
    ),
    (Cause.CONTENT_TAMPERED, {"family": "miner"}, "signes d'altération : mineur de cryptomonnaie", "signs of tampering: cryptominer"),
    (Cause.HTTP_BLOCKED, {"family": "rate_limit"}, "la sonde est bloquée : limite de débit", "the probe is blocked: rate limit"),
    (Cause.CONTENT_BLANK, {"family": "blank"}, "page vide", "blank page"),
    (Cause.ICMP_TIMEOUT, {"sent": 5, "received": 0}, "aucune réponse à 5 pings", "no reply to 5 pings"),
    (
        Cause.DOMAIN_EXPIRING,
        {"days_left": 29, "expected": 30},
        "l'enregistrement du domaine expire dans 29 jours",
        "the domain registration expires in 29 days",
    ),
    (Cause.DOMAIN_EXPIRING, {"days_left": -3, "expired_days": 3}, "domaine expiré depuis 3 jours", "domain expired 3 days ago"),
    (
        Cause.DOMAIN_EXPIRING,
        {"days_left": 90, "state": "redemption period"},
        "l'enregistrement du domaine a expiré",
        "the domain registration has expired",
    ),
    (
        Cause.DNS_NXDOMAIN,
        {"days_left": 90, "state": "server hold"},
        "le registre a retiré le domaine du DNS",
        "the registry has removed the domain from the DNS",
    ),
    (Cause.DNS_NXDOMAIN, {"rcode": "NXDOMAIN"}, "le nom n'existe pas", "the name does not exist"),
    (
        Cause.TLS_UNTRUSTED,
        {"revocation": "good", "revoked_days": 12},
        "certificat révoqué depuis 12 jours",
        "certificate revoked 12 days ago",
    ),
    (Cause.TLS_UNTRUSTED, {"detail": "certificate verify failed"}, "certificat non reconnu", "certificate not trusted"),
    (
        Cause.TLS_EXPIRING,
        {"authority": "R3", "days_left": 1, "expected": 14},
        "R3, une autorité de la chaîne, expire dans 1 jour",
        "R3, an authority in the chain, expires in 1 day",
    ),
    (Cause.TLS_EXPIRING, {"days_left": 3, "expected": 14}, "le certificat expire dans 3 jours", "certificate expires in 3 days"),
    (Cause.PROTOCOL_MISMATCH, {"wanted": "+PONG", "got": "-ERR"}, "réponse autre que « +PONG »", "response other than “+PONG”"),
    (
        Cause.DNS_MISMATCH,
        {"answers": 1, "dnssec_fault": "expired"},
        "signature DNSSEC absente ou invalide",
        "DNSSEC signature missing or invalid",
    ),
    (
        Cause.DNS_MISMATCH,
        {"answers": 2, "dnssec": "secure", "servers": 4, "differing": 1},
        "serveurs de la zone divergents ou sans réponse : 1 sur 4",
        "zone servers that disagree or do not answer: 1 of 4",
    ),
    (
        Cause.DNS_MISMATCH,
        {"answers": 2, "got": "192.0.2.1"},
        "réponse DNS inattendue",
        "unexpected DNS response",
    ),
    (Cause.DNS_NO_ANSWER, {"answers": 0}, "le nom n'a pas d'enregistrement de ce type", "the name has no record of this type"),
    (Cause.DNS_NO_ANSWER, {"detail": "no data"}, "le nom n'a pas d'adresse", "the name has no address"),
]


@pytest.mark.parametrize(("cause", "figures", "fr", "en"), CASES)
def test_the_words_are_true_of_what_was_seen(cause: Cause, figures: dict[str, Any], fr: str, en: str) -> None:
    assert (cause_words(cause, figures, "fr"), cause_words(cause, figures, "en")) == (fr, en)
    for language in ("fr", "en"):
        assert len(short_words(cause, figures, language)) <= 42
        assert "{" not in short_words(cause, figures, language)


def test_short_words_are_short() -> None:
    for pair in OF_KIND_SHORT.values():
        assert all(len(text) <= 30 for text in pair)
    assert OF_KIND_SHORT.keys() <= OF_KIND.keys()
