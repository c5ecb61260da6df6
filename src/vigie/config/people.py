"""From `people` and `oncall` of a file to who is reached how, and who is on call: names that `to` takes beside those of channels."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta, tzinfo
from typing import Any

from vigie.config.desired import Channel
from vigie.config.planned import OnCall, Person
from vigie.config.tree import Path, Tree
from vigie.config.zones import local_time, span, zone_of
from vigie.core.notification import NotificationPolicy
from vigie.planning.rotation import Override, Rotation
from vigie.text.marks import misleading

ReadChannel = Callable[[Tree, str, Any, Path], Channel | None]
_SHORTEST_MS, _MINUTE_MS = 3_600_000, 60_000


@dataclass(frozen=True, slots=True)
class Known:
    """What an alert of the file can name: `channels` are those of `notify`, `people` give the channels of each; and the file's zone.

    `own` are the channels that people have for themselves, `acked` those that show who acknowledged (`wants_acks` of their Config).
    `faulty` are rotations that could not be read: each has faults of its own, and naming one is not another.
    """

    channels: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rotations: Mapping[str, Rotation] = field(default_factory=dict)
    zone: tzinfo = UTC
    acked: tuple[str, ...] = ()
    faulty: tuple[str, ...] = ()

    @property
    def everybody(self) -> tuple[str, ...]:
        """Where alerts go that say nothing: every channel of `notify`, or where there is none, everybody's own."""
        return self.channels or self.own

    @property
    def names(self) -> tuple[str, ...]:
        """All that can be named."""
        return (*self.channels, *self.own, *self.people, *self.rotations)

    def check(self, tree: Tree, wanted: Iterable[str], path: Path) -> None:
        """Note names of nobody."""
        for name in wanted:
            if name not in (*self.names, *self.faulty):
                tree.fault(path, f"there is no {self._what()} {name!r}", nearest(name, self.names) or self._known())

    def _what(self) -> str:
        return "channel, person or rotation" if self.rotations else "channel or person" if self.people else "channel"

    def _known(self) -> str:
        more = ", ".join((*self.people, *self.rotations))
        return f"channels under notify: {', '.join(self.channels) or 'none'}" + (f"; people and rotations: {more}" if more else "")

    def reached(self, names: Iterable[str]) -> tuple[str, ...]:
        """These names with the channels of each person in place of the person; rotations stay, for they are another tomorrow."""
        return tuple(dict.fromkeys(channel for name in names for channel in self.people.get(name, (name,))))

    def anybody(self, names: Iterable[str]) -> tuple[str, ...]:
        """The same with the channels of all its people in place of a rotation, for what is not urgent."""
        members = (one for name in names for one in (self.rotations[name].people if name in self.rotations else (name,)))
        return self.reached(members)

    def expanded(self, policy: NotificationPolicy) -> NotificationPolicy:
        """A policy with channels in place of people."""
        to, degraded, fallback = (self.reached(names) for names in (policy.to, policy.degraded_to, policy.fallback))
        escalate = tuple(replace(one, to=self.reached(one.to)) for one in policy.escalate)
        delays = tuple((channel, wait) for name, wait in policy.delays for channel in self.reached([name]))
        return replace(policy, to=to, degraded_to=degraded, fallback=fallback, escalate=escalate, delays=delays, acked_to=self.acked)


def nearest(name: str, known: Sequence[str]) -> str:
    """A fix that names the nearest of what is known; empty where nothing is near."""
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else ""


def known(
    tree: Tree,
    people: Mapping[str, Person],
    oncall: Mapping[str, OnCall],
    channels: dict[str, Channel],
    declared: Sequence[str],
    zone: tzinfo,
) -> Known:
    """What alerts can name. `channels` are all that could be read, those of people included; `declared` the names under `notify`."""
    found: dict[str, tuple[str, ...]] = {}
    for name, person in people.items():
        path: Path = ("people", name)
        _check_name(tree, name, path, [("a channel", [*declared, *channels])])
        for channel in person.channels:
            if channel not in declared:
                fix = nearest(channel, declared) or f"channels under notify: {', '.join(declared) or 'none'}"
                tree.fault((*path, "channels"), f"there is no channel {channel!r}", fix)
        found[name] = tuple(dict.fromkeys((*person.channels, *(f"{name}.{own}" for own in person.notify))))
        if not found[name]:
            tree.fault(path, "nothing says how to reach this person", "write `channels: [mail]`, or channels of their own under `notify`")
        for channel in [one for one in person.notify if f"{name}.{one}" in declared]:
            tree.fault((*path, "notify", channel), f"'{name}.{channel}' is also the name of a channel", "give one of them another name")
    rotations = {}
    for name, one in oncall.items():
        _check_name(tree, name, ("oncall", name), [("a channel", [*declared, *channels]), ("a person", list(people))])
        if (rotation := _rotation(tree, name, one, found, zone)) is not None:
            rotations[name] = rotation
    own = tuple(f"{name}.{channel}" for name, person in people.items() for channel in person.notify)
    acked = tuple(name for name, channel in channels.items() if getattr(channel.config.reveal(), "wants_acks", False))
    return Known(tuple(declared), own, found, rotations, zone, acked, tuple(oncall.keys() - rotations.keys()))


def own_channels(tree: Tree, people: Mapping[str, Person], read: ReadChannel) -> dict[str, Channel]:
    """The channels that people have for themselves: `mail` of `anna` is `anna.mail`."""
    found = {}
    for name, person in people.items():
        for own, values in person.notify.items():
            one = read(tree, f"{name}.{own}", values, ("people", name, "notify", own))
            if one is not None:
                found[one.name] = one
    return found


def _check_name(tree: Tree, name: str, path: Path, others: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Note a name that would look like another, or that is the name of something else."""
    if mark := misleading(name):
        tree.fault(path, f"the name contains a line break or a mark that misleads ({mark})", "write it without")
    for what, names in others:
        if name in names:
            tree.fault(path, f"{name!r} is also the name of {what}", "give one of them another name")


def _rotation(tree: Tree, name: str, said: OnCall, people: Mapping[str, tuple[str, ...]], zone: tzinfo) -> Rotation | None:
    path: Path = ("oncall", name)
    before = len(tree.faults)
    zone = zone_of(tree, said.timezone, (*path, "timezone"), zone)
    starts = local_time(tree, said.starts, (*path, "starts"))
    if not said.people:
        tree.fault((*path, "people"), "nobody takes a turn", f"people: {', '.join(people) or 'none'}")
    for index, person in enumerate(said.people):
        _check_person(tree, person, people, (*path, "people", index))
    if said.every < _SHORTEST_MS or said.every % _MINUTE_MS:
        tree.fault((*path, "every"), "a turn is at least an hour, in whole minutes", "write every: 7d, or 12h")
    overrides = []
    for index, one in enumerate(said.overrides):
        at: Path = (*path, "overrides", index)
        _check_person(tree, one.person, people, (*at, "person"))
        if (found := span(tree, one.start, one.end, zone, at)) is not None:
            overrides.append(Override(*found, one.person))
    if starts is None or len(tree.faults) > before:
        return None
    begin = starts if starts.tzinfo is None else starts.astimezone(zone).replace(tzinfo=None)
    return Rotation(name, tuple(said.people), timedelta(milliseconds=int(said.every)), begin, zone, tuple(overrides), said.handover)


def _check_person(tree: Tree, name: str, people: Mapping[str, tuple[str, ...]], path: Path) -> None:
    if name not in people:
        tree.fault(path, f"there is no person {name!r}", nearest(name, list(people)) or f"people: {', '.join(people) or 'none'}")
