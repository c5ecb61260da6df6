"""What channels that speak HTTP share: the POST, its retry verdict, and no secret of a URL in what people read."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import NO_SECRETS, USER_AGENT, Proxy, Secret, Secrets, UnusableProxyError, client, host_of, redact
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.connect import Fixes, named, trust_store
from vigie.notifiers.kit.text import flat

_RETRIED = (408, 425, 429)
SHORT_BYTES, _ANSWER_LENGTH = 512, 120
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_LONGEST_WAIT_MS = 3_600_000
PERSON_RETRY_MS = 300_000  # for what somebody must mend: once it is mended, what waited goes out
_GATEWAY = (502, 503, 504)  # over plain HTTP a proxy answers so for a host that it cannot reach
_FIXES = Fixes(
    address="check the URL of the channel and the network of this machine",
    trust="set SSL_CERT_FILE for a private certificate authority",
    protection="check whether the URL should start with http: or https:",
    timeout="a firewall may drop the packets, or the service is overloaded",
)


WEB_ADDRESS = {"pattern": r"^https?://[^/\s][!-~]*$"}  # of the configuration's JSON Schema


def check_url(url: Secret) -> None:
    """Raise ValueError for what is not a web address. It may hold a secret, so that it is not repeated."""
    if not re.match(WEB_ADDRESS["pattern"], url.reveal()):  # pattern: a constant, against the user's own URL
        raise ValueError("`url` is not a web address; write https://hooks.example.com/…")


def preload() -> None:
    """Import what a delivery uses, which each of these libraries leaves to its first use."""
    import encodings.idna  # noqa: F401 - of every look-up of a name

    import anyio._backends._asyncio  # noqa: F401
    import httpcore  # noqa: F401
    import httpx  # noqa: F401


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: its host, the status, both in one line without secrets, the first bytes of the body, `Retry-After`."""

    where: str
    status: int
    words: str
    raw: bytes
    retry_after: str | None

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300


