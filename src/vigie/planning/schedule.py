"""When next: every monitor has a steady phase, from a hash of its id, so that checks spread evenly and stay put over restarts."""

import hashlib


def phase_ms(monitor: str, every_ms: int) -> int:
    """Where in its interval a monitor is checked: 0 ≤ phase < every_ms, evenly spread over ids."""
    digest = hashlib.blake2b(monitor.encode(), digest_size=8).digest()
    return int.from_bytes(digest) * every_ms >> 64


def next_due(monitor: str, every_ms: int, now: int) -> int:
    """The first instant on the monitor's grid that is later than `now`; all three in ms on one scale."""
    return next_on_grid(phase_ms(monitor, every_ms), every_ms, now)


def next_on_grid(phase: int, every_ms: int, now: int) -> int:
    """The same for a phase that is known already."""
    return now - (now - phase) % every_ms + every_ms
