"""The laws of the Archive port."""

from dataclasses import replace

from vigie.core.detection import Severity
from vigie.core.events import AckRecorded, Cleared, Closed, Decision, Disclosed, Joined, Opened, Recovered, Reminded, Suspected, Withheld
from vigie.core.model import Cause, CheckResult, Incident, Status
from vigie.observation.visibility import Blind
from vigie.planning.maintenance import MaintenanceSpan
from vigie.ports import AlertFilter, AlertRow, Commit, OutboxState, TimelineEntry
from vigie.testing.store_suite.records import DAY, MONITORS, NOW, Law, Opener, incident, opened, result, row

WAITING = OutboxState.WAITING


async def every_decision_reads_back(opener: Opener) -> None:
    """The timeline keeps each kind of decision, in the order of its commits."""
    outage = Severity.OUTAGE
    decisions: list[Decision] = [
        Suspected(outage, 1, Cause.DNS_NXDOMAIN),
        Cleared(outage, 2),
        Opened(outage, "shop-1", 3, 1, Cause.TLS_EXPIRED, page=False),
        Withheld(3, "shop-1"),
        Joined(4, "shop-1", "api-1"),
        Disclosed(4, "shop-1"),
        Reminded(5, 1, "shop-1"),
        AckRecorded(6, "ann", "shop-1"),
        Recovered(Severity.DEGRADATION, "shop-1", 7),
        Closed(outage, "shop-1", 8, "ann", "it was the cable"),
    ]
    entries = [TimelineEntry("shop-1", number, one) for number, one in enumerate(decisions)]
    async with opened(opener) as store:
        for entry in entries:
            await store.ledger.commit(Commit(timeline=(entry,)))
        await store.ledger.commit(Commit(timeline=(TimelineEntry("api-1", 9, Cleared(outage, 9)),)))
        assert await store.archive.timeline("shop-1") == entries


async def an_alert_has_the_members_that_name_it(opener: Opener) -> None:
    """In the order in which they joined; what is about the whole alert is in the timeline of each while it was a member."""
    late = replace(incident(monitor="api", at=NOW + 5), alert="shop-1", closed_at=NOW + 20)
    joined, reminded = TimelineEntry("api-1", NOW + 5, Joined(NOW + 5, "shop-1", "api-1")), Reminded(NOW + 10, 1, "shop-1")
    async with opened(opener) as store:
        await store.ledger.commit(Commit(incidents=(incident(), incident(2, "other"))))
        await store.ledger.commit(Commit(incidents=(late, replace(incident(), acked_by="ann")), timeline=(joined,)))
        for entry in (Withheld(NOW, "shop-1"), reminded, AckRecorded(NOW + 30, "ann", "shop-1")):
            await store.ledger.commit(Commit(timeline=(TimelineEntry("shop-1", entry.at, entry),)))
    async with opened(opener) as store:
        assert [one.id for one in await store.archive.members("shop-1")] == ["shop-1", "api-1"]
        assert await store.archive.members("other-2") == [incident(2, "other")]
        assert await store.archive.members("never-1") == []
        assert [type(one.decision) for one in await store.archive.timeline("shop-1")] == [Withheld, Reminded, AckRecorded]
        assert await store.archive.timeline("api-1") == [joined, TimelineEntry("api-1", NOW + 10, reminded)]
        assert await store.archive.timeline("other-2") == []


async def incidents_are_replaced_and_listed_newest_first(opener: Opener) -> None:
    """A row that comes again replaces the one before; open ones can be asked for alone."""
    closed = replace(incident(), closed_at=NOW + 5, closed_by="ann", acked_by="bob", note="the cable")
    async with opened(opener) as store:
        await store.ledger.commit(Commit(incidents=(incident(), incident(1, "api", NOW + 1), incident(2, "api", NOW + 2))))
        await store.ledger.commit(Commit(incidents=(closed,)))
        assert await store.archive.incident("shop-1") == closed
        assert [one.id for one in await store.archive.incidents()] == ["api-2", "api-1", "shop-1"]
        assert [one.id for one in await store.archive.incidents(open_only=True)] == ["api-2", "api-1"]
        assert [one.id for one in await store.archive.incidents(limit=1)] == ["api-2"]
        assert await store.archive.incident("shop-7") is None
        assert await store.archive.timeline("shop-7") == []


