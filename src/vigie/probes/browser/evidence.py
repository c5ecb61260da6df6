"""Screenshots of what went wrong: files beside the store, a few for each monitor, readable by their owner alone."""

import contextlib
import hashlib
import os
import re
from pathlib import Path

import msgspec

KEPT = 5


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
            for old in sorted(self._folder.glob(f"{self._key}-*.jpg"), key=lambda one: int(one.stem.rpartition("-")[2]))[:-KEPT]:
                old.unlink(missing_ok=True)
        return str(path)
