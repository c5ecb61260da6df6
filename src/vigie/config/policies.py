"""From an alert of a file to who is notified, when, and when again: escalation, routes, delays, reminders, quiet hours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from vigie.config.alert import Alert
from vigie.config.people import Known
from vigie.config.routes import Escalation, Route
from vigie.config.tree import Path, Tree
from vigie.core.detection import Severity
from vigie.core.notification import EscalationStep, NotificationPolicy

_SEVERITIES = {"down": Severity.OUTAGE, "degraded": Severity.DEGRADATION}
_DAY_MS = 86_400_000
_LONGEST_WAIT_MS = 600_000


def severities(said: Iterable[str]) -> tuple[Severity, ...]:
    """Severities by the words of the file."""
    return tuple(_SEVERITIES[one] for one in said)


def notification(tree: Tree, alert: Alert, names: Known, path: Path) -> NotificationPolicy:
    """The policy of an alert whose names exist, before its routes."""
    for key in ("to", "degraded_to", "fallback", "delay"):
        names.check(tree, getattr(alert, key) or [], (*path, key))
    parts: dict[str, Sequence[Escalation | Route]] = {"escalate": alert.escalate, "routes": alert.routes}
    for key, several in parts.items():
        for index, part in enumerate(several):
            names.check(tree, part.to, (*path, key, index, "to"))
            if not part.to:
                tree.fault((*path, key, index, "to"), "nobody would be notified", "list channels, people or rotations")
            _check_severities(tree, part.severities, (*path, key, index))
    if alert.quiet is not None:
        _check_severities(tree, alert.quiet.severities, (*path, "quiet"))
    if alert.group_wait > _LONGEST_WAIT_MS:
        tree.fault((*path, "group_wait"), f"the first notice would wait {alert.group_wait}; at most 10m is permitted", "write 10s or 1m")
    steps = sorted(alert.escalate, key=lambda one: one.after)
    policy = NotificationPolicy(
        int(alert.remind),
        names.everybody if alert.to is None else tuple(alert.to),
        tuple(alert.degraded_to),
        tuple(alert.fallback),
        expiry_steps_ms=tuple(days * _DAY_MS for days in alert.expiry_days),
        remind_backoff=alert.remind_backoff,
        escalate=tuple(EscalationStep(int(one.after), tuple(one.to), severities(one.severities)) for one in steps),
        group=alert.group == "auto",
        group_wait_ms=int(alert.group_wait),
        delays=tuple((name, int(wait)) for name, wait in alert.delay.items()),
    )
    if alert.quiet is not None:
        policy = replace(policy, quiet_severities=severities(alert.quiet.severities))
    return names.expanded(policy)


def _check_severities(tree: Tree, said: Sequence[str], path: Path) -> None:
    """Note an empty list: it would apply to no alert at all."""
    if not said:
        tree.fault(
            (*path, "severities"), "the list is empty, so it would apply to no alert", "list down, degraded or both, or leave it out"
        )


def routed(policy: NotificationPolicy, routes: Sequence[Route], names: Known, tags: Sequence[str]) -> NotificationPolicy:
    """A policy for a monitor with these tags: of each severity, the first route that fits says who is notified."""

    def to(severity: Severity, otherwise: tuple[str, ...]) -> tuple[str, ...]:
        fits = (one for one in routes if severity in severities(one.severities) and (not one.tags or set(one.tags) & set(tags)))
        first = next(fits, None)
        return otherwise if first is None else names.reached(first.to)

    return replace(policy, to=to(Severity.OUTAGE, policy.to), degraded_to=to(Severity.DEGRADATION, policy.degraded_to))


def tags_of(alerts: Mapping[str, Alert]) -> list[tuple[Path, list[str]]]:
    """Where a route names tags, and which."""
    return [
        (("alerts", name, "routes", index, "tags"), route.tags) for name, one in alerts.items() for index, route in enumerate(one.routes)
    ]
