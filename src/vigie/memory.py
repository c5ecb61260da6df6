"""What allocators keep for later goes back to the system: for the two processes of `vigie serve`, which stay for months."""

import contextlib
import gc
import time
from collections.abc import Callable, Mapping
from typing import Any

_ARENA_MAX = -8  # M_ARENA_MAX of mallopt(3)
_LONG_SECONDS = 0.1
_OLDEST = 2  # the generation with which everything is looked at


class Collections:
    """Keeps collections of garbage short while what is kept grows: after one that took long, whatever it found in use is passed by.

    With 100,000 monitors in three locations a collection of everything stops the program for four seconds. What is passed by is still
    given back when nothing refers to it any more; only a cycle that becomes garbage later stays until the next `freeze`.
    """

    def __init__(self, elapsed: Callable[[], float] = time.perf_counter, long_seconds: float = _LONG_SECONDS) -> None:
        self._elapsed, self._long = elapsed, long_seconds
        self._began = 0.0

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        """A collection begins or has ended, as `gc.callbacks` says it."""
        if phase == "start":
            self._began = self._elapsed()
        elif info["generation"] == _OLDEST and self._elapsed() - self._began >= self._long:
            gc.freeze()


def keep_collections_short() -> None:
    """From now on, in this process."""
    if not any(isinstance(one, Collections) for one in gc.callbacks):
        gc.callbacks.append(Collections())


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
