"""What happens to an honest sentence when one thing in it is made wrong: each kind of change has a floor for how often it is caught."""

import re
from collections.abc import Callable, Iterator

import pytest

from vigie.report.facts import Analysis

from .corpora import HONEST_SCORED, HONEST_SEEN, Entry
from .test_verify import HONEST_EN, HONEST_FR, certify  # noqa: F401 - the fixture

Certify = Callable[..., Analysis]

HONEST: list[Entry] = [
    *HONEST_SEEN,
    *HONEST_SCORED,
    *(("fr", text, names) for text, names in HONEST_FR),
    *(("en", text, names) for text, names in HONEST_EN),
]


def replacing(*pairs: tuple[str, str]) -> Callable[[Entry], Iterator[Entry]]:
    """Every honest sentence with one of these patterns replaced, one at a time."""

    def mutate(entry: Entry) -> Iterator[Entry]:
        language, text, names = entry
        for pattern, other in pairs:
            changed = re.sub(pattern, other, text, count=1)
            if changed != text:
                yield language, changed, names

    return mutate


def other_citation(entry: Entry) -> Iterator[Entry]:
    """A sentence with a figure that cites a fact without one."""
    language, text, names = entry
    if re.search(r"\d", text.replace("192.0.2.10", "").replace("192.0.2.11", "")) and names != ["link"]:
        yield language, text, ["link"]


def other_language(entry: Entry) -> Iterator[Entry]:
    language, text, names = entry
    yield ("en" if language == "fr" else "fr"), text, names


def added_link(entry: Entry) -> Iterator[Entry]:
    language, text, names = entry
    for link in (" https://evil.example/x", " www.evil.example", " (mailto:ops@evil.example)", " status.evil.example/now"):
        yield language, text.rstrip(".") + link + ".", names


CAUSES = {
    "fr": [
        "à cause d'une base de données saturée", "à cause d'un câble débranché", "suite à un déploiement", "en raison d'un pic de trafic",
        "car le disque est plein", "parce que la mémoire manque", "à cause du pare-feu", "en raison d'une attaque", "suite à une maintenance",
        "à cause d'un quota dépassé", "en raison d'une panne électrique", "à cause d'un certificat expiré", "suite à une erreur humaine",
        "à cause d'un bogue", "en raison d'une mauvaise configuration", "à cause de l'hébergeur", "car un prestataire a échoué",
    ],
    "en": [
        "because of a saturated database", "because of an unplugged cable", "following a deployment", "due to a traffic spike",
        "because the disk is full", "because memory is short", "due to the firewall", "because of an attack", "following maintenance",
        "due to an exceeded quota", "because of a power failure", "due to an expired certificate", "following human error",
        "because of a bug", "due to a wrong configuration", "because of the hoster", "because a supplier failed",
    ],
}  # fmt: skip


def invented_cause(entry: Entry) -> Iterator[Entry]:
    language, text, names = entry
    for cause in CAUSES[language]:
        if not (names == ["days_left"] and "certifi" in cause):  # there the words are the fact's own
            yield language, f"{text.rstrip('.')}, {cause}.", names


KINDS: dict[str, tuple[Callable[[Entry], Iterator[Entry]], float]] = {
    "unit": (
        replacing(
            (r"(\d) ms\b", r"\1 s"), (r"(\d) ms\b", r"\1 min"), (r"octets", "Ko"), (r"bytes", "KB"), (r"\bjours\b", "heures"), (r"days\b", "hours"),
            (r"0\.071 s\b", "0.071 ms"), (r"0,071 s\b", "0,071 ms"),
        ),
        1.0,
    ),
    "host": (
        replacing(
            (r"api\.shop\.example", "www2.shop.example"), (r"api\.shop\.example", "api.shop.example.org"), (r"api\.shop\.example", "shop.example"),
            (r"192\.0\.2\.11", "192.0.2.111"), (r"192\.0\.2\.10", "192.0.3.10"), (r"192\.0\.2\.1([01])", r"2001:db8::\1"),
        ),
        1.0,
    ),
    "status": (replacing((r"502", "500"), (r"502", "404"), (r"200-299", "200-399"), (r"\b200 (à|to)", r"201 \1")), 1.0),
    "time": (
        replacing(
            (r"14:02", "14:12"), (r"14:02", "04:02"), (r"14 h 02", "14 h 20"), (r"UTC\+1", "UTC-1"), (r"13:02", "13:32"), (r"2:02 pm", "2:02 am"),
            (r"2027-03-03", "2027-03-30"), (r"24 novembre", "14 novembre"), (r"November 24", "October 24"),
        ),
        1.0,
    ),
    "version": (replacing((r"TLSv1\.3", "TLSv1.2"), (r"TLSv1\.3", "SSLv3")), 1.0),
    "url": (added_link, 1.0),
    "citation": (other_citation, 1.0),
    "language": (other_language, 1.0),
    "invented cause": (invented_cause, 0.97),
    "negation": (
        replacing(
            (r"\brefuse\b", "ne refuse pas"), (r"\baccepte\b", "n'accepte pas"), (r"\bfonctionne\b", "ne fonctionne pas"),
            (r"n'a pas changé", "a changé"), (r"n'ont pas changé", "ont changé"), (r"ont échoué", "n'ont pas échoué"),
            (r"reste valable", "n'est plus valable"), (r"a reçu HTTP", "n'a pas reçu HTTP"), (r"est passé", "n'est pas passé"),
            (r"est en panne", "n'est pas en panne"), (r"Aucun changement", "Un changement"), (r"la refuse", "ne la refuse pas"),
            (r"\brefuses\b", "does not refuse"), (r"\baccepts\b", "does not accept"), (r"\bworks\b", "does not work"),
            (r"has not changed", "has changed"), (r"have not changed", "have changed"), (r"have failed", "have not failed"),
            (r"is valid", "is not valid"), (r"received HTTP", "did not receive HTTP"), (r"\bwent from\b", "did not go from"),
            (r"has been down", "has not been down"), (r"No change", "A change"), (r"no longer returns", "still returns"),
            (r"ne renvoie plus", "renvoie toujours"),
        ),
        0.9,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_wrong_is_caught(certify: Certify, kind: str) -> None:  # noqa: F811 - the fixture
    mutate, floor = KINDS[kind]
    honest = [entry for entry in HONEST if certify(entry[1], entry[2], entry[0]).sentences]
    mutants = [mutant for entry in honest for mutant in mutate(entry)]
    survivors = [text for language, text, names in mutants if certify(text, names, language).sentences]
    assert len(mutants) >= 8, "there is something to catch"
    assert 1 - len(survivors) / len(mutants) >= floor, (len(survivors), len(mutants), survivors[:20])
