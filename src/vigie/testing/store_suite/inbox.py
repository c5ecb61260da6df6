"""The laws of the Inbox port: jobs that report in, commands of people."""

import asyncio
from dataclasses import replace

from vigie.core.events import Acked, Resolved, Snoozed
from vigie.errors import StoreError
from vigie.observation.heartbeat import Job, Ping, Run, Signal
from vigie.ports import Commit, PingUpdate
from vigie.testing.store_suite.records import MONITORS, NOW, Law, Opener, incident, opened, result

JOB = Job("shop", NOW, "every 1h", NOW + 1, Signal.FAIL, NOW + 2, 3, 12.5, (Run("r1", NOW, NOW + 5),), deaf=True)
PING = Ping(NOW + 1, Signal.FAIL, "r1", 3, 12.5, "é\x00 said")


async def what_was_heard_outlives_a_restart(opener: Opener) -> None:
    """The job and its ping come back as they were."""
    async with opened(opener) as store:
        await store.inbox.record_pings([PingUpdate(JOB, PING), PingUpdate(replace(JOB, monitor="api", runs=()))])
    async with opened(opener) as store:
        assert (await store.inbox.jobs())["shop"] == JOB
        assert await store.inbox.pings("shop") == [PING]
        assert await store.inbox.pings("api") == []


async def of_two_changes_the_later_stands(opener: Opener) -> None:
    """Also inside one call; pings come back newest first."""
    async with opened(opener) as store:
        after = replace(JOB, ended=Signal.SUCCESS)
        await store.inbox.record_pings([PingUpdate(JOB, PING), PingUpdate(after, replace(PING, signal=Signal.SUCCESS))])
        assert (await store.inbox.jobs())["shop"] == after
        assert [one.signal for one in await store.inbox.pings("shop")] == [Signal.SUCCESS, Signal.FAIL]
        assert len(await store.inbox.pings("shop", 1)) == 1


async def a_hundred_reports_of_a_job_are_kept(opener: Opener) -> None:
    """The others go, and no other job's."""
    async with opened(opener) as store:
        await store.inbox.record_pings([PingUpdate(replace(JOB, monitor="api"), PING)])
        for start in range(0, 130, 10):
            await store.inbox.record_pings([PingUpdate(JOB, replace(PING, at=NOW + number)) for number in range(start, start + 10)])
        found = await store.inbox.pings("shop", 1_000)
        assert [one.at - NOW for one in found] == list(range(129, 29, -1))
        assert len(await store.inbox.pings("api")) == 1


async def what_was_left_is_found_until_it_was_heard(opener: Opener) -> None:
    """Reports of another process: nothing is lost between finding and hearing them, and nothing is heard twice."""
    async with opened(opener) as store:
        await store.inbox.enqueue_ping("shop", PING)
        await store.inbox.enqueue_ping("api", PING)
    async with opened(opener) as store:
        left = await store.inbox.waiting_pings()
        assert [(monitor, ping) for _, monitor, ping in left] == [("shop", PING), ("api", PING)]
        assert await store.inbox.waiting_pings() == left
        await store.inbox.record_pings([PingUpdate(JOB, PING, left[0][0])])
        assert [monitor for _, monitor, _ in await store.inbox.waiting_pings()] == ["api"]
        assert await store.inbox.pings("shop") == [PING]


async def a_job_that_is_watched_no_longer_is_forgotten(opener: Opener) -> None:
    """Should it come back, it counts anew; its pings stay."""
    async with opened(opener) as store:
        await store.inbox.record_pings([PingUpdate(JOB, PING)])
        await store.catalog.sync_monitors([])
        assert await store.inbox.jobs() == {}
        assert await store.inbox.pings("shop") == [PING]


async def who_listened_last_is_known(opener: Opener) -> None:
    """Nobody at first, then the last instant; and when the link last worked, as far as that was told."""
    async with opened(opener) as store:
        assert (await store.inbox.listened(), await store.inbox.link_worked()) == (None, None)
        await store.inbox.listening(NOW, NOW - 9)
        await store.inbox.listening(NOW + 5)
    async with opened(opener) as store:
        assert (await store.inbox.listened(), await store.inbox.link_worked()) == (NOW + 5, NOW - 9)


