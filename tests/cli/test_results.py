"""How `vigie check` writes results: the JSON contract, the plugin line, the worst status."""

import json
from dataclasses import replace
from datetime import UTC

import pytest

from vigie.cli import results
from vigie.core.model import Cause, CheckResult, HttpFacts, Monitor, Status, Timings, TlsFacts
from vigie.planning.maintenance import InMaintenance

MONITOR = Monitor("shop", "Shop | API's", "http", "https://shop.test/", "shop.test", 60_000, 10_000)
RESULT = CheckResult(
    "shop",
    1_767_225_600_123,
    Status.DEGRADED,
    Cause.LATENCY_THRESHOLD,
    "answered in 912 ms, limit 800 ms",
    timings=Timings(1.04, 2.0, 3.0, 900.0, 6.0, 912.04),
    figures={"limit_ms": 800, "measured_ms": 912},
    address="203.0.113.7",
    http=HttpFacts(200, "2", 1, 512, "text/html"),
    tls=TlsFacts("TLSv1.3", "Example CA", "shop.test", 1_770_000_000_000, 32),
    advice=("Look.",),
)


def test_json_has_the_documented_fields() -> None:
    found = json.loads(results.json_line(MONITOR, RESULT))

    assert found == {
        "monitor": "Shop | API's",
        "url": "https://shop.test/",
        "status": "degraded",
        "cause": "latency.threshold",
        "message": "answered in 912 ms, limit 800 ms",
        "at": "2026-01-01T00:00:00.123Z",
        "location": "local",
        "address": "203.0.113.7",
        "timings": {"dns": 1.0, "connect": 2.0, "tls": 3.0, "first_byte": 900.0, "transfer": 6.0, "total": 912.0},
        "http": {"status": 200, "version": "2", "redirects": 1, "bytes": 512, "type": "text/html"},
        "tls": {
            "version": "TLSv1.3",
            "issuer": "Example CA",
            "subject": "shop.test",
            "days_left": 32,
            "limited_by": None,
            "expires_at": "2026-02-02T02:40:00.000Z",
        },
        "advice": ["Look."],
        "maintenance": None,
    }


def test_maintenance_is_said_beside_the_status() -> None:
    held = InMaintenance(1_767_225_600_000, "new disk")
    assert json.loads(results.json_line(MONITOR, RESULT, None, held))["maintenance"] == {
        "until": "2026-01-01T00:00:00.000Z",
        "why": "new disk",
    }
    line = results.in_maintenance(held, UTC)
    assert line == "in maintenance until 2026-01-01 00:00:00 UTC: new disk"
    assert f"\n  {line}\n" in results.text(MONITOR, RESULT, colour=False, maintenance=line)
    assert results.in_maintenance(InMaintenance(1_767_225_600_000, ""), UTC).endswith("00:00:00 UTC")


def test_what_did_not_happen_is_null() -> None:
    found = json.loads(results.json_line(MONITOR, CheckResult("shop", 0, Status.DOWN, Cause.TCP_REFUSED)))

    assert (found["http"], found["tls"], found["timings"]["connect"]) == (None, None, None)


def test_a_plugin_line_is_one_line_with_performance_data() -> None:
    line = results.nagios([(MONITOR, RESULT)])

    assert line.startswith("VIGIE WARNING - Shop / API's: answered in 912 ms, limit 800 ms | ")
    assert "'time'=0.912040s;0.8;;0" in line
    assert "'size'=512B;;;0" in line
    assert "\n" not in line
    assert line.count("|") == 1


def test_of_several_the_worst_speaks() -> None:
    up = CheckResult("wiki", 0, Status.UP, timings=Timings(total=12))
    line = results.nagios([(replace(MONITOR, name="Wiki"), up), (MONITOR, RESULT)])

    assert line.startswith("VIGIE WARNING - Shop / API's: answered")
    assert "'Wiki time'=0.012000s" in line


def test_one_day_is_no_days() -> None:
    tls = TlsFacts("TLSv1.3", "Example CA", "shop.test", 0, 1)
    assert "by Example CA, 1 day left" in results.text(MONITOR, replace(RESULT, tls=tls), colour=False)
    assert "expired 1 day ago" in results.text(MONITOR, replace(RESULT, tls=replace(tls, days_left=-1)), colour=False)


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([], 0),
        ([Status.UP], 0),
        ([Status.UP, Status.DEGRADED], 1),
        ([Status.DEGRADED, Status.UNKNOWN], 3),
        ([Status.UNKNOWN, Status.DOWN], 2),
    ],
)
def test_the_exit_status_is_the_worst(statuses: list[Status], code: int) -> None:
    assert results.EXIT[results.worst(statuses)] == code


def test_text_holds_the_verdict_the_phases_and_the_advice() -> None:
    text = results.text(MONITOR, RESULT, colour=False)

    for words in ("DEGRADED  Shop | API's  https://shop.test/  latency.threshold", "first byte 900.0 ms", "32 days left", "→ Look."):
        assert words in text
    assert "\x1b" not in text
    assert "\x1b[33m" in results.text(MONITOR, RESULT, colour=True)
