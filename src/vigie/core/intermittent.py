"""Trouble that comes and goes: which pattern the failures of a track have, and when such an incident may close.

Laws
1. A track remembers the verdicts since its last incident as bits, the newest lowest, 1 for a failure: the last 21, or `rate.of`.
2. Failures are spread when `rate.failures` of the last `rate.of` verdicts are bad. Such an incident closes when half as many are left.
3. A service flaps when it failed 4 separate times within 21 verdicts and no incident came of it, or when a third incident begins within
   an hour of the first.
4. It is stable again when 7 verdicts in a row over 30 minutes are the same: good ones close the incident, bad ones make it an ordinary one.
5. What makes a service flap, repeated at the same pace, never lets it be stable: a good spell between would have to be longer than a
   third of 21 verdicts, or than half an hour.
"""

from vigie.core.detection import DetectionPolicy, Pattern

_VERDICTS, _FAILURES = 21, 4
_SPAN_MS, INCIDENTS = 3_600_000, 3
_STABLE_VERDICTS, _STABLE_MS = 7, 1_800_000


def remembered(history: int, policy: DetectionPolicy, *, bad: bool) -> int:
    """The history with one more verdict; 0 where nothing asks for it."""
    width = max(policy.rate.of if policy.rate else 0, _VERDICTS if policy.flapping else 0)
    return (history << 1 | bad) & ((1 << width) - 1)


def pattern(history: int, policy: DetectionPolicy) -> Pattern:
    """The pattern of the failures of a track that has no incident; the newest verdict is bad."""
    if policy.rate is not None and failures(history, policy.rate.of) >= policy.rate.failures:
        return Pattern.SPREAD
    recent = history & ((1 << _VERDICTS) - 1)
    begun = recent & ~(recent >> 1)  # a failure after a good verdict
    return Pattern.FLAPPING if policy.flapping and begun.bit_count() >= _FAILURES else Pattern.STEADY


def failures(history: int, of: int = _VERDICTS) -> int:
    """How many of the last `of` verdicts are bad."""
    return (history & ((1 << of) - 1)).bit_count()


def reopens(past: tuple[int, ...], since: int, policy: DetectionPolicy) -> bool:
    """Whether an incident that begins at `since` is one too many after those that began at `past`, epoch ms."""
    return policy.flapping and len(past) == INCIDENTS - 1 and 0 <= since - past[0] <= _SPAN_MS


def may_close(known: Pattern, history: int, good: int, lasted_ms: int, policy: DetectionPolicy) -> bool:
    """Whether an incident of this pattern may close after `good` good verdicts in a row over `lasted_ms`."""
    if known is Pattern.FLAPPING and policy.flapping:
        return good >= _STABLE_VERDICTS and lasted_ms >= _STABLE_MS
    return known is not Pattern.SPREAD or policy.rate is None or failures(history, policy.rate.of) <= policy.rate.failures // 2


def is_steady(history: int, lasted_ms: int) -> bool:
    """Whether the newest verdicts were all bad for long enough that it goes up and down no longer."""
    run = ~history & (history + 1)  # the lowest 0: as far up as there are failures in a row
    return run.bit_length() > _STABLE_VERDICTS and lasted_ms >= _STABLE_MS
