"""What people have a monitor do at once."""

from dataclasses import dataclass
from typing import Protocol

from vigie.core.model import CheckResult
from vigie.errors import Fault, VigieError


class NotNow(VigieError):  # noqa: N818 - says what is the case
    """It cannot be done at this moment: it is being done, it was done a moment ago, or too much is asked at once."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A monitor that is not watched yet, checked once: what was wrong with its configuration, or what the check gave."""

    faults: tuple[Fault, ...] = ()
    result: CheckResult | None = None


class MonitorCommands(Protocol):
    """Checks and diagnostics out of turn, one at a time for a monitor."""

    async def check_now(self, monitor: str) -> CheckResult | None:
        """Check a watched monitor once, through the same door as its regular checks; None where there is no such monitor.

        Raises NotNow, also where no result came in time, and VigieError for a job that reports in by itself.
        """

    async def diagnose(self, monitor: str) -> tuple[str, ...] | None:
        """Collect the diagnostics of a first failure and return them as sentences; None where there is no such monitor. Raises NotNow."""
