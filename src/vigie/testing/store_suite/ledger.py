"""The laws of the Ledger port.

Long: the laws of one port, each by itself.
"""

import asyncio
from dataclasses import replace

from vigie.core import alert
from vigie.core.alert import AlertState
from vigie.core.correlation import Tie, TieKind
from vigie.core.detection import Severity
from vigie.core.events import Cleared, Opened
from vigie.core.incident import DetectionState, Phase, Track
from vigie.core.members import Member, Members
from vigie.core.model import Cause, Status, Timings
from vigie.core.notification import NoticeReason
from vigie.core.quorum import View
from vigie.errors import StoreError
from vigie.learning.baseline import Baseline, Slow
from vigie.learning.page_profile import PageChange
from vigie.learning.season import Season
from vigie.observation.channel import ChannelState, Spell
from vigie.ports import DROPPED, Commit, OutboxCounts, OutboxState, TimelineEntry
from vigie.testing.store_suite.records import NOW, Law, Opener, incident, keys, opened, report, result, row, sent

WAITING, UNDELIVERABLE = OutboxState.WAITING, OutboxState.UNDELIVERABLE
KNOWN = Baseline(
    Season(600, bytes(range(168)) * 5, bytes(range(24)), 7, 9), 490_000, 3, b"\1\2\3\4\5", 250.5, 2, NOW, told=True,
    slow=Slow("tls", 300, 100, 12), page=b"\xff\0page", strange=PageChange(b"\0", 9, "script, title", 1_000, 2_000, "cdn.test"),
)  # fmt: skip


async def notices_are_read_page_by_page(opener: Opener) -> None:
    """From the newest on: those that are older than one, whatever comes meanwhile."""
    async with opened(opener) as store:
        rows = tuple(row(channel=name) for name in ("a", "b", "c", "d"))
        await store.ledger.commit(Commit(outbox=rows))
        of = rows[2].notice.key
        await store.ledger.commit(Commit(outbox=(row(channel="e"),)))
        found = await store.ledger.notices(before=of, limit=1)
        assert [one.row.notice.channel for one in found] == ["b"]
        assert [one.row.notice.channel for one in await store.ledger.notices(before=of)] == ["a", "b"]
        assert await store.ledger.notices(before="nobody's") == []


async def decisions_outlive_a_restart(opener: Opener) -> None:
    """States, incidents, timeline, outbox, cursors and details of one commit are all there again, as they were."""
    views = (View("local", 3, 9, NOW, Status.DOWN, Cause.HTTP_STATUS), View("paris", 1, 2, NOW - 1, Status.UP, counted=False))
    state = DetectionState("shop", 1, Status.DOWN, Cause.HTTP_STATUS, NOW, Track(Phase.OPEN, 2, NOW, "shop-1"), views=views)
    members = Members((Member("shop-1", "shop"), Member("api-1", "api", open=False, severity=Severity.DEGRADATION)))
    thread = AlertState(
        "shop-1", Severity.OUTAGE, "shop", phase=alert.Phase.FIRING, members=members, reminders=3, remind_at=NOW + 5, wake_at=NOW + 5,
        ties=(Tie(TieKind.ADDRESS, "192.0.2.7", "silent"),), grew_at=NOW,
    )  # fmt: skip
    joined = replace(incident(monitor="api"), severity=Severity.DEGRADATION, closed_at=NOW + 1, alert="shop-1")
    ended = replace(thread, id="shop-0", phase=alert.Phase.ENDED)
    decision = Opened(Severity.OUTAGE, "shop-1", NOW, NOW - 10_000, Cause.HTTP_STATUS)
    entry, bad = TimelineEntry("shop-1", NOW, decision), result(status=Status.DOWN)
    async with opened(opener) as store:
        await store.ledger.commit(
            Commit((bad,), (state,), (ended, thread), (incident(), joined), (entry,), (row(),), (("local", 3, 4),), (bad,))
        )
    async with opened(opener) as store:
        assert (await store.ledger.load()).states == {"shop": state}
        assert (await store.ledger.load()).alerts == (thread,), "the open ones"
        assert await store.archive.incident("shop-1") == incident()
        assert await store.archive.timeline("shop-1") == [entry]
        assert await store.ledger.outbox(WAITING) == [row()]
        assert (await store.ledger.load()).cursors == {"local": (3, 4)}
        assert await store.archive.last_detail("shop", good=False, before=NOW + 1) == bad


