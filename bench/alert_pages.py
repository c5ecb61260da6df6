"""What the pages of a monitor and an alert cost: server time and compressed size, over any site. `bench/web.py` calls `measure`."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from starlette.types import ASGIApp

TARGET_MS, TARGET_BYTES = 50.0, {"monitor": 15_360, "alert": 10_240}


@dataclass(frozen=True, slots=True)
class PageCost:
    """Of one kind of page: the p95 of its server time in ms, and its largest compressed size in bytes."""

    kind: str
    p95_ms: float
    bytes: int

    @property
    def line(self) -> str:
        """As the report has it."""
        return f"{self.kind}: p95 {self.p95_ms:.1f} ms (target {TARGET_MS:.0f}), {self.bytes:,} bytes (target {TARGET_BYTES[self.kind]:,})"


async def measure(app: ASGIApp, monitors: Sequence[str], alerts: Sequence[str], rounds: int = 3) -> list[PageCost]:
    """Fetch the page of each of these `rounds` times, one after the other; the first fetch of all is not counted."""
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers={"Accept-Encoding": "gzip"}) as client:
        found = []
        for kind, names in (("monitor", monitors), ("alert", alerts)):
            took, size = list[float](), 0
            for name in [*names[:1], *list(names) * rounds]:
                start = time.perf_counter()
                async with client.stream("GET", f"/{kind}s/{name}") as answer:
                    body = b"".join([part async for part in answer.aiter_raw()])
                took.append((time.perf_counter() - start) * 1000)
                if answer.status_code != 200:
                    raise RuntimeError(f"/{kind}s/{name}: HTTP {answer.status_code}")
                size = max(size, len(body))
            counted = sorted(took[1:])
            found.append(PageCost(kind, counted[min(int(len(counted) * 0.95), len(counted) - 1)], size))
        return found
