"""From where a service fails and from where it works: in facts, lines, first lines, at the end, and in what a model may say of it."""

import json
from dataclasses import replace
from datetime import UTC

import pytest

from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.notifiers.kit.document import document
from vigie.observation.locations import Sighting, Sightings
from vigie.report import measured, rules, verify
from vigie.report.facts import Evidence, FactKind, Message, Subject
from vigie.report.render import RenderContext, compose

AT = 1_764_080_000_000  # 14:13:20 UTC
UP, DOWN, SECOND = Status.UP, Status.DOWN, 1_000
MONITOR = Monitor("shop", "Shop", "http", "https://shop.example/", "shop.example", 30_000, 5_000)
RESULT = CheckResult("shop", AT, DOWN, Cause.TCP_REFUSED, location="paris")
INCIDENT = Incident("shop-1", "shop", Severity.OUTAGE, Cause.TCP_REFUSED, AT, AT + 10 * SECOND, alert="shop-1", failures=3)
LOCAL = Sighting("local", UP, None, AT - 9_999 * SECOND, AT)
LYON = Sighting("lyon", DOWN, Cause.TCP_REFUSED, AT + 4 * SECOND, AT)
NICE = Sighting("nice", UP, None, AT - 9_999 * SECOND, AT - 999 * SECOND, silent=True)
PARIS = Sighting("paris", DOWN, Cause.TCP_REFUSED, AT, AT)
SEEN = (LOCAL, LYON, NICE, PARIS)


def about(seen: Sightings = SEEN) -> Subject:
    return Subject(MONITOR, INCIDENT, RESULT, None, 3, seen=seen)


def message(subject: Subject, reason: NoticeReason = NoticeReason.OPENED, language: str = "en", at: int = AT + 20 * SECOND) -> Message:
    bundle = measured.bundle(subject, (), at, UTC)
    return compose(subject, Notice("shop-1", "shop", "mail", reason, at), bundle, None, RenderContext(language, UTC))


def ended(*at_end: Sighting) -> Subject:
    return replace(about(), incident=replace(INCIDENT, closed_at=AT + 80 * SECOND), seen_at_end=at_end)


@pytest.mark.parametrize(
    ("language", "first", "line"),
    [
        (
            "en",
            "🔴 Shop: connection refused since 14:13 UTC (3 checks, lyon + paris)",
            "Fails from lyon (since 14:13:24 UTC) and paris (since 14:13:20 UTC), works from local, no recent result from nice [F3, F4, F5].",
        ),
        (
            "fr",
            "🔴 Shop : connexion refusée depuis 14:13 UTC (3 contrôles, lyon + paris)",
            "Échoue depuis lyon (dès 14:13:24 UTC) et paris (dès 14:13:20 UTC), fonctionne depuis local, sans résultat récent depuis nice [F3, F4, F5].",
        ),
    ],
)
def test_an_alert_says_from_where_it_fails_since_when_and_from_where_not(language: str, first: str, line: str) -> None:
    said = message(about(), language=language)
    assert said.headline == first
    assert said.lines[2] == line
    assert {row.id for row in said.rows} >= {"F3", "F4", "F5"}


def test_of_one_location_nothing_is_said() -> None:
    said = message(about(()))
    assert said.headline.endswith("(3 checks)")
    assert not any("from" in line for line in said.lines)
    assert not any(row.label == "location" for row in said.rows)


def test_a_first_line_names_three_of_them() -> None:
    seen = tuple(replace(PARIS, location=f"city-{number}") for number in range(7))
    assert message(about(seen)).headline.endswith("(3 checks, city-0 + city-1 + city-2 +4)")
    assert "city-4 (since 14:13:20 UTC) and 2 more" in message(about(seen)).lines[2]


def test_a_later_notice_says_what_holds_by_then_and_cites_no_older_fact() -> None:
    said = message(about((LOCAL, LYON, replace(PARIS, status=UP, cause=None))), NoticeReason.REMINDER)
    assert "Fails from lyon (since 14:13:24 UTC), works from local and paris." in said.lines


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "Works again from lyon (since 14:14:34 UTC), still fails from paris, never failed from local, no recent result from nice."),
        (
            "fr",
            "Fonctionne de nouveau depuis lyon (dès 14:14:34 UTC), échoue encore depuis paris, n'a jamais échoué depuis local, sans résultat récent depuis nice.",
        ),
    ],
)
def test_the_end_says_from_where_it_works_again_and_from_where_it_does_not(language: str, line: str) -> None:
    back = ended(LOCAL, replace(LYON, status=UP, cause=None, since=AT + 74 * SECOND), NICE, PARIS)
    said = message(back, NoticeReason.RECOVERED, language, AT + 80 * SECOND)
    assert said.lines[1] == line
    assert [(one.location, one.status) for one in said.locations] == [("local", UP), ("lyon", UP), ("nice", UP), ("paris", DOWN)]


def test_programs_get_a_list() -> None:
    found = document(message(about()))["locations"]
    assert found[1] == {"location": "lyon", "status": "down", "cause": "tcp.refused", "since": AT + 4 * SECOND, "silent": False}
    assert document(message(about(())))["locations"] == []


def test_diagnostics_say_from_where_they_were_run_where_that_is_a_question() -> None:
    looked = Evidence(
        FactKind.TCP, "address.192.0.2.7", 9, "L'adresse 192.0.2.7 refuse.", "The address 192.0.2.7 refuses.", AT, "tcp", bad=True
    )
    bundle = measured.bundle(about(), (looked,), AT, UTC, "lyon")
    assert any(fact.evidence.en == "The diagnostics were run from lyon." for fact in bundle.facts)
    notice = Notice("shop-1", "shop", "mail", NoticeReason.OPENED, AT)
    said = compose(about(), notice, bundle, None, RenderContext("en", UTC))
    assert any(line.startswith("Diagnostics from lyon: ") for line in said.lines)
    alone = measured.bundle(about(()), (looked,), AT, UTC, "lyon")
    assert not any(fact.evidence.kind is FactKind.LOCATION for fact in alone.facts)


def certified(text: str, *facts: str, language: str = "en") -> str:
    """Why a sentence is dropped; empty where it may go out."""
    bundle = measured.bundle(about(), (), AT, UTC)
    found = rules.shortlist(bundle, about())
    reply = json.dumps({"cause": found[0].id, "sentences": [{"text": text, "facts": facts}]})
    analysis = verify.certify(reply, bundle, about(), found, language, "model")
    return analysis.dropped[0].rule if analysis.dropped else ""


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("The service refuses connections from lyon and paris.", ("F1", "F3")),
        ("The check fails from Paris and Lyon since 14:13:20 UTC.", ("F3",)),
    ],
)
def test_a_sentence_may_name_the_locations_of_its_facts(text: str, facts: tuple[str, ...]) -> None:
    assert certified(text, *facts) == ""


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("The check fails from local and the service is down there.", ("F3", "F4")),
        ("The check fails from local since 14:13:20 UTC as well.", ("F3",)),
        ("The check succeeds from paris, and it fails from local.", ("F3", "F4")),
        ("The check succeeds from paris and lyon at this moment.", ("F4",)),
        ("The check of shop.example still succeeds from nice.", ("F4",)),
        ("The check succeeds from local.", ("F4",)),  # while it fails that is for code to say: the line beside it does
        ("The check fails from berlin since 14:13:20 UTC as well.", ("F3",)),
        ("The service is reachable from paris at this moment.", ("F3",)),
    ],
)
def test_a_sentence_that_puts_trouble_elsewhere_is_dropped(text: str, facts: tuple[str, ...]) -> None:
    assert certified(text, *facts) != ""
