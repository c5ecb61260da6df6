"""The diagrams are those of the tables, and one that is stale is found."""

from pathlib import Path

import pytest
from tools import state_diagram

from vigie.core import alert, incident

PAGES = ["incident-states.md", "alert-states.md"]


def test_the_pages_in_the_repository_are_those_of_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert state_diagram.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", PAGES)
def test_a_stale_or_missing_page_fails_and_is_named(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert state_diagram.main([], tmp_path) == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(PAGES)
    assert state_diagram.main(["--check"], tmp_path) == 0

    page = tmp_path / name
    page.write_text(page.read_text(encoding="utf-8").replace("-->", "->", 1), encoding="utf-8")
    assert state_diagram.main(["--check"], tmp_path) == 1
    assert capsys.readouterr().out == f"{name} is stale: run `make docs`\n"

    page.unlink()
    assert state_diagram.main(["--check"], tmp_path) == 1
    assert state_diagram.main([], tmp_path) == 0
    assert state_diagram.main(["--check"], tmp_path) == 0


@pytest.mark.parametrize(("name", "table", "module"), [(PAGES[0], "incident", incident), (PAGES[1], "alert", alert)])
def test_another_table_makes_a_page_stale(
    name: str, table: str, module: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = getattr(module, "TABLE")  # noqa: B009  # both modules have one
    monkeypatch.setattr(f"vigie.core.{table}.TABLE", dict(list(rules.items())[1:]))

    assert state_diagram.main(["--check"]) == 1
    assert capsys.readouterr().out == f"{name} is stale: run `make docs`\n"


def test_every_rule_is_an_arrow() -> None:
    arrows = [line for line in state_diagram.alert_states().splitlines() if "-->" in line]

    assert len(arrows) == len(alert.TABLE) + 2
    assert "    firing --> firing: reminder due – remind" in arrows
    assert "    withheld --> firing: nothing withholds it – disclose" in arrows
