"""The laws that every store keeps. Each takes an opener: called again after `close`, it opens the same data once more.

@pytest.mark.parametrize("law", LAWS)
async def test_the_store_keeps_the_law(law, tmp_path):
    await LAWS[law](lambda: SqliteStore(tmp_path / "vigie.db"))
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from vigie.core.detection import Severity
from vigie.core.events import Acked, AckRecorded, Cleared, Closed, Decision, Disclosed, Opened, Recovered, Reminded, Resolved, Suspected
from vigie.core.incident import MonitorState, Phase, Track
from vigie.core.model import Cause, Certificate, CheckResult, HttpFacts, Incident, Monitor, Status, Timings, TlsFacts
from vigie.core.notification import Notice, NoticeReason
from vigie.errors import StoreError
from vigie.ports import Commit, Delivery, OutboxRow, Store, StoredReport, TimelineEntry
from vigie.report.facts import Analysis, Bundle, Dropped, Evidence, Fact, FactKind
from vigie.testing.store_suite.archive import LEARNT_LAWS

Opener = Callable[[], Store]
Law = Callable[[Opener], Awaitable[None]]

NOW = 1_767_225_600_000
DAY = 86_400_000
MONITORS = tuple(Monitor(name, name.upper(), "http", f"https://{name}.test/", name, 60_000, 10_000) for name in ("shop", "api"))


def result(monitor: str = "shop", at: int = NOW, status: Status = Status.UP, order: int = 1) -> CheckResult:
    """A whole result, with every kind of detail."""
    bad = status is not Status.UP
    certificate = Certificate("CN=shop.test", "CN=authority", NOW, NOW + DAY, "EC 256", "sha256", ("shop.test",), "00ff")
    return CheckResult(
        monitor, at, status, Cause.HTTP_STATUS if bad else None, "status 503" if bad else "", Timings(1.2, 3.4, None, 50.6, 0.7, 61.8),
        {"status": 503, "limit": 2.5, "text": "é", "seen": True}, "192.0.2.7", ("192.0.2.7", "2001:db8::7"),
        HttpFacts(503 if bad else 200, "1.1", 1, 4_096, "text/html", {"server": "nginx"}, ("https://shop.test/b",), "Shop"),
        TlsFacts("TLSv1.3", "CN=authority", "CN=shop.test", NOW + DAY, 1, (certificate,)), ("renew soon",), "local", order,
    )  # fmt: skip


def incident(number: int = 1, monitor: str = "shop", at: int = NOW) -> Incident:
    """An open incident."""
    return Incident(f"{monitor}-{number}", monitor, Severity.OUTAGE, Cause.HTTP_STATUS, at - 10_000, at)


def row(reason: NoticeReason = NoticeReason.OPENED, due_at: int = NOW, *, channel: str = "mail", of: str = "shop-1") -> OutboxRow:
    """A notice that must be told."""
    return OutboxRow(Notice(f"{of}:{reason}:{channel}", of, of.partition("-")[0], channel, reason, NOW), due_at)


def sent(one: OutboxRow, at: int = NOW, reason: str | None = None) -> Delivery:
    """An attempt at a notice."""
    return Delivery(one.notice.key, one.notice.channel, at, one.attempts + 1, reason, "250 queued", 12)


def report(made_at: int = NOW, sentence: str = "The server answers 503.") -> StoredReport:
    """A report with evidence and analysis."""
    evidence = Evidence(
        FactKind.HTTP, "status", 503, "Le statut est 503.", "The status is 503.", NOW, "check", renderings=("503",), bad=True
    )
    analysis = Analysis("llama3", "en", (sentence,), (Dropped("number", "It took 9 s."),), "http.status", 1_200)
    return StoredReport("shop-1", Bundle("shop-1", NOW, (Fact("F1", evidence),)), analysis, None, made_at)


@asynccontextmanager
async def opened(opener: Opener) -> AsyncIterator[Store]:
    """The store, with the monitors it watches, closed at the end."""
    store = opener()
    try:
        await store.sync_monitors(MONITORS)
        yield store
    finally:
        await store.close()


def _keys(rows: list[OutboxRow]) -> list[str]:
    return [one.notice.key for one in rows]


async def decisions_outlive_a_restart(opener: Opener) -> None:
    """States, incidents, timeline, outbox, cursors and details of one commit are all there again, as they were."""
    track = Track(Phase.OPEN, 2, NOW, "shop-1", told=True, acked=True, reminders=3, remind_at=NOW + 5)
    state = MonitorState("shop", 9, 1, Status.DOWN, Cause.HTTP_STATUS, NOW, track, Track(), NOW + 5)
    decision = Opened(Severity.OUTAGE, "shop-1", NOW, NOW - 10_000, Cause.HTTP_STATUS, page=True)
    entry, bad = TimelineEntry("shop-1", NOW, decision), result(status=Status.DOWN)
    async with opened(opener) as store:
        await store.commit(Commit((bad,), (state,), (incident(),), (entry,), (row(),), (("local", 3, 4),), (bad,)))
    async with opened(opener) as store:
        assert await store.load_states() == {"shop": state}
        assert await store.incident("shop-1") == incident()
        assert await store.timeline("shop-1") == [entry]
        assert await store.unsent() == [row()]
        assert await store.cursors() == {"local": (3, 4)}
        assert await store.last_detail("shop", good=False, before=NOW + 1) == bad


async def what_waits_is_written_at_the_end(opener: Opener) -> None:
    """Results, counters and cursors that decided nothing are there after a clean end, and to be read before it."""
    async with opened(opener) as store:
        for number in range(1, 4):
            good = result(at=NOW + number, order=number)
            await store.commit(Commit((good,), cursors=(("local", 1, number),), details=(good,)))
        assert await store.cursors() == {"local": (1, 3)}
        assert (await store.last_results())["shop"].at == NOW + 3
        assert await store.last_detail("shop", good=True, before=NOW + 3) == result(at=NOW + 2, order=2)
    async with opened(opener) as store:
        assert await store.cursors() == {"local": (1, 3)}
        last = (await store.last_results())["shop"]
        assert (last.at, last.status, last.timings) == (NOW + 3, Status.UP, result().timings)
        assert await store.last_detail("shop", good=True, before=NOW + 3) == result(at=NOW + 2, order=2)


async def every_decision_reads_back(opener: Opener) -> None:
    """The timeline keeps each kind of decision, in the order of its commits."""
    outage = Severity.OUTAGE
    decisions: list[Decision] = [
        Suspected(outage, 1, Cause.DNS_NXDOMAIN),
        Cleared(outage, 2),
        Opened(outage, "shop-1", 3, 1, Cause.TLS_EXPIRED, page=False),
        Disclosed(outage, "shop-1", 4),
        Reminded(outage, "shop-1", 5, 1),
        AckRecorded(outage, "shop-1", 6, "ann"),
        Recovered(Severity.DEGRADATION, "shop-1", 7, page=True),
        Closed(outage, "shop-1", 8, "ann", "it was the cable", page=True),
    ]
    entries = [TimelineEntry("shop-1", number, one) for number, one in enumerate(decisions)]
    async with opened(opener) as store:
        for entry in entries:
            await store.commit(Commit(timeline=(entry,)))
        await store.commit(Commit(timeline=(TimelineEntry("api-1", 9, Cleared(outage, 9)),)))
        assert await store.timeline("shop-1") == entries


async def incidents_are_replaced_and_listed_newest_first(opener: Opener) -> None:
    """A row that comes again replaces the one before; open ones can be asked for alone."""
    closed = replace(incident(), closed_at=NOW + 5, closed_by="ann", acked_by="bob", note="the cable")
    async with opened(opener) as store:
        await store.commit(Commit(incidents=(incident(), incident(1, "api", NOW + 1), incident(2, "api", NOW + 2))))
        await store.commit(Commit(incidents=(closed,)))
        assert await store.incident("shop-1") == closed
        assert [one.id for one in await store.incidents()] == ["api-2", "api-1", "shop-1"]
        assert [one.id for one in await store.incidents(open_only=True)] == ["api-2", "api-1"]
        assert [one.id for one in await store.incidents(limit=1)] == ["api-2"]
        assert await store.incident("shop-7") is None
        assert await store.timeline("shop-7") == []


async def of_two_states_the_later_stands(opener: Opener) -> None:
    """Whether they came in one commit that decided, or in several that did not."""
    open_state = MonitorState("shop", 1, 1, outage=Track(Phase.OPEN, incident="shop-1"))
    async with opened(opener) as store:
        await store.commit(Commit(states=(open_state,)))
        for order in range(2, 5):
            await store.commit(Commit(states=(replace(open_state, order=order),)))
        assert (await store.load_states())["shop"].order == 4
    async with opened(opener) as store:
        assert (await store.load_states())["shop"].order == 4


async def runs_rise(opener: Opener) -> None:
    """Over restarts too."""
    numbers = []
    for _ in range(2):
        async with opened(opener) as store:
            numbers += [await store.next_run(), await store.next_run()]
    assert numbers == sorted(set(numbers))


async def a_lease_keeps_others_away(opener: Opener) -> None:
    """A row is handed out when it is due, to one caller, and again once the lease has ended."""
    async with opened(opener) as store:
        assert await store.next_due() is None
        await store.commit(Commit(outbox=(row(due_at=NOW + 5), row(due_at=NOW + 3, channel="chat"))))
        assert await store.next_due() == NOW + 3
        assert await store.claim(NOW + 2, 100, 9) == []
        assert _keys(await store.claim(NOW + 5, 100, 9)) == ["shop-1:opened:chat", "shop-1:opened:mail"], "oldest first"
        assert await store.claim(NOW + 104, 100, 9) == []
        assert await store.next_due() == NOW + 105
        assert len(await store.claim(NOW + 105, 100, 1)) == 1, "no more than the limit"


async def nobody_claims_what_another_holds(opener: Opener) -> None:
    """However many ask at once."""
    async with opened(opener) as store:
        await store.commit(Commit(outbox=tuple(row(of=f"shop-{number}") for number in range(40))))
        claims = await asyncio.gather(*(store.claim(NOW, 1_000, 7) for _ in range(10)))
        assert sorted(_keys([one for claimed in claims for one in claimed])) == sorted(f"shop-{number}:opened:mail" for number in range(40))


async def a_later_notice_never_overtakes(opener: Opener) -> None:
    """One channel is told of one incident in order, also while the first is sent or waits for another try; others are not held up."""
    recovered, elsewhere = row(NoticeReason.RECOVERED), row(NoticeReason.RECOVERED, channel="chat")
    async with opened(opener) as store:
        await store.commit(Commit(outbox=(row(due_at=NOW + 9), recovered, elsewhere, row(of="shop-2"))))
        assert sorted(_keys(await store.claim(NOW, 100, 9))) == ["shop-1:recovered:chat", "shop-2:opened:mail"]
        assert _keys(await store.claim(NOW + 9, 1, 9)) == ["shop-1:opened:mail"]
        await store.failed(sent(row(), reason="timeout"), NOW + 500)
        assert "shop-1:recovered:mail" not in _keys(await store.claim(NOW + 400, 1, 9))
        await store.failed(sent(row(), reason="rejected"), None)
        assert "shop-1:recovered:mail" in _keys(await store.claim(NOW + 500, 1, 9)), "what is buried holds nothing up"


async def a_key_is_told_once(opener: Opener) -> None:
    """A row whose key is there already is left alone: while it waits, once it was delivered, and when it was buried."""
    async with opened(opener) as store:
        await store.commit(Commit(outbox=(row(), row(channel="chat"))))
        await store.commit(Commit(outbox=(row(due_at=NOW + 77),)))
        assert (await store.unsent())[0].due_at == NOW
        await store.delivered(sent(row()))
        await store.failed(sent(row(channel="chat"), reason="rejected"), None)
        await store.commit(Commit(outbox=(row(), row(channel="chat"))))
        assert await store.unsent() == []
        assert await store.next_due() is None
    async with opened(opener) as store:
        await store.commit(Commit(outbox=(row(),)))
        assert await store.unsent() == []


async def every_attempt_is_a_row(opener: Opener) -> None:
    """Failures count up and wait, a success ends it, and all of it can be read."""
    other = row(NoticeReason.BURIED, channel="chat")
    async with opened(opener) as store:
        await store.commit(Commit(outbox=(row(),)))
        await store.failed(sent(row(), NOW + 1, "timeout"), NOW + 10, [other])
        (again,) = await store.claim(NOW + 10, 1_000, 1)
        assert (again.notice.channel, await store.claim(NOW + 9, 1_000, 9)) == ("chat", [])
        (mail,) = await store.claim(NOW + 10, 1_000, 9)
        assert (mail.attempts, mail.due_at) == (1, NOW + 10)
        await store.failed(sent(mail, NOW + 11, "server"), None)
        await store.delivered(sent(other, NOW + 12))
        assert _keys(await store.buried()) == ["shop-1:opened:mail"]
        found = [(one.channel, one.at, one.attempt, one.reason) for one in await store.deliveries("shop-1")]
        assert found == [("mail", NOW + 1, 1, "timeout"), ("mail", NOW + 11, 2, "server"), ("chat", NOW + 12, 1, None)]
        assert await store.deliveries("shop-2") == []


async def a_report_joins_the_page_that_waits(opener: Opener) -> None:
    """An opening that nobody claimed becomes due at once, and nothing follows; the retry of a failed one will carry the report."""
    follow = [row(NoticeReason.REPORT, channel=channel) for channel in ("mail", "chat")]
    async with opened(opener) as store:
        await store.commit(Commit(outbox=(row(due_at=NOW + 9_000), row(NoticeReason.DISCLOSED, NOW + 5, channel="chat"))))
        await store.failed(sent(row(NoticeReason.DISCLOSED, channel="chat"), reason="timeout"), NOW + 700)
        await store.save_report(report(), NOW, follow)
        assert {one.notice.channel: one.due_at for one in await store.unsent()} == {"mail": NOW, "chat": NOW + 700}
        assert await store.report("shop-1") == report()


async def a_report_follows_the_page_that_left(opener: Opener) -> None:
    """By the channels whose opening was delivered or is being sent, and by no other."""
    follow = [row(NoticeReason.REPORT, channel=channel) for channel in ("mail", "chat", "hook", "none")]
    async with opened(opener) as store:
        await store.commit(Commit(outbox=(row(), row(channel="chat"), row(channel="hook"))))
        assert len(await store.claim(NOW, 1_000, 9)) == 3
        await store.delivered(sent(row()))
        await store.failed(sent(row(channel="hook"), reason="rejected"), None)
        await store.save_report(report(), NOW + 1, follow)
        waiting = _keys(await store.unsent())
        assert waiting == ["shop-1:opened:chat", "shop-1:report:mail", "shop-1:report:chat"]
        await store.save_report(report(NOW + 2, "Again."), NOW + 2, follow)
        assert _keys(await store.unsent()) == waiting, "said once"
        assert await store.report("shop-1") == report(NOW + 2, "Again."), "the newest stands"
        assert await store.report("api-1") is None


async def the_newest_whole_result_is_found(opener: Opener) -> None:
    """Good and bad apart, by instant and not by arrival."""
    found = [result(at=NOW + 3), result(at=NOW + 1), result(at=NOW + 2, status=Status.DOWN), result("api", NOW + 9)]
    async with opened(opener) as store:
        await store.commit(Commit(details=tuple(found[:2])))
        await store.commit(Commit(details=tuple(found[2:]), incidents=(incident(),)))
        await store.commit(Commit(details=(result(at=NOW),)))
        assert await store.last_detail("shop", good=True, before=NOW + 4) == found[0]
        assert await store.last_detail("shop", good=True, before=NOW + 3) == found[1]
        assert await store.last_detail("shop", good=False, before=NOW + 9) == found[2]
        assert await store.last_detail("shop", good=False, before=NOW + 2) is None


async def monitors_that_went_are_not_shown(opener: Opener) -> None:
    """Their history stays, and they are shown again when they come back."""
    async with opened(opener) as store:
        await store.commit(Commit((result(), result("api", status=Status.DOWN)), incidents=(incident(),)))
        assert {name: one.status for name, one in (await store.last_results()).items()} == {"shop": Status.UP, "api": Status.DOWN}
        await store.sync_monitors(MONITORS[1:])
        assert set(await store.last_results()) == {"api"}
        assert await store.incident("shop-1") == incident()


async def events_are_handed_over_once(opener: Opener) -> None:
    """In the order in which they were left."""
    async with opened(opener) as store:
        assert await store.left() == []
        await store.leave("shop", Acked(5, "ann"))
        await store.leave("api", Resolved(6, "bob", "the cable"))
        assert await store.left() == [("shop", Acked(5, "ann")), ("api", Resolved(6, "bob", "the cable"))]
        assert await store.left() == []


async def retention_keeps_what_reports_need(opener: Opener) -> None:
    """Old whole results go, but the newest good and bad one of a monitor; incidents, notices and what is young stay."""
    old = [result(at=NOW - 900 * DAY), result(at=NOW - 800 * DAY), result(at=NOW - 700 * DAY, status=Status.DOWN)]
    async with opened(opener) as store:
        await store.commit(Commit(incidents=(incident(at=NOW - 900 * DAY),), outbox=(row(),), details=(*old, result("api"))))
        assert await store.prune(NOW) >= 1
        assert await store.prune(NOW) == 0
        assert await store.last_detail("shop", good=True, before=NOW) == old[1]
        assert await store.last_detail("shop", good=True, before=old[1].at) is None
        assert await store.last_detail("shop", good=False, before=NOW) == old[2]
        assert (len(await store.incidents()), len(await store.unsent())) == (1, 1)


async def many_commits_at_once_are_all_there(opener: Opener) -> None:
    """From as many tasks, some of which decide and some of which do not."""
    async with opened(opener) as store:
        await asyncio.gather(
            *(
                store.commit(Commit(incidents=(incident(n),), cursors=((f"agent-{n}", 1, n),), details=(result(at=NOW + n),)))
                for n in range(20)
            ),
            *(store.commit(Commit((result("api", NOW + n),), cursors=((f"quiet-{n}", 1, n),))) for n in range(20)),
        )
        assert len(await store.incidents()) == 20
    async with opened(opener) as store:
        assert len(await store.cursors()) == 40
        assert await store.last_detail("shop", good=True, before=NOW + 20) == result(at=NOW + 19)


async def hostile_text_is_kept(opener: Opener) -> None:
    """What a target wrote must never keep a page from going out: text that is no Unicode, endless numbers, what a database trips on."""
    text = "'; DROP TABLE incident; -- \0 \x1b[2J \U0001f4a9 é" * 50
    wild = replace(result(status=Status.DOWN), message=text, figures={text: text, "nan": float("nan"), "inf": float("inf")})
    worse = replace(
        wild, at=NOW + 1, message="half \ud83d", figures={"\udcff": 10**400, "less": -(10**400)}, timings=Timings(float("nan"), -1, 1e300)
    )
    async with opened(opener) as store:
        told = replace(incident(), note="half \ud83d", acked_by=text)
        await store.commit(Commit((wild, worse), incidents=(told,), outbox=(row(),), details=(wild, worse)))
        await store.failed(replace(sent(row(), reason="server"), answer="half \udc80 " + text), NOW + 1)
    async with opened(opener) as store:
        found = await store.last_detail("shop", good=False, before=NOW + 1)
        assert found is not None
        assert (found.message, found.figures[text], found.figures["inf"]) == (text, text, float("inf"))
        assert await store.last_detail("shop", good=False, before=NOW + 2) is not None
        one = await store.incident("shop-1")
        assert one is not None
        assert one.acked_by == text
        assert text in (await store.deliveries("shop-1"))[0].answer


async def a_closed_store_says_so(opener: Opener) -> None:
    """It raises StoreError and nothing else, and may be closed twice."""
    store = opener()
    await store.close()
    await store.close()
    for call in (store.next_run, store.unsent, store.load_states, lambda: store.commit(Commit(incidents=(incident(),)))):
        try:
            await call()
        except StoreError:
            continue
        raise AssertionError(f"{call} worked on a closed store")


LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        decisions_outlive_a_restart,
        what_waits_is_written_at_the_end,
        every_decision_reads_back,
        incidents_are_replaced_and_listed_newest_first,
        of_two_states_the_later_stands,
        runs_rise,
        a_lease_keeps_others_away,
        nobody_claims_what_another_holds,
        a_later_notice_never_overtakes,
        a_key_is_told_once,
        every_attempt_is_a_row,
        a_report_joins_the_page_that_waits,
        a_report_follows_the_page_that_left,
        the_newest_whole_result_is_found,
        monitors_that_went_are_not_shown,
        events_are_handed_over_once,
        retention_keeps_what_reports_need,
        many_commits_at_once_are_all_there,
        hostile_text_is_kept,
        a_closed_store_says_so,
    )
} | LEARNT_LAWS
