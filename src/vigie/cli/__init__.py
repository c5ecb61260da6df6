"""The command line: a shell around the composition root. Only the chosen command is imported, so that `vigie check` starts cold quickly."""

import ast
import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from vigie import __version__
from vigie.errors import AlreadyRunning, ConfigError, VigieError

UNUSABLE = 3
_HIDDEN = ("results", "common")


class _Lazy(TyperGroup):
    """Finds commands by their files; the help line of each is its docstring's first line, read without importing it."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command."""
        del ctx
        return [name for name in _names() if name not in _HIDDEN]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The chosen command, imported."""
        del ctx
        if cmd_name not in _names() or cmd_name in _HIDDEN:
            return None
        app: typer.Typer = importlib.import_module(f"vigie.cli.{cmd_name}").app
        command = typer.main.get_command(app)
        command.name = cmd_name
        return command

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


root = typer.Typer(cls=_Lazy, no_args_is_help=True, add_completion=True, rich_markup_mode=None, pretty_exceptions_enable=False)


@root.callback()
def _root(*, version: bool = typer.Option(False, "--version", help="Show the version and exit.", callback=_version, is_eager=True)) -> None:
    """Watch services, and page the right people with a report that says only what was measured."""
    del version


def main() -> None:
    """Entry of the console script; every error of ours ends with its fix and a documented exit status."""
    try:
        typer.main.get_command(root)(standalone_mode=True)
    except ConfigError as error:
        count = len(error.faults)
        _stop(f"The configuration is unusable ({count} fault{'s' if count > 1 else ''}):\n{error}", "")
    except AlreadyRunning as error:
        _stop(error.message, error.fix)
    except VigieError as error:
        _stop(error.message, error.fix)
    except KeyboardInterrupt:
        sys.exit(130)


def _stop(message: str, fix: str) -> Any:
    typer.echo(message + (f"\nFix: {fix}" if fix else ""), err=True)
    sys.exit(UNUSABLE)
