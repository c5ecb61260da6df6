"""Everything that is known of one watched monitor as it is now, beside its history."""

from dataclasses import dataclass
from typing import Protocol

from vigie.core.model import CheckResult, Timings
from vigie.observation.heartbeat import Job, Ping
from vigie.observation.visibility import Blind
from vigie.planning.maintenance import MaintenanceSpan
from vigie.queries import MonitorView

PINGS = 20
LOOK_BACK_MS = 90 * 86_400_000


@dataclass(frozen=True, slots=True)
class MonitorDetails:
    """One monitor. `usual` is what each phase takes at this hour by what was learnt of it, None while it is learnt.

    `whole` is the newest good check that was kept whole, with its certificates. `pings` (newest first) and `job` are those of a job that
    reports in. `blind` and `maintenance` are the spans of the last ninety days in which it was not seen, or was in planned work.
    `places` is the newest result from each location, by its name, where there are several.
    """

    view: MonitorView
    usual: Timings | None = None
    whole: CheckResult | None = None
    pings: tuple[Ping, ...] = ()
    job: Job | None = None
    blind: tuple[Blind, ...] = ()
    maintenance: tuple[MaintenanceSpan, ...] = ()
    places: tuple[CheckResult, ...] = ()


class DetailQueries(Protocol):
    """Raises StoreError."""

    async def monitor(self, monitor: str) -> MonitorDetails | None:
        """One watched monitor; None where there is none of this id."""
