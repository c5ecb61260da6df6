"""What a mail says and how it is threaded, parsed by the standard library."""

import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser

import pytest

from vigie.core.detection import Severity
from vigie.core.notification import NoticeReason
from vigie.notifiers import NotifierDeps
from vigie.notifiers.email import Config, build
from vigie.report.facts import Message
from vigie.testing.messages import every_sample, hostile, sample


def parsed(message: Message, deps: NotifierDeps, sender: str = "vigie@example.com") -> EmailMessage:
    """As it arrives."""
    raw = build(Config(to=["team@example.com", "boss@example.com"], host="h", sender=sender), deps).mail(message).as_bytes()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert raw.isascii()
    return message_from_bytes(raw, policy=default)


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


class Words(HTMLParser):
    """The words of a page, its tags, and where its links go."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.tags, self.links = "", set[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("message", every_sample(), ids=lambda one: f"{one.reason}-{one.language}-{one.severity}")
def test_both_bodies_are_equally_complete(message: Message, deps: NotifierDeps) -> None:
    mail = parsed(message, deps)
    assert mail["subject"] == message.subject
    page = Words(body(mail, "html"))
    for text in (body(mail, "plain"), page.words.replace("\u00a0", " ")):
        wanted = [message.headline, *message.lines, message.footer]
        wanted += [part for row in message.rows for part in (row.id, row.label, row.value)]
        wanted += [message.analysis_label, *message.analysis.sentences] if message.analysis else []
        wanted += [link.label for link in message.links]
        for words in wanted:
            assert words in text
    assert page.links == [link.url for link in message.links]
    assert not mail.defects


def test_no_line_breaks_before_a_colon_or_a_unit(deps: NotifierDeps) -> None:
    page = Words(body(parsed(sample(NoticeReason.OPENED, "fr"), deps), "html"))
    for words in ("Boutique É-Shop\u00a0: HTTP 502", "après 180\u00a0ms", "Observé\u00a0: HTTP"):
        assert words in page.words


def test_the_head_says_what_it_is(deps: NotifierDeps) -> None:
    mail = parsed(sample(NoticeReason.OPENED, "fr"), deps)
    assert str(mail["from"]) == "Vigie <vigie@example.com>"
    assert str(mail["to"]) == "team@example.com, boss@example.com"
    assert mail["auto-submitted"] == "auto-generated"
    assert mail["x-vigie-incident"] == "shop-api-7"
    assert mail["x-vigie-key"] == "shop-api-7.opened.mail." + mail["x-vigie-key"].rpartition(".")[2]
    assert mail["date"].datetime.timestamp() * 1000 == deps.clock.now()
    assert mail.get_content_type() == "multipart/alternative"


def test_every_mail_of_an_incident_answers_the_first(deps: NotifierDeps) -> None:
    first = parsed(sample(NoticeReason.OPENED, "fr"), deps)
    assert "in-reply-to" not in first
    ids = {first["message-id"]}
    for reason in (NoticeReason.REPORT, NoticeReason.REMINDER, NoticeReason.RECOVERED, NoticeReason.CLOSED):
        later = parsed(sample(reason, "fr"), deps)
        assert later["in-reply-to"] == later["references"] == first["message-id"]
        ids.add(later["message-id"])
    assert len(ids) == 5


def test_ids_stay_on_another_machine_and_differ_for_another_incident_of_the_same_name(deps: NotifierDeps) -> None:
    page = sample(NoticeReason.OPENED, "fr")
    one = parsed(page, deps)["message-id"]
    assert parsed(page, replace(deps, hostname="other-container"))["message-id"] == one
    assert parsed(replace(page, since=page.since + 1), deps)["message-id"] != one


@pytest.mark.parametrize("key", ["a" * 300, "Équipe:opened", "x:y", "with space", "\ud800", "a\r\nBcc: x@example.com"])
@pytest.mark.parametrize("sender", ["v@example.com", f"v@{'long-' * 12}a.b-c.{'x' * 60}.example.co.uk", f"v@{'x' * 63}"])
def test_ids_are_well_formed_and_unfolded_whatever_the_key(key: str, sender: str, deps: NotifierDeps) -> None:
    mail = parsed(replace(sample(NoticeReason.RECOVERED, "en"), key=key, thread=key), deps, sender)
    for name in ("message-id", "in-reply-to", "references"):
        assert re.fullmatch(r"<[A-Za-z0-9._-]+@[A-Za-z0-9.-]+>", str(mail[name])), name
    raw = build(Config(to="a@example.com", host="h", sender=sender), deps).mail(
        replace(sample(NoticeReason.RECOVERED, "en"), key=key, thread=key)
    )
    for line in raw.as_bytes().split(b"\r\n\r\n")[0].split(b"\r\n"):
        if line.lower().startswith((b"message-id", b"in-reply-to", b"references", b"x-vigie")):
            assert b"=?" not in line
            assert len(line) <= 78


def test_different_long_keys_have_different_ids(deps: NotifierDeps) -> None:
    page = sample(NoticeReason.RECOVERED, "en")
    ids = {parsed(replace(page, key=key), deps)["message-id"] for key in ("k" * 200 + "1", "k" * 200 + "2", "é", "è", "a:b", "a.b")}
    assert len(ids) == 6


def test_hostile_texts_stay_words(deps: NotifierDeps) -> None:
    mail = parsed(hostile(), deps)
    allowed = {
        "subject",
        "from",
        "to",
        "date",
        "message-id",
        "auto-submitted",
        "x-vigie-incident",
        "x-vigie-key",
        "mime-version",
        "content-type",
    }
    assert {name.lower() for name in mail} == allowed
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    page = Words(body(mail, "html"))
    assert "<script>alert(1)</script>" in page.words
    assert "script" not in page.tags
    assert page.links == ["https://x.example/a?b=1&c=2"]
    assert not mail.defects


@pytest.mark.parametrize(
    ("reason", "severity", "colour"),
    [
        (NoticeReason.OPENED, Severity.OUTAGE, "#d92d20"),
        (NoticeReason.OPENED, Severity.DEGRADATION, "#dc6803"),
        (NoticeReason.RECOVERED, Severity.OUTAGE, "#17934f"),
        (NoticeReason.CLOSED, Severity.OUTAGE, "#667085"),
    ],
)
def test_the_headline_has_the_colour_of_its_news(reason: NoticeReason, severity: Severity, colour: str, deps: NotifierDeps) -> None:
    assert f"border-top:6px solid {colour}" in body(parsed(sample(reason, "en", severity=severity), deps), "html")


def test_nothing_is_fetched_and_dark_mode_is_known(deps: NotifierDeps) -> None:
    text = body(parsed(sample(NoticeReason.OPENED, "fr"), deps), "html")
    assert Words(text).tags.isdisjoint({"img", "link", "script", "iframe"})
    assert 'content="light dark"' in text
    assert '<html lang="fr">' in text
