"""The keys of an alert policy in `vigie.yaml`."""

from typing import Annotated, Literal

import msgspec

from vigie.config.planned import Quiet
from vigie.config.routes import Escalation, Route
from vigie.config.streak import Streak
from vigie.planning.duration import Duration

Meta = msgspec.Meta
ExpiryDays = Annotated[int, Meta(ge=1, le=365)]


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Failures that need not follow one another."""

    failures: Annotated[int, Meta(description="How many checks failed.", ge=2, le=60)]
    of: Annotated[int, Meta(description="Of how many checks, the last ones; re-checks count.", ge=3, le=60)]

    def __post_init__(self) -> None:
        """Raise ValueError unless there is room for a good check between the failures."""
        if self.failures >= self.of:
            raise ValueError(f"`failures` must be less than `of`; for {self.failures} failures in a row write `confirm: {self.failures}`")


class Alert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When trouble is an incident, and who is told."""

    confirm: Annotated[
        Streak,
        Meta(
            description="Consecutive failures that open an incident (`3`), or how long every check must have failed (`2m`; at least two checks).",
            examples=[3, "2m"],
        ),
    ] = msgspec.field(default_factory=lambda: Streak("3"))
    confirm_every: Annotated[Duration, Meta(description="Interval of the re-checks that confirm a failure.")] = msgspec.field(
        default_factory=lambda: Duration(5_000)
    )
    recover: Annotated[
        Streak,
        Meta(
            description="Consecutive passed checks that close it (`2`), or how long every check must have passed (`5m`; at least two checks).",
            examples=[2, "5m"],
        ),
    ] = msgspec.field(default_factory=lambda: Streak("2"))
    rate: Annotated[
        Rate | None,
        Meta(description="Failures among the last checks that open an incident too, though checks between them passed; not if not set."),
    ] = None
    flapping: Annotated[
        bool,
        Meta(
            description="Send one notice when a service goes up and down, and one when it is stable again, instead of one for each time. "
            "It is flapping when 4 separate failures within 21 checks came to nothing, or at the third incident within an hour; it is stable "
            "after 30 minutes, and at least 7 checks, without a change."
        ),
    ] = True
    quorum: Annotated[
        Annotated[int, Meta(ge=1, le=1_000)] | None,
        Meta(
            description="Where several locations check a service: how many of those that report must find it down (or degraded) before it is; "
            "a majority of them if not set, and never more than there are.",
            examples=[2],
        ),
    ] = None
    partial_outage: Annotated[
        Literal["degraded", "down", "ignore"],
        Meta(
            description="What a service is that is down from some locations, and from fewer than `quorum`: `degraded`, with the locations in the "
            "notice; `down`, as if it failed from everywhere; or `ignore`, up."
        ),
    ] = "degraded"
    remind: Annotated[Duration, Meta(description="Interval between reminders until somebody acknowledges; 0 for none.")] = msgspec.field(
        default_factory=lambda: Duration(14_400_000)
    )
    to: Annotated[
        list[str] | None,
        Meta(
            description="Channels, people and rotations that alerts go to; every channel of `notify` if not set, or else everybody's own."
        ),
    ] = None
    degraded_to: Annotated[list[str], Meta(description="Channels, people and rotations that degradations are sent to.")] = []
    fallback: Annotated[list[str], Meta(description="Failover channels, used when one of `to` fails.")] = []
    group: Annotated[
        Literal["auto", "off"],
        Meta(
            description="`auto`: services that fail for one observed reason (the same address, host, certificate, DNS zone, gateway, or what they "
            "depend on) are one alert with one notice. `off`: each failure is an alert of its own."
        ),
    ] = "auto"
    group_wait: Annotated[
        Duration,
        Meta(
            description="How long the first notice waits for other services that fail for the same reason. One that shares nothing with another "
            "does not wait."
        ),
    ] = msgspec.field(default_factory=lambda: Duration(10_000))
    remind_backoff: Annotated[
        int, Meta(description="How many times longer each interval between reminders is than the one before, up to a day.", ge=1, le=10)
    ] = 1
    escalate: Annotated[
        list[Escalation],
        Meta(description="Who else is notified while nobody acknowledges: steps of `after` and `to`. A step is taken once."),
    ] = []
    routes: Annotated[
        list[Route],
        Meta(
            description="Who is notified of monitors with certain tags, or of certain severities: the first route that fits takes the place of "
            "`to` and `degraded_to`."
        ),
    ] = []
    delay: Annotated[
        dict[str, Duration],
        Meta(
            description="How much later somebody of `to` or `degraded_to` is notified, and only if the alert is still open by then.",
            examples=[{"phone": "5m"}],
        ),
    ] = {}
    quiet: Annotated[Quiet | None, Meta(description="Hours in which alerts of some severities wait.")] = None
    expiry_days: Annotated[
        tuple[ExpiryDays, ...],
        Meta(
            description="How many days before a certificate or a domain expires a notice is sent: once each, to `degraded_to`, or to `to` if "
            "that is empty. The first is the first one within the monitor's own limit (`tls_days`, `days`)."
        ),
    ] = (14, 7, 3, 1)
