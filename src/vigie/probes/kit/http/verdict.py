"""What an exchange means: the cause, in words, with the number that mattered.

`figures` of a result, by name: `status` and `expected` (http.status), `limit_ms` and `measured_ms` (timeouts, latency),
`days_left` (certificates; negative: expired), `keyword` (content.missing, content.forbidden), `path`, `operator`,
`wanted` and `got` (content.json), `type` and `expected` (content.type), `redirects` and `to` (http.redirect), `received` and
`announced` (http.truncated, bytes), `weakness` (tls.weak), `detail` (what libcurl or the resolver said, one line).
`status` alone is a proxy's answer when it refused.
"""

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vigie.core.model import Cause, Scalar, Status, TlsFacts
from vigie.net import redact
from vigie.probes.kit.comparison import Comparison
from vigie.probes.kit.http import libcurl
from vigie.probes.kit.http.body import EncodingError, media_type
from vigie.probes.kit.http.config import Expect, compiled, json_assertions, status_ranges
from vigie.probes.kit.http.exchange import Exchange
from vigie.probes.kit.verdict import Verdict, expiring, slow, weak

_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM)
_RESET = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED)
_WITHOUT_QUIC = (libcurl.E_OWN, libcurl.E_UNSUPPORTED_PROTOCOL, libcurl.E_NOT_BUILT_IN)
_SAID = (libcurl.E_COULDNT_CONNECT, libcurl.E_GOT_NOTHING)  # libcurl's own words say nothing that ours do not
_OWN = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


@dataclass(frozen=True, slots=True)
class Rules:
    """An Expect made ready for use."""

    ranges: tuple[tuple[int, int], ...]
    expected: str
    keywords: tuple[str, ...]
    rejected: tuple[str, ...]
    assertions: tuple[tuple[str, Comparison], ...]
    queries: tuple[Any, ...]  # the assertions' JSONPath queries, ready to use
    type: str | None
    latency_ms: int | None
    latency_status: Status
    tls_days: int

    @classmethod
    def of(cls, expect: Expect) -> "Rules":
        """Read the expectations once."""
        assertions = json_assertions(expect.json)
        return cls(
            ranges=status_ranges(expect.status),
            expected=str(expect.status),
            keywords=_listed(expect.keyword),
            rejected=_listed(expect.reject_keyword),
            assertions=assertions,
            queries=compiled(path for path, _ in assertions) if assertions else (),
            type=expect.type.lower() if expect.type else None,
            latency_ms=None if expect.latency is None else int(expect.latency),
            latency_status=Status(expect.latency_status),
            tls_days=expect.tls_days,
        )

    @property
    def need_body(self) -> bool:
        """Whether the body has to be kept to be judged."""
        return bool(self.keywords or self.rejected or self.assertions)

    @property
    def searches(self) -> bool:
        """Whether a JSONPath looks at more than one place, which takes a second in a document of a million values."""
        return not all(query.singular_query() for query in self.queries)

    @property
    def wanted(self) -> dict[str, Any]:
        """What the content must satisfy, as `content.judge` takes it."""
        return {
            "keywords": self.keywords,
            "rejected": self.rejected,
            "assertions": [(path, one.sign, one.wanted) for path, one in self.assertions],
        }


