"""A disk that fills and empties, without being root: a small file system of its own for the program, or a limit on what it may write.

`unshare -rm` gives the program a view of the file system in which a tmpfs is mounted; it is filled from outside through `/proc/PID/root`. Where
that is not allowed, `RLIMIT_FSIZE` of zero lets no byte be written (EFBIG instead of ENOSPC), and is taken away again.
"""

import contextlib
import errno
import os
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_SIZE = 160_000_000
_FILLER = "filler"
_CHUNK = bytes(1_000_000)


class Disk(Protocol):
    """Where the program writes. `prefix` goes before its command; `fill` and `empty` may be called at any time while it runs."""

    how: str
    prefix: list[str]

    def fill(self, pid: int) -> None:
        """Leave no room."""

    def empty(self, pid: int) -> None:
        """Give it back."""


@dataclass(slots=True)
class OwnFileSystem:
    """A tmpfs over `folder` in a mount namespace of the program."""

    folder: Path
    prefix: list[str]
    how: str = f"a file system of {_SIZE // 1_000_000} MB of its own, by unshare"

    def _filler(self, pid: int) -> Path:
        return Path(f"/proc/{pid}/root{self.folder.resolve()}") / _FILLER

    def fill(self, pid: int) -> None:
        """Write until there is no room, and what then becomes free as well."""
        with self._filler(pid).open("ab", buffering=0) as filler:
            for chunk in (_CHUNK, _CHUNK[:4_096]):
                with contextlib.suppress(OSError):
                    while filler.write(chunk) == len(chunk):
                        pass

    def empty(self, pid: int) -> None:
        """Remove it."""
        self._filler(pid).unlink(missing_ok=True)


@dataclass(slots=True)
class Limit:
    """RLIMIT_FSIZE of the running program."""

    prefix: list[str]
    how: str = "RLIMIT_FSIZE, which says EFBIG instead of ENOSPC"

    def fill(self, pid: int) -> None:
        """Nothing may be written."""
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]))

    def empty(self, pid: int) -> None:
        """All may be."""
        hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


def make(folder: Path) -> Disk | None:
    """The best that this machine allows, for a program that keeps its files in `folder`; None where nothing is allowed."""
    if sys.platform != "linux":
        return None
    unshare = shutil.which("unshare")
    if unshare is not None:
        flags = "-m" if os.geteuid() == 0 else "-rm"  # root keeps its rights, sockets for pings among them
        script = f'mount -t tmpfs -o size={_SIZE},mode=700 soak "$0" && exec "$@"'
        prefix = [unshare, flags, "--propagation", "private", "sh", "-c", script, str(folder)]
        if subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode == 0:
            return OwnFileSystem(folder, prefix)
    if not hasattr(resource, "prlimit"):
        return None
    try:
        resource.prlimit(os.getpid(), resource.RLIMIT_FSIZE)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOSYS):
            raise
        return None
    return Limit([])
