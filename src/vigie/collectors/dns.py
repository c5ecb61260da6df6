"""What the resolvers say of the name: the system's, a second one when configured, the zone's own servers; and what has changed."""

import asyncio
from collections.abc import Sequence

from vigie.collectors import SHARE, SOURCE, CollectorDeps, is_address
from vigie.net import Answer
from vigie.report.facts import Evidence, FactKind, Subject
from vigie.report.wording import both, forms
from vigie.text import Pair
from vigie.text import diagnostics as texts

_SHOWN = 4
_MAX_SERVERS = 4  # of a zone are asked


def build(deps: CollectorDeps) -> "Names":
    """The collector."""
    return Names(deps)


class Names:
    """Asks for the addresses of the monitor's host: one question a resolver."""

    def __init__(self, deps: CollectorDeps) -> None:
        self._deps = deps

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """One fact a resolver, one about the zone's own servers, one about the change; none for a host that is an address."""
        host = subject.monitor.host
        if not host or is_address(host):
            return []
        timeout_ms = int(budget_ms * SHARE)
        servers = [None, *([self._deps.second_resolver] if self._deps.second_resolver else [])]
        asked = (self._deps.resolver.resolve(host, timeout_ms=timeout_ms, server=server) for server in servers)
        answers, zone = await asyncio.gather(asyncio.gather(*asked), self._zone(host, timeout_ms))
        names = (("resolver.system", texts.SYSTEM_RESOLVER), ("resolver.second", texts.SECOND_RESOLVER))
        found = [self._fact(name, host, answer, who) for (name, who), answer in zip(names, answers, strict=False)]
        return [*found, *zone, *self._change(subject, answers[0])]

    async def _zone(self, host: str, timeout_ms: int) -> list[Evidence]:
        """What the servers that are in charge of the name say, without anybody's cache between."""
        zone, servers = await self._deps.resolver.zone_servers(host, timeout_ms=timeout_ms // 2)
        if not servers:
            return []
        asked = (self._deps.resolver.resolve(host, timeout_ms=timeout_ms // 2, server=server) for server in servers[:_MAX_SERVERS])
        answers = await asyncio.gather(*asked)
        count, good = len(answers), sum(bool(answer.addresses) for answer in answers)
        worst = next((str(answer.cause) for answer in answers if answer.cause), "")
        template = texts.ZONE_SOME if 0 < good < count else forms(texts.ZONE_ALL if good else texts.ZONE_NONE, count)
        pair = both(template, zone=zone, count=count, good=good, cause=worst)
        bad = True if good == 0 else False if good == count else None
        return [Evidence(FactKind.DNS, "resolver.zone", good, *pair, self._deps.clock.now(), SOURCE, bad=bad)]

    def _fact(self, name: str, host: str, answer: Answer, who: Pair) -> Evidence:
        shown = ", ".join(answer.addresses[:_SHOWN])
        template = texts.RESOLVES if shown else texts.RESOLVES_NOT
        pair = both(template, resolver=who, host=host, addresses=shown, cause=answer.cause)
        value = shown or str(answer.cause)
        return Evidence(FactKind.DNS, name, value, *pair, self._deps.clock.now(), SOURCE, bad=not answer.addresses)

    def _change(self, subject: Subject, answer: Answer) -> list[Evidence]:
        """Whether the system's answer is still that of the last good check."""
        before = subject.last_good.addresses if subject.last_good else ()
        if not before or not answer.addresses:
            return []
        same = set(before) == set(answer.addresses)
        old = ", ".join(sorted(before)[:_SHOWN])
        pair = texts.DNS_SAME if same else both(texts.DNS_CHANGED, old=old)
        return [Evidence(FactKind.DNS, "answer.change", not same, *pair, self._deps.clock.now(), SOURCE, bad=not same)]
