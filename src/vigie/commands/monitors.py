"""What people have a monitor do at once."""

from dataclasses import dataclass
from typing import Protocol

from vigie.core.model import CheckResult
from vigie.errors import Fault


@dataclass(frozen=True, slots=True)
class Tried:
    """A monitor that is not watched yet, checked once: what was wrong with its configuration, or what the check gave."""

    faults: tuple[Fault, ...] = ()
    result: CheckResult | None = None


class MonitorCommands(Protocol):
    """Checks and diagnostics out of turn, one at a time for a monitor."""

    async def check_now(self, monitor: str) -> CheckResult | None:
        """Check a watched monitor once, through the same door as its regular checks; None where there is no such monitor."""

    async def diagnose(self, monitor: str) -> tuple[str, ...] | None:
        """Collect the diagnostics of a first failure and return them as sentences; None where there is no such monitor."""
