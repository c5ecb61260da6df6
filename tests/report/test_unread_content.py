"""A page that was not read in time is said to be so in both languages of a report."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC

from vigie.report import measured
from vigie.report.facts import Subject
from vigie.text import facts


def test_the_report_says_that_the_content_was_not_read(subject: Callable[..., Subject]) -> None:
    about = subject()
    late = replace(about, result=replace(about.result, figures={**about.result.figures, "content": "not read in time"}))

    before, after = (measured.bundle(one, (), about.result.at, UTC) for one in (about, late))

    said = [one for one in after.facts if facts.UNREAD[0] in repr(one) and facts.UNREAD[1] in repr(one)]
    assert len(said) == 1
    assert len(after.facts) == len(before.facts) + 1
