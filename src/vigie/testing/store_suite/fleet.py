"""The laws of the Fleet port, and of the fence of the Ledger port: agents, servers, leases, shards."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import replace

from vigie.core.model import Status
from vigie.errors import StoreError, StoreFault
from vigie.ports import AgentStatus, Commit, EnrolledAgent, Lease, ServerStatus, ShardRun, Store
from vigie.testing.store_suite.records import DAY, MONITORS, NOW, Law, Opener, incident, opened, result, row

LILLE = EnrolledAgent("lille-1", "lille", "hash-1", "vga_abc", NOW, "ann")
PARIS = EnrolledAgent("paris-1", "paris", "hash-2", "vga_def", NOW + 1, "console")
HEARD = AgentStatus("paris-1", "paris", NOW, "1.2.3", 7, 1, 250, 3, NOW - 9, 12, -1_500, "192.0.2.7")
MINUTE = 60_000


async def an_agent_is_known_by_its_token(opener: Opener) -> None:
    """Over restarts; by name; and one name is one agent."""
    async with opened(opener) as store:
        assert await store.fleet.enroll(PARIS)
        assert await store.fleet.enroll(LILLE)
        assert not await store.fleet.enroll(replace(PARIS, hash="hash-3", location="lille"))
    async with opened(opener) as store:
        assert await store.fleet.agents() == [LILLE, PARIS]
        assert await store.fleet.agent_by_token("hash-2") == PARIS
        assert await store.fleet.agent_by_token("hash-3") is None


async def a_revoked_agent_is_let_in_no_longer(opener: Opener) -> None:
    """Its token opens nothing, its state is gone, and its name is free for another token."""
    async with opened(opener) as store:
        for one in (PARIS, LILLE):
            await store.fleet.enroll(one)
        await store.fleet.heard(HEARD)
        assert await store.fleet.revoke_agent("paris-1", NOW + 5)
        assert not await store.fleet.revoke_agent("paris-1", NOW + 6)
        assert not await store.fleet.revoke_agent("nobody", NOW + 6)
    async with opened(opener) as store:
        assert await store.fleet.agents() == [LILLE]
        assert (await store.fleet.agent_by_token("hash-2"), await store.fleet.heard_agents()) == (None, [])
        again = replace(PARIS, hash="hash-9", created_at=NOW + 9)
        assert await store.fleet.enroll(again)
        assert await store.fleet.agent_by_token("hash-9") == again
        assert await store.fleet.agent_by_token("hash-2") is None


async def of_many_who_enroll_one_name_one_is_let_in(opener: Opener) -> None:
    """However many ask at once."""
    async with opened(opener) as store:
        let_in = await asyncio.gather(*(store.fleet.enroll(replace(PARIS, hash=f"h{number}")) for number in range(8)))
        assert let_in.count(True) == 1
        assert len(await store.fleet.agents()) == 1


async def an_agent_is_as_it_was_heard_last(opener: Opener) -> None:
    """Whole, over restarts, by name."""
    bare = AgentStatus("lille-1", "lille", NOW, "1.2.2")
    async with opened(opener) as store:
        await store.fleet.heard(replace(HEARD, spooled=900, spooled_since=None, late_ms=None))
        await store.fleet.heard(HEARD)
        await store.fleet.heard(bare)
    async with opened(opener) as store:
        assert await store.fleet.heard_agents() == [bare, HEARD]


async def a_lease_has_one_holder(opener: Opener) -> None:
    """Who holds it renews it under the same epoch; who comes meanwhile learns whose it is."""
    async with opened(opener) as store:
        fleet = store.fleet
        assert await fleet.claim("evaluator", "one", MINUTE) == Lease("evaluator", "one", 1, MINUTE)
        assert await fleet.claim("evaluator", "one", 2 * MINUTE) == Lease("evaluator", "one", 1, 2 * MINUTE)
        other = await fleet.claim("evaluator", "two", MINUTE)
        assert (other.holder, other.epoch) == ("one", 1)
        assert MINUTE < other.left_ms <= 2 * MINUTE
        assert await fleet.claim("retention", "two", MINUTE) == Lease("retention", "two", 1, MINUTE)
        assert [(one.name, one.holder, one.epoch) for one in await fleet.leases()] == [("evaluator", "one", 1), ("retention", "two", 1)]


async def the_epoch_rises_with_each_holder(opener: Opener) -> None:
    """After a release as after an end, over restarts too; only its holder ends a lease."""
    async with opened(opener) as store:
        fleet = store.fleet
        assert (await fleet.claim("evaluator", "one", 0)).epoch == 1
        assert await fleet.leases() == []
        assert (await fleet.claim("evaluator", "one", MINUTE)).epoch == 1  # nobody was in between
        await fleet.release("evaluator", "two")
        assert (await fleet.claim("evaluator", "two", MINUTE)).holder == "one"
        assert (await fleet.claim("evaluator", "one", 0)).epoch == 1
        assert await fleet.claim("evaluator", "two", 0) == Lease("evaluator", "two", 2, 0)
        assert (await fleet.claim("evaluator", "two", MINUTE)).epoch == 2
        await fleet.release("evaluator", "two")
        assert await fleet.leases() == []
    async with opened(opener) as store:
        assert (await store.fleet.claim("evaluator", "two", MINUTE)).epoch == 3


async def of_many_who_claim_a_lease_one_gets_it(opener: Opener) -> None:
    """However many ask at once, all learn the same."""
    async with opened(opener) as store:
        found = await asyncio.gather(*(store.fleet.claim("evaluator", f"s{number}", MINUTE) for number in range(8)))
        assert {(one.holder, one.epoch) for one in found} == {(found[0].holder, 1)}


async def _refused(work: Awaitable[None], *, at_once: bool = True) -> None:
    """Do what must be refused; `at_once`: before it returns."""
    fault = None
    try:
        await work
    except StoreError as error:
        fault = error.fault
    assert fault is StoreFault.FENCED or (fault is None and not at_once)


def _plain(store: Store, order: int) -> Awaitable[None]:
    """A commit that decides nothing, and may be written later."""
    return store.ledger.commit(Commit(results=(result(at=NOW + order, order=order),), cursors=(("paris-1", 1, order),)))


async def who_is_fenced_commits_nothing(opener: Opener) -> None:
    """What was decided before is there; what is decided after another took over is refused, measurements with it."""
    async with opened(opener) as store:
        mine = await store.fleet.claim("evaluator", "one", MINUTE)
        store.ledger.fence(mine)
        await store.ledger.commit(Commit(incidents=(incident(),), outbox=(row(),), cursors=(("paris-1", 1, 1),)))
        await store.fleet.claim("evaluator", "one", 0)
        await store.ledger.commit(Commit(outbox=(row(channel="sms"),)))  # it ended, but nobody took over
        await store.fleet.claim("evaluator", "two", MINUTE)
        await _refused(_plain(store, 2), at_once=False)
        decided = Commit(incidents=(incident(2),), outbox=(row(channel="slack"),), cursors=(("paris-1", 1, 3),))
        await _refused(store.ledger.commit(decided))
        await _refused(_plain(store, 4), at_once=False)
        await _refused(store.ledger.flush())
    async with opened(opener) as store:
        store.ledger.fence(None)
        loaded = await store.ledger.load()
        assert [one.id for one in loaded.incidents] == ["shop-1"]
        assert loaded.cursors == {"paris-1": (1, 1)}
        assert [one.row.notice.channel for one in await store.ledger.notices()] == ["mail", "sms"]
        assert await store.archive.last_results() == {}


async def who_leads_again_commits_again(opener: Opener) -> None:
    """Under the new epoch; an earlier one of the same holder stays refused, and without a fence all is taken."""
    async with opened(opener) as store:
        before = await store.fleet.claim("evaluator", "one", MINUTE)
        await store.fleet.release("evaluator", "one")
        now = await store.fleet.claim("evaluator", "one", MINUTE)
        store.ledger.fence(before)
        await _refused(store.ledger.commit(Commit(incidents=(incident(1),))))
        store.ledger.fence(now)
        await store.ledger.commit(Commit(incidents=(incident(2),)))
        store.ledger.fence(None)
        await store.ledger.commit(Commit(incidents=(incident(3),), results=(result(status=Status.DOWN),)))
        assert sorted(one.id for one in (await store.ledger.load()).incidents) == ["shop-2", "shop-3"]


async def shards_are_given_by_who_may(opener: Opener) -> None:
    """Each of a location in place of what it was; nothing where the lease is another's, or of another time."""
    first = [ShardRun("paris", 0, "paris-1", 1), ShardRun("paris", 255, "paris-2", 2), ShardRun("lille", 0, "lille-1", 3)]
    async with opened(opener) as store:
        lease = await store.fleet.claim("coordinator", "one", MINUTE)
        await store.fleet.save_shard_runs(first, lease)
        await store.fleet.save_shard_runs([ShardRun("paris", 0, "paris-2", 9, 7)], lease)
        expected = [first[2], ShardRun("paris", 0, "paris-2", 9, 7), first[1]]
        await store.fleet.release("coordinator", "one")
        for stale in (lease, replace(lease, name="never held")):
            await _refused(store.fleet.save_shard_runs(first, stale))
    async with opened(opener) as store:
        assert await store.fleet.shard_runs() == expected


