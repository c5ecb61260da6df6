"""Any command as a check: a monitoring plugin, or a script of one's own that ends as plugins do.

Exit status 0 is up, 1 degraded, 2 down, 3 unknown (Monitoring Plugins Development Guidelines); anything else tells nothing about the
service and is unknown. A plugin's WARNING and CRITICAL are `protocol.mismatch`: the exchange that it expects with its service
failed; a command that does not end in time is `timeout.total`.

`figures`: `plugin` and `exit_status`, `limit_ms` (timeout.total), and the performance data as `perf.<label>…` (see plugin.py).
"""

import asyncio
import errno
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath
from typing import Annotated

import msgspec

from vigie import subprocesses
from vigie.core.model import Cause, CheckResult, Scalar, Status, Timings
from vigie.net import Secret, Secrets, held_by, redact, texts
from vigie.ports import Problem, Traits
from vigie.probes.exec import plugin
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.verdict import Verdict
from vigie.subprocesses import Bounds, Command, End, Ran, run, signal_name

__all__ = ["Config", "build"]

TRAITS = Traits(tcp=False, programs=True)
_AT_ONCE = 256  # commands that run side by side
_PLUGIN_FOLDERS = (
    "/usr/lib/nagios/plugins", "/usr/lib64/nagios/plugins", "/usr/lib/monitoring-plugins", "/usr/local/libexec/nagios",
    "/opt/homebrew/opt/monitoring-plugins/sbin",
)  # fmt: skip
_STATUSES = {0: Status.UP, 1: Status.DEGRADED, 2: Status.DOWN, 3: Status.UNKNOWN}
_NOT_EXECUTABLE, _NOT_FOUND = 126, 127  # what a shell says (POSIX, Shell Command Language §2.8.2)
_BY_HAND = "Run the command by hand as the user that Vigie runs as."
_HINTS = {
    _NOT_FOUND: "Install it, or write its whole path in `command`.",
    _NOT_EXECUTABLE: "Make it executable for the user that Vigie runs as (chmod +x), with an interpreter in its first line.",
}


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One command. It ends with 0 (up), 1 (degraded), 2 (down) or 3 (unknown), as monitoring plugins do, and says why on its first line."""

    command: Annotated[
        str | list[str],
        msgspec.Meta(
            description="Program and arguments, as a list or as a line that is split the way a shell does; no shell is involved. "
            "Plugin folders are searched after `PATH`. Secrets belong in `env`: arguments are visible to every user of the machine.",
            examples=["check_load -w 5,4,3 -c 10,8,6", ["/opt/checks/backup.py", "--days", "1"]],
        ),
    ]
    shell: Annotated[bool, msgspec.Meta(description="Pass the line to the system's shell, for pipes and variables.")] = False
    env: Annotated[
        dict[str, Secret],
        msgspec.Meta(
            description="Environment of the command, in addition to `PATH`, `HOME`, `TZ` and the like; nothing else of Vigie's own "
            "environment is passed on.",
            examples=[{"PGPASSWORD": "${DB_PASSWORD}"}],
        ),
    ] = {}
    directory: Annotated[str | None, msgspec.Meta(description="Working directory; Vigie's own if not set.", examples=["/opt/checks"])] = (
        None
    )

    def __post_init__(self) -> None:
        """Raise ValueError for a command that cannot be run."""
        subprocesses.check(self.command, shell=self.shell, env=texts(self.env), directory=self.directory)

    @property
    def target(self) -> str:
        """The program's name; its arguments may hold secrets."""
        words = self.command.split() if self.shell and isinstance(self.command, str) else subprocesses.split(self.command)
        return PurePath(words[0]).name or words[0]

    @property
    def host(self) -> str:
        """Empty: it is not known what a command talks to."""
        return ""


def build(config: Config, deps: ProbeDeps) -> "ExecProbe":
    """The probe of one command; all of them share their threads."""
    pool = deps.shared("exec", lambda: ThreadPoolExecutor(_AT_ONCE, "vigie-exec"), lambda made: made.shutdown(cancel_futures=True))
    return ExecProbe(config, deps, pool)


def verify(config: Config) -> Iterator[Problem]:
    """Whether the program can be found and executed, and the working directory exists. What a shell runs is the shell's to find."""
    if config.directory is not None and not Path(config.directory).is_dir():
        yield Problem("directory", f"there is no directory {config.directory}", "create it, or name another one")
        return
    if config.shell:
        return
    path = _environment(texts(config.env))["PATH"]
    searched = "in PATH or in the plugin folders"
    if (found := subprocesses.not_executable(subprocesses.split(config.command)[0], config.directory, path, searched=searched)) is not None:
        yield Problem("command", *found)


