"""Who is notified, why, and under which key. Durations in ms, instants epoch ms."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from vigie.core.detection import Severity
from vigie.core.subject import SubjectKind

_DAY_MS = 86_400_000


class NoticeReason(StrEnum):
    """Why somebody is notified."""

    OPENED = "opened"  # trouble is confirmed
    DISCLOSED = "disclosed"  # maintenance ended and the alert is still open
    QUIET_OVER = "quiet_over"  # quiet hours ended and the alert is still open
    UPDATED = "updated"  # members joined the alert since the last notice
    REMINDER = "reminder"  # still open, and nobody has acknowledged it
    ESCALATED = "escalated"  # nobody has acknowledged it: the next ones are notified
    ACKNOWLEDGED = "acknowledged"  # only for channels that show it where they showed the opening
    SNOOZE_ENDED = "snooze_ended"  # a person put it off until now
    FLAPPING = "flapping"  # in place of opened: it fails and recovers too often for a notice each time
    STEADY = "steady"  # it flapped, and now fails all the time
    RECOVERED = "recovered"  # the service is well again
    STABLE = "stable"  # in place of recovered: it flapped, and does so no longer
    CLOSED = "closed"  # a person closed it
    REPORT = "report"  # the model's report, after the opening notice
    UNDELIVERABLE = "undeliverable"  # another channel could not be reached: this one says so
    BLIND = "blind"  # Vigie itself could not see, from when to when
    EXPIRING = "expiring"  # a certificate or a domain runs out in some days
    RENEWED = "renewed"  # and was renewed
    CHANNEL_FAILING = "channel_failing"  # another channel has not worked for a while: this one says so
    CHANNEL_RESTORED = "channel_restored"  # and works again
    STALLED = "stalled"  # a part of Vigie itself stands still
    RESUMED = "resumed"  # and goes on
    AGENT_SILENT = "agent_silent"  # an agent at another location has not reported for a while
    AGENT_HEARD = "agent_heard"  # and reports again
    AVAILABILITY = "availability"  # how available everything was in the last week or month; about no alert
    HANDOVER = "handover"  # somebody else is on call from now on; about no alert
    TEST = "test"  # `vigie notify test`

    @property
    def ends(self) -> bool:
        """Whether it is the last notice of an alert."""
        return self in (NoticeReason.RECOVERED, NoticeReason.STABLE, NoticeReason.CLOSED)


OPENINGS = (NoticeReason.OPENED, NoticeReason.FLAPPING, NoticeReason.DISCLOSED, NoticeReason.QUIET_OVER)  # the first notice of an alert


@dataclass(frozen=True, slots=True)
class Notice:
    """Something one channel must be notified of.

    `alert` is the alert that it is about, or else the name of its thread, such as `availability-2026-W47`. `number` counts reminders,
    updates, escalation steps and snoozes; of what runs out it is the step in hours, of a silent agent how many monitors it alone checks.
    `failover_for` is the channel that this one replaces; in a notice about another channel, that channel; where that is about something
    undeliverable, `about` is the reason of what it failed to deliver.
    """

    alert: str
    monitor: str
    channel: str
    reason: NoticeReason
    at: int
    number: int = 0
    failover_for: str = ""
    about: NoticeReason | None = None
    subject: SubjectKind = SubjectKind.MONITOR

    @property
    def key(self) -> str:
        """The same however often it is sent, so that a receiver recognises a copy. Nobody reads anything out of it.

        A failover channel is notified once, whichever of the others failed.
        """
        number = f":{self.number}" if self.number else ""
        if self.about is not None:
            return f"{self.alert}:{self.about}{number}:{self.failover_for}:buried:{self.channel}"  # words: part of stored keys
        failover = ":instead" if self.failover_for else ""
        return f"{self.alert}:{self.reason}{number}{failover}:{self.channel}"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the calendar says at the instant of an event; the ends are epoch ms.

    `muted_until` is the end of the maintenance that holds, `quiet_until` that of the quiet hours (None: none hold). `reached_by` are the
    channels behind each name in a policy that is not a channel's: a person, or a rotation as it is at that instant.
    """

    muted_until: int | None = None
    quiet_until: int | None = None
    reached_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def reached(names: Iterable[str], circumstances: Circumstances) -> tuple[str, ...]:
    """The channels behind names of channels, people and rotations, each once."""
    return tuple(dict.fromkeys(channel for name in names for channel in circumstances.reached_by.get(name, (name,))))


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """Who is notified, too, once nobody has acknowledged an alert of one of these severities for `after_ms`."""

    after_ms: int
    to: tuple[str, ...]
    severities: tuple[Severity, ...] = (Severity.OUTAGE,)

    @property
    def name(self) -> str:
        """What tells it from the other steps of an alert, whatever severities it is for."""
        return f"{self.after_ms} {','.join(self.to)}"


@dataclass(frozen=True, slots=True)
class NotificationPolicy:
    """Who is notified of an alert, and when again. Names are those of channels, people and rotations.

    `to` are notified of outages, `degraded_to` of degradations, `fallback` are the channels used when one of them fails. Whoever is in
    `delays` is notified of an opening so many ms later, if it is still open. Quiet hours withhold what has one of `quiet_severities`.
    While an alert is open and nobody has acknowledged it, `remind_ms` passes before the first reminder (0: never), and `remind_backoff`
    times as long before each further one, at most a day; and the steps of `escalate` are taken. An incident that may be one of many is
    announced `group_wait_ms` later, unless `group` is off. `acked_to` are the channels that show who acknowledged.
    `expiry_steps_ms` are how long before something runs out it is announced.
    """

    remind_ms: int = 14_400_000
    to: tuple[str, ...] = ()
    degraded_to: tuple[str, ...] = ()
    fallback: tuple[str, ...] = ()
    expiry_steps_ms: tuple[int, ...] = tuple(days * _DAY_MS for days in (14, 7, 3, 1))
    remind_backoff: int = 1
    escalate: tuple[EscalationStep, ...] = ()
    delays: tuple[tuple[str, int], ...] = ()
    quiet_severities: tuple[Severity, ...] = (Severity.DEGRADATION,)
    group: bool = True
    group_wait_ms: int = 10_000
    acked_to: tuple[str, ...] = ()

    @property
    def expiry_to(self) -> tuple[str, ...]:
        """The channels that are notified of what runs out."""
        return self.degraded_to or self.to

    def channels(self, severity: Severity) -> tuple[str, ...]:
        """Who is notified of trouble of this severity."""
        return self.to if severity is Severity.OUTAGE else self.degraded_to

    def delay_ms(self, name: str) -> int:
        """How long an opening waits before this one is notified of it."""
        return dict(self.delays).get(name, 0)

    def remind_after_ms(self, number: int) -> int:
        """How long after the `number`-th reminder (0: after the opening) the next one comes; 0 for never."""
        growth: int = self.remind_backoff ** min(number, 40)
        return min(self.remind_ms * growth, max(self.remind_ms, _DAY_MS))

    def steps(self, severity: Severity) -> tuple[EscalationStep, ...]:
        """The escalation of trouble of this severity, if anybody is notified of it at all."""
        return tuple(one for one in self.escalate if severity in one.severities) if self.channels(severity) else ()
