"""What every kind of check shares: the process-wide resources, and the question "is it us?" after a failure."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from vigie.core.model import Cause, CheckResult, Status
from vigie.net import Link, Resolver, is_private
from vigie.ports import Clock, Probe

_T = TypeVar("_T")

# Failures that a broken link of our own would cause as well.
_DOUBTFUL = frozenset(
    {
        Cause.DNS_NXDOMAIN,
        Cause.DNS_SERVFAIL,
        Cause.DNS_REFUSED,
        Cause.DNS_TIMEOUT,
        Cause.DNS_NO_ANSWER,
        Cause.TCP_UNREACHABLE,
        Cause.TIMEOUT_CONNECT,
    }
)


_ADVICE = {
    Cause.PROBE_NETWORK: "See this machine's network; the service is not accused and nobody is paged.",
    Cause.PROBE_RESOLVER: "See this machine's resolver (/etc/resolv.conf); the service is not accused and nobody is paged.",
}


@dataclass(slots=True)
class ProbeDeps:
    """What probes are built with. One resolver, one trust store, one transport for all of them.

    `evidence` is the folder for pictures of what went wrong; None where none are kept.
    """

    clock: Clock
    resolver: Resolver
    link: Link
    ca_file: str | None = None
    evidence: Path | None = None
    _shared: dict[str, tuple[Any, Callable[[], None]]] = field(default_factory=dict)

    def shared(self, key: str, make: Callable[[], _T], close: Callable[[_T], None]) -> _T:
        """The one resource of this process under `key`, made on first use and closed with the others."""
        if key not in self._shared:
            made = make()
            self._shared[key] = (made, lambda: close(made))
        return self._shared[key][0]  # type: ignore[no-any-return]  # the key decides the type

    def close(self) -> None:
        """Close what was shared."""
        for _, close in self._shared.values():
            close()
        self._shared.clear()
        self.resolver.close()


@dataclass(frozen=True, slots=True)
class Guarded:
    """A probe whose doubtful failures are put to our own link first: its fault is `unknown`, never the target's."""

    probe: Probe
    host: str
    fault: Callable[[], Awaitable[Cause | None]]

    async def check(self, timeout_ms: int) -> CheckResult:
        """Look once; the vote on our own link comes after the check and is not part of its time."""
        result = await self.probe.check(timeout_ms)
        if result.cause not in _DOUBTFUL or is_private(result.address or self.host):
            return result
        own = await self.fault()
        if own is None:
            return result
        words = "no control target answers either: this machine has no way out"
        if own is Cause.PROBE_RESOLVER:
            words = "control targets answer by address but not by name: this machine's resolver fails"
        return replace(result, status=Status.UNKNOWN, cause=own, message=f"{words} ({result.message})", advice=(_ADVICE[own],))
