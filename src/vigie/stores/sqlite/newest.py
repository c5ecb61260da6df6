"""The newest result of every monitor from each location, in memory: what the status page shows."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from sys import intern
from typing import NamedTuple

from vigie.core.model import LOCAL, CheckResult, HttpFacts, Scalar, Status, Timings


class _Again(NamedTuple):
    """A good check after a good one: what differs from the whole result kept."""

    at: int
    run: int
    sequence: int
    message: str
    timings: Timings
    figures: dict[str, Scalar]


_NONE: dict[str, Scalar] = {}
_Key = str | tuple[str, str]


def _key(one: CheckResult) -> _Key:
    """A monitor and a location; the monitor alone where that is the usual one, which so costs nothing."""
    return one.monitor if one.location == LOCAL else (one.monitor, one.location)


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

    _whole: dict[_Key, CheckResult] = field(default_factory=dict)
    _again: dict[_Key, _Again] = field(default_factory=dict)
    _elsewhere: set[str] = field(default_factory=set)  # the locations other than the usual one

    def take(self, results: Iterable[CheckResult]) -> None:
        """Newer results than before, oldest first."""
        for one in results:
            key = _key(one)
            known = self._whole.get(key)
            if known is not None and known.status is Status.UP and one.status is Status.UP:
                self._again[_key(known)] = _Again(one.at, one.run, one.sequence, intern(one.message), one.timings, one.figures or _NONE)
            else:
                whole = _thin(one)
                self._whole[_key(whole)] = whole
                if whole.location != LOCAL:
                    self._elsewhere.add(whole.location)
                self._again.pop(key, None)

    def fill(self, results: Iterable[CheckResult]) -> None:
        """Older results, for monitors of which nothing newer is known."""
        self.take([one for one in results if _key(one) not in self._whole])

    def keep(self, monitors: set[str]) -> None:
        """Forget the others."""
        for gone in [key for key, one in self._whole.items() if one.monitor not in monitors]:
            del self._whole[gone]
            self._again.pop(gone, None)

    def results(self, monitors: Collection[str] | None = None) -> dict[str, CheckResult]:
        """By monitor id, of all or of these: of several locations, the newest."""
        found: dict[str, CheckResult] = {}
        for whole in self._whole.values() if monitors is None else self._of(monitors):
            one = self._merged(whole)
            if (other := found.get(one.monitor)) is None or other.at <= one.at:
                found[one.monitor] = one
        return found

    def _of(self, monitors: Collection[str]) -> Iterator[CheckResult]:
        for monitor in monitors:
            keys: list[_Key] = [monitor, *((monitor, location) for location in self._elsewhere)]
            for key in keys:
                if (whole := self._whole.get(key)) is not None:
                    yield whole

    def _merged(self, whole: CheckResult) -> CheckResult:
        again = self._again.get(_key(whole))
        if again is None:
            return whole
        return replace(
            whole, at=again.at, run=again.run, sequence=again.sequence, message=again.message, timings=again.timings, figures=again.figures
        )
