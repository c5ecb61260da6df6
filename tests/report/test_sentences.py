"""What messages say, in both languages: for every reason, open and over, on the same day and later, with names of any length."""

import re
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest

from vigie.core.detection import Severity
from vigie.core.model import Cause
from vigie.core.notification import Notice, NoticeReason
from vigie.report import headline, measured, render
from vigie.report.facts import Message
from vigie.report.render import RenderContext
from vigie.report.wording import cause_words, short_words
from vigie.testing.messages import STARTED_AT, sample, subject
from vigie.text import LANGUAGES
from vigie.text.formatting import moment
from vigie.text.messages import HEADLINES, REMOVED

DAY = 86_400_000
REASONS = list(HEADLINES)  # the others are laid out by reports of their own
FIGURES: dict[str, Any] = {
    "limit_ms": 2_500,
    "measured_ms": 3_210,
    "status": 502,
    "expected": "200-299",
    "received": 10,
    "announced": 20,
    "redirects": 1,
    "keyword": "ok",
    "path": "$.db",
    "operator": "==",
    "wanted": "up",
}
ENGLISH = re.compile(r"\b(the|since|after|of|is|was|and|not|check|answer|closed|from|incident closed)\b", re.IGNORECASE)


def said(
    reason: NoticeReason,
    language: str,
    *,
    name: str = "Boutique",
    over: bool = False,
    later: int = 760_000,
    severity: Severity = Severity.OUTAGE,
    **incident: Any,
) -> Message:
    """The message of a notice, `later` ms after the first failed check."""
    about = subject(severity)
    closed = STARTED_AT + 600_000 if over or reason in (NoticeReason.RECOVERED, NoticeReason.CLOSED) else None
    about = replace(about, monitor=replace(about.monitor, name=name), incident=replace(about.incident, closed_at=closed, **incident))
    notice = Notice("shop-api-7", "shop-api", "mail", reason, STARTED_AT + later)
    zone = timezone(timedelta(hours=1))
    return render.compose(about, notice, measured.bundle(about, (), notice.at, zone), None, RenderContext(language, zone))


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("severity", list(Severity))
@pytest.mark.parametrize("reason", REASONS)
def test_every_message_is_whole_and_of_its_language(reason: NoticeReason, severity: Severity, over: bool) -> None:
    for language in LANGUAGES:
        message = said(reason, language, severity=severity, over=over)
        texts = [message.headline, message.subject, *message.lines, message.footer]
        assert all(text and "{" not in text and "None" not in text for text in texts)
        if language == "fr":
            assert not [text for text in texts if ENGLISH.search(text.partition("vigie incidents")[0])]
            assert not [text for text in texts if re.search(r"[^\s\d][:;](\s|$)", text.partition("vigie incidents")[0])], (
                "a space stands before : and ;"
            )
        else:
            assert not [text for text in texts if re.search(r"\s[:;]", text)]


@pytest.mark.parametrize("reason", [reason for reason in NoticeReason if reason not in HEADLINES])
def test_what_is_about_no_incident_is_whole_and_of_its_language(reason: NoticeReason) -> None:
    french, english = (sample(reason, language) for language in LANGUAGES)
    for message in (french, english):
        texts = [message.headline, message.subject, *message.lines, message.footer]
        assert all(text and "{" not in text and "None" not in text for text in texts)
        assert len(message.headline) <= headline.HEADLINE_LENGTH
    assert not [text for text in (english.headline, *english.lines) if re.search(r"\s[:;]\s", text)]
    assert not [text for text in (french.headline, *french.lines) if re.search(r"[^\s\d][:;](\s|$)", text)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["Shop", "x" * 300, "Shop, Paris (prod)", "é" * 60, "  a\n b  "])
@pytest.mark.parametrize("reason", REASONS)
def test_first_lines_fit_a_phone_and_subjects_a_list(reason: NoticeReason, name: str, language: str) -> None:
    message = said(reason, language, name=name, closed_by="somebody with a rather long name")

    assert len(message.headline) <= headline.HEADLINE_LENGTH
    assert len(message.subject) <= headline.SUBJECT_LENGTH
    assert message.subject.endswith(" [shop-api-7]")
    assert "\n" not in message.headline