async def what_waits_is_written_at_the_end(opener: Opener) -> None:
    """Results, counters and cursors that decided nothing are there after a clean end, and to be read before it."""
    async with opened(opener) as store:
        for number in range(1, 4):
            good = result(at=NOW + number, order=number)
            await store.ledger.commit(Commit((good,), cursors=(("local", 1, number),), details=(good,)))
        assert (await store.ledger.load()).cursors == {"local": (1, 3)}
        assert (await store.archive.last_results())["shop"].at == NOW + 3
        assert await store.archive.last_detail("shop", good=True, before=NOW + 3) == result(at=NOW + 2, order=2)
    async with opened(opener) as store:
        assert (await store.ledger.load()).cursors == {"local": (1, 3)}
        last = (await store.archive.last_results())["shop"]
        assert (last.at, last.status, last.timings) == (NOW + 3, Status.UP, result().timings)
        assert await store.archive.last_detail("shop", good=True, before=NOW + 3) == result(at=NOW + 2, order=2)


async def of_two_states_the_later_stands(opener: Opener) -> None:
    """Whether they came in one commit that decided, or in several that did not."""
    open_state = DetectionState("shop", 1, outage=Track(Phase.OPEN, incident="shop-1"))
    async with opened(opener) as store:
        await store.ledger.commit(Commit(states=(open_state,)))
        for order in range(2, 5):
            await store.ledger.commit(Commit(states=(replace(open_state, at=order),)))
        assert ((await store.ledger.load()).states)["shop"].at == 4
    async with opened(opener) as store:
        assert ((await store.ledger.load()).states)["shop"].at == 4


async def runs_rise(opener: Opener) -> None:
    """Over restarts too."""
    numbers = []
    for _ in range(2):
        async with opened(opener) as store:
            numbers += [await store.ledger.next_run(), await store.ledger.next_run()]
    assert numbers == sorted(set(numbers))


async def a_lease_keeps_others_away(opener: Opener) -> None:
    """A row is handed out when it is due, to one caller, and again once the lease has ended."""
    async with opened(opener) as store:
        assert await store.ledger.next_due() is None
        await store.ledger.commit(Commit(outbox=(row(due_at=NOW + 5), row(due_at=NOW + 3, channel="chat"))))
        assert await store.ledger.next_due() == NOW + 3
        assert await store.ledger.claim(NOW + 2, 100, 9) == []
        assert keys(await store.ledger.claim(NOW + 5, 100, 9)) == ["shop-1:opened:chat", "shop-1:opened:mail"], "oldest first"
        assert await store.ledger.claim(NOW + 104, 100, 9) == []
        assert await store.ledger.next_due() == NOW + 105
        assert len(await store.ledger.claim(NOW + 105, 100, 1)) == 1, "no more than the limit"


async def a_lease_of_a_time_to_come_holds_nothing(opener: Opener) -> None:
    """It was written by a process that is gone, whose clock ran ahead; where several servers claim by one clock, it counts."""
    async with opened(opener) as store:
        await store.ledger.commit(Commit(outbox=(row(),)))
        assert len(await store.ledger.claim(NOW + 7_200_000, 100, 9)) == 1
        assert await store.ledger.claim(NOW + 8_000, 100, 9, NOW + 8_000) == []
        assert len(await store.ledger.claim(NOW + 8_000, 100, 9)) == 1
        assert await store.ledger.claim(NOW + 8_001, 100, 9) == []


