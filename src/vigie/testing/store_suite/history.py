"""The laws of the history: single results in their tiers, and what they come to."""

from collections.abc import Sequence
from dataclasses import replace

from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, Incident, Status, Timings
from vigie.observation.phases import bounds
from vigie.observation.rollup import Resolution, Retention, Rollup
from vigie.observation.visibility import Blind
from vigie.planning.maintenance import MaintenanceSpan
from vigie.ports import Commit, Store
from vigie.testing.store_suite.records import DAY, MONITORS, NOW, Law, Opener, opened

HOUR, MINUTE = 3_600_000, 60_000
KEEP = Retention()


def checks(count: int, start: int = NOW, every: int = 10 * MINUTE, monitor: str = "shop", location: str = "local") -> list[CheckResult]:
    """Plain results, of which every seventh is down and every eleventh is unknown."""
    found = []
    for number in range(count):
        status = Status.UNKNOWN if number % 11 == 10 else Status.DOWN if number % 7 == 6 else Status.UP
        cause = {Status.UP: None, Status.DOWN: Cause.TIMEOUT_TOTAL}.get(status, Cause.PROBE_NETWORK)
        phases = Timings(1.0, 2.0, None, 10.0 + number % 5, 0.5, 13.5 + number % 5) if status is Status.UP else Timings()
        found.append(
            CheckResult(monitor, start + number * every, status, cause, timings=phases, location=location, run=3, sequence=number + 1)
        )
    return found


async def written(store: Store, results: Sequence[CheckResult]) -> None:
    """In commits of a dozen."""
    for start in range(0, len(results), 12):
        await store.ledger.commit(Commit(tuple(results[start : start + 12])))


async def compacted(store: Store, now: int, keep: Retention = KEEP) -> None:
    """Everything that is due is done."""
    while await store.history.compact(now, keep):
        pass


async def every_result_counts_once_in_its_hour_and_day(opener: Opener) -> None:
    """In every location and in all together, and whether it has gone to a chunk or not."""
    here, there = checks(300), checks(60, NOW + HOUR, location="paris")
    async with opened(opener) as store:
        await written(store, [*here, *there])
    async with opened(opener) as store:
        before = await _all_rollups(store, NOW + 4 * DAY)
        assert sum(one.count + one.excluded for one in before[0]["shop"]) == 360
        assert sum(one.count + one.excluded for one in before[1]["shop"]) == 360
        assert [sum(one.count for one in found["shop"]) for found in before[2:]] == [_said(here), _said(there)]
        assert before[0]["api"] == []
        await compacted(store, NOW + 2 * DAY)
        assert await _all_rollups(store, NOW + 4 * DAY) == before
    async with opened(opener) as store:
        await compacted(store, NOW + 4 * DAY)
        assert await _all_rollups(store, NOW + 4 * DAY) == before


def _said(results: Sequence[CheckResult]) -> int:
    return sum(one.status is not Status.UNKNOWN for one in results)


async def _all_rollups(store: Store, end: int) -> list[dict[str, list[Rollup]]]:
    both = [one.id for one in MONITORS]
    return [
        await store.history.rollups(both, NOW, end, Resolution.HOUR),
        await store.history.rollups(both, NOW, end, Resolution.DAY),
        await store.history.rollups(both, NOW, end, Resolution.DAY, "local"),
        await store.history.rollups(both, NOW, end, Resolution.HOUR, "paris"),
    ]


async def a_rollup_says_what_was_measured(opener: Opener) -> None:
    """Counts and extremes exactly, percentiles within one percent."""
    async with opened(opener) as store:
        await written(store, checks(6))
    async with opened(opener) as store:
        (hour,) = (await store.history.rollups(["shop"], NOW, NOW + HOUR, Resolution.HOUR))["shop"]
        assert (hour.start, hour.count, hour.up, hour.degraded, hour.down, hour.excluded) == (NOW, 6, 6, 0, 0, 0)
        assert (hour.min_ms, hour.max_ms, hour.sum_ms) == (13.5, 17.5, 13.5 * 2 + 14.5 + 15.5 + 16.5 + 17.5)
        assert hour.p50 is not None
        assert abs(hour.p50 - 14.5) <= 0.15
        assert await store.history.rollups(["shop"], NOW + 1, NOW + HOUR, Resolution.HOUR) == {"shop": []}


