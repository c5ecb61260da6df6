"""The newest result of every monitor, in memory: what the status page shows."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from vigie.core.model import CheckResult, Scalar, Status, Timings


class _Again(NamedTuple):
    """A good check after a good one: what differs from the whole result kept."""

    at: int
    order: int
    message: str
    timings: Timings
    figures: dict[str, Scalar]


@dataclass(slots=True)
class Newest:
    """Whole results are kept at each change of verdict, without certificate chains: ten thousand monitors fit in a few megabytes."""

    _whole: dict[str, CheckResult] = field(default_factory=dict)
    _again: dict[str, _Again] = field(default_factory=dict)

    def take(self, results: Iterable[CheckResult]) -> None:
        """Newer results than before, oldest first."""
        for one in results:
            known = self._whole.get(one.monitor)
            if known is not None and known.status is Status.UP and one.status is Status.UP:
                self._again[one.monitor] = _Again(one.at, one.order, one.message, one.timings, one.figures)
            else:
                self._whole[one.monitor] = replace(one, tls=replace(one.tls, chain=())) if one.tls and one.tls.chain else one
                self._again.pop(one.monitor, None)

    def fill(self, results: Iterable[CheckResult]) -> None:
        """Older results, for monitors of which nothing newer is known."""
        self.take([one for one in results if one.monitor not in self._whole])

    def keep(self, monitors: set[str]) -> None:
        """Forget the others."""
        for gone in self._whole.keys() - monitors:
            del self._whole[gone]
            self._again.pop(gone, None)

    def results(self) -> dict[str, CheckResult]:
        """By monitor id."""
        return {monitor: self._merged(whole) for monitor, whole in self._whole.items()}

    def _merged(self, whole: CheckResult) -> CheckResult:
        again = self._again.get(whole.monitor)
        if again is None:
            return whole
        return replace(whole, at=again.at, order=again.order, message=again.message, timings=again.timings, figures=again.figures)
