"""What an exchange means: the cause, in words, with the number that mattered.

`figures` of a result, by name: `status` and `expected` (http.status), `limit_ms` and `measured_ms` (timeouts, latency),
`days_left` (certificates; negative: expired), `keyword` (content.missing, content.forbidden), `path`, `operator`,
`wanted` and `got` (content.json), `type` and `expected` (content.type), `redirects` and `to` (http.redirect), `received` and
`announced` (http.truncated, bytes), `weakness` (tls.weak), `detail` (what libcurl or the resolver said, one line).
"""

import errno
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pycurl

from vigie.core.model import Cause, Scalar, Status, TlsFacts
from vigie.net import redact, weakness
from vigie.probes.http.body import media_type, text_of
from vigie.probes.http.config import Expect, json_assertions, status_ranges
from vigie.probes.http.exchange import Exchange

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt}
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM)
_RESET = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED)
_GOT = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a check is not up. `status` follows from the cause unless the configuration says otherwise."""

    cause: Cause
    message: str
    figures: dict[str, Scalar] = field(default_factory=dict)
    status: Status = Status.DOWN


@dataclass(frozen=True, slots=True)
class Rules:
    """An Expect made ready for use."""

    ranges: tuple[tuple[int, int], ...]
    expected: str
    keywords: tuple[str, ...]
    rejected: tuple[str, ...]
    assertions: tuple[tuple[str, str, Any], ...]
    type: str | None
    latency_ms: int | None
    latency_status: Status
    tls_days: int

    @classmethod
    def of(cls, expect: Expect) -> "Rules":
        """Read the expectations once."""
        return cls(
            ranges=status_ranges(expect.status),
            expected=str(expect.status),
            keywords=_listed(expect.keyword),
            rejected=_listed(expect.reject_keyword),
            assertions=json_assertions(expect.json),
            type=expect.type.lower() if expect.type else None,
            latency_ms=expect.latency,
            latency_status=Status(expect.latency_status),
            tls_days=expect.tls_days,
        )

    @property
    def need_body(self) -> bool:
        """Whether the body has to be kept to be judged."""
        return bool(self.keywords or self.rejected or self.assertions)


def _listed(words: str | list[str]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


def failure(done: Exchange, limit_ms: int, *, secure: bool) -> Verdict | None:
    """What an exchange that did not end well means; None when it did, or when the body was left at its bound on purpose."""
    if done.code == 0 or (done.full and done.status):
        return None
    if done.headers_too_large:
        return Verdict(Cause.HTTP_PROTOCOL, "the headers are larger than 256 KiB")
    if done.code == pycurl.E_OPERATION_TIMEDOUT:
        return timed_out(done, limit_ms, secure=secure)
    detail = redact(done.error or f"libcurl error {done.code}")[:200]
    cause, words = _reason(done, secure=secure)
    figures: dict[str, Scalar] = {"detail": detail}
    if cause is Cause.HTTP_TRUNCATED:
        announced = done.headers.get("content-length", "")
        words = f"the body ended after {done.size} bytes" + (f", {announced} were announced" if announced.isdigit() else "")
        figures |= {"received": done.size} | ({"announced": int(announced)} if announced.isdigit() else {})
        return Verdict(cause, words, figures)
    own = Status.UNKNOWN if cause.own else Status.DOWN
    return Verdict(cause, f"{words} ({detail})" if detail else words, figures, own)


def timed_out(done: Exchange, limit_ms: int, *, secure: bool) -> Verdict:
    """Which phase the deadline cut."""
    seconds = f"{limit_ms / 1000:g} s"
    cause, words = Cause.TIMEOUT_TOTAL, f"the answer began but did not end within {seconds}"
    if done.connect is None:
        cause, words = Cause.TIMEOUT_CONNECT, f"no connection within {seconds}"
    elif secure and done.tls is None:
        cause, words = Cause.TIMEOUT_TLS, f"connected, but TLS was not finished within {seconds}"
    elif done.first_byte is None and not done.status:
        cause, words = Cause.TIMEOUT_FIRST_BYTE, f"no first byte within {seconds}"
    return Verdict(cause, words, {"limit_ms": limit_ms})


_BY_CODE: dict[int, tuple[Cause, str]] = {
    pycurl.E_GOT_NOTHING: (Cause.HTTP_EMPTY_REPLY, "the connection was closed without an answer"),
    pycurl.E_PARTIAL_FILE: (Cause.HTTP_TRUNCATED, "the body ended too early"),
    pycurl.E_SSL_CONNECT_ERROR: (Cause.TLS_HANDSHAKE, "no TLS handshake was possible"),
    pycurl.E_SSL_CIPHER: (Cause.TLS_HANDSHAKE, "no common TLS cipher"),
    pycurl.E_SSL_CACERT_BADFILE: (Cause.PROBE_ERROR, "the file of trusted authorities cannot be read"),
    pycurl.E_COULDNT_RESOLVE_PROXY: (Cause.PROBE_NETWORK, "the proxy's name does not resolve"),
    pycurl.E_SEND_ERROR: (Cause.TCP_RESET, "the connection broke while the request was sent"),
    pycurl.E_URL_MALFORMAT: (Cause.HTTP_REDIRECT, "the address is no URL"),
}


def _reason(done: Exchange, *, secure: bool) -> tuple[Cause, str]:
    text = done.error.lower()
    shaking = secure and done.tls is None and done.connect is not None
    if done.code == pycurl.E_COULDNT_CONNECT:
        return _not_connected(done.os_errno, text)
    if done.os_errno in _RESET or "reset by peer" in text:
        return Cause.TCP_RESET, "the connection was reset"
    if done.code == pycurl.E_RECV_ERROR and shaking:
        return Cause.TLS_HANDSHAKE, "no TLS handshake was possible"
    if done.code == pycurl.E_RECV_ERROR and done.status == 0 and "unexpected eof" in text:
        return Cause.HTTP_EMPTY_REPLY, "the connection was closed without an answer"
    return _BY_CODE.get(done.code, (Cause.HTTP_PROTOCOL, "the answer is not proper HTTP"))


def _not_connected(number: int, text: str) -> tuple[Cause, str]:
    if number in _UNREACHABLE or "unreachable" in text:
        return Cause.TCP_UNREACHABLE, "the address cannot be reached"
    if number in _RESET:
        return Cause.TCP_RESET, "the connection was reset"
    if number == errno.ETIMEDOUT:
        return Cause.TIMEOUT_CONNECT, "no connection in time"
    return Cause.TCP_REFUSED, "the connection was refused"


def answer(rules: Rules, done: Exchange, body: bytes) -> Verdict | None:
    """Whether a complete answer is the expected one: status, type, texts, JSON, in this order."""
    if not any(low <= done.status <= high for low, high in rules.ranges):
        figures: dict[str, Scalar] = {"status": done.status, "expected": rules.expected}
        return Verdict(Cause.HTTP_STATUS, f"HTTP {done.status}, expected {rules.expected}", figures)
    got = media_type(done.headers)
    if rules.type is not None and got != rules.type:
        figures = {"type": got or "", "expected": rules.type}
        return Verdict(Cause.CONTENT_TYPE, f"media type {got or 'missing'}, expected {rules.type}", figures)
    return _content(rules, done.headers, body) if rules.need_body else None


def _content(rules: Rules, headers: Mapping[str, str], body: bytes) -> Verdict | None:
    text = text_of(body, headers)
    for word in rules.keywords:
        if word not in text:
            return Verdict(Cause.CONTENT_MISSING, f"{word!r} is not in the page", {"keyword": word})
    for word in rules.rejected:
        if word in text:
            return Verdict(Cause.CONTENT_FORBIDDEN, f"{word!r} is in the page", {"keyword": word})
    return _json(rules.assertions, text) if rules.assertions else None


def _json(assertions: tuple[tuple[str, str, Any], ...], text: str) -> Verdict | None:
    import json

    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Verdict(Cause.CONTENT_JSON, "the body is no JSON", {"detail": str(error)[:80]})
    for path, sign, wanted in assertions:
        found = _values(path, document)
        if not any(_holds(sign, got, wanted) for got in found):
            got = repr(found[0])[:_GOT] if found else "nothing"
            figures: dict[str, Scalar] = {"path": path, "operator": sign, "wanted": repr(wanted)[:_GOT], "got": got}
            return Verdict(Cause.CONTENT_JSON, f"{path} is {got}, expected {sign} {wanted!r}", figures)
    return None


def _values(path: str, document: Any) -> list[Any]:
    import jsonpath

    try:
        return list(jsonpath.findall(path, document))
    except (jsonpath.JSONPathError, RecursionError):
        return []


def _holds(sign: str, got: Any, wanted: Any) -> bool:
    try:
        return _OPERATORS[sign](got, wanted)
    except TypeError:
        return False


def advisories(rules: Rules, tls: TlsFacts | None, total_ms: float) -> Verdict | None:
    """What works but wants a look: an ending or weak certificate, a slow answer; what is said to be down comes first."""
    found = [verdict for verdict in (_slow(rules, total_ms), _expiring(rules, tls), _weak(tls)) if verdict is not None]
    return next((verdict for verdict in found if verdict.status is Status.DOWN), found[0] if found else None)


def _slow(rules: Rules, total_ms: float) -> Verdict | None:
    if rules.latency_ms is None or total_ms <= rules.latency_ms:
        return None
    figures: dict[str, Scalar] = {"limit_ms": int(rules.latency_ms), "measured_ms": round(total_ms)}
    words = f"answered in {total_ms:.0f} ms, limit {int(rules.latency_ms)} ms"
    return Verdict(Cause.LATENCY_THRESHOLD, words, figures, rules.latency_status)


def _expiring(rules: Rules, tls: TlsFacts | None) -> Verdict | None:
    if tls is None or tls.days_left is None or tls.days_left >= rules.tls_days:
        return None
    words = f"the certificate has {tls.days_left} days left, fewer than {rules.tls_days}"
    if tls.days_left < 0:
        words = f"the certificate expired {-tls.days_left} days ago"
    return Verdict(Cause.TLS_EXPIRING, words, {"days_left": tls.days_left, "expected": rules.tls_days}, Status.DEGRADED)


def _weak(tls: TlsFacts | None) -> Verdict | None:
    found = weakness(tls) if tls is not None else None
    return None if found is None else Verdict(Cause.TLS_WEAK, f"{found}", {"weakness": found}, Status.DEGRADED)


ADVICE: dict[Cause, str] = {
    Cause.TLS_EXPIRED: "Renew the certificate.",
    Cause.TLS_EXPIRING: "Renew the certificate before it expires.",
    Cause.TLS_HOSTNAME: "Serve a certificate that names this host.",
    Cause.TLS_UNTRUSTED: "Send the whole chain, or name the private authority with ca_file (--ca-file).",
    Cause.TLS_HANDSHAKE: "See whether the port speaks TLS, and which versions and ciphers it offers.",
    Cause.TLS_WEAK: "Replace what is obsolete: browsers already refuse some of it.",
    Cause.DNS_NXDOMAIN: "See whether the name is spelt right and its domain is still registered.",
    Cause.DNS_NO_ANSWER: "The name has no address of the family asked for; see its A and AAAA records.",
    Cause.TCP_REFUSED: "Nothing listens on that port: see whether the service runs.",
    Cause.HTTP_REDIRECT: "See where the redirects lead; max_redirects, allow_other_host and allow_downgrade say what is allowed.",
}
