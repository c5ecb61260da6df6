"""Is it us? Vigie's own link, by its route and its control targets."""

from collections.abc import Sequence

from vigie.collectors import CollectorDeps
from vigie.core.report.facts import Evidence, FactKind, Subject
from vigie.net import is_private


def build(deps: CollectorDeps) -> "Control":
    """The collector."""
    return Control(deps)


class Control:
    """Says whether our own way out works; a service on a private address needs none."""

    def __init__(self, deps: CollectorDeps) -> None:
        self._deps = deps

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """One fact, or none where it does not matter."""
        del budget_ms  # the link keeps its own, shorter bounds
        if is_private(subject.result.address or subject.monitor.host):
            return []
        fault = await self._deps.link.fault()
        fr = "La liaison de Vigie fonctionne." if fault is None else "La liaison de Vigie elle-même est en défaut."
        en = "Vigie's own link works." if fault is None else "Vigie's own link is at fault."
        now = self._deps.clock.now()
        return [Evidence(FactKind.CONTROL, "link", fault is None, fr, en, now, "second look", bad=fault is not None)]
