"""The shape of what follows the calendar in `vigie.yaml`: maintenance, quiet hours, people and rotations."""

from typing import Annotated, Any, Literal

import msgspec

from vigie.net import SHOWN
from vigie.planning.duration import Duration

Meta = msgspec.Meta
_ZONE = "Time zone of the times in it; by default `timezone` of the file."


class Maintenance(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"start": "from", "end": "until", "length": "for"}
):
    """Planned work: no alert is sent meanwhile, and the time is left out of availability.

    Once, with `from` and `until` (or `for`); or again and again, with `every` or `rrule`, and `for`.
    """

    start: Annotated[
        Any,
        Meta(
            description="Start; without a zone, in `timezone`. With `every` or `rrule`: nothing begins earlier.",
            examples=["2026-03-01T22:00+01:00"],
        ),
    ] = None
    end: Annotated[
        Any,
        Meta(
            description="End; without a zone, in `timezone`. With `every` or `rrule`: nothing begins from then on.",
            examples=["2026-03-01T23:30+01:00"],
        ),
    ] = None
    every: Annotated[
        str | list[str] | None,
        Meta(
            description="Days and a time at which it begins again and again: `sun 02:00`, `mon-fri 22:30`, `tue, thu 04:00`, `day 03:00`; or "
            "a list of them.",
            examples=["sun 02:00"],
        ),
    ] = None
    rrule: Annotated[
        str | None,
        Meta(
            description="Instead of `every`: a recurrence rule (RFC 5545), counted from `from`; without it, from Monday, 1 January 2024, 00:00.",
            examples=["FREQ=MONTHLY;BYDAY=1SU;BYHOUR=2"],
        ),
    ] = None
    length: Annotated[Duration | None, Meta(description="How long it takes.")] = None
    timezone: Annotated[str | None, Meta(description=_ZONE)] = None
    why: Annotated[str, Meta(description="What is being done; shown wherever the maintenance is.", extra=SHOWN)] = ""
    monitors: Annotated[
        list[str], Meta(description="Names or IDs of monitors; all of them if neither these nor tags are given.", extra=SHOWN)
    ] = []
    tags: Annotated[list[str], Meta(description="Tags of monitors.", extra=SHOWN)] = []


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Quiet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hours in which alerts of some severities wait."""

    hours: Annotated[
        str,
        Meta(
            description="From when to when, by the clock on the wall. What begins in the evening ends the next morning, and belongs to the "
            "day on which it begins.",
            examples=["22:00-07:00", "00:00-24:00"],
        ),
    ]
    days: Annotated[list[Day], Meta(description="The days; every day if not set.")] = []
    timezone: Annotated[str | None, Meta(description=_ZONE)] = None
    severities: Annotated[
        tuple[Literal["down", "degraded"], ...], Meta(description="Which alerts wait; what is still wrong is announced when the hours end.")
    ] = ("degraded",)


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who can be notified: `to` takes the name of a person like that of a channel."""

    channels: Annotated[list[str], Meta(description="Channels of `notify` that reach this person.")] = []
    notify: Annotated[
        dict[str, Any],
        Meta(description="Channels of their own, as under `notify` of the file: `mail` of `anna` is the channel `anna.mail`."),
    ] = {}


class Override(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"start": "from", "end": "until"}):
    """Somebody is on call instead."""

    start: Annotated[Any, Meta(description="Start; without a zone, in that of the rotation.", examples=["2026-03-01 09:00"])]
    end: Annotated[Any, Meta(description="End; without a zone, in that of the rotation.", examples=["2026-03-02 09:00"])]
    person: Annotated[str, Meta(description="Who.", extra=SHOWN)]


class OnCall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """People who take turns; `to` takes the name of a rotation like that of a channel, and reaches who is on call then."""

    people: Annotated[list[str], Meta(description="Names under `people`, in the order of their turns.", extra=SHOWN)]
    starts: Annotated[
        Any,
        Meta(
            description="Date and time of any hand-over to the first of them, by the clock on the wall in `timezone`.",
            examples=["2026-01-05 09:00"],
        ),
    ]
    every: Annotated[Duration, Meta(description="How long a turn is; hand-overs stay at their time of day.")] = msgspec.field(
        default_factory=lambda: Duration(7 * 86_400_000)
    )
    timezone: Annotated[str | None, Meta(description=_ZONE)] = None
    overrides: Annotated[
        list[Override], Meta(description="Who is on call instead, and when; of two that overlap, the later one listed.")
    ] = []
    handover: Annotated[bool, Meta(description="Whether those concerned are notified of each hand-over.")] = True
