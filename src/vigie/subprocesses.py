"""One command, run within its bounds by a thread: asyncio's own subprocesses need another loop on Windows than libcurl does.

Checks and channels run commands so. Nothing that a command does may cost more than its deadline, 64 KiB of kept output, and 1 MiB of
output in all.
"""

import contextlib
import os
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import IO

from vigie.errors import FieldError

KEPT_BYTES = 65_536
MAX_BYTES = 1_048_576
_TAIL_BYTES = 4_096
_CHUNK = 65_536
_LOOK_SECONDS = 0.05  # how soon it is seen that a command ended whose children keep its output open
_KILL_SECONDS = 0.1
_POSIX = os.name == "posix"
_PASSED_ON = (
    "PATH", "HOME", "USER", "LOGNAME", "TZ", "TMPDIR",
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMFILES",
    "PROGRAMDATA",
)  # fmt: skip
_ENV_NAME = re.compile(r"[^=\x00]+")


class End(Enum):
    """How a run came to its end."""

    OVER = "over"
    LATE = "late"
    FLOOD = "flood"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Command:
    """What is run. `arguments` are a text for the shell, else the program and its arguments; `directory` None: Vigie's own.

    `given` is what it can read on its standard input; without it there is nothing to read.
    """

    arguments: str | Sequence[str]
    shell: bool
    environment: Mapping[str, str]
    directory: str | None = None
    given: bytes | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Until when (on `monotonic`, seconds), and whether somebody gave up waiting."""

    ends: float
    monotonic: Callable[[], float]
    stop: threading.Event

    def left(self) -> float:
        """Seconds."""
        return self.ends - self.monotonic()


@dataclass(slots=True)
class Ran:
    """A run. `code` is the exit status, negative for a signal, None where it did not end by itself; `err` is the end of stderr."""

    end: End = End.OVER
    code: int | None = None
    out: bytes = b""
    err: bytes = b""
    seen: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take_out(self, data: bytes) -> None:
        """Keep the first bytes of the output."""
        with self.lock:
            self.seen += len(data)
            self.out += data[: max(KEPT_BYTES - len(self.out), 0)]

    def take_err(self, data: bytes) -> None:
        """Keep the last bytes of stderr, where a crash says what it was."""
        with self.lock:
            self.seen += len(data)
            self.err = (self.err + data)[-_TAIL_BYTES:]


def split(command: str | list[str]) -> list[str]:
    """The program and its arguments; ValueError for a line whose quotes do not close."""
    if not isinstance(command, str):
        return command
    try:
        return shlex.split(command)
    except ValueError as error:
        raise ValueError(f"the command cannot be split: {str(error).lower()}") from None


def check(command: str | list[str], *, shell: bool, env: Mapping[str, str], directory: str | None) -> None:
    """Raise ValueError for a command that cannot be run, whatever the machine."""
    parts = [command] if isinstance(command, str) else command
    if any("\x00" in part for part in parts) or "\x00" in (directory or ""):
        raise ValueError("a command cannot contain a NUL character")
    if shell and not isinstance(command, str):
        raise ValueError("with `shell: true` the command is one line, not a list")
    if not any(split(command)[:1] if not shell else parts[0].split()):
        raise ValueError("the command is empty")
    for name, value in env.items():
        if not _ENV_NAME.fullmatch(name) or "\x00" in value:
            raise FieldError(
                ("env", name), f"{name!r} is not a valid name of an environment variable, or its value contains a NUL character"
            )


def inherited() -> dict[str, str]:
    """What a command is given of Vigie's own environment; numbers and texts are in the C locale, so that they can be read."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**kept, "PATH": kept.get("PATH") or os.defpath, "LC_ALL": "C.UTF-8"}


def not_executable(program: str, directory: str | None, path: str, *, searched: str = "in PATH") -> tuple[str, str] | None:
    """What keeps a program from being run here, and its fix; None where nothing is seen to. `searched` names the folders of `path`."""
    named = bool(os.path.dirname(program))  # then it is not searched for  # noqa: PTH120 - to pathlib `./x` is `x`
    place = str(Path(directory or "", program).absolute()) if named else program
    if shutil.which(place, path=path) is not None:
        return None
    if named and Path(place).is_file():
        return f"the program {program} is not executable", "make it executable for the user that Vigie runs as"
    return f"the program {program} was not found" + ("" if named else f" {searched}"), "install it, or write its whole path"