async def a_list_of_incidents_goes_on_where_it_was_left(opener: Opener) -> None:
    """After any of them come those that are older, or were written earlier in the same instant; changes move nothing."""
    known = tuple(incident(n, monitor, NOW + n % 2) for n, monitor in enumerate(("shop", "api", "shop", "api", "gone")))
    async with opened(opener) as store:
        await store.ledger.commit(Commit(incidents=known))
        order = [one.id for one in await store.archive.incidents()]
        assert order == ["api-3", "api-1", "gone-4", "shop-2", "shop-0"]
        await store.ledger.commit(Commit(incidents=(replace(known[0], acked_by="ann"), replace(known[3], closed_at=NOW + 9))))
    async with opened(opener) as store:
        for place, name in enumerate(order):
            assert [one.id for one in await store.archive.incidents(before=name)] == order[place + 1 :]
        assert [one.id for one in await store.archive.incidents(before="api-3", limit=2)] == order[1:3]
        assert [one.id for one in await store.archive.incidents(before="api-3", open_only=True, monitors=["api"])] == ["api-1"]
        assert [one.id for one in await store.archive.incidents(monitors={"shop", "gone", "never"})] == ["gone-4", "shop-2", "shop-0"]
        assert await store.archive.incidents(monitors=[]) == []
        assert await store.archive.incidents(before="shop-9") == []


async def alerts_are_listed_newest_first(opener: Opener) -> None:
    """One row for each incident that began one; filters leave the order as it is, and a list goes on where it was left."""
    old = replace(incident(1, at=NOW), closed_at=NOW + 5)
    storm = [incident(2, at=NOW + 10), replace(incident(1, "api", NOW + 11), alert="shop-2", closed_at=NOW + 12)]
    slow = replace(incident(2, "api", NOW + 10), severity=Severity.DEGRADATION, cause=Cause.LATENCY_ANOMALY)
    ended = [replace(incident(3, "api", NOW + 20), closed_at=NOW + 30), replace(incident(9, at=NOW + 21), alert="api-3")]
    async with opened(opener) as store:
        await store.ledger.commit(Commit(incidents=(old, *storm, slow, *ended)))
    async with opened(opener) as store:
        archive = store.archive
        rows = await archive.alerts(AlertFilter())
        assert rows == [AlertRow(ended[0], 2, 1), AlertRow(slow, 1, 1), AlertRow(storm[0], 2, 1), AlertRow(old, 1, 0)]
        assert await archive.alerts(AlertFilter(), limit=2, before="api-3") == rows[1:3]
        assert await archive.alerts(AlertFilter(), before="shop-1") == []

        async def found(wanted: AlertFilter) -> list[str]:
            return [one.first.id for one in await archive.alerts(wanted)]

        assert await found(AlertFilter(open_only=True)) == ["api-3", "api-2", "shop-2"]
        assert await found(AlertFilter(over_only=True)) == ["shop-1"]
        assert await found(AlertFilter(monitors=["shop"])) == ["api-3", "shop-2", "shop-1"]
        assert await found(AlertFilter(monitors=["shop", "api", "gone"], open_only=True)) == ["api-3", "api-2", "shop-2"]
        assert await found(AlertFilter(monitors=[])) == []
        assert await found(AlertFilter(causes=[Cause.LATENCY_ANOMALY])) == ["api-2"]
        assert await found(AlertFilter(severity=Severity.OUTAGE, monitors=["api"])) == ["api-3", "shop-2"]


async def the_newest_whole_result_is_found(opener: Opener) -> None:
    """Good and bad apart, by instant and not by arrival."""
    found = [result(at=NOW + 3), result(at=NOW + 1), result(at=NOW + 2, status=Status.DOWN), result("api", NOW + 9)]
    async with opened(opener) as store:
        await store.ledger.commit(Commit(details=tuple(found[:2])))
        await store.ledger.commit(Commit(details=tuple(found[2:]), incidents=(incident(),)))
        await store.ledger.commit(Commit(details=(result(at=NOW),)))
        assert await store.archive.last_detail("shop", good=True, before=NOW + 4) == found[0]
        assert await store.archive.last_detail("shop", good=True, before=NOW + 3) == found[1]
        assert await store.archive.last_detail("shop", good=False, before=NOW + 9) == found[2]
        assert await store.archive.last_detail("shop", good=False, before=NOW + 2) is None


