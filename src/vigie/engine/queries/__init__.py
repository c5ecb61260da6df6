"""The read side over a store and over the parts of a running Vigie: one file for each port of `vigie.queries`."""

from collections.abc import Callable, Sequence

from vigie.core.model import Monitor
from vigie.engine.queries.availability import StoredAvailability
from vigie.engine.queries.history import StoredHistory
from vigie.engine.queries.incidents import StoredIncidents
from vigie.engine.queries.monitors import StoredMonitors, no_maintenance
from vigie.engine.queries.notices import StoredNotices
from vigie.observation.rollup import Retention
from vigie.planning.maintenance import InMaintenance
from vigie.ports import Store


class StoredQueries:
    """The Queries port.

    `monitors` are the watched ones, by the configuration in force, `maintenance` the planned work on one now, `keep` how long history is
    kept.
    """

    def __init__(
        self,
        store: Store,
        monitors: Callable[[], Sequence[Monitor]],
        maintenance: Callable[[Monitor], InMaintenance | None] = no_maintenance,
        keep: Callable[[], Retention] = Retention,
    ) -> None:
        self.monitors = StoredMonitors(store.archive, monitors, maintenance)
        self.incidents = StoredIncidents(store)
        self.availability = StoredAvailability(store.archive)
        self.history = StoredHistory(store.history, store.archive, keep)
        self.notices = StoredNotices(store.ledger, store.archive)
