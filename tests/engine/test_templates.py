"""Messages in people's own words: what is replaced, and that a template that fails costs nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC

import pytest

from vigie.clock import SystemClock
from vigie.core.notification import NoticeReason
from vigie.engine.templates import TemplatedNotifier, Wording
from vigie.errors import VigieError
from vigie.report import render
from vigie.report.facts import Message, Row
from vigie.report.variables import VARIABLES, variables
from vigie.testing.fakes import FakeChannel

MESSAGE = replace(
    render.test_message("mail", "test-1", 1_767_225_600_000, "en"),
    lines=("one", "two"),
    reason=NoticeReason.OPENED,
    monitor="Shop",
    footer="f",
)


class Rendering:
    """Repeats each template; `fault` is raised instead."""

    def __init__(self) -> None:
        self.fault: VigieError | None = None
        self.asked: list[dict[str, str]] = []

    def __call__(self, templates: Mapping[str, str], values: Mapping[str, object]) -> dict[str, str]:
        self.asked.append(dict(templates))
        assert values["monitor"] == "Shop"
        if self.fault is not None:
            raise self.fault
        return dict(templates)


class Clock(SystemClock):
    """Real, for threads need a real loop; `ahead` moves it."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


def wrapped(rendering: Rendering, wording: Wording) -> tuple[TemplatedNotifier, FakeChannel, Clock]:
    clock = Clock()
    channel = FakeChannel(clock)
    return TemplatedNotifier(channel, "mail", wording, rendering, UTC, clock), channel, clock


async def sent(wording: Wording, message: Message = MESSAGE) -> Message:
    notifier, channel, _ = wrapped(Rendering(), wording)
    await notifier.deliver(message)
    return channel.told[0][1]


async def test_the_parts_that_are_set_replace_the_standard_ones() -> None:
    found = await sent(Wording({"headline": "H\n h", "lines": "a\n\n  b \n"}))
    assert (found.headline, found.subject, found.lines, found.footer) == ("H h", MESSAGE.subject, ("a", "b"), "f")
    found = await sent(Wording({"subject": "S", "body": "all"}), replace(MESSAGE, rows=(Row("F1", "x", "y"),)))
    assert (found.subject, found.headline, found.lines, found.rows) == ("S", MESSAGE.headline, ("all",), ())
    assert (await sent(Wording({"headline": "   "}))).headline == MESSAGE.headline, "never an empty first line"


async def test_templates_by_reason_come_first() -> None:
    wording = Wording({"headline": "usual", "lines": "usual"}, {"recovered": {"headline": "back", "body": "b"}})
    assert wording.of("opened") == {"headline": "usual", "lines": "usual"}
    assert wording.of("recovered") == {"headline": "back", "body": "b"}
    assert (await sent(Wording({}, {"recovered": {"headline": "x"}}))) is MESSAGE


async def test_a_template_that_fails_costs_nothing_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    rendering = Rendering()
    notifier, channel, clock = wrapped(rendering, Wording({"headline": "H"}))
    rendering.fault = VigieError("no such thing")
    for _ in range(50):
        await notifier.deliver(MESSAGE)
    assert [message for _, message in channel.told] == [MESSAGE] * 50
    assert len(rendering.asked) == 1, "one that hangs is not waited for each time"
    clock.ahead += 61
    await notifier.deliver(MESSAGE)
    assert len(rendering.asked) == 2
    assert len([one for one in caplog.records if "a template failed: no such thing" in one.message]) == 1
    rendering.fault = None
    clock.ahead += 61
    await notifier.deliver(MESSAGE)
    assert channel.told[-1][1].headline == "H"


def test_every_documented_variable_is_there_and_no_other() -> None:
    assert variables(MESSAGE, "mail", UTC).keys() == VARIABLES.keys()
