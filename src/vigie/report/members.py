"""The services of an alert together: how many, since when, which are back, and what they have in common."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from vigie.core.detection import Severity
from vigie.core.model import Cause
from vigie.observation.place import place_of
from vigie.report.facts import Affected, Subject

Tie = tuple[str, str]  # (kind, value), such as ("address", "192.0.2.7")


@dataclass(frozen=True, slots=True)
class Service:
    """One service of an alert, with its first and its last instant of trouble; `ended_at` None: it is still in trouble."""

    first: Affected
    started_at: int
    joined_at: int
    ended_at: int | None

    @property
    def name(self) -> str:
        """What people call it."""
        return " ".join(self.first.monitor.name.split())


@dataclass(frozen=True)
class Group:
    """All members of an alert, the one that it is named after first. `services` are in the order in which they failed."""

    members: tuple[Affected, ...]

    @classmethod
    def of(cls, subject: Subject) -> "Group":
        """The group that a subject is in."""
        own = Affected(subject.monitor, subject.incident, subject.result)
        return cls((own, *subject.members))

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """One a monitor, however many incidents it has here."""
        found: dict[str, list[Affected]] = {}
        for one in self.members:
            found.setdefault(one.monitor.id, []).append(one)
        return tuple(sorted((_service(each) for each in found.values()), key=lambda one: one.started_at))

    @property
    def several(self) -> bool:
        """Whether it is about more than one service."""
        return len(self.services) > 1

    @property
    def started_at(self) -> int:
        """The first failed check of all."""
        return self.services[0].started_at

    @property
    def ended_at(self) -> int | None:
        """When the last service was back; None as long as one is not."""
        ends = [one.ended_at for one in self.services]
        return None if None in ends else max(end for end in ends if end is not None)

    @property
    def open(self) -> tuple[Service, ...]:
        """Those still in trouble."""
        return tuple(one for one in self.services if one.ended_at is None)

    @property
    def severity(self) -> Severity:
        """The worst."""
        outage = any(one.incident.severity is Severity.OUTAGE for one in self.members)
        return Severity.OUTAGE if outage else Severity.DEGRADATION

    @cached_property
    def causes(self) -> tuple[tuple[Cause, int], ...]:
        """Each cause with how many services it was seen at first, the commonest first."""
        return tuple(Counter(one.first.incident.cause for one in self.services).most_common())

    @cached_property
    def tie(self) -> Tie | None:
        """What all of them have in common; None where no such thing is known."""
        return shared(self.members)

    def joined(self, since: int) -> tuple[Service, ...]:
        """Those that became members after an instant."""
        return tuple(one for one in self.services if one.joined_at > since)

    def back(self, since: int = 0) -> tuple[Service, ...]:
        """Those that recovered after an instant."""
        return tuple(one for one in self.services if one.ended_at is not None and one.ended_at > since)


def _service(found: Sequence[Affected]) -> Service:
    ends = [one.incident.closed_at for one in found]
    started, joined = min(one.incident.started_at for one in found), min(one.incident.opened_at for one in found)
    return Service(found[0], started, joined, None if None in ends else max(end for end in ends if end is not None))


def ties(one: Affected) -> frozenset[Tie]:
    """What one service may have in common with others."""
    return frozenset(place_of(one.monitor, one.result).keys()) | {("parent", parent) for parent in getattr(one.monitor, "depends_on", ())}


def shared(members: Sequence[Affected]) -> Tie | None:
    """What all of them have in common: of several such things the one that the first failure points to."""
    common: frozenset[Tie] | None = None
    for one in members:
        common = ties(one) if common is None else common & ties(one)
        if not common:
            return None
    order = next((each for family, each in _ORDER.items() if members[0].incident.cause.startswith(family)), _USUALLY)
    known = [(order.index(kind), kind, value) for kind, value in common or () if kind in order]
    if not known:
        return None
    _, kind, value = min(known)
    return (kind, _certificate(members) if kind == "certificate" else value)


_USUALLY = ("address", "host", "parent", "network")
_ORDER = {"tls.": ("certificate", "host", "address", "parent"), "dns.": ("resolver", "host", "zone", "parent")}


def _certificate(members: Sequence[Affected]) -> str:
    """What the certificate that all of them have is called."""
    return next((one.result.tls.subject or "" for one in members if one.result is not None and one.result.tls is not None), "")