async def numbers_stay(opener: Opener) -> None:
    """Of locations (`local` is one) and of monitors, also of those that are watched no longer; results have that of their location."""
    async with opened(opener) as store:
        numbers = [await store.fleet.location_number(name) for name in ("paris", "lille", "local", "paris")]
        assert numbers[0] == numbers[3]
        assert len(set(numbers)) == 3
        monitors = await store.fleet.monitor_numbers()
        assert set(monitors) == {one.id for one in MONITORS}
        assert len(set(monitors.values())) == len(monitors)
        found = replace(result(order=3), location="paris", run=2)
        await store.ledger.commit(Commit(incidents=(incident(),), results=(found,)))
    async with opened(opener) as store:
        assert await store.fleet.location_number("paris") == numbers[0]
        assert await store.fleet.monitor_numbers() == monitors
        assert [one.location for one in await store.history.results("shop", NOW - DAY, NOW + DAY)] == ["paris"]
        await store.catalog.sync_monitors(MONITORS[:1])
        assert await store.fleet.monitor_numbers() == monitors


async def servers_are_known_for_a_day(opener: Opener) -> None:
    """As each said last; one that is silent for a day is forgotten."""
    async with opened(opener) as store:
        now = time.time_ns() // 1_000_000
        one = ServerStatus("one", "1.2.3", now - 9, now, "https://one.test", 120, 4, "c0ffee", 2, 31, "paris")
        two = ServerStatus("two", "1.2.2", now - 9, now - 5, schema=30)
        for status in (two, replace(one, lag_ms=None), one, ServerStatus("old", "1.0.0", 1, now - DAY - MINUTE)):
            await store.fleet.report_server(status)
        assert await store.fleet.servers() == [one, two]
    async with opened(opener) as store:
        assert await store.fleet.servers() == [one, two]


