"""Test everything a page depends on: configuration, store, model, channels, resolver, clock."""

import time
from collections.abc import Awaitable, Callable

import typer

from vigie.cli.common import ConfigOption, run, settings
from vigie.config import Settings
from vigie.errors import VigieError

app = typer.Typer(rich_markup_mode=None)

_OLDEST = 1_767_225_600  # 2026-01-01: a clock before this program was written is wrong
Examination = Callable[[], Awaitable[str]]


class _NoteError(VigieError):
    """Not fatal: pages go out all the same."""


@app.command(epilog="Exit status: 0 when every page would go out, 1 when something would hold it up, 3 unusable configuration.")
def doctor(*, config: ConfigOption = None) -> None:
    """Test everything a page depends on, and say how to mend what is broken."""
    found = settings(config)
    typer.echo(f"ok    configuration: {found.file or 'environment'}, {len(found.monitors)} monitor(s)")
    raise typer.Exit(1 if run(_all(found)) else 0)


async def _all(found: Settings) -> int:
    from vigie.app import model, notifiers
    from vigie.clock import SystemClock

    clock = SystemClock()
    examined: dict[str, Examination] = {"store": lambda: _store(found), "clock": _clock, "resolver": lambda: _resolver(found)}
    writer = model(found, clock)
    examined["model"] = (lambda: _model(writer.examine)) if writer is not None else _no_model
    examined |= {f"channel {name}": one.examine for name, one in notifiers(found, clock).items()}
    if not found.channels:
        examined["channels"] = lambda: _no_channels(found)
    return sum([await _told(name, examination) for name, examination in examined.items()])


async def _told(name: str, examination: Examination) -> bool:
    try:
        typer.echo(f"ok    {name}: {await examination()}")
    except _NoteError as error:
        typer.echo(f"note  {name}: {error.message}" + (f"\n      fix: {error.fix}" if error.fix else ""))
    except VigieError as error:
        typer.echo(f"FAIL  {name}: {error.message}" + (f"\n      fix: {error.fix}" if error.fix else ""))
        return True
    return False


async def _store(found: Settings) -> str:
    from vigie.stores.sqlite import SqliteStore

    store = SqliteStore(found.store, threads=False)
    unsent, buried = len(await store.unsent()), len(await store.buried())
    await store.close()
    if buried:
        raise _NoteError(f"{found.store}: {buried} notice(s) could not be delivered", "see `vigie incidents list` and `show`")
    return f"{found.store} opens and can be written" + (f", {unsent} notice(s) wait" if unsent else "")


async def _clock() -> str:
    now = time.time()
    if now < _OLDEST:
        raise VigieError(f"the clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}", "set it, best by NTP")
    return time.strftime("%Y-%m-%d %H:%M:%S %z")


async def _resolver(found: Settings) -> str:
    from vigie.agent import probe_deps

    deps = probe_deps(list(found.control), found.second_resolver)
    try:
        fault = await deps.link.fault()
    finally:
        deps.close()
    if fault is not None:
        raise _NoteError(
            f"no control target answers ({fault}): services outside cannot be checked from here", "see the network of this machine"
        )
    return "names resolve and control targets answer" if found.control else "no control targets are configured"


async def _model(examine: Examination) -> str:
    try:
        return await examine()
    except VigieError as error:
        raise _NoteError(f"{error.message}; pages go out with the plain report", error.fix) from error


async def _no_model() -> str:
    return "none is configured, pages carry the plain report"


async def _no_channels(found: Settings) -> str:
    names = f" (not set: {', '.join(found.missing)})" if found.missing else ""
    raise VigieError(f"nobody would be told{names}", "run `vigie init`, or add a channel under `notify`")
