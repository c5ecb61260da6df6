"""Laws of what a store keeps beside decisions: what is usual for a monitor, and when Vigie could not see.

`vigie.testing.store_suite` runs them with its own.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from vigie.core.detection import Severity
from vigie.core.events import Cleared
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Status
from vigie.core.visibility import Blind
from vigie.learning.baseline import Baseline, Slow
from vigie.learning.page_profile import PageChange
from vigie.learning.season import Season
from vigie.ports import Commit, Store, TimelineEntry

Opener = Callable[[], Store]

NOW = 1_767_225_600_000
DAY = 86_400_000
MONITORS = tuple(Monitor(name, name.upper(), "http", f"https://{name}.test/", name, 60_000, 10_000) for name in ("shop", "api"))
KNOWN = Baseline(
    Season(600, bytes(range(168)) * 5, bytes(range(24)), 7, 9), 490_000, 3, b"\1\2\3\4\5", 250.5, 2, NOW, told=True,
    slow=Slow("tls", 300, 100, 12), page=b"\xff\0page", strange=PageChange(b"\0", 9, "script, title", 1_000, 2_000, "cdn.test"),
)  # fmt: skip


@asynccontextmanager
async def opened(opener: Opener) -> AsyncIterator[Store]:
    """The store, with the monitors it watches, closed at the end."""
    store = opener()
    try:
        await store.sync_monitors(MONITORS)
        yield store
    finally:
        await store.close()


async def what_is_usual_outlives_a_restart(opener: Opener) -> None:
    """Each monitor's newest baseline, however it was committed; it can be read at once."""
    async with opened(opener) as store:
        assert await store.baselines() == {}
        await store.commit(Commit(baselines=(("shop", Baseline()), ("api", KNOWN))))
        await store.commit(Commit(baselines=(("shop", replace(KNOWN, score=1)),)))
        assert await store.baselines() == {"shop": replace(KNOWN, score=1), "api": KNOWN}
    async with opened(opener) as store:
        assert await store.baselines() == {"shop": replace(KNOWN, score=1), "api": KNOWN}
        decided = TimelineEntry("shop-1", NOW, Cleared(Severity.OUTAGE, NOW))
        await store.commit(Commit(timeline=(decided,), baselines=(("shop", KNOWN),)))
    async with opened(opener) as store:
        assert await store.baselines() == {"shop": KNOWN, "api": KNOWN}


async def spans_of_blindness_outlive_a_restart(opener: Opener) -> None:
    """A row that comes again replaces the one of its number; what was over before an instant is left out."""
    lasting = Blind(1, NOW, Cause.PROBE_NETWORK)
    over = replace(lasting, until=NOW + 5)
    alone, quiet = Blind(2, NOW + 7, Cause.PROBE_ERROR, NOW + 9, "shop"), Blind(3, NOW + 10, Cause.PROBE_ERROR, quiet=True)
    async with opened(opener) as store:
        assert await store.blinds(0) == []
        await store.commit(Commit(blind=(lasting,)))
    async with opened(opener) as store:
        assert await store.blinds(NOW + 99) == [lasting]
        await store.commit(Commit(blind=(over, alone, quiet)))
    async with opened(opener) as store:
        assert await store.blinds(0) == [over, alone, quiet]
        assert await store.blinds(NOW + 6) == [alone, quiet]
        assert await store.blinds(NOW + 99) == [quiet]
        assert await store.prune(NOW + 500 * DAY) == 2
        assert await store.blinds(0) == [quiet]


async def a_period_is_read_by_itself(opener: Opener) -> None:
    """Incidents that were not over before an instant, and since when each monitor is watched."""
    old = Incident("shop-1", "shop", Severity.OUTAGE, Cause.TCP_RESET, NOW - 9, NOW - 8, NOW - 5)
    open_ = replace(old, id="shop-2", opened_at=NOW - 7, closed_at=None)
    async with opened(opener) as store:
        await store.commit(Commit(incidents=(old, open_)))
        assert [one.id for one in await store.incidents(since=NOW - 5)] == ["shop-2", "shop-1"]
        assert [one.id for one in await store.incidents(since=NOW - 4)] == ["shop-2"]
        assert await store.incidents(since=NOW - 4, limit=0) == []
        for at in (NOW + 2, NOW + 1, NOW + 3):
            await store.commit(Commit(details=(CheckResult("shop", at, Status.UP), CheckResult("api", at + 9, Status.DOWN))))
        assert (await store.watched_since())["shop"] <= NOW + 2
    async with opened(opener) as store:
        assert await store.watched_since() == {"shop": NOW + 1, "api": NOW + 10}


LEARNT_LAWS: dict[str, Callable[[Opener], Awaitable[None]]] = {
    law.__name__: law for law in (what_is_usual_outlives_a_restart, spans_of_blindness_outlive_a_restart, a_period_is_read_by_itself)
}
