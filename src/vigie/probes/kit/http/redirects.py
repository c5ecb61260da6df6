"""The hops of one check: resolve each hop's name, try its addresses until one answers, then follow the redirect."""

from base64 import b64encode
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import lru_cache

from vigie.core.model import Cause, Expiry, PageFacts, Status, TlsFacts
from vigie.net import OLD_VERSIONS, USER_AGENT, Answer, ChainLimits, redact_url, refusal, texts, tls_facts, trust_fault
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http import libcurl, verdict
from vigie.probes.kit.http.body import decoded
from vigie.probes.kit.http.by_proxy import by_proxy
from vigie.probes.kit.http.config import Config
from vigie.probes.kit.http.cookies import CookieJar, merged
from vigie.probes.kit.http.exchange import Exchange, Request
from vigie.probes.kit.http.transport import Transport
from vigie.probes.kit.http.urls import Place, moved
from vigie.probes.kit.verdict import Verdict, expiry_of, no_address, no_trust, refused, unverified

_REDIRECTS = (301, 302, 303, 307, 308)
_NEXT_ADDRESS = (Cause.TCP_REFUSED, Cause.TCP_UNREACHABLE, Cause.TIMEOUT_CONNECT, Cause.TCP_RESET)
_MIN_CONNECT_MS = 250  # however many addresses there are (RFC 8305 §8)
_VERSION_MS = 3_600_000
_VERSIONS_KEPT = 16
_HOP_LENGTH = 300
_DEFAULTS = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip, deflate, br", "Expect": ""}
# What another origin gets of the configured headers: they tell what is wanted, or describe a body that goes along.
_FOR_ANYBODY = frozenset({"accept", "accept-charset", "accept-encoding", "accept-language", "user-agent"})
_OF_BODY = frozenset({"content-type", "content-encoding", "content-language"})


@dataclass(slots=True)
class Progress:
    """One check in progress: what has been measured so far. Phases in ms, summed over exchanges; None where none happened."""

    at: int
    started: float
    limit_ms: int
    jar: CookieJar
    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    transfer: float | None = None
    spent: float = 0.0
    hops: list[str] = field(default_factory=list)
    last: Exchange = field(default_factory=Exchange)
    addresses: tuple[str, ...] = ()
    certificates: list[TlsFacts] = field(default_factory=list)  # one for each hop over TLS
    expiries: list[Expiry] = field(default_factory=list)
    body: bytes = b""
    page: PageFacts | None = None
    unread: bool = False  # the content was not read in time

    @property
    def total(self) -> float:
        """Names and exchanges together, ms."""
        return (self.dns or 0.0) + self.spent

    def add(self, done: Exchange) -> None:
        """Add an exchange's phases; one that never happened stays None."""
        self.last = done
        self.spent += done.total
        if done.connect is not None:
            self.connect = (self.connect or 0.0) + done.connect
        if done.tls is not None:
            self.tls = (self.tls or 0.0) + done.tls
        if done.first_byte is not None:
            self.first_byte = (self.first_byte or 0.0) + done.first_byte
        if done.transfer is not None:
            self.transfer = (self.transfer or 0.0) + done.transfer


