"""A history that is made up, the same each time: a rhythm of days and hours, slow since half an hour where that is asked for."""

from collections.abc import Sequence
from math import sin
from typing import Any

from vigie.core.model import Cause, CheckResult, HttpFacts, Monitor, Status, Timings
from vigie.observation.availability import Availability, AvailabilitySummary
from vigie.observation.rollup import Resolution, Rollup
from vigie.queries import Page
from vigie.queries.history import PhasePoint, StorageSize

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


class MadeHistory:
    """What each query gives is a function of the instant. `slow_since` is epoch ms; `down` names instants of whole days with an outage."""

    def __init__(self, *, slow_since: int | None = None, young: bool = False, hostile: str = "") -> None:
        self.slow_since, self.young, self.hostile = slow_since, young, hostile

    def total(self, at: int) -> float:
        base = 280 + 90 * sin(at / DAY * 6.28) + 25 * sin(at / MINUTE) + 12 * sin(at / 7_000)
        return base + (670 if self.slow_since is not None and at >= self.slow_since else 0)

    def timings(self, at: int) -> Timings:
        total = self.total(at)
        return Timings(6, 12, 25, total - 65, 22, total)

    async def rollups(
        self, monitors: Sequence[str], start: int, end: int, resolution: Resolution, location: str | None = None
    ) -> dict[str, list[Rollup]]:
        assert location is None
        if self.young:
            return {}
        first = start // resolution.ms * resolution.ms
        return {one: [self._rollup(at, resolution.ms) for at in range(first, end, resolution.ms)] for one in monitors}

    def _rollup(self, at: int, span: int) -> Rollup:
        count, total = span // 30_000, self.total(at + span // 2)
        bad = 17 if span == DAY and at // DAY % 31 == 0 else 0
        slow = 1_000 if span == DAY and at // DAY % 17 == 3 else 0
        return Rollup(at, count, count - bad - slow, slow, 0, total * count, 100, 2 * total, total, total * 1.3, total * 1.7)

    async def phases(self, monitor: str, start: int, end: int, points: int, location: str | None = None) -> list[PhasePoint]:
        assert monitor
        assert location is None
        step = (end - start) / points
        if self.young:
            return [PhasePoint(round(start + number * step), 0, 0, Timings()) for number in range(points)]
        found = []
        for number in range(points):
            at = round(start + number * step)
            middle = round(at + step / 2)
            found.append(
                PhasePoint(
                    at, 120, int(number == 30), self.timings(middle), self.total(middle), self.total(middle) * 1.3, self.total(middle) * 1.7
                )
            )
        return found

    async def results(
        self, monitor: str, start: int, end: int, *, location: str | None = None, cursor: str | None = None, limit: int = 500
    ) -> Page[CheckResult]:
        assert location is None
        if self.young:
            return Page(())
        skip, newest = int(cursor or 0), end // 30_000 * 30_000
        items = [
            self._result(monitor, newest - (skip + number) * 30_000)
            for number in range(limit)
            if newest - (skip + number) * 30_000 >= start
        ]
        return Page(tuple(items), str(skip + limit))

    def _result(self, monitor: str, at: int) -> CheckResult:
        if self.hostile:
            figures: dict[str, Any] = {"status": 502, "expected": self.hostile}
            return CheckResult(
                monitor, at, Status.DOWN, Cause.HTTP_STATUS, self.hostile, self.timings(at), figures, http=HttpFacts(502, "2")
            )
        return CheckResult(monitor, at, Status.UP, None, "", self.timings(at), http=HttpFacts(200, "2"), run=1, sequence=at // 30_000)

    async def uptimes(self, monitors: Sequence[str], now: int, spans_ms: Sequence[int]) -> dict[str, tuple[AvailabilitySummary, ...]]:
        if self.young:
            return {}
        lost = (0, 510_000, 510_000, 12_480_000)
        return {
            one: tuple(
                AvailabilitySummary(Availability(span, down), int(down > 0), down, 2_460_000 if span > 90 * DAY else 0, None)
                for span, down in zip(spans_ms, lost, strict=True)
            )
            for one in monitors
        }

    async def sparklines(self, monitors: Sequence[str], now: int, points: int = 48, span_ms: int = DAY) -> dict[str, list[float | None]]:
        return {one: [self.total(now - span_ms + number * span_ms // points) for number in range(points)] for one in monitors}

    async def size(self) -> StorageSize:
        return StorageSize(1_900_000_000, {})


def usual_of(watched: Monitor) -> Timings:
    assert watched
    return Timings(6, 12, 24, 210, 22, 274)
