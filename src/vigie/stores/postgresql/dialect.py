"""SQL of the subset that `stores.kit.sql` is written in, as PostgreSQL takes it: the few tokens that differ."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from vigie.stores.kit.sql.tables import Table

_REPLACE = re.compile(r'INSERT OR REPLACE INTO ("?\w+"?)(?: \(([^)]*)\))? ')
_IGNORE = re.compile(r"INSERT OR IGNORE INTO ")
_COPIED = re.compile(r'INSERT INTO ("?\w+"?) \(([^)]*)\) VALUES \((?:\?, )*\?\)')
_IN = re.compile(r"(NOT )?IN \(SELECT value FROM json_each\(\?(\d*)\)\)")
_EACH = re.compile(r"json_each\(\?(\d*)\) AS (\w+)")
_MARK = re.compile(r"\?(\d*)(@?)")
_MIN = re.compile(r"\bmin\(")
_MAX = re.compile(r"\bmax\(")
_LARGEST = 2**63 - 1
# Text that PostgreSQL cannot hold: a NUL is written as this character of a private plane and a 0, and the character itself with a 1.
_ESCAPE = "\U000ffffd"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as PostgreSQL takes it. `lists` are the values that are lists in JSON; `into` is where plain rows can be copied to."""

    sql: str
    lists: frozenset[int] = frozenset()
    into: tuple[str, tuple[str, ...]] | None = None

    def values(self, values: Sequence[Any]) -> list[Any]:
        """As the driver takes them."""
        return [[fit(item) for item in json.loads(one)] if place in self.lists else fit(one) for place, one in enumerate(values)]


def translated(sql: str, tables: Callable[[str], Table]) -> Statement:
    """A statement of the common subset. `tables` knows the tables by name."""
    copied = _COPIED.fullmatch(sql)
    into = None if copied is None else (_bare(copied[1]), tuple(_bare(name) for name in copied[2].split(", ")))
    sql = _inserted(sql, tables)
    sql = _IN.sub(lambda found: f"{'<> ALL' if found[1] else '= ANY'} (?{found[2]}@)", sql)
    sql = _EACH.sub(lambda found: f"unnest(?{found[1]}@::bigint[]) AS {found[2]}(value)", sql)
    sql = _least(_least(sql, _MIN, "least"), _MAX, "greatest").replace("ifnull(", "coalesce(")
    return Statement(*_numbered(sql), into)


def _bare(name: str) -> str:
    return name.strip('"')


def _inserted(sql: str, tables: Callable[[str], Table]) -> str:
    """`OR REPLACE` and `OR IGNORE` as what to do on a conflict; the rest of a replaced row is set too, as there."""
    if _IGNORE.match(sql):
        return f"{_IGNORE.sub('INSERT INTO ', sql)} ON CONFLICT DO NOTHING"
    found = _REPLACE.match(sql)
    if found is None:
        return sql
    known = tables(_bare(found[1]))
    # Without names they are the first columns: a newer program may have added some.
    columns = tuple(found[2].split(", ")) if found[2] else known.columns[: sql.count("?")]
    sets = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in known.key)
    what = f"DO UPDATE SET {sets}" if sets else "DO NOTHING"
    return f"INSERT INTO {found[1]} ({', '.join(columns)}) {sql[found.end() :]} ON CONFLICT ({', '.join(known.key)}) {what}"


def _least(sql: str, name: re.Pattern[str], scalar: str) -> str:
    """`min` and `max` of several values, which have names of their own here."""
    found, start = "", 0
    for call in name.finditer(sql):
        found += sql[start : call.start()] + (scalar if _several(sql, call.end()) else call[0].removesuffix("("))
        start = call.end() - 1
    return found + sql[start:]


def _several(sql: str, start: int) -> bool:
    """Whether what stands within a bracket that is open at `start` are several arguments."""
    depth = 0
    for letter in sql[start:]:
        if letter == ")" and not depth:
            return False
        if letter == "," and not depth:
            return True
        depth += (letter == "(") - (letter == ")")
    return False


def _numbered(sql: str) -> tuple[str, frozenset[int]]:
    """With numbered values, and the places of those that are lists."""
    lists, count = set[int](), 0

    def mark(found: re.Match[str]) -> str:
        nonlocal count
        number = int(found[1]) if found[1] else count + 1
        count = max(count, number)
        if found[2]:
            lists.add(number - 1)
        return f"${number}"

    return _MARK.sub(mark, sql), frozenset(lists)


def fit(value: Any) -> Any:
    """A value as the database can hold it: text without NULs and halves of surrogate pairs, numbers within 64 bits."""
    if isinstance(value, str):
        if value.isascii():
            return value.replace("\0", f"{_ESCAPE}0") if "\0" in value else value
        text = value.encode("utf-8", "replace").decode()
        return text.replace(_ESCAPE, f"{_ESCAPE}1").replace("\0", f"{_ESCAPE}0") if "\0" in text or _ESCAPE in text else text
    return min(max(value, -_LARGEST), _LARGEST) if isinstance(value, int) else value


def unfit(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """And back, a row."""
    if any(isinstance(one, str) and _ESCAPE in one for one in row):
        return tuple(one.replace(f"{_ESCAPE}0", "\0").replace(f"{_ESCAPE}1", _ESCAPE) if isinstance(one, str) else one for one in row)
    return row
