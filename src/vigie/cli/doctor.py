"""Test everything an alert depends on: configuration, log, store, model, channels, resolver, clock."""

import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from vigie.cli.common import ConfigOption, coloured, command, counted, exposed, grouped, notes, opened, reading, run, settings, waiting
from vigie.config import Desired
from vigie.errors import VigieError
from vigie.ports import Clock, LanguageModel, Notifier

app = command()

_OLDEST = 1_767_225_600  # 2026-01-01: a clock before this program was written is wrong
_COLOURS = {"ok": "\x1b[32m", "note": "\x1b[33m", "FAIL": "\x1b[31m"}
Examination = Callable[[], Awaitable[str]]


class _NoteError(VigieError):
    """Not fatal: pages go out all the same."""


@app.command(
    epilog=notes(
        "vigie doctor",
        "vigie doctor --config /etc/vigie.yaml",
        "vigie doctor --pull                         (downloads the model if it is missing)",
        status="0 every alert would be delivered, 1 something would prevent it, 3 invalid configuration",
    )
)
def doctor(
    *, config: ConfigOption = None, pull: Annotated[bool, typer.Option("--pull", help="Pull the model if it is not installed.")] = False
) -> None:
    """Test everything an alert depends on, and say how to fix what is broken."""
    found = settings(config, verify=True)
    _say("ok", "configuration", f"{found.file or found.base / '.env'}, {counted(len(found.monitors), 'monitor')}")
    for fault in found.warnings:
        _say("note", "configuration", str(replace(fault, fix="")), fault.fix)
    raise typer.Exit(1 if run(_all(found, pull=pull)) else 0)


async def _all(found: Desired, *, pull: bool) -> int:
    from vigie.adapters import model, notifiers
    from vigie.clock import SystemClock

    clock = SystemClock()
    examined: dict[str, Examination] = {"log": lambda: _log(found), "store": lambda: _store(found), "clock": _clock}
    if found.bus is not None:
        examined["bus"] = lambda: _bus(found, clock)
    examined["files"] = lambda: _files(found)
    examined["resolver"] = lambda: _resolver(found)
    examined["monitors"] = lambda: _machine(found)
    if found.web.public_url is not None:
        examined["feedback links"] = lambda: _key(found)
    writer = model(found, clock)
    examined["model"] = (lambda: _model(found, writer, clock, pull=pull)) if writer is not None else _no_model
    examined |= {f"channel {name}": partial(_channel, one) for name, one in notifiers(found, clock).items()}
    if found.web.enabled or found.web.pings_listen is not None:
        examined["web"] = lambda: _web(found)
    if found.missing or not found.channels:
        examined["channels"] = lambda: _no_channels(found)
    return sum([await _passed(name, examination) for name, examination in examined.items()])


async def _passed(name: str, examination: Examination) -> bool:
    try:
        with waiting(f"testing {name} …"):
            answer = await examination()
    except _NoteError as error:
        _say("note", name, error.message, error.fix)
    except VigieError as error:
        _say("FAIL", name, error.message, error.fix)
        return True
    else:
        _say("ok", name, answer)
    return False


def _say(mark: str, name: str, words: str, fix: str = "") -> None:
    on, off = (_COLOURS[mark], "\x1b[0m") if coloured(sys.stdout) else ("", "")
    typer.echo(f"{on}{mark:<5}{off} {name}: {words}" + (f"\n      fix: {fix}" if fix else ""))


async def _machine(found: Desired) -> str:
    """Whether this machine has what the monitors and channels need: what no network is needed to find out."""
    if found.problems:
        raise VigieError("\n      ".join(grouped(found.problems)), "monitors that cannot be checked are unknown, and watch nothing")
    if found.doubts:
        raise _NoteError("\n      ".join(grouped(found.doubts)))
    return "this machine has the files, programs and rights that they need"


async def _key(found: Desired) -> str:
    """Whether the key that signs the links in messages can be read, or made."""
    from vigie.adapters import state_of

    try:
        state_of(found).key()
    except VigieError as error:
        raise _NoteError(f"messages carry no feedback links: {error.message}", error.fix) from error
    return "the key that signs them can be read"


async def _log(found: Desired) -> str:
    from vigie import logs

    if found.log_file is None:
        return "console only"
    logs.writable(found.log_file)
    return f"{found.log_file} is writable"