async def monitors_that_went_are_not_shown(opener: Opener) -> None:
    """Their history stays, and they are shown again when they come back."""
    async with opened(opener) as store:
        await store.ledger.commit(Commit((result(), result("api", status=Status.DOWN)), incidents=(incident(),)))
        assert {name: one.status for name, one in (await store.archive.last_results()).items()} == {"shop": Status.UP, "api": Status.DOWN}
        await store.catalog.sync_monitors(MONITORS[1:])
        assert set(await store.archive.last_results()) == {"api"}
        assert await store.archive.incident("shop-1") == incident()


async def each_location_has_a_newest_result(opener: Opener) -> None:
    """Of a monitor the newest over its locations is shown, with its own location, run and sequence; also after a restart."""
    here = replace(result(at=NOW + 1), run=9, sequence=70_000)
    there = replace(result(at=NOW, status=Status.DOWN), location="paris", run=2, sequence=5)
    async with opened(opener) as store:
        await store.ledger.commit(Commit((here, there)))
        assert _identity((await store.archive.last_results())["shop"]) == _identity(here)
    async with opened(opener) as store:
        assert _identity((await store.archive.last_results())["shop"]) == _identity(here)
        later = replace(there, at=NOW + 2, sequence=6)
        await store.ledger.commit(Commit((later, result("api"))))
        assert _identity((await store.archive.last_results())["shop"]) == _identity(later)
    async with opened(opener) as store:
        assert _identity((await store.archive.last_results())["shop"]) == _identity(later)
        assert {name: _identity(one) for name, one in (await store.archive.last_results(["shop", "gone"])).items()} == {
            "shop": _identity(later)
        }
        assert await store.archive.last_results([]) == {}


async def each_of_several_locations_has_its_newest_result(opener: Opener) -> None:
    """Of monitors that one location checks nothing is said; also after a restart."""
    here, there = replace(result(at=NOW + 1), run=3), replace(result(at=NOW, status=Status.DOWN), location="paris", run=2, sequence=5)
    async with opened(opener) as store:
        assert await store.archive.newest_everywhere() == {}
        await store.ledger.commit(Commit((here, there, result("api"))))
        found = await store.archive.newest_everywhere()
        assert {name: [_identity(one) for one in ones] for name, ones in found.items()} == {"shop": [_identity(here), _identity(there)]}
    async with opened(opener) as store:
        later = replace(there, at=NOW + 9, sequence=6, status=Status.UP, cause=None)
        await store.ledger.commit(Commit((later,)))
        found = await store.archive.newest_everywhere(["shop", "gone"])
        assert {name: [_identity(one) for one in ones] for name, ones in found.items()} == {"shop": [_identity(here), _identity(later)]}
        assert await store.archive.newest_everywhere(["api"]) == {}


async def a_whole_result_is_asked_for_by_its_location(opener: Opener) -> None:
    """Where none is named, the newest of any."""
    here, there = result(at=NOW), replace(result(at=NOW + 5), location="paris")
    async with opened(opener) as store:
        await store.ledger.commit(Commit(details=(here, there)))
        read = store.archive.last_detail
        assert await read("shop", good=True, before=NOW + 9) == there
        assert await read("shop", good=True, before=NOW + 9, location="local") == here
        assert await read("shop", good=True, before=NOW + 9, location="paris") == there
        assert await read("shop", good=True, before=NOW + 9, location="lyon") is None


def _identity(one: CheckResult) -> tuple[object, ...]:
    return one.monitor, one.location, one.run, one.sequence, one.at, one.status