async def nobody_claims_what_another_holds(opener: Opener) -> None:
    """However many ask at once."""
    async with opened(opener) as store:
        await store.ledger.commit(Commit(outbox=tuple(row(of=f"shop-{number}") for number in range(40))))
        claims = await asyncio.gather(*(store.ledger.claim(NOW, 1_000, 7) for _ in range(10)))
        assert sorted(keys([one for claimed in claims for one in claimed])) == sorted(f"shop-{number}:opened:mail" for number in range(40))


async def who_lost_a_claim_changes_nothing_by_failing(opener: Opener) -> None:
    """Another one sends it now, or has: the attempt is on record, and nothing follows from it. One's own claim counts after its end."""
    other = row(NoticeReason.RECOVERED)
    async with opened(opener) as store:
        ledger, failed = store.ledger, sent(row(), NOW + 150, "timeout")
        await ledger.commit(Commit(outbox=(row(),)))
        assert keys(await ledger.claim(NOW, 100, 9, NOW)) == ["shop-1:opened:mail"]
        assert keys(await ledger.claim(NOW + 110, 100, 9, NOW + 110)) == ["shop-1:opened:mail"]
        assert not await ledger.record(failed, NOW + 151, [other], held_until=NOW + 100)
        assert await ledger.claim(NOW + 200, 100, 9, NOW + 200) == []
        assert await ledger.record(failed, NOW + 300, held_until=NOW + 210)
        assert keys(await ledger.claim(NOW + 300, 100, 9, NOW + 300)) == ["shop-1:opened:mail"]
        assert await ledger.record(sent(row(), NOW + 301), held_until=NOW + 400)
        assert not await ledger.record(failed, NOW + 302, [other], held_until=NOW + 400)
        assert await ledger.outbox(WAITING) == []
        assert [one.failure for one in await store.archive.deliveries("shop-1")] == ["timeout", "timeout", None, "timeout"]


async def a_later_notice_never_overtakes(opener: Opener) -> None:
    """One channel is told of one incident in order, also while the first is sent or waits for another try; others are not held up."""
    recovered, elsewhere = row(NoticeReason.RECOVERED), row(NoticeReason.RECOVERED, channel="chat")
    async with opened(opener) as store:
        await store.ledger.commit(Commit(outbox=(row(due_at=NOW + 9), recovered, elsewhere, row(of="shop-2"))))
        assert sorted(keys(await store.ledger.claim(NOW, 100, 9))) == ["shop-1:recovered:chat", "shop-2:opened:mail"]
        assert keys(await store.ledger.claim(NOW + 9, 100, 9)) == ["shop-1:opened:mail"]
        await store.ledger.record(sent(row(), failure="timeout"), NOW + 500)
        assert "shop-1:recovered:mail" not in keys(await store.ledger.claim(NOW + 400, 1, 9))
        await store.ledger.record(sent(row(), failure="rejected"), None)
        assert "shop-1:recovered:mail" in keys(await store.ledger.claim(NOW + 500, 1, 9)), "what is undeliverable holds nothing up"


async def a_key_is_queued_once(opener: Opener) -> None:
    """A row whose key is there already is left alone: while it waits, once it was delivered, and when it was undeliverable."""
    async with opened(opener) as store:
        await store.ledger.commit(Commit(outbox=(row(), row(channel="chat"))))
        await store.ledger.commit(Commit(outbox=(row(due_at=NOW + 77),)))
        assert (await store.ledger.outbox(WAITING))[0].due_at == NOW
        await store.ledger.record(sent(row()))
        await store.ledger.record(sent(row(channel="chat"), failure="rejected"), None)
        await store.ledger.commit(Commit(outbox=(row(), row(channel="chat"))))
        assert await store.ledger.outbox(WAITING) == []
        assert await store.ledger.next_due() is None
    async with opened(opener) as store:
        await store.ledger.commit(Commit(outbox=(row(),)))
        assert await store.ledger.outbox(WAITING) == []


