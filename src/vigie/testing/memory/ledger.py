"""The ledger in memory."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from vigie.core.members import Member, Members
from vigie.core.notification import OPENINGS
from vigie.observation.channel import ChannelState
from vigie.ports import DROPPED, Commit, Delivery, Lease, OutboxCounts, OutboxRow, OutboxState, Snapshot, StoredNotice, StoredReport
from vigie.testing.memory.data import Data, Row
from vigie.testing.memory.fleet import check_lease

_WAITING, _DELIVERED = OutboxState.WAITING, OutboxState.DELIVERED
_UNSENT = (_WAITING, OutboxState.UNDELIVERABLE)


def _members(data: Data, alert: str) -> Members:
    rows = [one for one in data.incidents.values() if one.alert == alert]
    return Members(Member(one.id, one.monitor, one.closed_at is None, one.severity) for one in rows)


class MemoryLedger:
    """The Ledger port without a disk."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._lease: Lease | None = None

    async def next_run(self) -> int:
        """A number larger than at any earlier start."""
        self._data.check()
        self._data.run += 1
        return self._data.run

    def fence(self, lease: Lease | None) -> None:
        """Refuse every commit from now on, unless this lease still has its holder and epoch."""
        self._lease = lease

    async def load(self) -> Snapshot:
        """All that a start needs."""
        self._data.check()
        data = self._data
        alerts = tuple(replace(one, members=_members(data, one.id)) for one in data.alerts.values() if one.is_open)
        return Snapshot(dict(data.states), alerts, tuple(data.open_incidents()), dict(data.cursors), dict(data.baselines))

    async def commit(self, change: Commit) -> None:
        """Write it whole."""
        self._data.check()
        data = self._data
        if self._lease is not None:
            check_lease(data, self._lease)
        data.commits.append(change)
        data.states.update((state.monitor, state) for state in change.states)
        data.alerts.update((one.id, one) for one in change.alerts)
        data.incidents.update((one.id, one) for one in change.incidents)
        data.timeline.extend(change.timeline)
        self._enqueue(change.outbox)
        data.cursors.update((agent, (run, sequence)) for agent, run, sequence in change.cursors)
        data.details.extend(change.details)
        for one in change.details:
            data.watched_since[one.monitor] = min(one.at, data.watched_since.get(one.monitor, one.at))
        data.baselines.update(change.baselines)
        data.blind.update((one.number, one) for one in change.blind)
        data.maintained.update((one.key, one) for one in change.maintenance)
        for one in data.results_of(change):
            data.newest[one.monitor, one.location] = one
        for number in change.commands:
            data.commands.pop(number, None)
        if change.watched is not None:
            data.watch({monitor.id for monitor in change.watched})
        data.jobs.update((job.monitor, job) for job in change.jobs)
        data.definitions.update(((one.kind, one.id), one) for one in change.definitions)
        for key in change.undefined:
            data.definitions.pop(key, None)

    async def flush(self) -> None:
        """Nothing waits."""
        self._data.check()
        if self._lease is not None:
            check_lease(self._data, self._lease)

    def _enqueue(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            self._data.rows.setdefault(row.notice.key, Row(replace(row, attempts=0)))

    def _first(self) -> list[Row]:
        """The oldest waiting row of each incident and channel; the others wait for it."""
        found: dict[tuple[str, str], Row] = {}
        for one in self._data.rows.values():
            if one.state is _WAITING:
                found.setdefault(one.thread, one)
        return list(found.values())

    async def claim(self, now: int, lease_ms: int, limit: int, held_at: int | None = None) -> list[OutboxRow]:
        """Due rows that nobody holds, oldest first, each the first of its incident and channel."""
        self._data.check()
        at, longest = (now, now + lease_ms) if held_at is None else (held_at, None)
        free = [one for one in self._first() if one.lease_until <= at or (longest is not None and one.lease_until > longest)]
        due = [one for one in free if one.row.due_at <= now]
        due = sorted(due, key=lambda one: one.row.due_at)[:limit]
        for one in due:
            one.lease_until = at + lease_ms
        return [one.row for one in due]

    async def next_due(self) -> int | None:
        """When the next row can be claimed; None when nothing waits."""
        self._data.check()
        return min((one.claimable_at for one in self._first()), default=None)

    async def record(
        self,
        delivery: Delivery,
        retry_at: int | None = None,
        then: Sequence[OutboxRow] = (),
        channel: ChannelState | None = None,
        held_until: int | None = None,
    ) -> bool:
        """Record an attempt and what becomes of its row; the key stays, so that it is never sent again."""
        self._data.check()
        row = self._data.rows.get(delivery.key)
        self._data.deliveries.append(delivery)
        if row is not None and delivery.failure is None:
            row.state, row.lease_until = _DELIVERED, 0
        elif held_until is not None and (row is None or row.state not in _UNSENT or row.lease_until != held_until):
            return False
        elif row is not None and row.state in _UNSENT:
            due_at = row.row.due_at if retry_at is None else retry_at
            row.row, row.lease_until = replace(row.row, attempts=row.row.attempts + 1, due_at=due_at), 0
            row.state = OutboxState.UNDELIVERABLE if retry_at is None else _WAITING
        self._enqueue(then)
        if channel is not None:
            self._data.channels[channel.channel] = channel
        return True

    async def save_channel(self, channel: ChannelState, then: Sequence[OutboxRow] = ()) -> None:
        """Keep what is known of a channel, with the notices about it."""
        self._data.check()
        self._enqueue(then)
        self._data.channels[channel.channel] = channel

    async def retry(self, keys: Collection[str], now: int) -> None:
        """Have these rows tried by `now`."""
        self._data.check()
        for one in (self._data.rows[key] for key in keys if key in self._data.rows):
            if one.state in _UNSENT:
                one.row, one.state, one.lease_until = replace(one.row, due_at=min(one.row.due_at, now)), _WAITING, 0

    async def drop(self, keys: Collection[str], by: str, now: int) -> None:
        """Give these rows up where they are unsent, and keep who did."""
        self._data.check()
        for one in (self._data.rows[key] for key in keys if key in self._data.rows):
            if one.state in _UNSENT:
                one.state, one.lease_until = OutboxState.DROPPED, 0
                self._data.deliveries.append(Delivery.of(one.row.notice, now, 0, DROPPED, by, 0))

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
        """The newest rows, oldest of them first."""
        self._data.check()
        rows = list(self._data.rows.values())
        if before is not None:
            keys = list(self._data.rows)
            rows = rows[: keys.index(before)] if before in keys else []
        found = [
            StoredNotice(one.row, one.state)
            for one in rows
            if alert in (None, one.row.notice.alert)
            and one.row.notice.alert.startswith(threads or "")
            and channel in (None, one.row.notice.channel)
            and (states is None or one.state in states)
        ]
        return found if limit is None else found[len(found) - min(limit, len(found)) :]

    async def save_report(self, report: StoredReport, now: int, follow_ups: Sequence[OutboxRow]) -> None:
        """Keep the report, and join it to the opening notice or let it follow."""
        self._data.check()
        self._data.reports[report.incident] = report
        notified, about = set[str](), self._data.incidents.get(report.incident)
        alert = report.incident if about is None else about.alert
        for one in self._data.rows.values():
            notice = one.row.notice
            if notice.alert != alert or notice.reason not in OPENINGS:
                continue
            if one.state is _DELIVERED or (one.state is _WAITING and one.lease_until > now):
                notified.add(notice.channel)
            elif one.state is _WAITING and one.row.attempts == 0:
                one.row = replace(one.row, due_at=min(one.row.due_at, now))
        self._enqueue([row for row in follow_ups if row.notice.channel in notified])

    async def outbox(self, state: OutboxState, alert: str | None = None) -> list[OutboxRow]:
        """The rows in one state, oldest first."""
        self._data.check()
        return [one.row for one in self._data.rows.values() if one.state is state and alert in (None, one.row.notice.alert)]

    async def counts(self) -> OutboxCounts:
        """How many rows wait and how many could not be delivered."""
        self._data.check()
        states = [one.state for one in self._data.rows.values()]
        return OutboxCounts(states.count(_WAITING), states.count(OutboxState.UNDELIVERABLE))

    async def close(self) -> None:
        """Nothing is lost: `MemoryStore.reopen` has it again."""
        self._data.closed = True
