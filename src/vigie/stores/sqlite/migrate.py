"""The schema, brought up to date: numbered files, forward only, each one transaction, a backup first.

`NNNN_name.sql` holds statements; what SQL cannot read, because it lies in blobs, is taken by `take(db)` of `NNNN_name.py` after them.
"""

import runpy
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from vigie.errors import StoreError, StoreFault
from vigie.files import make_file
from vigie.stores.sqlite.db import Db, damaged

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(db: Db, path: Path, folder: Path = MIGRATIONS) -> int:
    """Take every migration that `db` lacks; the version now in force.

    Raises StoreError: NEWER for a database of a newer program, CORRUPT for another program's database.
    """
    # One statement, so that another process that makes the tables meanwhile is not taken for another program.
    version, tables = db.fetch("SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version")[0]
    files = _files(folder)
    newest = max(files)
    if version > newest:
        message = f"{path} was written by a newer Vigie (schema {version}, this program knows {newest})"
        raise StoreError(StoreFault.NEWER, message, "install that version again, or restore the backup next to it")
    if version == 0 and tables:
        raise damaged(path, "its tables belong to another program")
    db.prepare()
    if 0 < version < newest:
        _back_up(db, path, version)
    for number in sorted(files):
        if number > version:
            _take(db, number, files[number])
    return newest


def newest() -> int:
    """The version of the schema that this program brings."""
    return max(_files(MIGRATIONS))


def _files(folder: Path) -> dict[int, list[Path]]:
    """The files of each migration, statements first."""
    found: dict[int, list[Path]] = defaultdict(list)
    for suffix in (".sql", ".py"):
        for file in folder.glob(f"[0-9][0-9][0-9][0-9]_*{suffix}"):
            found[int(file.name[:4])].append(file)
    return found


def _take(db: Db, number: int, files: Sequence[Path]) -> None:
    """One migration, unless another process took it meanwhile."""
    with db.transaction(durable=True):
        if int(db.fetch("PRAGMA user_version")[0][0]) < number:
            for file in files:
                _run(db, file)
            db.execute(f"PRAGMA user_version = {number}")


def _run(db: Db, file: Path) -> None:
    if file.suffix == ".py":
        runpy.run_path(str(file))["take"](db)
        return
    for statement in _statements(file.read_text(encoding="utf-8")):
        db.execute(statement)


def _statements(script: str) -> list[str]:
    """The statements of a script: drivers take one at a time."""
    from apsw import complete  # the standard library's would load a second SQLite

    found, open_ = [], ""
    for part in script.split(";"):
        open_ += part + ";"
        if complete(open_):
            found.append(open_)
            open_ = ""
    return found


def _back_up(db: Db, path: Path, version: int) -> None:
    """A whole copy beside the database, under its name only once it is whole; an earlier one of that name is kept as `.old`."""
    target = path.with_name(f"{path.name}.backup-{version}")
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        make_file(part)  # SQLite takes an empty one, and its own would be everybody's
        db.execute("VACUUM INTO ?", (str(part),))
        if target.exists():
            target.replace(target.with_name(f"{target.name}.old"))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
