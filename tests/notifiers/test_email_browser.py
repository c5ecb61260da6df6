"""A mail in a real browser: at phone and desk width, light and dark, it fits, it can be read, and a thumb hits its buttons."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser
from tests.web._browser import contrasts, launched

from vigie.core.notification import NoticeReason
from vigie.notifiers.email.body import html
from vigie.notifiers.kit.text import clean
from vigie.report.facts import Link, Message
from vigie.testing.messages import hostile, sample, storm_message

pytestmark = pytest.mark.needs("chromium")
LONG = "https://wiki.example.com/" + "a-very-long-path/" * 20
ACTIONS = (Link("Acknowledge", "https://vigie.example.com/a"), Link("Snooze 1 h", "https://vigie.example.com/b"))
WIDER = "() => [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.outerHTML.slice(0, 90))"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


def long_url(message: Message) -> Message:
    return replace(message, lines=(*message.lines, f"Shop ({LONG}) is down."), links=(Link(LONG[:70], LONG),), actions=ACTIONS)


MESSAGES = {
    "opening": long_url(sample(NoticeReason.OPENED, "fr")),
    "storm": long_url(storm_message(NoticeReason.OPENED, "en")),
    "update": storm_message(NoticeReason.UPDATED, "fr"),
    "hostile": hostile(),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1000])
@pytest.mark.parametrize("name", MESSAGES)
def test_a_mail_fits_and_can_be_read(browser: Browser, name: str, width: int, scheme: Any) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    try:
        page.set_content(html(clean(MESSAGES[name])))
        assert page.evaluate(WIDER) == []
        assert [one for one in contrasts(page, "p, td, a") if one[0] < 4.5] == []
        for button in page.locator("a.act").all():
            box = button.bounding_box()
            assert box is not None
            assert box["height"] >= 44
    finally:
        page.close()
