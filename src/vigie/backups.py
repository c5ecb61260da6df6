"""`vigie backup` and `vigie restore`: one archive with the database, the state directory and the configuration file.

The archive is a tar file (gzip where its name ends so), for its owner alone: the database knows addresses and names of people, the state
directory the key that signs links. What is in `.env` is left out: passwords are kept elsewhere than what they protect.
docs/decisions/0068 says why. The first member lists the others with their sizes and digests; nothing is put into place before all of
them were found to be what was written.
"""

import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from vigie import __version__, plugins
from vigie.adapters import state_of
from vigie.config import Desired
from vigie.errors import VigieError
from vigie.state import State

_FORMAT = 1
_LIST, _DATABASE, _CONFIGURATION, _STATE = "backup.json", "database", "configuration", "state"
_KEPT = ("key", "channels.json")  # of the state directory, beside the pictures
_CHUNK = 1024 * 1024
_LARGEST_LIST = 64 * 1024 * 1024

Progress = Callable[[str, int, int], None]  # what is being done, bytes done, bytes in all


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a backup: its name in the archive, its bytes and their SHA-256."""

    name: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup says of itself; `at` is epoch ms, `schema` the version of the database's schema."""

    version: str
    at: int
    store: str
    schema: int
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        """All bytes."""
        return sum(one.size for one in self.members)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put into place, what was there before and is kept, and what was not touched."""

    contents: Contents
    database: Path
    kept: Path | None
    configuration: Path | None
    left: tuple[str, ...] = field(default=())


def back_up(settings: Desired, target: Path, now: int, progress: Progress, *, force: bool = False) -> Contents:
    """Write the archive, whole or not at all, while `vigie serve` goes on. Raises VigieError."""
    store, source = _adapter(settings), settings.store.file
    if source is None:
        store.copy(settings.store.config, target, lambda _: None)  # says with what its database is backed up
    if source is None or not source.exists():
        raise VigieError(f"there is no database at {settings.store}", "run `vigie once` or `vigie serve` first")
    if target.exists() and not force:
        raise VigieError(f"{target} is there already", "name another file, or add --force")
    with _written(target) as folder:
        copy = folder / _DATABASE
        schema = store.copy(settings.store.config, copy, lambda size: progress("copying the database", 0, size))
        store.examine(copy)
        found = [(_DATABASE, copy), *_state_files(state_of(settings))]
        if settings.file is not None and settings.file.is_file():
            found.append((_CONFIGURATION, settings.file))
        members = tuple(Member(name, path.stat().st_size, _digest(path)) for name, path in found)
        contents = Contents(__version__, now, settings.store.kind, schema, members)
        archive = folder / "archive"
        _pack(archive, target.name.endswith("gz"), contents, dict(found), progress)
        os.replace(archive, target)  # noqa: PTH105 - within one file system, as a whole
    return contents


def contents_of(source: Path) -> Contents:
    """What a backup says of itself. Raises VigieError for what is not one."""
    with _opened(source) as archive:
        return _listed(archive, source)


def restore(settings: Desired, source: Path, progress: Progress, *, force: bool = False) -> Restored:
    """Put a backup into place while nobody works on the database. Raises VigieError; then nothing has changed.

    A database that is there is replaced with `force` alone, and kept beside it.
    """
    store, target, state = _adapter(settings), settings.store.file, state_of(settings)
    if target is None:
        raise VigieError(f"{settings.store} is not a file on this machine", "restore it with the tools of its database")
    with state.locked(), _unpacked(source, target.parent, settings.store.kind, progress) as (contents, files):
        store.examine(files[_DATABASE])
        if target.exists() and not force:
            raise VigieError(f"there is a database at {target}", "add --force to replace it; it is kept beside the restored one")
        kept = _set_aside(target)
        os.replace(files[_DATABASE], target)  # noqa: PTH105 - within one file system, as a whole
        for name, path in files.items():
            if name.startswith(f"{_STATE}/"):
                state.restore(name.removeprefix(f"{_STATE}/"), path.read_bytes())
        left = () if _CONFIGURATION not in files else _left(settings, files[_CONFIGURATION])
        return Restored(contents, target, kept, settings.file, left)


def write_configuration(source: Path, target: Path) -> bool:
    """Write the configuration file of a backup where there is none yet; whether it has one. Raises VigieError."""
    with _opened(source) as archive:
        contents = _listed(archive, source)
        for item in archive:
            if item.name == _CONFIGURATION and (file := archive.extractfile(item)) is not None:
                found = file.read(_LARGEST_LIST)
                if sha256(found).hexdigest() != next(one.digest for one in contents.members if one.name == _CONFIGURATION):
                    raise _broken(source, f"{_CONFIGURATION} is not what was written")
                with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                    out.write(found)
                return True
    return False


def _adapter(settings: Desired) -> Any:
    """The store's adapter. Raises VigieError for one that cannot be copied as a file."""
    found = plugins.load("stores", settings.store.kind)
    if not (hasattr(found, "copy") and hasattr(found, "examine")):
        raise VigieError(
            f"a store of type {settings.store.kind} is backed up with its own tools", "see its documentation, and keep vigie.yaml"
        )
    return found