async def every_attempt_is_a_row(opener: Opener) -> None:
    """Failures count up and wait, a success ends it, and all of it can be read."""
    other = row(NoticeReason.UNDELIVERABLE, channel="chat")
    async with opened(opener) as store:
        await store.ledger.commit(Commit(outbox=(row(),)))
        await store.ledger.record(sent(row(), NOW + 1, "timeout"), NOW + 10, [other])
        (again,) = await store.ledger.claim(NOW + 9, 1_000, 1)
        assert (again.notice.channel, await store.ledger.claim(NOW + 9, 1_000, 9)) == ("chat", [])
        (mail,) = await store.ledger.claim(NOW + 10, 1_000, 9)
        assert (mail.attempts, mail.due_at) == (1, NOW + 10)
        await store.ledger.record(sent(mail, NOW + 11, "server"), None)
        await store.ledger.record(sent(other, NOW + 12))
        assert keys(await store.ledger.outbox(UNDELIVERABLE)) == ["shop-1:opened:mail"]
        found = [(one.channel, one.at, one.attempt, one.failure) for one in await store.archive.deliveries("shop-1")]
        assert found == [("mail", NOW + 1, 1, "timeout"), ("mail", NOW + 11, 2, "server"), ("chat", NOW + 12, 1, None)]
        assert await store.archive.deliveries("shop-2") == []


async def what_is_unsent_can_be_tried_again(opener: Opener) -> None:
    """What waits is due, what was undeliverable waits again, and held by nobody; what was delivered stays so. Over a restart too."""
    async with opened(opener) as store:
        rows = [row(channel=channel, due_at=NOW) for channel in ("mail", "chat", "hook")]
        await store.ledger.commit(Commit(outbox=tuple(rows)))
        await store.ledger.claim(NOW, 60_000, 10)
        await store.ledger.record(sent(rows[0]))
        await store.ledger.record(sent(rows[1], failure="rejected"))
        await store.ledger.record(sent(rows[2], failure="timeout"), NOW + 900_000)
        await store.ledger.retry([one.notice.key for one in rows] + ["unknown"], NOW + 1)
        assert await store.ledger.counts() == OutboxCounts(2, 0)
    async with opened(opener) as store:
        assert {one.notice.channel for one in await store.ledger.claim(NOW + 1, 60_000, 10)} == {"chat", "hook"}


async def what_is_dropped_is_not_sent(opener: Opener) -> None:
    """Nor tried again, whatever is recorded after it, but a delivery that happened all the same; who dropped it stays on record."""
    async with opened(opener) as store:
        rows = [row(channel=channel) for channel in ("mail", "chat", "hook", "pager")]
        await store.ledger.commit(Commit(outbox=tuple(rows)))
        await store.ledger.record(sent(rows[0]))
        await store.ledger.record(sent(rows[1], failure="rejected"))
        await store.ledger.claim(NOW, 60_000, 10)
        await store.ledger.drop([one.notice.key for one in rows] + ["unknown"], "Zoé", NOW + 5)
        await store.ledger.retry([one.notice.key for one in rows], NOW + 6)
        await store.ledger.record(sent(rows[2], failure="timeout"), NOW + 7)
        await store.ledger.record(sent(rows[3]))
        assert await store.ledger.claim(NOW + 99_999, 60_000, 10) == []
        assert await store.ledger.counts() == OutboxCounts(0, 0)
    async with opened(opener) as store:
        found = {one.row.notice.channel: one.state.value for one in await store.ledger.notices(alert="shop-1")}
        assert found == {"mail": "delivered", "chat": "dropped", "hook": "dropped", "pager": "delivered"}
        dropped = [one for one in await store.archive.deliveries("shop-1") if one.failure == DROPPED]
        assert [(one.channel, one.answer, one.at, one.attempt) for one in dropped] == [
            ("chat", "Zoé", NOW + 5, 0),
            ("hook", "Zoé", NOW + 5, 0),
            ("pager", "Zoé", NOW + 5, 0),
        ]
        newest = await store.archive.attempts(["shop-1:opened:hook", "shop-1:opened:mail", "unknown"])
        assert {key: one.failure for key, one in newest.items()} == {"shop-1:opened:hook": "timeout", "shop-1:opened:mail": None}


