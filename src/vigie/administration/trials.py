"""Checks of what is not watched yet, each in a process of its own, so that none of them delays what is watched."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from vigie import plugins
from vigie.buses.process import Assign, Results, frame, read_frame
from vigie.commands.monitors import Tried
from vigie.config import Desired, DesiredMonitor, one_monitor
from vigie.config.masked import hosts_in
from vigie.core.model import CheckResult
from vigie.errors import ConfigError, Fault, VigieError
from vigie.net import MASK, Secret

log = logging.getLogger("vigie.trials")

_AT_ONCE, _IN_LINE = 2, 8
_SPARE_SECONDS = 10.0  # for the process to start and to end, beyond the timeout of the check
_LONGEST_MS = 60_000  # nobody waits longer at a page
_UNPROBED = ("alert", "depends_on", "locations", "tags", "enabled", "id")  # they decide nothing about a single check


class Trials:
    """Implements TrialCommands. What somebody tries who is not trusted contacts no internal address."""

    def __init__(self, settings: Callable[[], Desired]) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def try_out(self, definition: Mapping[str, Any], *, key: str | None = None, trusted: bool = False) -> Tried:
        """Check it once."""
        settings = self._settings()
        known = next((one for one in settings.monitors if one.monitor.id == key), None)
        values = {name: value for name, value in definition.items() if name not in _UNPROBED}
        try:
            one = one_monitor(_unmasked(values, known if trusted or _stays(values, settings, key) else None))
        except ConfigError as error:
            return Tried(tuple(error.faults))
        except VigieError as error:
            return Tried((Fault(error.message, error.fix),))
        if plugins.traits(one.monitor.kind).passive:
            return Tried((Fault("a job reports in by itself, so that there is nothing to check", "save it, then have the job report"),))
        if plugins.traits(one.monitor.kind).programs:
            return Tried((Fault("it runs programs on this machine, so that it is for the file alone", "write it in vigie.yaml", "type"),))
        if not trusted:
            one = replace(one, trusted=False, reach=settings.web.allow_internal)
        return await self._in_turn(one, settings)

    async def _in_turn(self, one: DesiredMonitor, settings: Desired) -> Tried:
        if self._waiting >= _IN_LINE:
            return Tried((Fault("too many trials are under way", "try again in a moment"),))
        self._waiting += 1
        try:
            async with self._slots:
                return await _checked(one, settings)
        finally:
            self._waiting -= 1


async def _checked(one: DesiredMonitor, settings: Desired) -> Tried:
    spec = replace(one.spec, timeout_ms=min(one.spec.timeout_ms, _LONGEST_MS), hidden=(*one.spec.hidden, *settings.secrets))
    work = Assign(0, [spec], list(settings.control), settings.second_resolver)
    pipe = asyncio.subprocess.PIPE
    try:
        # -P: nothing is to be imported from the working directory.
        process = await asyncio.create_subprocess_exec(sys.executable, "-P", "-m", "vigie.administration.trial", stdin=pipe, stdout=pipe)
    except OSError as error:
        return Tried((Fault(f"the check could not be started: {error.strerror}", "try again in a moment"),))
    try:
        async with asyncio.timeout(spec.timeout_ms / 1000 + _SPARE_SECONDS):
            result = await _result(process, work)
    except TimeoutError:
        return Tried((Fault("the check did not end in time", "try again, or give it a shorter `timeout`"),))
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return Tried((Fault("the check broke off", "the log of Vigie says why"),)) if result is None else Tried((), result)


async def _result(process: asyncio.subprocess.Process, work: Assign) -> CheckResult | None:
    if process.stdin is None or process.stdout is None:
        return None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(frame(work))
        await process.stdin.drain()
        process.stdin.close()
    try:
        answer = await read_frame(process.stdout)
    except ValueError:
        return None
    return answer.batch.results[0] if isinstance(answer, Results) and answer.batch.results else None


def _stays(values: Mapping[str, Any], settings: Desired, key: str | None) -> bool:
    """Whether it contacts nothing that the monitor in whose place it is tried does not: else its secrets would go elsewhere."""
    known = next((one for one in settings.entries if one.kind == "monitor" and one.id == key), None)
    return known is not None and hosts_in(values) <= hosts_in(msgspec.json.decode(known.body))


def _unmasked(values: dict[str, Any], known: DesiredMonitor | None) -> dict[str, Any]:
    """The entry with the secrets of the monitor that it takes the place of where they are masked."""
    if known is None:
        return values
    if MASK in str(values.get("url", "")) and (url := known.options.get("url")) is not None:
        values = {**values, "url": url}
    elif MASK in str(values.get("url", "")):
        values = {**{name: value for name, value in values.items() if name != "url"}, **known.options, "type": known.monitor.kind}
    found: dict[str, Any] = _restored(values, known.options)
    return found


def _restored(value: Any, kept: Any) -> Any:
    if isinstance(value, Mapping):
        at: Mapping[str, Any] = kept if isinstance(kept, Mapping) else {}
        return {name: _restored(item, at.get(name)) for name, item in value.items()}
    if isinstance(value, list):
        several = kept if isinstance(kept, list | tuple) else []
        return [_restored(item, several[place] if place < len(several) else None) for place, item in enumerate(value)]
    if value == MASK and isinstance(kept, str | Secret):
        return kept.reveal() if isinstance(kept, Secret) else kept
    return value.reveal() if isinstance(value, Secret) else value
