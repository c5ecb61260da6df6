"""The same metrics as plain values, for whoever writes them in another format."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vigie.queries.measures import Measures
from vigie.web.metrics.catalogue import (
    CHECKED,
    MONITOR_CAUSE,
    MONITOR_INCIDENT,
    MONITOR_INFO,
    MONITOR_STATE,
    OWN,
    TLS_VERSION,
    Metric,
    Number,
)
from vigie.web.metrics.own import families


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric; a counter and a summary count since the start."""

    metric: Metric
    name: str  # that of the metric, with `_sum` or `_count` of a summary
    labels: Mapping[str, str]
    value: Number


def samples(measures: Measures) -> Iterator[Sample]:
    """All of them, those of one metric together."""
    for family in families(measures):
        metric = OWN.get(family.name) or OWN[f"{family.name}_total"]
        for one in family.samples:
            yield Sample(metric, one.name, one.labels, one.value)
    places = [({"monitor": one.monitor.id, "location": seen.location}, seen) for one in measures.monitors for seen in one.seen]
    for checked in CHECKED:
        for extra, read in checked.readings:
            for labels, seen in places:
                if (value := read(seen)) is not None:
                    yield Sample(checked.metric, checked.metric.name, {**labels, **extra}, value)
    for labels, seen in places:
        if seen.tls_version is not None:
            yield Sample(TLS_VERSION, TLS_VERSION.name, {**labels, "version": seen.tls_version.replace("TLSv", "TLS ")}, 1)
    for labels, seen in places:
        if seen.cause is not None:
            yield Sample(MONITOR_CAUSE, MONITOR_CAUSE.name, {**labels, "cause": seen.cause.value}, 1)
    yield from _of_monitors(measures)


def _of_monitors(measures: Measures) -> Iterator[Sample]:
    for one in measures.monitors:
        it = one.monitor
        about = {"monitor": it.id, "name": it.name, "kind": it.kind, "target": it.target, "tags": ",".join(it.tags)}
        yield Sample(MONITOR_INFO, MONITOR_INFO.name, about, 1)
    for one in measures.monitors:
        yield Sample(MONITOR_STATE, MONITOR_STATE.name, {"monitor": one.monitor.id, "state": one.state.value}, 1)
    for one in measures.monitors:
        yield Sample(MONITOR_INCIDENT, MONITOR_INCIDENT.name, {"monitor": one.monitor.id}, int(one.incident))
