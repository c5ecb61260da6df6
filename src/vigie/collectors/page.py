"""The page once more, by HTTP/1.1 on a connection of its own: GET as people do, and HEAD beside it."""

import asyncio
import re
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from vigie.collectors import SHARE, SOURCE, CollectorDeps, PageAddress, connected, is_address, led_elsewhere
from vigie.net import USER_AGENT, system_ca_file
from vigie.report.facts import Evidence, FactKind, Subject
from vigie.report.wording import both, took
from vigie.text import diagnostics as texts

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |\r?\n)")
_HEAD_BYTES = 4_096
_LATE = 0.95  # of the time there was: no response because of it


def build(deps: CollectorDeps) -> "Page":
    """The collector."""
    return Page(deps)


class Page:
    """Two requests, and only where the check had reached the service."""

    def __init__(self, deps: CollectorDeps) -> None:
        self._deps = deps

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """What GET and HEAD get, each with its time; nothing for a page that may not be asked for again."""
        page, result = self._deps.page_of(subject.monitor), subject.result
        if page is None or result.timings.connect is None or result.address is None or led_elsewhere(subject):
            return []
        if result.cause is not None and result.cause.startswith("tls."):  # whoever answers there has not proved who it is
            return []
        place = urlsplit(page.url)
        wait_ms = budget_ms * SHARE
        security = await asyncio.to_thread(_security, place, page)
        asked = (self._ask(place, result.address, method, wait_ms, security) for method in ("GET", "HEAD"))
        (got, ms), (head, _) = await asyncio.gather(*asked)
        return [self._get(got, ms, wait_ms), *self._head(got, head)]

    async def _ask(self, place: SplitResult, address: str, method: str, wait_ms: float, security: dict[str, Any]) -> tuple[int | None, int]:
        """The status that a request gets (None: none), and the ms it took."""
        started = self._deps.clock.monotonic()
        status = None
        try:
            async with asyncio.timeout(wait_ms / 1000), connected(address, _port(place), **security) as (reader, writer):
                writer.write(_request(place, method))
                head = await reader.read(_HEAD_BYTES)
                status = int(match[1]) if (match := _STATUS.match(head)) else None
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # no answer is an answer too
        return status, round((self._deps.clock.monotonic() - started) * 1000)

    def _get(self, status: int | None, ms: int, wait_ms: float) -> Evidence:
        late = ms >= wait_ms * _LATE
        template = texts.GET_STATUS if status is not None else texts.GET_LATE if late else texts.GET_NOTHING
        pair = both(template, status=status, took=took(ms))
        bad = status is None or status >= 400
        return Evidence(FactKind.HTTP, "get.again", status or 0, *pair, self._deps.clock.now(), SOURCE, bad=bad)

    def _head(self, got: int | None, head: int | None) -> list[Evidence]:
        """HEAD is mentioned only where it differs: it never decides, but it shows that the server itself answers."""
        if head is None or head == got or head >= 400:
            return []
        return [
            Evidence(FactKind.HTTP, "head.again", head, *both(texts.HEAD_STATUS, status=head), self._deps.clock.now(), SOURCE, bad=False)
        ]


def _port(place: SplitResult) -> int:
    return place.port or (443 if place.scheme == "https" else 80)


def _request(place: SplitResult, method: str) -> bytes:
    path = (place.path or "/") + (f"?{place.query}" if place.query else "")
    host = place.netloc.rpartition("@")[2]
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {USER_AGENT}\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode()


def _security(place: SplitResult, page: PageAddress) -> dict[str, Any]:
    """What TLS asks of the server: what the check asks of it, so that the URL's secrets reach nobody whom the check would refuse."""
    if place.scheme != "https":
        return {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    host = place.hostname or ""
    if page.insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # as was asked for
        return {"ssl": context, "server_hostname": "" if is_address(host) else host}
    context.load_verify_locations(page.ca_file or system_ca_file())
    return {"ssl": context, "server_hostname": host}
