"""Links that say whether an analysis helped: which notices end with them, and what they prove."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from vigie.core.notification import Notice, NoticeReason
from vigie.report import measured, render
from vigie.report.facts import Analysis
from vigie.report.feedback import Feedback
from vigie.report.render import RenderContext
from vigie.testing.messages import subject

LINKS = Feedback("https://vigie.example.com/", b"k" * 32)
ANALYSIS = Analysis("llama3", "en", ("The nginx server answers HTTP 502.",))
SIGNATURE = "nBW4IE5NhUnm5aJHMmUuYA"  # by openssl dgst -sha256 -hmac, the first 16 bytes


def message(setting: RenderContext, analysis: Analysis | None = ANALYSIS, reason: NoticeReason = NoticeReason.OPENED) -> Any:
    about = subject()
    about = replace(about, incident=replace(about.incident, closed_at=None))
    notice = Notice("shop-api-7", "shop-api", "mail", reason, about.incident.opened_at)
    return render.compose(about, notice, measured.bundle(about, (), notice.at, setting.zone), analysis, setting)


@pytest.mark.parametrize("reason", [NoticeReason.OPENED, NoticeReason.REPORT, NoticeReason.REMINDER])
@pytest.mark.parametrize(
    ("language", "labels"),
    [("en", ["👍 The analysis was helpful", "👎 The analysis was misleading"]), ("fr", ["👍 Analyse utile", "👎 Analyse trompeuse"])],
)
def test_a_notice_with_an_analysis_ends_with_two_links(
    language: str, labels: list[str], reason: NoticeReason, setting: Callable[[str], RenderContext]
) -> None:
    found = message(replace(setting(language), feedback=LINKS), reason=reason)

    base = f"https://vigie.example.com/feedback/shop-api-7/{SIGNATURE}?helpful="
    assert [link.label for link in found.links] == labels
    assert [link.url for link in found.links] == [f"{base}yes", f"{base}no"]
    assert "--helpful" not in found.footer


@pytest.mark.parametrize(("language", "words"), [("en", "was the analysis helpful?"), ("fr", "l'analyse a-t-elle été utile ?")])
def test_without_an_address_it_names_the_command(language: str, words: str, setting: Callable[[str], RenderContext]) -> None:
    found = message(setting(language))

    assert found.links == ()
    assert found.footer.count(f"{words} vigie incidents resolve shop-api-7 --helpful") == 1


@pytest.mark.parametrize("feedback", [LINKS, None])
@pytest.mark.parametrize("analysis", [None, replace(ANALYSIS, sentences=())])
def test_where_no_model_wrote_nobody_is_asked(
    feedback: Feedback | None, analysis: Analysis | None, setting: Callable[[str], RenderContext]
) -> None:
    found = message(replace(setting("en"), feedback=feedback), analysis)

    assert found.links == ()
    assert "--helpful" not in found.footer


def test_a_signature_is_of_one_incident_and_one_key() -> None:
    incident = subject().incident
    others = [replace(incident, id="shop-api-8"), replace(incident, started_at=incident.started_at + 1)]

    assert LINKS.accepts(incident, SIGNATURE)
    assert not any(LINKS.accepts(other, SIGNATURE) for other in others)
    assert not Feedback(LINKS.url, b"l" * 32).accepts(incident, SIGNATURE)
    for wrong in ("", SIGNATURE[:-1], SIGNATURE + "=", SIGNATURE.swapcase(), "é", "\ud800"):
        assert not LINKS.accepts(incident, wrong)


def test_the_key_is_in_no_description() -> None:
    assert "kkk" not in repr(LINKS)