async def the_newest_good_check_keeps_its_own_facts(opener: Opener) -> None:
    """What changed since the check that began a healthy time is known of the newest one, at once and after a restart."""
    first = result(at=NOW)
    moved = _moved(result(at=NOW + 60_000, order=2), "192.0.2.99", "beef")
    again = replace(moved, at=NOW + 120_000, sequence=3, timings=replace(moved.timings, total=99.0))
    async with opened(opener) as store:
        for one in (first, moved, again):
            await store.ledger.commit(Commit((one,)))
        assert await store.archive.newest("shop", "local") is not None
        assert _facts(await store.archive.newest("shop", "local")) == _facts(again)
        assert await store.archive.newest("shop", "paris") is None
        assert await store.archive.newest("api", "local") is None
    async with opened(opener) as store:
        assert _facts(await store.archive.newest("shop", "local")) == _facts(again)
        elsewhere = replace(_moved(result(at=NOW + 180_000), "192.0.2.100", "cafe"), location="paris")
        await store.ledger.commit(Commit((elsewhere, result(at=NOW + 180_000, status=Status.DOWN, order=4))))
        assert _facts(await store.archive.newest("shop", "paris")) == _facts(elsewhere)
        bad = await store.archive.newest("shop", "local")
        assert bad is not None
        assert bad.status is Status.DOWN
        await store.catalog.sync_monitors(MONITORS[1:])
        assert await store.archive.newest("shop", "paris") is None


def _moved(one: CheckResult, address: str, digest: str) -> CheckResult:
    """The same service at another address, with another certificate."""
    assert one.tls is not None
    leaf = replace(one.tls.chain[0], sha256=digest, not_after=one.tls.chain[0].not_after + DAY)
    tls = replace(one.tls, chain=(leaf,), expires_at=leaf.not_after)
    return replace(one, address=address, addresses=(address,), tls=tls)


def _facts(one: CheckResult | None) -> tuple[object, ...]:
    """What a failure is compared with."""
    assert one is not None
    assert one.tls is not None
    return one.at, one.addresses, one.tls.chain[0].sha256, one.tls.expires_at, one.http and one.http.status, round(one.timings.total or 0)


async def retention_keeps_what_reports_need(opener: Opener) -> None:
    """Old whole results go, but the newest good and bad one of a monitor; incidents, notices and what is young stay."""
    old = [result(at=NOW - 900 * DAY), result(at=NOW - 800 * DAY), result(at=NOW - 700 * DAY, status=Status.DOWN)]
    async with opened(opener) as store:
        await store.ledger.commit(Commit(incidents=(incident(at=NOW - 900 * DAY),), outbox=(row(),), details=(*old, result("api"))))
        assert await store.archive.prune(NOW) >= 1
        assert await store.archive.prune(NOW) == 0
        assert await store.archive.last_detail("shop", good=True, before=NOW) == old[1]
        assert await store.archive.last_detail("shop", good=True, before=old[1].at) is None
        assert await store.archive.last_detail("shop", good=False, before=NOW) == old[2]
        assert (len(await store.archive.incidents()), len(await store.ledger.outbox(WAITING))) == (1, 1)


async def spans_of_blindness_outlive_a_restart(opener: Opener) -> None:
    """A row that comes again replaces the one of its number; what was over before an instant is left out."""
    lasting = Blind(1, NOW, Cause.PROBE_NETWORK)
    over = replace(lasting, until=NOW + 5)
    alone, quiet = Blind(2, NOW + 7, Cause.PROBE_ERROR, NOW + 9, "shop"), Blind(3, NOW + 10, Cause.PROBE_ERROR, quiet=True)
    async with opened(opener) as store:
        assert await store.archive.blinds(0) == []
        await store.ledger.commit(Commit(blind=(lasting,)))
    async with opened(opener) as store:
        assert await store.archive.blinds(NOW + 99) == [lasting]
        await store.ledger.commit(Commit(blind=(over, alone, quiet)))
    async with opened(opener) as store:
        assert await store.archive.blinds(0) == [over, alone, quiet]
        assert await store.archive.blinds(NOW + 6) == [alone, quiet]
        assert await store.archive.blinds(NOW + 99) == [quiet]
        assert await store.archive.prune(NOW + 500 * DAY) == 2
        assert await store.archive.blinds(0) == [quiet]
        there = Blind(4, NOW, Cause.PROBE_NETWORK, NOW + 4, location="paris")
        await store.ledger.commit(Commit(blind=(there,)))
    async with opened(opener) as store:
        assert await store.archive.blinds(0) == [quiet, there]


