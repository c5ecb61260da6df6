"""What the public sees of a status page, as plain values: the only thing that pages, feeds, badges, mails and exports are made of.

Everything private is left behind here: what is not a field of `PublicPage` cannot be shown by anybody who is given one. Ids of monitors,
addresses, errors of checks, causes, alerts, tags, and who wrote an update have no field.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from vigie.core.detection import Severity
from vigie.core.model import Incident
from vigie.observation.availability import Span, clipped, common, length, merged
from vigie.report.publication import Impact, Post, PostKind, Stage
from vigie.report.status_page import Component, StatusPage
from vigie.text.formatting import local_time

DAY_MS = 86_400_000
DAYS = 90
SPANS = (1, 7, 30, DAYS)  # days over which availability is told
_SOON_MS = 14 * DAY_MS  # how far ahead maintenance is announced


class PublicState(StrEnum):
    """How a service is for its readers, worst first. One failed check is nothing yet: an incident confirms it."""

    DOWN = "down"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"
    UP = "up"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A day that was not all well: its number (0 is the oldest of `DAYS`), and the minutes lost in it."""

    day: int
    down: float
    degraded: float


@dataclass(frozen=True, slots=True)
class PublicService:
    """A service. `since` is when its trouble began, epoch ms. `availability` is over `DAYS` days, None where it is not shown or known.

    `unseen` are the numbers of days in which it was not observed; `availabilities` are those of the last so many days.
    """

    key: str
    name: str
    state: PublicState
    since: int | None = None
    availability: float | None = None
    troubles: tuple[Trouble, ...] = ()
    unseen: tuple[int, ...] = ()
    latency_ms: float | None = None
    availabilities: tuple[tuple[int, float | None], ...] = ()


@dataclass(frozen=True, slots=True)
class PublicUpdate:
    """What somebody wrote, epoch ms."""

    number: int
    at: int
    stage: Stage
    text: str


@dataclass(frozen=True, slots=True)
class PublicPost:
    """An incident or planned work as people tell of it, updates newest first; `services` are names."""

    id: str
    kind: PostKind
    title: str
    impact: Impact
    services: tuple[str, ...]
    start: int
    updates: tuple[PublicUpdate, ...]
    ended: int | None = None
    until: int | None = None
    next_update: int | None = None

    @property
    def stage(self) -> Stage:
        """How far it is."""
        return self.updates[0].stage


@dataclass(frozen=True, slots=True)
class PublicWork:
    """Maintenance that the calendar plans: on which services, and when; never why."""

    services: tuple[str, ...]
    start: int
    until: int


@dataclass(frozen=True, slots=True)
class PublicSection:
    """Services under one heading."""

    title: str
    services: tuple[PublicService, ...]


