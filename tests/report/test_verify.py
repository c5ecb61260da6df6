"""What the model wrote goes out only where it stands in the facts: honest paraphrases pass, every lie is caught by its rule."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Status
from vigie.report import rules, verify
from vigie.report.facts import Analysis, Bundle, Evidence, Fact, FactKind, Subject
from vigie.text import prompts

Certify = Callable[..., Analysis]

# Names of facts instead of ids, so that the corpus does not depend on their order.
HONEST_FR = [
    ("Le contrôle de api.shop.example a reçu HTTP 502 au lieu de 200-299.", ["cause"]),
    ("L'API répond avec le statut HTTP 502 depuis 14:02:05 UTC+1.", ["cause", "failures"]),
    ("Le service Shop API renvoie une erreur 502 depuis 14 h 02.", ["cause", "failures"]),
    ("Trois contrôles consécutifs ont échoué depuis 14:02.", ["failures"]),
    ("Le serveur répond vite, avec un premier octet après 31 ms.", ["first_byte"]),
    ("L'adresse 192.0.2.11 refuse la connexion sur le port 443.", ["address.192.0.2.11"]),
    ("La connexion à 192.0.2.10 est acceptée en 12 ms, mais 192.0.2.11 la refuse.", ["address.192.0.2.10", "address.192.0.2.11"]),
    ("La liaison de Vigie fonctionne, la mesure n'est donc pas en cause.", ["link"]),
    ("Les adresses du nom n'ont pas changé depuis le dernier contrôle réussi.", ["addresses"]),
    ("Le dernier contrôle réussi enregistré date du 24 novembre 2026 à 13:02.", ["last_good"]),
    ("Le certificat reste valable 99 jours, jusqu'au 2027-03-03.", ["days_left"]),
    ("L'application derrière le proxy inverse est la cause supposée de ce HTTP 502.", ["cause"]),
    ("La résolution du nom a pris 4 ms et la connexion TCP 12 ms.", ["dns", "connect"]),
    ("La réponse HTTP 502 vient d'un serveur nginx, en 71 ms en tout.", ["cause", "server", "total"]),
    ("Le statut HTTP est passé de 200 à 502 depuis le dernier contrôle réussi.", ["change.status"]),
    ("Le contrôle complet a duré 0,071 s pour cette réponse du service.", ["total"]),
]
HONEST_EN = [
    ("The check of api.shop.example received HTTP 502 instead of 200-299.", ["cause"]),
    ("The API has been answering with HTTP status 502 since 14:02:05 UTC+1.", ["cause", "failures"]),
    ("Shop API has returned a 502 error since 2:02 pm, according to the checks.", ["cause", "failures"]),
    ("Three consecutive checks have failed since 14:02.", ["failures"]),
    ("The front server itself answers quickly, with a first byte after 31 ms.", ["first_byte"]),
    ("The address 192.0.2.11 refuses the connection on port 443.", ["address.192.0.2.11"]),
    ("The address 192.0.2.10 accepts the connection in 12 ms, but 192.0.2.11 refuses it.", ["address.192.0.2.10", "address.192.0.2.11"]),
    ("Vigie's own link works, so the measurement is not in question.", ["link"]),
    ("The addresses of the name have not changed since the last successful check.", ["addresses"]),
    ("The last successful check on record is from November 24, 2026 at 13:02.", ["last_good"]),
    ("The certificate is valid for another 99 days, until 2027-03-03.", ["days_left"]),
    ("The supposed cause is the application behind the proxy, which yields HTTP 502.", ["cause"]),
    ("Resolving the name took 4 ms and the TCP connection 12 ms.", ["dns", "connect"]),
    ("The HTTP 502 comes from a server named nginx after 31 ms.", ["cause", "server", "first_byte"]),
    ("The HTTP status went from 200 to 502 since the last successful check.", ["change.status"]),
    ("The whole check lasted 0.071 s, from the first step to the last.", ["total"]),
]
LIES_FR = [
    ("Le contrôle de api.shop.example a reçu HTTP 503 au lieu de 200-299.", ["cause"], "status"),
    ("Le contrôle de api.shop.example a reçu HTTP 502 au lieu de 200-399.", ["cause"], "range"),
    ("Le contrôle de api.shop.exemple a reçu HTTP 502 au lieu de 200-299.", ["cause"], "host"),
    ("Quatre contrôles consécutifs ont échoué depuis 14:02.", ["failures"], "count"),
    ("14 contrôles consécutifs ont échoué depuis 14:02:05 UTC+1.", ["failures"], "count"),
    ("3 serveurs sont en panne depuis 14:02:05 UTC+1 selon les mesures.", ["failures"], "count"),
    ("Le service renvoie HTTP 502 depuis 14 h 03, sans autre changement.", ["cause", "failures"], "time"),
    ("Le service renvoie HTTP 502 depuis 14:02:50 selon les contrôles.", ["cause", "failures"], "time"),
    ("Le service renvoie HTTP 502 depuis 14:02 UTC+2 selon les contrôles.", ["cause", "failures"], "zone"),
    ("Le premier octet est arrivé après 31 s pour cette réponse.", ["first_byte"], "measure"),
    ("Le premier octet est arrivé après 310 ms pour cette réponse.", ["first_byte"], "measure"),
    ("Le premier octet est arrivé après 31 ms pour cette réponse.", ["connect"], "measure"),
    ("L'adresse 192.0.2.12 refuse la connexion sur le port 443.", ["address.192.0.2.11"], "address"),
    ("L'adresse 192.0.2.11 refuse la connexion sur le port 444.", ["address.192.0.2.11"], "number"),
    ("L'adresse 192.0.2.11 accepte la connexion sur le port 443.", ["address.192.0.2.11"], "polarity"),
    ("La liaison de Vigie ne fonctionne pas, la mesure est en cause.", ["link"], "polarity"),
    ("La connexion utilise TLSv1.2 avec le service Shop API.", ["version"], "version"),
    ("Le dernier contrôle réussi date du 23 novembre 2026 à 13:02.", ["last_good"], "date"),
    ("Voir le tableau de bord sur https://evil.example/panne pour la suite.", ["cause"], "link"),
    ("La base de données derrière le service renvoie HTTP 502.", ["cause"], "cause"),
    ("Une attaque contre le service explique la réponse HTTP 502.", ["cause"], "cause"),
    ("Nous avons redémarré le service après la réponse HTTP 502.", ["cause"], "first_person"),
    ("Le service a été redémarré après la réponse HTTP 502 du contrôle.", ["cause"], "action"),
    ("Le service sera rétabli après la réponse HTTP 502 du contrôle.", ["cause"], "action"),
    ("Le service est certainement en panne depuis la réponse HTTP 502.", ["cause"], "certainty"),
    ("Tous les utilisateurs reçoivent la réponse HTTP 502 du service.", ["cause"], "false_claim"),
    ("Une dizaine de contrôles ont échoué depuis 14:02:05 UTC+1.", ["failures"], "number_word"),
    ("The service has been answering HTTP 502 since 14:02:05.", ["cause", "failures"], "language"),
    ("Le service renvoie HTTP 502 et le message « base saturée » au contrôle.", ["cause"], "quotation"),
    ("Le service renvoie HTTP 502 depuis la région de Paris selon le contrôle.", ["cause"], "name"),
    ("Le service renvoie HTTP 502 au contrôle <!channel> de ce matin.", ["cause"], "characters"),
    ("Le service renvoie HTTP 502 au contrôle, @here doit le savoir.", ["cause"], "characters"),
    ("Le service renvoie HTTP ５０２ au contrôle depuis la panne.", ["cause"], "characters"),
    ("Le service \u202erenvoie HTTP 502 au contrôle depuis la panne.", ["cause"], "characters"),
    ("Le service renvoie HTTP 502 (http.redirect) au contrôle du moniteur.", ["cause"], "host"),
    ("Panne HTTP 502 du service.", ["cause"], "length"),
    ("Le service renvoie HTTP 502 au contrôle. " * 9, ["cause"], "length"),
]
LIES_EN = [
    ("The check of api.shop.example received HTTP 500 instead of 200-299.", ["cause"], "status"),
    ("The check of api.shop.examp1e received HTTP 502 instead of 200-299.", ["cause"], "host"),
    ("The check of www.shop.example received HTTP 502 instead of 200-299.", ["cause"], "link"),
    ("Four consecutive checks have failed since 14:02.", ["failures"], "count"),
    ("3 customers have failed to connect since 14:02:05 UTC+1.", ["failures"], "false_claim"),
    ("Shop API has returned HTTP 502 since 3:02 pm, according to the checks.", ["cause", "failures"], "time"),
    ("Shop API has returned HTTP 502 since 2:02 am, according to the checks.", ["cause", "failures"], "time"),
    ("Shop API has returned HTTP 502 since 14:02 UTC, according to the checks.", ["cause", "failures"], "zone"),
    ("The first byte of the answer arrived after 3.1 ms.", ["first_byte"], "measure"),
    ("The first byte of the answer arrived after 31 seconds.", ["first_byte"], "measure"),
    ("The whole check lasted 0.71 s, from the first step to the last.", ["total"], "measure"),
    ("The address 192.0.2.1 refuses the connection on port 443.", ["address.192.0.2.11"], "address"),
    ("The address 2001:db8::5 refuses the connection on port 443.", ["address.192.0.2.11"], "address"),
    ("The address 192.0.2.11 refuses the connection on port 8443.", ["address.192.0.2.11"], "number"),
    ("The address 192.0.2.11 accepts the connection on port 443.", ["address.192.0.2.11"], "polarity"),
    ("The address 192.0.2.11 does not refuse the connection on port 443.", ["address.192.0.2.11"], "polarity"),
    ("Vigie's own link is down, so the measurement is in question.", ["link"], "polarity"),
    ("The connection to the service uses TLS 1.2 at this time.", ["version"], "version"),
    ("The last successful check on record is from November 23, 2026.", ["last_good"], "date"),
    ("The last successful check on record is from 2025-11-24.", ["last_good"], "date"),
    ("See the dashboard at evil.example/outage for what the check found.", ["cause"], "host"),
    ("The database behind the service yields the HTTP 502 of the check.", ["cause"], "cause"),
    ("A recent deployment is behind the HTTP 502 of the check.", ["cause"], "cause"),
    ("We have seen the HTTP 502 of the service and look at it.", ["cause"], "first_person"),
    ("The team is investigating the HTTP 502 that the service gives.", ["cause"], "action"),
    ("The service will return to normal after the HTTP 502.", ["cause"], "action"),
    ("The service is definitely down since the HTTP 502 of the check.", ["cause"], "certainty"),
    ("Hundreds of checks have failed since 14:02:05 UTC+1.", ["failures"], "number_word"),
    ("It is a false alarm, the HTTP 502 of the check is not real.", ["cause"], "false_claim"),
    ("Le service renvoie HTTP 502 depuis la dernière mesure.", ["cause"], "language"),
    ("The check got HTTP 502 with the text “pool exhausted” in the body.", ["cause"], "quotation"),
    ("The HTTP 502 comes from the region of Frankfurt, says the check.", ["cause"], "name"),
    ("The check got HTTP 502, see [the page](/x) for what it says.", ["cause"], "link"),
    ("The check got HTTP 502, ask ops@shop.example for what it says.", ["cause"], "link"),
    ("The check got HTTP 502 from the service, `rm -rf` is the answer.", ["cause"], "characters"),
    ("The check gоt HTTP 502 from the service, in Cyrillic disguise.", ["cause"], "characters"),
    ("The check got HTTP 502\x07 from the service at that time.", ["cause"], "characters"),
    ("Too short: HTTP 502.", ["cause"], "length"),
]


@pytest.fixture
def certify(subject: Callable[..., Subject], bundle: Callable[..., Bundle], look: list[Evidence], good: Any) -> Callable[..., Analysis]:
    """One sentence, its facts by name, through the whole of `certify`."""

    def run(text: str, names: Sequence[str], language: str) -> Analysis:
        about = subject(of={"last_good": good})
        facts = bundle(about, look)
        ids = [_id(facts, name) for name in names]
        reply = json.dumps({"cause": "behind_proxy", "sentences": [{"text": text, "facts": ids}]})
        return verify.certify(reply, facts, about, rules.shortlist(facts, about), language, "llama3", 1_200)

    return run


def _id(facts: Bundle, name: str) -> str:
    kind = FactKind.CHANGE if name.startswith("change.") or name in ("addresses", "last_good") else None
    wanted = name.removeprefix("change.")
    return next(one.id for one in facts.facts if one.evidence.name == wanted and kind in (None, one.evidence.kind))


@pytest.mark.parametrize(("text", "names"), HONEST_FR)
def test_an_honest_french_paraphrase_goes_out(certify: Certify, text: str, names: list[str]) -> None:
    found = certify(text, names, "fr")
    assert found.dropped == ()
    assert found.sentences == (text,)


@pytest.mark.parametrize(("text", "names"), HONEST_EN)
def test_an_honest_english_paraphrase_goes_out(certify: Certify, text: str, names: list[str]) -> None:
    found = certify(text, names, "en")
    assert found.dropped == ()
    assert found.sentences == (text,)


@pytest.mark.parametrize(("text", "names", "rule"), LIES_FR)
def test_a_french_lie_is_dropped_with_the_rule_it_broke(certify: Certify, text: str, names: list[str], rule: str) -> None:
    found = certify(text, names, "fr")
    assert found.sentences == ()
    assert [one.rule for one in found.dropped] == [rule]


@pytest.mark.parametrize(("text", "names", "rule"), LIES_EN)
def test_an_english_lie_is_dropped_with_the_rule_it_broke(certify: Certify, text: str, names: list[str], rule: str) -> None:
    found = certify(text, names, "en")
    assert found.sentences == ()
    assert [one.rule for one in found.dropped] == [rule]


def _mutants(corpus: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    """Every honest sentence with every one of its digits changed in two ways."""
    return [
        (text[:place] + str((int(digit) + step) % 10) + text[place + 1 :], names)
        for text, names in corpus
        for place, digit in enumerate(text)
        if digit.isdecimal()
        for step in (1, 5)
    ]


@pytest.mark.parametrize(("corpus", "language"), [(HONEST_FR, "fr"), (HONEST_EN, "en")])
def test_a_changed_digit_is_always_caught(certify: Certify, corpus: list[tuple[str, list[str]]], language: str) -> None:
    mutants = _mutants(corpus)
    survivors = [text for text, names in mutants if certify(text, names, language).sentences]
    assert len(mutants) > 150
    assert survivors == []


@pytest.mark.parametrize(("corpus", "language"), [(HONEST_FR, "fr"), (HONEST_EN, "en")])
def test_a_figure_whose_fact_is_not_cited_is_caught(certify: Certify, corpus: list[tuple[str, list[str]]], language: str) -> None:
    with_figures = [text for text, _ in corpus if any(character.isdecimal() for character in text)]
    assert [text for text in with_figures if certify(text, ["chain"], language).sentences] == []


GOOD = {"text": "The check of api.shop.example received HTTP 502 instead of 200-299.", "facts": ["F1"]}


@pytest.fixture
def reply(subject: Callable[..., Subject], bundle: Callable[..., Bundle]) -> Callable[..., Analysis]:
    """A whole reply, as text or as a value, through `certify` in English."""

    def run(value: object, **changed: Any) -> Analysis:
        about = subject(**changed)
        facts = bundle(about)
        text = value if isinstance(value, str) else json.dumps(value)
        return verify.certify(text, facts, about, rules.shortlist(facts, about), "en", "llama3")

    return run


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "not_json"),
        ("Here is your report: all is well.", "not_json"),
        ('```json\n{"cause":"unknown","sentences":[]}\n```', "not_json"),
        ('{"cause":"unknown","sentences":[{"text":"cut', "not_json"),
        ('{"cause":"unknown","cause":"behind_proxy","sentences":[1]}', "not_json"),
        ('{"cause":"unknown","sentences":[NaN]}', "not_json"),
        ("[" * 100_000, "too_long"),
        ("[" * 15_000, "not_json"),
        ("[]", "schema"),
        ("null", "schema"),
        ('{"sentences":[]}', "schema"),
        ('{"cause":"unknown","sentences":[]}', "schema"),
        ('{"cause":"unknown","sentences":"none"}', "schema"),
        ('{"cause":7,"sentences":[1]}', "schema"),
        ('{"cause":"unknown","sentences":[1],"extra":1}', "schema"),
        ('{"cause":"a meteor","sentences":[1]}', "unknown_cause"),
    ],
)
def test_a_reply_that_is_not_the_schema_is_dropped_whole(reply: Certify, text: str, rule: str) -> None:
    found = reply(text)
    assert found.sentences == ()
    assert [one.rule for one in found.dropped] == [rule]


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        ("a bare text", "schema"),
        ({"text": GOOD["text"]}, "schema"),
        ({"text": 5, "facts": ["F1"]}, "schema"),
        ({"text": GOOD["text"], "facts": "F1"}, "schema"),
        ({"text": GOOD["text"], "facts": [1]}, "schema"),
        ({**GOOD, "sure": True}, "schema"),
        ({"text": GOOD["text"], "facts": []}, "no_citation"),
        ({"text": GOOD["text"], "facts": ["F99"]}, "unknown_citation"),
        ({"text": f"{GOOD['text']} [F2]", "facts": ["F1"]}, "unknown_citation"),
    ],
)
def test_a_sentence_without_its_citations_is_dropped(reply: Certify, item: object, rule: str) -> None:
    found = reply({"cause": "unknown", "sentences": [item, GOOD]})
    assert found.sentences == (GOOD["text"],)
    assert [one.rule for one in found.dropped] == [rule]


def test_a_citation_inside_the_text_is_taken_out(reply: Certify) -> None:
    found = reply({"cause": "unknown", "sentences": [{"text": "The check received HTTP 502 instead of 200-299 [F1].", "facts": ["F1"]}]})
    assert found.sentences == ("The check received HTTP 502 instead of 200-299.",)


def test_a_sentence_said_twice_goes_out_once_and_a_fifth_one_not_at_all(reply: Certify) -> None:
    assert reply({"cause": "unknown", "sentences": [GOOD, GOOD]}).sentences == (GOOD["text"],)
    assert [one.rule for one in reply({"cause": "unknown", "sentences": [GOOD] * 5}).dropped] == ["too_many"]


def test_a_decisive_hypothesis_stands_whatever_the_model_picks(reply: Certify) -> None:
    assert reply({"cause": "unknown", "sentences": [GOOD]}).cause == "behind_proxy"


def test_the_models_choice_stands_among_hypotheses_that_do_not_decide(reply: Certify) -> None:
    said = {"text": "The check received HTTP 503 instead of 200-299 from the service.", "facts": ["F1"]}
    figures = {"status": 503, "expected": "200-299"}
    assert reply({"cause": "overloaded", "sentences": [said]}, figures=figures).cause == "overloaded"
    assert reply({"cause": "unknown", "sentences": [said]}, figures=figures).cause == "unknown"


def test_a_cause_is_named_only_when_the_chosen_hypothesis_names_it(reply: Certify) -> None:
    said = {"text": "An overload of the service may explain the HTTP 503 of the check.", "facts": ["F1"]}
    figures = {"status": 503, "expected": "200-299"}
    assert reply({"cause": "overloaded", "sentences": [said]}, figures=figures).sentences == (said["text"],)
    assert [one.rule for one in reply({"cause": "unknown", "sentences": [said]}, figures=figures).dropped] == ["cause"]


def test_what_was_dropped_is_kept_without_what_a_terminal_would_obey(reply: Certify) -> None:
    (dropped,) = reply("\x1b]0;owned\x07 \u202e not json " + "x" * 900).dropped
    assert dropped.text.isprintable()
    assert len(dropped.text) <= verify.MAX_LENGTH


def test_words_of_the_facts_are_licensed_even_when_they_sound_certain(certify: Certify) -> None:
    assert certify("The certificate is valid for another 99 days.", ["days_left"], "en").sentences


@given(st.text(max_size=400), st.sampled_from(["fr", "en"]))
def test_no_text_at_all_makes_the_check_raise(text: str, language: str) -> None:
    one = Evidence(FactKind.CHECK, "cause", "tcp.refused", "Contrôle de a.example : connexion refusée.", "Check of a.example.", 0, "check")
    facts = Bundle("a-1", 0, (Fact("F1", one),))
    reply = json.dumps({"cause": "unknown", "sentences": [{"text": text, "facts": ["F1"]}]})
    about = Subject(
        Monitor("a", "A", "http", "https://a.example/", "a.example", 1, 1),
        Incident("a-1", "a", Severity.OUTAGE, Cause.TCP_REFUSED, 0, 0),
        CheckResult("a", 0, Status.DOWN, Cause.TCP_REFUSED),
    )
    found = verify.certify(reply, facts, about, (), language, "m")
    assert len(found.sentences) + len(found.dropped) == 1
    assert verify.certify(text, facts, about, (), language, "m").sentences == ()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_examples_of_the_prompt_would_be_certified(subject: Callable[..., Subject], language: str) -> None:
    about = subject()
    for cause, facts, answer in _examples(language):
        made = Bundle("x-1", 0, tuple(Fact(f"F{n}", _evidence(text)) for n, text in enumerate(facts, 1)))
        allowed = rules.Hypothesis(
            cause, "medium", ("l'application derrière le proxy inverse", "the application behind the reverse proxy"), ("", "")
        )
        found = verify.certify(answer, made, about, [allowed], language, "m")
        assert found.dropped == ()
        assert len(found.sentences) == 2


def _examples(language: str) -> list[tuple[str, list[str], str]]:
    """(cause, facts, answer) of each example, read out of the prompt itself."""
    found = []
    for block in re.split(r"Ex[ae]mple \d\n", prompts.COMPOSE_EXAMPLES[language])[1:]:
        lines = block.strip().splitlines()
        facts = [line.partition(" ")[2] for line in lines if re.match(r"F\d ", line)]
        answer = lines[-1][lines[-1].index("{") :]
        found.append((json.loads(answer)["cause"], facts, answer))
    return found


def _evidence(text: str) -> Evidence:
    """A fact of the prompt's example, of the kind that its sentence is of."""
    if re.search("octet|byte", text):
        return Evidence(FactKind.TIMINGS, "first_byte", 31, text, text, 0, "check", bad=False)
    cause = re.search(r"\(([a-z.]+)\)", text)
    return Evidence(FactKind.CHECK, "cause" if cause else "failures", cause[1] if cause else 3, text, text, 0, "check", bad=True)
