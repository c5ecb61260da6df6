"""What every command owes its user: help with an example, a documented exit status, a fix for each error, and never a traceback."""

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from vigie import __version__, agent, cli
from vigie.cli.common import waiting

Run = Callable[..., Any]
ROOT: Any = typer.main.get_command(cli.root)


def paths() -> list[list[str]]:
    """Every command, those of groups too."""
    found = []
    for name in ROOT.list_commands(None):
        inner = getattr(ROOT.get_command(None, name), "commands", {})
        found += [[name, part] for part in inner] or [[name]]
    return found


@pytest.mark.parametrize("path", paths(), ids=" ".join)
def test_every_command_explains_itself_with_an_example(path: list[str], vigie: Run) -> None:
    done = vigie(*path, "--help")

    assert done.status == 0
    assert "Examples:\n    vigie " in done.out
    assert f"Usage: vigie {' '.join(path)}" in done.out
    assert "--install-completion" not in done.out
    assert vigie(*path, "-h").out == done.out


@pytest.mark.parametrize("name", ["check", "once", "serve", "doctor"])
def test_commands_for_programs_document_their_exit_status(name: str, vigie: Run) -> None:
    assert "Exit status: 0 " in vigie(name, "--help").out


def test_the_list_of_commands_says_what_each_does(vigie: Run) -> None:
    done = vigie("--help")

    for name in ("check", "config", "demo", "doctor", "incidents", "init", "notify", "once", "serve"):
        assert f"\n  {name} " in done.out
    assert "..." not in vigie("incidents", "--help").out.split("Commands:")[1]


def test_the_version_is_told(vigie: Run) -> None:
    assert vigie("--version").out == "vigie 0.1.0\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chekc"], "did you mean 'check'?"),
        (["xyzzy"], "commands: agent, backup, bus, check, config, demo"),
        (["check", "--bogus"], "No such option: --bogus"),
        (["check", "--format", "xml"], "'xml' is not one of 'text', 'json', 'nagios'"),
        (["check", "--min-tls-days", "soon"], "'--min-tls-days'"),
        (["once", "now"], "unexpected extra argument"),
        (["incidents", "show"], "Missing argument 'ID'"),
        (["incidents", "list", "--limit", "0"], "'--limit'"),
        (["demo", "--language", "de"], "'de' is not one of 'fr', 'en'"),
    ],
    ids=" ".join,
)
def test_unusable_arguments_end_with_3_as_a_plugin_must(arguments: list[str], words: str, vigie: Run) -> None:
    done = vigie(*arguments)

    assert done.status == 3
    assert words in done.err
    assert done.out == ""


def test_no_command_shows_the_help(vigie: Run) -> None:
    assert "First steps: vigie demo" in vigie().err


def test_a_fault_of_our_own_is_one_line_with_its_place(vigie: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("nobody\nthought of this")

    monkeypatch.setattr(agent, "check_once", broken)
    done = vigie("check", "http://127.0.0.1:9/")

    assert done.status == 3
    assert done.err.startswith("Vigie crashed: RuntimeError: nobody thought of this at test_manners.py:")
    assert "please report it" in done.err


def test_ctrl_c_ends_quietly(vigie: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(agent, "check_once", interrupted)

    assert vigie("check", "http://127.0.0.1:9/").status == 130


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_output_to_a_full_disk_is_an_error_with_a_fix() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", "from vigie.cli import main; main(['--help'])"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert done.returncode == 3
    assert done.stderr == "the output: No space left on device\nFix: check the disk and its permissions\n"


def test_a_console_that_knows_no_marks_gets_the_words(site: Any) -> None:
    command = [sys.executable, "-m", "vigie", "check", site.url]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "cp1252"}, check=False)

    assert done.returncode == 0
    assert done.stdout.startswith(f"? UP  {site.url}".encode())


def test_a_reader_that_went_away_is_no_error(vigie: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: Any) -> Any:
        raise OSError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(agent, "check_once", gone)
    done = vigie("check", "http://127.0.0.1:9/")

    assert (done.status, done.out, done.err) == (1, "", "")


@pytest.mark.parametrize(("terminal", "kind", "said"), [(True, "xterm", "looking …\r\x1b[2K"), (True, "dumb", ""), (False, "xterm", "")])
def test_a_terminal_is_told_what_is_waited_for(terminal: bool, kind: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", kind)

    with pytest.raises(KeyboardInterrupt), waiting("looking …"):
        raise KeyboardInterrupt

    assert stream.getvalue() == said


def test_the_module_is_the_command() -> None:
    said = subprocess.run([sys.executable, "-m", "vigie", "--version"], capture_output=True, text=True, check=False)
    wrong = subprocess.run([sys.executable, "-m", "vigie", "nonsense"], capture_output=True, text=True, check=False)

    assert (said.returncode, said.stdout, said.stderr) == (0, f"vigie {__version__}\n", "")
    assert (wrong.returncode, "Usage: vigie [OPTIONS] COMMAND" in wrong.stderr) == (3, True), wrong.stderr
