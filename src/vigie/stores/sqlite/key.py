"""A random key beside the database, for what is signed: made once, readable by nobody else, and in no copy of the database."""

import os
import secrets
from pathlib import Path

from vigie.errors import VigieError

_BYTES = 32


def key_beside(store: Path) -> bytes:
    """The key of this database, 32 bytes; of several processes that make it at once, one does. Raises VigieError."""
    path = store.with_name(f"{store.name}.key")
    try:
        if not path.exists():
            _make(path)
        found = path.read_bytes()
    except OSError as error:
        raise VigieError(f"{path} cannot be used: {error.strerror}", f"make it and {path.parent} accessible to this user only") from error
    if len(found) != _BYTES:
        raise VigieError(f"{path} is damaged", "delete it: a new one is created, and links in earlier emails stop working")
    return found


def _make(path: Path) -> None:
    """Whole or not at all: the name is given to a file that is written already, unless another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
