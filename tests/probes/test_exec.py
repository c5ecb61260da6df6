"""Commands as checks: each exit status means what plugins mean by it, and nothing that a command does outlives or outgrows its bounds."""

import os
import select
import signal
import stat
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vigie.config import one_monitor
from vigie.config.convert import dec_hook
from vigie.config.shown import plain
from vigie.core.model import Cause, CheckResult, Scalar, Status
from vigie.errors import ConfigError
from vigie.probes.exec import Config, build, plugin
from vigie.probes.kit.deps import ProbeDeps
from vigie.report.wording import cause_words, short_words
from vigie.subprocesses import KEPT_BYTES, Bounds, Command, End, run
from vigie.testing.servers import Serve, page

Deps = Callable[[], ProbeDeps]


async def look(make_deps: Deps, command: str | list[str], timeout: int = 5_000, **options: Any) -> CheckResult:
    deps = make_deps()
    try:
        return await build(msgspec.convert({"command": command, **options}, Config, dec_hook=dec_hook), deps).check(timeout)
    finally:
        deps.close()


def script(folder: Path, text: str, name: str = "check_thing") -> str:
    path = folder / name
    path.write_text("#!/bin/sh\n" + textwrap.dedent(text))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(
    ("code", "status", "cause"),
    [
        (0, Status.UP, None),
        (1, Status.DEGRADED, Cause.PROTOCOL_MISMATCH),
        (2, Status.DOWN, Cause.PROTOCOL_MISMATCH),
        (3, Status.UNKNOWN, Cause.PROBE_ERROR),
        (4, Status.UNKNOWN, Cause.PROBE_ERROR),
        (255, Status.UNKNOWN, Cause.PROBE_ERROR),
    ],
)
async def test_the_exit_status_decides(make_deps: Deps, tmp_path: Path, code: int, status: Status, cause: Cause | None) -> None:
    result = await look(make_deps, [script(tmp_path, f"echo 'THING - all is said'; exit {code}")])

    assert (result.status, result.cause) == (status, cause)
    assert "THING - all is said" in result.message
    assert (result.figures["plugin"], result.figures["exit_status"]) == ("check_thing", code)
    assert result.timings.total is not None
    assert bool(result.advice) is (status is not Status.UP)


async def test_vigie_itself_is_such_a_plugin(make_deps: Deps, serve: Serve) -> None:
    command = [sys.executable, "-m", "vigie", "check", "--format", "nagios"]
    env = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    async with serve(page(b"hello")) as port:
        good = await look(make_deps, [*command, f"http://127.0.0.1:{port}/"], 20_000, env=env)
    bad = await look(make_deps, [*command, f"http://127.0.0.1:{port}/"], 20_000, env=env)

    assert good.status is Status.UP, good
    assert good.message.startswith("VIGIE OK - ")
    assert (good.figures["perf.size"], good.figures["perf.size.unit"], good.figures["perf.size.min"]) == (5.0, "B", 0.0)
    assert bad.status is Status.DOWN
    assert "refused" in bad.message


async def test_a_line_is_split_but_no_shell_runs_it(make_deps: Deps, tmp_path: Path) -> None:
    line = script(tmp_path, 'echo "$#: $1 $2"') + " 'one two' '$HOME;exit 2'"

    assert (await look(make_deps, line)).message == "2: one two $HOME;exit 2"
    asked_for = await look(make_deps, "echo one; exit 2", shell=True)
    assert (asked_for.status, asked_for.message) == (Status.DOWN, "one")
    assert (await look(make_deps, "definitely-not-there", shell=True)).advice == ("Install it, or write its whole path in `command`.",)


