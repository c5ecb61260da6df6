"""The shape of who is notified in `vigie.yaml`, beside `to`: escalation and routes."""

from typing import Annotated, Literal

import msgspec

from vigie.planning.duration import Duration

Meta = msgspec.Meta
Severities = tuple[Literal["down", "degraded"], ...]


class Escalation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of an escalation."""

    after: Annotated[
        Duration, Meta(description="How long after the first notice, if nobody has acknowledged the alert by then.", examples=["10m"])
    ]
    to: Annotated[list[str], Meta(description="Channels, people and rotations that are notified as well.")]
    severities: Annotated[Severities, Meta(description="Which alerts are escalated.")] = ("down",)


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is notified of some monitors, in place of `to` and `degraded_to`."""

    to: Annotated[list[str], Meta(description="Channels, people and rotations that are notified.")]
    tags: Annotated[list[str], Meta(description="Monitors with one of these tags; all if not set.")] = []
    severities: Annotated[Severities, Meta(description="Which alerts go this way.")] = ("down", "degraded")
