"""`vigie export`: the same columns in every format, safe for spreadsheets, and whole files or none."""

import asyncio
import csv
import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vigie.cli import export
from vigie.core.detection import Severity
from vigie.core.model import Cause, Incident, Monitor
from vigie.errors import VigieError
from vigie.ports import Commit
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing.store_suite.history import checks
from vigie.testing.store_suite.records import DAY

EVIL = '=HYPERLINK("http://evil.test")'
MONITORS = tuple(Monitor(name, name.title(), "http", f"https://{name}.test/", name, 60_000, 10_000) for name in ("shop", "api"))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "vigie.yaml"
    path.write_text(
        "llm: {provider: none}\nmonitors:\n  - {name: Shop, id: shop, url: https://shop.test/, tags: [paid]}\n"
        "  - {name: Api, id: api, url: https://api.test/}\n"
    )
    asyncio.run(filled(tmp_path / "vigie.db"))
    return path


def began() -> int:
    """Two days ago: exports end now."""
    import time

    return round(time.time()) // 86_400 * DAY - 2 * DAY


async def filled(path: Path) -> None:
    store = SqliteStore(path, threads=False)
    await store.catalog.sync_monitors(MONITORS)
    start = began()
    mine = checks(150, start)
    bad = replace(mine[6], message=EVIL)
    trouble = Incident("shop-1", "shop", Severity.OUTAGE, Cause.TIMEOUT_TOTAL, start, start + 5, start + 9, note=EVIL, alert="shop-1")
    await store.ledger.commit(Commit((*mine[:6], bad, *mine[7:]), incidents=(trouble,), details=(bad,)))
    await store.ledger.commit(Commit(tuple(checks(20, start, monitor="api"))))
    await store.close()


def run(config: Path, *arguments: str) -> str:
    found = CliRunner().invoke(export.app, [*arguments, "--config", str(config)], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout


def test_every_result_is_a_line_oldest_first(config: Path) -> None:
    rows = [json.loads(line) for line in run(config, "results", "--format", "jsonl", "--monitor", "Shop").splitlines()]
    assert [one["sequence"] for one in rows] == list(range(1, 151))
    assert list(rows[0]) == list(export.RESULTS)
    assert (rows[0]["status"], rows[0]["total_ms"], rows[0]["tls_ms"], rows[6]["message"]) == ("up", 13.5, None, EVIL)
    assert len(run(config, "results", "--format", "jsonl").splitlines()) == 170
    assert len(run(config, "results", "--format", "jsonl", "--tag", "paid").splitlines()) == 150


def test_csv_has_the_same_columns_and_no_formulas(config: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(config, "results", "--monitor", "shop"))))
    assert list(rows[0]) == list(export.RESULTS)
    assert len(rows) == 150
    assert rows[6]["message"] == f"'{EVIL}"
    (incident,) = csv.DictReader(io.StringIO(run(config, "incidents")))
    assert (incident["id"], incident["lasted_ms"], incident["note"]) == ("shop-1", "9", f"'{EVIL}")


def test_parquet_has_typed_columns(config: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    output = tmp_path / "results.parquet"
    run(config, "results", "--format", "parquet", "--output", str(output))
    table = parquet.read_table(output)
    assert table.column_names == list(export.RESULTS)
    assert (table.num_rows, str(table.schema.field("time").type)) == (170, "timestamp[ms, tz=UTC]")
    assert not list(tmp_path.glob("*.part"))


def test_a_span_is_exported_by_itself(config: Path) -> None:
    from datetime import UTC, datetime

    day = datetime.fromtimestamp(began() / 1000 + 86_400, UTC).isoformat()
    assert len(run(config, "results", "--format", "jsonl", "--monitor", "shop", "--from", day).splitlines()) == 6
    assert len(run(config, "results", "--format", "jsonl", "--monitor", "shop", "--until", day).splitlines()) == 144
    assert run(config, "incidents", "--format", "jsonl", "--from", day) == ""


def test_what_is_wrong_is_said_with_its_fix(config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for arguments, said in (
        (["results", "--monitor", "nobody"], "there is no monitor"),
        (["results", "--tag", "none"], "no monitor has the tag"),
        (["results", "--from", "yesterday"], "neither a duration nor a date"),
        (["results", "--from", "1d", "--until", "2d"], "--from is not before --until"),
        (["results", "--output", str(tmp_path / "no" / "where.csv")], "cannot be written"),
        (["results", "--format", "parquet"], "name a file|not for a terminal"),
    ):
        with pytest.raises(VigieError, match=said):
            run(config, *arguments)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(VigieError) as raised:
        run(config, "results", "--format", "parquet", "--output", str(tmp_path / "x.parquet"))
    assert raised.value.fix == "pip install 'vigie[parquet]'"