@pytest.mark.parametrize(
    ("reason", "name", "wanted"),
    [
        (NoticeReason.REMINDER, "Shop, Paris", "🔴 Shop, Paris : HTTP 502 depuis 12 min, non acquitté [shop-api-7]"),
        (NoticeReason.DISCLOSED, "Shop, Paris", "🔴 Shop, Paris : HTTP 502 depuis 01:00 UTC+1, maintenance terminée [shop-api-7]"),
        (NoticeReason.DISCLOSED, "Shop, Paris, quai nord", "🔴 Shop, Paris, quai nord : HTTP 502 depuis 01:00 UTC+1 [shop-api-7]"),
        (NoticeReason.OPENED, "Shop (Paris), quai nord", "🔴 Shop (Paris), quai nord : HTTP 502 depuis 01:00 UTC+1 [shop-api-7]"),
    ],
)
def test_a_subject_that_is_too_long_loses_a_clause_and_no_half_word(reason: NoticeReason, name: str, wanted: str) -> None:
    assert said(reason, "fr", name=name).subject == wanted


@pytest.mark.parametrize("reason", [NoticeReason.REMINDER, NoticeReason.DISCLOSED])
def test_what_is_over_by_the_time_it_is_told_is_not_called_open(reason: NoticeReason) -> None:
    assert "vigie incidents ack" not in str(said(reason, "en", over=True).lines)
    assert "still open" not in str(said(reason, "en", over=True).lines)
    assert said(reason, "en", over=True).lines[0].endswith("was down from 01:00:00 UTC+1 to 01:10:00 UTC+1.")
    assert said(reason, "fr", over=True).lines[0].endswith("a été en panne de 01:00:00 UTC+1 à 01:10:00 UTC+1.")


def test_a_time_of_another_day_has_its_date() -> None:
    assert said(NoticeReason.REMINDER, "en").lines[0].endswith("has been down since 01:00:00 UTC+1.")
    assert said(NoticeReason.REMINDER, "en", later=2 * DAY).lines[0].endswith("has been down since 1 January 2026 at 01:00:00 UTC+1.")
    assert said(NoticeReason.RECOVERED, "fr", later=2 * DAY).lines[1] == "Durée : 10 min (début : 1er janvier 2026 à 01:00:00 UTC+1)."


def test_the_programs_own_note_is_translated_and_a_persons_is_not() -> None:
    by_program = said(NoticeReason.CLOSED, "fr", note=REMOVED, closed_by="vigie")
    assert by_program.lines[:2] == (
        "Boutique (https://api.example.com/health) : incident clos par Vigie.",
        "Le service a été retiré de la configuration.",
    )
    assert "clos par Vigie" in by_program.headline
    assert "Note: cable cut" in said(NoticeReason.CLOSED, "en", note="cable\ncut", closed_by="Zoé").lines


def test_an_acknowledgement_is_asked_for_with_its_command() -> None:
    for language in LANGUAGES:
        assert said(NoticeReason.REMINDER, language).lines[-1].endswith("vigie incidents ack shop-api-7")


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_words_with_and_without_its_figures(cause: Cause) -> None:
    figures = FIGURES | {"days_left": -3 if cause is Cause.TLS_EXPIRED else 3}
    for known in ({}, figures):
        french, english = (cause_words(cause, known, language) for language in LANGUAGES)
        assert french
        assert english
        assert french != english
        assert "{" not in french + english
        assert len(short_words(cause, known, "fr")) <= 40


@pytest.mark.parametrize(
    ("redirects", "french", "english"),
    [
        (1, "redirection refusée après 1 saut", "redirect refused after 1 hop"),
        (2, "redirection refusée après 2 sauts", "redirect refused after 2 hops"),
    ],
)
def test_hops_agree_with_their_number(redirects: int, french: str, english: str) -> None:
    figures: dict[str, Any] = {"redirects": redirects}
    assert cause_words(Cause.HTTP_REDIRECT, figures, "fr") == french
    assert cause_words(Cause.HTTP_REDIRECT, figures, "en") == english


def test_a_test_notice_names_its_channel_and_carries_no_machine_key() -> None:
    for language, channel_words in (("fr", "test du canal chat"), ("en", "test of the channel chat")):
        message = render.test_message("chat", "test-1", STARTED_AT, language)
        assert channel_words in message.lines[0]
        assert "test-1" not in message.subject + message.footer
        assert message.subject == message.headline


def test_a_moment_is_told_in_the_zone_of_its_reader() -> None:
    assert moment(STARTED_AT, UTC, STARTED_AT, "en") == "00:00:00 UTC"
    assert moment(STARTED_AT, timezone(timedelta(hours=-1)), STARTED_AT, "fr") == "23:00:00 UTC-1"
