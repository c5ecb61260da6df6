"""One look at one URL, from its names to the verdict."""

import asyncio

from vigie.core.model import Cause, CheckResult, HttpFacts, Status, Timings, TlsFacts
from vigie.net import host_of
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http import verdict
from vigie.probes.kit.http.body import EncodingError, media_type, text_of, title_of
from vigie.probes.kit.http.config import Config
from vigie.probes.kit.http.page import Reader
from vigie.probes.kit.http.redirects import Run, Walker
from vigie.probes.kit.http.transport import Transport
from vigie.probes.kit.http.verdict import Rules
from vigie.probes.kit.verdict import Verdict, advice

_KEPT_HEADERS = ("server", "via", "retry-after", "x-cache", "cf-ray", "x-amz-cf-id", "x-served-by", "age")
_KEPT_LENGTH = 200
_LONG = 65_536


class HttpProbe:
    """Looks at one URL."""

    __slots__ = ("_clock", "_host", "_need_body", "_reader", "_rules", "_walker")

    def __init__(self, config: Config, deps: ProbeDeps, transport: Transport, *, need_body: bool = False) -> None:
        self._clock = deps.clock
        self._rules = rules = Rules.of(config.expect)
        # A page that holds the text or the values which its owner expects is the right one; who has tampered with it left them there.
        self._reader = Reader(trusted=bool(rules.keywords or rules.assertions)) if config.reads_pages else None
        self._host = config.host
        self._need_body = need_body or rules.need_body
        self._walker = Walker(config, deps, transport, need_body=self._need_body)

    async def check(self, timeout_ms: int) -> CheckResult:
        """One look within `timeout_ms`, names and redirects included; never raises for the target's fault."""
        run = Run(self._clock.now(), self._clock.monotonic(), timeout_ms)
        return self.result(run, await self.find(run))

    async def find(self, run: Run, config: Config | None = None) -> Verdict | None:
        """What is wrong with the answer, if anything; `config` differs from the probe's own in URL, headers and body at most."""
        try:
            walker = self._walker if config is None else self._walker.again(config)
            return await walker.go(run) or await self._judged(run)
        except EncodingError as error:
            return verdict.misencoded(error)

    async def _judged(self, run: Run) -> Verdict | None:
        """The judgement; where a long document is to be searched, on a thread, so that the other checks keep their time."""
        if len(run.body) < _LONG or not self._rules.searches:
            return self._judge(run)
        try:
            async with asyncio.timeout(self._walker.left(run) / 1000):
                return await asyncio.to_thread(self._judge, run)
        except TimeoutError:
            words = f"the answer came, but was too large to be searched within {run.limit_ms / 1000:g} s"
            return Verdict(Cause.TIMEOUT_TOTAL, words, {"limit_ms": run.limit_ms})

    def _judge(self, run: Run) -> Verdict | None:
        found = verdict.answer(self._rules, run.last, run.body)
        if self._reader is not None:
            found = self._read(self._reader, run, found)
        if found is not None and found.status is Status.DOWN:
            return found
        advised = verdict.advisories(self._rules, run.certificates, run.total)
        return advised if found is None or (advised is not None and advised.status is Status.DOWN) else found

    def _read(self, reader: Reader, run: Run, found: Verdict | None) -> Verdict | None:
        """The verdict on the page of an answer that is otherwise good; and whether an unexpected status is but a bot wall's."""
        last, host = run.last, host_of(run.hops[-1]) if run.hops else self._host
        if found is None:
            found, run.page = reader.read(last.status, last.headers, run.body, host)
        elif found.cause is Cause.HTTP_STATUS:
            found = reader.wall(last.status, last.headers, run.body, host) or found
        return found

    def result(self, run: Run, found: Verdict | None) -> CheckResult:
        """The check, concluded."""
        last = run.last
        timings = Timings(run.dns, run.connect, run.tls, run.first_byte, run.transfer, run.total)
        if found is None:
            return CheckResult(
                monitor="",
                at=run.at,
                status=Status.UP,
                message=f"HTTP {last.status}",
                timings=timings,
                address=last.address,
                addresses=run.addresses,
                http=self._http(run, title=False),
                tls=_last(run.certificates),
                page=run.page,
            )
        return CheckResult(
            monitor="",
            at=run.at,
            status=found.status,
            cause=found.cause,
            message=found.message,
            timings=timings,
            figures=found.figures,
            address=last.address,
            addresses=run.addresses,
            http=self._http(run, title=True) if last.status else None,
            tls=found.tls or _last(run.certificates),
            advice=advice(found.cause),
            page=run.page,
        )

    def _http(self, run: Run, *, title: bool) -> HttpFacts:
        last = run.last
        headers = last.headers
        return HttpFacts(
            status=last.status,
            version=last.version,
            redirects=len(run.hops),
            bytes=len(run.body) if "content-encoding" in headers or self._need_body else last.size,
            type=media_type(headers),
            headers={name: headers[name][:_KEPT_LENGTH] for name in _KEPT_HEADERS if name in headers},
            hops=tuple(run.hops),
            title=title_of(text_of(run.body or last.raw, headers)) if title else None,
        )


def _last(certificates: list[TlsFacts]) -> TlsFacts | None:
    return certificates[-1] if certificates else None
