"""Characters that mislead: found, written out, and nothing else with them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.text.marks import escaped, misleading


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("Shop", None),
        ("Café Zoé 🇫🇷 日本語 👩‍💻", None),  # a joiner within an emoji
        ("می‌خواهم", None),  # a non-joiner, which Persian needs
        ("two\nlines", "U+000A"),
        ("return\rof the carriage", "U+000D"),
        ("escape\x1b[2J", "U+001B"),
        ("line\u2028separator", "U+2028"),
        ("next\u0085line", "U+0085"),
        ("pay\u202egpj.exe", "U+202E"),
        ("isolate\u2066d", "U+2066"),
        ("mark\u200fed", "U+200F"),
    ],
)
def test_the_first_one_is_named(text: str, mark: str | None) -> None:
    assert misleading(text) == mark


@given(st.text())
def test_what_is_written_out_is_one_line_and_misleads_nobody(text: str) -> None:
    found = escaped(text)
    assert misleading(found) is None
    assert len(found.splitlines()) <= 1
    assert (found == text) is (misleading(text) is None)
    assert not any(unicodedata.category(one) == "Cc" for one in found)
