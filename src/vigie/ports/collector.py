"""The port of diagnostics."""

from collections.abc import Sequence
from typing import Protocol

from vigie.report.facts import Evidence, Subject


class Collector(Protocol):
    """One kind of diagnostics on the first failure."""

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """Bring evidence within `budget_ms`; own faults yield fewer facts, never an exception."""
