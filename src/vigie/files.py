"""Files of Vigie's own are for its owner alone: addresses, answers of servers and names of people are in all of them."""

import contextlib
import os
import stat
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_folder(path: Path) -> None:
    """Make a folder, 0700, unless it is there; those above it as the system's defaults have them. Raises OSError."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)


def make_file(path: Path) -> None:
    """Make an empty file, 0600, unless it is there. Raises OSError."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def close_to_others(path: Path) -> bool:
    """Take a file of ours, which an earlier version made, from everybody else; whether that changed anything. Never raises."""
    try:
        found = path.stat()
        if not found.st_mode & _OTHERS or (hasattr(os, "geteuid") and found.st_uid != os.geteuid()):
            return False
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
    except OSError:
        return False
    return True


def open_to_others(path: Path) -> bool:
    """Whether somebody else may read a file; False where that cannot be told."""
    try:
        return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:
        return False