async def notices_are_listed(opener: Opener) -> None:
    """The newest ones in the order they were queued, by alert, state and channel."""
    async with opened(opener) as store:
        rows = [row(of=f"shop-{number}", channel=channel) for number in range(3) for channel in ("mail", "chat")]
        await store.ledger.commit(Commit(outbox=tuple(rows)))
        await store.ledger.record(sent(rows[0]))
        await store.ledger.record(sent(rows[1], failure="rejected"))
        found = await store.ledger.notices()
        assert [one.row.notice.key for one in found] == keys(rows)
        assert [one.state.value for one in found] == ["delivered", "undeliverable", *["waiting"] * 4]
        assert [one.row.notice.key for one in await store.ledger.notices(limit=2)] == keys(rows[-2:])
        assert [one.row.notice.key for one in await store.ledger.notices(states=[UNDELIVERABLE])] == keys(rows[1:2])
        assert [one.row.notice.key for one in await store.ledger.notices(channel="mail", states=[WAITING])] == keys([rows[2], rows[4]])
        assert [one.row.notice.key for one in await store.ledger.notices(alert="shop-2")] == keys(rows[4:])
        assert await store.ledger.notices(alert="none") == []
        assert [one.row.notice.key for one in await store.ledger.notices(threads="shop-")] == keys(rows)
        assert [one.row.notice.key for one in await store.ledger.notices(threads="shop-1", channel="chat")] == keys(rows[3:4])
        assert await store.ledger.notices(threads="shop-3") == []


async def what_is_known_of_channels_outlives_a_restart(opener: Opener) -> None:
    """It is kept with an attempt or by itself, and so are the notices about it."""
    failing, restored = (
        ChannelState("mail", Spell(NOW, 3, 1, "auth", "535 é", NOW + 9)),
        ChannelState("chat", None, Spell(NOW, until=NOW + 1)),
    )
    async with opened(opener) as store:
        assert await store.archive.channels() == {}
        await store.ledger.commit(Commit(outbox=(row(),)))
        await store.ledger.record(sent(row(), failure="auth"), NOW + 5, [row(channel="hook")], failing)
        await store.ledger.save_channel(restored, [row(channel="pager")])
    async with opened(opener) as store:
        assert await store.archive.channels() == {"mail": failing, "chat": restored}
        assert keys(await store.ledger.outbox(WAITING)) == [f"shop-1:opened:{name}" for name in ("mail", "hook", "pager")]
        await store.ledger.save_channel(ChannelState("mail"))
        assert (await store.archive.channels())["mail"] == ChannelState("mail")


async def what_waits_and_what_failed_is_counted(opener: Opener) -> None:
    """As the rows say, whatever became of them; over a restart too."""
    async with opened(opener) as store:
        assert await store.ledger.counts() == OutboxCounts(0, 0)
        rows = [row(channel=channel) for channel in ("mail", "chat", "hook")]
        await store.ledger.commit(Commit(outbox=tuple(rows)))
        await store.ledger.commit(Commit(outbox=tuple(rows)))
        assert await store.ledger.counts() == OutboxCounts(3, 0)
        await store.ledger.record(sent(rows[0]))
        await store.ledger.record(sent(rows[1], failure="rejected"), None, [row(NoticeReason.UNDELIVERABLE)])
        await store.ledger.record(sent(rows[2], failure="timeout"), NOW + 5)
        await store.ledger.record(sent(rows[0], failure="timeout"), NOW + 5)
        assert await store.ledger.counts() == OutboxCounts(2, 1)
    async with opened(opener) as store:
        assert await store.ledger.counts() == OutboxCounts(2, 1)
        assert len(await store.ledger.outbox(WAITING)) == 2
        await store.ledger.commit(Commit(outbox=(row(of="api-1"),)))
        assert keys(await store.ledger.outbox(WAITING, "api-1")) == ["api-1:opened:mail"]
        assert len(await store.ledger.outbox(WAITING, "shop-1")) == 2
        assert await store.ledger.outbox(UNDELIVERABLE, "api-1") == []


