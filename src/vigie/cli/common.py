"""What commands share: the configuration, the log, the loop, and how a terminal is spoken to."""

import asyncio
import getpass
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO, TypeVar

import typer
from typer.core import TyperGroup

from vigie.config import Desired, load
from vigie.errors import ConfigError, Fault, VigieError
from vigie.planning.duration import Duration
from vigie.text import formatting

if TYPE_CHECKING:
    from vigie.ports import Store, StoredDefinition
    from vigie.queries import Queries

_T = TypeVar("_T")
log = logging.getLogger("vigie")
UNUSABLE = 3
NO_ALERTS = "no alert can be sent"
INTERRUPTED = 130  # what shells make of Ctrl-C

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Configuration file; else VIGIE_CONFIG, else ./vigie.yaml, else .env alone.")
]


LocaleOption = Annotated[
    Literal["fr", "en"] | None, typer.Option(help="Language; by default that of the session (LC_ALL, LC_MESSAGES, LANG).")
]


def locale_language() -> str:
    """`fr` or `en`, as the session's locale asks for (POSIX, Base Definitions §8.2)."""
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "fr" if spoken.lower().startswith("fr") else "en"


class Group(TyperGroup):
    """A group whose list shows the whole first sentence of each command."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list in its help."""
        if not self.commands:
            return
        with formatter.section("Commands"):
            formatter.write_dl([(name, (self.commands[name].help or "").partition("\n")[0]) for name in self.list_commands(ctx)])


def command() -> typer.Typer:
    """A command of its own file."""
    return typer.Typer(rich_markup_mode=None, add_completion=False)


def group(about: str) -> typer.Typer:
    """A group of commands of one file."""
    return typer.Typer(cls=Group, rich_markup_mode=None, add_completion=False, no_args_is_help=True, help=about)


def notes(*examples: str, status: str = "") -> str:
    r"""The end of a help text: what the exit status means, and examples, one a line (`\b` keeps lines as they are)."""
    head = f"Exit status: {status}.\n\n" if status else ""
    return head + "\b\nExamples:\n" + "\n".join(f"  {line}" for line in examples)


def settings(config: Path | None, *, verify: bool = False) -> Desired:
    """The configuration as commands find it; with `verify` also what it needs on this machine. Raises ConfigError."""
    return load(config, os.environ, Path.cwd(), verify=verify)


def joined(faults: Sequence[Fault]) -> list[Fault]:
    """One of each kind, with how many others say the same: one missing program may concern all monitors."""
    alike: dict[tuple[str, str], list[Fault]] = {}
    for one in faults:
        alike.setdefault((one.message, one.fix), []).append(one)
    return [replace(same[0], message=same[0].message + _others(len(same) - 1)) for same in alike.values()]


def _others(count: int) -> str:
    return f"; the same in {count} more place{'s' if count > 1 else ''}" if count else ""


def grouped(faults: Sequence[Fault]) -> list[str]:
    """The same as lines."""
    return [str(one) for one in joined(faults)]


def settings_apart(config: Path | None, stored: "Sequence[StoredDefinition] | None" = None) -> Desired:
    """The same for a program that stays: read by a process of its own, which takes its memory with it. Raises VigieError."""
    from vigie.config.apart import load_apart

    return load_apart(config, os.environ, Path.cwd(), stored=stored)


@asynccontextmanager
async def opened(found: Desired, *, make: bool = False) -> AsyncIterator["Store"]:
    """The configured store, closed at the end; raises VigieError where there is none yet, unless it may be made."""
    from vigie.adapters import open_store, store_exists
    from vigie.clock import SystemClock

    if not make and not store_exists(found):
        raise VigieError(f"there is no database at {found.store}", "run `vigie once` or `vigie serve` first")
    store = open_store(found, SystemClock())
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def reading(found: Desired, *, make: bool = False) -> AsyncIterator["Queries"]:
    """What can be asked of the configured store, as with `opened`."""
    from vigie.engine.queries import StoredQueries

    async with opened(found, make=make) as store:
        yield StoredQueries(store, lambda: [one.monitor for one in found.monitors], keep=lambda: found.history)


def unsendable(found: Desired) -> list[Fault]:
    """Why no alert could be sent: every mail setting that is missing, or that there is no channel."""
    if found.missing or found.channels:
        return list(found.missing)
    fix = "write `notify: {mail: {type: email}}` and set SMTP_* and EMAIL_* in .env, or name another channel"
    return [Fault("no channel is configured", fix, "notify", str(found.file))]


