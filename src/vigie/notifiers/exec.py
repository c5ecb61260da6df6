"""Any command: the notice as JSON on its standard input, and as `VIGIE_…` variables; its exit status says whether it took it.

Status 0 is delivered. Of the others, those of sysexits(3) mean what they say: 65 and 67 refuse this notice for good, 64, 77, 78, 126 and
127 need a person and are tried every five minutes, and any other is tried again with back-off. The first line that it writes is the answer.
Texts come from outside: a script that uses the variables quotes them.
"""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath
from typing import Annotated

import msgspec

from vigie import subprocesses
from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import Secret, Secrets, held_by, redact, texts
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.document import document, plain_key
from vigie.notifiers.kit.http import PERSON_RETRY_MS
from vigie.notifiers.kit.text import clean, flat
from vigie.planning.duration import Duration
from vigie.ports import Problem, Receipt
from vigie.report.facts import Message
from vigie.subprocesses import Bounds, Command, End, Ran

ENVIRONMENT: dict[str, str] = {}
REQUIRED = ("command",)
_LONGEST_MS = 25_000  # a whole delivery has 30 s
_AT_ONCE = 4  # as many notices as are sent to one channel side by side
_ANSWER, _TEXT = 120, 4_000  # on Windows a whole environment has 32,767 characters
_DATA, _NO_USER = 65, 67  # EX_DATAERR, EX_NOUSER of sysexits(3)
_PERSON = {  # EX_USAGE, EX_NOPERM, EX_CONFIG of sysexits(3); what a shell says (POSIX, Shell Command Language §2.8.2)
    64: "its usage is wrong",
    77: "it lacks a permission",
    78: "its configuration is wrong",
    126: "it cannot be executed",
    127: "it was not found",
}


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command that is run for each notice."""

    command: Annotated[
        str | list[str],
        msgspec.Meta(
            description="Program and arguments, as a list or as a line that is split the way a shell does; no shell is involved. "
            "Secrets belong in `env`: arguments are visible to every user of the machine.",
            examples=["/opt/vigie/page.py --room ops", ["logger", "-t", "vigie"]],
        ),
    ]
    shell: Annotated[
        bool, msgspec.Meta(description="Pass the line to the system's shell, for pipes and variables; quote the variables.")
    ] = False
    env: Annotated[
        dict[str, Secret],
        msgspec.Meta(
            description="Environment of the command, in addition to `PATH`, `HOME`, `TZ` and the like and to `VIGIE_…`; nothing else of "
            "Vigie's own environment is passed on.",
            examples=[{"ROOM_TOKEN": "${ROOM_TOKEN}"}],
        ),
    ] = {}
    directory: Annotated[str | None, msgspec.Meta(description="Working directory; Vigie's own if not set.")] = None
    timeout: Annotated[Duration, msgspec.Meta(description="How long it may take, at most 25s; then it and its children are killed.")] = (
        msgspec.field(default_factory=lambda: Duration(15_000))
    )

    def __post_init__(self) -> None:
        """Raise ValueError for a command that cannot be run."""
        subprocesses.check(self.command, shell=self.shell, env=texts(self.env), directory=self.directory)
        if not 0 < self.timeout <= _LONGEST_MS:
            raise ValueError("`timeout` must be above 0 and at most 25s, because a whole delivery has 30s")

    @property
    def program(self) -> str:
        """The program's name; its arguments may hold secrets."""
        words = self.command.split() if self.shell and isinstance(self.command, str) else subprocesses.split(self.command)
        return PurePath(words[0]).name or words[0]

    def __repr__(self) -> str:
        return f"command {self.program}"


def verify(config: Config) -> Iterator[Problem]:
    """Whether the program can be found and executed. What a shell runs is the shell's to find."""
    if (found := _obstacle(config)) is not None:
        yield Problem("command", *found)


def _obstacle(config: Config) -> tuple[str, str] | None:
    if config.shell:
        return None
    path = {**subprocesses.inherited(), **texts(config.env)}["PATH"]
    return subprocesses.not_executable(subprocesses.split(config.command)[0], config.directory, path)


def build(config: Config, deps: NotifierDeps) -> "Exec":
    """The channel."""
    return Exec(config, deps)


