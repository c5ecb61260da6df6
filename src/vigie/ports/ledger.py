"""The side of the store that the engine decides with: what was decided and what must be sent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from vigie.core.alert import AlertState
from vigie.core.incident import DetectionState
from vigie.core.model import CheckResult, Incident, Monitor
from vigie.fleet.packed import Rows
from vigie.learning.baseline import Baseline
from vigie.observation.channel import ChannelState
from vigie.observation.heartbeat import Job
from vigie.observation.visibility import Blind
from vigie.planning.maintenance import MaintenanceSpan
from vigie.ports.archive import StoredReport, TimelineEntry
from vigie.ports.catalog import StoredDefinition
from vigie.ports.fleet import Lease
from vigie.ports.outbox import Delivery, OutboxCounts, OutboxRow, OutboxState, StoredNotice


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything that one turn of ingest changes; written as one transaction or not at all."""

    results: tuple[CheckResult, ...] = ()
    states: tuple[DetectionState, ...] = ()
    alerts: tuple[AlertState, ...] = ()  # inserted or replaced; who their members are is known by the incidents
    incidents: tuple[Incident, ...] = ()  # whole rows, inserted or replaced
    timeline: tuple[TimelineEntry, ...] = ()
    outbox: tuple[OutboxRow, ...] = ()  # a key already there is left alone
    cursors: tuple[tuple[str, int, int], ...] = ()  # (agent, run, sequence) taken in
    details: tuple[CheckResult, ...] = ()  # whole results worth keeping: failures, and the first good one after
    baselines: tuple[tuple[str, Baseline], ...] = ()  # (monitor, what is usual for it); may wait, they decide nothing
    blind: tuple[Blind, ...] = ()  # whole rows, inserted or replaced by their number
    maintenance: tuple[MaintenanceSpan, ...] = ()  # whole rows, inserted or replaced by their key
    commands: tuple[int, ...] = ()  # numbers of the inbox's commands that this change applies: they are gone with it
    watched: tuple[Monitor, ...] | None = None  # the stored monitors become these, as by `Catalog.sync_monitors`; None: they stay
    jobs: tuple[Job, ...] = ()  # whole rows, inserted or replaced
    definitions: tuple[StoredDefinition, ...] = ()  # whole rows, inserted or replaced by their kind and id
    undefined: tuple[tuple[str, str], ...] = ()  # (kind, id) of definitions that are gone
    packed: tuple[Rows, ...] = ()  # further results, as they are kept: good ones of watched monitors, with the facts of the one before


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a start needs: by monitor id, and by agent its (run, sequence) last taken in. A baseline that cannot be read is missing."""

    states: dict[str, DetectionState]
    alerts: tuple[AlertState, ...]  # the open ones
    incidents: tuple[Incident, ...]  # the open ones, newest first
    cursors: dict[str, tuple[int, int]]
    baselines: dict[str, Baseline]


class Ledger(Protocol):
    """What was decided and what must be sent. One process writes it. Raises StoreError and nothing else, from any task."""

    async def next_run(self) -> int:
        """A number larger than any that was given, for `CheckResult.run`, `Batch.run` and spools; also after a backup was restored."""

    def fence(self, lease: Lease | None) -> None:
        """Have every commit from now on look, in its own transaction, whether this lease still has its holder and epoch.

        Where it has not, the commit raises StoreError(FENCED), and what waited to be written is given up: another server has decided
        since. None: commits are free.
        """

    async def load(self) -> Snapshot:
        """All that a start needs."""

    async def commit(self, change: Commit) -> None:
        """Write it whole; fsynced before it returns when it carries what was decided: states, incidents, notices, commands.

        Raises StoreError(FENCED) as `fence` says.
        """

    async def flush(self) -> None:
        """Have what was committed so far fsynced before this returns, also what decided nothing. Raises StoreError(FENCED) as `commit`."""

    async def claim(self, now: int, lease_ms: int, limit: int, held_at: int | None = None) -> list[OutboxRow]:
        """Due rows that nobody holds, oldest first, held by the caller for `lease_ms`.

        A later notice never overtakes an earlier one of its incident and channel. `held_at` is the time by which leases end where several
        servers claim, whose clocks may differ: that of the store. Without it a lease that ends later than any can was written by a process
        whose clock ran ahead and that is gone: it holds nothing.
        """

    async def next_due(self) -> int | None:
        """When the next outbox row is due (or its lease ends); None when nothing waits."""

    async def record(
        self,
        delivery: Delivery,
        retry_at: int | None = None,
        then: Sequence[OutboxRow] = (),
        channel: ChannelState | None = None,
        held_until: int | None = None,
    ) -> bool:
        """Record an attempt and what becomes of its row: delivered, tried again at `retry_at`, or undeliverable when that is None.

        What was dropped meanwhile stays dropped, unless it was delivered. `then` rows are added and `channel` is kept in the same
        transaction. `held_until` is when the caller's claim ends, where several servers claim: of a failure nothing comes but the attempt
        where the row is not the caller's any more. Whether something came of it.
        """

    async def save_channel(self, channel: ChannelState, then: Sequence[OutboxRow] = ()) -> None:
        """Keep what is known of a channel, and add the notices about it, in one transaction."""

    async def retry(self, keys: Collection[str], now: int) -> None:
        """Have these rows tried by `now`: what waits is due and what was undeliverable waits again, held by nobody; the rest stays.

        Where several servers claim, what one of them is sending stays its own until it is recorded, or the claim ends.
        """

    async def drop(self, keys: Collection[str], by: str, now: int) -> None:
        """Give these rows up where they wait or are undeliverable, with a `DROPPED` entry beside the attempts; the rest stays."""

    async def notices(
        self,
        *,
        alert: str | None = None,
        threads: str | None = None,
        states: Collection[OutboxState] | None = None,
        channel: str | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> list[StoredNotice]:
        """The newest rows, oldest of them first: those of an alert, in these states, or of a channel alone, where that is given.

        `threads` is what `Notice.alert` begins with, in ASCII; `before` is the key of a row: those that are older.
        """

    async def save_report(self, report: StoredReport, now: int, follow_ups: Sequence[OutboxRow]) -> None:
        """Keep the report, and join it to the opening notice or let it follow, in one transaction.

        Opening notices not yet claimed become due at once; for those already claimed or delivered, the follow-up row of the same
        channel is added.
        """

    async def outbox(self, state: OutboxState, alert: str | None = None) -> list[OutboxRow]:
        """The rows in one state, oldest first; those of an alert alone, where one is given."""

    async def counts(self) -> OutboxCounts:
        """How many rows wait and how many could not be delivered; costs the same however many there are, and waits for no other read."""

    async def close(self) -> None:
        """Commit what waits and close the whole store. Closing twice is harmless."""
