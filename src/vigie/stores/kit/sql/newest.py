"""The newest result of every monitor from each location, in memory: what the status page shows, and what a failure is compared with.

The facts of the newest good one are in the table `newest` too, so that a start knows them: written when they change, and now and then.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from sys import intern
from typing import NamedTuple

from vigie.core.model import LOCAL, Certificate, CheckResult, HttpFacts, Scalar, Status, Timings, TlsFacts

_AFRESH_MS = 600_000  # what changes all the time (a size, a header) may be so old


class _Again(NamedTuple):
    """A good check after a good one that found the same: what differs from the whole result kept."""

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


def _same(known: CheckResult, one: CheckResult) -> bool:
    """Whether two good checks of one monitor found what people would call the same."""
    return (
        known.status is one.status
        and known.cause is one.cause
        and (known.addresses == one.addresses or set(known.addresses) == set(one.addresses))
        and _same_http(known.http, one.http)
        and _same_tls(known.tls, one.tls)
    )


def _same_http(known: HttpFacts | None, one: HttpFacts | None) -> bool:
    if known is None or one is None:
        return known is one
    return (
        known.status == one.status
        and known.redirects == one.redirects
        and known.type == one.type
        and known.headers.get("server") == one.headers.get("server")
    )


def _same_tls(known: TlsFacts | None, one: TlsFacts | None) -> bool:
    if known is None or one is None:
        return known is one
    return (known.version, known.expires_at, known.subject, known.issuer) == (one.version, one.expires_at, one.subject, one.issuer)


def _thin(one: CheckResult) -> CheckResult:
    """A result with no certificate but the server's own, with equal texts as one object: each came over the wire by itself."""
    return replace(
        one,
        monitor=intern(one.monitor),
        message=intern(one.message),
        figures=one.figures or _NONE,
        address=one.address and intern(one.address),
        addresses=tuple(intern(address) for address in one.addresses),
        http=one.http and _thin_http(one.http),
        tls=one.tls and replace(one.tls, chain=tuple([_thin_certificate(leaf) for leaf in one.tls.chain[:1]])),
        location=intern(one.location),
    )


def _thin_certificate(leaf: Certificate) -> Certificate:
    return replace(leaf, issuer=intern(leaf.issuer), key=intern(leaf.key), signature=intern(leaf.signature), names=())


def _thin_http(http: HttpFacts) -> HttpFacts:
    headers = {intern(name): intern(value) for name, value in http.headers.items()}
    return replace(http, version=intern(http.version), type=http.type and intern(http.type), headers=headers)


@dataclass(slots=True)
class Newest:
    """Whole results are kept where something changed, with the server's certificate alone: ten thousand monitors fit in a few megabytes."""

    _whole: dict[_Key, CheckResult] = field(default_factory=dict)
    _again: dict[_Key, _Again] = field(default_factory=dict)
    _elsewhere: set[str] = field(default_factory=set)  # the locations other than the usual one
    _unwritten: set[_Key] = field(default_factory=set)  # whose good result is not in the table as it is here

    def take(self, results: Iterable[CheckResult]) -> None:
        """Newer results than before, oldest first."""
        for one in results:
            key = _key(one)
            known = self._whole.get(key)
            if known is not None and known.status is Status.UP and one.at - known.at < _AFRESH_MS and _same(known, one):
                self._again[_key(known)] = _Again(one.at, one.run, one.sequence, intern(one.message), one.timings, one.figures or _NONE)
            else:
                self._put(one)

    def _put(self, one: CheckResult) -> None:
        whole = _thin(one)
        key = _key(whole)
        self._whole[key] = whole
        if whole.location != LOCAL:
            self._elsewhere.add(whole.location)
        self._again.pop(key, None)
        if whole.is_good:
            self._unwritten.add(key)
        else:
            self._unwritten.discard(key)

    def fill(self, results: Iterable[CheckResult]) -> None:
        """What is found on the disk, where nothing as new is known."""
        for one in [one for one in results if (known := self.result(one.monitor, one.location)) is None or known.at < one.at]:
            self._put(one)
            self._unwritten.discard(_key(one))

    def keep(self, monitors: set[str]) -> None:
        """Forget the others."""
        for gone in [key for key, one in self._whole.items() if one.monitor not in monitors]:
            del self._whole[gone]
            self._again.pop(gone, None)
            self._unwritten.discard(gone)

    @property
    def unwritten(self) -> bool:
        """Whether a good result is not in the table as it is here."""
        return bool(self._unwritten)

    @property
    def several(self) -> bool:
        """Whether more than one location was heard at all."""
        return bool(self._elsewhere)

    def to_write(self) -> list[CheckResult]:
        """The good results that the table must be given; from now on they count as written."""
        found = [self._merged(self._whole[key]) for key in self._unwritten]
        self._unwritten.clear()
        return found

    def not_written(self, results: Iterable[CheckResult]) -> None:
        """Those of `to_write` could not be written: what is still the newest is to be written again."""
        self._unwritten.update(key for one in results if (whole := self._whole.get(key := _key(one))) is not None and whole.is_good)

    def result(self, monitor: str, location: str) -> CheckResult | None:
        """The newest result of a monitor from a location."""
        whole = self._whole.get(monitor if location == LOCAL else (monitor, location))
        return None if whole is None else self._merged(whole)

    def each(self, monitors: Collection[str] | None = None) -> Iterator[CheckResult]:
        """The newest of each location, of all monitors or of these."""
        for whole in list(self._whole.values()) if monitors is None else self._of(monitors):
            yield self._merged(whole)

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
