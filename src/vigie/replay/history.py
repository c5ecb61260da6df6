"""The history of another monitor out of a CSV file, a row at a time.

Two layouts are known by their header: the `heartbeat` table of Uptime Kuma (`monitor_id`, `status` 0 to 3, `time` in UTC), and
`time,monitor,status` with an optional `cause`. Columns may come in any order, others are ignored.
"""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from vigie.core.model import Cause, CheckResult, Status
from vigie.errors import VigieError

_WORDS = {
    "up": Status.UP, "ok": Status.UP, "1": Status.UP, "true": Status.UP, "success": Status.UP,
    "down": Status.DOWN, "0": Status.DOWN, "false": Status.DOWN, "fail": Status.DOWN, "failed": Status.DOWN,
    "degraded": Status.DEGRADED, "warning": Status.DEGRADED,
    "unknown": Status.UNKNOWN,
}  # fmt: skip
# Uptime Kuma, src/util.js: DOWN 0, UP 1, PENDING 2 (failed, to be tried again), MAINTENANCE 3.
_KUMA = {"0": Status.DOWN, "1": Status.UP, "2": Status.DOWN, "3": Status.UNKNOWN}
_CAUSES = {Status.DOWN: Cause.TIMEOUT_TOTAL, Status.DEGRADED: Cause.LATENCY_THRESHOLD, Status.UNKNOWN: Cause.PROBE_ERROR}
_NAMES = ("monitor", "monitor_name", "name", "monitor_id")
_EPOCH = re.compile(r"[0-9]{9,11}(?:\.[0-9]+)?|[0-9]{12,14}")
_MS_DIGITS = 12
_LONGEST_LINE = 1_000_000  # bytes
_LAYOUT = "the first line must name the columns: time,monitor,status, or those of Uptime Kuma's heartbeat table"


def read(path: Path) -> Iterator[tuple[int, CheckResult]]:
    """Each row as a result, and how many bytes of the file were read. Raises VigieError that names the line and what is wrong with it."""
    try:
        with path.open("rb") as raw:
            lines = iter(lambda: raw.readline(_LONGEST_LINE), b"")  # a longer one comes in parts, which the reader refuses
            yield from _rows(path, (line.decode("utf-8-sig" if number == 0 else "utf-8") for number, line in enumerate(lines)))
    except OSError as error:
        raise VigieError(f"{path} cannot be read: {error.strerror}", "give the path of a CSV file") from error
    except UnicodeDecodeError as error:
        raise VigieError(f"{path} is not text in UTF-8", "save it as CSV in UTF-8") from error


def _rows(path: Path, lines: Iterator[str]) -> Iterator[tuple[int, CheckResult]]:
    size = 0

    def counted() -> Iterator[str]:
        nonlocal size
        for line in lines:
            size += len(line)
            yield line

    reader = csv.reader(counted())
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        columns = _columns(path, header)
        newest: dict[str, int] = {}
        for number, row in enumerate(reader, 1):
            if any(row):
                result = _result(path, reader.line_num, columns, row, number)
                if result.at < newest.get(result.monitor, 0):
                    raise _fault(
                        path,
                        reader.line_num,
                        f"{row[columns['time']]!r} is before the row above of the same monitor",
                        "sort the rows by time",
                    )
                newest[result.monitor] = result.at
                yield size, result
    except csv.Error as error:
        raise _fault(path, reader.line_num, str(error), "save it as CSV with commas") from error


def _columns(path: Path, header: list[str]) -> dict[str, int]:
    """Where the columns are that are read."""
    named = next((name for name in _NAMES if name in header), None)
    missing = [name for name in ("time", "status") if name not in header] + ([] if named else ["monitor"])
    if missing:
        raise _fault(path, 1, f"there is no column {' or '.join(missing)}", _LAYOUT)
    found: dict[str, int] = {name: header.index(name) for name in ("time", "status", "cause") if name in header}
    return {**found, "monitor": header.index(named or ""), "kuma": int(named == "monitor_id" or "important" in header)}


def _result(path: Path, line: int, columns: dict[str, int], row: list[str], number: int) -> CheckResult:
    needed = max(columns[name] for name in ("time", "status", "monitor"))
    if len(row) <= needed:
        raise _fault(path, line, f"there are {len(row)} values, at least {needed + 1} are needed", "one value for each column")
    monitor = row[columns["monitor"]].strip()
    if not monitor:
        raise _fault(path, line, "the monitor is empty", "write its name or id")
    word = row[columns["status"]].strip().lower()
    status = (_KUMA if columns["kuma"] else _WORDS).get(word)
    if status is None:
        known = "0, 1, 2 or 3" if columns["kuma"] else "up, down, degraded or unknown"
        raise _fault(path, line, f"{word!r:.40} is not a status", f"write {known}")
    at = _instant(row[columns["time"]].strip())
    if at is None:
        raise _fault(path, line, f"{row[columns['time']]!r:.60} is not a time", "write 2026-03-01T22:00:00Z, or seconds since 1970")
    cause = row[columns["cause"]].strip() if columns.get("cause", len(row)) < len(row) else ""
    return CheckResult(monitor, at, status, _cause(cause, status), run=1, sequence=number)


def _cause(word: str, status: Status) -> Cause | None:
    if status is Status.UP:
        return None
    return Cause(word) if word in set(Cause) else _CAUSES[status]


def _instant(text: str) -> int | None:
    """Epoch ms; a time without a zone is in UTC."""
    if _EPOCH.fullmatch(text):
        whole = text.partition(".")[0]
        return int(whole) if len(whole) >= _MS_DIGITS else round(float(text) * 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    return at if at >= 0 else None


def _fault(path: Path, line: int, what: str, fix: str) -> VigieError:
    return VigieError(f"{path}:{line}: {what}", fix)
