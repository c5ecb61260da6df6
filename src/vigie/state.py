"""The state directory: what a Vigie keeps of its own, wherever its store is. Its lock, its key, its pictures of failures.

docs/decisions/0026 says where it is and what becomes of the files of earlier versions, which lay beside the database.
"""

import contextlib
import json
import os
import secrets
import zlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from vigie.errors import AlreadyRunning, VigieError
from vigie.files import make_folder

_BYTES = 32


class State:
    """The directory `folder`, made when it is first needed, for its owner alone.

    `database` is the file of a store on this machine, beside which earlier versions kept their lock and their key.
    """

    def __init__(self, folder: Path, database: Path | None = None) -> None:
        self.folder, self._database = folder, database

    @property
    def evidence(self) -> Path:
        """The folder for pictures of failures: that of an earlier version where there is one, since the database names its pictures."""
        old = self._database.with_name("evidence") if self._database is not None else None
        return old if old is not None and old.is_dir() else self.folder / "evidence"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else works on this store, or in this directory, meanwhile. Raises AlreadyRunning, or VigieError when it cannot be written.

        The file beside the database keeps out whoever has the same database under another directory, and earlier versions.
        """
        with contextlib.ExitStack() as held:
            if self._database is not None:
                held.enter_context(_held(_beside(self._database, ".lock"), f"another Vigie is running on {self._database}"))
            self._make_folder()
            held.enter_context(_held(self.folder / "lock", f"another Vigie has its state in {self.folder}"))
            yield

    def key(self) -> bytes:
        """A random key for what is signed, 32 bytes, made once and in no copy of the database. Raises VigieError.

        Of several processes that make it at once, one does. That of an earlier version is moved here: its links stay good.
        """
        path = self.folder / "key"
        if (found := _read_key(path)) is not None:
            return found
        self._make_folder()
        old = None if self._database is None else _beside(self._database, ".key")
        adopted = None if old is None else _read_key(old)
        try:
            _write_new(path, adopted or secrets.token_bytes(_BYTES))
            if old is not None and adopted is not None:
                old.unlink(missing_ok=True)
            return path.read_bytes()
        except OSError as error:
            raise _unusable(path, error) from error

    def channels(self) -> dict[str, str]:
        """The fingerprints of the channels as `remember_channels` last wrote them; empty where nobody did, or they cannot be read."""
        try:
            found = json.loads((self.folder / "channels.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(name): str(one) for name, one in found.items()} if isinstance(found, dict) else {}

    def remember_channels(self, fingerprints: dict[str, str]) -> None:
        """Keep them, for this user alone. Raises VigieError."""
        path = self.folder / "channels.json"
        try:
            self._make_folder()
            fresh = path.with_name(f"{path.name}.{os.getpid()}")
            fresh.unlink(missing_ok=True)
            _write_new(fresh, json.dumps(fingerprints, sort_keys=True).encode())
            fresh.replace(path)
        except OSError as error:
            raise _unusable(path, error) from error

    def applied(self) -> dict[str, object] | None:
        """The configuration that `remember_applied` last wrote; None where nobody did, or it cannot be read."""
        try:
            found = json.loads(zlib.decompress((self.folder / "applied.json.z").read_bytes()))
        except (OSError, ValueError, zlib.error):
            return None
        return found if isinstance(found, dict) else None

    def booted_at(self, boot: str, at: int) -> int:
        """When the machine was started, epoch ms: what was said of this `boot` first; `at` where nothing was, or it cannot be kept."""
        path = self.folder / "boot.json"
        try:
            kept, known = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError):
            kept, known = "", at
        if boot and kept == boot and isinstance(known, int):
            return known
        with contextlib.suppress(VigieError):
            self.restore("boot.json", json.dumps([boot, at]).encode())
        return at

    def remember_applied(self, shown: bytes) -> None:
        """Keep what is in force: JSON with secrets masked, compressed. Raises VigieError."""
        self.restore("applied.json.z", shown)

    def restore(self, name: str, content: bytes) -> None:
        """Put a file of a backup into place, for this user alone. Raises VigieError."""
        path = self.folder / name
        try:
            self._make_folder()
            fresh = path.with_name(f"{path.name}.{os.getpid()}.restored")
            fresh.unlink(missing_ok=True)
            make_folder(path.parent)
            _write_new(fresh, content)
            fresh.replace(path)
        except OSError as error:
            raise _unusable(path, error) from error

    def _make_folder(self) -> None:
        try:
            if not self.folder.is_dir():
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _hand_over(self.folder)
        except OSError as error:
            another = "give another place (`state`, or --state of an agent)"
            taken = isinstance(error, FileExistsError | NotADirectoryError)
            fix = another if taken else f"make {self.folder.parent} writable for this user, or {another}"
            raise VigieError(f"{self.folder} cannot be made: {error.strerror}", fix) from error


def _beside(database: Path, suffix: str) -> Path:
    """Where an earlier version had a file."""
    return database.with_name(f"{database.name}{suffix}")


@contextlib.contextmanager
def _held(path: Path, taken: str) -> Iterator[None]:
    fresh = not path.exists()
    lock = FileLock(path, timeout=0, mode=0o600)
    try:
        make_folder(path.parent)
        lock.acquire()
        if fresh:
            _hand_over(path)
    except Timeout:
        raise AlreadyRunning(taken, "wait for it to finish, or stop it") from None
    except OSError as error:
        raise VigieError(f"{path} cannot be written: {error.strerror}", f"make {path.parent} writable for this user") from error
    try:
        yield
    finally:
        lock.release()


def _read_key(path: Path) -> bytes | None:
    """None where there is none. Raises VigieError."""
    try:
        found = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unusable(path, error) from error
    if len(found) != _BYTES:
        raise VigieError(f"{path} is damaged", "delete it: a new one is made, and the links of earlier mails end")
    return found


def _unusable(path: Path, error: OSError) -> VigieError:
    return VigieError(f"{path} cannot be used: {error.strerror}", f"make it and {path.parent} accessible to this user alone")


def _write_new(path: Path, content: bytes) -> None:
    """Whole or not at all: the name is given to a file that is written already, unless another process was first."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _hand_over(fresh)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _hand_over(path: Path) -> None:
    """What root makes belongs to whom the folder belongs: a command that an administrator tries first must not lock the service out."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        above = path.parent.stat()
        os.chown(path, above.st_uid, above.st_gid)