async def what_is_forwarded_waits(opener: Opener) -> None:
    """In the order in which it was forwarded, over restarts, until it is taken in; what was taken in twice is gone once."""
    async with opened(opener) as store:
        for body in (b"first", b"second", b"third"):
            await store.fleet.forward(body)
        assert [body for _, body in await store.fleet.forwarded(2)] == [b"first", b"second"]
    async with opened(opener) as store:
        waiting = await store.fleet.forwarded(9)
        assert [body for _, body in waiting] == [b"first", b"second", b"third"]
        for _ in range(2):
            await store.fleet.taken_in([number for number, _ in waiting[:2]])
        assert await store.fleet.forwarded(9) == waiting[2:]
        await store.fleet.forward(b"fourth")
        await store.fleet.taken_in([number for number, _ in waiting])
        assert [body for _, body in await store.fleet.forwarded(9)] == [b"fourth"]


async def a_store_has_a_clock(opener: Opener) -> None:
    """By which claims of notices end, whatever the clock of who claims says; what is due is due by the latter."""
    async with opened(opener) as store:
        assert await store.fleet.now() <= await store.fleet.now()
        await store.ledger.commit(Commit(outbox=(row(),)))
        assert await store.ledger.claim(NOW + DAY, MINUTE, 9, NOW)
        assert await store.ledger.claim(NOW + DAY, MINUTE, 9, NOW + MINUTE - 1) == []
        assert await store.ledger.claim(0, MINUTE, 9, NOW + MINUTE) == []
        assert await store.ledger.claim(NOW + DAY, MINUTE, 9, NOW + MINUTE)


async def all_servers_sign_with_one_key(opener: Opener) -> None:
    """That of the first that asked, over restarts."""
    first, second = b"1" * 32, b"2" * 32
    async with opened(opener) as store:
        assert await store.fleet.shared_key(first) == first
        assert await store.fleet.shared_key(second) == first
    async with opened(opener) as store:
        assert await store.fleet.shared_key(second) == first


FLEET_LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        an_agent_is_known_by_its_token,
        a_revoked_agent_is_let_in_no_longer,
        of_many_who_enroll_one_name_one_is_let_in,
        an_agent_is_as_it_was_heard_last,
        a_lease_has_one_holder,
        the_epoch_rises_with_each_holder,
        of_many_who_claim_a_lease_one_gets_it,
        who_is_fenced_commits_nothing,
        who_leads_again_commits_again,
        shards_are_given_by_who_may,
        numbers_stay,
        servers_are_known_for_a_day,
        what_is_forwarded_waits,
        all_servers_sign_with_one_key,
        a_store_has_a_clock,
    )
}