class Exec:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._clock = config, deps.clock
        self._secrets = Secrets(held_by(config))
        self._pool = ThreadPoolExecutor(_AT_ONCE, "vigie-exec")  # its threads end with it

    async def deliver(self, message: Message) -> Receipt:
        """Run the command once; it and its children are gone when this returns."""
        message = clean(message)
        command = Command(
            self._config.command if self._config.shell else subprocesses.split(self._config.command),
            self._config.shell,
            {**subprocesses.inherited(), **variables(message), **texts(self._config.env)},
            self._config.directory,
            msgspec.json.encode(document(message)),
        )
        bounds = Bounds(self._clock.monotonic() + self._config.timeout / 1000, self._clock.monotonic, threading.Event())
        try:
            ran = await asyncio.get_running_loop().run_in_executor(self._pool, subprocesses.run, command, bounds)
        except OSError as error:
            raise self._not_started(error) from None
        finally:
            bounds.stop.set()
        return Receipt(self._judged(ran))

    async def examine(self) -> str:
        """Look for the program; nothing more can be tried without sending."""
        found = _obstacle(self._config)
        if found is not None:
            raise DeliveryError(DeliveryReason.CONFIG, found[0], fix=found[1], retry_after_ms=PERSON_RETRY_MS)
        return f"{self._config.program} can be run (`vigie notify test` runs it)"

    def _judged(self, ran: Ran) -> str:
        """What it said; raises DeliveryError for any status but 0."""
        program = self._config.program
        said = redact(_first_line(ran.out) or _first_line(ran.err), self._secrets)
        if ran.end is End.LATE:
            words = f"{program} did not end within {self._config.timeout / 1000:g} s and was killed"
            raise DeliveryError(DeliveryReason.TIMEOUT, words, fix="give what it waits for a shorter timeout, or raise `timeout`")
        if ran.end is not End.OVER or ran.code is None:
            raise DeliveryError(DeliveryReason.OTHER, f"{program} wrote more than 1 MiB and was killed")
        if ran.code == 0:
            return f"exit status 0: {said}" if said else "exit status 0"
        raise _failed(program, ran.code, said)

    def _not_started(self, error: OSError) -> DeliveryError:
        words = f"{self._config.program} could not be started ({error.strerror or type(error).__name__})"
        fix = "run the command by hand as the user that Vigie runs as"
        return DeliveryError(DeliveryReason.CONFIG, words, fix=fix, retry_after_ms=PERSON_RETRY_MS)


def _failed(program: str, code: int, said: str) -> DeliveryError:
    """The verdict of an exit status other than 0."""
    end = f"was ended by {subprocesses.signal_name(code)}" if code < 0 else f"ended with status {code}"
    words = f"{program} {end}" + (f": {said}" if said else "")
    if code in (_DATA, _NO_USER):
        reason = DeliveryReason.REJECTED if code == _DATA else DeliveryReason.RECIPIENT
        return DeliveryError(reason, words, fix="run the command by hand to see what it refuses", permanent=True)
    if code in _PERSON:
        fix = f"{_PERSON[code]}; run the command by hand as the user that Vigie runs as"
        return DeliveryError(DeliveryReason.CONFIG, words, fix=fix, retry_after_ms=PERSON_RETRY_MS)
    return DeliveryError(DeliveryReason.OTHER, words)


def _first_line(output: bytes) -> str:
    return flat(next((line for line in output.decode("utf-8", "replace").splitlines() if line.strip()), ""), _ANSWER)


def variables(message: Message) -> Mapping[str, str]:
    """The environment of a clean message: what most scripts need without reading JSON."""
    return {
        "VIGIE_KEY": plain_key(message.key),
        "VIGIE_THREAD": plain_key(message.thread),
        "VIGIE_REASON": message.reason.value,
        "VIGIE_SEVERITY": message.severity.value,
        "VIGIE_CAUSE": "" if message.cause is None else message.cause.value,
        "VIGIE_LANGUAGE": message.language,
        "VIGIE_MONITOR": message.monitor,
        "VIGIE_TARGET": message.target,
        "VIGIE_AT": str(message.at),
        "VIGIE_SINCE": str(message.since),
        "VIGIE_HEADLINE": message.headline,
        "VIGIE_SUBJECT": message.subject,
        "VIGIE_TEXT": "\n".join(message.lines)[:_TEXT],
    }
