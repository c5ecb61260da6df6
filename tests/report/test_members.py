"""An alert of several services: what its facts license a sentence to say, what its rules suspect, and what its messages count."""

import json
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from vigie.core.detection import Severity
from vigie.core.model import Cause
from vigie.core.notification import Notice, NoticeReason
from vigie.report import measured, rules, verify
from vigie.report.facts import Bundle, Evidence, FactKind, Notified, Subject
from vigie.report.members import Group, shared
from vigie.report.render import RenderContext, compose
from vigie.testing.messages import STARTED_AT, storm, storm_message
from vigie.text import LANGUAGES

ZONE = timezone(timedelta(hours=1))


def bundle(about: Subject, *brought: Evidence) -> Bundle:
    return measured.bundle(about, brought, STARTED_AT + 60_000, ZONE)


def with_cause(about: Subject, cause: Cause, *numbers: int) -> Subject:
    """Some of the others fail in another way."""
    members = [
        replace(one, incident=replace(one.incident, cause=cause), result=replace(one.result, cause=cause)) if number in numbers else one
        for number, one in enumerate(about.members, 1)
        if one.result is not None
    ]
    return replace(about, members=tuple(members))


def accepted(about: Subject, language: str, text: str, *names: str) -> str:
    """Empty for a sentence that may go out, else the rule that it breaks; facts are cited by name."""
    made = bundle(about)
    cited = [fact.id for fact in made.facts if fact.evidence.name in names]
    assert len(cited) == len(names)
    hypotheses = rules.shortlist(made, about)
    reply = json.dumps({"cause": hypotheses[0].id, "sentences": [{"text": text, "facts": cited}]})
    found = verify.certify(reply, made, about, hypotheses, language, "model")
    return found.dropped[0].rule if found.dropped else ""


