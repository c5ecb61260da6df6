"""Each pattern finds what it is for, and leaves plain English and French alone."""

from pathlib import Path

import pytest
from tools import words

WRONG = [
    "'a b' is no host",
    "a token that is none",
    "this key stands twice",
    "Its packages stand in the extra of its own name",
    "who shall be told",
    "class StandIns:",
    "minded",
    "the note is hushed",
    "what was spoilt",
    "await store.buried()",
    "the notice is let go",
    "from the second look",
    "def look_through(self):",
    "nobody is accused meanwhile",
    "5, of which down: 0",
    "sent by the earlier script",
    "1 A record(s)",
    "first byte after 0 ms",
    "the monitor and his interval",
    "it did not come to pass",
    "_MOST = 8",
    "votre mandataire",
    "ce moniteur",
    "2 contrôles de suite",
    "remise à mail",
    "un simple hoquet",
]
RIGHT = [
    "There is no database at this path",
    "it is no longer needed",
    "None where there is none",
    "{% if one.closed_at is none %}",
    "an understanding of what this is",
    "the industry standard in use",
    "duplicate key",
    "diagnostics",
    "undeliverable",
    "history",
    "il surveille des services",
    "trois contrôles consécutifs",
]


def said(text: str) -> list[str]:
    return [found for _, found, _ in words.found(text)]


@pytest.mark.parametrize("text", WRONG)
def test_a_word_that_the_field_does_not_use_is_found(text: str) -> None:
    assert said(text)


def test_every_pattern_has_its_example() -> None:
    hits = {instead for text in WRONG for _, _, instead in words.found(text)}
    assert hits == {instead for _, instead in words.PATTERNS}


@pytest.mark.parametrize("text", RIGHT)
def test_plain_words_are_left_alone(text: str) -> None:
    assert said(text) == []


def test_a_line_break_hides_nothing_and_a_reason_excuses_a_line() -> None:
    assert list(words.found("a\nb is\n    no host")) == [(2, "is no", "is not a …")]
    assert said('COLUMN = "buried"  # words: the column of a database that exists') == []


def test_the_place_is_named_and_pending_places_are_left_out(tmp_path: Path) -> None:
    for name in ("src/vigie/web/view.py", "src/vigie/web/status.html.j2", "docs/fr/guide.md", "README.md", "src/vigie/core/model.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("\nthis key stands twice\n")

    assert words.faults(tmp_path, ["src/vigie/core", "README.md"]) == [
        f"{place}:2: 'stands twice': the field says 'is in …; duplicate'"
        for place in ("src/vigie/web/view.py", "src/vigie/web/status.html.j2", "docs/fr/guide.md")
    ]
    assert len(words.faults(tmp_path, [])) == 5
