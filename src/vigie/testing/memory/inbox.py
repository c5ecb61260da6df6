"""The inbox in memory."""

from collections.abc import Sequence

from vigie.core.events import PersonEvent
from vigie.observation.heartbeat import Job, Ping
from vigie.ports import Command, PingUpdate
from vigie.testing.memory.data import Data, KeptPing

_KEEP_PINGS = 100


class MemoryInbox:
    """The Inbox port without a disk."""

    def __init__(self, data: Data) -> None:
        self._data = data

    async def enqueue_command(self, monitor: str, event: PersonEvent) -> None:
        """Hand an event to whoever is at work on this store."""
        self._data.check()
        self._data.last_command += 1
        self._data.commands[self._data.last_command] = Command(self._data.last_command, monitor, event)

    async def commands(self) -> list[Command]:
        """What nobody has applied yet, oldest first."""
        self._data.check()
        return list(self._data.commands.values())

    async def enqueue_ping(self, monitor: str, ping: Ping) -> None:
        """Hand a ping to the Vigie that is at work on this store."""
        self._data.check()
        self._data.pings.append(KeptPing(monitor, ping, recorded=False))

    async def waiting_pings(self) -> list[tuple[int, str, Ping]]:
        """What was handed over and not yet recorded, oldest first."""
        self._data.check()
        return [(number, one.monitor, one.ping) for number, one in enumerate(self._data.pings) if not one.recorded]

    async def record_pings(self, updates: Sequence[PingUpdate]) -> None:
        """Write what pings made of jobs."""
        self._data.check()
        for one in updates:
            self._data.jobs[one.job.monitor] = one.job
            if one.number is not None:
                self._data.pings[one.number].recorded = True
            elif one.ping is not None:
                self._data.pings.append(KeptPing(one.job.monitor, one.ping))

    async def jobs(self) -> dict[str, Job]:
        """Every watched job by monitor id."""
        self._data.check()
        return dict(self._data.jobs)

    async def pings(self, monitor: str, limit: int = 100) -> list[Ping]:
        """The pings of a monitor, newest first."""
        self._data.check()
        return [one.ping for one in reversed(self._data.pings) if one.monitor == monitor][: min(limit, _KEEP_PINGS)]

    async def listening(self, at: int, link_worked: int | None = None) -> None:
        """Somebody listens for pings."""
        self._data.check()
        self._data.listened = at
        self._data.link_worked = self._data.link_worked if link_worked is None else link_worked

    async def link_worked(self) -> int | None:
        """When the link last worked."""
        self._data.check()
        return self._data.link_worked

    async def listened(self) -> int | None:
        """When somebody last listened."""
        self._data.check()
        return self._data.listened
