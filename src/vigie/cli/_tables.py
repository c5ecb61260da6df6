"""Rows in a format that other programs read: CSV, JSON lines or Parquet; written as they come, in bounded memory."""

import csv
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

from vigie.errors import VigieError

Format = Literal["csv", "jsonl", "parquet"]
Cell = str | int | float | None
Row = Mapping[str, Cell]
Columns = Mapping[str, type]  # str, int or float

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_GROUP = 20_000  # rows that a Parquet file is written in


class Table(Protocol):
    """Takes rows, in order."""

    def write(self, row: Row) -> None:
        """One more."""


@contextmanager
def table(format_: Format, columns: Columns, output: Path | None) -> Iterator[Table]:
    """A table of these columns in a file, or on standard output. Raises VigieError; a file appears under its name when it is whole."""
    if format_ == "parquet":
        with _parquet(columns, output) as found:
            yield found
    elif output is None:
        yield _text(format_, columns, sys.stdout)
    else:
        part = output.with_name(f"{output.name}.part")
        try:
            with _opened(part) as stream:
                yield _text(format_, columns, stream)
            part.replace(output)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path) -> Iterator[io.TextIOWrapper]:
    try:
        stream = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise VigieError(f"{path} cannot be written: {error.strerror}", "choose another place with --output") from error
    with stream:
        yield stream


def _text(format_: Format, columns: Columns, stream: Any) -> Table:
    return _Csv(columns, stream) if format_ == "csv" else _Lines(columns, stream)


class _Csv:
    """RFC 4180. A text that a spreadsheet would take for a formula begins with an apostrophe (OWASP, "CSV Injection")."""

    def __init__(self, columns: Columns, stream: Any) -> None:
        self._names, self._writer = list(columns), csv.writer(stream, lineterminator="\r\n" if stream is not sys.stdout else "\n")
        self._writer.writerow(self._names)

    def write(self, row: Row) -> None:
        self._writer.writerow([_safe(row[name]) for name in self._names])


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


class _Lines:
    """One JSON object a line, every column in each."""

    def __init__(self, columns: Columns, stream: Any) -> None:
        self._names, self._stream = list(columns), stream

    def write(self, row: Row) -> None:
        self._stream.write(json.dumps({name: row[name] for name in self._names}, ensure_ascii=False) + "\n")


@contextmanager
def _parquet(columns: Columns, output: Path | None) -> Iterator[Table]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise VigieError("Parquet needs a package that is not installed: pyarrow", "pip install 'vigie[parquet]'") from error
    if output is None:
        raise VigieError("Parquet is not for a terminal or a pipe", "name a file with --output")
    types = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    schema = pa.schema([(name, pa.timestamp("ms", "UTC") if _is_time(name) else types[kind]) for name, kind in columns.items()])
    part = output.with_name(f"{output.name}.part")
    try:
        with _parquet_writer(pq, part, schema) as writer:
            found = _Groups(pa, schema, writer)
            yield found
            found.flush()
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def _parquet_writer(pq: Any, part: Path, schema: Any) -> Any:
    try:
        return pq.ParquetWriter(part, schema, compression="zstd")
    except OSError as error:
        raise VigieError(f"{part} cannot be written: {error.strerror or error}", "choose another place with --output") from error


class _Groups:
    """Rows in groups."""

    def __init__(self, pa: Any, schema: Any, writer: Any) -> None:
        self._pa, self._schema, self._writer = pa, schema, writer
        self._rows: list[Row] = []

    def write(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) >= _GROUP:
            self.flush()

    def flush(self) -> None:
        arrays = [self._column(field.name, field.type) for field in self._schema]
        self._writer.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows.clear()

    def _column(self, name: str, kind: Any) -> Any:
        values: Sequence[Any] = [row[name] for row in self._rows]
        if _is_time(name):
            from datetime import datetime

            values = [None if value is None else datetime.fromisoformat(str(value)) for value in values]
        return self._pa.array(values, kind)


def _is_time(name: str) -> bool:
    return name == "time" or name.endswith("_at")