def need_channels(found: Desired) -> None:
    """Raise ConfigError that names everything without which no alert could be sent."""
    if wrong := unsendable(found):
        raise ConfigError(wrong, NO_ALERTS)


def exposed(found: Desired) -> Fault | None:
    """What to tell who opens the page to other machines, when only their jobs need to reach Vigie."""
    from vigie import plugins
    from vigie.web.hosts import is_loopback

    web = found.web
    if not web.enabled or web.pings_listen is not None or is_loopback(web.listen.rpartition(":")[0]):
        return None
    if not any(plugins.traits(one.monitor.kind).passive for one in found.monitors):
        return None
    port = web.listen.rpartition(":")[2]
    return Fault(
        f"other machines can open the status page at {web.listen}, where jobs report in",
        f"if only jobs need to reach it, set web.pings_listen to {web.listen}, and web.listen to 127.0.0.1 with a port other than {port}",
        "web.listen",
        str(found.file or found.base / ".env"),
    )


def start_log(found: Desired, *, console: bool = True, brief: bool = False) -> None:
    """Begin to log as configured, with what the configuration does otherwise than somebody may think.

    `brief`: the console gets only what deserves a mail from cron, as long as a file has everything.
    """
    with log_of(found, console=console, brief=brief) as swap:
        swap()
    for fault in found.warnings:
        log.warning("%s", fault)
    for fault in found.left_out:
        log.error("%s", fault)


def log_of(found: Desired, *, console: bool = True, brief: bool = False) -> AbstractContextManager[Callable[[], None]]:
    """The log as configured, made ready; what the context gives puts it into force. Raises VigieError when its file cannot be written."""
    from vigie import logs

    wanted = found.log
    return logs.prepared(
        file=found.log_file,
        json=wanted.format == "json",
        level=wanted.level,
        max_bytes=wanted.max_bytes,
        keep=wanted.keep,
        secrets=found.secrets,
        console=console,
        brief=brief and found.log_file is not None,
    )


@contextmanager
def logged() -> Iterator[None]:
    """What ends the program is told by the log, console and file alike: nobody reads the console of cron. Raises typer.Exit."""
    try:
        yield
    except ConfigError as error:
        for fault in error.faults:
            log.critical("%s: %s", error.heading, fault)
        raise typer.Exit(UNUSABLE) from error
    except VigieError as error:
        log.critical("%s%s", error.message, f". Fix: {error.fix}" if error.fix else "")
        raise typer.Exit(UNUSABLE) from error
    except KeyboardInterrupt:
        log.warning("interrupted; decisions made so far are stored, and the next run continues from there")
        raise


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run on a loop with reader and writer callbacks, which libcurl needs and Windows' default loop does not have."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(work)


def user() -> str:
    """Who is at the keyboard; containers have users without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "somebody"


def duration_in(text: str, option: str = "") -> int:
    """Ms of a duration, as an argument or an option has it. Raises VigieError."""
    try:
        return int(Duration.parse(text))
    except ValueError as error:
        raise VigieError(f"{option}: {error}" if option else str(error)) from error


def instant_in(text: str, option: str, zone: tzinfo, now: int) -> int:
    """Epoch ms of a date, or of so long ago, as an option has it. Raises VigieError."""
    try:
        return now - int(Duration.parse(text))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise VigieError(f"{option}: {text[:40]!r} is neither a duration nor a date", "write 7d, 2026-03-01 or 2026-03-01T22:00") from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)


def coloured(stream: TextIO) -> bool:
    """Whether colours are welcome there: on a terminal that knows them, unless NO_COLOR (no-color.org) is set."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def counted(number: int, noun: str) -> str:
    """`1 monitor`, `3 monitors`."""
    return formatting.counted(number, noun, "en")


@contextmanager
def waiting(words: str) -> Iterator[None]:
    """Say on a terminal what is waited for, as long as it is; nothing elsewhere. Nothing moves: that would spoil measured times."""
    quiet = not sys.stderr.isatty() or os.environ.get("TERM") == "dumb"
    try:
        if not quiet:
            sys.stderr.write(words)
            sys.stderr.flush()
        yield
    finally:
        if not quiet:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


def progress(doing: str, done: int, whole: int) -> None:
    """A line on a terminal that says how far something is, in bytes; nothing elsewhere."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        share = f" {done * 100 // whole} %" if done and whole else ""
        sys.stderr.write(f"\r\x1b[2K{doing}: {formatting.byte_size(whole, 'en')}{share}" + ("\n" if done and done == whole else ""))
        sys.stderr.flush()
