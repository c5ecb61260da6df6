"""The HTTP(S) probe: our own names and redirects, libcurl for each hop, every failure told apart."""

import asyncio
import ipaddress
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin

from vigie.core.model import Cause, CheckResult, HttpFacts, Status, Timings, TlsFacts
from vigie.net import Answer, host_of, redact_url, tls_facts, verify_cause
from vigie.probes import ProbeDeps
from vigie.probes.http import verdict
from vigie.probes.http.body import EncodingError, decoded, media_type, text_of, title_of
from vigie.probes.http.config import Config, check_url
from vigie.probes.http.exchange import Exchange, Request, exchange
from vigie.probes.http.transport import Transport
from vigie.probes.http.verdict import ADVICE, Rules, Verdict

__all__ = ["Config", "build"]

_REDIRECTS = (301, 302, 303, 307, 308)
_TO_GET = (301, 302, 303)  # RFC 9110 §15.4: what browsers do with POST, and what 303 means
_KEPT_HEADERS = ("server", "via", "retry-after", "x-cache", "cf-ray", "x-amz-cf-id", "x-served-by", "age")
_VERSION_MS = 3_600_000
_E_PEER = 60  # CURLE_PEER_FAILED_VERIFICATION
_NEXT_ADDRESS = (Cause.TCP_REFUSED, Cause.TCP_UNREACHABLE, Cause.TIMEOUT_CONNECT, Cause.TCP_RESET)


@dataclass(slots=True)
class _Run:
    """One check under way: what has been measured so far."""

    at: int
    started: float
    limit_ms: int
    dns: float | None = None
    hops: list[str] = field(default_factory=list)
    spent: Exchange = field(default_factory=Exchange)
    last: Exchange = field(default_factory=Exchange)
    addresses: tuple[str, ...] = ()
    tls: TlsFacts | None = None
    body: bytes = b""


def build(config: Config, deps: ProbeDeps) -> "HttpProbe":
    """The probe of one monitor; all of them share one transport."""
    transport = deps.shared("http", Transport, Transport.close)
    return HttpProbe(config, deps, transport)


