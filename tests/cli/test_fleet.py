"""What `vigie fleet status` says of each problem, with one server or none; and that all words that are counted are known."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vigie
from vigie.cli.fleet import _lines, _said
from vigie.ports import AgentStatus, EnrolledAgent, Lease, OutboxCounts, ServerStatus
from vigie.queries.fleet import FleetAgentView, FleetProblem, FleetView, Problem, ServerRole, ServerView
from vigie.text.terms import NOUNS

Run = Callable[..., Any]


@pytest.mark.parametrize("kind", FleetProblem)
@pytest.mark.parametrize("count", [0, 1, 256])
def test_every_problem_has_a_sentence(kind: FleetProblem, count: int) -> None:
    said = _said(Problem(kind, "paris", count))
    assert said.endswith(".")
    assert str(count) in said or kind not in (FleetProblem.SHARDS_WITHOUT_AGENT, FleetProblem.UNDELIVERABLE)


def test_times_are_those_of_people() -> None:
    """Whoever looks at it in the night reads hours and minutes; what waits at an agent has an age."""
    now, minute = 100 * 86_400_000, 60_000
    servers = (
        ServerView(ServerStatus("a", "1.2.0", 0, now - 900, "http://a.test", 140, 3, schema=32, location="paris"), ServerRole.EVALUATOR),
        ServerView(ServerStatus("b", "1.2.0", 0, now - 32 * minute, waiting=-1), ServerRole.SILENT),
    )
    agent = EnrolledAgent("lille-1", "lille", "", "", 0, "ann")
    status = AgentStatus("lille-1", "lille", now - 50_000, "1.1.0", spooled=37, spooled_since=now - 125 * minute, skew_ms=-1_500)
    found = FleetView(
        now, servers, (Lease("evaluator", "a/1.1", 3, 8_400),), (FleetAgentView(agent, status, True, 256),), (), OutboxCounts(0, 0), ()
    )
    assert list(_lines(found)) == [
        "SERVER  VERSION  ROLE       LOCATION  SEEN        LAG     WAITING  SCHEMA  PROTOCOL  URL",
        "a       1.2.0    evaluator  paris     900 ms ago  140 ms  3        32      1         http://a.test",
        "b       1.2.0    silent     -         32 min ago  -       ?        0       1         -",
        "",
        "LEASE      HOLDER  EPOCH  LEFT",
        "evaluator  a       3      8 s",
        "",
        "AGENT    LOCATION  VERSION  HEARD     SPOOL           SKEW    SHARDS",
        "lille-1  lille     1.1.0    50 s ago  37, oldest 2 h  -1.5 s  256",
        "",
        "Notices: 0 waiting, 0 undeliverable.",
    ]


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
