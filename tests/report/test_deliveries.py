"""The story of the notices of an alert, in both languages: who was notified late or not at all, and why."""

from datetime import UTC

import pytest

from vigie.core.notification import NoticeReason
from vigie.errors import DeliveryReason
from vigie.report.deliveries import Account, Attempt, Fate, because, late_reason, story
from vigie.text.deliveries import FAILURES

NOW = 1_767_225_600_000  # 2026-01-01 00:00:00 UTC
MINUTE = 60_000
OPENED, RECOVERED = NoticeReason.OPENED, NoticeReason.RECOVERED
REFUSED = "535 5.7.8 bad credentials"


def account(
    *attempts: Attempt, fate: Fate = Fate.DELIVERED, channel: str = "mail", reason: NoticeReason = OPENED, **more: object
) -> Account:
    return Account(channel, reason, NOW, fate, attempts, **more)  # type: ignore[arg-type]  # keywords of Account


def failed(minutes: float) -> Attempt:
    return Attempt(NOW + round(minutes * MINUTE), DeliveryReason.AUTH, REFUSED)


def worked(minutes: float) -> Attempt:
    return Attempt(NOW + round(minutes * MINUTE), "", "250 taken")


def told(*accounts: Account, language: str = "en", at: float = 60) -> tuple[str, ...]:
    return story(accounts, language, UTC, NOW + round(at * MINUTE))


def test_the_case_of_the_issue() -> None:
    one = account(failed(0), failed(1), failed(5), failed(9), worked(14))
    assert told(one) == (
        "Nobody was notified for 14 min, from 00:00:00 UTC to 00:14:00 UTC: the login was refused (535 5.7.8 bad credentials; 4 failed attempts).",
    )
    assert told(one, language="fr") == (
        (
            "Personne n'a été notifié pendant 14 min, de 00:00:00 UTC à 00:14:00 UTC : l'authentification a été refusée "
            "(535 5.7.8 bad credentials ; 4 tentatives en échec)."
        ),
    )


def test_who_was_notified_in_time_has_no_story() -> None:
    assert told(account(worked(0.1)), account(worked(0.5), channel="chat"), account(failed(0), worked(0.2), reason=RECOVERED)) == ()
    assert told() == ()


def test_a_failover_shortens_the_silence_and_is_named() -> None:
    late, other = account(failed(0), failed(1), worked(14)), account(worked(2), channel="chat", failover_for="mail")
    assert told(late, other) == (
        "Nobody was notified for 2 min, from 00:00:00 UTC to 00:02:00 UTC: the login was refused (535 5.7.8 bad credentials; 2 failed attempts).",
        "chat: alert delivered through this failover channel instead of mail, at 00:02:00 UTC.",
    )


def test_another_channel_in_time_means_that_one_channel_was_late() -> None:
    assert told(account(failed(0), worked(14)), account(worked(0), channel="chat")) == (
        "mail: alert delivered 14 min late, at 00:14:00 UTC: the login was refused (535 5.7.8 bad credentials; 1 failed attempt).",
    )


def test_what_waits_is_given_up_or_was_dropped() -> None:
    waiting = account(failed(0), fate=Fate.WAITING, due_at=NOW + 61 * MINUTE)
    assert told(waiting, account(worked(0), channel="chat")) == (
        (
            "mail: alert has been waiting for 1 h 00 min: the login was refused (535 5.7.8 bad credentials; 1 failed attempt). "
            "Next attempt at 01:01:00 UTC."
        ),
    )
    lost = account(failed(0), fate=Fate.UNDELIVERABLE)
    assert told(lost)[0].startswith("Nobody has been notified since 00:00:00 UTC (1 h 00 min): the login was refused")
    assert told(lost)[1].startswith("mail: alert could not be delivered: the login was refused")
    dropped = account(failed(0), fate=Fate.DROPPED, dropped_by="Zoé", dropped_at=NOW + MINUTE)
    assert told(dropped) == ("mail: alert dropped by Zoé at 00:01:00 UTC.",)
    assert told(dropped, language="fr") == ("mail : alerte, envoi annulé par Zoé à 00:01:00 UTC.",)


def test_a_machine_that_was_off_is_the_reason_where_nothing_was_tried() -> None:
    assert "Vigie was not running" in told(account(worked(180)), at=200)[0]
    assert "no attempt so far" in told(account(fate=Fate.WAITING), at=5)[0]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_failure_has_its_words(language: str) -> None:
    words = {because(reason, "answer", 2, language) for reason in DeliveryReason}
    assert len(words) == len(DeliveryReason) == len(FAILURES)


def test_a_server_cannot_write_into_the_story() -> None:
    assert because("auth", "x\n\x1b[2J<b>" + "y" * 999, 1, "en").isprintable()
    assert because("made up", "", 1, "en") == "an unexpected error occurred (made up; 1 failed attempt)"


def test_a_late_notice_says_why() -> None:
    assert late_reason([worked(0)], "en") == ""
    assert late_reason([failed(0), failed(1)], "en") == "Reason: the login was refused (535 5.7.8 bad credentials; 2 failed attempts)."
