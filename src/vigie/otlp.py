"""Metrics sent to a collector by OTLP over HTTP: the same as `/metrics`, by the official SDK's exporter, which is an extra.

Values are handed to the exporter as they are, without the SDK's instruments: those would keep a second copy of every value.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING, Any

from vigie import __version__
from vigie.config.exported import Otlp
from vigie.errors import StoreError
from vigie.ports import Clock
from vigie.queries.measures import MeasureQueries, Measures
from vigie.web.metrics.samples import Sample, samples

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import MetricsData

log = logging.getLogger("vigie.otlp")

_TIMEOUT_SECONDS = 10.0
_IDLE_SECONDS = 60.0
_AT_ONCE = 5_000  # data points of one request, so that ten thousand monitors fit into a collector's limit on bodies


class OtlpExport:
    """Sends while a configuration has `metrics.otlp`. A collector that does not answer costs a line in the log and nothing else."""

    def __init__(self, measures: MeasureQueries, clock: Clock, wanted: Otlp | None) -> None:
        self._measures, self._clock, self._wanted = measures, clock, wanted
        self._changed, self._failing = asyncio.Event(), False

    def use(self, wanted: Otlp | None) -> None:
        """What a new configuration asks for."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._changed.set()

    async def run(self) -> None:
        """Send for ever, at the interval of the configuration in force."""
        while True:
            wanted = self._wanted
            self._changed.clear()
            if wanted is not None:
                await self.send(wanted)
            pause = _IDLE_SECONDS if wanted is None else int(wanted.every) / 1000
            try:
                async with asyncio.timeout(pause):
                    await self._changed.wait()
            except TimeoutError:
                pass

    async def send(self, wanted: Otlp) -> bool:
        """Send what there is now; whether the collector took it."""
        try:
            measures = await self._measures.measures()
        except StoreError as error:
            log.error("metrics cannot be read: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more
            return False
        why = await _in_thread(lambda: _export(wanted, measures, self._clock.now()))
        if why and not self._failing:
            log.warning("metrics cannot be sent to %s: %s; it is tried every %s", wanted.endpoint, why, wanted.every)
        elif not why and self._failing:
            log.info("metrics are sent to %s again", wanted.endpoint)
        self._failing = bool(why)
        return not why


async def _in_thread(work: Callable[[], str]) -> str:
    """On a daemon thread of its own: a collector that hangs must hold up neither the end of Vigie nor a thread that others need."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str] = loop.create_future()

    def settle(found: str) -> None:
        if not done.done():
            done.set_result(found)

    def run() -> None:
        found = work()
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=run, name="vigie-otlp", daemon=True).start()
    return await done


def _export(wanted: Otlp, measures: Measures, now: int) -> str:
    """Send it; why not, empty where it was taken. Never raises."""
    try:
        from opentelemetry.sdk.metrics.export import MetricExportResult

        exporter = _exporter(wanted)
        try:
            for part in _parts(measures, now):
                if exporter.export(part, timeout_millis=_TIMEOUT_SECONDS * 1000) is not MetricExportResult.SUCCESS:
                    return "the collector did not take them"
        finally:
            exporter.shutdown()
    except Exception as error:  # of a library that sends over the network: whatever it is, monitoring goes on
        log.debug("metrics could not be sent", exc_info=True)
        return f"{type(error).__name__}: {error}"
    return ""


def _exporter(wanted: Otlp) -> "OTLPMetricExporter":
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it is said in one line of ours, once
    return OTLPMetricExporter(
        endpoint=wanted.endpoint,
        headers={name: value.reveal() for name, value in wanted.headers.items()},
        timeout=_TIMEOUT_SECONDS,
        compression=Compression.Gzip if wanted.compression == "gzip" else Compression.NoCompression,
    )


def _parts(measures: Measures, now: int) -> "list[MetricsData]":
    """What is measured, in requests of a bounded size."""
    found = list(samples(measures))
    start = measures.health.started_at
    return [_data(found[first : first + _AT_ONCE], start, now) for first in range(0, len(found), _AT_ONCE)]


def _data(found: list[Sample], start: int, now: int) -> "MetricsData":
    from opentelemetry.sdk.metrics.export import Metric, MetricsData, ResourceMetrics, ScopeMetrics
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    metrics = []
    for name, alike in groupby(found, key=lambda one: one.name):
        group = list(alike)
        metrics.append(Metric(name, group[0].metric.about, "", _points(name, group, start, now)))
    resource = Resource({"service.name": "vigie", "service.version": __version__})
    scope = ScopeMetrics(InstrumentationScope("vigie", __version__), metrics, "")
    return MetricsData([ResourceMetrics(resource, [scope], "")])


def _points(name: str, group: list[Sample], start: int, now: int) -> Any:
    """A gauge, or a sum that only grows since the start."""
    from opentelemetry.sdk.metrics.export import AggregationTemporality, Gauge, NumberDataPoint, Sum

    counted = group[0].metric.kind == "counter" or name != group[0].metric.name
    began = start * 1_000_000 if counted else None
    points = [NumberDataPoint(dict(one.labels), began, now * 1_000_000, one.value) for one in group]  # type: ignore[arg-type]  # a gauge has no start
    if counted:
        return Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=True)
    return Gauge(points)
