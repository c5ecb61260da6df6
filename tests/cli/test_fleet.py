"""`vigie fleet status` and `vigie agent list` where there is one server, or none yet."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vigie.cli.fleet import _said
from vigie.queries.fleet import FleetProblem, Problem

Run = Callable[..., Any]


@pytest.mark.parametrize("kind", FleetProblem)
def test_every_problem_has_a_sentence(kind: FleetProblem) -> None:
    assert len(_said(Problem(kind, "paris-1", 2))) > 20


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
