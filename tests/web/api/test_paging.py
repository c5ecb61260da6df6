"""Lists page by page while others are made and removed: what was there from the first page on comes exactly once, in order."""

import asyncio
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.web.api._kit import site_of

from vigie.core.model import Monitor
from vigie.queries import MonitorView, Page
from vigie.web.app import build

_NAMES = st.sets(st.text("abcxyz-09", min_size=1, max_size=6).filter(lambda name: name[0] != "-"), max_size=12)
_MOVES = st.lists(st.tuples(_NAMES, _NAMES), max_size=6)


class _Watched:
    """Monitors that come and go."""

    def __init__(self, names: set[str]) -> None:
        self.names = set(names)

    async def monitors(self, *, cursor: str | None = None, limit: int) -> Page[MonitorView]:
        return Page(
            tuple(MonitorView(Monitor(one, one, "http", f"https://{one}.test/", one, 60_000, 10_000)) for one in sorted(self.names))
        )


@given(_NAMES, _MOVES, st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_what_stays_comes_exactly_once(names: set[str], moves: list[tuple[set[str], set[str]]], limit: int) -> None:
    async def read() -> None:
        watched = _Watched(names)
        site = site_of(watched)
        stayed, found, steps = set(names), list[str](), iter(moves)
        transport = httpx.ASGITransport(build(site), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as api:
            asked: dict[str, Any] = {"limit": limit}
            while True:
                page = (await api.get("/monitors", params=asked)).json()
                found += [one["id"] for one in page["items"]]
                assert len(page["items"]) <= limit
                if page["next"] is None:
                    break
                asked["cursor"] = page["next"]
                fresh, gone = next(steps, (set(), set()))
                watched.names = (watched.names | fresh) - gone
                stayed -= gone
        assert found == sorted(set(found))
        assert stayed <= set(found)

    asyncio.run(read())
