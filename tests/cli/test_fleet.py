"""What `vigie fleet status` says of each problem, with one server or none; and that all words that are counted are known."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vigie
from vigie.cli.fleet import _said
from vigie.queries.fleet import FleetProblem, Problem
from vigie.text.terms import NOUNS

Run = Callable[..., Any]


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
                    unknown.append(f"{path.name}:{node.lineno}: {noun.value!r}")
    assert not unknown


@pytest.mark.usefixtures("quick")
def test_an_agent_that_was_never_heard_is_no_fault(vigie: Run, folder: Path) -> None:
    assert vigie("agent", "enroll", "paris-1", "--location", "paris").status == 0
    assert (folder / "vigie.db").is_file()
    done = vigie("fleet", "status")
    assert done.status == 0
    assert "paris-1" in done.out
    assert "Agent paris-1 was enrolled and never heard." in done.out
    (problem,) = json.loads(vigie("fleet", "status", "--format", "json").out)["problems"]
    assert (problem["kind"], problem["fault"]) == ("agent_never_heard", False)
    assert "never heard" in vigie("agent", "list").out
