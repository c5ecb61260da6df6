"""The laws that every store keeps for jobs that report in; openers as in vigie.testing.store_suite."""

import asyncio
from dataclasses import replace

from vigie.core.heartbeat import Job, Ping, Run, Signal
from vigie.ports import PingStore, PingUpdate
from vigie.testing.store_suite import NOW, Law, Opener, opened

JOB = Job("shop", NOW, "every 1h", NOW + 1, Signal.FAIL, NOW + 2, 3, 12.5, (Run("r1", NOW, NOW + 5),), deaf=True)
PING = Ping(NOW + 1, Signal.FAIL, "r1", 3, 12.5, "é\x00 said")


async def what_was_heard_outlives_a_restart(opener: Opener) -> None:
    """The job and its ping come back as they were."""
    async with opened(opener) as store:
        await _pings(store).hear([PingUpdate(JOB, PING), PingUpdate(replace(JOB, monitor="api", runs=()))])
    async with opened(opener) as store:
        assert (await _pings(store).jobs())["shop"] == JOB
        assert await _pings(store).pings("shop") == [PING]
        assert await _pings(store).pings("api") == []


async def of_two_changes_the_later_stands(opener: Opener) -> None:
    """Also inside one call; pings come back newest first."""
    async with opened(opener) as store:
        after = replace(JOB, ended=Signal.SUCCESS)
        await _pings(store).hear([PingUpdate(JOB, PING), PingUpdate(after, replace(PING, signal=Signal.SUCCESS))])
        assert (await _pings(store).jobs())["shop"] == after
        assert [one.signal for one in await _pings(store).pings("shop")] == [Signal.SUCCESS, Signal.FAIL]
        assert len(await _pings(store).pings("shop", 1)) == 1


async def a_hundred_reports_of_a_job_are_kept(opener: Opener) -> None:
    """The others go, and no other job's."""
    async with opened(opener) as store:
        await _pings(store).hear([PingUpdate(replace(JOB, monitor="api"), PING)])
        for start in range(0, 130, 10):
            await _pings(store).hear([PingUpdate(JOB, replace(PING, at=NOW + number)) for number in range(start, start + 10)])
        found = await _pings(store).pings("shop", 1_000)
        assert [one.at - NOW for one in found] == list(range(129, 29, -1))
        assert len(await _pings(store).pings("api")) == 1


async def what_was_left_is_found_until_it_was_heard(opener: Opener) -> None:
    """Reports of another process: nothing is lost between finding and hearing them, and nothing is heard twice."""
    async with opened(opener) as store:
        await _pings(store).leave_ping("shop", PING)
        await _pings(store).leave_ping("api", PING)
    async with opened(opener) as store:
        left = await _pings(store).left_pings()
        assert [(monitor, ping) for _, monitor, ping in left] == [("shop", PING), ("api", PING)]
        assert await _pings(store).left_pings() == left
        await _pings(store).hear([PingUpdate(JOB, PING, left[0][0])])
        assert [monitor for _, monitor, _ in await _pings(store).left_pings()] == ["api"]
        assert await _pings(store).pings("shop") == [PING]


async def a_job_that_is_watched_no_longer_is_forgotten(opener: Opener) -> None:
    """Should it come back, it counts anew; its pings stay."""
    async with opened(opener) as store:
        await _pings(store).hear([PingUpdate(JOB, PING)])
        await store.sync_monitors([])
        assert await _pings(store).jobs() == {}
        assert await _pings(store).pings("shop") == [PING]


async def who_listened_last_is_known(opener: Opener) -> None:
    """Nobody at first, then the last instant."""
    async with opened(opener) as store:
        assert await _pings(store).listened() is None
        await _pings(store).listening(NOW)
        await _pings(store).listening(NOW + 5)
    async with opened(opener) as store:
        assert await _pings(store).listened() == NOW + 5


async def many_reports_at_once_are_all_there(opener: Opener) -> None:
    """From as many tasks."""
    async with opened(opener) as store:
        await asyncio.gather(*(_pings(store).hear([PingUpdate(JOB, replace(PING, at=number))]) for number in range(50)))
        assert {one.at for one in await _pings(store).pings("shop")} == set(range(50))


def _pings(store: object) -> PingStore:
    return store  # type: ignore[return-value]  # every store keeps both ports


PING_LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        what_was_heard_outlives_a_restart,
        of_two_changes_the_later_stands,
        a_hundred_reports_of_a_job_are_kept,
        what_was_left_is_found_until_it_was_heard,
        a_job_that_is_watched_no_longer_is_forgotten,
        who_listened_last_is_known,
        many_reports_at_once_are_all_there,
    )
}
