"""Pure: whether a database and a receiver of notices tell what the script did: nothing missing, nothing spurious, nothing twice."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.chaos.script import Outage

OPENED, RECOVERED = "opened", "recovered"
EARLY_MS = 250  # clocks of one machine; a check that began before an outage may end within it
LATE_MS = 12_000  # from an outage's beginning to its first failed check, and from its end to the incident's
SEEN_MS = 8_000  # an outage that could be looked at for so long must be on record


class Kind(StrEnum):
    """What can be wrong."""

    MISSING = "an outage without an incident"
    SPURIOUS = "an incident without an outage"
    TWICE = "an outage with two incidents"
    STILL_OPEN = "an incident that was not closed"
    WRONG_END = "an incident that ended at another time than its outage"
    SEVERITY = "an outage on record as something else"
    UNSENT = "a notice that was not sent"
    NO_NOTICE = "a transition without a notice on record"
    TWO_KEYS = "a transition with two notices of different keys"
    NOT_RECEIVED = "a notice on record as delivered that nobody received"
    UNKNOWN_NOTICE = "a notice received that is not on record"
    ORDER = "a recovery received before its opening"
    REPEATED = "a notice sent again without a fault to explain it"
    CRASHED = "a part that ended by itself"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    kind: Kind
    about: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.about}"


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident of the database. Instants are milliseconds since the script began."""

    id: str
    monitor: str
    severity: str
    started_at: int
    closed_at: int | None
    alert: str


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice of the database."""

    key: str
    alert: str
    monitor: str
    reason: str
    state: str


@dataclass(frozen=True, slots=True)
class Received:
    """A request that the receiver of notices took, in the order of its coming."""

    at: int
    key: str
    thread: str
    monitor: str
    reason: str
    taken: bool = True  # whether it was answered with success


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A fault that can repeat a notice, from `start`, to whatever was sent until `end`, when the part is well again."""

    what: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Record:
    """All that a run left behind."""

    outages: Sequence[Outage]
    incidents: Sequence[IncidentRow]
    notices: Sequence[NoticeRow]
    received: Sequence[Received]
    disturbances: Sequence[Disturbance] = ()  # in their order
    blind: Sequence[Disturbance] = ()  # while nobody could look, as when the one server there is was killed
    crashed: Sequence[str] = ()


def judge(record: Record) -> list[Finding]:
    """Everything that is wrong, or nothing."""
    return [
        *_transitions(record),
        *_notices(record),
        *_receipts(record),
        *_order(record.received),
        *_repeats(record),
        *(Finding(Kind.CRASHED, one) for one in record.crashed),
    ]


def _transitions(record: Record) -> Iterable[Finding]:
    """Each outage and its incident, by when both began."""
    left = list(record.incidents)
    for outage in record.outages:
        name = f"{outage.service} from {outage.start} to {outage.end} ms"
        mine = [one for one in left if one.monitor == outage.service and _within(outage, one)]
        for one in mine:
            left.remove(one)
        hidden = _hidden(outage, record.blind)
        if not mine:
            if outage.end - outage.start - hidden >= SEEN_MS:
                yield Finding(Kind.MISSING, name)
        elif len(mine) > 1:
            yield Finding(Kind.TWICE, f"{name}: {', '.join(one.id for one in mine)}")
        else:
            yield from _ended(outage, mine[0], name, record.blind)
    yield from (Finding(Kind.SPURIOUS, f"{one.monitor} {one.id} from {one.started_at} to {one.closed_at} ms") for one in left)


def _within(outage: Outage, incident: IncidentRow) -> bool:
    return outage.start - EARLY_MS <= incident.started_at < outage.end


def _hidden(outage: Outage, blind: Sequence[Disturbance]) -> int:
    """For how much of an outage nobody could look."""
    return sum(max(min(one.end, outage.end) - max(one.start, outage.start), 0) for one in blind)


def _after(outage: Outage, blind: Sequence[Disturbance]) -> int:
    """For how long nobody could look when it ended, and from then on."""
    return max((one.end - outage.end for one in blind if one.start - LATE_MS <= outage.end < one.end), default=0)


def _ended(outage: Outage, incident: IncidentRow, name: str, blind: Sequence[Disturbance]) -> Iterable[Finding]:
    if incident.severity != "outage":
        yield Finding(Kind.SEVERITY, f"{name}: {incident.id} is {incident.severity}")
    if incident.started_at > outage.start + LATE_MS + _hidden(outage, blind):
        yield Finding(Kind.MISSING, f"the beginning of {name}: {incident.id} begins at {incident.started_at} ms")
    if incident.closed_at is None:
        yield Finding(Kind.STILL_OPEN, f"{name}: {incident.id}")
    elif not outage.end - EARLY_MS <= incident.closed_at <= outage.end + LATE_MS + _after(outage, blind):
        yield Finding(Kind.WRONG_END, f"{name}: {incident.id} ended at {incident.closed_at} ms")


def _notices(record: Record) -> Iterable[Finding]:
    """What each incident must have had sent, by the database."""
    rows = defaultdict[tuple[str, str], list[NoticeRow]](list)
    for row in record.notices:
        rows[row.alert, row.reason].append(row)
        if row.state != "delivered":
            yield Finding(Kind.UNSENT, f"{row.key} is {row.state}")
    for incident in record.incidents:
        for reason in (OPENED, RECOVERED) if incident.closed_at is not None else (OPENED,):
            keys = [one.key for one in rows[incident.alert, reason]]
            if not keys:
                yield Finding(Kind.NO_NOTICE, f"{incident.monitor} {incident.id}: {reason}")
            elif len(keys) > 1:
                yield Finding(Kind.TWO_KEYS, f"{incident.monitor} {incident.id}: {', '.join(keys)}")


def _receipts(record: Record) -> Iterable[Finding]:
    """The database against the receiver."""
    known, taken = {row.key for row in record.notices}, {one.key for one in record.received if one.taken}
    for row in record.notices:
        if row.state == "delivered" and row.key not in taken:
            yield Finding(Kind.NOT_RECEIVED, row.key)
    for key in sorted({one.key for one in record.received} - known):
        yield Finding(Kind.UNKNOWN_NOTICE, key)


def _order(received: Sequence[Received]) -> Iterable[Finding]:
    opened = set[str]()
    for one in received:
        if one.reason == OPENED:
            opened.add(one.thread)
        elif one.reason == RECOVERED and one.thread not in opened:
            yield Finding(Kind.ORDER, f"{one.monitor} {one.key} at {one.at} ms")


def _repeats(record: Record) -> Iterable[Finding]:
    """A notice that was taken and comes again must have a fault of its own between the two; each fault explains one."""
    last, explained = dict[str, int](), Counter[Disturbance]()
    for one in record.received:
        if not one.taken:
            continue
        if one.key in last:
            between = [each for each in record.disturbances if each.end >= last[one.key] and each.start <= one.at]
            free = [each for each in between if not explained[each]]
            if free:
                explained[free[-1]] += 1
            else:
                why = ", ".join(each.what for each in between) or "nothing"
                yield Finding(Kind.REPEATED, f"{one.key} at {last[one.key]} and {one.at} ms; between: {why}")
        last[one.key] = one.at
