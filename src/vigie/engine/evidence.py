"""Diagnostics that somebody asks for: what every collector finds about one result, whether or not there is an incident."""

import asyncio
import logging
from collections.abc import Iterable

from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, Incident, Status
from vigie.ports import Collector
from vigie.report.facts import Evidence, Subject

log = logging.getLogger("vigie.diagnostics")


def as_if(result: CheckResult) -> Incident:
    """The incident that this result would open."""
    severity = Severity.DEGRADATION if result.status is Status.DEGRADED else Severity.OUTAGE
    return Incident(result.monitor, result.monitor, severity, result.cause or Cause.PROBE_ERROR, result.at, result.at)


async def evidence_of(subject: Subject, collectors: Iterable[Collector], budget_ms: int) -> list[Evidence]:
    """From all of them side by side, each within `budget_ms`; one that fails costs only what it would have found."""
    found: list[Evidence] = []

    async def collect(one: Collector) -> None:
        try:
            async with asyncio.timeout(budget_ms / 1000):
                found.extend(await one.collect(subject, budget_ms))
        except Exception as error:  # noqa: BLE001 - one kind of evidence that fails must not cost the others
            log.warning("%s: diagnostics failed: %s", subject.monitor.name, error)

    await asyncio.gather(*(collect(one) for one in collectors))
    return found