async def a_report_joins_the_page_that_waits(opener: Opener) -> None:
    """An opening that nobody claimed becomes due at once, and nothing follows; the retry of a failed one will carry the report."""
    follow = [row(NoticeReason.REPORT, channel=channel) for channel in ("mail", "chat")]
    async with opened(opener) as store:
        await store.ledger.commit(Commit(outbox=(row(due_at=NOW + 9_000), row(NoticeReason.DISCLOSED, NOW + 5, channel="chat"))))
        await store.ledger.record(sent(row(NoticeReason.DISCLOSED, channel="chat"), failure="timeout"), NOW + 700)
        await store.ledger.save_report(report(), NOW, follow)
        assert {one.notice.channel: one.due_at for one in await store.ledger.outbox(WAITING)} == {
            "mail": NOW,
            "chat": NOW + 700,
        }
        assert await store.archive.report("shop-1") == report()


async def the_first_message_of_a_thread_is_known_by_its_reference(opener: Opener) -> None:
    """Of the alert and the channel asked for, and the oldest that the provider named."""
    async with opened(opener) as store:
        await store.ledger.commit(Commit(outbox=(row(), row(channel="chat"), row(NoticeReason.REMINDER))))
        await store.ledger.record(sent(row(), failure="timeout"), NOW + 5)
        await store.ledger.record(replace(sent(row()), reference="C1/17.5"))
        await store.ledger.record(replace(sent(row(NoticeReason.REMINDER)), reference="C1/18.5"))
        await store.ledger.record(sent(row(channel="chat")))
    async with opened(opener) as store:
        found = [await store.archive.reference(*which) for which in (("shop-1", "mail"), ("shop-1", "chat"), ("shop-2", "mail"))]
        assert found == ["C1/17.5", "", ""]
        assert [one.reference for one in await store.archive.deliveries("shop-1")] == ["", "C1/17.5", "C1/18.5", ""]


async def a_report_follows_the_page_that_left(opener: Opener) -> None:
    """By the channels whose opening was delivered or is being sent, and by no other."""
    follow = [row(NoticeReason.REPORT, channel=channel) for channel in ("mail", "chat", "hook", "none")]
    async with opened(opener) as store:
        await store.ledger.commit(Commit(outbox=(row(), row(channel="chat"), row(channel="hook"))))
        assert len(await store.ledger.claim(NOW, 1_000, 9)) == 3
        await store.ledger.record(sent(row()))
        await store.ledger.record(sent(row(channel="hook"), failure="rejected"), None)
        await store.ledger.save_report(report(), NOW + 1, follow)
        waiting = keys(await store.ledger.outbox(WAITING))
        assert waiting == ["shop-1:opened:chat", "shop-1:report:mail", "shop-1:report:chat"]
        await store.ledger.save_report(report(NOW + 2, "Again."), NOW + 2, follow)
        assert keys(await store.ledger.outbox(WAITING)) == waiting, "said once"
        assert await store.archive.report("shop-1") == report(NOW + 2, "Again."), "the newest stands"
        assert await store.archive.report("api-1") is None


async def many_commits_at_once_are_all_there(opener: Opener) -> None:
    """From as many tasks, some of which decide and some of which do not."""
    async with opened(opener) as store:
        await asyncio.gather(
            *(
                store.ledger.commit(Commit(incidents=(incident(n),), cursors=((f"agent-{n}", 1, n),), details=(result(at=NOW + n),)))
                for n in range(20)
            ),
            *(store.ledger.commit(Commit((result("api", NOW + n),), cursors=((f"quiet-{n}", 1, n),))) for n in range(20)),
        )
        assert len(await store.archive.incidents()) == 20
    async with opened(opener) as store:
        assert len((await store.ledger.load()).cursors) == 40
        assert await store.archive.last_detail("shop", good=True, before=NOW + 20) == result(at=NOW + 19)


