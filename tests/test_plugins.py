"""Adapters are found by their names, and what one needs beyond Vigie is named with the command that brings it."""

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from vigie import plugins
from vigie.config import one_monitor
from vigie.config.shown import schema
from vigie.errors import ConfigError, MissingExtra, VigieError
from vigie.ports import Traits
from vigie.probes import tcp

EXTRAS = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]["optional-dependencies"]
NEEDY = [
    (port, kind)
    for port in plugins.PORTS
    for kind in plugins.kinds(port)
    if plugins.load(port, kind, complete=False).__dict__.get("TRAITS", Traits()).requires
]


def test_the_nearest_kind_is_named() -> None:
    with pytest.raises(VigieError) as raised:
        plugins.load("probes", "htpp")

    assert raised.value.fix == "did you mean 'http'?"


@pytest.mark.parametrize("port", ["probes", "notifiers"])
def test_what_kinds_share_is_not_a_kind(port: str) -> None:
    assert plugins.KIT not in plugins.kinds(port)
    with pytest.raises(VigieError):
        plugins.load(port, plugins.KIT)


def test_a_kind_that_declares_no_traits_has_the_usual_ones() -> None:
    assert plugins.traits("tcp") == Traits()
    assert plugins.traits("heartbeat").passive


def test_a_missing_extra_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "TRAITS", Traits(requires=("json", "no_such.module")), raising=False)

    with pytest.raises(MissingExtra) as raised:
        plugins.load("probes", "tcp")
    with pytest.raises(ConfigError) as refused:
        one_monitor({"url": "tcp://db.test:1"})

    assert raised.value.fix == "pip install 'vigie[tcp]'"
    assert "tcp needs the Python module no_such.module, which is not installed (pip install 'vigie[tcp]')" in str(refused.value)
    assert plugins.load("probes", "tcp", complete=False) is tcp
    assert "exchange" in str(schema())  # what is not installed is described all the same


def test_an_outsider_that_lacks_a_module_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "outside_kind.py").write_text("import no_such_package.part\n")
    (tmp_path / "slip_kind.py").write_text("import vigie.no_such_part\n")
    monkeypatch.syspath_prepend(tmp_path)
    entries = [EntryPoint("outside", "outside_kind", "vigie.probes"), EntryPoint("slip", "slip_kind", "vigie.probes")]
    monkeypatch.setattr(plugins, "_outside", lambda port: {one.name: one for one in entries} if port == "probes" else {})

    with pytest.raises(MissingExtra) as raised:
        plugins.load("probes", "outside")
    with pytest.raises(ModuleNotFoundError):
        plugins.load("probes", "slip")  # no package would help

    assert raised.value.fix == "pip install no_such_package"


def test_a_scheme_names_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp.Config, "schemes", ("raw",), raising=False)

    assert plugins.of_scheme("tcp") == "tcp"
    assert plugins.of_scheme("raw") == "tcp"
    assert plugins.of_scheme("gopher") is None


@pytest.mark.parametrize(("port", "kind"), NEEDY)
def test_what_a_kind_needs_stands_in_its_extra_and_in_all(port: str, kind: str) -> None:
    assert EXTRAS[kind]
    assert kind in EXTRAS["all"][0].partition("[")[2].rstrip("]").split(",")


@pytest.mark.parametrize(("port", "kind"), NEEDY)
def test_a_kind_is_described_without_what_it_needs(port: str, kind: str) -> None:
    needs: ModuleType = plugins.load(port, kind)
    code = f"""
import sys
from vigie import plugins
from vigie.errors import MissingExtra
for name in {needs.TRAITS.requires!r}:
    sys.modules[name] = None
assert plugins.load({port!r}, {kind!r}, complete=False).Config
try:
    plugins.load({port!r}, {kind!r})
except MissingExtra as error:
    assert error.fix == "pip install 'vigie[{kind}]'", error.fix
else:
    raise AssertionError("nothing is missing")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
