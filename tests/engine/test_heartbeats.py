"""Jobs that report in, on virtual time and a real store: heard durably, told at once, never accused of what Vigie could not hear."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vigie.core.model import Cause, CheckResult, Status
from vigie.engine.heartbeats import Heartbeats, Watched, verdict
from vigie.engine.ingest import Ingest
from vigie.errors import StoreError, StoreFault
from vigie.net import Secret, Secrets
from vigie.observation.heartbeat import Expected, Ping, Signal
from vigie.ports import Answer, Batch, OutboxState, PingUpdate
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor, policies
from vigie.testing.memory import MemoryStore
from vigie.testing.memory.inbox import MemoryInbox

pytestmark = pytest.mark.virtual

MINUTE, HOUR = 60_000, 3_600_000
SUCCESS, FAIL, START = Ping(0, Signal.SUCCESS), Ping(0, Signal.FAIL, exit_status=3), Ping(0, Signal.START)


def watched(name: str = "backup", period: int = HOUR, grace: int = 10 * MINUTE) -> Watched:
    policy = policies(confirm=1, recover=1, to=("mail",))
    expected = Expected(f"every {period}", lambda at: at + period, grace, 20 * MINUTE)
    return Watched(fake_monitor(name, policy=policy), Secret(f"token-of-{name}"), expected)


class World:
    """A store, ingest, and the watch over jobs, started anew as often as wanted."""

    def __init__(self, store: Any, clock: VirtualClock, *jobs: Watched, fault: Any = None) -> None:
        self.store, self.clock, self.jobs, self.fault = store, clock, jobs or (watched(),), fault
        self.ingest = Ingest(store.ledger, store.archive, clock, hold_ms=0)
        self.results: list[CheckResult] = []
        self.heartbeats = Heartbeats(store.inbox, clock, self._publish, fault, Secrets([Secret("hunter22")]))
        self._task: asyncio.Task[None] | None = None

    async def _publish(self, batch: Batch) -> None:
        self.results += batch.results
        await self.ingest.take(batch)

    async def start(self) -> None:
        monitors = [one.monitor for one in self.jobs]
        await self.store.catalog.sync_monitors(monitors)
        await self.ingest.start()
        await self.ingest.configure(monitors)
        await self.heartbeats.start(self.jobs, await self.store.ledger.next_run(), listening=True)
        self._task = asyncio.create_task(self.heartbeats.run())

    async def stop(self) -> None:
        await self.heartbeats.stop()
        await self.crash()

    async def crash(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def report(self, ping: Ping, name: str = "backup") -> Answer:
        answer = await self.heartbeats.receive(f"token-of-{name}", ping)
        await asyncio.sleep(0.01)
        return answer

    async def incidents(self) -> list[tuple[Cause, bool]]:
        return [(one.cause, one.closed_at is None) for one in reversed(await self.store.archive.incidents())]

    def last(self) -> tuple[Status, Cause | None]:
        return self.results[-1].status, self.results[-1].cause


@asynccontextmanager
async def at_work(store: Any, clock: VirtualClock, *jobs: Watched, fault: Any = None) -> AsyncIterator[World]:
    world = World(store, clock, *jobs, fault=fault)
    await world.start()
    try:
        yield world
    finally:
        await world.stop()


async def test_a_failure_is_told_at_once_and_a_success_ends_it(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as world:
        assert await world.report(FAIL) is Answer.TAKEN
        assert await world.incidents() == [(Cause.HEARTBEAT_FAILED, True)]
        assert [row.notice.reason for row in await store.ledger.outbox(OutboxState.WAITING)] == ["opened"]
        assert world.results[-1].figures["exit_status"] == 3
        assert "job's log" in world.results[-1].advice[0]
        await world.report(SUCCESS)
        assert await world.incidents() == [(Cause.HEARTBEAT_FAILED, False)]
    await store.close()


async def test_a_failure_and_a_success_that_follows_at_once_are_both_told(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as world:
        await asyncio.gather(*(world.heartbeats.receive("token-of-backup", ping) for ping in (SUCCESS, FAIL, SUCCESS)))
        await asyncio.sleep(0.01)
        assert await world.incidents() == [(Cause.HEARTBEAT_FAILED, False)]
    await store.close()


async def test_a_missed_report_is_told_once_when_its_grace_ends(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as world:
        await world.report(SUCCESS)
        await asyncio.sleep(69 * 60)
        assert await world.incidents() == []
        assert world.last() == (Status.UP, None)
        await asyncio.sleep(62)
        assert await world.incidents() == [(Cause.HEARTBEAT_MISSED, True)]
        assert world.results[-1].at - clock.now() < 2_000
        await asyncio.sleep(3 * 3_600)
        assert await world.incidents() == [(Cause.HEARTBEAT_MISSED, True)]
        assert [row.notice.reason for row in await store.ledger.outbox(OutboxState.WAITING)] == ["opened"]
        await world.report(SUCCESS)
        assert await world.incidents() == [(Cause.HEARTBEAT_MISSED, False)]
    await store.close()


async def test_a_run_that_is_too_long_is_told(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as world:
        await world.report(START)
        assert world.last() == (Status.UP, None)
        await asyncio.sleep(20 * 60 + 2)
        assert world.last() == (Status.DOWN, Cause.HEARTBEAT_LATE)
        await world.report(SUCCESS)
        assert world.last() == (Status.UP, None)
        assert world.results[-1].figures["took_ms"] == pytest.approx(20 * MINUTE + 2_000, abs=50)
    await store.close()


async def test_a_new_job_is_silent_until_its_first_report_is_missed(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as world:
        await asyncio.sleep(69 * 60)
        assert world.results == []
        await asyncio.sleep(62)
        assert world.last() == (Status.DOWN, Cause.HEARTBEAT_MISSED)
    await store.close()


async def test_a_healthy_job_gives_a_result_at_each_look(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as world:
        await world.report(SUCCESS)
        before = len(world.results)
        await asyncio.sleep(10 * 60)
        assert 9 <= len(world.results) - before <= 11
        assert [(one.run, one.sequence) for one in world.results] == sorted({(one.run, one.sequence) for one in world.results})
    await store.close()


@pytest.mark.parametrize("graceful", [True, False], ids=["stopped", "killed"])
async def test_what_vigie_slept_through_is_unknown_and_not_missed(tmp_path: Path, clock: VirtualClock, graceful: bool) -> None:
    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    world = World(store, clock)
    await world.start()
    await world.report(SUCCESS)
    await asyncio.sleep(50 * 60)
    await (world.stop() if graceful else world.crash())
    await store.close()
    await asyncio.sleep(30 * 60)

    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    async with at_work(store, clock) as world:
        await asyncio.sleep(2)
        assert world.last() == (Status.UNKNOWN, Cause.PROBE_ERROR)
        await asyncio.sleep(60 * 60)
        assert await world.incidents() == []
        await asyncio.sleep(11 * 60)
        assert await world.incidents() == [(Cause.HEARTBEAT_MISSED, True)]
    await store.close()


async def test_a_short_restart_that_nothing_was_due_in_changes_nothing(tmp_path: Path, clock: VirtualClock) -> None:
    for minutes in (0, 20, 20):
        store = SqliteStore(tmp_path / "vigie.db", threads=False)
        async with at_work(store, clock) as world:
            if not minutes:
                await world.report(SUCCESS)
            await asyncio.sleep(minutes * 60)
            assert world.last() == (Status.UP, None)
        await store.close()
        await asyncio.sleep(5)
    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    async with at_work(store, clock) as world:
        await asyncio.sleep(31 * 60)
        assert await world.incidents() == [(Cause.HEARTBEAT_MISSED, True)]
    await store.close()


async def test_a_failure_survives_a_restart(tmp_path: Path, clock: VirtualClock) -> None:
    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    world = World(store, clock)
    await world.start()
    await world.crash()
    assert await world.heartbeats.receive("token-of-backup", FAIL) is Answer.TAKEN  # and nobody judges it any more
    assert await world.incidents() == []
    await store.close()

    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    async with at_work(store, clock) as world:
        await asyncio.sleep(2)
        assert await world.incidents() == [(Cause.HEARTBEAT_FAILED, True)]
    await store.close()


@pytest.mark.parametrize("step_ms", [3 * HOUR, 65 * MINUTE, 11 * MINUTE])
async def test_a_suspended_machine_or_a_clock_that_jumps_accuses_nobody(store: MemoryStore, clock: VirtualClock, step_ms: int) -> None:
    async with at_work(store, clock) as world:
        await world.report(SUCCESS)
        await asyncio.sleep(59 * 60)
        clock.step(step_ms)
        await asyncio.sleep(30)
        assert world.last() == (Status.UNKNOWN, Cause.PROBE_ERROR)
        assert await world.incidents() == []
        await world.report(SUCCESS)
        assert world.last() == (Status.UP, None)
    await store.close()


async def test_a_clock_that_is_set_back_accuses_nobody_either(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as world:
        await world.report(SUCCESS)
        clock.step(-3 * HOUR)
        await asyncio.sleep(3_000)
        await world.report(FAIL)
        assert world.last() == (Status.DOWN, Cause.HEARTBEAT_FAILED)
        await world.report(SUCCESS)
        assert world.last() == (Status.UP, None)
    await store.close()


async def test_a_broken_link_of_our_own_excuses_a_job_unless_it_never_worked(store: MemoryStore, clock: VirtualClock) -> None:
    link: list[Cause | None] = [None]

    async def fault() -> Cause | None:
        await asyncio.sleep(2)
        return link[0]

    async with at_work(store, clock, fault=fault) as world:
        await asyncio.sleep(5)
        await world.report(SUCCESS)
        link[0] = Cause.PROBE_NETWORK
        await asyncio.sleep(71 * 60)
        assert Cause.PROBE_NETWORK in {one.cause for one in world.results if one.status is Status.UNKNOWN}
        assert await world.incidents() == []
        link[0] = None
        await asyncio.sleep(71 * 60)
        assert await world.incidents() == [(Cause.HEARTBEAT_MISSED, True)]

    async def never() -> Cause | None:
        return Cause.PROBE_NETWORK

    async with at_work(MemoryStore(), clock, fault=never) as island:
        await island.report(SUCCESS)
        await asyncio.sleep(71 * 60)
        assert await island.incidents() == [(Cause.HEARTBEAT_MISSED, True)]
    await store.close()


@pytest.mark.parametrize("after_s", [0.0, 0.5, 1.9, 3.0, 7.0])
@pytest.mark.parametrize("by_ms", [24 * HOUR, 40 * MINUTE, 400 * 24 * HOUR])
async def test_a_step_of_the_clock_in_the_first_seconds_accuses_nobody(clock: VirtualClock, after_s: float, by_ms: int) -> None:
    async def fault() -> Cause | None:
        await asyncio.sleep(2)  # the link is asked first, and that takes its time
        return None

    store = MemoryStore()
    async with at_work(store, clock, watched(period=30 * MINUTE, grace=MINUTE), fault=fault) as world:
        await asyncio.sleep(10)
        await world.report(SUCCESS)
    world = World(store, clock, watched(period=30 * MINUTE, grace=MINUTE), fault=fault)
    await world.start()
    await asyncio.sleep(after_s)
    clock.step(by_ms)
    await asyncio.sleep(60)
    assert await world.incidents() == []
    await asyncio.sleep(32 * 60)  # from then on it is expected as always
    assert await world.incidents() == [(Cause.HEARTBEAT_MISSED, True)]
    await world.stop()


class Road:
    """Our own link, as the watch asks for it."""

    def __init__(self, found: Cause | None = None) -> None:
        self.found, self.asked = found, 0

    async def fault(self) -> Cause | None:
        self.asked += 1
        return self.found


async def test_a_link_that_is_broken_since_the_start_excuses_a_job_if_it_worked_in_a_former_life(clock: VirtualClock) -> None:
    store, road = MemoryStore(), Road()
    async with at_work(store, clock, fault=road.fault) as world:
        await asyncio.sleep(40)
        await world.report(SUCCESS)
    road.found = Cause.PROBE_NETWORK
    async with at_work(store, clock, fault=road.fault) as again:
        await asyncio.sleep(72 * 60)
        assert await again.incidents() == []
        assert again.last()[0] is Status.UNKNOWN
    await store.inbox.listening(clock.now(), clock.now() - 8 * 24 * HOUR)  # nothing had a way out for a week: this is how it is meant
    async with at_work(store, clock, fault=road.fault) as island:
        await island.report(SUCCESS)
        await asyncio.sleep(72 * 60)
        assert await island.incidents() == [(Cause.HEARTBEAT_MISSED, True)]


async def test_a_link_that_heals_before_the_grace_ends_excuses_what_was_due_meanwhile(clock: VirtualClock) -> None:
    store, road = MemoryStore(), Road()
    async with at_work(store, clock, fault=road.fault) as world:
        await world.report(SUCCESS)
        await asyncio.sleep(50 * 60)
        asked = road.asked
        road.found = Cause.PROBE_NETWORK
        await asyncio.sleep(15 * 60)  # due after an hour, missed ten minutes later
        road.found = None
        await asyncio.sleep(10 * 60)
        assert await world.incidents() == []
        assert world.last()[0] is Status.UNKNOWN
        assert road.asked - asked < 20
        await asyncio.sleep(75 * 60)
        assert await world.incidents() == [(Cause.HEARTBEAT_MISSED, True)]  # a link that works excuses nobody


async def test_a_span_without_a_way_out_that_other_checks_found_excuses_a_job(clock: VirtualClock) -> None:
    store = MemoryStore()
    async with at_work(store, clock) as world:
        await world.report(SUCCESS)
        await asyncio.sleep(65 * 60)
        now = clock.now()
        await world.heartbeats.unheard(now - 8 * MINUTE, now - MINUTE)
        await asyncio.sleep(10 * 60)
        assert (await world.incidents(), world.last()[0]) == ([], Status.UNKNOWN)


async def test_a_machine_that_stood_still_between_two_single_cycles_accuses_no_job(clock: VirtualClock) -> None:
    store = MemoryStore()
    world = World(store, clock)
    await store.catalog.sync_monitors([watched().monitor])
    await world.ingest.start()
    await world.ingest.configure([watched().monitor])
    for slept, expected in ((0, []), (9 * HOUR, []), (71 * MINUTE, [(Cause.HEARTBEAT_MISSED, True)])):
        await asyncio.sleep(slept / 1000)
        since = clock.now() - slept if slept == 9 * HOUR else None
        cycle = Heartbeats(store.inbox, clock, world._publish)
        await cycle.start([watched()], await store.ledger.next_run(), listening=False, deaf_since=since)
        await cycle.tick()
        await cycle.stop()
        assert await world.incidents() == expected


async def test_a_report_that_comes_while_the_link_is_asked_is_not_overruled(store: MemoryStore, clock: VirtualClock) -> None:
    async def fault() -> Cause | None:
        await asyncio.sleep(2)
        return None

    async with at_work(store, clock, fault=fault) as world:
        await asyncio.sleep(3)
        await world.report(SUCCESS)
        await asyncio.sleep(70 * 60 + 0.5)  # missed just now: the link is being asked
        await world.report(SUCCESS)
        await asyncio.sleep(10)
        assert await world.incidents() == []
    await store.close()


async def test_what_another_process_left_is_heard_within_a_second_and_once(tmp_path: Path, clock: VirtualClock) -> None:
    store, other = SqliteStore(tmp_path / "vigie.db", threads=False), SqliteStore(tmp_path / "vigie.db", threads=False)
    async with at_work(store, clock) as world:
        await other.inbox.enqueue_ping("backup", replace(FAIL, at=clock.now()))
        await asyncio.sleep(1.1)
        assert world.last() == (Status.DOWN, Cause.HEARTBEAT_FAILED)
        assert await store.inbox.waiting_pings() == []
        await world.report(SUCCESS)
        await asyncio.sleep(5)
        assert await world.incidents() == [(Cause.HEARTBEAT_FAILED, False)]
        await other.inbox.enqueue_ping("backup", replace(FAIL, at=clock.now() - 60_000))
        await asyncio.sleep(1.1)
        assert world.last() == (Status.UP, None)  # a success came after it
        assert [one.signal for one in await store.inbox.pings("backup")] == ["fail", "success", "fail"]
    await other.close()
    await store.close()


async def test_a_report_that_cannot_be_kept_is_not_taken(clock: VirtualClock) -> None:
    store = MemoryStore()
    async with at_work(store, clock) as world:
        await world.report(SUCCESS)
        store.broken = StoreError(StoreFault.FULL, "no room left")
        assert await world.report(FAIL) is Answer.NOT_NOW
        await asyncio.sleep(3)
        store.broken = None
        await asyncio.sleep(3)
        assert world.last() == (Status.UP, None)
        assert await world.report(FAIL) is Answer.TAKEN


async def test_capital_letters_of_a_uuid_mean_the_same(clock: VirtualClock) -> None:
    token = "2f1b7b0e-6c0e-4f6f-9b0e-6d1a2b3c4d5e"
    world = World(MemoryStore(), clock, replace(watched(), token=Secret(token)))
    await world.start()
    assert await world.heartbeats.receive(token.upper(), SUCCESS) is Answer.TAKEN
    assert await world.heartbeats.receive(token, SUCCESS) is Answer.TAKEN
    await world.stop()


async def test_who_knows_no_token_learns_nothing_and_costs_nothing(clock: VirtualClock) -> None:
    store = MemoryStore()
    world = World(store, clock)
    assert await world.report(SUCCESS) is Answer.NOT_NOW  # not started yet: never a 404 to a job of ours
    await world.start()
    for token in ("", "token-of-backu", "token-of-backupp", "\udcff" * 10, "x" * 100_000):
        assert await world.heartbeats.receive(token, SUCCESS) is Answer.UNKNOWN
        assert not world.heartbeats.knows(token)
    assert world.heartbeats.knows("token-of-backup")
    assert not world.heartbeats.knows("TOKEN-OF-BACKUP")
    assert await store.inbox.pings("backup") == []
    await world.stop()
    assert await world.report(SUCCESS) is Answer.NOT_NOW


async def test_a_job_that_reports_without_end_is_slowed_down_and_no_other(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock, watched("mad"), watched("sane")) as world:
        answers = [await world.heartbeats.receive("token-of-mad", SUCCESS) for _ in range(200)]
        assert answers.count(Answer.TAKEN) == 30
        assert answers[-1] is Answer.TOO_MANY
        assert await world.report(SUCCESS, "sane") is Answer.TAKEN
        await asyncio.sleep(5)
        assert await world.report(FAIL, "mad") is Answer.TAKEN
    await store.close()


async def test_a_herd_of_reports_shares_its_transactions(clock: VirtualClock) -> None:
    class Counting(MemoryInbox):
        writes = 0

        async def record_pings(self, updates: Any) -> None:
            self.writes += 1
            await asyncio.sleep(0.01)
            await super().record_pings(updates)

    store = MemoryStore()
    store.inbox = counting = Counting(store.data)
    async with at_work(store, clock, *(watched(f"job-{number}") for number in range(300))) as world:
        counting.writes = 0
        answers = await asyncio.gather(*(world.heartbeats.receive(f"token-of-job-{number}", SUCCESS) for number in range(300)))
        assert set(answers) == {Answer.TAKEN}
        assert counting.writes <= 3
        assert all(job.ended is Signal.SUCCESS for job in (await store.inbox.jobs()).values())


async def test_a_body_is_kept_without_its_secrets(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as world:
        await world.report(replace(FAIL, body="login with hunter22 at https://u:p@db.test/?token=abc failed"))
        assert (await store.inbox.pings("backup"))[0].body == "login with *** at https://db.test/?token=*** failed"
    await store.close()


async def test_a_new_configuration_takes_effect_without_accusing(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as world:
        await world.report(SUCCESS)
        await asyncio.sleep(30 * 60)
        quick = watched(period=5 * MINUTE, grace=MINUTE)
        await world.heartbeats.use([quick, watched("second")])
        await asyncio.sleep(2)
        assert world.last() == (Status.UP, None)
        assert await world.report(SUCCESS, "second") is Answer.TAKEN
        await asyncio.sleep(6 * 60)
        assert {one.monitor for one in world.results if one.cause is Cause.HEARTBEAT_MISSED} == {"backup"}
        await world.heartbeats.use([])
        assert await world.report(SUCCESS) is Answer.UNKNOWN
    await store.close()


async def test_who_looks_on_from_outside_is_told_the_same(store: MemoryStore, clock: VirtualClock) -> None:
    one = watched()
    async with at_work(store, clock, one) as world:
        job = (await store.inbox.jobs())["backup"]
        assert verdict("backup", job, one.expected, clock.now()).status is Status.UNKNOWN
        assert verdict("backup", None, one.expected, clock.now()).message == "no ping received yet"
        await world.report(FAIL)
        job = (await store.inbox.jobs())["backup"]
        assert verdict("backup", job, one.expected, clock.now()).cause is Cause.HEARTBEAT_FAILED
    await store.inbox.record_pings([PingUpdate(job)])
    await store.close()
