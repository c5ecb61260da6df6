"""The report after an incident: complete, in order, in both languages, and nothing in it is markup that a name or note smuggled in."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from vigie.core.detection import Severity
from vigie.core.events import AckRecorded, Closed, Opened, Recovered, Reminded
from vigie.core.model import Cause, CheckResult
from vigie.core.notification import NoticeReason
from vigie.observation.availability import Availability
from vigie.report import postmortem
from vigie.report.facts import Analysis, Bundle, Evidence, Subject
from vigie.report.history import Past, Remark
from vigie.report.postmortem import DeliveryAttempt, Document, Record

from .conftest import AT, MINUTE, ZONE

Write = Callable[..., Document]
OUTAGE = Severity.OUTAGE


@pytest.fixture
def write(subject: Callable[..., Subject], bundle: Callable[..., Bundle], look: list[Evidence], good: CheckResult) -> Write:
    """The report of an incident of half an hour; keywords change the record."""

    def make(
        language: str = "en", *, closed_at: int | None = AT + 30 * MINUTE, by: str | None = None, name: str = "Shop API", **more: Any
    ) -> Document:
        about = subject(of={"last_good": good, "first_good": replace(good, at=AT + 30 * MINUTE)})
        about = replace(
            about, incident=replace(about.incident, closed_at=closed_at, closed_by=by), monitor=replace(about.monitor, name=name)
        )
        decisions: Sequence[Any] = [
            (AT + 10_000, Opened(OUTAGE, "shop-api-3", AT + 10_000, AT, Cause.HTTP_STATUS)),
            (AT + 5 * MINUTE, Reminded(AT + 5 * MINUTE, 1, "shop-api-3")),
            (AT + 6 * MINUTE, AckRecorded(AT + 6 * MINUTE, "ann", "shop-api-3")),
            (AT + 30 * MINUTE, Recovered(OUTAGE, "shop-api-3", AT + 30 * MINUTE)),
        ]
        attempts = (
            DeliveryAttempt(AT + 11_000, "mail", NoticeReason.OPENED, "auth: the login was refused"),
            DeliveryAttempt(AT + 13_500, "mail", NoticeReason.OPENED),
            DeliveryAttempt(AT + 30 * MINUTE + 500, "mail", NoticeReason.RECOVERED),
        )
        values: dict[str, Any] = {
            "subject": about, "bundle": bundle(about, look), "analysis": None, "decisions": tuple(decisions), "attempts": attempts, "remarks": (),
            "past": (), "month": Availability(30 * 1_440 * MINUTE, 36 * MINUTE), "now": AT + 60 * MINUTE,
        }  # fmt: skip
        return postmortem.document(Record(**{**values, **more}), language, ZONE)

    return make


def section(found: Document, title: str) -> postmortem.Section:
    return next(one for one in found.sections if one.title == title)


def table(found: Document, title: str) -> dict[str, str]:
    return {row[0]: row[1] for row in section(found, title).rows}


def test_every_section_is_there_in_both_languages(write: Write) -> None:
    english, french = write("en"), write("fr")
    assert [one.title for one in english.sections] == [
        "Summary", "Impact in numbers", "Detection", "Timeline", "What was observed", "What is not known", "How it ended",
        "Similar incidents", "Root cause", "What went well and what did not", "Action items, with owner and due date",
    ]  # fmt: skip
    assert len(french.sections) == len(english.sections)
    assert not {one.title for one in french.sections} & {one.title for one in english.sections}
    assert [bool(one.fill) for one in english.sections] == [False] * 8 + [True] * 3
    assert french.sections[0].paragraphs[0] == "Shop API a été en panne pendant 30 min, à partir du 24 novembre 2026 à 14:02:05 UTC+1."


def test_the_numbers_are_computed_from_the_record(write: Write) -> None:
    found = write()
    assert table(found, "Detection") == {
        "First failed check → incident confirmed": "10.0 s",
        "Incident confirmed → first alert sent (mail)": "3.5 s",
        "Incident confirmed → acknowledged": "5 min 50 s",
    }
    impact = table(found, "Impact in numbers")
    assert impact["Downtime over 30 days"] == "36 min"
    assert impact["Availability over 30 days"] == f"{100 * (1 - 36 / (30 * 1_440)):.3f}%"
    assert table(write("fr"), "Impact en chiffres")["Disponibilité sur 30 jours"] == "99,917 %"


def test_an_availability_of_which_little_was_observed_says_how_much(write: Write) -> None:
    impact = table(write(month=Availability(7 * 60_000, 0)), "Impact in numbers")
    assert impact["Availability over 30 days"] == "100% (observed for 7 min)"
    assert table(write("fr", month=Availability(7 * 60_000, 42_000)), "Impact en chiffres")["Disponibilité sur 30 jours"] == (
        "90,000 % (observé pendant 7 min)"
    )


def test_the_timeline_is_in_order_and_tells_failed_attempts(write: Write) -> None:
    rows = section(write(), "Timeline").rows
    assert [words for _, words in rows] == [
        "first failed check", "incident confirmed", "alert: sending by mail failed (auth: the login was refused)", "alert: sent by mail",
        "reminder 1", "acknowledged by ann", "the service responds as expected again", "recovery notice: sent by mail",
    ]  # fmt: skip


def test_what_ended_it_and_what_changed_is_said(write: Write) -> None:
    ended = section(write(), "How it ended")
    assert ended.paragraphs == ("The service responded as expected again on 24 November 2026 at 14:32:05 UTC+1.",)
    assert "the HTTP status went from 502 to 200" in ended.items
    by_hand = write(by="bob", decisions=((AT, Closed(OUTAGE, "shop-api-3", AT, "bob", "")),))
    assert section(by_hand, "How it ended").paragraphs[0].startswith("bob closed the incident on ")
    assert section(write(closed_at=None), "How it ended").paragraphs == ("The incident is still open.",)
    assert (
        write(closed_at=None).sections[0].paragraphs[0]
        == "Shop API has been down for 1 h 00 min, since 24 November 2026 at 14:02:05 UTC+1."
    )


def test_a_noted_cause_stands_before_the_supposed_one_and_notes_are_told_once(write: Write) -> None:
    said = (Remark("shop-api-3", 1, "ann", cause="overloaded", note="pool full"), Remark("shop-api-3", 2, "bob", note="pool full"))
    found = write(remarks=said)
    assert found.sections[0].paragraphs[-1] == "Cause noted by ann: service overloaded, stopped or under maintenance."
    assert [line for line in section(found, "How it ended").paragraphs if "pool" in line] == ["Note: pool full"]
    assert "Suspected cause (high confidence)" in write().sections[0].paragraphs[-1]


def test_the_certified_analysis_is_labelled_with_its_model(write: Write) -> None:
    analysis = Analysis("llama3", "en", ("The check received HTTP 502 instead of 200-299.",))
    (line,) = [one for one in write(analysis=analysis).sections[0].paragraphs if "llama3" in one]
    assert line.endswith("The check received HTTP 502 instead of 200-299.")
    assert line.startswith("Automatic analysis")


def test_a_remote_model_is_not_called_local(write: Write) -> None:
    said = ("HTTP 502.",)
    told = "\n".join(write(analysis=Analysis("gpt", "en", said, local=False)).sections[0].paragraphs)
    assert "by the remote model gpt, checked against the measurements: HTTP 502." in told


def test_an_analysis_in_another_language_is_left_out(write: Write) -> None:
    analysis = Analysis("llama3", "fr", ("Le serveur répond HTTP 502.",))
    assert "llama3" not in "\n".join(write(analysis=analysis).sections[0].paragraphs)
    assert "Analyse automatique" in "\n".join(write("fr", analysis=analysis).sections[0].paragraphs)


def test_similar_incidents_show_the_cause_that_people_noted(write: Write, subject: Callable[..., Subject]) -> None:
    about = subject()
    old = replace(about.incident, id="shop-api-1", started_at=AT - 86_400_000, closed_at=AT - 86_400_000 + 12 * MINUTE)
    past = Past(old, "api.shop.example", about.result.timings, (Remark("shop-api-1", 1, "ann", cause="behind_proxy"),))
    assert section(write(past=(past,)), "Similar incidents").rows == (
        ("shop-api-1", "2026-11-23 14:02:05 UTC+1", "12 min", "the application behind the reverse proxy"),
    )


def test_markdown_carries_no_markup_but_its_own(write: Write) -> None:
    said = (Remark("shop-api-3", 1, "ann", note="see [this](http://evil.example) | <script>\n# now"),)
    text = postmortem.markdown(write(name="<img src=x> | *bold*", remarks=said))
    assert "# Incident shop-api-3: \\<img src=x\\> \\| \\*bold\\*" in text
    assert "\\[this\\](http://evil.example) \\| \\<script\\> \\# now" in text
    assert "| 2026-11-24 14:02:05 UTC+1 | first failed check |" in text
    assert text.count("> ✍ To be filled in by the team.") == 3