async def hostile_text_is_kept(opener: Opener) -> None:
    """What a target wrote must never keep a notice from going out: invalid Unicode, endless numbers, what a database trips on."""
    text = "'; DROP TABLE incident; -- \0 \x1b[2J \U0001f4a9 é" * 50
    wild = replace(result(status=Status.DOWN), message=text, figures={text: text, "nan": float("nan"), "inf": float("inf")})
    worse = replace(
        wild, at=NOW + 1, message="half \ud83d", figures={"\udcff": 10**400, "less": -(10**400)}, timings=Timings(float("nan"), -1, 1e300)
    )
    async with opened(opener) as store:
        told = replace(incident(), note="half \ud83d", acked_by=text)
        await store.ledger.commit(Commit((wild, worse), incidents=(told,), outbox=(row(),), details=(wild, worse)))
        await store.ledger.record(replace(sent(row(), failure="server"), answer="half \udc80 " + text), NOW + 1)
    async with opened(opener) as store:
        found = await store.archive.last_detail("shop", good=False, before=NOW + 1)
        assert found is not None
        assert (found.message, found.figures[text], found.figures["inf"]) == (text, text, float("inf"))
        assert await store.archive.last_detail("shop", good=False, before=NOW + 2) is not None
        one = await store.archive.incident("shop-1")
        assert one is not None
        assert one.acked_by == text
        assert text in (await store.archive.deliveries("shop-1"))[0].answer


async def a_closed_store_says_so(opener: Opener) -> None:
    """It raises StoreError and nothing else, and may be closed twice."""
    store = opener()
    await store.close()
    await store.close()
    for call in (
        store.ledger.next_run,
        store.ledger.load,
        lambda: store.ledger.outbox(WAITING),
        lambda: store.ledger.commit(Commit(incidents=(incident(),))),
        store.archive.incidents,
        store.inbox.commands,
        lambda: store.catalog.sync_monitors(()),
    ):
        try:
            await call()
        except StoreError:
            continue
        raise AssertionError(f"{call} worked on a closed store")


async def what_is_usual_outlives_a_restart(opener: Opener) -> None:
    """Each monitor's newest baseline, however it was committed; it can be read at once."""
    async with opened(opener) as store:
        assert (await store.ledger.load()).baselines == {}
        await store.ledger.commit(Commit(baselines=(("shop", Baseline()), ("api", KNOWN))))
        await store.ledger.commit(Commit(baselines=(("shop", replace(KNOWN, score=1)),)))
        assert (await store.ledger.load()).baselines == {"shop": replace(KNOWN, score=1), "api": KNOWN}
    async with opened(opener) as store:
        assert (await store.ledger.load()).baselines == {"shop": replace(KNOWN, score=1), "api": KNOWN}
        decided = TimelineEntry("shop-1", NOW, Cleared(Severity.OUTAGE, NOW))
        await store.ledger.commit(Commit(timeline=(decided,), baselines=(("shop", KNOWN),)))
    async with opened(opener) as store:
        assert (await store.ledger.load()).baselines == {"shop": KNOWN, "api": KNOWN}


LEDGER_LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        notices_are_read_page_by_page,
        decisions_outlive_a_restart,
        what_waits_is_written_at_the_end,
        of_two_states_the_later_stands,
        runs_rise,
        a_lease_keeps_others_away,
        a_lease_of_a_time_to_come_holds_nothing,
        nobody_claims_what_another_holds,
        who_lost_a_claim_changes_nothing_by_failing,
        a_later_notice_never_overtakes,
        a_key_is_queued_once,
        every_attempt_is_a_row,
        what_is_unsent_can_be_tried_again,
        what_waits_and_what_failed_is_counted,
        what_is_dropped_is_not_sent,
        notices_are_listed,
        what_is_known_of_channels_outlives_a_restart,
        a_report_joins_the_page_that_waits,
        a_report_follows_the_page_that_left,
        many_commits_at_once_are_all_there,
        hostile_text_is_kept,
        a_closed_store_says_so,
        what_is_usual_outlives_a_restart,
    )
}
