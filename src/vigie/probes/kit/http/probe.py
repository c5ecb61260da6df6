"""One check of one URL, from name resolution to the verdict."""

import asyncio
from functools import lru_cache

from vigie.core.model import Cause, CheckResult, HttpFacts, Status, Timings, TlsFacts
from vigie.net import host_of, redact
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http import verdict
from vigie.probes.kit.http.body import EncodingError, media_type, text_of, title_of
from vigie.probes.kit.http.config import Config
from vigie.probes.kit.http.cookies import CookieJar
from vigie.probes.kit.http.page import Reader
from vigie.probes.kit.http.redirects import Progress, RedirectFollower
from vigie.probes.kit.http.transport import Transport
from vigie.probes.kit.http.urls import Place
from vigie.probes.kit.http.verdict import Rules
from vigie.probes.kit.verdict import Verdict, advice

_KEPT_HEADERS = ("server", "via", "retry-after", "x-cache", "cf-ray", "x-amz-cf-id", "x-served-by", "age")
_NUMBERS = ("cf-ray", "x-amz-cf-id", "age")
_KEPT_LENGTH = 200
_LONG = 65_536
_NO_QUIC = "Check that the service offers HTTP/3 and that its UDP port is open; over HTTP/2 it may answer all the same (http: 2, --http 2)."


class HttpProbe:
    """Checks one URL."""

    __slots__ = ("_clock", "_follower", "_host", "_need_body", "_quic", "_reader", "_rules")

    def __init__(self, config: Config, deps: ProbeDeps, transport: Transport, *, need_body: bool = False) -> None:
        self._clock = deps.clock
        self._rules = rules = Rules.of(config.expect)
        # A page that holds the text or the values which its owner expects is the right one; whoever tampered with it left them there.
        self._reader = Reader(trusted=bool(rules.keywords or rules.assertions)) if config.reads_pages else None
        self._host, self._quic = Place.of(config.url).host, not config.over_tcp
        self._need_body = need_body or rules.need_body
        self._follower = RedirectFollower(config, deps, transport, need_body=self._need_body)

    async def check(self, timeout_ms: int) -> CheckResult:
        """One check within `timeout_ms`, names and redirects included; never raises for the target's fault."""
        at = self._clock.now()
        progress = Progress(at, self._clock.monotonic(), timeout_ms, CookieJar(at))
        return self.result(progress, await self.find(progress))

    async def find(self, progress: Progress, config: Config | None = None) -> Verdict | None:
        """What is wrong with the answer, if anything; `config` differs from the probe's own in URL, headers and body at most."""
        try:
            follower = self._follower if config is None else self._follower.again(config)
            return await follower.go(progress) or await self._judged(progress)
        except EncodingError as error:
            return verdict.misencoded(error)

    async def _judged(self, progress: Progress) -> Verdict | None:
        """The judgement; where a long document is to be searched, on a thread, so that the other checks keep their time."""
        if len(progress.body) < _LONG or not self._rules.searches:
            return self._judge(progress)
        try:
            async with asyncio.timeout(self._follower.left(progress) / 1000):
                return await asyncio.to_thread(self._judge, progress)
        except TimeoutError:
            words = f"the response was too large to be searched within {progress.limit_ms / 1000:g} s"
            return Verdict(Cause.TIMEOUT_TOTAL, words, {"limit_ms": progress.limit_ms})

    def _judge(self, progress: Progress) -> Verdict | None:
        found = verdict.answer(self._rules, progress.last, progress.body)
        if self._reader is not None:
            found = self._read(self._reader, progress, found)
        if found is not None and found.status is Status.DOWN:
            return found
        advised = verdict.advisories(self._rules, progress.certificates, progress.total, progress.at)
        return advised if found is None or (advised is not None and advised.status is Status.DOWN) else found

    def _read(self, reader: Reader, progress: Progress, found: Verdict | None) -> Verdict | None:
        """The verdict on the page of an answer that is otherwise good; and whether an unexpected status is but a bot wall's."""
        last, host = progress.last, host_of(progress.hops[-1]) if progress.hops else self._host
        if found is None:
            found, progress.page = reader.read(last.status, last.headers, progress.body, host)
        elif found.cause is Cause.HTTP_STATUS:
            found = reader.wall(last.status, last.headers, progress.body, host) or found
        return found

    def result(self, progress: Progress, found: Verdict | None) -> CheckResult:
        """The check, concluded."""
        last = progress.last
        host = host_of(progress.hops[-1]) if progress.hops else self._host
        elsewhere = None if host == self._host else host
        timings = Timings(progress.dns, progress.connect, progress.tls, progress.first_byte, progress.transfer, progress.total)
        if found is None:
            return CheckResult(
                monitor="",
                at=progress.at,
                status=Status.UP,
                message=f"HTTP {last.status}",
                timings=timings,
                address=last.address,
                addresses=progress.addresses,
                http=self._http(progress, title=False),
                tls=_last(progress.certificates),
                page=progress.page,
                host=elsewhere,
                expiries=tuple(progress.expiries),
            )
        return CheckResult(
            monitor="",
            at=progress.at,
            status=found.status,
            cause=found.cause,
            message=found.message,
            timings=timings,
            figures=found.figures,
            address=last.address,
            addresses=progress.addresses,
            http=self._http(progress, title=True) if last.status else None,
            tls=found.tls or _last(progress.certificates),
            advice=self._advice(found),
            page=progress.page,
            host=elsewhere,
            scope=found.scope,
            expiries=tuple(progress.expiries),
        )

    def _advice(self, found: Verdict) -> tuple[str, ...]:
        return (_NO_QUIC,) if found.cause is Cause.TCP_REFUSED and self._quic else advice(found)

    def _http(self, progress: Progress, *, title: bool) -> HttpFacts:
        last = progress.last
        headers = last.headers
        return HttpFacts(
            status=last.status,
            version=last.version,
            redirects=len(progress.hops),
            bytes=len(progress.body) if "content-encoding" in headers or self._need_body else last.size,
            type=media_type(headers),
            headers={name: _kept(name, headers[name][:_KEPT_LENGTH]) for name in _KEPT_HEADERS if name in headers},
            hops=tuple(progress.hops),
            title=_title(progress) if title else None,
        )


def _title(progress: Progress) -> str | None:
    """The page's title, without what looks like a secret: it is kept."""
    found = title_of(text_of(progress.body or progress.last.raw, progress.last.headers))
    return None if found is None else redact(found)


def _kept(name: str, value: str) -> str:
    """A header as it is kept: the number that a delivery network gives a request looks random, but is not a secret."""
    return value if name in _NUMBERS else _redacted(value)


@lru_cache(maxsize=1_024)
def _redacted(value: str) -> str:
    """Most headers are the same each time."""
    return redact(value)


def _last(certificates: list[TlsFacts]) -> TlsFacts | None:
    return certificates[-1] if certificates else None
