"""Who is on call as a calendar that other programs subscribe to (RFC 5545)."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vigie.planning.rotation import Rotation, Shift

if TYPE_CHECKING:
    from icalendar import Event


def calendar(rotations: Iterable[Rotation], start: int, end: int, stamp: int) -> bytes:
    """The shifts over [start, end), epoch ms, as an iCalendar file; `stamp` is the instant that it is from.

    A shift keeps its UID as long as the rotation and its beginning stay, so that a program that reads the file again replaces what it had.
    """
    from icalendar import Calendar

    made = Calendar()
    made.add("prodid", "-//Vigie//On call//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", "Vigie: on call")
    for rotation in rotations:
        for shift in rotation.shifts(start, end):
            made.add_component(_event(rotation, shift, stamp))
    return bytes(made.to_ical())


def _event(rotation: Rotation, shift: Shift, stamp: int) -> "Event":
    from icalendar import Event

    event = Event()
    event.add("uid", f"{hashlib.blake2b(rotation.name.encode(), digest_size=8).hexdigest()}-{shift.start}@vigie")
    event.add("dtstamp", _instant(stamp))
    event.add("dtstart", _instant(shift.start))
    event.add("dtend", _instant(shift.end))
    event.add("summary", f"{shift.person} ({rotation.name})")
    event.add("transp", "TRANSPARENT")  # who is on call is not busy
    if shift.override:
        event.add("description", "Override")
    return event


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at // 1000, UTC)
