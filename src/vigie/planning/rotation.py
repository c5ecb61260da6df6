"""Rotations: who is on call, from when to when. Hand-overs follow the clock on the wall, so that nine o'clock stays nine o'clock."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from vigie.planning import wall

_MAX_PARTS = 100  # of what one person does without a break; who is alone in a rotation is always on call


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody is on call instead, over [start, end), epoch ms."""

    start: int
    end: int
    person: str


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody is on call over [start, end), epoch ms; `override` where the rotation itself would have another."""

    start: int
    end: int
    person: str
    override: bool = False


@dataclass(frozen=True, slots=True)
class Rotation:
    """People who take turns of `every`, a whole number of minutes. `starts` is any hand-over to the first of them, by the clock of `zone`.

    It has no beginning: before `starts` the same turns go on, so that there is always somebody. Of overrides that overlap, the last one
    listed counts. With `handover` those concerned are notified of each hand-over.
    """

    name: str
    people: tuple[str, ...]
    every: timedelta
    starts: datetime
    zone: tzinfo
    overrides: tuple[Override, ...] = ()
    handover: bool = True

    def on_call(self, at: int) -> str:
        """Who is on call at an instant."""
        found = next((one.person for one in reversed(self.overrides) if one.start <= at < one.end), None)
        return self.people[self._turn(at) % len(self.people)] if found is None else found

    def shifts(self, start: int, end: int) -> Iterator[Shift]:
        """Who is on call over [start, end): every turn and override that has anything in common with it, whole, in order.

        A turn that an override interrupts comes in parts.
        """
        at = start
        while at < end:
            shift = self.shift(at)
            yield shift
            at = shift.end

    def current(self, at: int) -> Shift:
        """The shift at an instant, with the parts around it in which the same person is on call, as far as a hundred on each side."""
        whole = self.shift(at)
        for _ in range(_MAX_PARTS):
            if (after := self.shift(whole.end)).person != whole.person:
                break
            whole = replace(whole, end=after.end)
        for _ in range(_MAX_PARTS):
            if (before := self.shift(whole.start - 1)).person != whole.person:
                break
            whole = replace(whole, start=before.start)
        return whole

    def shift(self, at: int) -> Shift:
        """The part of a turn, or the override, that holds an instant."""
        turn = self._turn(at)
        edges = [self._begins(turn), self._begins(turn + 1), *(edge for one in self.overrides for edge in (one.start, one.end))]
        person, start, end = self.on_call(at), max(edge for edge in edges if edge <= at), min(edge for edge in edges if edge > at)
        return Shift(start, end, person, override=any(one.start <= at < one.end for one in self.overrides))

    def _turn(self, at: int) -> int:
        """The number of a turn, 0 is the one that begins at `starts`."""
        number = (wall.shown(at, self.zone) - self.starts) // self.every
        while self._begins(number + 1) <= at:
            number += 1
        while self._begins(number) > at:
            number -= 1
        return number

    def _begins(self, turn: int) -> int:
        return wall.begins(self.starts + turn * self.every, self.zone)


@dataclass(frozen=True, slots=True)
class Handover:
    """At an instant, epoch ms, one person takes over from another, up to `until`."""

    at: int
    rotation: str
    leaves: str
    takes: str
    until: int


def newest_handover(rotation: Rotation, at: int, within_ms: int) -> Handover | None:
    """The newest hand-over from one person to another that is at most so long ago."""
    now = rotation.current(at)
    if not at - within_ms <= now.start <= at:
        return None
    leaves = rotation.on_call(now.start - 1)
    return None if leaves == now.person else Handover(now.start, rotation.name, leaves, now.person, now.end)
