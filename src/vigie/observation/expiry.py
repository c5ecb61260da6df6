"""What runs out: who is notified that a certificate or a domain expires, and when.

Laws
1. A notice goes out at each step (14, 7, 3, 1 days before, unless configured), once: over restarts, single cycles, a clock that is set
   back, and addresses that serve different certificates.
2. The first step is the first one within the time that the monitor asks for (`Expiry.warn_at`). What lives so short that this time is a
   share of its life is announced at that instant, too.
3. It is renewed when every place that served it serves one that expires later and it has not been seen for ten minutes, or for a day
   anywhere. That is announced once, if the new one is not about to expire itself.
4. In a maintenance window nothing is announced; what was due in it is, after it. What has expired is an outage, and no step.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vigie.core.expiry import Known, Warned
from vigie.core.model import Expiry

_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000
_SETTLED_MS, _FRESH_MS, _FORGOTTEN_MS = 600_000, 300_000, 7 * _DAY_MS
_MAX_PLACES, _MAX_KNOWN = 16, 8


@dataclass(frozen=True, slots=True)
class Due:
    """A notice that is due: a step, or (`renewed`) that it was replaced."""

    warned: Warned
    renewed: bool = False

    @property
    def number(self) -> int:
        """What tells the notices of one thread apart: the step in hours."""
        return self.warned.step_ms // _HOUR_MS


def step(known: Known, seen: Sequence[Expiry], at: int, steps_ms: Sequence[int], *, muted: bool = False) -> tuple[Known, tuple[Due, ...]]:
    """What a check that saw these makes of what is known, and the notices that are due."""
    if not seen or (not known and all(at < one.warn_at for one in seen)):
        return known, ()
    warned = {(one.of, one.ends_at): one for one in known if at < one.ends_at + _FORGOTTEN_MS}
    due: list[Due] = []
    for one in seen:
        for key, older in [(key, each) for key, each in warned.items() if each.of == one.of and each.ends_at < one.ends_at]:
            warned[key] = _replaced(older, one, at, muted=muted)
            if older.renewed_until is None and warned[key].renewed_until is not None and at < older.ends_at and at < one.warn_at:
                due.append(Due(warned[key], renewed=True))
        if one.warn_at <= at < one.ends_at:
            _warn(warned, due, one, at, steps_ms, muted=muted)
    kept = sorted(warned.values(), key=lambda one: one.ends_at)[-_MAX_KNOWN:]
    return tuple(kept), tuple(due)


def _replaced(older: Warned, newer: Expiry, at: int, *, muted: bool) -> Warned:
    """Law 3: what is known of one expiry when one of its places is seen to serve a later one."""
    places = tuple(place for place in older.places if place != newer.place)
    unseen = at - older.seen_at
    gone = (not places and unseen >= _SETTLED_MS) or unseen >= _DAY_MS
    if gone and older.renewed_until is None and not muted:
        return replace(older, places=(), renewed_until=newer.ends_at)
    return older if places == older.places else replace(older, places=places)


def _warn(warned: dict[tuple[str, int], Warned], due: list[Due], one: Expiry, at: int, steps_ms: Sequence[int], *, muted: bool) -> None:
    """Laws 1 and 2: the step that one expiry has come to."""
    key, horizon = (one.of, one.ends_at), one.ends_at - one.warn_at
    wanted = [ms for ms in steps_ms if ms <= horizon] + ([horizon] if one.short_lived and steps_ms else [])
    reached = min((ms for ms in wanted if one.ends_at - at <= ms), default=None)
    before = warned.get(key)
    if before is None and (reached is None or muted):
        return
    after = before or Warned(one.of, one.kind, one.name, one.ends_at, horizon + 1, at)
    if one.place not in after.places:
        after = replace(after, places=(*after.places, one.place)[-_MAX_PLACES:])
    if at - after.seen_at >= _FRESH_MS:
        after = replace(after, seen_at=at)
    if reached is not None and reached < after.step_ms and not muted:
        after = replace(after, step_ms=reached, renewed_until=None)
        due.append(Due(after))
    warned[key] = after


def is_elsewhere(one: Warned, others: Iterable[Known]) -> bool:
    """Whether another monitor still sees what was renewed here."""
    return any(other.thread == one.thread and other.renewed_until is None for known in others for other in known if other.of != one.of)
