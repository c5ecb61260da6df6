"""`/probe`: a module of the configuration, put to a target, checked once by the prober process."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from vigie import plugins
from vigie.commands.probing import Probed, ProbeFault
from vigie.config import Desired
from vigie.config.desired import Module
from vigie.config.metrics import address
from vigie.config.shown import plain
from vigie.core.model import CheckResult
from vigie.errors import VigieError
from vigie.net import NameResolver, is_literal, is_private
from vigie.observation.check_spec import CheckSpec
from vigie.probes.kit.deps import configured

_AT_ONCE, _WAITING = 64, 1_000
_NAME = "/probe"


class Probing:
    """The ProbeCommands port. `check` is the prober's single check, `settings` gives the configuration in force."""

    def __init__(
        self, settings: Callable[[], Desired], check: Callable[[CheckSpec], Awaitable[CheckResult]], resolver: NameResolver
    ) -> None:
        self._settings, self._check, self._resolver = settings, check, resolver
        self._slots, self._waiting = asyncio.Semaphore(_AT_ONCE), 0

    async def probe(self, target: str, module: str, timeout_ms: int, *, trusted: bool) -> Probed:
        """Look once."""
        wanted = self._settings().metrics
        found = wanted.modules.get(module)
        if found is None:
            return Probed(fault=ProbeFault.MODULE, words=f"Unknown module {module!r}: known are {', '.join(sorted(wanted.modules))}")
        shown = {"module": module, "type": found.kind, **plain(found.options, found.secrets)}
        try:
            options, config = _config(found, target)
        except (ValueError, VigieError) as error:
            words = found.secrets.mask(str(error))
            return Probed(fault=ProbeFault.TARGET, words=words, kind=found.kind, module=shown)
        if not trusted and await self._is_internal(config.host):
            words = f"{config.host} is an internal address: `web.allow_internal` or an administrator's token allows it"
            return Probed(fault=ProbeFault.INTERNAL, words=words, kind=found.kind, module=shown)
        reach = None if trusted else self._settings().web.allow_internal  # a redirect may lead inside, and a name elsewhere the next time
        limit = timeout_ms if found.timeout_ms is None else min(timeout_ms, found.timeout_ms)
        spec = CheckSpec(
            _NAME, _NAME, found.kind, config.target, config.host, limit, limit, options, hidden=tuple(found.secrets), reach=reach
        )
        return await self._probed(spec, found, shown)

    async def _probed(self, spec: CheckSpec, module: Module, shown: dict[str, object]) -> Probed:
        """One of many at once; those that cannot have a turn in their time are refused."""
        if self._waiting >= _WAITING:
            return Probed(fault=ProbeFault.NOT_NOW, words="too many probes wait", kind=module.kind, module=shown)
        self._waiting += 1
        try:
            async with asyncio.timeout(spec.timeout_ms / 1000):
                await self._slots.acquire()
        except TimeoutError:
            return Probed(fault=ProbeFault.NOT_NOW, words="no turn within the time-out", kind=module.kind, module=shown)
        finally:
            self._waiting -= 1
        try:
            return Probed(await self._check(spec), kind=module.kind, module=shown)
        except VigieError as error:
            return Probed(fault=ProbeFault.NOT_NOW, words=error.message, kind=module.kind, module=shown)
        finally:
            self._slots.release()

    async def _is_internal(self, host: str) -> bool:
        """Whether a host is an internal address, or leads to one, that `web.allow_internal` does not name."""
        allowed = [ipaddress.ip_network(one, strict=False) for one in self._settings().web.allow_internal]
        found = (host,) if is_literal(host) or is_private(host) else (await self._resolver.resolve(host)).addresses
        return any(is_private(one) and not _among(one, allowed) for one in found)


def _among(address: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        found = ipaddress.ip_address(address.strip("[]"))
    except ValueError:  # a name such as localhost
        return False
    return any(found in one for one in networks)


def _config(module: Module, target: str) -> tuple[dict[str, object], Any]:
    """The options for a target, and the Config that they make. Raises ValueError, and VigieError where something is not installed."""
    adapter = plugins.load("probes", module.kind)
    options = {**module.options, **address(module.kind, target, module.options)}
    return options, configured(adapter.Config, options)
