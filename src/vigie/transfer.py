"""A store copied to another one, of whatever kind: table by table as they are, read back and compared."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vigie import plugins
from vigie.errors import AlreadyRunning, VigieError
from vigie.state import State
from vigie.stores import StoreConfig, kind_of

if TYPE_CHECKING:
    from vigie.stores.kit.sql.tables import Sum, Tables

Progress = Callable[[str, str, int, int], None]  # table, "copied" or "compared", rows done, rows in all
_IN_PARTITIONS = {"hot": "base", "hour_chunk": "start", "day_chunk": "start"}
_AGAIN = "run the same command again: it goes on where it was"
_ALIVE_MS = 30_000  # a server that reported itself so lately is at work


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied, and found to be the same on both sides."""

    source: str
    target: str
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Place:
    """An address, and the adapter that it is for."""

    kind: str
    config: StoreConfig

    @classmethod
    def of(cls, address: str, base: Path) -> "_Place":
        kind = kind_of(address)
        if kind not in plugins.kinds("stores"):
            known = ", ".join(plugins.kinds("stores"))
            raise VigieError(f"no store is called {kind!r}", f"write a path such as vigie.db, or a URL; installed: {known}")
        try:
            return cls(kind, plugins.load("stores", kind).Config.of(address, base))
        except ValueError as error:
            raise VigieError(str(error), "correct the address") from error

    @contextlib.contextmanager
    def opened(self) -> Iterator["Tables"]:
        """Its tables, while nobody else works on it."""
        with contextlib.ExitStack() as held:
            if (file := self.config.file) is not None:
                held.enter_context(State(file.with_name(f"{file.name}.state"), file).locked())
            opened: Tables = held.enter_context(contextlib.closing(plugins.load("stores", self.kind).tables(self.config)))
            if servers := opened.servers(round(time.time() * 1000) - _ALIVE_MS):
                fix = "stop it first; one that was stopped counts for 30 s"
                raise AlreadyRunning(f"{', '.join(servers)} is at work on {self.config.shown}", fix)
            yield opened


def copy_store(source: str, target: str, base: Path, progress: Progress, *, replace: bool = False) -> Copied:
    """Copy everything; a target that holds something is replaced with `replace` alone. Raises VigieError; the source stays as it is.

    A copy that was interrupted goes on. Until it is whole nobody can work on the target.
    """
    ours, theirs = _Place.of(source, base), _Place.of(target, base)
    if ours.config.shown == theirs.config.shown:
        raise VigieError(f"{ours.config.shown} is both source and target", "name two stores")
    if (file := ours.config.file) is not None and not file.exists():
        raise VigieError(f"there is no database at {file}", "give the path of the store that is to be copied")
    with ours.opened() as read, theirs.opened() as written:
        _check(read, written, ours.config.shown, theirs.config.shown, replace=replace)
        if replace and not written.marked:
            for name in written.names:
                written.clear(name)
        written.mark(under_way=True)
        rows = {name: _copied(read, written, name, progress) for name in read.names}
        written.settle()
        written.mark(under_way=False)
        return Copied(ours.config.shown, theirs.config.shown, rows)


def _check(read: "Tables", written: "Tables", source: str, target: str, *, replace: bool) -> None:
    if read.marked:
        raise VigieError(f"a copy into {source} was not finished: it cannot be copied itself", _AGAIN)
    if missing := sorted(set(read.names) ^ set(written.names)):
        raise VigieError(f"the two stores have not the same tables: {', '.join(missing)}", "this is a bug in Vigie: please report it")
    if written.marked:
        return  # goes on
    if written.used and not replace:
        raise VigieError(f"{target} is not empty", "name another one, or add --replace to delete what it holds")


def _copied(read: "Tables", written: "Tables", name: str, progress: Progress) -> int:
    """One table; how many rows it has. What an interrupted copy left is completed if it is a beginning of it, and else made anew."""
    columns, whole = read.columns(name), read.count(name)
    after = written.last(name, read.key(name)) if written.count(name) and not written.fresh(name) else None
    for attempt in (after, None) if after else (None,):
        if attempt is None:
            written.clear(name)
        _write(read, written, name, columns, attempt, lambda done: progress(name, "copied", done, whole))
        ours, theirs = _sums((read, written), name, columns, lambda done: progress(name, "compared", done, 2 * whole))
        if ours == theirs:
            return ours.rows
    raise VigieError(f"the table {name} is not the same on both sides ({ours.rows} and {theirs.rows} rows)", _AGAIN)


def _write(
    read: "Tables", written: "Tables", name: str, columns: tuple[str, ...], after: tuple[object, ...] | None, seen: Callable[[int], None]
) -> None:
    if name in _IN_PARTITIONS:
        written.prepare(name, read.bounds(name, _IN_PARTITIONS[name]))
    done = written.count(name)
    for rows in read.batches(name, columns, after):
        written.write(name, columns, rows)
        done += len(rows)
        seen(done)


def _sums(both: tuple["Tables", "Tables"], name: str, columns: tuple[str, ...], seen: Callable[[int], None]) -> tuple["Sum", "Sum"]:
    done = 0

    def more(rows: int) -> None:
        nonlocal done
        done += rows
        seen(done)

    return both[0].sum(name, columns, more), both[1].sum(name, columns, more)
