"""What allocators keep for later goes back to the system: for the two processes of `vigie serve`, which stay for months."""

import contextlib
import gc
from typing import Any

_ARENA_MAX = -8  # M_ARENA_MAX of mallopt(3)


def one_arena() -> None:
    """Have one heap for all threads, before any starts: glibc gives each its own, of which most lies idle. Elsewhere, nothing."""
    with contextlib.suppress(AttributeError):
        _c_library().mallopt(_ARENA_MAX, 1)


def freeze() -> None:
    """What is in memory now stays: collections of garbage pass it by from now on, and what an earlier freeze kept alive is collected.

    To be called after a start or a new configuration: it stops everything for about a tenth of a second with 10,000 monitors, and makes
    every later collection as short as with none.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def settle() -> None:
    """Freeze, and give back what was freed on the way here."""
    freeze()
    with contextlib.suppress(AttributeError):
        _c_library().malloc_trim(0)


def _c_library() -> Any:
    """The C library of this process; without the functions of glibc on other systems."""
    import ctypes  # half a megabyte, which the prober need not have

    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows has none under no name
        return None
