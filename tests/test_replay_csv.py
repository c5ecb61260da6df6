"""The history of another monitor out of a CSV file: what is read, and what is said of a bad one."""

import tracemalloc
from pathlib import Path

import pytest

from vigie.core.model import Cause, Status
from vigie.errors import VigieError
from vigie.replay.history import read

AT = 1_767_225_600_000
PLAIN = (
    "time,monitor,status,cause\n2026-01-01T00:00:00Z,shop,up,\n2026-01-01 00:01:00,shop,DOWN,http.status\n1767225720,shop,degraded,what\n"
)
KUMA = (
    "id,important,monitor_id,status,msg,time,ping,duration,down_count\n"
    '1,1,7,1,"200 - OK, fine","2026-01-01 00:00:00.500",31,60,0\n2,1,7,2,timeout,2026-01-01 00:01:00.500,,60,0\n'
    "3,1,7,0,timeout,2026-01-01 00:02:00.500,,60,0\n4,1,7,3,,2026-01-01 00:03:00.500,,60,0\n"
)


def rows(tmp_path: Path, text: str, encoding: str = "utf-8") -> list[tuple[str, int, Status, Cause | None]]:
    path = tmp_path / "history.csv"
    path.write_bytes(text.encode(encoding))
    return [(one.monitor, one.at, one.status, one.cause) for _, one in read(path)]


def test_a_plain_file_is_read_with_times_in_any_of_three_forms(tmp_path: Path) -> None:
    assert rows(tmp_path, PLAIN) == [
        ("shop", AT, Status.UP, None),
        ("shop", AT + 60_000, Status.DOWN, Cause.HTTP_STATUS),
        ("shop", AT + 120_000, Status.DEGRADED, Cause.LATENCY_THRESHOLD),
    ]


def test_the_heartbeats_of_uptime_kuma_are_read_what_is_pending_has_failed(tmp_path: Path) -> None:
    assert [(at - AT, status) for _, at, status, _ in rows(tmp_path, KUMA, "utf-8-sig")] == [
        (500, Status.UP),
        (60_500, Status.DOWN),
        (120_500, Status.DOWN),
        (180_500, Status.UNKNOWN),
    ]


def test_columns_may_come_in_any_order_and_empty_lines_are_no_rows(tmp_path: Path) -> None:
    assert rows(tmp_path, "Status,more,Monitor,Time\r\nup,x,shop,1767225600000\r\n\r\n") == [("shop", AT, Status.UP, None)]


def test_every_result_of_a_monitor_is_new(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text(PLAIN)
    assert [(one.run, one.sequence) for _, one in read(path)] == [(1, 1), (1, 2), (1, 3)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "history.csv:1: there is no column time or status or monitor"),
        ("when,monitor,status\n", "history.csv:1: there is no column time"),
        ("time,monitor,status\n1767225600,shop,up\n1767225660,shop\n", "history.csv:3: there are 2 values, at least 3 are needed"),
        ("time,monitor,status\nnoon,shop,up\n", "history.csv:2: 'noon' is not a time"),
        ("time,monitor,status\n0001-01-01T00:00:00Z,shop,up\n", "history.csv:2: '0001-01-01T00:00:00Z' is not a time"),
        ("time,monitor,status\n1767225600,shop,fine\n", "history.csv:2: 'fine' is not a status"),
        ("time,monitor_id,status\n1767225600,7,5\n", "history.csv:2: '5' is not a status"),
        ("time,monitor,status\n1767225600,,up\n", "history.csv:2: the monitor is empty"),
        (
            "time,monitor,status\n1767225660,shop,up\n1767225600,blog,up\n1767225600,shop,up\n",
            "history.csv:4: '1767225600' is before the row above of the same monitor",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_a_fix(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(VigieError) as raised:
        rows(tmp_path, text)

    assert raised.value.message.endswith(said)
    assert raised.value.fix


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(VigieError, match="cannot be read"):
        list(read(tmp_path / "none.csv"))
    with pytest.raises(VigieError, match="not text in UTF-8"):
        rows(tmp_path, "time,monitor,status\n1767225600,café,up\n", "latin-1")


def test_a_line_that_does_not_end_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    with path.open("wb") as file:
        file.write(b"time,monitor,status\n")
        file.truncate(100_000_000)  # zeros, which cost no room on the disk

    tracemalloc.start()
    with pytest.raises(VigieError, match="field larger than field limit"):
        list(read(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 20_000_000