class RedirectFollower:
    """Follows the redirects of one monitor, from the start at each check."""

    __slots__ = ("_body", "_ca_file", "_config", "_deps", "_home", "_need_body", "_tls_versions", "_transport")

    def __init__(self, config: Config, deps: ProbeDeps, transport: Transport, *, need_body: bool) -> None:
        self._config = config
        self._deps = deps
        self._transport = transport
        self._need_body = need_body
        self._home = Place.of(config.url)
        self._ca_file = config.ca_file or deps.ca_file
        self._body = config.body.reveal().encode() if config.body is not None else None
        self._tls_versions: dict[tuple[str, int], tuple[int, str]] = {}

    @property
    def home(self) -> Place:
        """Where it starts."""
        return self._home

    def again(self, config: Config) -> "RedirectFollower":
        """The same with another URL, headers or body; what was learnt about the hosts is shared. Raises ValueError for an invalid URL."""
        other = copy(self)
        other._config, other._home = config, Place.of(config.url)  # noqa: SLF001 - one of us
        other._body = config.body.reveal().encode() if config.body is not None else None  # noqa: SLF001
        return other

    async def go(self, progress: Progress) -> Verdict | None:
        """Follow to the last answer, which is then `progress.last`; or say why none was reached."""
        place, method = self._home, self._config.method
        seen = {(method, place.url, progress.jar.pairs(place))}
        while True:
            found = await self._hop(progress, place, method)
            if found is not None:
                return found
            status, location = progress.last.status, progress.last.headers.get("location")
            if status not in _REDIRECTS or location is None or not self._config.follow_redirects:
                return None
            progress.hops.append(redact_url(location)[:_HOP_LENGTH])
            try:
                target = moved(place, location)
            except ValueError:
                return _refusal(progress, "a redirect leads to something that is not an http(s) URL")
            progress.hops[-1] = redact_url(target.url)[:_HOP_LENGTH]
            # RFC 9110 §15.4: 303 means GET; 301 and 302 turn POST into it, as browsers do.
            if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
                method = "GET"
            asked = (method, target.url, progress.jar.pairs(target))  # with another cookie, the same URL is another request
            if words := self._objection(progress, place, target, again=asked in seen):
                return _refusal(progress, words)
            seen.add(asked)
            place = target

    def _objection(self, progress: Progress, place: Place, target: Place, *, again: bool) -> str | None:
        """Why a redirect is not followed, in words, or None."""
        config, count = self._config, len(progress.hops)
        if again:
            return f"the redirects form a loop after {count} hop{'s' if count != 1 else ''}"
        if count > config.max_redirects:
            return f"more than {config.max_redirects} redirects"
        if not config.allow_downgrade and place.secure and not target.secure:
            return "a redirect leads from https down to http"
        if not config.allow_other_host and target.host != self._home.host:
            return "a redirect leads to another host"
        return None

    def left(self, progress: Progress) -> int:
        """Ms until the deadline, at least one."""
        return max(progress.limit_ms - round((self._deps.clock.monotonic() - progress.started) * 1000), 1)

    async def _hop(self, progress: Progress, place: Place, method: str) -> Verdict | None:
        if self._config.proxy is not None:
            return await self._exchange(progress, place, method, None, 1)
        answer = await self._resolve(progress, place)  # an address too: the resolver may not give it
        if answer.cause is not None:
            return no_address(answer, place.host)
        progress.addresses = answer.addresses
        found: Verdict | None = None
        for index, address in enumerate(progress.addresses):
            found = await self._exchange(progress, place, method, address, len(progress.addresses) - index)
            if found is None or found.cause not in _NEXT_ADDRESS or progress.last.connect is not None or self.left(progress) <= 1:
                return found
        return found

    async def _resolve(self, progress: Progress, place: Place) -> Answer:
        config = self._config
        answer = await self._deps.resolver.resolve(place.host, family=config.ip, timeout_ms=self.left(progress), server=config.resolver)
        if not place.literal:  # a literal address needs no lookup
            progress.dns = (progress.dns or 0.0) + answer.ms
        return answer

    async def _exchange(self, progress: Progress, place: Place, method: str, address: str | None, addresses_left: int) -> Verdict | None:
        left = self.left(progress)
        request = self._request(place, method, address, left, min(left, max(left // addresses_left, _MIN_CONNECT_MS)))
        if pairs := progress.jar.pairs(place):
            request.lines = _with_cookies(request.lines, pairs)
        done = await self._transport.exchange(request)
        progress.add(done)
        progress.jar.take(place, done.cookies)
        if place.secure and (facts := self._certificate(progress, place, done)) is not None:
            progress.certificates.append(facts)
            self._expires(progress, place, facts, done)
        # An address that was given up early in favour of the next one is reported with the limit it had.
        limit = request.connect_ms if addresses_left > 1 and done.connect is None else progress.limit_ms
        if (proxy := self._config.proxy) and (found := by_proxy(done, limit, proxy, secure=place.secure)) is not None:
            return found
        if done.code == libcurl.E_PEER_FAILED_VERIFICATION:
            return unverified(progress.certificates[-1] if done.chain else TlsFacts(None), place.host, progress.at, done.error)
        if done.code == libcurl.E_SSL_CACERT_BADFILE and (why := trust_fault(self._ca_file)) is not None:
            return no_trust(self._ca_file, why)
        if found := self._refusal(progress, place, done):
            return found
        found = verdict.failure(done, limit, secure=place.secure)
        if found is None:
            progress.body = decoded(done.raw, done.headers.get("content-encoding", ""), self._config.max_body, cut=done.full)
        return found

    def _request(self, place: Place, method: str, address: str | None, left: int, connect_ms: int) -> Request:
        config = self._config
        same_method = method == config.method
        trusted = place is self._home or self._home.trusts(place)
        login = _login(config) if trusted else None
        lines = _header_lines(tuple(texts(config.headers).items()), login, trusted=trusted, with_body=same_method)
        return Request(
            url=place.url,
            secure=place.secure,
            method=method,
            lines=lines,
            body=self._body if same_method else None,
            address=address,
            total_ms=left,
            connect_ms=connect_ms,
            version=config.http,
            ca_file=self._ca_file,
            verify=not config.insecure,
            proxy=config.proxy,
            max_body=config.max_body,
            keep_body=self._need_body,
            keep_page=self._config.reads_pages,
            read_tls_version=place.secure and self._known_version(place) is None,
        )

    def _expires(self, progress: Progress, place: Place, facts: TlsFacts, done: Exchange) -> None:
        """When a certificate that was accepted stops being valid, the chain above it included."""
        if done.code == libcurl.E_PEER_FAILED_VERIFICATION:
            return
        if not self._config.insecure:
            limits = self._deps.shared("chain limits", ChainLimits, lambda _: None)
            facts = progress.certificates[-1] = replace(
                facts, limit=limits.limit(facts, done.chain, self._ca_file, private=self._config.ca_file is not None)
            )
        found = expiry_of(facts, f"{place.host}:{place.port}", self._config.expect.tls_days, done.address or "")
        if found is not None:
            progress.expiries.append(found)

    def _refusal(self, progress: Progress, place: Place, done: Exchange) -> Verdict | None:
        """What every current browser refuses of the connection, unless it is not to be verified."""
        if done.tls is None or not progress.certificates or self._config.insecure or not place.secure:
            return None
        found = refusal(progress.certificates[-1], done.chain, place.host, self._ca_file)
        return None if found is None else refused(found)

    def _known_version(self, place: Place) -> str | None:
        """The TLS version of a host: libcurl tells it only when verbose, which costs time, so it is asked once an hour."""
        kept = self._tls_versions.get((place.host, place.port))
        return kept[1] if kept is not None and self._deps.clock.now() - kept[0] < _VERSION_MS else None

    def _certificate(self, progress: Progress, place: Place, done: Exchange) -> TlsFacts | None:
        version = done.tls_version
        if version is None and (done.tls is not None or done.chain):
            version = self._known_version(place)
        elif version is not None and version not in OLD_VERSIONS:  # one that is refused is asked for each time, until it is mended
            if len(self._tls_versions) >= _VERSIONS_KEPT:  # a server may redirect to ever new names
                self._tls_versions.clear()
            self._tls_versions[place.host, place.port] = (progress.at, version)
        return tls_facts(version, done.chain, progress.at) if done.chain or version else None


def _refusal(progress: Progress, words: str) -> Verdict:
    return Verdict(Cause.HTTP_REDIRECT, words, {"redirects": len(progress.hops), "to": progress.hops[-1], "detail": words}, Status.DOWN)


@lru_cache(1024)  # thousands of monitors send the same
def _header_lines(given_headers: tuple[tuple[str, str], ...], login: str | None, *, trusted: bool, with_body: bool) -> list[bytes]:
    """The request's header as libcurl takes it: another origin than the monitor's gets an allow-list, a request without body none of it."""
    headers = {name: value for name, value in given_headers if trusted or name.lower() in _FOR_ANYBODY | _OF_BODY}
    if not with_body:
        headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
    if login is not None:
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"} | {"Authorization": login}
    given = {name.lower() for name in headers}
    # To libcurl "Name:" means "send none of it" (it would add its own Expect), and "Name;" one without a value.
    lines = [f"{name}: {value}".rstrip() for name, value in _DEFAULTS.items() if name.lower() not in given]
    lines += [f"{name}: {value}" if value.strip() else f"{name};" for name, value in headers.items()]
    return [line.encode() for line in lines]


def _with_cookies(lines: Sequence[bytes], pairs: Sequence[str]) -> list[bytes]:
    """The header with what the service has set; the configured cookies are kept beside it."""
    configured = next((line for line in lines if line[:7].lower() == b"cookie:"), b"")
    cookies = merged(configured[7:].decode("latin-1"), pairs)
    return [*(line for line in lines if line is not configured), f"Cookie: {cookies}".encode("latin-1")]


def _login(config: Config) -> str | None:
    auth = config.auth
    if auth.basic is not None:
        return "Basic " + b64encode(f"{auth.basic.user}:{auth.basic.password.reveal()}".encode()).decode()  # RFC 7617: UTF-8
    return f"Bearer {auth.bearer.reveal()}" if auth.bearer is not None else None
