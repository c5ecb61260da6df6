"""What is installed is looked through once, and ours goes before an outsider of the same name."""

import sys
import types
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import pytest

from vigie import plugins
from vigie.errors import MissingExtra, VigieError


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Outsiders `gopher` (whole), `http` (a name of ours) and `half` (lacks a package); the groups that were looked through."""
    asked: list[str] = []
    monkeypatch.setitem(sys.modules, "outsider", types.ModuleType("outsider"))
    modules = {"gopher": "outsider", "http": "outsider", "half": "no_such_package.probe"}
    entries = [metadata.EntryPoint(name, value, "vigie.probes") for name, value in modules.items()]

    def entry_points(*, group: str) -> Any:
        asked.append(group)
        return entries if group == "vigie.probes" else []

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    for cached in (plugins._own, plugins._outside):
        cached.cache_clear()
    yield asked
    for cached in (plugins._own, plugins._outside):
        cached.cache_clear()


def test_ten_thousand_monitors_look_through_what_is_installed_once(installed: list[str]) -> None:
    for _ in range(10_000):
        plugins.load("probes", "gopher")
    assert installed == ["vigie.probes"]


def test_an_outsider_is_found_but_does_not_take_the_place_of_ours(installed: list[str]) -> None:
    assert {"gopher", "half", "http"} <= set(plugins.kinds("probes"))
    assert plugins.load("probes", "gopher").__name__ == "outsider"
    assert plugins.load("probes", "http").__name__ == "vigie.probes.http"


def test_our_own_kinds_need_no_look_at_what_is_installed(installed: list[str]) -> None:
    plugins.load("probes", "http")
    assert installed == []


def test_an_unknown_kind_names_the_nearest(installed: list[str]) -> None:
    with pytest.raises(VigieError) as raised:
        plugins.load("probes", "gofer")
    assert raised.value.fix == "did you mean 'gopher'?"
    with pytest.raises(VigieError) as raised:
        plugins.load("probes", "zyx9")
    assert raised.value.fix.startswith("known: ")
    assert "gopher" in raised.value.fix


def test_a_missing_package_is_named_with_the_command_that_brings_it(installed: list[str]) -> None:
    with pytest.raises(MissingExtra) as raised:
        plugins.load("probes", "half")
    assert raised.value.fix == "pip install no_such_package"
