"""The newest result of every monitor, in memory: what the status page shows."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from sys import intern
from typing import NamedTuple

from vigie.core.model import CheckResult, HttpFacts, Scalar, Status, Timings


class _Again(NamedTuple):
    """A good check after a good one: what differs from the whole result kept."""

    at: int
    run: int
    sequence: int
    message: str
    timings: Timings
    figures: dict[str, Scalar]


_NONE: dict[str, Scalar] = {}


def _thin(one: CheckResult) -> CheckResult:
    """A result without its certificate chain, with equal texts as one object: each came over the wire by itself."""
    return replace(
        one,
        monitor=intern(one.monitor),
        message=intern(one.message),
        figures=one.figures or _NONE,
        address=one.address and intern(one.address),
        addresses=tuple(intern(address) for address in one.addresses),
        http=one.http and _thin_http(one.http),
        tls=one.tls and replace(one.tls, chain=()),
        location=intern(one.location),
    )


def _thin_http(http: HttpFacts) -> HttpFacts:
    headers = {intern(name): intern(value) for name, value in http.headers.items()}
    return replace(http, version=intern(http.version), type=http.type and intern(http.type), headers=headers)


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
                self._again[known.monitor] = _Again(one.at, one.run, one.sequence, intern(one.message), one.timings, one.figures or _NONE)
            else:
                whole = _thin(one)
                self._whole[whole.monitor] = whole
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
        return replace(
            whole, at=again.at, run=again.run, sequence=again.sequence, message=again.message, timings=again.timings, figures=again.figures
        )
