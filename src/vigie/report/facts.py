"""Facts: what a report may say, each with the exact ways its value may be written."""

from dataclasses import dataclass
from enum import StrEnum

from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Scalar
from vigie.core.notification import NoticeReason
from vigie.observation.locations import Sightings
from vigie.text import Pair, pick


class FactKind(StrEnum):
    """Which part of the evidence a fact belongs to (docs/reports.md)."""

    CHECK = "check"
    LOCATION = "location"
    TIMINGS = "timings"
    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    PAGE = "page"
    CONTROL = "control"
    SIBLINGS = "siblings"
    CHANGE = "change"
    HISTORY = "history"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a collector brings: a value not yet numbered.

    `name` is a stable key inside the kind (`address.refused`, `resolver.second`); `tainted` says the target wrote the value.
    `fr` and `en` are whole sentences; `renderings` are the written forms of its numbers, hosts, times that a text may use
    (the forms found in `fr` and `en` are added by the bundle). `bad` says which way the fact points: True against the
    service, False in its favour, None neither.
    """

    kind: FactKind
    name: str
    value: Scalar
    fr: str
    en: str
    at: int
    source: str
    unit: str = ""
    tainted: bool = False
    bad: bool | None = None
    renderings: tuple[str, ...] = ()

    @property
    def pair(self) -> Pair:
        """Both sentences."""
        return self.fr, self.en

    def sentence(self, language: str) -> str:
        """The sentence in one language."""
        return pick(self.pair, language)


@dataclass(frozen=True, slots=True)
class Fact:
    """A piece of evidence with its number in one bundle (`F1`…)."""

    id: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Affected:
    """A member of an alert: its incident, and the monitor that it is about. `result`: the newest whole one, where one is on record."""

    monitor: Monitor
    incident: Incident
    result: CheckResult | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about.

    `last_good` is the newest good result before the incident, `first_good` the first one after it, each when one is known.
    `members` are the other incidents of the alert. Where several locations check the service, `seen` is what each of them sees, or saw
    when the incident opened once it is over, and `seen_at_end` what each saw when it was over. `location` is the one that
    could not see, where the incident is that of Vigie at one of several.
    """

    monitor: Monitor
    incident: Incident
    result: CheckResult
    last_good: CheckResult | None = None
    failures: int = 1
    first_good: CheckResult | None = None
    members: tuple[Affected, ...] = ()
    seen: Sightings = ()
    seen_at_end: Sightings = ()
    location: str = ""


@dataclass(frozen=True, slots=True)
class Notified:
    """What became of a notice by other channels, and of this channel's notice before.

    `also` are the channels that have it or will have it, `failed` those that could not be reached; `before` is when this channel was
    last sent one of the same alert, epoch ms, None where it was not.
    """

    also: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """The immutable evidence of one incident; `version` is the format's."""

    incident: str
    made_at: int
    facts: tuple[Fact, ...]
    version: int = 1


@dataclass(frozen=True, slots=True)
class Dropped:
    """A sentence of the model that did not go out, and the rule it broke."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the model wrote and code certified; labelled as automatic in every message. `local`: the incident did not leave for it.

    `note` says what was left out for lack of time. `cited` are the ids of the facts that each sentence rests on; empty in old records.
    """

    model: str
    language: str
    sentences: tuple[str, ...]
    dropped: tuple[Dropped, ...] = ()
    cause: str = ""
    duration_ms: int = 0
    local: bool = True
    note: str = ""
    cited: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a message's table of facts."""

    id: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Link:
    """Something to click; the label is in the message's language. `token` is what a chat's button carries in place of the URL."""

    label: str
    url: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Members:
    """The services of an alert that has several, one a row; `more` says how many are left out, where some are."""

    label: str
    rows: tuple[Row, ...]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel lays out, already in the reader's language; channels add no words of their own.

    `headline` (≤ 100 characters) says it all; `subject` (≤ 78) carries the incident's key. `thread` is the incident id and is
    the same in every message about it; `opens_thread` marks the first. `lines` are short plain sentences (scope, evidence, likely
    cause, first step); `rows` the table of facts. `analysis` is None when the model has nothing (certified) to say.
    `since` is the incident's first failed check, epoch ms, 0 without an incident: with `thread` it names the incident among
    all installations. `reference` is what the provider calls the first message of the thread, empty in that one or where nothing is known.
    `members` are there where the alert is about several services; `lines` name the first of them, too.
    `actions` are signed links by which a reader answers: to acknowledge, to snooze, to resolve.
    `ended`: what it is about was over when it was composed, which may be later than `at`. `locations`: what each of several sees.
    """

    key: str
    thread: str
    opens_thread: bool
    reason: NoticeReason
    severity: Severity
    language: str
    monitor: str
    target: str
    at: int
    headline: str
    subject: str
    lines: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    analysis: Analysis | None = None
    analysis_label: str = ""
    links: tuple[Link, ...] = ()
    cause: Cause | None = None
    footer: str = ""
    since: int = 0
    reference: str = ""
    members: Members | None = None
    actions: tuple[Link, ...] = ()
    ended: bool = False
    locations: Sightings = ()
