"""What the resolvers say of the name: the system's, and a second one when it is configured."""

from collections.abc import Sequence

from vigie.collectors import CollectorDeps
from vigie.core.report.facts import Evidence, FactKind, Subject
from vigie.net import Answer

_SHOWN = 4


def build(deps: CollectorDeps) -> "Names":
    """The collector."""
    return Names(deps)


class Names:
    """Asks for the addresses of the monitor's host."""

    def __init__(self, deps: CollectorDeps) -> None:
        self._deps = deps

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """One fact a resolver; none for a host that is an address."""
        host = subject.monitor.host
        if not host or host.replace(".", "").isdigit() or ":" in host:
            return []
        first = await self._deps.resolver.resolve(host, timeout_ms=budget_ms // 2)
        found = [self._fact("resolver.system", host, first, ("Le résolveur du système", "The system's resolver"))]
        if self._deps.second_resolver:
            second = await self._deps.resolver.resolve(host, timeout_ms=budget_ms // 2, server=self._deps.second_resolver)
            found.append(self._fact("resolver.second", host, second, ("Le second résolveur", "The second resolver")))
        return found

    def _fact(self, name: str, host: str, answer: Answer, who: tuple[str, str]) -> Evidence:
        shown = ", ".join(answer.addresses[:_SHOWN])
        fr = f"{who[0]} donne pour {host} : {shown}." if shown else f"{who[0]} ne donne aucune adresse pour {host} ({answer.cause})."
        en = f"{who[1]} gives for {host}: {shown}." if shown else f"{who[1]} gives no address for {host} ({answer.cause})."
        value = shown or str(answer.cause)
        return Evidence(FactKind.DNS, name, value, fr, en, self._deps.clock.now(), "second look", bad=not answer.addresses)