COUNT, TIMES, NAMES, CAUSE = "members.address", "members.times", "members.names", "cause"
HONEST = [
    ("en", "12 services at 192.0.2.7 are affected.", COUNT),
    ("en", "In all, 12 services at 192.0.2.7 are affected.", COUNT),
    ("en", "All 12 services at 192.0.2.7 refuse connections.", COUNT),
    ("en", "The connection is refused by 12 services at 192.0.2.7.", COUNT),
    ("en", "12 services at 192.0.2.7 have refused connections since 01:00:00 UTC+1.", COUNT, TIMES),
    ("en", "12 services at the address 192.0.2.7 are down: the connection is refused.", COUNT),
    ("en", "The first of these services failed at 01:00:00 UTC+1 and the latest at 01:00:02 UTC+1.", TIMES),
    ("en", "These services have been failing since 01:00:00 UTC+1.", TIMES),
    ("en", "Shop, Blog and Wiki are among the affected services.", NAMES),
    ("en", "Among the 12 services affected are Shop and Blog.", COUNT, NAMES),
    ("en", "The likely cause is the whole host, because 12 services at 192.0.2.7 are affected.", CAUSE, COUNT),
    ("en", "The check of shop.example.com was refused, and 12 services at 192.0.2.7 are affected.", CAUSE, COUNT),
    ("fr", "12 services à l'adresse 192.0.2.7 sont touchés.", COUNT),
    ("fr", "Au total, 12 services à l'adresse 192.0.2.7 sont touchés.", COUNT),
    ("fr", "Les 12 services à l'adresse 192.0.2.7 refusent la connexion.", COUNT),
    ("fr", "La connexion est refusée par 12 services à l'adresse 192.0.2.7.", COUNT),
    ("fr", "12 services à l'adresse 192.0.2.7 refusent la connexion depuis 01:00:00 UTC+1.", COUNT, TIMES),
    ("fr", "12 services sont en panne à l'adresse 192.0.2.7.", COUNT),
    ("fr", "Le premier de ces services a échoué à 01:00:00 UTC+1, le plus récent à 01:00:02 UTC+1.", TIMES),
    ("fr", "Parmi ces services figurent Shop, Blog et Wiki.", NAMES),
    ("fr", "Le contrôle de shop.example.com est refusé, et 12 services à l'adresse 192.0.2.7 sont touchés.", CAUSE, COUNT),
]
LIES = [
    ("en", "13 services at 192.0.2.7 are affected.", COUNT),
    ("en", "12 services at 192.0.2.8 are affected.", COUNT),
    ("en", "12 services at 192.0.2.7 are not affected.", COUNT),
    ("en", "12 services at 192.0.2.7 have recovered.", COUNT),
    ("en", "12 services at 192.0.2.7 are up and working.", COUNT),
    ("en", "12 services at 192.0.2.7 have timed out.", COUNT),
    ("en", "12 servers at 192.0.2.7 are affected.", COUNT),
    ("en", "12 checks at 192.0.2.7 are affected.", COUNT),
    ("en", "12 users at 192.0.2.7 are affected today.", COUNT),
    ("en", "More than 12 services at 192.0.2.7 are affected.", COUNT),
    ("en", "Only 12 services at 192.0.2.7 are affected.", COUNT),
    ("en", "12 other services at 192.0.2.7 are affected.", COUNT),
    ("en", "No service at 192.0.2.7 is affected at all.", COUNT),
    ("en", "12 services at 192.0.2.7 have refused connections since 02:00:00 UTC+1.", COUNT, TIMES),
    ("en", "12 services at 192.0.2.7 have refused connections since 01:00:02 UTC+1.", COUNT, TIMES),
    ("en", "The first of these services failed at 01:00:02 UTC+1.", TIMES),
    ("en", "The latest failure of these services was at 01:00:00 UTC+1.", TIMES),
    ("en", "Customer is among the affected services, too.", NAMES),
    ("en", "Among these services, Shop and Blog work.", NAMES),
    ("en", "12 services at 192.0.2.7 are affected because Shop failed first.", COUNT, NAMES),
    ("fr", "13 services à l'adresse 192.0.2.7 sont touchés.", COUNT),
    ("fr", "12 services à l'adresse 192.0.2.8 sont touchés.", COUNT),
    ("fr", "12 services à l'adresse 192.0.2.7 ne sont pas touchés.", COUNT),
    ("fr", "12 services à l'adresse 192.0.2.7 sont rétablis.", COUNT),
    ("fr", "12 services à l'adresse 192.0.2.7 fonctionnent.", COUNT),
    ("fr", "12 serveurs à l'adresse 192.0.2.7 sont touchés.", COUNT),
    ("fr", "Plus de 12 services à l'adresse 192.0.2.7 sont touchés.", COUNT),
    ("fr", "Seuls 12 services à l'adresse 192.0.2.7 sont touchés.", COUNT),
    ("fr", "12 autres services à l'adresse 192.0.2.7 sont touchés.", COUNT),
    ("fr", "Aucun service à l'adresse 192.0.2.7 n'est touché.", COUNT),
    ("fr", "Le premier de ces services a échoué à 01:00:02 UTC+1.", TIMES),
    ("fr", "Parmi ces services, Shop et Blog fonctionnent.", NAMES),
]


@pytest.mark.parametrize(("language", "text", "names"), [(one[0], one[1], one[2:]) for one in HONEST])
def test_what_is_true_of_the_services_may_be_said(language: str, text: str, names: tuple[str, ...]) -> None:
    assert accepted(storm(12), language, text, *names) == ""


@pytest.mark.parametrize(("language", "text", "names"), [(one[0], one[1], one[2:]) for one in LIES])
def test_what_is_not_may_not(language: str, text: str, names: tuple[str, ...]) -> None:
    assert accepted(storm(12), language, text, *names) != ""


