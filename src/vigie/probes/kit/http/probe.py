"""One check of one URL, from name resolution to the verdict."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec

from vigie.core.model import Cause, CheckResult, HttpFacts, Scalar, Status, Timings, TlsFacts
from vigie.net import host_of, redact
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http import content, verdict
from vigie.probes.kit.http.body import EncodingError, media_type, text_of, title_of
from vigie.probes.kit.http.config import Config
from vigie.probes.kit.http.cookies import CookieJar
from vigie.probes.kit.http.page import Reader, Unseen
from vigie.probes.kit.http.redirects import Progress, RedirectFollower
from vigie.probes.kit.http.transport import Transport
from vigie.probes.kit.http.verdict import Rules
from vigie.probes.kit.verdict import Verdict, advice
from vigie.probes.kit.workers import Unread, shared_workers

_KEPT_HEADERS = ("server", "via", "retry-after", "x-cache", "cf-ray", "x-amz-cf-id", "x-served-by", "age")
_NUMBERS = ("cf-ray", "x-amz-cf-id", "age")
_KEPT_LENGTH = 200
_NO_QUIC = "Check that the service offers HTTP/3 and that its UDP port is open; over HTTP/2 it may answer all the same (http: 2, --http 2)."
_TITLE_BYTES = 65_536
# Bytes of a body that is searched here: one that is searched all through, another; of one that may take longer than a page, the same.
_HERE_SEARCHED, _HERE = 1_024, 65_536
_LONG_SEARCHED, _LONG = 65_536, 4_194_304
_NOT_READ = "the page could not be read in time, so its content was not judged"


class _Found(msgspec.Struct, frozen=True):
    """The reply to a search in a body: cause, words and figures of what is wrong with it."""

    fault: tuple[Cause, str, dict[str, Scalar]] | None


class HttpProbe:
    """Checks one URL."""

    __slots__ = ("__weakref__", "_deps", "_follower", "_host", "_need_body", "_quic", "_reader", "_rules")

    def __init__(self, config: Config, deps: ProbeDeps, transport: Transport, *, need_body: bool = False) -> None:
        self._deps = deps
        self._rules = rules = Rules.of(config.expect)
        # A page that holds the text or the values which its owner expects is the right one; whoever tampered with it left them there.
        self._reader = Reader(trusted=bool(rules.keywords or rules.assertions)) if config.reads_pages else None
        if deps.ahead and (self._reader is not None or rules.searches):
            shared_workers(deps).start()
        self._quic = not config.over_tcp
        self._need_body = need_body or rules.need_body
        self._follower = RedirectFollower(config, deps, transport, need_body=self._need_body)
        self._host = self._follower.home.host

    async def check(self, timeout_ms: int) -> CheckResult:
        """One check within `timeout_ms`, names and redirects included; never raises for the target's fault."""
        at = self._deps.clock.now()
        progress = Progress(at, self._deps.clock.monotonic(), timeout_ms, CookieJar(at))
        return self.result(progress, await self.find(progress))

    async def find(self, progress: Progress, config: Config | None = None) -> Verdict | None:
        """What is wrong with the answer, if anything; `config` differs from the probe's own in URL, headers and body at most."""
        try:
            follower = self._follower if config is None else self._follower.again(config)
            return await follower.go(progress) or await self._judged(progress)
        except EncodingError as error:
            return verdict.misencoded(error)

    async def _judged(self, progress: Progress) -> Verdict | None:
        """The status first, then what the user expects of the content, then the page: each only where the one before is as it should be."""
        found = verdict.answer(self._rules, progress.last)
        if found is None and self._rules.need_body:
            found = await self._searched(progress)
        if self._reader is not None:
            found = await self._read(self._reader, progress, found)
        if found is not None and found.status is Status.DOWN:
            return found
        advised = verdict.advisories(self._rules, progress.certificates, progress.total, progress.at)
        return advised if found is None or (advised is not None and advised.status is Status.DOWN) else found

    async def _searched(self, progress: Progress) -> Verdict | None:
        """What is wrong with the content. A long body, or one that is searched all through, is read where it holds up nobody else."""
        rules, headers, body = self._rules, progress.last.headers, progress.body
        if len(body) < (_HERE_SEARCHED if rules.searches else _HERE):
            return _verdict(content.judge(rules.wanted, headers, body))
        asked = {"wanted": rules.wanted, "headers": {"content-type": headers.get("content-type", "")}}
        try:
            long = len(body) > (_LONG_SEARCHED if rules.searches else _LONG)
            reply = await self._ask("content", asked, body, left=self._left(progress), long=long)
        except Unread as unread:
            if unread.blame:
                return verdict.too_large(progress.limit_ms)
            if rules.searches or len(body) > _LONG:
                return verdict.not_searched()
            return _verdict(content.judge(rules.wanted, headers, body))  # there was no process; here it takes a bounded time too
        return _verdict(msgspec.json.decode(reply, type=_Found).fault)

    async def _read(self, reader: Reader, progress: Progress, found: Verdict | None) -> Verdict | None:
        """The verdict on the page of an answer that is otherwise good; and whether an unexpected status is but a bot wall's.

        Where the page was not read in time, the verdict so far stands.
        """
        last, host = progress.last, host_of(progress.hops[-1]) if progress.hops else self._host
        try:
            if found is None:
                known = reader.known(last.status, last.headers, progress.body, host)
                if isinstance(known, Unseen):
                    known = await reader.read(self._ask, known, self._left(progress))
                found, progress.page = known
            elif found.cause is Cause.HTTP_STATUS:
                found = await reader.wall(self._ask, last.status, last.headers, progress.body, host, self._left(progress)) or found
        except Unread:
            progress.unread = True
        return found

    async def _ask(self, job: str, fields: dict[str, Any], body: bytes, *, left: float, long: bool = False) -> bytes:
        return await shared_workers(self._deps).ask(self, job, fields, body, left=left, long=long)

    def _left(self, progress: Progress) -> float:
        return self._follower.left(progress) / 1000

    def result(self, progress: Progress, found: Verdict | None) -> CheckResult:
        """The check, concluded; it says where the content was not read in time."""
        result = self._concluded(progress, found)
        if not progress.unread:
            return result
        figures = {**result.figures, "content": "not read in time"}
        return replace(result, message=f"{result.message}, content not read in time", figures=figures, advice=(*result.advice, _NOT_READ))

    def _concluded(self, progress: Progress, found: Verdict | None) -> CheckResult:
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
    found = title_of(text_of((progress.body or progress.last.raw)[:_TITLE_BYTES], progress.last.headers))
    return None if found is None else redact(found)


def _kept(name: str, value: str) -> str:
    """A header as it is kept: the number that a delivery network gives a request looks random, but is not a secret."""
    return value if name in _NUMBERS else _redacted(value)


@lru_cache(maxsize=1_024)
def _redacted(value: str) -> str:
    """Most headers are the same each time."""
    return redact(value)


def _verdict(fault: content.Fault | None) -> Verdict | None:
    return None if fault is None else Verdict(*fault)


def _last(certificates: list[TlsFacts]) -> TlsFacts | None:
    return certificates[-1] if certificates else None
