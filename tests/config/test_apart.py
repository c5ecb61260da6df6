"""A configuration read by a process of its own is the same one, faults included."""

import subprocess
import sys
from pathlib import Path

import pytest

from vigie.config import load
from vigie.config.apart import load_apart
from vigie.errors import ConfigError, VigieError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "vigie.yaml"
    path.write_text(
        "timezone: Europe/Paris\nllm: {provider: ollama, model: llama3}\nnotify: {hook: {type: webhook, url: '${HOOK}'}}\n"
        "maintenance: [{from: 2026-03-01T22:00+01:00, until: 2026-03-01T23:30+01:00}]\n"
        "monitors: [{url: https://a.test/, expect: {latency: 1s, json: ['$.a<3']}, auth: {bearer: secret}}, https://b.test/]\n"
    )
    return path


def test_it_is_what_would_be_read_here(file: Path) -> None:
    environ = {"HOOK": "https://hooks.test/T0"}
    assert load_apart(file, environ, file.parent) == load(file, environ, file.parent)


def test_every_fault_comes_over_with_its_line_and_fix(file: Path) -> None:
    with pytest.raises(ConfigError) as here:
        load(file, {}, file.parent)
    with pytest.raises(ConfigError) as apart:
        load_apart(file, {}, file.parent)
    assert apart.value.faults == here.value.faults
    assert apart.value.faults[0].line == 3


def test_a_reading_process_that_breaks_is_no_traceback_of_ours(
    file: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(VigieError, match="exited with status 1"):
        load_apart(file, {}, file.parent)


def test_what_an_outsiders_module_prints_does_not_spoil_the_answer(file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, vigie.plugins as p; load = p.load\np.load = lambda *a: (print('noise'), load(*a))[1]\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    environ = {"HOOK": "https://hooks.test/"}
    assert load_apart(file, environ, file.parent) == load(file, environ, file.parent)


def test_what_a_reading_process_of_another_version_says_is_a_fault_that_says_so(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package was updated under a Vigie that runs: a part of the answer has moved to where this one does not look."""
    for said in (b"cvigie.not_here\nDesired\n.", b"", b"cvigie.config\nNotHere\n."):
        monkeypatch.setattr(subprocess, "run", lambda *_, said=said, **__: subprocess.CompletedProcess([], 0, said))
        with pytest.raises(VigieError, match="another version"):
            load_apart(file, {}, file.parent)


def test_what_puts_it_into_force_does_not_do_without_what_was_made(tmp_path: Path) -> None:
    """A database that cannot be reached for a moment is no reason to stop monitoring what a page made."""
    file = tmp_path / "vigie.yaml"
    file.write_text("store: postgresql://vigie:geheim@127.0.0.1:1/vigie\nmonitors: [https://a.test/]\n")
    assert any("cannot be reached" in one.message for one in load(file, {}, tmp_path).warnings)
    with pytest.raises(VigieError, match="cannot be reached") as raised:
        load_apart(file, {}, tmp_path)
    assert "geheim" not in str(raised.value)