async def exchange(
    deps: NotifierDeps,
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    secrets: Secrets = NO_SECRETS,
    most: int = SHORT_BYTES,
) -> Answer:
    """Send JSON; the answer, whatever its status, of its body at most `most` bytes. Raises DeliveryError when there is none.

    Neither holds the URL's secrets, or `secrets`.
    """
    head = {"Content-Type": "application/json", "User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
    async with _asked(deps, method, url, head, body) as answer:
        raw = await _begin(answer, most)
    said = flat(redact(raw[:SHORT_BYTES].decode("utf-8", "replace"), Secrets(map(Secret, _hidden(url))) | secrets), _ANSWER_LENGTH)
    words = f"HTTP {answer.status_code}" + (f": {said}" if said else "")
    return Answer(host_of(url), answer.status_code, words, raw, answer.headers.get("retry-after"))


async def post(deps: NotifierDeps, url: str, body: bytes, headers: Mapping[str, str], secrets: Secrets = NO_SECRETS) -> str:
    """POST JSON and return the provider's answer in one line; raise DeliveryError. Neither holds the URL's secrets, or `secrets`."""
    answer = await exchange(deps, "POST", url, body, headers, secrets)
    if answer.is_success:
        return answer.words
    raise refused(answer.where, answer.status, answer.words, answer.retry_after, deps.clock.now())


async def get(deps: NotifierDeps, url: str) -> str:
    """GET and return the answer in one line; raise DeliveryError. Neither holds the URL's secrets."""
    answer = await exchange(deps, "GET", url, b"", {})
    if answer.is_success:
        return answer.words
    raise refused(answer.where, answer.status, answer.words, answer.retry_after, deps.clock.now())


@asynccontextmanager
async def _asked(deps: NotifierDeps, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> AsyncIterator[Any]:
    """The answer to a request, its body not yet read. Whatever fails, from the client's construction on, comes out as DeliveryError."""
    import httpx

    where, fixes = host_of(url), _FIXES
    try:
        if (proxy := deps.proxies.for_url(url)) is not None:
            where, fixes = f"{where} through the proxy {proxy.place} ({proxy.variable})", replace(_FIXES, address=_exempt(proxy))
        secure = url.lower().startswith("https:") or (proxy is not None and proxy.scheme == "https")
        trust = await trust_store(deps.ca_file) if secure else None
        # The client's own limit starts anew with every byte that trickles in, hence a deadline around it. It is the shorter one, because
        # a client that is cancelled in the middle of a TLS handshake forgets to close its socket.
        made = client(url, deps.proxies, trust, deps.timeout_seconds * 0.8)
        async with asyncio.timeout(deps.timeout_seconds), made, made.stream(method, url, content=body, headers=headers) as answer:
            yield answer
    except UnusableProxyError as error:
        raise DeliveryError(DeliveryReason.CONFIG, f"{where}: {error}", fix=error.fault.fix, retry_after_ms=PERSON_RETRY_MS) from None
    except httpx.ProxyError as error:
        raise _by_proxy(error, where, fixes) from None
    except (httpx.HTTPError, OSError) as error:  # TimeoutError is an OSError
        raise named(error, where, deps.timeout_seconds, fixes) from None
    except (httpx.InvalidURL, ValueError, TypeError) as error:  # nothing was sent, and nothing says that it never can be
        words = f"{where}: the request could not be made ({type(error).__name__})"
        raise DeliveryError(DeliveryReason.CONFIG, words, fix=fixes.address, retry_after_ms=PERSON_RETRY_MS) from None


def _exempt(proxy: Proxy) -> str:
    return f"check the proxy in {proxy.variable}, or list the host in NO_PROXY if it can be reached directly"


def _by_proxy(error: Exception, where: str, fixes: Fixes) -> DeliveryError:
    """What a proxy refused: a login needs a person, all else may pass."""
    said = flat(redact(str(error)), _ANSWER_LENGTH)
    words = f"{where}: the proxy refused the connection ({said})"
    if said.startswith("407") or "authentication" in said.lower():
        return DeliveryError(DeliveryReason.AUTH, words, fix=fixes.address, retry_after_ms=PERSON_RETRY_MS)
    return DeliveryError(DeliveryReason.REFUSED, words, fix=fixes.address)


async def _begin(answer: Any, most: int) -> bytes:
    """The first bytes of an answer; a longer one is not read on."""
    found = b""
    async for piece in answer.aiter_raw():
        found += piece[:most]
        if len(found) >= most:
            break
    return found[:most]


def _hidden(url: str) -> list[str]:
    """What in a webhook's URL is a secret: all behind its host, and its userinfo."""
    parts = urlsplit(url)
    pieces = [piece for piece in f"{parts.path}/{parts.query}".replace("=", "/").replace("&", "/").split("/") if len(piece) >= 6]
    return [url, f"{parts.path}?{parts.query}", *pieces, *filter(None, (parts.username, parts.password))]


async def reach(deps: NotifierDeps, url: str) -> str:
    """Take the way of a delivery without delivering; one line for `vigie doctor`, or DeliveryError.

    Asks for the head of the site's first page, by the same client and proxy; what is behind the host is secret, and for a notice alone.
    """
    parts = urlsplit(url)
    proxy, by = None, ""
    async with _asked(deps, "HEAD", f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/", {"User-Agent": USER_AGENT}) as answer:
        proxy = deps.proxies.for_url(url)
    if proxy is not None:
        by = f" through the proxy {proxy.place} ({proxy.variable})"
        if answer.status_code == 407 or (parts.scheme == "http" and answer.status_code in _GATEWAY):
            words = f"{host_of(url)}{by}: HTTP {answer.status_code}"
            raise DeliveryError(DeliveryReason.REFUSED, words, fix=_exempt(proxy))
    return f"{host_of(url)} can be reached{by} (`vigie notify test` sends to it)"


def refused(where: str, status: int, words: str, retry_after: str | None, now: int) -> DeliveryError:
    """The retry verdict of an HTTP status: timeouts, rate limits and 5xx pass, other 4xx and redirects need a person (RFC 9110)."""
    wait = wait_ms(retry_after, now)
    if status in _RETRIED:
        return DeliveryError(DeliveryReason.RATE_LIMIT, f"{where} asks clients to wait ({words})", retry_after_ms=wait)
    if status >= 500:
        return DeliveryError(DeliveryReason.SERVER, f"{where} reports an error of its own ({words})", retry_after_ms=wait)
    fix = "check whether the URL of the channel is still valid"
    reason = DeliveryReason.AUTH if status in (401, 403) else DeliveryReason.REJECTED
    return DeliveryError(reason, f"{where} rejected the message ({words})", fix=fix, permanent=True)


def wait_ms(retry_after: str | None, now: int) -> int | None:
    """Retry-After in ms: seconds, some providers with decimals, or an HTTP date (RFC 9110 §10.2.3); at most an hour."""
    from email.utils import parsedate_to_datetime

    try:
        if retry_after is None:
            return None
        seconds = _SECONDS.fullmatch(retry_after)
        ms = ceil(float(retry_after) * 1000) if seconds else round(parsedate_to_datetime(retry_after).timestamp() * 1000) - now
    except ValueError:
        return None
    return min(max(ms, 0), _LONGEST_WAIT_MS)
