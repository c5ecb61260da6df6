"""The promise of the checker, on sentences that were written before it: no lie goes out, and hardly an honest sentence is refused."""

import time

import pytest

from vigie.text import LANGUAGES

from .blind.corpus import Entry, accepted, entries

HONEST_FLOOR, LIES_FLOOR = 0.95, 1.0
LATER_FLOOR = 0.8  # of honest sentences in shapes that nobody had thought of when the rules were written
HALVES = ("tune", "score")


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_honest_sentences_go_out(language: str, half: str) -> None:
    chosen = [one for one in entries("honest", language) if one.half == half]
    refused = {one.text: rule for one in chosen if (rule := accepted(one))}
    assert 1 - len(refused) / len(chosen) >= HONEST_FLOOR, refused


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_lies_do_not(language: str, half: str) -> None:
    chosen = [one for one in entries("lies", language) if one.half == half]
    survivors = [one.text for one in chosen if not accepted(one)]
    assert 1 - len(survivors) / len(chosen) >= LIES_FLOOR, survivors


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_corpora_are_large_and_each_half_has_its_share(language: str) -> None:
    honest, lies = entries("honest", language), entries("lies", language)
    assert len(honest) >= 150
    assert len(lies) >= 200
    assert len({one.text for one in honest}) == len(honest)
    for found in (honest, lies):
        assert all(0.4 < sum(one.half == half for one in found) / len(found) < 0.6 for half in HALVES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_shapes_that_were_thought_of_later(language: str) -> None:
    """Written when the corpora above were passed, to find what they had not asked: here the rules were mended once they were read."""
    honest, lies = entries("later_honest", language), entries("later_lies", language)
    refused = {one.text: rule for one in honest if (rule := accepted(one))}
    assert 1 - len(refused) / len(honest) >= LATER_FLOOR, refused
    assert [one.text for one in lies if not accepted(one)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_strangers_wrote(language: str) -> None:
    """Two more corpora: the second by somebody who had not read the checker, the third by the same after its first repairs."""
    kinds = ("", "later_", "second_", "third_")
    honest, lies = ([one for kind in kinds for one in entries(f"{kind}{side}", language)] for side in ("honest", "lies"))
    refused = {one.text: rule for one in honest if (rule := accepted(one))}
    assert 1 - len(refused) / len(honest) >= HONEST_FLOOR, refused
    assert [one.text for one in lies if not accepted(one)] == []


HOSTILE = {
    "spaces": "The connection" + " " * 19_000 + "was refused.",
    "one long sentence": "The connection to shop.example was refused " * 2_400,
    "ten thousand clauses": "and refused, " * 10_000,
    "nesting": "The check says " + "that it says " * 20 + "it failed.",
    "just short enough, denials": ("no not never " * 30)[:319] + ".",
    "just short enough, contrasts": ("instead of 200 and " * 30)[:319] + ".",
    "just short enough, figures": ("1.2.3.4 5 ms 502 " * 30)[:319] + ".",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_time_for_a_hostile_reply_is_bounded(text: str) -> None:
    entry = Entry("stopped/clean", ("cause", "failures"), text, "en")
    accepted(entry)  # what is compiled and read once
    started = time.process_time()
    accepted(entry)
    assert time.process_time() - started < 0.25
