"""The wall clock of a part, which the harness sets: Python itself is told so at the start of its processes, and Vigie knows nothing of it."""

import mmap
import os
from pathlib import Path

_LOADED = Path(__file__).with_name("stepped")


class WallClock:
    """How far the clock of a part is ahead, in a file that all its processes have in memory."""

    def __init__(self, file: Path) -> None:
        file.write_bytes(bytes(8))
        self._file = file
        with file.open("r+b") as opened:
            self._ahead = mmap.mmap(opened.fileno(), 8)

    def set(self, ahead_ms: int) -> None:
        """From now on it is ahead by so much; behind, where it is negative."""
        self._ahead[:8] = ahead_ms.to_bytes(8, "little", signed=True)

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the part is started with."""
        path = os.pathsep.join([str(_LOADED), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {"PYTHONPATH": path, "VIGIE_CHAOS_CLOCK": str(self._file)}