def _listed(words: str | list[str]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


def misencoded(error: EncodingError) -> Verdict:
    """A body that is not what its Content-Encoding says."""
    return Verdict(Cause.HTTP_PROTOCOL, str(error), {"detail": str(error)})


def failure(done: Exchange, limit_ms: int, *, secure: bool) -> Verdict | None:
    """What an exchange that did not end well means; None when it did, or when the body was left at its bound on purpose."""
    if done.code == 0 or (done.full and done.status) or _ragged(done):
        return _misframed(done)
    if done.headers_too_large:
        return Verdict(Cause.HTTP_PROTOCOL, "the headers are larger than 256 KiB")
    if done.code == libcurl.E_OPERATION_TIMEDOUT:
        return timed_out(done, limit_ms, secure=secure)
    if done.quic and done.code in _WITHOUT_QUIC:
        return Verdict(Cause.PROBE_ERROR, "the libcurl that is installed has no HTTP/3; ask for another version", status=Status.UNKNOWN)
    detail = redact(done.error or f"libcurl error {done.code}")[:200]
    cause, words = _reason(done, secure=secure)
    figures: dict[str, Scalar] = {"detail": detail}
    if cause is Cause.HTTP_TRUNCATED:
        announced = done.headers.get("content-length", "")
        words = f"the body ended after {done.size} bytes" + (f" of the {announced} announced" if _is_length(announced) else "")
        figures |= {"received": done.size} | ({"announced": int(announced)} if _is_length(announced) else {})
        return Verdict(cause, words, figures)
    own = Status.UNKNOWN if cause.own else Status.DOWN
    if done.code in _OBSTACLES:
        figures |= {"obstacle": _OBSTACLES[done.code], "why": detail, "file": ""}
    return Verdict(cause, f"{words} ({detail})" if detail and done.code not in _SAID else words, figures, own)


def _misframed(done: Exchange) -> Verdict | None:
    """What libcurl lets pass: headers that the connection's end cut off, a length beyond all counting."""
    length = done.headers.get("content-length", "").lstrip("0")
    if done.ended and (not length.isdigit() or _is_length(length)):
        return None
    words = "the response announces an impossible length" if done.ended else "the response ended within its headers"
    return Verdict(Cause.HTTP_PROTOCOL, words, {"detail": words})


def _is_length(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _cut_tls(done: Exchange) -> bool:
    """Whether the peer closed the connection without TLS' own farewell, which only libcurl's words tell."""
    return done.code == libcurl.E_RECV_ERROR and "unexpected eof" in done.error.lower()


def _ragged(done: Exchange) -> bool:
    """A body whose end is the connection's, closed without TLS' farewell: browsers take it, and so do we."""
    return _cut_tls(done) and done.status > 0 and not {"content-length", "transfer-encoding"} & done.headers.keys()


def timed_out(done: Exchange, limit_ms: int, *, secure: bool) -> Verdict:
    """The phase that the deadline interrupted."""
    seconds = f"{limit_ms / 1000:g} s"
    cause, words = Cause.TIMEOUT_TOTAL, f"the response began but did not finish within {seconds}"
    if done.connect is None:
        cause, words = Cause.TIMEOUT_CONNECT, f"no connection within {seconds}"
    elif secure and done.tls is None:
        cause, words = Cause.TIMEOUT_TLS, f"connected, but the TLS handshake did not finish within {seconds}"
    elif done.first_byte is None and not done.status:
        cause, words = Cause.TIMEOUT_FIRST_BYTE, f"no first byte within {seconds}"
    return Verdict(cause, words, {"limit_ms": limit_ms})


_BY_CODE: dict[int, tuple[Cause, str]] = {
    libcurl.E_OWN: (Cause.PROBE_ERROR, "the request could not be made"),
    libcurl.E_NOT_BUILT_IN: (Cause.PROBE_ERROR, "this libcurl does not support what the monitor asks for"),
    libcurl.E_GOT_NOTHING: (Cause.HTTP_EMPTY_REPLY, "the connection was closed without an answer"),
    libcurl.E_PARTIAL_FILE: (Cause.HTTP_TRUNCATED, "the body is cut short"),
    libcurl.E_SSL_CONNECT_ERROR: (Cause.TLS_HANDSHAKE, "the TLS handshake failed"),
    libcurl.E_SSL_CIPHER: (Cause.TLS_HANDSHAKE, "no common TLS cipher"),
    libcurl.E_SSL_CACERT_BADFILE: (Cause.PROBE_ERROR, "the file of trusted authorities cannot be read"),
    libcurl.E_COULDNT_RESOLVE_PROXY: (Cause.PROBE_NETWORK, "the proxy's name does not resolve"),
    libcurl.E_SEND_ERROR: (Cause.TCP_RESET, "the connection broke while the request was being sent"),
    libcurl.E_URL_MALFORMAT: (Cause.PROBE_ERROR, "libcurl cannot read the URL"),
    libcurl.E_OUT_OF_MEMORY: (Cause.PROBE_ERROR, "this machine is out of memory"),
    libcurl.E_FAILED_INIT: (Cause.PROBE_ERROR, "libcurl could not be initialised"),
    libcurl.E_TOO_LARGE: (Cause.HTTP_PROTOCOL, "a header line is too long"),
    libcurl.E_QUIC_CONNECT_ERROR: (Cause.TLS_HANDSHAKE, "the QUIC handshake failed"),
}


_OBSTACLES = {libcurl.E_NOT_BUILT_IN: "http_version"}


def _reason(done: Exchange, *, secure: bool) -> tuple[Cause, str]:
    text = done.error.lower()
    shaking = secure and done.tls is None and done.connect is not None
    if done.code == libcurl.E_COULDNT_CONNECT or (done.quic and done.code == libcurl.E_SEND_ERROR and done.connect is None):
        return _not_connected(done, text)
    if done.os_errno in _RESET or "reset by peer" in text:
        return Cause.TCP_RESET, "the connection was reset"
    if done.code == libcurl.E_RECV_ERROR and (shaking or " alert " in text):
        return Cause.TLS_HANDSHAKE, "the TLS handshake failed"
    if _cut_tls(done):
        return (Cause.HTTP_TRUNCATED, "") if done.status else _BY_CODE[libcurl.E_GOT_NOTHING]
    return _BY_CODE.get(done.code, (Cause.HTTP_PROTOCOL, "the response is not valid HTTP"))


def _not_connected(done: Exchange, text: str) -> tuple[Cause, str]:
    number = done.os_errno
    # libcurl tells no number where it got no socket at all, nor (of either) over QUIC.
    own = number in _OWN or (number == 0 and not done.quic) or (number == errno.EADDRNOTAVAIL and ":" not in (done.address or ""))
    if own:
        return Cause.PROBE_ERROR, "this machine has no free socket or port"
    if number in _UNREACHABLE or "unreachable" in text:
        return Cause.TCP_UNREACHABLE, "the address cannot be reached"
    if number in _RESET:
        return Cause.TCP_RESET, "the connection was reset"
    if number == errno.ETIMEDOUT:
        return Cause.TIMEOUT_CONNECT, "no connection in time"
    if done.quic:
        return Cause.TCP_REFUSED, "the UDP port refused the connection, so there is no HTTP/3"
    return Cause.TCP_REFUSED, "the connection was refused"


def answer(rules: Rules, done: Exchange) -> Verdict | None:
    """Whether a complete answer is the expected one by its status and its type; its content is looked at afterwards."""
    if not any(low <= done.status <= high for low, high in rules.ranges):
        figures: dict[str, Scalar] = {"status": done.status, "expected": rules.expected}
        return Verdict(Cause.HTTP_STATUS, f"HTTP {done.status}, expected {rules.expected}", figures)
    got = media_type(done.headers)
    if rules.type is not None and got != rules.type:
        figures = {"type": got or "", "expected": rules.type}
        return Verdict(Cause.CONTENT_TYPE, f"media type {got or 'missing'}, expected {rules.type}", figures)
    return None


def too_large(limit_ms: int) -> Verdict:
    """A body whose own content took longer to search than there was time."""
    return Verdict(Cause.TIMEOUT_TOTAL, f"the response was too large to be searched within {limit_ms / 1000:g} s", {"limit_ms": limit_ms})


def not_searched() -> Verdict:
    """A body that this machine could not search: whether what is expected is there, is not known."""
    return Verdict(Cause.PROBE_ERROR, "this machine could not search the response in time", {}, Status.UNKNOWN)


def advisories(rules: Rules, certificates: Sequence[TlsFacts], total_ms: float, now: int) -> Verdict | None:
    """What works but wants a look: a slow answer, or an ending or weak certificate on any hop; what is said to be down comes first."""
    found = [] if rules.latency_ms is None else [slow(total_ms, rules.latency_ms, rules.latency_status)]
    found += [expiring(tls, rules.tls_days, now) for tls in certificates]
    found += [weak(tls) for tls in certificates]
    said = [one for one in found if one is not None]
    return next((one for one in said if one.status is Status.DOWN), said[0]) if said else None
