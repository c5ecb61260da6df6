"""Screenshots of what went wrong: files beside the store, a few for each monitor, readable by their owner alone."""

import contextlib
import hashlib
import os
import re
from pathlib import Path

import msgspec

KEPT = 5
_KEPT_MS = 90 * 86_400_000  # then pictures of monitors that are gone, or are configured otherwise, go too


class Evidence:
    """The files of one monitor."""

    def __init__(self, folder: Path, target: str, config: msgspec.Struct) -> None:
        digest = hashlib.blake2b(repr(config).encode(), digest_size=4).hexdigest()
        slug = re.sub(r"[^a-z0-9]+", "-", target.partition("://")[2].lower()).strip("-")[:40] or "page"
        self._folder, self._key = folder, f"{slug}-{digest}"

    def keep(self, at: int, image: bytes) -> str | None:
        """Write a picture taken at `at` (epoch ms) and let the oldest go; its path, or None where the disk does not take it."""
        path = self._folder / f"{self._key}-{at}.jpg"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(image)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        with contextlib.suppress(OSError):
            self._tidy(at)
        return str(path)

    def _tidy(self, now: int) -> None:
        found = {path: int(stamp) for path in self._folder.glob("*-*.jpg") if (stamp := path.stem.rpartition("-")[2]).isdecimal()}
        mine = sorted((path for path in found if path.stem.rpartition("-")[0] == self._key), key=lambda path: found[path])
        for path in {*mine[:-KEPT], *(path for path, at in found.items() if at < now - _KEPT_MS)}:
            path.unlink(missing_ok=True)
