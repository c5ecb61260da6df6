"""Every sentence is there in both languages, with the same fields, and set as its language is set."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest

from vigie import text

_CODE = ("claims", "numbers", "vocabulary", "prompts", "formatting", "jobs")  # words that are compared, or read by a model, or English only
_SAME = {"month", "test_footer", "services", "service"}  # entries that read alike in both languages
_FIELDS = {"number", "total"}  # of {count} services: French writes the number, English the noun with it

Entry = tuple[str, str, str]


def found(value: Any, name: str) -> Iterator[Entry]:
    """(name, French, English) of every pair; a plural gives two."""
    match value:
        case (str(french), str(english)):
            yield name, french, english
        case ((str(one), str(several)), (str(single), str(many))) if not name.startswith("hypotheses."):
            yield name, one, single
            yield name, several, many
        case dict():
            for key, inner in value.items():
                yield from found(inner, f"{name}.{key}")
        case tuple():
            for inner in value:
                yield from found(inner, name)


def entries() -> list[Entry]:
    listed: list[Entry] = []
    for module in pkgutil.iter_modules(text.__path__):
        if module.name not in _CODE:
            for name, value in vars(importlib.import_module(f"vigie.text.{module.name}")).items():
                if name.isupper():
                    listed += found(value, f"{module.name}.{name}")
    return listed


ENTRIES = entries()


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_there_are_hundreds() -> None:
    assert len(ENTRIES) > 350


@pytest.mark.parametrize(("name", "french", "english"), ENTRIES)
def test_both_languages_say_the_same(name: str, french: str, english: str) -> None:
    assert french
    assert english
    assert fields(french) - _FIELDS == fields(english) - _FIELDS
    assert "MONTHS" in name or french.endswith(".") == english.endswith(".")


@pytest.mark.parametrize(("name", "french", "english"), ENTRIES)
def test_each_language_is_set_as_it_is_printed(name: str, french: str, english: str) -> None:
    assert not re.search(r"[^\s][:;!?»](?=\s|$)", french.partition("vigie ")[0]), "French sets a space before : ; ! ? »"
    assert not re.search(r"«\S", french)
    assert not re.search(r"\s[:;,.!?](?=\s|$)", english), "English sets none"
    assert not re.search(r"\d%", french)
    assert not re.search(r"\d\s%", english)


# Words that were replaced, and must not come back (docs/glossary.md).
_RETIRED = re.compile(
    r"mandataire|\bmoniteurs?\b|contrôles? de suite|remise? à\b|état sain|second examen|\bcourriel|\bavis\b"
    r"|\bis no\b(?! longer)|stands? (?:in|twice)\b|accused|\btold\b|second look|healthy state|of which|\(s\)|\bhoster",
    re.IGNORECASE,
)


@pytest.mark.parametrize(("name", "french", "english"), ENTRIES)
def test_no_retired_word_comes_back(name: str, french: str, english: str) -> None:
    assert not _RETIRED.search(f"{french}\n{english}")