async def many_reports_at_once_are_all_there(opener: Opener) -> None:
    """From as many tasks."""
    async with opened(opener) as store:
        await asyncio.gather(*(store.inbox.record_pings([PingUpdate(JOB, replace(PING, at=number))]) for number in range(50)))
        assert {one.at for one in await store.inbox.pings("shop")} == set(range(50))


async def a_command_stays_until_a_commit_applies_it(opener: Opener) -> None:
    """In the order in which they came, over restarts; a commit takes those that it names and no other."""
    ack, end = Acked(5, "ann"), Resolved(6, "bob", "the cable")
    async with opened(opener) as store:
        assert await store.inbox.commands() == []
        await store.inbox.enqueue_command("shop", ack)
        await store.inbox.enqueue_command("api", end)
    async with opened(opener) as store:
        first, second = await store.inbox.commands()
        assert [(one.monitor, one.event) for one in (first, second)] == [("shop", ack), ("api", end)]
        await store.ledger.commit(Commit(commands=(first.number,)))
        assert await store.inbox.commands() == [second]
    async with opened(opener) as store:
        assert await store.inbox.commands() == [second]
        acked = replace(incident(), acked_by="bob")
        await store.ledger.commit(Commit(incidents=(acked,), commands=(second.number,)))
        assert (await store.inbox.commands(), await store.archive.incident("shop-1")) == ([], acked)
        await store.inbox.enqueue_command("shop", Snoozed(7, "zoé", 3_607))
    async with opened(opener) as store:
        assert [one.event for one in await store.inbox.commands()] == [Snoozed(7, "zoé", 3_607)]


async def a_commit_that_fails_consumes_no_command(opener: Opener) -> None:
    """A store that is closed takes nothing: the command is there at the next start."""
    async with opened(opener) as store:
        await store.inbox.enqueue_command("shop", Acked(5, "ann"))
        (command,) = await store.inbox.commands()
    try:
        await store.ledger.commit(Commit(incidents=(incident(),), commands=(command.number,)))
    except StoreError:
        pass
    else:
        raise AssertionError("a closed store took a commit")
    async with opened(opener) as store:
        assert (await store.inbox.commands(), await store.archive.incidents()) == ([command], [])


async def a_new_configuration_is_one_commit(opener: Opener) -> None:
    """What is watched, the jobs and what was decided of monitors that went: all of it, over a restart too, or nothing."""
    shop, api = MONITORS[:2]
    async with opened(opener) as store:
        await store.ledger.commit(Commit(watched=(shop, api), jobs=(JOB,)))
        assert await store.inbox.jobs() == {"shop": JOB}
        results = tuple(result("api", NOW + number, order=number) for number in range(1, 4))
        await store.ledger.commit(Commit(results=results))
        fresh = replace(JOB, monitor="api")
        await store.ledger.commit(Commit(incidents=(incident(),), watched=(api,), jobs=(fresh,)))
        assert (await store.inbox.jobs(), len(await store.archive.incidents())) == ({"api": fresh}, 1)
        assert set(await store.archive.last_results()) == {"api"}
    try:
        await store.ledger.commit(Commit(watched=(shop,)))
    except StoreError:
        pass
    else:
        raise AssertionError("a closed store took a commit")
    async with opened(opener) as store:
        assert await store.inbox.jobs() == {"api": fresh}
        assert set(await store.archive.last_results()) == {"api"}
        await store.ledger.commit(Commit(watched=()))
        assert await store.inbox.jobs() == {}


INBOX_LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        what_was_heard_outlives_a_restart,
        of_two_changes_the_later_stands,
        a_hundred_reports_of_a_job_are_kept,
        what_was_left_is_found_until_it_was_heard,
        a_job_that_is_watched_no_longer_is_forgotten,
        who_listened_last_is_known,
        many_reports_at_once_are_all_there,
        a_command_stays_until_a_commit_applies_it,
        a_commit_that_fails_consumes_no_command,
        a_new_configuration_is_one_commit,
    )
}