def run(command: Command, bounds: Bounds, *, by_threads: bool = not _POSIX) -> Ran:
    """Run the command to its end or its deadline; then it and its children are gone. Raises OSError when it cannot be started."""
    ran, pipe = Ran(), subprocess.PIPE
    if bounds.left() <= 0 or bounds.stop.is_set():
        return Ran(End.STOPPED)
    process = subprocess.Popen(  # noqa: S603 - to run what the configuration says is the whole purpose
        command.arguments,
        shell=command.shell,
        env=dict(command.environment),
        cwd=command.directory,
        stdin=subprocess.DEVNULL if command.given is None else pipe,
        stdout=pipe,
        stderr=pipe,
        start_new_session=_POSIX,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    if process.stdin is not None:
        # By a thread: a command that does not read, or writes before it reads, must not keep us from reading what it writes.
        threading.Thread(target=_write, args=(process.stdin, command.given), daemon=True).start()
    try:
        ran.end = (_by_threads if by_threads else _by_poll)(process, ran, bounds)
        ran.code = process.returncode if ran.end is End.OVER else None
    finally:
        if process.returncode is None:
            _kill(process)
        for stream in (process.stdout, process.stderr):
            if stream is not None and not by_threads:
                stream.close()
    return ran


def _write(stream: IO[bytes], given: bytes) -> None:
    """Hand the input over; a command may end, or be killed, without having read all of it."""
    with contextlib.suppress(OSError), stream:
        stream.write(given)


def _by_poll(process: subprocess.Popen[bytes], ran: Ran, bounds: Bounds) -> End:
    """Read both pipes until they end, or until the command itself has: its children may keep them open for ever."""
    with selectors.DefaultSelector() as selector:
        for stream, take in ((process.stdout, ran.take_out), (process.stderr, ran.take_err)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, take)
        over = False
        while selector.get_map():
            ready = selector.select(0 if over else max(min(bounds.left(), _LOOK_SECONDS), 0))
            for key, _ in ready:
                data = os.read(key.fd, _CHUNK)
                key.data(data)
                if not data:
                    selector.unregister(key.fileobj)
            if (end := _ended_badly(ran, bounds)) is not None:
                return end
            if over and not ready:
                return End.OVER
            over = process.poll() is not None
    return _waited(process, ran, bounds)


def _by_threads(process: subprocess.Popen[bytes], ran: Ran, bounds: Bounds) -> End:
    """The same where pipes cannot be polled (Windows). A thread lives on for as long as somebody keeps its pipe open."""

    def read(stream: IO[bytes], take: Callable[[bytes], None]) -> None:
        with stream, contextlib.suppress(OSError, ValueError):
            while data := os.read(stream.fileno(), _CHUNK):
                take(data)

    readers = [
        threading.Thread(target=read, args=(stream, take), daemon=True)
        for stream, take in ((process.stdout, ran.take_out), (process.stderr, ran.take_err))
    ]
    for reader in readers:
        reader.start()
    end = _waited(process, ran, bounds)
    for reader in readers:
        reader.join(_LOOK_SECONDS)
    return end


def _waited(process: subprocess.Popen[bytes], ran: Ran, bounds: Bounds) -> End:
    while (end := _ended_badly(ran, bounds)) is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(min(bounds.left(), _LOOK_SECONDS), 0))
            return End.OVER
    return end


def _ended_badly(ran: Ran, bounds: Bounds) -> End | None:
    if ran.seen > MAX_BYTES:
        return End.FLOOD
    if bounds.stop.is_set():
        return End.STOPPED
    return End.LATE if bounds.left() <= 0 else None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the command and everything that it started. What hangs in the kernel is left to it: nobody waits for that."""
    if _POSIX:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(  # noqa: S603 - a number of ours
                ["taskkill", "/T", "/F", "/PID", str(process.pid)],  # noqa: S607 - part of Windows
                check=False, capture_output=True, timeout=_KILL_SECONDS * 10,
            )  # fmt: skip
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_KILL_SECONDS)


def signal_name(code: int) -> str:
    """`SIGSEGV` for -11."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
