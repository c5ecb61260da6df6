"""Vigie's own metrics: a few dozen lines, by prometheus_client in a registry that lives for one answer."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.process_collector import ProcessCollector

from vigie.core.model import Status
from vigie.queries import MonitorState
from vigie.queries.measures import Measures
from vigie.web.metrics.catalogue import OWN

_Reading = tuple[tuple[str, ...], float]


def registry(measures: Measures) -> CollectorRegistry:
    """What is measured at this moment, and what the system knows of this process."""
    made = CollectorRegistry(auto_describe=False)
    made.register(_Own(measures))
    ProcessCollector(registry=made)
    return made


class _Own:
    """A collector over values that are there already."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    def collect(self) -> Iterator[Metric]:
        """The families."""
        yield from families(self._measures)


def families(measures: Measures) -> Iterator[Metric]:
    """Every family of the catalogue's `OWN`, with its samples."""
    found = _by_label(measures)
    found |= {name: [((), value)] for name, value in _single(measures).items() if value is not None}
    for name, about in OWN.items():
        if about.kind == "summary":
            yield _summary(name, measures)
            continue
        family: Any = CounterMetricFamily if about.kind == "counter" else GaugeMetricFamily
        made = family(name, about.about, labels=about.labels)
        for labels, value in found.get(name, ()):
            made.add_metric(labels, value)
        yield made


def _single(measures: Measures) -> dict[str, float | None]:
    health, tally = measures.health, measures.tally
    last, applied = health.last_result_at, measures.config_applied_at
    return {
        "vigie_start_timestamp_seconds": health.started_at / 1000,
        "vigie_healthy": float(health.ok),
        "vigie_evaluating": float(measures.evaluates),
        "vigie_prober_running": float(measures.prober_running),
        "vigie_store_failing": float(measures.store_failing),
        "vigie_blind": float(measures.blind),
        "vigie_last_result_timestamp_seconds": None if last is None else last / 1000,
        "vigie_monitors_unchecked": float(len(health.unchecked)),
        "vigie_monitors_with_incident": float(health.with_incident),
        "vigie_alerts_open": float(measures.alerts_open),
        "vigie_model_tokens_total": float(tally.reply_tokens),
        "vigie_model_tokens_per_second": round(tally.reply_tokens / tally.decode_ms * 1000, 2) if tally.decode_ms else None,
        "vigie_store_bytes": measures.store_bytes,
        "vigie_store_disk_free_bytes": measures.disk_free,
        "vigie_config_applied_timestamp_seconds": None if applied is None else applied / 1000,
        "vigie_config_refused": float(measures.config_refused),
    }


def _by_label(measures: Measures) -> dict[str, list[_Reading]]:
    health, tally, late = measures.health, measures.tally, measures.lateness
    states = dict.fromkeys(MonitorState, 0)
    for one in measures.monitors:
        states[one.state] += 1
    return {
        "vigie_build_info": [((health.version,), 1.0)],
        "vigie_check_lateness_seconds": [] if late is None else [(("0.99",), late.p99 / 1000), (("1",), late.maximum / 1000)],
        "vigie_monitors": [((state.value,), float(count)) for state, count in states.items()],
        "vigie_checks_total": [((status.value,), float(tally.checks.get(status, 0))) for status in Status],
        "vigie_notices": [(("waiting",), float(health.notices.waiting)), (("undeliverable",), float(health.notices.undeliverable))],
        "vigie_deliveries_total": [(key, float(count)) for key, count in sorted(tally.deliveries.items())],
        "vigie_channel_failing": [((name,), float(failing)) for name, failing in sorted(measures.failing_channels.items())],
        "vigie_reports_total": [((outcome,), float(tally.reports.get(outcome, 0))) for outcome in ("analysis", "plain")],
        "vigie_model_replies_total": [((outcome,), float(count)) for outcome, count in sorted(tally.replies.items())],
    }


def _summary(name: str, measures: Measures) -> Metric:
    about, tally = OWN[name], measures.tally
    made = SummaryMetricFamily(name, about.about, labels=about.labels)
    if name == "vigie_model_seconds":
        made.add_metric((), sum(tally.replies.values()), round(tally.reply_ms / 1000, 3))
        return made
    for channel, took_ms in sorted(tally.delivery_ms.items()):
        attempts = sum(count for (of, _), count in tally.deliveries.items() if of == channel)
        made.add_metric((channel,), attempts, round(took_ms / 1000, 3))
    return made