async def test_the_environment_is_clean(make_deps: Deps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_PASSWORD", "hunter22")
    command = script(tmp_path, 'echo "[$EMAIL_PASSWORD] [$OWN] [$LC_ALL] $(pwd)"; case "$PATH" in *nagios*) exit 0;; esac; exit 2')
    result = await look(make_deps, [command], env={"OWN": "yes"}, directory=str(tmp_path))

    assert result.status is Status.UP
    assert result.message == f"[] [yes] [C.UTF-8] {tmp_path}"


async def test_a_secret_is_never_shown(make_deps: Deps, tmp_path: Path) -> None:
    command = script(tmp_path, 'echo "login failed with $DB_PASSWORD"; exit 2')
    config = msgspec.convert(
        {"command": [command, "-p", "in-the-arguments"], "env": {"DB_PASSWORD": "tr0ub4dor"}}, Config, dec_hook=dec_hook
    )
    result = await look(make_deps, config.command, env=config.env)

    assert result.message == "login failed with ***"
    assert config.target == "check_thing"
    assert plain(config)["env"] == {"DB_PASSWORD": "***"}


async def test_what_cannot_be_started_names_its_fix(make_deps: Deps, tmp_path: Path) -> None:
    plain_file = tmp_path / "plain"
    plain_file.write_text("exit 0")
    no_header = tmp_path / "no-header"
    no_header.write_bytes(b"\x00\x01\x02")
    no_header.chmod(0o755)
    no_interpreter = tmp_path / "no-interpreter"
    no_interpreter.write_text("#!/not/there\n")
    no_interpreter.chmod(0o755)
    missing = await look(make_deps, ["check_not_there"])
    found = {one.name: await look(make_deps, [str(one)]) for one in (plain_file, no_header, no_interpreter)}
    nowhere = await look(make_deps, ["true"], directory=str(tmp_path / "gone"))

    for result in (missing, nowhere, *found.values()):
        assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR), result
    assert "was not found" in missing.message
    assert "Install it" in missing.advice[0]
    assert "chmod +x" in found["plain"].advice[0]
    assert "chmod +x" in found["no-header"].advice[0]
    assert "interpreter" in found["no-interpreter"].message
    assert "directory" in nowhere.message


async def test_a_crash_is_not_the_services(make_deps: Deps, tmp_path: Path) -> None:
    result = await look(make_deps, [script(tmp_path, "kill -SEGV $$")])

    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR)
    assert "SIGSEGV" in result.message


async def test_stderr_speaks_only_where_the_output_is_silent(make_deps: Deps, tmp_path: Path) -> None:
    crashed = await look(make_deps, [script(tmp_path, "echo Traceback >&2; echo 'KeyError: 7' >&2; exit 2")])
    silent = await look(make_deps, [script(tmp_path, "exit 2")])
    both = await look(make_deps, [script(tmp_path, "echo warning >&2; echo fine")])

    assert crashed.message == "KeyError: 7"
    assert silent.message == "exit status 2, and no output"
    assert both.message == "fine"


