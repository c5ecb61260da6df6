"""The mode in which a model chooses and code writes: not a word of the message is the model's."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from vigie.report import rules, select
from vigie.report.facts import Analysis, Bundle, Evidence, Subject
from vigie.report.prompt import MAX_TOKENS, tokens


@pytest.fixture
def parts(subject: Callable[..., Subject], bundle: Callable[..., Bundle], look: list[Evidence]) -> tuple[Bundle, Subject]:
    about = subject()
    return bundle(about, look), about


def certify(parts: tuple[Bundle, Subject], reply: Any, language: str = "en") -> Analysis:
    bundle, about = parts
    text = reply if isinstance(reply, str) else json.dumps(reply)
    return select.certify(text, bundle, about, rules.shortlist(bundle, about), language, "tiny", 5)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_sentences_are_the_facts_own_in_the_order_chosen(parts: tuple[Bundle, Subject], language: str) -> None:
    bundle, _ = parts
    found = certify(parts, {"cause": "behind_proxy", "facts": ["F4", "F2"]}, language)
    expected = [bundle.facts[number].evidence for number in (0, 3, 1)]
    assert found.sentences == tuple(one.fr if language == "fr" else one.en for one in expected)
    assert (found.cause, found.dropped) == ("behind_proxy", ())


@pytest.mark.parametrize(
    ("reply", "rule"),
    [
        ("nonsense", "not_json"),
        ("[" * 100_000, "not_json"),
        ([1], "schema"),
        ({"cause": "behind_proxy"}, "schema"),
        ({"cause": "behind_proxy", "facts": []}, "schema"),
        ({"cause": "behind_proxy", "facts": ["F1"], "more": 1}, "schema"),
        ({"cause": "aliens", "facts": ["F1"]}, "unknown_cause"),
        ({"cause": "behind_proxy", "facts": ["F99"]}, "unknown_citation"),
        ({"cause": "behind_proxy", "facts": [1]}, "unknown_citation"),
    ],
)
def test_a_reply_that_is_no_choice_is_dropped_whole(parts: tuple[Bundle, Subject], reply: Any, rule: str) -> None:
    found = certify(parts, reply)
    assert (found.sentences, [one.rule for one in found.dropped]) == ((), [rule])


def test_a_decisive_rule_stands_whatever_is_chosen(parts: tuple[Bundle, Subject]) -> None:
    assert certify(parts, {"cause": "unknown", "facts": ["F1"]}).cause == "behind_proxy"


def test_the_prompt_keeps_to_its_budget_and_its_schema_to_the_prompt(parts: tuple[Bundle, Subject], look: list[Evidence]) -> None:
    bundle, about = parts
    many = Bundle(bundle.incident, bundle.made_at, bundle.facts * 40)
    system, user, schema = select.build(many, about, rules.shortlist(bundle, about), "fr")
    assert tokens(system) + tokens(user) <= MAX_TOKENS + 20
    properties: Any = schema["properties"]
    assert set(properties["facts"]["items"]["enum"]) <= {line.split(" ")[0] for line in user.splitlines()}
    assert properties["cause"]["enum"][-1] == "unknown"
