"""Is it us? Vigie's own link, by its route and its control targets."""

import asyncio
from collections.abc import Sequence

from vigie.collectors import SOURCE, CollectorDeps
from vigie.core.model import Cause
from vigie.net import is_private
from vigie.report.facts import Evidence, FactKind, Subject
from vigie.text import diagnostics as texts

_FAULTS = {Cause.PROBE_RESOLVER: texts.RESOLVER_FAULT}


def build(deps: CollectorDeps) -> "Control":
    """The collector."""
    return Control(deps)


class Control:
    """Says whether our own way out works; a service on a private address needs none."""

    def __init__(self, deps: CollectorDeps) -> None:
        self._deps = deps

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """One fact, or none where it does not matter or cannot be told in time. A route alone acquits nobody."""
        if is_private(subject.result.address or subject.monitor.host):
            return []
        try:
            async with asyncio.timeout(budget_ms / 1000):
                fault = await self._deps.link.fault()
        except TimeoutError:
            return []
        pair = _FAULTS.get(fault, texts.LINK_FAULT) if fault else texts.LINK_FINE if self._deps.link.has_targets else texts.LINK_ROUTE
        bad = True if fault else False if self._deps.link.has_targets else None
        return [Evidence(FactKind.CONTROL, "link", str(fault or "ok"), *pair, self._deps.clock.now(), SOURCE, bad=bad)]
