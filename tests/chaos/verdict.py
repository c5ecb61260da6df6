"""Pure: whether a database and a receiver of notices tell what the script did: nothing missing, nothing spurious, nothing twice."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.chaos.script import Outage

OPENED, RECOVERED = "opened", "recovered"
EARLY_MS = 250  # clocks of one machine; a check that began before an outage may end within it
LATE_MS = 12_000  # from an outage's beginning to its first failed check, and from its end to the incident's
KEPT_MS = 30_000  # what an agent measured while it was cut off is judged so much later, by the clock that a server has then
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
    """A fault, from `start` until `end`, when the part is well again. `repeats`: what was being sent meanwhile may be sent again."""

    what: str
    start: int
    end: int
    repeats: bool = True


@dataclass(frozen=True, slots=True)
class Shift:
    """The clock of a server was ahead by so many ms from `start` until `end`: what it judged then is on record with the time it had."""

    start: int
    end: int
    ahead: int


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
    clocks: Sequence[Shift] = ()  # of servers


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


def paired(record: Record) -> tuple[list[tuple[Outage, list[IncidentRow]]], list[IncidentRow]]:
    """Each outage with its incidents, by when both began, and the incidents that have no outage."""
    left, found = sorted(record.incidents, key=_ordinal), list[tuple[Outage, list[IncidentRow]]]()
    for outage in record.outages:
        following = [one for one in record.outages if one.service == outage.service and one.start > outage.start]
        mine = list[IncidentRow]()
        for one in [one for one in left if one.monitor == outage.service and _within(outage, one, record.clocks)]:
            if not mine or not any(_within(another, one, record.clocks) for another in following):
                mine.append(one)
                left.remove(one)
        found.append((outage, mine))
    return found, left


def _ordinal(incident: IncidentRow) -> tuple[int, str]:
    """Incidents of a service are numbered in their order, whatever the clocks said: `s00-2` is before `s00-10`."""
    return len(incident.id), incident.id


def _transitions(record: Record) -> Iterable[Finding]:
    pairs, left = paired(record)
    for outage, mine in pairs:
        name = f"{outage.service} from {outage.start} to {outage.end} ms"
        if not mine:
            if outage.end - outage.start - _hidden(outage, record.blind) >= SEEN_MS:
                yield Finding(Kind.MISSING, name)
        elif len(mine) > 1:
            yield Finding(Kind.TWICE, f"{name}: {', '.join(one.id for one in mine)}")
        else:
            yield from _ended(outage, mine[0], name, record)
    yield from (Finding(Kind.SPURIOUS, f"{one.monitor} {one.id} from {one.started_at} to {one.closed_at} ms") for one in left)


def _within(outage: Outage, incident: IncidentRow, clocks: Sequence[Shift]) -> bool:
    return any(outage.start - EARLY_MS <= at < outage.end for at in _instants(incident.started_at, clocks))


def _instants(recorded: int, clocks: Sequence[Shift]) -> list[int]:
    """When something can have been that is on record with this instant: then, or, judged by a clock that was set, so much earlier or later."""
    set_ = [(recorded - one.ahead, one) for one in clocks]
    return [recorded, *(at for at, one in set_ if one.start - KEPT_MS <= at <= one.end + LATE_MS)]


def _hidden(outage: Outage, blind: Sequence[Disturbance]) -> int:
    """For how much of an outage nobody could look."""
    return sum(max(min(one.end, outage.end) - max(one.start, outage.start), 0) for one in blind)


def _after(outage: Outage, blind: Sequence[Disturbance]) -> int:
    """For how long nobody could look when it ended, and from then on."""
    return max((one.end - outage.end for one in blind if one.start - LATE_MS <= outage.end < one.end), default=0)


def _ended(outage: Outage, incident: IncidentRow, name: str, record: Record) -> Iterable[Finding]:
    if incident.severity != "outage":
        yield Finding(Kind.SEVERITY, f"{name}: {incident.id} is {incident.severity}")
    latest = outage.start + LATE_MS + _hidden(outage, record.blind)
    if not any(outage.start - EARLY_MS <= at <= latest for at in _instants(incident.started_at, record.clocks)):
        yield Finding(Kind.MISSING, f"the beginning of {name}: {incident.id} begins at {incident.started_at} ms")
    if incident.closed_at is None:
        yield Finding(Kind.STILL_OPEN, f"{name}: {incident.id}")
        return
    latest = outage.end + LATE_MS + _after(outage, record.blind)
    ended = any(outage.end - EARLY_MS <= at <= latest for at in _instants(incident.closed_at, record.clocks))
    if not (ended or (incident.closed_at == incident.started_at and _is_cut_short(outage, incident.started_at, latest, record.clocks))):
        yield Finding(Kind.WRONG_END, f"{name}: {incident.id} ended at {incident.closed_at} ms")


def _is_cut_short(outage: Outage, started_at: int, latest: int, clocks: Sequence[Shift]) -> bool:
    """Whether it ended before it had begun, by what clocks said at both: then it is on record as over when it began."""
    return min([outage.end, *(outage.end + one.ahead for one in clocks if one.start <= latest and one.end >= outage.end)]) < started_at


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
            free = [each for each in between if each.repeats and not explained[each]]
            if free:
                explained[free[-1]] += 1
            else:
                why = ", ".join(each.what for each in between) or "nothing"
                yield Finding(Kind.REPEATED, f"{one.key} at {last[one.key]} and {one.at} ms; between: {why}")
        last[one.key] = one.at
