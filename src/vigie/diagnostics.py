"""What `vigie check --explain` shows: the diagnostics of a check that was not up, its facts, and the rules' shortlist."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from vigie.agent import probe_deps
from vigie.app import collectors, zone_of
from vigie.collectors import Known
from vigie.config import Desired
from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Status
from vigie.engine.reporter import EVIDENCE_MS
from vigie.ports import Collector
from vigie.report import measured, rules
from vigie.report.facts import Bundle, Evidence, Subject
from vigie.report.rules import Hypothesis

log = logging.getLogger("vigie.diagnostics")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is known and what is supposed; `hypotheses` are empty when nothing fits."""

    bundle: Bundle
    hypotheses: tuple[Hypothesis, ...]


async def explain(settings: Desired, checked: Sequence[tuple[Monitor, CheckResult]]) -> dict[str, Diagnosis]:
    """The diagnosis of each result that is not up, by monitor id; at most 5 s, all of them side by side."""
    deps = probe_deps(list(settings.control))

    async def known() -> Known:
        return list(checked)

    looks = collectors(settings, deps, known)
    try:
        found = [(monitor, result) for monitor, result in checked if result.status is not Status.UP]
        bundles = await asyncio.gather(*(_one(settings, Subject(monitor, _as_if(result), result), looks) for monitor, result in found))
        return {monitor.id: diagnosis for (monitor, _), diagnosis in zip(found, bundles, strict=True)}
    finally:
        deps.close()


def _as_if(result: CheckResult) -> Incident:
    """The incident that this result would open."""
    severity = Severity.DEGRADATION if result.status is Status.DEGRADED else Severity.OUTAGE
    return Incident(result.monitor, result.monitor, severity, result.cause or Cause.PROBE_ERROR, result.at, result.at)


async def _one(settings: Desired, subject: Subject, looks: Sequence[Collector]) -> Diagnosis:
    found: list[Evidence] = []

    async def collect(look: Collector) -> None:
        try:
            async with asyncio.timeout(EVIDENCE_MS / 1000):
                found.extend(await look.collect(subject, EVIDENCE_MS))
        except Exception as error:  # noqa: BLE001 - one kind of evidence that fails must not cost the others
            log.warning("%s: diagnostics failed: %s", subject.monitor.name, error)

    await asyncio.gather(*(collect(look) for look in looks))
    bundle = measured.bundle(subject, found, subject.result.at, zone_of(settings))
    return Diagnosis(bundle, rules.shortlist(bundle, subject))