async def _store(found: Desired) -> str:
    from vigie.report.deliveries import because

    async with reading(found, make=True) as queries:
        notices, failing = await queries.notices.counts(), await queries.notices.failing()
    for one in failing:
        if one.failing is not None and one.channel in found.channels:
            why = because(one.failing.failure, one.failing.answer, one.failing.attempts, "en")
            fix = f"`vigie outbox list --channel {one.channel}` shows what is unsent"
            raise _NoteError(f"{found.store}: nothing could be sent by the channel {one.channel} lately: {why}", fix)
    if notices.undeliverable:
        raise _NoteError(f"{found.store}: {counted(notices.undeliverable, 'notice')} undeliverable", "see `vigie outbox list`")
    return f"{found.store} opens and is writable" + (
        f"; {counted(notices.waiting, 'notice')} waiting to be sent" if notices.waiting else ""
    )


async def _bus(found: Desired, clock: Clock) -> str:
    """Whether the bus is there, lets us in, and can keep what it carries."""
    from vigie.adapters import bus_of

    if (bus := bus_of(found, clock, "vigie doctor")) is None:
        return "none is configured"
    try:
        return await bus.examine()
    finally:
        await bus.close()


async def _files(found: Desired) -> str:
    """Whether somebody else on this machine can read what is secret."""
    from vigie.adapters import state_of
    from vigie.files import open_to_others

    secret = (found.base / ".env", found.store.file, state_of(found).folder / "key")
    private = [path for path in secret if path is not None and path.exists()]
    if readable := [path for path in private if open_to_others(path)]:
        names = ", ".join(str(path) for path in readable)
        raise _NoteError(f"other users of this machine can read {names}", f"chmod 600 {' '.join(str(path) for path in readable)}")
    return "passwords and history are readable by this user alone" if private else "nothing secret is on disk yet"


async def _web(found: Desired) -> str:
    if (fault := exposed(found)) is not None:
        raise _NoteError(fault.message, fault.fix)
    web = found.web
    await _access(found)
    page = [f"the page on {web.listen}"] if web.enabled else []
    return " and ".join([*page, *([f"pings alone on {web.pings_listen}"] if web.pings_listen is not None else [])])


async def _access(found: Desired) -> None:
    """Whether people who reach the page from elsewhere can log in, and do so without being overheard. Raises _NoteError."""
    from vigie.web.forwarded import networks
    from vigie.web.hosts import is_loopback
    from vigie.web.setting import AccessSetting

    web = found.web
    if not web.enabled or AccessSetting(web.listen, web.public_url, networks(web.trusted_proxies)).private:
        return
    async with opened(found, make=True) as store:
        known = await store.accounts.any_user()
    if not known:
        raise _NoteError(
            f"the page on {web.listen} can be reached from elsewhere and is closed: nobody has an account",
            "`vigie user add NAME --role admin`, or open the set-up link that `vigie serve` logs at its start",
        )
    if not web.trusted_proxies and not is_loopback(web.listen.rpartition(":")[0]):
        raise _NoteError(
            f"passwords travel to the page on {web.listen} unencrypted",
            "put a reverse proxy with TLS before it and name the proxy in `web.trusted_proxies`",
        )


async def _clock() -> str:
    now = time.time()
    if now < _OLDEST:
        raise VigieError(f"the clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}", "set it, preferably with NTP")
    return time.strftime("%Y-%m-%d %H:%M:%S %z")


async def _resolver(found: Desired) -> str:
    from vigie.agent import probe_deps

    deps = probe_deps(list(found.control), found.second_resolver)
    try:
        fault = await deps.link.fault()
    finally:
        deps.close()
    if fault is not None:
        proxies = ", ".join(sorted({one.variable for one in found.proxies.by_scheme.values()}))
        hint = f"; checks use no proxy of the environment ({proxies}), only the `proxy` of a monitor" if proxies else ""
        raise _NoteError(
            f"no control target answers ({fault}): external services cannot be checked from here{hint}",
            "check this machine's network, or list hosts of your own under `control`",
        )
    return "names resolve and control targets answer" if found.control else "no control targets are configured"


async def _channel(notifier: Notifier) -> str:
    from vigie.engine.guarding import guarded

    return await guarded(notifier.examine())


async def _model(found: Desired, writer: LanguageModel, clock: Clock, *, pull: bool) -> str:
    from vigie.cli._models import examined

    try:
        return "\n      ".join(await examined(found, writer, clock, pull=pull))
    except VigieError as error:
        raise _NoteError(f"{error.message}; alerts carry the plain report", error.fix) from error


async def _no_model() -> str:
    return "none is configured; alerts carry the plain report"


async def _no_channels(found: Desired) -> str:
    if not found.missing:
        raise VigieError("no channel is configured: no alert would be sent", "run `vigie init`, or add a channel under `notify`")
    names = "\n      ".join(str(fault) for fault in found.missing)
    raise VigieError(f"no alert would be sent by email:\n      {names}")
