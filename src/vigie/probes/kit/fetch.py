"""Small documents over HTTP that a check needs besides its target (OCSP, CRL, RDAP): our own resolver, one deadline, a bounded size."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from vigie.net import USER_AGENT, trust_fault, web_url
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.keys import host_port

_MAX_URL = 2_000
_MAX_ADDRESSES = 4
_REDIRECTS = (301, 302, 303, 307, 308)
# A client that is cancelled in the middle of a TLS handshake forgets to close its socket, so that its own limit is the shorter one.
_CLIENTS_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """What to fetch. `max_bytes` bounds the answer's bytes; `redirects` says how many are followed; `ca_file` None is the system's."""

    url: str
    max_bytes: int
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    redirects: int = 0
    ca_file: str | None = None
    resolver: str | None = None


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """A complete response."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class FetchError(Exception):
    """Why there is no response, in words; it never leaves the probe."""


async def fetch(request: FetchRequest, deps: ProbeDeps, seconds: float) -> FetchResponse:
    """GET, or POST where there is a body, within `seconds` in total; raises FetchError."""
    url, where = _next(request.url), ""
    try:
        async with asyncio.timeout(seconds):
            for _ in range(request.redirects + 1):
                where = _checked(url)
                found = await _once(request, url, deps, seconds)
                location = found.headers.get("location")
                if found.status not in _REDIRECTS or not location:
                    return found
                url = _next(location, url)
    except TimeoutError:
        raise FetchError(f"{where} did not answer within {seconds:.1f} s") from None
    raise FetchError(f"{where} redirects more than {request.redirects} times")


def _next(url: str, base: str | None = None) -> str:
    """A URL as browsers send it."""
    try:
        return web_url(url, base).href
    except ValueError:
        raise FetchError("the address is not an http(s) URL") from None


def _checked(url: str) -> str:
    """The host of a URL that may be fetched."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if (
        host is None
        or "@" in parts.netloc
        or parts.scheme not in ("http", "https")
        or len(url) > _MAX_URL
        or not url.isascii()
        or not url.isprintable()
    ):
        raise FetchError("the address is not an http(s) URL")
    return host


async def _once(request: FetchRequest, url: str, deps: ProbeDeps, seconds: float) -> FetchResponse:
    host = urlsplit(url).hostname or ""
    answer = await deps.resolver.resolve(host, timeout_ms=max(round(seconds * 1000), 1), server=request.resolver)
    if answer.cause is not None:
        raise FetchError(f"{host} has no address ({answer.cause})")
    fault = FetchError(f"{host} cannot be reached")
    for address in answer.addresses[:_MAX_ADDRESSES]:
        try:
            return await _from(address, request, url, deps, seconds)
        except ConnectionError as error:
            fault = FetchError(f"{host} cannot be reached ({error})")
    raise fault


async def _from(address: str, request: FetchRequest, url: str, deps: ProbeDeps, seconds: float) -> FetchResponse:
    """Ask one address; a ConnectionError where it does not accept."""
    import httpx

    parts = urlsplit(url)
    head = {"Host": parts.netloc, "User-Agent": USER_AGENT, "Accept-Encoding": "identity", **request.headers}
    direct = parts._replace(netloc=host_port(address, parts.port)).geturl()
    trust = _trust(request.ca_file or deps.ca_file, deps) if parts.scheme == "https" else False
    limit = httpx.Timeout(max(seconds * _CLIENTS_SHARE, 0.01))
    try:
        async with httpx.AsyncClient(verify=trust, timeout=limit, trust_env=False, follow_redirects=False) as client:
            built = client.build_request("POST" if request.body else "GET", direct, headers=head, content=request.body)
            built.extensions["sni_hostname"] = parts.hostname
            answer = await client.send(built, stream=True)
            try:
                return FetchResponse(answer.status_code, await _body(answer.aiter_raw(), answer.headers, request.max_bytes), answer.headers)
            finally:
                await answer.aclose()
    except httpx.TimeoutException:
        raise TimeoutError from None
    except httpx.ConnectError as error:
        raise ConnectionError(str(error)[:80]) from None
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ValueError) as error:
        raise FetchError(f"{parts.hostname} does not speak valid HTTP ({type(error).__name__})") from None


async def _body(pieces: AsyncIterator[bytes], headers: Mapping[str, str], max_bytes: int) -> bytes:
    """The body as it came; a compressed one was not asked for, and unpacking it would have no bound."""
    if headers.get("content-encoding", "identity") != "identity":
        raise FetchError("the response is compressed, which was not requested")
    found = bytearray()
    async for piece in pieces:
        found += piece
        if len(found) > max_bytes:
            raise FetchError(f"the response is longer than {max_bytes} bytes")
    return bytes(found)


def _trust(ca_file: str | None, deps: ProbeDeps) -> ssl.SSLContext:
    """The authorities of a file, read once: the system's take 20 ms. Raises FetchError where they cannot be read."""
    try:
        return deps.shared(f"trust {ca_file}", lambda: ssl.create_default_context(cafile=ca_file), lambda _: None)
    except OSError as error:  # an SSLError is one
        why = trust_fault(ca_file) or error.strerror or type(error).__name__
        raise FetchError(f"the file of trusted authorities {ca_file} cannot be used ({why})") from None
