"""Links that act: each for one action on one alert by one channel until one instant; nothing else is accepted."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.report.responses import Invitation, ResponseAction, ResponseLinks
from vigie.testing.messages import STARTED_AT, subject

LINKS = ResponseLinks("https://vigie.example.com/base/", b"k" * 32)
FIRST = subject().incident
NOW = STARTED_AT + 60_000


def invitation(url: str) -> tuple[str, Invitation]:
    """The alert that a link names, and what it says."""
    parts = urlsplit(url)
    *_, action, alert = parts.path.split("/")
    query = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
    return alert, Invitation(ResponseAction(action), query["to"], int(query["until"]), query["sig"])


@pytest.mark.parametrize("channel", ["mail", "anna.mail", "équipe & co/2"])
def test_each_link_is_accepted_as_it_was_made(channel: str) -> None:
    links = LINKS.links(FIRST, channel, NOW, "en")

    assert [link.label for link in links] == ["Acknowledge", "Snooze", "Resolve"]
    for link in links:
        assert link.url.startswith("https://vigie.example.com/base/respond/")
        alert, asked = invitation(link.url)
        assert (alert, asked.channel, asked.until) == (FIRST.id, channel, NOW + 7 * 86_400_000)
        assert LINKS.accepts(FIRST, asked)


def test_a_link_that_was_changed_in_anything_is_refused() -> None:
    _, asked = invitation(LINKS.links(FIRST, "mail", NOW, "en")[0].url)
    changed = [replace(asked, action=one) for one in ResponseAction if one is not asked.action]
    changed += [replace(asked, channel="chat"), replace(asked, until=asked.until + 1), replace(asked, signature=asked.signature[:-1])]
    changed += [replace(asked, signature=""), replace(asked, signature="é" * 22), replace(asked, signature="\ud800")]

    assert not any(LINKS.accepts(FIRST, one) for one in changed)
    for other in (replace(FIRST, id="shop-api-8"), replace(FIRST, started_at=FIRST.started_at + 1)):
        assert not LINKS.accepts(other, asked)
    assert not ResponseLinks(LINKS.url, b"x" * 32).accepts(FIRST, asked)


def test_a_button_is_no_link_and_a_link_is_no_button() -> None:
    _, asked = invitation(LINKS.links(FIRST, "mail", NOW, "en")[0].url)

    assert not LINKS.presses(FIRST, ResponseAction.ACK, "mail", f"ack:{asked.signature}")
    assert not LINKS.accepts(FIRST, replace(asked, signature=LINKS.button(FIRST, ResponseAction.ACK, "mail").partition(":")[2]))


@given(st.sampled_from(ResponseAction), st.text(max_size=300), st.text(max_size=300))
def test_what_a_button_carries_fits_and_is_its_own(action: ResponseAction, identity: str, channel: str) -> None:
    first = replace(FIRST, id=identity)
    token = LINKS.button(first, action, channel)

    assert len(token) <= 30
    assert token.isascii()
    assert LINKS.presses(first, action, channel, token)
    assert not any(LINKS.presses(first, other, channel, token) for other in ResponseAction if other is not action)
    assert not LINKS.presses(first, action, f"{channel}x", token)
