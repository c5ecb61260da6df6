"""What `vigie check --explain` shows: the diagnostics of a check that was not up, its facts, and the rules' shortlist."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from vigie.adapters import collectors, zone_of
from vigie.agent import probe_deps
from vigie.collectors import Known
from vigie.config import Desired
from vigie.core.model import CheckResult, Monitor, Status
from vigie.engine.evidence import as_if, evidence_of
from vigie.engine.reporter import EVIDENCE_MS
from vigie.ports import Collector
from vigie.report import measured, rules
from vigie.report.facts import Bundle, Subject
from vigie.report.rules import Hypothesis


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
        bundles = await asyncio.gather(*(_one(settings, Subject(monitor, as_if(result), result), looks) for monitor, result in found))
        return {monitor.id: diagnosis for (monitor, _), diagnosis in zip(found, bundles, strict=True)}
    finally:
        deps.close()


async def _one(settings: Desired, subject: Subject, looks: Sequence[Collector]) -> Diagnosis:
    found = await evidence_of(subject, looks, EVIDENCE_MS)
    bundle = measured.bundle(subject, found, subject.result.at, zone_of(settings))
    return Diagnosis(bundle, rules.shortlist(bundle, subject))
