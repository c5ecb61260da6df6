"""What an agent needs to know of a monitor."""

from dataclasses import dataclass, field

from vigie.core.model import LOCAL, Monitor


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """What an agent needs to run one monitor's checks, and nothing of who is notified when.

    `monitor` is the id, `name` and `target` are for log lines, `host` is for the per-host limit. `options` is the probe's configuration
    as plain JSON values, read by the probe's own Config. `location` is where the checks run from. What is secret in `options` is a
    `vigie.net.Secret` there, and `hidden` holds those that no result may repeat. `reach` is None where any address may be contacted, else
    the internal networks that may be, beside everything outside.
    """

    monitor: str
    name: str
    kind: str
    target: str
    host: str
    every_ms: int
    timeout_ms: int
    options: dict[str, object] = field(default_factory=dict)
    location: str = LOCAL
    hidden: tuple[object, ...] = ()
    reach: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        monitor: Monitor,
        options: dict[str, object],
        location: str = LOCAL,
        hidden: tuple[object, ...] = (),
        reach: tuple[str, ...] | None = None,
    ) -> "CheckSpec":
        """The part of a monitor that concerns its checks."""
        one = monitor
        return cls(one.id, one.name, one.kind, one.target, one.host, one.every_ms, one.timeout_ms, options, location, hidden, reach)