@dataclass(frozen=True, slots=True)
class PublicPage:
    """A page as it is now; `page` is without its sections, which name monitors, and without the name of its channel.

    `first_day` is the beginning of the oldest day, epoch ms; `day` is the local date, by which times are written.

    `posts` are open, `past` are over, newest first.
    """

    page: StatusPage
    sections: tuple[PublicSection, ...]
    posts: tuple[PublicPost, ...]
    past: tuple[PublicPost, ...]
    works: tuple[PublicWork, ...]
    first_day: int
    day: str
    as_of: int = field(compare=False, default=0)

    @property
    def services(self) -> tuple[PublicService, ...]:
        """All of them."""
        return tuple(one for section in self.sections for one in section.services)

    @property
    def state(self) -> PublicState:
        """The worst of its services, or of what people say is going on."""
        order = list(PublicState)
        return min((one.state for one in self.services), key=order.index, default=PublicState.UNKNOWN)

    @property
    def incidents(self) -> tuple[PublicPost, ...]:
        """What people say is going on, worst and newest first."""
        found = [one for one in self.posts if one.kind is PostKind.INCIDENT]
        return tuple(sorted(found, key=lambda one: (list(Impact).index(one.impact), -one.start)))

    @property
    def planned(self) -> tuple[PublicPost, ...]:
        """What people announced, the next one first."""
        return tuple(sorted((one for one in self.posts if one.kind is PostKind.MAINTENANCE), key=lambda one: one.start))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the page's monitors, by id: none of it is public as it is.

    `incidents` are those of the last `DAYS` days, `since` tells when each was first watched, `checked` which of them could be checked
    lately. `maintained` is planned work as it came about, `planned` what is to come; `blind` what Vigie could not see, of all under "".
    """

    incidents: Sequence[Incident] = ()
    since: Mapping[str, int] = field(default_factory=dict)
    checked: frozenset[str] = frozenset()
    blind: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    maintained: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    planned: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    latencies: Mapping[str, float] = field(default_factory=dict)


def public_page(page: StatusPage, known: Known, posts: Iterable[Post], now: int) -> PublicPage:
    """What the public sees at `now`, epoch ms."""
    first_day = (now // DAY_MS - DAYS + 1) * DAY_MS
    mine: dict[str, list[Incident]] = {}
    for one in known.incidents:
        mine.setdefault(one.monitor, []).append(one)
    made = [_post(one, page, now) for one in posts]
    impacts = _impacts(posts)
    sections = tuple(
        PublicSection(
            section.title,
            tuple(_service(one, page, known, mine.get(one.monitor, ()), first_day, impacts, now) for one in section.components),
        )
        for section in page.sections
    )
    open_ = [one for one in made if one.ended is None]
    over = sorted((one for one in made if one.ended is not None), key=lambda one: -one.start)
    works = _works(page, known, [one for one in posts if one.open], now) if page.announce_maintenance else ()
    bare = replace(page, sections=(), mail=None if page.mail is None else "mail")  # whose monitors and channel nobody is to see
    return PublicPage(bare, sections, tuple(open_), tuple(over), works, first_day, f"{local_time(now, page.zone):%Y-%m-%d}", now)


def _impacts(posts: Iterable[Post]) -> dict[str, PublicState]:
    """What people say of services, by monitor: their word counts as much as a check."""
    found: dict[str, PublicState] = {}
    order = list(PublicState)
    for one in posts:
        if one.open and one.kind is PostKind.INCIDENT and one.impact is not Impact.NONE:
            state = PublicState(one.impact.value)
            for monitor in one.monitors:
                found[monitor] = min(found.get(monitor, state), state, key=order.index)
    return found


def _service(
    one: Component,
    page: StatusPage,
    known: Known,
    incidents: Sequence[Incident],
    first_day: int,
    impacts: Mapping[str, PublicState],
    now: int,
) -> PublicService:
    held = merged(known.maintained.get(one.monitor, ()))
    state, since = _state(one.monitor, known, incidents, held, now)
    said = impacts.get(one.monitor)
    if said is not None and list(PublicState).index(said) < list(PublicState).index(state):
        state, since = said, None
    begin = max(first_day, known.since.get(one.monitor, now))
    hidden = merged([*known.blind.get("", ()), *known.blind.get(one.monitor, ()), *held])
    down, degraded = (merged(_spans(incidents, severity, begin, now)) for severity in (Severity.OUTAGE, Severity.DEGRADATION))
    shares = [(days, _share(down, hidden, max(now - days * DAY_MS, begin), now) if page.show_availability else None) for days in SPANS]
    return PublicService(
        key=one.key,
        name=one.name,
        state=state,
        since=since,
        availability=shares[-1][1],
        troubles=_troubles(down, degraded, hidden, first_day),
        unseen=_unseen(begin, hidden, first_day, now),
        latency_ms=known.latencies.get(one.monitor) if page.show_latency else None,
        availabilities=tuple(shares),
    )


def _share(down: list[Span], hidden: list[Span], begin: int, now: int) -> float | None:
    """Of the time that was observed, how much it was available; None where nothing was."""
    out, unseen = clipped(down, begin, now), clipped(hidden, begin, now)
    observed = (now - begin) - length(unseen)
    return None if observed <= 0 else 1 - (length(out) - length(common(out, unseen))) / observed


def _state(monitor: str, known: Known, incidents: Sequence[Incident], held: list[Span], now: int) -> tuple[PublicState, int | None]:
    """By incidents that are open, never by a single check."""
    if any(start <= now < end for start, end in held):
        return PublicState.MAINTENANCE, None
    open_ = [one for one in incidents if one.closed_at is None]
    for severity, state in ((Severity.OUTAGE, PublicState.DOWN), (Severity.DEGRADATION, PublicState.DEGRADED)):
        began = [one.started_at for one in open_ if one.severity is severity]
        if began:
            return state, min(began)
    return (PublicState.UP if monitor in known.checked else PublicState.UNKNOWN), None


def _spans(incidents: Iterable[Incident], severity: Severity, begin: int, now: int) -> list[Span]:
    spans = ((one.started_at, now if one.closed_at is None else one.closed_at) for one in incidents if one.severity is severity)
    return clipped(spans, begin, now)


def _troubles(down: list[Span], degraded: list[Span], hidden: list[Span], first_day: int) -> tuple[Trouble, ...]:
    """The days in which time was lost, oldest first."""
    lost: dict[int, list[float]] = {}
    for which, spans in enumerate((down, degraded)):
        for start, end in spans:
            for number in range((start - first_day) // DAY_MS, (end - 1 - first_day) // DAY_MS + 1):
                day = first_day + number * DAY_MS
                part = clipped([(start, end)], day, day + DAY_MS)
                ms = length(part) - length(common(part, clipped(hidden, day, day + DAY_MS)))
                lost.setdefault(number, [0.0, 0.0])[which] += ms / 60_000
    return tuple(Trouble(number, *minutes) for number, minutes in sorted(lost.items()) if any(minutes))


def _unseen(begin: int, hidden: list[Span], first_day: int, now: int) -> tuple[int, ...]:
    """The days in which nothing was observed: before it was watched, and those that are hidden from beginning to end."""
    before = range(min((begin - first_day) // DAY_MS, DAYS))
    whole = []
    for start, end in hidden:
        first, last = -((start - first_day) // -DAY_MS), (end - first_day) // DAY_MS
        whole += [number for number in range(max(first, 0), min(last, DAYS)) if first_day + number * DAY_MS < now]
    return tuple(sorted({*before, *whole}))


def _post(one: Post, page: StatusPage, now: int) -> PublicPost:
    names = {component.monitor: component.name for component in page.components}
    updates = tuple(PublicUpdate(said.number, said.at, said.stage, said.text) for said in reversed(one.updates))
    late = one.next_update is not None and one.next_update < now - DAY_MS
    return PublicPost(
        id=one.id,
        kind=one.kind,
        title=one.title,
        impact=one.impact,
        services=tuple(names[monitor] for monitor in one.monitors if monitor in names),
        start=one.start,
        updates=updates,
        ended=one.ended,
        until=one.until if one.kind is PostKind.MAINTENANCE else None,
        next_update=one.next_update if one.open and not late else None,
    )


def _works(page: StatusPage, known: Known, posts: Sequence[Post], now: int) -> tuple[PublicWork, ...]:
    """Planned spans of the page's services, those of one time together; what people announced themselves is left to them."""
    together: dict[Span, list[str]] = {}
    announced = [one for one in posts if one.kind is PostKind.MAINTENANCE]
    for component in page.components:
        for start, end in known.planned.get(component.monitor, ()):
            told = any(component.monitor in one.monitors and one.start < end and start < (one.until or one.start + 1) for one in announced)
            if now < end and start < now + _SOON_MS and not told:
                together.setdefault((start, end), []).append(component.name)
    return tuple(PublicWork(tuple(names), start, end) for (start, end), names in sorted(together.items()))


def on_language(page: PublicPage, language: str) -> PublicPage:
    """The same for readers of another language; the owner's own words are in the page's."""
    if language == page.page.language:
        return page
    return replace(page, page=replace(page.page, language=language, words=()))
