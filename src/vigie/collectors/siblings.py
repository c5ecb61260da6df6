"""Monitors that share something with the one that failed: host, address, certificate, network, tag; and how many are down."""

import ipaddress
from collections.abc import Callable, Sequence

from vigie.collectors import SOURCE, CollectorDeps
from vigie.core.model import CheckResult, Monitor, Status
from vigie.report.facts import Evidence, FactKind, Subject
from vigie.report.wording import both, forms
from vigie.text import Pair
from vigie.text import diagnostics as texts

_FRESH_MS = 600_000  # an older result says little about now
_NETWORK_BITS = {4: 24, 6: 48}


def build(deps: CollectorDeps) -> "Siblings":
    """The collector."""
    return Siblings(deps)


def _host(monitor: Monitor, _: CheckResult) -> frozenset[str]:
    return frozenset({monitor.host} - {""})


def _address(_: Monitor, result: CheckResult) -> frozenset[str]:
    return frozenset({result.address} if result.address else ())


def _network(_: Monitor, result: CheckResult) -> frozenset[str]:
    try:
        address = ipaddress.ip_address(result.address or "")
    except ValueError:
        return frozenset()
    return frozenset({str(ipaddress.ip_network((address, _NETWORK_BITS[address.version]), strict=False))})


def _certificate(_: Monitor, result: CheckResult) -> frozenset[str]:
    tls = result.tls
    return frozenset({f"{tls.issuer}/{tls.subject}/{tls.expires_at}"} if tls and tls.expires_at else ())


def _tags(monitor: Monitor, _: CheckResult) -> frozenset[str]:
    return frozenset(monitor.tags)


_TIES: tuple[tuple[str, Callable[[Monitor, CheckResult], frozenset[str]]], ...] = (
    ("host", _host),
    ("address", _address),
    ("certificate", _certificate),
    ("network", _network),
    ("tag", _tags),
)
_UP = (Status.UP, Status.DEGRADED)


class Siblings:
    """Looks at what is known already; asks nobody."""

    def __init__(self, deps: CollectorDeps) -> None:
        self._deps = deps

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """One fact a tie that other monitors share, each group once."""
        del budget_ms  # nothing is waited for
        now, seen, found = self._deps.clock.now(), set[frozenset[str]](), list[Evidence]()
        others = [
            (monitor, result)
            for monitor, result in await self._deps.known()
            if monitor.id != subject.monitor.id and now - result.at < max(_FRESH_MS, 3 * monitor.every_ms)
        ]
        for name, tie in _TIES:
            ours = tie(subject.monitor, self._with_last(subject))
            group = [(monitor, result) for monitor, result in others if ours & tie(monitor, result)]
            members = frozenset(monitor.id for monitor, _ in group)
            if group and members not in seen:
                seen.add(members)
                found.append(self._fact(name, [result.status for _, result in group]))
        return found

    @staticmethod
    def _with_last(subject: Subject) -> CheckResult:
        """A check that reached nobody has no address or certificate of its own; those of the last good one are used."""
        result, good = subject.result, subject.last_good
        return good if good is not None and result.address is None else result

    def _fact(self, name: str, statuses: Sequence[Status]) -> Evidence:
        count, down = len(statuses), sum(status is Status.DOWN for status in statuses)
        pair = both(_template(statuses, down), count=count, down=down, tie=texts.TIES[name])
        bad = True if down == count else False if down == 0 else None
        return Evidence(FactKind.SIBLINGS, f"siblings.{name}", down, *pair, at=self._deps.clock.now(), source=SOURCE, bad=bad)


def _template(statuses: Sequence[Status], down: int) -> Pair:
    """The sentence for so many monitors; what could not be checked is not called up."""
    count = len(statuses)
    if 0 < down < count:
        return forms(texts.SIBLINGS_SOME_DOWN, down)
    up = all(status in _UP for status in statuses)
    return forms(texts.SIBLINGS_DOWN if down else texts.SIBLINGS_UP if up else texts.SIBLINGS_NOT_DOWN, count)