class ExecProbe:
    """Runs one command."""

    def __init__(self, config: Config, deps: ProbeDeps, pool: ThreadPoolExecutor) -> None:
        self._clock, self._pool = deps.clock, pool
        self._name, self._directory = config.target, config.directory
        self._secrets = Secrets(held_by(config))
        arguments = config.command if config.shell and isinstance(config.command, str) else subprocesses.split(config.command)
        self._command = Command(arguments, config.shell, _environment(texts(config.env)), config.directory)

    async def check(self, timeout_ms: int) -> CheckResult:
        """Run it once; it and its children are gone when this returns. Never raises for what the command does."""
        at, started = self._clock.now(), self._clock.monotonic()
        bounds = Bounds(started + timeout_ms / 1000, self._clock.monotonic, threading.Event())
        try:
            ran = await asyncio.get_running_loop().run_in_executor(self._pool, run, self._command, bounds)
        except OSError as error:
            return self._result(at, started, *self._not_started(error))
        finally:
            bounds.stop.set()
        found = self._verdict(ran, timeout_ms)
        return self._result(at, started, found, _hint(found))

    def _result(self, at: int, started: float, found: Verdict, hint: str) -> CheckResult:
        up = found.status is Status.UP
        return CheckResult(
            monitor="",
            at=at,
            status=found.status,
            cause=None if up else found.cause,
            message=redact(found.message, self._secrets),
            timings=Timings(total=(self._clock.monotonic() - started) * 1000),
            figures={"plugin": self._name, **found.figures},
            advice=() if up else (hint,),
        )

    def _verdict(self, ran: Ran, timeout_ms: int) -> Verdict:
        if ran.end is End.LATE:
            words = f"the command did not end within {timeout_ms / 1000:g} s and was killed"
            return Verdict(Cause.TIMEOUT_TOTAL, words, {"limit_ms": timeout_ms})
        if ran.end is not End.OVER or ran.code is None:
            return _own("it wrote more than 1 MiB and was killed" if ran.end is End.FLOOD else "too many commands were running")
        if ran.code < 0:
            return _own(f"the command was killed by {signal_name(ran.code)}")
        return self._judged(ran.code, ran.out.decode("utf-8", "replace"), ran.err.decode("utf-8", "replace"))

    def _judged(self, code: int, out: str, err: str) -> Verdict:
        words = plugin.said(out, err)
        figures: dict[str, Scalar] = {**plugin.figures(out), "exit_status": code}
        status = _STATUSES.get(code)
        if status is None:
            figures["obstacle"] = "program_status"
            return _own(f"exit status {code}, which is not one of 0 to 3" + (f" ({words})" if words else ""), figures)
        if status is Status.UNKNOWN:
            figures["obstacle"] = "program_status"
        cause = Cause.PROBE_ERROR if status is Status.UNKNOWN else Cause.PROTOCOL_MISMATCH
        return Verdict(cause, words or f"exit status {code}, and no output", figures, status)

    def _not_started(self, error: OSError) -> tuple[Verdict, str]:
        if self._directory is not None and error.filename == self._directory:
            return _own(f"cannot change to the working directory ({error.strerror})"), "Create it, or name another one in `directory`."
        if isinstance(error, FileNotFoundError):
            missing: dict[str, Scalar] = {"obstacle": "program_missing"}
            return _own(f"{self._name}, or the interpreter that it names, was not found", missing), _HINTS[_NOT_FOUND]
        if error.errno in (errno.EACCES, errno.ENOEXEC, errno.EPERM):
            refused: dict[str, Scalar] = {"obstacle": "program_refused", "why": str(error.strerror)}
            return _own(f"{self._name} cannot be executed ({error.strerror})", refused), _HINTS[_NOT_EXECUTABLE]
        return _own(f"{self._name} could not be started ({error.strerror or error})"), _BY_HAND


def _own(words: str, figures: dict[str, Scalar] | None = None) -> Verdict:
    return Verdict(Cause.PROBE_ERROR, words, figures or {}, Status.UNKNOWN)


def _hint(found: Verdict) -> str:
    """What to do first."""
    if found.cause is Cause.TIMEOUT_TOTAL:
        return "Give the plugin a shorter timeout of its own, so that it can say what it was waiting for."
    code = found.figures.get("exit_status")
    return _HINTS.get(code, _BY_HAND) if isinstance(code, int) else _BY_HAND


def _environment(own: dict[str, str]) -> dict[str, str]:
    """A clean one, with the folders of plugins behind those of `PATH`."""
    kept = subprocesses.inherited()
    folders = os.pathsep.join([kept["PATH"], *(_PLUGIN_FOLDERS if os.name == "posix" else ())])
    return {**kept, "PATH": folders, **own}
