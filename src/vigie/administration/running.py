"""How Vigie itself runs: its versions, its parts, what it could not see, how much it keeps and how fast its model is."""

import asyncio
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vigie import __version__
from vigie.config import Desired
from vigie.ports import Clock, Store
from vigie.queries.history import HistoryQueries
from vigie.queries.setup import Running, Versions

_BACK_MS = 30 * 86_400_000
_SPANS = 50
_STATUS = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the running parts tell.

    How late checks start (p99, maximum; None before that is known), the process of the prober, when it last said something (by the clock
    that never steps), and which parts have stalled.
    """

    late: Callable[[], tuple[int, int] | None]
    prober: Callable[[], int | None]
    heard_at: Callable[[], float]
    stalled: Callable[[], tuple[str, ...]]
    history: Callable[[], HistoryQueries | None]


async def running(settings: Desired, store: Store, clock: Clock, parts: Parts) -> Running:
    """All of it. Raises StoreError."""
    now, late, history = clock.now(), parts.late(), parts.history()
    blinds = await store.archive.blinds(now - _BACK_MS)
    file = settings.store.file
    config = None if settings.llm.config is None else settings.llm.config.reveal()
    name = str(getattr(config, "model", ""))
    return Running(
        versions=Versions(__version__, platform.python_version(), _sqlite(), platform.platform(terse=True), os.getpid(), parts.prober()),
        blinds=tuple(reversed(blinds))[:_SPANS],
        stalled=parts.stalled(),
        heard_ms=round((clock.monotonic() - parts.heard_at()) * 1000),
        late_p99_ms=None if late is None else late[0],
        late_max_ms=None if late is None else late[1],
        database_bytes=None if file is None else await asyncio.to_thread(_bytes, file),
        size=None if history is None else await history.size(),
        speed=await store.catalog.speed(name) if name else None,
        memory_bytes=await asyncio.to_thread(_memory),
    )


def _sqlite() -> str:
    """The version of the store's library, where it is there."""
    module = sys.modules.get("apsw")
    return "" if module is None else str(module.sqlite_lib_version())


def _bytes(file: Path) -> int:
    """What the database takes, with its log."""
    total = 0
    for path in (file, file.with_name(f"{file.name}-wal")):
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total


def _memory() -> int | None:
    """What this process holds in memory, in bytes; None where the system does not say so in this way."""
    try:
        return int(_STATUS.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
