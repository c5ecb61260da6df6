"""Keeps the monitors of people who are not admins away from internal addresses: such a check is `unknown` and says why, never `down`.

Their probe is given a resolver that does not give internal addresses, so that nothing connects to one, whatever a name or a redirect
leads to. What does not ask that resolver (programs, browsers, proxies, kinds from elsewhere) is not for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vigie.core.model import Cause, CheckResult, FaultScope, Status
from vigie.net import GuardedResolver
from vigie.ports import Clock, Probe

_OF_ADMINS = {"exec": "it runs programs of this machine", "browser": "a browser finds its own way to addresses"}
_OWN_WAYS = ("proxy", "ca_file", "client_cert", "client_key", "executable")
_ADVICE = "An admin can save this monitor, or allow the network in `web.allow_internal`."


def never_reachable(kind: str, module: str, options: Mapping[str, Any]) -> str:
    """Why a check of this kind, or with these options, may not be made by somebody who is not an admin; empty where it may."""
    if kind in _OF_ADMINS:
        return f"checks of the kind {kind} are for admins: {_OF_ADMINS[kind]}"
    if not module.startswith("vigie.probes."):
        return f"checks of the kind {kind} are for admins: it is not one of Vigie's own"
    if key := _own_way(options):
        return f"`{key}` is for admins: it leads to this machine's files, or by another way to its networks"
    return ""


def _own_way(options: Any) -> str:
    """The first such option that is set, wherever it is."""
    if isinstance(options, Mapping):
        return next((str(key) for key, value in options.items() if key in _OWN_WAYS and value), "") or _first(options.values())
    return _first(options) if isinstance(options, list | tuple) else ""


def _first(several: Any) -> str:
    return next((found for one in several if (found := _own_way(one))), "")


@dataclass(slots=True)
class InternalGuard:
    """A probe whose resolver is guarded: what came of a check in which an internal address was refused is not a verdict on the service."""

    resolver: GuardedResolver
    probe: Probe | None = None

    def around(self, probe: Probe) -> "InternalGuard":
        """The guard around a probe that was built with this resolver."""
        return replace(self, probe=probe)

    async def check(self, timeout_ms: int) -> CheckResult:
        """Check once."""
        assert self.probe is not None  # noqa: S101 - it is checked once it is around one
        self.resolver.refused = None
        result = await self.probe.check(timeout_ms)
        refused: str | None = self.resolver.refused
        return result if refused is None else _unknown(result, f"{refused} is an internal address, which this monitor may not contact")


@dataclass(frozen=True, slots=True)
class Refused:
    """In place of a probe that may not be built."""

    clock: Clock
    why: str

    async def check(self, timeout_ms: int) -> CheckResult:  # noqa: ARG002 - the port's signature
        """Why not, as a result."""
        return _unknown(CheckResult("", self.clock.now(), Status.UNKNOWN), self.why)


def _unknown(result: CheckResult, words: str) -> CheckResult:
    """Nothing of what was seen is repeated: it may be of what may not be seen."""
    return CheckResult(result.monitor, result.at, Status.UNKNOWN, Cause.PROBE_ERROR, words, advice=(_ADVICE,), scope=FaultScope.MONITOR)
