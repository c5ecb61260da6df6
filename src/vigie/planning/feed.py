"""Who is on call, and what is planned, as calendars that other programs subscribe to (RFC 5545)."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vigie.planning.maintenance import Maintenance
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


def work_calendar(entries: Iterable[Maintenance], start: int, end: int, stamp: int) -> bytes:
    """The spans of maintenance over [start, end), epoch ms, as an iCalendar file; `stamp` is the instant that it is from."""
    from icalendar import Calendar

    made = Calendar()
    made.add("prodid", "-//Vigie//Maintenance//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", "Vigie: maintenance")
    for entry in entries:
        for begin, finish in entry.window.spans(start, end):
            made.add_component(_work(entry, begin, finish, stamp))
    return bytes(made.to_ical())


def _work(entry: Maintenance, start: int, end: int, stamp: int) -> "Event":
    from icalendar import Event

    event = Event()
    what = "\n".join((entry.id, *entry.monitors, "", *entry.tags)).encode()
    event.add("uid", f"{hashlib.blake2b(what, digest_size=8).hexdigest()}-{start}@vigie")
    event.add("dtstamp", _instant(stamp))
    event.add("dtstart", _instant(start))
    event.add("dtend", _instant(end))
    event.add("summary", entry.why or "Maintenance")
    event.add("transp", "TRANSPARENT")
    about = "all monitors" if entry.covers_all else ", ".join((*entry.monitors, *entry.tags))
    event.add("description", about + (f" ({entry.by})" if entry.by else ""))
    return event


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