async def what_was_not_seen_or_planned_is_excluded(opener: Opener) -> None:
    """Of one monitor, or of all."""
    blind, alone = Blind(1, NOW, Cause.PROBE_NETWORK, NOW + HOUR), Blind(2, NOW + HOUR, Cause.PROBE_ERROR, NOW + 2 * HOUR, "api")
    planned = MaintenanceSpan("a", NOW + 2 * HOUR, NOW + 3 * HOUR, ("shop",), "new disk")
    async with opened(opener) as store:
        await store.ledger.commit(Commit(blind=(blind, alone), maintenance=(planned,)))
        await written(store, [*checks(24), *checks(24, monitor="api")])
    for now in (NOW + 4 * HOUR, NOW + 2 * DAY):
        async with opened(opener) as store:
            await compacted(store, now)
            found = await store.history.rollups(["shop", "api"], NOW, NOW + DAY, Resolution.HOUR)
            assert [one.excluded for one in found["shop"]] == [6, 1, 6, 1], now
            assert [one.excluded for one in found["api"]] == [6, 6, 0, 1], now
            points = await store.history.phases("shop", bounds(NOW, NOW + 4 * HOUR, 4))
            assert [one.count for one in points] == [one.count for one in found["shop"]]


async def late_and_older_results_are_counted_once(opener: Opener) -> None:
    """Whatever the order, into an hour, a day, or a time long past; what is not known of, or too old, is left out."""
    usual = checks(300)
    late = [replace(one, at=one.at + 7, sequence=one.sequence + 1_000) for one in usual[::20]]
    older = [replace(one, run=2) for one in checks(50, NOW - 45 * DAY)]
    strangers = [replace(usual[0], monitor="nobody"), replace(usual[0], at=NOW - 500 * DAY, sequence=5_000)]
    async with opened(opener) as store:
        await written(store, usual)
    async with opened(opener) as store:
        now = NOW + 4 * DAY
        await compacted(store, NOW + 2 * DAY)
        assert await store.history.take_in([*late, *older[25:], *strangers], now, KEEP) == len(late) + 25
        assert await store.history.take_in([*reversed(older), *usual, *late], now, KEEP) == 25
        await compacted(store, now)
        assert await store.history.take_in([*usual, *late, *older], now, KEEP) == 0
        days = (await store.history.rollups(["shop"], NOW - 60 * DAY, now, Resolution.DAY))["shop"]
        assert sum(one.count + one.excluded for one in days) == 300 + 50 + len(late)
        assert days[0].start == NOW - 45 * DAY
        ats = [one.at for one in await store.history.results("shop", NOW - 60 * DAY, now)]
        assert ats == sorted([one.at for one in [*usual, *late, *older]], reverse=True)


async def results_are_listed_newest_first(opener: Opener) -> None:
    """A list goes on where it was left; what was kept whole is whole, the others are as they were packed."""
    usual = checks(300)
    whole = replace(usual[6], message="timed out", figures={"limit_ms": 10_000})
    async with opened(opener) as store:
        await store.ledger.commit(Commit((whole,), details=(whole,)))
        await written(store, [*usual[:6], *usual[7:]])
    for now in (NOW, NOW + 2 * DAY, NOW + 4 * DAY):
        async with opened(opener) as store:
            await compacted(store, now)
            first = await store.history.results("shop", NOW, NOW + 9 * DAY, limit=200)
            last = first[-1]
            then = await store.history.results("shop", NOW, NOW + 9 * DAY, before=(last.at, last.location, last.run, last.sequence))
            assert [*first, *then] == sorted([*usual[:6], whole, *usual[7:]], key=lambda one: -one.at), now
            assert await store.history.results("shop", NOW + HOUR, NOW + 2 * HOUR, location="local") == [*reversed([*usual[7:12]]), whole]
            assert await store.history.results("shop", NOW, NOW + DAY, location="paris") == []