async def spans_of_maintenance_outlive_a_restart(opener: Opener) -> None:
    """And can be written anew under their key; retention drops the old ones."""
    first, second = MaintenanceSpan("a", NOW, NOW + 100, ("shop",), "new disk"), MaintenanceSpan("b", NOW - 10, NOW + 5)
    async with opened(opener) as store:
        assert await store.archive.maintained(0) == []
        await store.ledger.commit(Commit(maintenance=(first, second)))
    async with opened(opener) as store:
        assert await store.archive.maintained(0) == [second, first]
        assert await store.archive.maintained(NOW + 6) == [first]
        await store.ledger.commit(Commit(maintenance=(replace(first, end=NOW + 50, monitors=None),)))
        assert await store.archive.maintained(NOW + 6) == [replace(first, end=NOW + 50, monitors=None)]
        await store.archive.prune(NOW + 10_000 * 86_400_000)
        assert await store.archive.maintained(0) == []


async def when_results_were_taken_in_is_known(opener: Opener) -> None:
    """Newest first; what had no result does not count."""
    async with opened(opener) as store:
        assert await store.archive.activity() == []
        for at in (NOW, NOW + 300_000, NOW + 600_000):
            await store.ledger.commit(Commit((result(at=at),), incidents=(incident(),)))
            await store.ledger.commit(Commit(incidents=(incident(at=at),)))
    async with opened(opener) as store:
        assert await store.archive.activity() == [NOW + 600_000, NOW + 300_000, NOW]
        assert await store.archive.activity(1) == [NOW + 600_000]


async def a_period_is_read_by_itself(opener: Opener) -> None:
    """Incidents that were not over before an instant, and since when each monitor is watched."""
    old = Incident("shop-1", "shop", Severity.OUTAGE, Cause.TCP_RESET, NOW - 9, NOW - 8, NOW - 5)
    open_ = replace(old, id="shop-2", opened_at=NOW - 7, closed_at=None)
    async with opened(opener) as store:
        await store.ledger.commit(Commit(incidents=(old, open_)))
        assert [one.id for one in await store.archive.incidents(since=NOW - 5)] == ["shop-2", "shop-1"]
        assert [one.id for one in await store.archive.incidents(since=NOW - 4)] == ["shop-2"]
        assert await store.archive.incidents(since=NOW - 4, limit=0) == []
        for at in (NOW + 2, NOW + 1, NOW + 3):
            await store.ledger.commit(Commit(details=(CheckResult("shop", at, Status.UP), CheckResult("api", at + 9, Status.DOWN))))
        assert (await store.archive.watched_since())["shop"] <= NOW + 2
    async with opened(opener) as store:
        assert await store.archive.watched_since() == {"shop": NOW + 1, "api": NOW + 10}


async def recorded_results_come_back_in_the_order_in_which_they_were_taken_in(opener: Opener) -> None:
    """All of them from an instant on, whole where they were kept whole, with what identifies them."""
    taken = [
        result(MONITORS[number % 2].id, NOW + number * 1_000, Status.DOWN if number % 7 == 0 else Status.UP, number + 1)
        for number in range(300)
    ]
    async with opened(opener) as store:
        await store.catalog.sync_monitors(MONITORS)
        for start in range(0, 300, 50):
            await store.ledger.commit(Commit(results=tuple(taken[start : start + 50]), details=(taken[start],)))
    async with opened(opener) as store:
        found, after = await store.archive.recorded(NOW + 10_000)
        while after:
            more, after = await store.archive.recorded(NOW + 10_000, after)
            found += more
    assert [(one.monitor, one.at, one.status, one.cause, one.location, one.run, one.sequence) for one in found] == [
        (one.monitor, one.at, one.status, one.cause, one.location, one.run, one.sequence) for one in taken[10:]
    ]
    assert found[40] == taken[50]


ARCHIVE_LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        every_decision_reads_back,
        recorded_results_come_back_in_the_order_in_which_they_were_taken_in,
        an_alert_has_the_members_that_name_it,
        alerts_are_listed_newest_first,
        incidents_are_replaced_and_listed_newest_first,
        a_list_of_incidents_goes_on_where_it_was_left,
        the_newest_whole_result_is_found,
        monitors_that_went_are_not_shown,
        each_location_has_a_newest_result,
        the_newest_good_check_keeps_its_own_facts,
        retention_keeps_what_reports_need,
        spans_of_blindness_outlive_a_restart,
        spans_of_maintenance_outlive_a_restart,
        when_results_were_taken_in_is_known,
        a_period_is_read_by_itself,
    )
}
