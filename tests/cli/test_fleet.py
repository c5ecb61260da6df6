"""What `vigie fleet status` says of each problem, and that all words that are counted are known."""

import ast
from pathlib import Path

import pytest

import vigie
from vigie.cli.fleet import _said
from vigie.queries.fleet import FleetProblem, Problem
from vigie.text.formatting import NOUNS


@pytest.mark.parametrize("kind", FleetProblem)
@pytest.mark.parametrize("count", [0, 1, 256])
def test_every_problem_has_a_sentence(kind: FleetProblem, count: int) -> None:
    said = _said(Problem(kind, "paris", count))
    assert said.endswith(".")
    assert str(count) in said or kind not in (FleetProblem.SHARDS_WITHOUT_AGENT, FleetProblem.UNDELIVERABLE)


def test_every_noun_that_is_counted_is_known() -> None:
    """A noun without its plural is found when the sentence is said, which is when something is wrong."""
    unknown = []
    for path in Path(vigie.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "counted" and len(node.args) > 1:
                noun = node.args[1]
                if isinstance(noun, ast.Constant) and noun.value not in NOUNS:
                    unknown.append(f"{path.name}:{node.lineno}: {noun.value}")
    assert not unknown
