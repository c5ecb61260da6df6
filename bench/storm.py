"""A storm: 10,000 monitors, half of which fail within one second, for one cause and then for a hundred; what people get, and how soon.

Results go by the bus through the whole engine (ingest, alerts, reports, outbox, a store on the disk) to two channels, in real time; nothing
is probed. Every failure is confirmed by a second one a second later. Lateness counts from the commit that confirmed the last failure;
memory is what this process grew by over what it had with every monitor up.
"""

import asyncio
import logging
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil

from bench.ground import folder, say
from bench.living import until
from vigie.clock import SystemClock
from vigie.core.events import Opened
from vigie.core.model import Cause, CheckResult, Status
from vigie.core.notification import NoticeReason
from vigie.engine.transition import Transition
from vigie.ports import Batch
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing.fakes import FakeChannel, FakeVigie, fake_monitor, policies

MONITORS, FAILING, BATCHES = 10_000, 5_000, 50  # batches a second, as the prober sends them
GROUP_WAIT_S, HOLD_S = 3.0, 2.0
LONGEST_S = 60.0


@dataclass
class Storm:
    """What one storm came to. Seconds."""

    notices: Counter[tuple[str, NoticeReason]] = field(default_factory=Counter)
    decided: float = 0.0  # from the last result until the last incident was on the disk
    late: float = 0.0  # from there until the last opening was delivered, without the wait for others
    grown_mb: float = 0.0
    alerts: int = 0
    members: int = 0


class Scene:
    """The engine, and the results that it is given."""

    def __init__(self, vigie: FakeVigie, causes: int) -> None:
        self.vigie, self.causes, self.run, self.sequence = vigie, causes, 0, 0
        self.opened: list[float] = []
        vigie.ingest.listen(self._hear)

    async def _hear(self, transition: Transition) -> None:
        if any(isinstance(one, Opened) for one in transition.decisions):
            self.opened.append(time.monotonic())

    def result(self, number: int, status: Status) -> CheckResult:
        """Half of the monitors are spread evenly over the addresses that fail, the others each have one of their own."""
        address = f"198.51.{number % self.causes}.7" if number < FAILING else f"10.{number >> 8}.{number & 255}.1"
        cause = Cause.TIMEOUT_CONNECT if status is Status.DOWN else None
        self.sequence += 1
        at = self.vigie.clock.now()
        return CheckResult(f"m{number}", at, status, cause, "no connection", address=address, run=self.run, sequence=self.sequence)

    async def second(self, numbers: range, status: Status) -> None:
        """These are checked within one second."""
        started = time.monotonic()
        for part in range(BATCHES):
            await asyncio.sleep(started + part / BATCHES - time.monotonic())
            results = tuple(self.result(number, status) for number in numbers[part::BATCHES])
            await self.vigie.bus.publish(Batch("bench", self.run, self.sequence, results))


async def storm(causes: int) -> Storm:
    """One storm and its end."""
    clock, found = SystemClock(), Storm()
    policy = policies(confirm=2, recover=1, to=("mail", "chat"), group_wait_ms=round(GROUP_WAIT_S * 1000))
    monitors = [fake_monitor(f"m{number}", every_ms=3_600_000, policy=policy) for number in range(MONITORS)]
    channels = {name: FakeChannel(clock) for name in ("mail", "chat")}
    with folder() as place:
        vigie = FakeVigie(SqliteStore(place / "v.db"), clock, monitors, lambda _: Status.UP, dict(channels), hold_ms=round(HOLD_S * 1000))
        async with vigie.at_work():
            assert vigie.agent is not None
            await vigie.agent.stop()  # what is checked is said here
            scene = Scene(vigie, causes)
            scene.run = await vigie.store.ledger.next_run()
            await scene.second(range(MONITORS), Status.UP)
            before = psutil.Process().memory_info().rss
            for _ in range(2):
                await scene.second(range(FAILING), Status.DOWN)
            last = time.monotonic()
            await until(lambda: len(scene.opened) == FAILING, LONGEST_S)
            found.decided = scene.opened[-1] - last
            await until(lambda: all(count(one, NoticeReason.OPENED) == causes for one in channels.values()), LONGEST_S)
            found.late = max(time.monotonic() - scene.opened[-1] - GROUP_WAIT_S, 0.0)
            found.alerts = len(vigie.ingest.alerts())
            found.members = sum(len(one.members) for one in vigie.ingest.alerts())
            found.grown_mb = (psutil.Process().memory_info().rss - before) / 1e6
            await scene.second(range(FAILING), Status.UP)
            await until(lambda: all(count(one, NoticeReason.RECOVERED) == causes for one in channels.values()), LONGEST_S)
            for name, channel in channels.items():
                found.notices.update((name, message.reason) for _, message in channel.told)
    return found


def count(channel: FakeChannel, reason: NoticeReason) -> int:
    return sum(message.reason is reason for _, message in channel.told)


def main() -> None:
    """Both storms."""
    logging.getLogger("vigie").setLevel(logging.CRITICAL)
    for causes in (1, 100):
        found = asyncio.run(storm(causes))
        what = f"{FAILING} of {MONITORS} for {causes} cause{'s' if causes > 1 else ''}"
        each = ", ".join(f"{number} {reason}" for (name, reason), number in sorted(found.notices.items()) if name == "mail")
        most = max((number for (_, reason), number in found.notices.items() if reason is NoticeReason.OPENED), default=0)
        say(f"{what}: openings, by channel", most, "", causes, f"{found.alerts} alerts, {found.members} members; {each}")
        say(f"{what}: decided", found.decided, "s", 5, "from the last result to the disk")
        say(f"{what}: opening delivered", found.late, "s", 3, f"after confirmation and {GROUP_WAIT_S:g} s of waiting for others")
        say(f"{what}: memory", found.grown_mb, "MB", 60, "more than with every monitor up")


if __name__ == "__main__":
    main()
