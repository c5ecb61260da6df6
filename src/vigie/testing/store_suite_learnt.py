"""Laws of what a store keeps beside decisions: what is usual for a monitor. `vigie.testing.store_suite` runs them with its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from vigie.core.baseline import Baseline, Slow
from vigie.core.events import Cleared
from vigie.core.model import Monitor, Severity
from vigie.core.policy import Policy
from vigie.core.season import Season
from vigie.core.shape import Strange
from vigie.ports import Commit, Store, TimelineEntry

Opener = Callable[[], Store]

NOW = 1_767_225_600_000
MONITORS = tuple(Monitor(name, name.upper(), "http", f"https://{name}.test/", name, 60_000, 10_000, Policy()) for name in ("shop", "api"))
KNOWN = Baseline(
    Season(600, bytes(range(168)) * 5, bytes(range(24)), 7, 9), 490_000, 3, b"\1\2\3\4\5", 250.5, 2, NOW, told=True,
    slow=Slow("tls", 300, 100, 12), page=b"\xff\0page", strange=Strange(b"\0", 9, "script, title", 1_000, 2_000, "cdn.test"),
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


LEARNT_LAWS: dict[str, Callable[[Opener], Awaitable[None]]] = {law.__name__: law for law in (what_is_usual_outlives_a_restart,)}
