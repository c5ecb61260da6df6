"""File descriptors: how many this process may have open, and how many of them may be connections from outside.

A connection from outside must never take the descriptor that a notice needs to leave, a check to be made, or the store to be written.
"""

import contextlib
import sys

if sys.platform != "win32":
    import resource

_ENOUGH = 65_536  # more would only slow down programs that close "all" descriptors
_RESERVED = 192  # store, log, pipes, the model, diagnostics, and four sends for each of some twenty channels
FEW = 512  # below, a storm of incidents may want more than there are
_MAX = 256
_MIN = 8


def raise_limit() -> int:
    """Raise the soft limit of this process, and of those it starts, as far as it may; the limit then in force."""
    if sys.platform == "win32":
        return _ENOUGH  # sockets are handles there, and not limited so
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _ENOUGH if soft == resource.RLIM_INFINITY else soft
    with contextlib.suppress(OSError, ValueError):  # macOS refuses more than kern.maxfilesperproc
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft


def for_connections(limit: int, listeners: int) -> int:
    """How many connections each of `listeners` may hold, of a limit of so many descriptors in all."""
    free = max(limit - _RESERVED, limit // 4)
    return max(min(_MAX, free // max(listeners, 1)), _MIN)
