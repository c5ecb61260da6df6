"""The command line: a shell around the composition root. Only the chosen command is imported, so that `vigie check` starts cold quickly."""

import ast
import contextlib
import difflib
import errno
import importlib
import importlib.util
import io
import logging
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Never

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from vigie import __version__
from vigie.cli.common import INTERRUPTED, UNUSABLE
from vigie.errors import ConfigError, VigieError

_HIDDEN = ("results", "common")
log = logging.getLogger("vigie")


class _Lazy(TyperGroup):
    """Finds commands by their files; the help line of each is its docstring's first line, read without importing it."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command."""
        del ctx
        return [name for name in _names() if name not in _HIDDEN]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The chosen command, imported."""
        if cmd_name not in self.list_commands(ctx):
            return None
        app: typer.Typer = importlib.import_module(f"vigie.cli.{cmd_name}").app
        command = typer.main.get_command(app)
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Name the nearest command where there is none of that name."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            near = difflib.get_close_matches(name, known, 1)
            ctx.fail(f"there is no command {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"commands: {', '.join(known)}"))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list in `vigie --help`."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_line(name)) for name in self.list_commands(ctx)])


def _names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def _first_line(name: str) -> str:
    text = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"vigie {__version__}")
        raise typer.Exit


root = typer.Typer(
    cls=_Lazy,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nFirst steps: vigie demo | vigie check https://example.com/ | vigie init\nHelp on a command: vigie COMMAND --help",
)


@root.callback()
def _root(*, version: bool = typer.Option(False, "--version", help="Show the version and exit.", callback=_version, is_eager=True)) -> None:
    """Monitor services, and alert the right people with a report that says only what was measured."""
    del version


def main(arguments: Sequence[str] | None = None) -> Never:
    """Entry of the console script; every error ends with its fix and a documented exit status, never with a traceback."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a pipe of Windows or an old locale does not know every mark: `?` beats no output
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except OSError as error:
        status = _broken_output(error)
    sys.exit(status)


def _open_closed_streams() -> None:
    """Put the null device where a standard stream is closed (`>&-`): else the next file opened would take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        return int(typer.main.get_command(root)(arguments, prog_name="vigie", standalone_mode=False) or 0)
    except TyperException as error:  # unusable arguments
        show = getattr(error, "show", None)
        return _tell(str(error)) if show is None else (show(), UNUSABLE)[1]
    except typer.Abort:
        return INTERRUPTED
    except ConfigError as error:
        count = len(error.faults)
        heading = "The configuration is invalid" if error.heading == "invalid configuration" else error.heading.capitalize()
        return _tell(f"{heading} ({count} error{'s' if count > 1 else ''}):\n{error}")
    except VigieError as error:
        return _tell(error.message, error.fix)
    except OSError:
        raise  # it is told by whom it concerns
    except Exception as error:  # nobody should have to read a traceback to know that it is not their fault
        log.debug("Vigie crashed", exc_info=True)
        return _tell(f"Vigie crashed: {_described(error)}", "this is a bug in Vigie: please report it with this line")


def _tell(message: str, fix: str = "") -> int:
    with contextlib.suppress(OSError):  # the exit status says it to whoever has no way to read
        typer.echo(message + (f"\nFix: {fix}" if fix else ""), err=True)
    return UNUSABLE


def _described(error: Exception) -> str:
    """An exception on one line, with the place it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def _broken_output(error: OSError) -> int:
    """What cannot be written to is most often our own output: a full disk, or a reader that went away."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # else the interpreter would flush again at its end, and complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:
        return 1
    return _tell(f"{error.filename or 'the output'}: {error.strerror or error}", "check the disk and its permissions")
