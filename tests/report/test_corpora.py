"""How well the check tells honest sentences from falsehoods: rates over the corpora, with floors."""

from collections.abc import Callable

import pytest

from vigie.report.facts import Analysis

from . import corpora
from .corpora import Entry
from .test_verify import certify  # noqa: F401 - the fixture

Certify = Callable[..., Analysis]


def passed(check: Certify, entries: list[Entry]) -> list[str]:
    return [text for language, text, names in entries if check(text, names, language).sentences == (text,)]


@pytest.mark.parametrize("part", ["SEEN", "SCORED"])
def test_honest_sentences_go_out(certify: Certify, part: str) -> None:  # noqa: F811 - the fixture
    entries: list[Entry] = getattr(corpora, f"HONEST_{part}")
    accepted = passed(certify, entries)
    assert len(accepted) / len(entries) >= 0.9, sorted({text for _, text, _ in entries} - set(accepted))


@pytest.mark.parametrize("part", ["SEEN", "SCORED"])
def test_falsehoods_without_a_figure_are_caught(certify: Certify, part: str) -> None:  # noqa: F811 - the fixture
    entries: list[Entry] = getattr(corpora, f"FALSE_{part}")
    survivors = passed(certify, entries)
    assert 1 - len(survivors) / len(entries) >= 0.9, survivors


def test_the_corpora_are_large_enough_and_share_nothing() -> None:
    honest, false = corpora.HONEST_SEEN + corpora.HONEST_SCORED, corpora.FALSE_SEEN + corpora.FALSE_SCORED
    assert len(honest) >= 60
    assert len(false) >= 60
    texts = [text for _, text, _ in honest + false]
    assert len(set(texts)) == len(texts)
