"""Metrics sent to a real collector's endpoint on loopback, which reads the protobuf: names, labels, kinds, headers, and faults."""

import asyncio
import gzip
import logging
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest, ExportMetricsServiceResponse
from tests.web.test_metrics import Asked, failed, good, measures, monitor, of

from vigie.clock import SystemClock
from vigie.config import load
from vigie.config.exported import Otlp
from vigie.errors import ConfigError
from vigie.net import Secret
from vigie.otlp import OtlpExport
from vigie.planning.duration import Duration


class Collector(ThreadingHTTPServer):
    """Takes what is posted; `status` is what it answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: list[ExportMetricsServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.came = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/metrics"

    def points(self) -> dict[str, list[Any]]:
        """Everything that came, by the name of its metric."""
        found: dict[str, list[Any]] = {}
        for request in self.taken:
            for one in request.resource_metrics[0].scope_metrics[0].metrics:
                found.setdefault(one.name, []).append(one)
        return found


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        server.headers.append({name.lower(): value for name, value in self.headers.items()})
        if server.status == 200:
            server.taken.append(ExportMetricsServiceRequest.FromString(body))
        self.send_response(server.status)
        answer = ExportMetricsServiceResponse().SerializeToString()
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        server.came.set()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.shutdown()
    made.server_close()


KNOWN = measures(of(monitor("shop", tags=("eu",)), good("shop"), good("shop", "paris")), of(monitor("gone"), failed("gone")))


def exporter() -> OtlpExport:
    return OtlpExport(Asked(KNOWN), SystemClock(), None)


def labels(point: Any) -> dict[str, str]:
    return {one.key: one.value.string_value for one in point.attributes}


async def test_a_collector_is_given_what_metrics_say(collector: Collector) -> None:
    assert await exporter().send(Otlp(endpoint=collector.url, headers={"authorization": Secret("Bearer word")}))

    found = collector.points()
    (success,) = found["probe_success"]
    assert [(labels(one), one.as_int) for one in success.gauge.data_points] == [
        ({"monitor": "shop", "location": "local"}, 1),
        ({"monitor": "shop", "location": "paris"}, 1),
        ({"monitor": "gone", "location": "local"}, 0),
    ]
    (deliveries,) = found["vigie_deliveries_total"]
    assert deliveries.sum.is_monotonic
    assert deliveries.sum.aggregation_temporality == 2
    assert {labels(one)["outcome"]: one.as_double for one in deliveries.sum.data_points} == {"delivered": 2, "timeout": 1}
    assert all(one.start_time_unix_nano for one in deliveries.sum.data_points)
    (info,) = found["vigie_monitor_info"]
    assert labels(info.gauge.data_points[0])["tags"] == "eu"
    assert {one.key: one.value.string_value for one in collector.taken[0].resource_metrics[0].resource.attributes}[
        "service.name"
    ] == "vigie"
    assert collector.headers[0]["authorization"] == "Bearer word"
    assert collector.headers[0]["content-encoding"] == "gzip"


async def test_it_is_the_same_as_what_is_scraped(collector: Collector) -> None:
    from prometheus_client.parser import text_string_to_metric_families as parsed

    from vigie.web.metrics.exposition import Lines, exposition

    await exporter().send(Otlp(endpoint=collector.url, compression="none"))

    scraped = {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in parsed(exposition(KNOWN, Lines(), "", packed=False)[0].decode())
        for one in family.samples
        if not one.name.startswith(("process_", "vigie_monitor_last_check"))
    }
    sent = {
        (name, tuple(sorted(labels(point).items()))): point.as_double or float(point.as_int)
        for name, metrics in collector.points().items()
        for one in metrics
        for point in (one.gauge.data_points or one.sum.data_points)
    }
    assert sent == scraped


async def test_a_collector_that_refuses_is_logged_once_and_its_return_too(collector: Collector, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vigie.otlp")
    collector.status, sending = 400, exporter()
    wanted = Otlp(endpoint=collector.url, headers={"authorization": Secret("Bearer word")})

    outcomes = [await sending.send(wanted), await sending.send(wanted)]
    collector.status = 200
    outcomes.append(await sending.send(wanted))

    assert outcomes == [False, False, True]
    assert len([one for one in caplog.messages if "cannot be sent" in one]) == 1
    assert caplog.messages[-1] == f"metrics are sent to {collector.url} again"
    assert "word" not in caplog.text


async def test_a_store_that_cannot_be_read_sends_nothing(collector: Collector) -> None:
    assert not await OtlpExport(Asked(None), SystemClock(), None).send(Otlp(endpoint=collector.url))
    assert collector.taken == []


async def test_a_new_configuration_is_followed_at_once(collector: Collector) -> None:
    sending = exporter()
    running = asyncio.create_task(sending.run())
    await asyncio.sleep(0)

    sending.use(Otlp(endpoint=collector.url, every=Duration(3_600_000)))

    assert await asyncio.to_thread(collector.came.wait, 20)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_without_the_extra_the_configuration_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.split(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    (tmp_path / "vigie.yaml").write_text(
        "metrics: {otlp: {endpoint: 'http://localhost:4318/v1/metrics'}}\nmonitors: [https://shop.test/]\n"
    )

    with pytest.raises(ConfigError, match="pip install 'vigie\\[otel\\]'"):
        load(tmp_path / "vigie.yaml", {}, tmp_path)
