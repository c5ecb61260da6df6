"""A mail about many services: all of it in both bodies, small enough that no mail program clips it, with buttons that a thumb hits."""

from dataclasses import replace

import pytest

from vigie.core.notification import NoticeReason
from vigie.notifiers.email.body import html, plain
from vigie.notifiers.kit.text import clean
from vigie.report.facts import Link
from vigie.testing.messages import storm_message

ACTIONS = (Link("Acknowledge", "https://vigie.example.com/a/1?x=1&y=2"), Link("Snooze 1 h", "https://vigie.example.com/a/2"))


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("reason", [NoticeReason.OPENED, NoticeReason.UPDATED, NoticeReason.RECOVERED])
def test_the_services_are_in_both_bodies(reason: NoticeReason, language: str) -> None:
    message = clean(replace(storm_message(reason, language), actions=ACTIONS))
    page, text = html(message).replace("\u00a0", " ").replace("&#39;", "'"), plain(message)
    assert message.members is not None
    for words in (message.members.label, *(row.value for row in message.members.rows), message.members.rows[0].label, message.members.more):
        assert words in page
        assert words in text
    assert 'href="https://vigie.example.com/a/1?x=1&amp;y=2"' in page
    assert "https://vigie.example.com/a/1?x=1&y=2" in text


def test_a_mail_about_ten_thousand_services_is_not_clipped() -> None:
    """Gmail cuts a mail off at 102 KB."""
    for count in (500, 10_000):
        message = clean(storm_message(NoticeReason.OPENED, "fr", count))
        assert len(html(message).encode()) < 40_000
        assert len(plain(message).encode()) < 10_000


def test_an_action_that_is_not_a_web_link_is_left_out() -> None:
    message = replace(storm_message(NoticeReason.OPENED, "en", 3), actions=(Link("Acknowledge", "javascript:alert(1)"), *ACTIONS))
    assert clean(message).actions == ACTIONS


def test_where_there_are_no_buttons_actions_are_the_first_links_and_a_mail_has_them_once() -> None:
    runbook = Link("Runbook", "https://wiki.example.com/shop")
    message = clean(replace(storm_message(NoticeReason.OPENED, "en", 3), actions=ACTIONS, links=(runbook,)))
    assert message.links == (*ACTIONS, runbook)
    for text in (html(message), plain(message)):
        assert text.count("vigie.example.com/a/2") == text.count("wiki.example.com/shop") == 1