def alive(pid: int) -> bool:
    """Whether it is still there after a moment: what was killed on a busy machine needs one to go."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        return not select.select([watched], [], [], 5)[0]  # it can be read once the process has ended
    finally:
        os.close(watched)


async def test_a_command_that_hangs_is_killed_with_its_children_at_the_deadline(
    make_deps: Deps, tmp_path: Path, stopwatch: Callable[[], float]
) -> None:
    command = script(tmp_path, f"trap '' TERM; sleep 60 & echo $! > {tmp_path}/child; echo begun; wait; sleep 60")
    result = await look(make_deps, [command], 400)

    assert stopwatch() < 0.4 + 0.2
    assert (result.status, result.cause, result.figures["limit_ms"]) == (Status.DOWN, Cause.TIMEOUT_TOTAL, 400)
    assert not alive(int((tmp_path / "child").read_text()))
    assert cause_words(Cause.TIMEOUT_TOTAL, result.figures, "fr") == "check_thing n'a pas terminé en 0,4 s"


async def test_a_child_that_keeps_the_output_open_holds_nobody_up(make_deps: Deps, tmp_path: Path, stopwatch: Callable[[], float]) -> None:
    result = await look(make_deps, [script(tmp_path, f"sleep 30 & echo $! > {tmp_path}/child; echo done")])

    assert (result.status, result.message) == (Status.UP, "done")
    assert stopwatch() < 2
    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)


async def test_a_command_that_closes_its_output_is_still_waited_for(make_deps: Deps, tmp_path: Path) -> None:
    result = await look(make_deps, [script(tmp_path, "echo early; exec >&- 2>&-; sleep 0.2; exit 2")])

    assert (result.status, result.message) == (Status.DOWN, "early")


async def test_long_output_is_cut_and_a_flood_is_stopped(make_deps: Deps, tmp_path: Path, stopwatch: Callable[[], float]) -> None:
    long = await look(make_deps, [script(tmp_path, "echo first; head -c 300000 /dev/zero | tr '\\0' x")])
    flood = await look(make_deps, [script(tmp_path, "yes")], 20_000)

    assert (long.status, long.message) == (Status.UP, "first")
    assert (flood.status, flood.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR)
    assert "1 MiB" in flood.message
    assert stopwatch() < 5


async def test_control_characters_do_not_reach_a_terminal(make_deps: Deps, tmp_path: Path) -> None:
    result = await look(make_deps, [script(tmp_path, "printf 'a\\033[31mb\\tc\\a\\342\\200\\256d|x=1\\n'; exit 1")])

    assert result.message == "a [31mb c d"
    assert result.figures["perf.x"] == 1.0


@pytest.mark.parametrize("by_threads", [False, True], ids=["poll", "threads"])
def test_both_ways_of_reading_agree(tmp_path: Path, by_threads: bool) -> None:
    def ran(text: str, seconds: float = 5.0) -> Any:
        bounds = Bounds(time.monotonic() + seconds, time.monotonic, threading.Event())
        return run(Command([script(tmp_path, text)], False, {"PATH": os.defpath}), bounds, by_threads=by_threads)

    good = ran("echo out; echo err >&2; exit 2")
    assert (good.end, good.code, good.out, good.err) == (End.OVER, 2, b"out\n", b"err\n")
    assert ran("sleep 30", 0.2).end is End.LATE
    assert ran("yes").end is End.FLOOD
    assert len(ran("head -c 200000 /dev/zero").out) == KEPT_BYTES
    stopped = Bounds(time.monotonic() + 5, time.monotonic, threading.Event())
    threading.Timer(0.1, stopped.stop.set).start()
    assert run(Command(["sleep", "30"], False, {"PATH": os.defpath}), stopped, by_threads=by_threads).end is End.STOPPED


@pytest.mark.parametrize(
    ("out", "found"),
    [
        ("OK | time=0.002722s;;;0.000000 size=433B;;;0", {"time": 0.002722, "time.unit": "s", "time.min": 0.0, "size": 433.0, "size.unit": "B", "size.min": 0.0}),
        ("LOAD OK - 0.1, 0.2 | load1=0.120;5.000;10.000;0;", {"load1": 0.12, "load1.warn": 5.0, "load1.crit": 10.0, "load1.min": 0.0}),
        ("DISK | '/var lib'=12MB;10:20;@5:7;0;100 | ignored", {"/var lib": 12.0, "/var lib.unit": "MB", "/var lib.warn": "10:20", "/var lib.crit": "@5:7", "/var lib.min": 0.0, "/var lib.max": 100.0}),
        ("X | 'it''s'=3 b=-2,5% c=U d=1e3c", {"it's": 3.0, "b": -2.5, "b.unit": "%", "d": 1000.0, "d.unit": "c"}),
        ("OK | a=1\nlong text\nmore | b=2\nc=3", {"a": 1.0, "b": 2.0, "c": 3.0}),
        ("OK | nonsense =3 '' ''=4 x= =5 y=--2 z=1e999", {}),
        ("no figures at all", {}),
    ],
)  # fmt: skip
def test_performance_data_become_figures(out: str, found: dict[str, Any]) -> None:
    assert plugin.figures(out) == {f"perf.{name}": value for name, value in found.items()}


def test_hostile_performance_data_costs_little() -> None:
    started = time.process_time()
    for text in (
        "|" + "a" * 60_000,
        "|" + "'" * 60_000,
        "|" + "a=1;" * 15_000,
        "|" + "=" * 60_000,
        "|" + " ".join(f"l{n}=1" for n in range(9_000)),
    ):
        assert len(plugin.figures(text)) <= 24 * 6
    assert time.process_time() - started < 0.5


def test_words_in_both_languages() -> None:
    figures: dict[str, Scalar] = {"plugin": "check_disk", "exit_status": 2}

    assert cause_words(Cause.PROTOCOL_MISMATCH, figures, "en") == "check_disk reports a problem (exit status 2)"
    assert short_words(Cause.PROTOCOL_MISMATCH, figures, "fr") == "code de retour 2"
    assert cause_words(Cause.PROTOCOL_MISMATCH, {}, "en") == "unexpected response"


def test_a_monitor_needs_no_name() -> None:
    one = one_monitor({"type": "exec", "command": "/usr/lib/nagios/plugins/check_load -w 5"})

    assert (one.monitor.id, one.monitor.target, one.monitor.host) == ("check-load", "check_load", "")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"command": ""}, "empty"),
        ({"command": []}, "empty"),
        ({"command": " ", "shell": True}, "empty"),
        ({"command": "check 'open"}, "no closing quotation"),
        ({"command": ["a"], "shell": True}, "not a list"),
        ({"command": "a", "env": {"A=B": "c"}}, "not a valid name of an environment variable"),
        ({"command": "a\x00b"}, "NUL"),
    ],
)
def test_a_faulty_configuration_is_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        one_monitor({"type": "exec", **values})