@pytest.mark.parametrize(
    ("text", "honest"),
    [
        ("9 of these services are affected: connection refused.", True),
        ("3 of these services are affected: the connection timed out.", True),
        ("3 of these services are affected: connection refused.", False),
        ("9 of these services are affected: the connection timed out.", False),
        ("12 of these services are affected: connection refused.", False),
    ],
)
def test_each_cause_has_its_own_number(text: str, honest: bool) -> None:
    about = with_cause(storm(12), Cause.TIMEOUT_CONNECT, 3, 4, 5)
    name = "members.tcp.refused" if "refused" in text else "members.timeout.connect"
    assert (accepted(about, "en", text, name) == "") is honest


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_facts_sentences_license_themselves(language: str) -> None:
    about = with_cause(storm(12), Cause.TIMEOUT_CONNECT, 3, 4, 5)
    for fact in bundle(about).facts:
        if fact.evidence.name.startswith("members.") and fact.evidence.name != NAMES:
            assert accepted(about, language, fact.evidence.sentence(language), fact.evidence.name) == "", fact.evidence.sentence(language)


def test_services_that_fail_together_on_one_address_accuse_the_host() -> None:
    about = storm(5)
    assert next(one.id for one in rules.shortlist(bundle(about), about)) == "host_down"


def test_not_where_others_on_it_work() -> None:
    about = storm(5)
    others = Evidence(FactKind.SIBLINGS, "siblings.address", 5, "5 sur 9.", "5 of 9.", STARTED_AT + 50_000, "diagnostics", bad=None)
    assert "host_down" not in [one.id for one in rules.shortlist(bundle(about, others), about)]


def test_what_was_seen_of_others_before_they_failed_is_left_out() -> None:
    about = storm(5)
    early, late = (
        Evidence(FactKind.SIBLINGS, "siblings.address", 0, "fr", "en", at, "diagnostics", bad=False)
        for at in (STARTED_AT, STARTED_AT + 60_000)
    )
    assert "siblings.address" not in [fact.evidence.name for fact in bundle(about, early).facts]
    assert "siblings.address" in [fact.evidence.name for fact in bundle(about, late).facts]


def test_the_narrowest_tie_that_all_have_is_named() -> None:
    group = Group.of(storm(3)).members
    assert shared(group) == ("address", "192.0.2.7")
    assert group[2].result is not None
    elsewhere = replace(group[2], result=replace(group[2].result, address="192.0.2.99"))
    assert shared((*group[:2], elsewhere)) == ("network", "192.0.2.0/24")
    assert shared((*group[:2], replace(group[2], result=None))) is None


def test_incidents_of_one_service_are_one_service() -> None:
    about = storm(1)
    degraded = replace(Group.of(about).members[0], incident=replace(about.incident, id="shop-2", severity=Severity.DEGRADATION))
    assert not Group.of(replace(about, members=(degraded,))).several


@pytest.mark.parametrize(
    ("reason", "language", "headline"),
    [
        (NoticeReason.OPENED, "en", "🔴 500 services at 192.0.2.7: connection refused since 01:00 UTC+1"),
        (NoticeReason.OPENED, "fr", "🔴 500 services sur 192.0.2.7 : connexion refusée depuis 01:00 UTC+1"),
        (NoticeReason.UPDATED, "en", "🔴 12 more services affected at 192.0.2.7, 500 in all: connection refused"),
        (NoticeReason.UPDATED, "fr", "🔴 12 services de plus touchés sur 192.0.2.7, 500 en tout : connexion refusée"),
        (NoticeReason.ESCALATED, "en", "🔴 500 services at 192.0.2.7: connection refused for 2 min, escalated"),
        (NoticeReason.RECOVERED, "en", "🟢 500 services at 192.0.2.7: recovered after 10 min (connection refused)"),
        (NoticeReason.RECOVERED, "fr", "🟢 500 services sur 192.0.2.7 : rétablis après 10 min (connexion refusée)"),
    ],
)
def test_the_first_line_has_the_common_cause(reason: NoticeReason, language: str, headline: str) -> None:
    assert storm_message(reason, language).headline == headline


def test_the_opening_lists_the_first_services_and_counts_the_others() -> None:
    message = storm_message(NoticeReason.OPENED, "en")
    assert message.lines[0] == "500 services at 192.0.2.7 have been down since 01:00:00 UTC+1: Shop, Blog, Wiki, API, Mail and 495 more."
    assert message.lines[-1] == "Also notified: slack, telegram."
    assert message.members is not None
    assert (len(message.members.rows), message.members.more) == (12, "and 488 more")
    assert message.footer.endswith("acknowledge: vigie incidents ack shop-1")