async def phases_have_the_medians_of_good_checks(opener: Opener) -> None:
    """In equal steps, of single results and of roll-ups."""
    async with opened(opener) as store:
        await written(store, checks(144))
    for now in (NOW, NOW + 3 * DAY):
        async with opened(opener) as store:
            await compacted(store, now)
            edges = bounds(NOW, NOW + DAY, 12)
            points = await store.history.phases("shop", edges)
            assert sum(one.count for one in points) == _said(checks(144))
            assert points[0].timings == Timings(1.0, 2.0, None, 12.0, 0.5, 15.5)
            assert [one.start for one in points] == edges[:-1]
            rolled = await store.history.phases("shop", edges, Resolution.HOUR)
            assert [(one.count, one.failed) for one in rolled] == [(one.count, one.failed) for one in points]
            assert abs((rolled[0].p50 or 0) - 15.5) < 0.2
            nothing = await store.history.phases("api", edges)
            assert [one.count for one in nothing] == [0] * 12


async def sparklines_have_a_value_for_each_step_with_good_checks(opener: Opener) -> None:
    """Of many monitors at once."""
    async with opened(opener) as store:
        await written(store, checks(72))
    for now in (NOW, NOW + 3 * DAY):
        async with opened(opener) as store:
            await compacted(store, now)
            lines = await store.history.sparklines(["shop", "api"], bounds(NOW, NOW + DAY, 24))
            assert lines["api"] == [None] * 24
            assert [one is not None for one in lines["shop"]] == [True] * 12 + [False] * 12
            assert all(abs((one or 0) - 15.5) <= 2.5 for one in lines["shop"][:12])


async def compaction_hides_nothing_from_the_others(opener: Opener) -> None:
    """What is replayed, the newest result, when results came in, and since when monitors are watched stay as they were."""
    taken = checks(300)
    async with opened(opener) as store:
        await store.ledger.commit(Commit(details=(taken[0],)))
        await written(store, taken)
        await compacted(store, NOW + 4 * DAY)
    async with opened(opener) as store:
        await compacted(store, NOW + 4 * DAY)
        assert [_name(one) for one in await _recorded(store, NOW)] == [_name(one) for one in taken]
        assert [_name(one) for one in await _recorded(store, NOW + 5 * HOUR)] == [_name(one) for one in taken[30:]]
        assert _name((await store.archive.last_results())["shop"]) == _name(taken[-1])
        activity = await store.archive.activity()
        assert activity
        assert activity == sorted(activity, reverse=True)
        await store.archive.prune(NOW + 900 * DAY)
        assert await store.archive.watched_since() == {"shop": NOW}


async def _recorded(store: Store, since: int) -> list[CheckResult]:
    found, after = await store.archive.recorded(since)
    while after:
        more, after = await store.archive.recorded(since, after)
        found += more
    return found


def _name(one: CheckResult) -> tuple[object, ...]:
    return one.monitor, one.at, one.status, one.cause, one.location, one.run, one.sequence, one.timings


async def outages_are_read_as_spans(opener: Opener) -> None:
    """Those that were not over before an instant; a degradation is not one."""
    closed = Incident("shop-1", "shop", Severity.OUTAGE, Cause.TCP_RESET, NOW - 9, NOW - 8, NOW - 5)
    others = [
        replace(closed, id="shop-2", started_at=NOW - 4, opened_at=NOW - 3, closed_at=None),
        replace(closed, id="shop-3", severity=Severity.DEGRADATION),
        replace(closed, id="api-1", monitor="api"),
    ]
    async with opened(opener) as store:
        await store.ledger.commit(Commit(incidents=(closed, *others)))
        assert await store.archive.outages(NOW - 5) == {"shop": [(NOW - 9, NOW - 5), (NOW - 4, None)], "api": [(NOW - 9, NOW - 5)]}
        assert await store.archive.outages(NOW - 4, ["shop", "other"]) == {"shop": [(NOW - 4, None)]}


HISTORY_LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        every_result_counts_once_in_its_hour_and_day,
        a_rollup_says_what_was_measured,
        what_was_not_seen_or_planned_is_excluded,
        late_and_older_results_are_counted_once,
        results_are_listed_newest_first,
        phases_have_the_medians_of_good_checks,
        sparklines_have_a_value_for_each_step_with_good_checks,
        compaction_hides_nothing_from_the_others,
        outages_are_read_as_spans,
    )
}
