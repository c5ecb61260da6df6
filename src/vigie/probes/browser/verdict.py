"""What the browser's own words mean: Chromium's network errors as causes (net/base/net_error_list.h), and whose fault a timeout is."""

import re

from vigie.core.model import Cause, Scalar, Status
from vigie.probes.browser.script import Seen
from vigie.probes.kit.verdict import Verdict

_NET = re.compile(r"net::(ERR_[A-Z0-9_]+)")
_ERRORS: tuple[tuple[str, Cause, str], ...] = (
    ("ERR_CONNECTION_REFUSED", Cause.TCP_REFUSED, "the connection was refused"),
    ("ERR_CONNECTION_RESET", Cause.TCP_RESET, "the connection was reset"),
    ("ERR_CONNECTION_CLOSED", Cause.TCP_RESET, "the connection was closed"),
    ("ERR_CONNECTION_ABORTED", Cause.TCP_RESET, "the connection was cut"),
    ("ERR_ADDRESS_UNREACHABLE", Cause.TCP_UNREACHABLE, "the address cannot be reached"),
    ("ERR_CONNECTION_TIMED_OUT", Cause.TIMEOUT_CONNECT, "no connection in time"),
    ("ERR_CONNECTION_FAILED", Cause.TCP_UNREACHABLE, "no connection was possible"),
    ("ERR_TIMED_OUT", Cause.TIMEOUT_FIRST_BYTE, "no answer in time"),
    ("ERR_CERT_DATE_INVALID", Cause.TLS_EXPIRED, "the certificate has expired or is not valid yet"),
    ("ERR_CERT_COMMON_NAME_INVALID", Cause.TLS_HOSTNAME, "the certificate is for another name"),
    ("ERR_CERT_WEAK", Cause.TLS_UNTRUSTED, "browsers reject the certificate as too weak"),
    ("ERR_CERT", Cause.TLS_UNTRUSTED, "browsers do not trust the certificate"),
    ("ERR_SSL", Cause.TLS_HANDSHAKE, "the TLS handshake failed"),
    ("ERR_BAD_SSL", Cause.TLS_HANDSHAKE, "the TLS handshake failed"),
    ("ERR_TOO_MANY_REDIRECTS", Cause.HTTP_REDIRECT, "too many redirects"),
    ("ERR_UNSAFE_REDIRECT", Cause.HTTP_REDIRECT, "a redirect leads to an address that browsers do not follow"),
    ("ERR_EMPTY_RESPONSE", Cause.HTTP_EMPTY_REPLY, "the connection was closed without an answer"),
    ("ERR_CONTENT_LENGTH_MISMATCH", Cause.HTTP_TRUNCATED, "the page was cut short"),
    ("ERR_INCOMPLETE_CHUNKED_ENCODING", Cause.HTTP_TRUNCATED, "the page was cut short"),
    ("ERR_ABORTED", Cause.CONTENT_TYPE, "it is not a page: browsers download it or show nothing"),
    ("ERR_INTERNET_DISCONNECTED", Cause.PROBE_NETWORK, "this machine has no network"),
    ("ERR_NETWORK_CHANGED", Cause.PROBE_NETWORK, "this machine's network changed during the check"),
    ("ERR_PROXY", Cause.PROBE_NETWORK, "the proxy cannot be reached"),
)


_WITHOUT_PAGE = ("ERR_HTTP_RESPONSE_CODE_FAILURE", "ERR_INVALID_AUTH_CREDENTIALS")


def network_error(said: str) -> str | None:
    """Chromium's name for what went wrong, where it is the network's."""
    if "Download is starting" in said:
        return "ERR_ABORTED"
    match = _NET.search(said)
    return match[1] if match else None


def refused(name: str, seen: Seen, expected: str) -> Verdict:
    """A page that could not be loaded; an error status without a page is one, too."""
    if name in _WITHOUT_PAGE and seen.answer is not None:
        figures: dict[str, Scalar] = {"status": seen.answer, "expected": expected}
        return Verdict(Cause.HTTP_STATUS, f"HTTP {seen.answer}, expected {expected}", figures)
    detail: dict[str, Scalar] = {"detail": name}
    for prefix, cause, words in _ERRORS:
        if name.startswith(prefix):
            return Verdict(cause, f"{words} ({name})", detail, Status.UNKNOWN if cause.own else Status.DOWN)
    return Verdict(Cause.HTTP_PROTOCOL, f"the browser cannot load the page ({name})", detail)


def timed_out(seen: Seen, limit_ms: int, waited_ms: float) -> Verdict:
    """The wait that the deadline interrupted. If most of the time passed before the browser was ready, the page is not at fault."""
    seconds, figures = f"{limit_ms / 1000:g} s", dict[str, Scalar](limit_ms=limit_ms)
    if seen.opened_at is None:
        return own(f"the browser was not ready within {seconds}")
    if waited_ms > limit_ms / 3:
        return own(f"the browser took {waited_ms / 1000:.1f} s of {seconds} to start, which left too little time for the page")
    if seen.step is not None:
        return Verdict(Cause.TIMEOUT_TOTAL, f"not finished within {seconds}", figures)
    if seen.answer is None:
        return Verdict(Cause.TIMEOUT_FIRST_BYTE, f"no answer within {seconds}", figures)
    return Verdict(Cause.TIMEOUT_TOTAL, f"the page began but was not ready within {seconds}", figures)


def own(words: str, figures: dict[str, Scalar] | None = None) -> Verdict:
    """A fault on our side."""
    return Verdict(Cause.PROBE_ERROR, words, figures or {}, Status.UNKNOWN)
