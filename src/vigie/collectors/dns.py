"""What the resolvers say of the name: the system's, and a second one when it is configured; and how that differs from before."""

import asyncio
from collections.abc import Sequence

from vigie.collectors import SOURCE, CollectorDeps, is_address
from vigie.core.report.facts import Evidence, FactKind, Subject
from vigie.net import Answer

_SHOWN = 4
_SHARE = 0.8  # of the budget, so that what is known is handed over in time

_SYSTEM = "Le résolveur du système", "The system's resolver"
_SECOND = "Le second résolveur", "The second resolver"


def build(deps: CollectorDeps) -> "Names":
    """The collector."""
    return Names(deps)


class Names:
    """Asks for the addresses of the monitor's host: one question a resolver."""

    def __init__(self, deps: CollectorDeps) -> None:
        self._deps = deps

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """One fact a resolver, and one about the change; none for a host that is an address."""
        host = subject.monitor.host
        if not host or is_address(host):
            return []
        timeout_ms = int(budget_ms * _SHARE)
        servers = [None, *([self._deps.second_resolver] if self._deps.second_resolver else [])]
        asked = (self._deps.resolver.resolve(host, timeout_ms=timeout_ms, server=server) for server in servers)
        answers = await asyncio.gather(*asked)
        names = (("resolver.system", _SYSTEM), ("resolver.second", _SECOND))
        found = [self._fact(name, host, answer, who) for (name, who), answer in zip(names, answers, strict=False)]
        return [*found, *self._change(subject, answers[0])]

    def _fact(self, name: str, host: str, answer: Answer, who: tuple[str, str]) -> Evidence:
        shown = ", ".join(answer.addresses[:_SHOWN])
        fr = f"{who[0]} donne pour {host} : {shown}." if shown else f"{who[0]} ne donne aucune adresse pour {host} ({answer.cause})."
        en = f"{who[1]} gives for {host}: {shown}." if shown else f"{who[1]} gives no address for {host} ({answer.cause})."
        value = shown or str(answer.cause)
        return Evidence(FactKind.DNS, name, value, fr, en, self._deps.clock.now(), SOURCE, bad=not answer.addresses)

    def _change(self, subject: Subject, answer: Answer) -> list[Evidence]:
        """Whether the system's answer is still that of the last good check."""
        before = subject.last_good.addresses if subject.last_good else ()
        if not before or not answer.addresses:
            return []
        same = set(before) == set(answer.addresses)
        old = ", ".join(sorted(before)[:_SHOWN])
        fr = "La réponse DNS est celle du dernier état sain." if same else f"Au dernier état sain, la réponse DNS était {old}."
        en = "The DNS answer is that of the last healthy state." if same else f"At the last healthy state the DNS answer was {old}."
        return [Evidence(FactKind.DNS, "answer.change", not same, fr, en, self._deps.clock.now(), SOURCE, bad=not same)]
