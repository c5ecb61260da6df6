"""Is it us? Vigie's own link, by its route and its control targets."""

import asyncio
from collections.abc import Sequence

from vigie.collectors import SOURCE, CollectorDeps
from vigie.core.model import Cause
from vigie.net import is_private
from vigie.report.facts import Evidence, FactKind, Subject

_FAULTS = {
    Cause.PROBE_RESOLVER: (
        "Le résolveur de Vigie est en défaut : les cibles de contrôle répondent par adresse, pas par nom.",
        "Vigie's own resolver is at fault: control targets answer by address, not by name.",
    ),
}
_LINK = "La liaison de Vigie elle-même est en défaut.", "Vigie's own link is at fault."
_FINE = "La liaison de Vigie fonctionne.", "Vigie's own link works."
_ROUTE = "La machine de Vigie a une route vers l'extérieur.", "Vigie's own machine has a route out."


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
        fr, en = _FAULTS.get(fault, _LINK) if fault else _FINE if self._deps.link.has_targets else _ROUTE
        bad = True if fault else False if self._deps.link.has_targets else None
        return [Evidence(FactKind.CONTROL, "link", str(fault or "ok"), fr, en, self._deps.clock.now(), SOURCE, bad=bad)]