class HttpProbe:
    """Looks at one URL."""

    def __init__(self, config: Config, deps: ProbeDeps, transport: Transport) -> None:
        self._config = config
        self._deps = deps
        self._transport = transport
        self._rules = Rules.of(config.expect)
        self._ca_file = config.ca_file or deps.ca_file
        self._tls_version: tuple[int, str] | None = None

    async def check(self, timeout_ms: int) -> CheckResult:
        """One look within `timeout_ms`, names and redirects included; never raises for the target's fault."""
        run = _Run(self._deps.clock.now(), self._deps.clock.monotonic(), timeout_ms)
        try:
            found = await self._follow(run)
        except EncodingError as error:
            found = Verdict(Cause.HTTP_PROTOCOL, str(error), {"detail": str(error)})
        return self._result(run, found)

    def _left(self, run: _Run) -> int:
        return run.limit_ms - round((self._deps.clock.monotonic() - run.started) * 1000)

    async def _follow(self, run: _Run) -> Verdict | None:
        url, method, seen = self._config.url, self._config.method, {self._config.url}
        while True:
            found = await self._hop(run, url, method)
            if found is not None:
                return found
            status, location = run.last.status, run.last.headers.get("location")
            if status not in _REDIRECTS or location is None or not self._config.follow_redirects:
                return self._judge(run)
            target = urljoin(url, location.strip()).partition("#")[0]
            run.hops.append(redact_url(target))
            if refused := self._refused(run, url, target, seen):
                return refused
            if (status in _TO_GET and method == "POST") or (status == 303 and method != "HEAD"):
                method = "GET"
            seen.add(target)
            url = target

    def _refused(self, run: _Run, url: str, target: str, seen: set[str]) -> Verdict | None:
        """Why a redirect is not followed, or None."""
        count, to = len(run.hops), redact_url(target)
        words = None
        try:
            check_url(target)
        except ValueError:
            words = "a redirect leads to what is no http(s) URL"
        else:
            if target in seen:
                words = f"the redirects go in a circle after {count} hop(s)"
            elif count > self._config.max_redirects:
                words = f"more than {self._config.max_redirects} redirects"
            elif not self._config.allow_downgrade and url.startswith("https:") and target.startswith("http:"):
                words = "a redirect leads from https down to http"
            elif not self._config.allow_other_host and host_of(target) != self._config.host:
                words = "a redirect leads to another host"
        return None if words is None else Verdict(Cause.HTTP_REDIRECT, words, {"redirects": count, "to": to, "detail": words})

    async def _hop(self, run: _Run, url: str, method: str) -> Verdict | None:
        """One URL: its name, then each address until one answers."""
        if self._config.proxy:
            return await self._exchange(run, url, method, None, 1)
        answer = await self._resolve(run, host_of(url))
        if answer.cause is not None:
            status = Status.UNKNOWN if answer.cause.own else Status.DOWN
            return Verdict(answer.cause, _dns_words(answer, host_of(url)), {"detail": answer.detail}, status)
        run.addresses = answer.addresses
        found: Verdict | None = None
        for index, address in enumerate(answer.addresses):
            found = await self._exchange(run, url, method, address, len(answer.addresses) - index)
            if found is None or found.cause not in _NEXT_ADDRESS or run.last.first_byte is not None or self._left(run) <= 0:
                return found
        return found

    async def _resolve(self, run: _Run, host: str) -> Answer:
        left = max(self._left(run), 1)
        answer = await self._deps.resolver.resolve(host, family=self._config.ip, timeout_ms=left, server=self._config.resolver)
        if not _is_literal(host):  # a literal address is no lookup
            run.dns = (run.dns or 0.0) + answer.ms
        return answer

    async def _exchange(self, run: _Run, url: str, method: str, address: str | None, addresses_left: int) -> Verdict | None:
        left = max(self._left(run), 1)
        request = self._request(url, method, address, left, left // addresses_left)
        done = await self._bounded(request, left)
        secure = url.startswith("https:")
        _add(run.spent, done)
        run.last = done
        if secure:
            run.tls = self._certificate(run, done)
        if done.code == _E_PEER:
            return await self._unverified(run, request)
        # An address that was cut short so that the next one has its turn is told with the limit it had.
        connecting = done.connect is None or (secure and done.tls is None)
        limit = run.limit_ms if addresses_left == 1 or not connecting else request.connect_ms
        found = verdict.failure(done, limit, secure=secure)
        if found is None:
            run.body = decoded(done.raw, done.headers.get("content-encoding", ""), self._config.max_body, cut=done.full)
        return found

    async def _bounded(self, request: Request, left: int) -> Exchange:
        """Let libcurl keep the deadline; ours is the belt to its braces, should a phase of it not look at the clock."""
        try:
            async with asyncio.timeout(left / 1000 + 0.25):
                return await exchange(self._transport, request)
        except TimeoutError:
            return Exchange(code=28, error="deadline", total=float(left))

    def _request(self, url: str, method: str, address: str | None, left: int, connect_ms: int) -> Request:
        config = self._config
        headers = dict(config.headers)
        home = host_of(url) == config.host
        if not home:
            headers = {name: value for name, value in headers.items() if name.lower() not in ("authorization", "cookie")}
        if home and config.auth.bearer:
            headers["Authorization"] = f"Bearer {config.auth.bearer}"
        basic = config.auth.basic
        return Request(
            url=url,
            method=method,
            headers=headers,
            body=config.body.encode() if config.body is not None and method == config.method else None,
            address=address,
            total_ms=left,
            connect_ms=connect_ms,
            version=config.http,
            ca_file=self._ca_file,
            verify=not config.insecure,
            basic=f"{basic.user}:{basic.password}" if basic and home else None,
            proxy=config.proxy,
            max_body=config.max_body,
            keep_body=self._rules.need_body,
            read_tls_version=url.startswith("https:") and not self._knows_tls_version(),
        )

    def _knows_tls_version(self) -> bool:
        """Whether the version is known: libcurl tells it only when verbose, which costs time, so it is asked once an hour."""
        return self._tls_version is not None and self._deps.clock.now() - self._tls_version[0] < _VERSION_MS

    def _certificate(self, run: _Run, done: Exchange) -> TlsFacts | None:
        if done.tls_version is not None:
            self._tls_version = (self._deps.clock.now(), done.tls_version)
        version = done.tls_version or (self._tls_version[1] if self._tls_version and done.tls is not None else None)
        return tls_facts(version, done.chain, run.at) if done.chain or version else run.tls

    async def _unverified(self, run: _Run, request: Request) -> Verdict:
        """Verification failed: shake hands once more without it, to read what was wrong with the certificate."""
        left = max(self._left(run), 1)
        look = replace(request, verify=False, total_ms=left, connect_ms=left, method="HEAD", body=None, read_tls_version=True)
        seen = await self._bounded(look, left)
        run.tls = tls_facts(seen.tls_version, seen.chain, run.at)
        host = host_of(request.url)
        cause = verify_cause(run.tls, host, run.at)
        days = run.tls.days_left
        words = {
            Cause.TLS_EXPIRED: f"the certificate expired {-days} days ago" if days is not None and days < 0 else "the chain has expired",
            Cause.TLS_NOT_YET_VALID: "the certificate is not valid yet",
            Cause.TLS_HOSTNAME: f"the certificate is for another name than {host}",
        }.get(cause, "the certificate's issuer is not trusted")
        return Verdict(cause, words, {"detail": run.last.error[:120]} | ({} if days is None else {"days_left": days}))

    def _judge(self, run: _Run) -> Verdict | None:
        found = verdict.answer(self._rules, run.last, run.body)
        return found or verdict.advisories(self._rules, run.tls, self._total(run))

    def _total(self, run: _Run) -> float:
        return (run.dns or 0.0) + run.spent.total

    def _result(self, run: _Run, found: Verdict | None) -> CheckResult:
        spent, last = run.spent, run.last
        timings = Timings(run.dns, spent.connect, spent.tls, spent.first_byte, spent.transfer, self._total(run))
        good = found is None
        return CheckResult(
            monitor="",
            at=run.at,
            status=Status.UP if found is None else found.status,
            cause=None if found is None else found.cause,
            message=f"HTTP {last.status}" if found is None else found.message,
            timings=timings,
            figures={} if found is None else found.figures,
            address=last.address,
            addresses=run.addresses,
            http=self._http(run, title=not good) if last.status else None,
            tls=run.tls,
            advice=() if found is None or found.cause not in ADVICE else (ADVICE[found.cause],),
        )

    def _http(self, run: _Run, *, title: bool) -> HttpFacts:
        last = run.last
        headers = {name: last.headers[name][:200] for name in _KEPT_HEADERS if name in last.headers}
        encoded = "content-encoding" in last.headers
        return HttpFacts(
            status=last.status,
            version=last.version,
            redirects=len(run.hops),
            bytes=len(run.body) if encoded or self._rules.need_body else last.size,
            type=media_type(last.headers),
            headers=headers,
            hops=tuple(run.hops),
            title=title_of(text_of(run.body, last.headers)) if title and run.body else None,
        )


def _add(spent: Exchange, done: Exchange) -> None:
    """Sum the phases of the hops; None stays where a phase never happened."""
    for phase in ("connect", "tls", "first_byte", "transfer"):
        value: float | None = getattr(done, phase)
        if value is not None:
            setattr(spent, phase, (getattr(spent, phase) or 0.0) + value)
    spent.total += done.total


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _dns_words(answer: Answer, host: str) -> str:
    words: dict[Cause, str] = {
        Cause.DNS_NXDOMAIN: f"the name {host} does not exist",
        Cause.DNS_SERVFAIL: f"the resolver failed on {host} (SERVFAIL)",
        Cause.DNS_REFUSED: f"the resolver refused to answer for {host}",
        Cause.DNS_TIMEOUT: f"no answer for {host} from the resolver in {answer.ms:.0f} ms",
        Cause.DNS_NO_ANSWER: f"{host} has no address of the family asked for",
        Cause.PROBE_RESOLVER: "this machine's resolver does not answer",
    }
    return words.get(answer.cause or Cause.PROBE_ERROR, answer.detail)
