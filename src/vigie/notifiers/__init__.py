"""Channels: one file each, found by its name. Here: what those that speak HTTP share, and how addresses and secrets are held."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import USER_AGENT, host_of
from vigie.ports import Clock

_TIMEOUT_SECONDS = 15.0
_RETRIED = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class NotifierDeps:
    """What channels are built with; `hostname` makes message ids, `ca_file` is the trust store (None: the library's own)."""

    clock: Clock
    hostname: str
    ca_file: str | None = None


async def post(deps: NotifierDeps, url: str, body: bytes, headers: Mapping[str, str]) -> str:
    """POST JSON and return the provider's answer in one line; raise DeliveryError, whose text never holds the URL's secrets."""
    import httpx

    where = host_of(url)
    try:
        verify: Any = _context(deps.ca_file) if url.startswith("https:") else True
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, verify=verify, follow_redirects=False) as client:
            plain = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
            answer = await client.post(url, content=body, headers={**plain, **headers})
    except httpx.TimeoutException:
        raise DeliveryError(DeliveryReason.TIMEOUT, f"{where} did not answer within {_TIMEOUT_SECONDS:g} s") from None
    except httpx.ConnectError as error:
        raise _not_connected(where, error) from None
    except httpx.HTTPError as error:
        raise DeliveryError(DeliveryReason.OTHER, f"the connection to {where} broke ({type(error).__name__})") from None
    if not answer.is_success:
        raise refused(where, answer.status_code, answer.headers.get("retry-after"), deps.clock.now())
    return f"HTTP {answer.status_code}"


def _context(ca_file: str | None) -> Any:
    import ssl

    return ssl.create_default_context(cafile=ca_file)


def _not_connected(where: str, error: Exception) -> DeliveryError:
    text = str(error).lower()
    if "certificate" in text or "ssl" in text:
        return DeliveryError(DeliveryReason.TLS, f"{where}: the certificate was not accepted", fix="name its authority with SSL_CERT_FILE")
    if "name" in text or "nodename" in text or "address" in text:
        return DeliveryError(DeliveryReason.DNS, f"{where}: the name does not resolve", fix="see the URL and this machine's resolver")
    return DeliveryError(DeliveryReason.REFUSED, f"{where} refused the connection or cannot be reached", fix="see the URL and the network")


def refused(where: str, status: int, retry_after: str | None, now: int) -> DeliveryError:
    """The retry verdict of an HTTP status: time-outs, rate limits and 5xx pass, other 4xx and redirects need a person (RFC 9110)."""
    wait = _wait_ms(retry_after, now)
    if status in _RETRIED:
        return DeliveryError(DeliveryReason.RATE_LIMIT, f"{where} asks to wait (HTTP {status})", retry_after_ms=wait)
    if status >= 500:
        return DeliveryError(DeliveryReason.SERVER, f"{where} is in trouble itself (HTTP {status})", retry_after_ms=wait)
    fix = "see whether the URL of the channel is still valid"
    reason = DeliveryReason.AUTH if status in (401, 403) else DeliveryReason.REJECTED
    return DeliveryError(reason, f"{where} does not take the message (HTTP {status})", fix=fix, permanent=True)


def _wait_ms(retry_after: str | None, now: int) -> int | None:
    """Retry-After in ms: seconds or an HTTP date (RFC 9110 §10.2.3); at most an hour."""
    if retry_after is None:
        return None
    try:
        ms = int(retry_after) * 1000 if retry_after.isdigit() else round(parsedate_to_datetime(retry_after).timestamp() * 1000) - now
    except ValueError:
        return None
    return min(max(ms, 0), 3_600_000)
