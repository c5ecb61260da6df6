"""Looking at a target that is not watched, as blackbox_exporter does: by a module, whenever Prometheus asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from vigie.core.model import CheckResult


class ProbeFault(StrEnum):
    """Why nothing was looked at."""

    MODULE = "module"  # there is none of this name
    TARGET = "target"  # it does not fit the module
    INTERNAL = "internal"  # who asks may not look at internal addresses
    NOT_NOW = "not_now"  # too many at once, or the prober does not answer


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of it: a result, or a fault and its words. `module` is how the module is configured, secrets masked."""

    result: CheckResult | None = None
    fault: ProbeFault | None = None
    words: str = ""
    kind: str = ""
    module: Mapping[str, object] = field(default_factory=dict)


class ProbeCommands(Protocol):
    """Nothing is kept of it, and nobody is notified."""

    async def probe(self, target: str, module: str, timeout_ms: int, *, trusted: bool) -> Probed:
        """Look once, within `timeout_ms` or the module's own time-out. Who is not `trusted` may not look at internal addresses."""