def updated(before: int, back: int, language: str = "en") -> tuple[str, ...]:
    """The message that follows an instant, once `back` of twelve are well again."""
    notice = Notice("shop-1", "shop", "mail", NoticeReason.UPDATED, STARTED_AT + 900_000, 2)
    about = storm(12, back=back, apart=1_000)
    message = compose(about, notice, bundle(about), None, RenderContext(language, ZONE), Notified(before=before))
    return message.headline, *message.lines


def test_an_update_counts_what_happened_since_this_channels_last_notice() -> None:
    assert updated(STARTED_AT + 18_500, 0)[0] == "🔴 3 more services affected at 192.0.2.7, 12 in all: connection refused"
    assert updated(STARTED_AT + 60_000, 4)[0] == "🔴 4 services at 192.0.2.7 recovered, 8 still down: connection refused"
    assert updated(STARTED_AT + 20_500, 4)[0] == "🔴 1 more service affected at 192.0.2.7, 4 recovered, 8 still down"
    assert updated(STARTED_AT + 800_000, 4)[0] == "🔴 12 services at 192.0.2.7: connection refused, 8 still down"
    assert updated(STARTED_AT + 20_500, 4, "fr")[0] == "🔴 1 service de plus touché sur 192.0.2.7 (rétablis : 4), 8 encore en panne"
    assert updated(STARTED_AT + 60_000, 1)[1:] == (
        "1 service has recovered since 01:01:00 UTC+1: Shop.",
        "In all, 12 services at 192.0.2.7 were affected; 11 are still down.",
    )


def test_other_causes_are_counted_not_hidden() -> None:
    about = with_cause(storm(12), Cause.TIMEOUT_CONNECT, 3, 4, 5)
    notice = Notice("shop-1", "shop", "mail", NoticeReason.OPENED, STARTED_AT + 20_000)
    message = compose(about, notice, bundle(about), None, RenderContext("en", ZONE))
    assert message.headline == "🔴 12 services at 192.0.2.7: mostly connection refused since 01:00 UTC+1"
    assert message.lines[1].startswith("Observed: connection refused (9), connection timed out (3) [F1, F2, ")


@pytest.mark.parametrize(
    ("notified", "line"),
    [
        (Notified(), "No other channel is notified."),
        (Notified(("slack",)), "Also notified: slack."),
        (Notified(("slack", "sms"), ("mail",)), "Also notified: slack, sms; not reached so far: mail."),
        (Notified((), ("mail",)), "Other channels not reached so far: mail."),
    ],
)
def test_who_else_is_notified_is_said(notified: Notified, line: str) -> None:
    about = storm(1)
    notice = Notice("shop-1", "shop", "mail", NoticeReason.OPENED, STARTED_AT + 20_000)
    assert compose(about, notice, bundle(about), None, RenderContext("en", ZONE), notified).lines[-1] == line


@pytest.mark.parametrize(
    ("count", "language", "headline"),
    [
        (1, "en", "🔴 Shop: connection refused from 01:00 UTC+1 to 01:10 UTC+1, over"),
        (1, "fr", "🔴 Shop : connexion refusée de 01:00 UTC+1 à 01:10 UTC+1, terminé"),
        (3, "en", "🔴 3 services at 192.0.2.7: connection refused from 01:00 UTC+1 to 01:10 UTC+1, over"),
    ],
)
def test_an_opening_that_comes_when_all_is_over_has_the_true_times(count: int, language: str, headline: str) -> None:
    about = storm(count, back=count)
    notice = Notice("shop-1", "shop", "mail", NoticeReason.OPENED, STARTED_AT + 20_000)
    message = compose(about, notice, bundle(about), None, RenderContext(language, ZONE))
    assert message.headline == headline
    assert "acknowledge" not in message.footer