def _state_files(state: State) -> list[tuple[str, Path]]:
    """The files of the state directory by their names in the archive; a lock is nobody's to keep."""
    found = [(f"{_STATE}/{name}", state.folder / name) for name in _KEPT if (state.folder / name).is_file()]
    pictures = sorted(one for one in state.evidence.rglob("*") if one.is_file()) if state.evidence.is_dir() else []
    return found + [(f"{_STATE}/evidence/{one.relative_to(state.evidence).as_posix()}", one) for one in pictures]


@contextmanager
def _written(target: Path) -> Iterator[Path]:
    """A folder beside a file, for this user alone, which is gone afterwards. Raises VigieError for what the disk refuses."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise VigieError(f"{target} cannot be written: {error.strerror}", "name a file in a folder that you may write to") from error
    try:
        yield folder
    except OSError as error:
        raise VigieError(f"{target} cannot be written: {error.strerror}", "free space there, or name another place") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _pack(path: Path, packed: bool, contents: Contents, files: dict[str, Path], progress: Progress) -> None:
    done = 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        with tarfile.open(fileobj=out, mode="w:gz" if packed else "w") as archive:
            text = json.dumps(_as_json(contents), indent=1).encode()
            _add(archive, _LIST, len(text), contents.at, io.BytesIO(text))
            for one in contents.members:
                with files[one.name].open("rb") as file:
                    _add(archive, one.name, one.size, contents.at, file)
                done += one.size
                progress("writing", done, contents.size)
        out.flush()
        os.fsync(out.fileno())


def _add(archive: tarfile.TarFile, name: str, size: int, at: int, file: BinaryIO) -> None:
    item = tarfile.TarInfo(name)
    item.size, item.mode, item.mtime = size, 0o600, at // 1000
    archive.addfile(item, file)


def _as_json(contents: Contents) -> dict[str, Any]:
    members = [{"name": one.name, "size": one.size, "sha256": one.digest} for one in contents.members]
    known = {"vigie": contents.version, "at": contents.at, "store": contents.store, "schema": contents.schema}
    return {"format": _FORMAT, **known, "members": members}


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    """The archive. Raises VigieError for what is not one, and for what ends too early."""
    try:
        with tarfile.open(source) as archive:
            yield archive
    except (tarfile.TarError, EOFError) as error:
        raise _broken(source, str(error) or "it ends too early") from error
    except OSError as error:
        raise VigieError(
            f"{source} cannot be read: {error.strerror or error}", "give the path of a file that `vigie backup` wrote"
        ) from error


def _broken(source: Path, why: str) -> VigieError:
    return VigieError(f"{source} is damaged or not a backup of Vigie: {why}", "take another backup")


def _listed(archive: tarfile.TarFile, source: Path) -> Contents:
    """The list at its beginning. Raises VigieError."""
    first = archive.next()
    file = archive.extractfile(first) if first is not None and first.name == _LIST and first.size < _LARGEST_LIST else None
    if file is None:
        raise _broken(source, "it does not begin with a list of what is in it")
    try:
        found = json.loads(file.read())
        if found["format"] > _FORMAT:
            raise VigieError(f"{source} was made by a newer Vigie ({found['vigie']})", "install that version, or a newer one, first")
        members = tuple(Member(str(one["name"]), int(one["size"]), str(one["sha256"])) for one in found["members"])
        return Contents(str(found["vigie"]), int(found["at"]), str(found["store"]), int(found["schema"]), members)
    except (ValueError, KeyError, TypeError) as error:
        raise _broken(source, "the list of what is in it cannot be read") from error


@contextmanager
def _unpacked(source: Path, beside: Path, kind: str, progress: Progress) -> Iterator[tuple[Contents, dict[str, Path]]]:
    """Every file of a backup in a folder that is gone afterwards, once all are what was written. Raises VigieError."""
    beside.mkdir(parents=True, exist_ok=True)
    with _opened(source) as archive, _written(beside / source.name) as folder:
        contents = _listed(archive, source)
        if contents.store != kind:
            raise VigieError(f"the backup is of a store of type {contents.store}, and `store` is of type {kind}", "set `store` to a path")
        wanted, files, done = {one.name: one for one in contents.members}, dict[str, Path](), 0
        if contents.size > shutil.disk_usage(folder).free:
            raise VigieError(f"{source} needs {contents.size // 1_000_000} MB beside the database", "free space there")
        for number, item in enumerate(archive):
            if item.name == _LIST:
                continue
            member, file = wanted.get(item.name), archive.extractfile(item) if item.isreg() else None
            if member is None or file is None or item.name in files or not _is_ours(item.name):
                raise _broken(source, f"{item.name!r} does not belong into it")
            if item.size != member.size:  # before anything is written: a gigabyte of zeros packs into a megabyte
                raise _broken(source, f"{item.name} is not what was written")
            path = folder / str(number)  # never by the names of the archive
            if _unpack(file, path) != (member.size, member.digest):
                raise _broken(source, f"{item.name} is not what was written")
            files[item.name], done = path, done + member.size
            progress("reading", done, contents.size)
        if files.keys() != wanted.keys() or _DATABASE not in files:
            raise _broken(source, f"{', '.join(sorted(wanted.keys() - files.keys())) or _DATABASE} is missing")
        yield contents, files


def _is_ours(name: str) -> bool:
    """Whether a name can only lead to where we put such files."""
    if name in (_DATABASE, _CONFIGURATION):
        return True
    parts = PurePosixPath(name).parts
    kept = parts[1:] in {(one,) for one in _KEPT} or (len(parts) > 2 and parts[1] == "evidence")
    return parts[:1] == (_STATE,) and ".." not in parts and kept and "\\" not in name and ":" not in name


def _unpack(file: Any, path: Path) -> tuple[int, str]:
    """Write it for this user alone; its bytes and their digest."""
    digest, size = sha256(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return size, digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        found = sha256()
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def _set_aside(target: Path) -> Path | None:
    """Keep the database that is there under another name, with its log: a restored one must not be given the log of another."""
    if not target.exists():
        return None
    names = (target.with_name(f"{target.name}.before-restore-{number}") for number in range(1, 10_000))
    kept = next(one for one in names if not one.exists())
    for suffix in ("-wal", "-shm", ""):
        beside = target.with_name(f"{target.name}{suffix}")
        if beside.exists():
            beside.replace(kept.with_name(f"{kept.name}{suffix}"))
    return kept


def _left(settings: Desired, file: Path) -> tuple[str, ...]:
    """What the backup has and this machine has otherwise: a configuration is never overwritten."""
    if settings.file is None or not settings.file.is_file():
        return ()
    return () if file.read_bytes() == settings.file.read_bytes() else (str(settings.file),)
