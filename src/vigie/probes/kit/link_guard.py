"""The question "is it us?" after a failure: Vigie's own link is examined before a target is considered down."""

import asyncio
from dataclasses import dataclass, replace

from vigie.core.model import Cause, CheckResult, FaultScope, Status
from vigie.net import Link, is_private
from vigie.ports import Probe
from vigie.probes.kit.deps import ProbeDeps

# Failures that a broken link of our own could cause as well; among them, those where a resolver failed to answer.
_RESOLVER = frozenset({Cause.DNS_SERVFAIL, Cause.DNS_REFUSED, Cause.DNS_TIMEOUT})
_DOUBTFUL = _RESOLVER | {
    Cause.DNS_NXDOMAIN,
    Cause.DNS_NO_ANSWER,
    Cause.TCP_UNREACHABLE,
    Cause.TIMEOUT_CONNECT,
    Cause.TIMEOUT_TLS,
    Cause.TIMEOUT_FIRST_BYTE,
    Cause.TIMEOUT_TOTAL,
    Cause.ICMP_TIMEOUT,
}
_VOTE_MS = 2_000  # how long the examination of our own link takes
_OTHER_MS = 800  # and the second resolver after it
_AFTER_MS = 150  # how long a check may wait for it beyond its deadline

_ADVICE = {
    Cause.PROBE_NETWORK: "Check this machine's network; the service is not considered down and no alert is sent.",
    Cause.PROBE_RESOLVER: "Check this machine's resolver (/etc/resolv.conf); the service is not considered down and no alert is sent.",
}


@dataclass(slots=True)
class LinkGuard:
    """A probe whose doubtful failures have our own link examined first: if that is at fault, the result is `unknown`.

    `own_names`: names are resolved by the system's resolver, not by one that is configured for the monitor.
    """

    probe: Probe
    host: str
    deps: ProbeDeps
    own_names: bool = True
    _known: tuple[str | None, bool] = ("", True)

    async def check(self, timeout_ms: int) -> CheckResult:
        """Run one check. The examination of our own link does not count towards its time; it begins shortly before the deadline."""
        loop, link = asyncio.get_running_loop(), self.deps.link  # of the moment: a new configuration may name other control targets
        started = loop.time()
        early = loop.call_later(max(timeout_ms - _VOTE_MS, timeout_ms / 2) / 1000, self._prepare, link, timeout_ms)
        try:
            result = await self.probe.check(timeout_ms)
        finally:
            early.cancel()
        if not self._is_outside(result.address):
            return result
        if result.cause is Cause.PROBE_NETWORK and result.scope is FaultScope.MONITOR:
            return await self._of_its_own(link, result)
        if result.cause not in _DOUBTFUL:
            if result.address is not None and result.status is not Status.UNKNOWN:
                link.saw(result.address)
            return result
        left_ms = max(timeout_ms - round((loop.time() - started) * 1000), 0) + _AFTER_MS
        return await self._doubted(link, result, min(left_ms, _VOTE_MS))

    async def _of_its_own(self, link: Link, result: CheckResult) -> CheckResult:
        """Its own way (a proxy) is broken: alone, unless no other way leads anywhere either."""
        return replace(result, scope=None) if await link.fault(self.host, _VOTE_MS) is Cause.PROBE_NETWORK else result

    async def _doubted(self, link: Link, result: CheckResult, budget_ms: int) -> CheckResult:
        place = result.address or self.host
        own = await link.fault(place, budget_ms)
        if own is Cause.PROBE_NETWORK:
            return _own(result, own, "no control target answers either: this machine has no connection to the outside")
        if own is Cause.PROBE_RESOLVER and self.own_names and result.cause.startswith("dns."):  # type: ignore[union-attr]  # doubted, so there is one
            return _own(result, own, "no control name resolves although the network works: this machine's resolver is failing")
        if self.own_names and result.cause in _RESOLVER and await link.other_answer(self.host, min(budget_ms, _OTHER_MS)):
            words = "another resolver knows the name, but this machine's does not answer"
            return _own(result, Cause.PROBE_RESOLVER, words, FaultScope.MONITOR)
        link.missed(place)
        return result

    def _prepare(self, link: Link, timeout_ms: int) -> None:
        if not is_private(self.host):
            link.prepare(self.host, min(timeout_ms // 2, _VOTE_MS))

    def _is_outside(self, address: str | None) -> bool:
        """Whether the target is outside this network; remembered, as the address is mostly the same as in the previous check."""
        if self._known[0] != address:
            self._known = (address, not is_private(address or self.host))
        return self._known[1]


def _own(result: CheckResult, cause: Cause, words: str, scope: FaultScope | None = None) -> CheckResult:
    """The result with the fault assigned to Vigie."""
    message = f"{words} ({result.message})"
    return replace(result, status=Status.UNKNOWN, cause=cause, message=message, advice=(_ADVICE[cause],), scope=scope)
