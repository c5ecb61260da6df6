"""Who is in charge of an alert: of one with many members, whoever is of any of them, each channel once."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from vigie.core.detection import Severity
from vigie.core.notification import EscalationStep, NotificationPolicy
from vigie.core.subject import SubjectKind

Party = tuple[NotificationPolicy, Severity]
_BOTH = (Severity.OUTAGE, Severity.DEGRADATION)


@dataclass(frozen=True, slots=True)
class Audience:
    """The policies of the members, each with the severity of the incident and one monitor that has it, and what they come to.

    Most storms have one policy.
    """

    subject: SubjectKind = SubjectKind.MONITOR
    parties: dict[Party, str] = field(default_factory=dict)
    policy: NotificationPolicy = field(default_factory=NotificationPolicy)

    def with_one(self, policy: NotificationPolicy, severity: Severity, monitor: str) -> "Audience":
        """With one member's more; the same where its policy is known."""
        party = policy, severity
        if party in self.parties:
            return self
        first = not self.parties
        ours = policy if first and self.subject is SubjectKind.MONITOR else _both(None if first else self.policy, party, self)
        return Audience(self.subject, {**self.parties, party: monitor}, ours)


def _both(known: NotificationPolicy | None, party: Party, audience: Audience) -> NotificationPolicy:
    """One policy for what is known and one more: every channel of either; never later, rarer or quieter than one of them says."""
    policy, severity = party
    if known is not None and len(audience.parties) == 1 and audience.subject is SubjectKind.MONITOR:
        known = _for_both(*next(iter(audience.parties)))
    # What keeps Vigie from checking is for those who hear of outages.
    more = _for_both(policy, Severity.OUTAGE if audience.subject is SubjectKind.VIGIE else severity)
    if known is None:
        return more
    names = tuple(dict.fromkeys((*known.to, *more.to)))
    late = [(name, min(_delay(one, name) for one in (known, more) if name in one.to)) for name in names]
    return replace(
        known,
        remind_ms=min((one.remind_ms for one in (known, more) if one.remind_ms), default=0),
        remind_backoff=min(known.remind_backoff, more.remind_backoff),
        to=names,
        degraded_to=names,
        fallback=tuple(dict.fromkeys((*known.fallback, *more.fallback))),
        acked_to=tuple(dict.fromkeys((*known.acked_to, *more.acked_to))),
        delays=tuple((name, ms) for name, ms in late if ms),
        escalate=_in_order((*known.escalate, *more.escalate)),
        quiet_severities=_BOTH if known.quiet_severities and more.quiet_severities else (),
    )


def _for_both(policy: NotificationPolicy, severity: Severity) -> NotificationPolicy:
    """What a policy says of one severity, whatever the alert's comes to be."""
    names = policy.channels(severity)
    return replace(
        policy,
        to=names,
        degraded_to=names,
        escalate=tuple(replace(one, severities=_BOTH) for one in policy.steps(severity)),
        quiet_severities=_BOTH if severity in policy.quiet_severities else (),
    )


def _delay(policy: NotificationPolicy, name: str) -> int:
    return policy.delay_ms(name)


def _in_order(steps: Iterable[EscalationStep]) -> tuple[EscalationStep, ...]:
    return tuple(sorted(dict.fromkeys(steps), key=lambda one: one.after_ms))
