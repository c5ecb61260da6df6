"""The dashboard for Grafana asks for metrics that there are, by labels that they have; every panel asks for something."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vigie.queries import MonitorState
from vigie.web.metrics.catalogue import MONITOR_INCIDENT, MONITOR_INFO, MONITOR_STATE, OWN, every

ROOT = Path(__file__).parents[2]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/vigie.json").read_text(encoding="utf-8"))
PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
PROMETHEUS = {"instance", "job"}  # labels that a scrape adds
NAME = re.compile(r"\b(?:probe|vigie|process)_[a-z0-9_]+\b")
SELECTOR = re.compile(r"\b((?:probe|vigie|process)_[a-z0-9_]+)\{([^}]*)\}")
MATCHER = re.compile(r'([a-z_]+)(=~|!~|!=|=)"([^"]*)"')
GROUPED = re.compile(r"(?:by|on|group_left) \(([^)]*)\)")
LEGEND = re.compile(r"\{\{([a-z_]+)\}\}")


def labels() -> dict[str, set[str]]:
    """The labels of each series by its name."""
    found: dict[str, set[str]] = {name: set() for name in PROCESS}
    for one in every():
        own = one.name in OWN
        place = set() if own else {"monitor"} if one in (MONITOR_INFO, MONITOR_STATE, MONITOR_INCIDENT) else {"monitor", "location"}
        names = [f"{one.name}_sum", f"{one.name}_count"] if one.kind == "summary" else [one.name]
        found |= {name: place | set(one.labels) for name in names}
    return found


def targets() -> Iterator[tuple[str, str, str]]:
    """(title, expression, legend) of everything that the dashboard asks."""
    for panel in DASHBOARD["panels"]:
        for one in panel.get("targets", ()):
            yield panel["title"], one["expr"], one["legendFormat"]
    for one in DASHBOARD["annotations"]["list"]:
        yield one["name"], one["expr"], one["titleFormat"]
    for one in DASHBOARD["templating"]["list"]:
        if one["type"] == "query":
            yield one["name"], one["query"]["query"], ""


@pytest.mark.parametrize(("title", "expression", "legend"), list(targets()))
def test_what_a_panel_asks_for_is_exported(title: str, expression: str, legend: str) -> None:
    known = labels()
    named = NAME.findall(expression)
    assert named, title
    assert set(named) <= known.keys(), title
    there = set().union(*(known[name] for name in named)) | PROMETHEUS
    for name, matchers in SELECTOR.findall(expression):
        used = {label for label, _, _ in MATCHER.findall(matchers)}
        assert used <= known[name] | PROMETHEUS, f"{title}: {name} has no {used - known[name]}"
    for group in GROUPED.findall(expression):
        assert {label.strip() for label in group.split(",")} <= there, title
    assert set(LEGEND.findall(legend)) <= there, title


def test_states_that_panels_name_are_states() -> None:
    for title, expression, _ in targets():
        for name, matchers in SELECTOR.findall(expression):
            for label, _, value in MATCHER.findall(matchers):
                if (name, label) == ("vigie_monitors", "state"):
                    assert set(value.split("|")) <= set(MonitorState), title


def test_panels_do_not_overlap_and_have_their_own_number() -> None:
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))
    taken = dict[tuple[int, int], str]()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert x < 24
                assert (x, y) not in taken, f"{panel['title']} lies on {taken.get((x, y))}"
                taken[x, y] = panel["title"]


def test_nothing_is_tied_to_the_maker_s_grafana() -> None:
    sources = {json.dumps(panel["datasource"], sort_keys=True) for panel in DASHBOARD["panels"] if "datasource" in panel}

    assert sources == {'{"type": "prometheus", "uid": "${datasource}"}'}
    assert DASHBOARD.get("id") is None
