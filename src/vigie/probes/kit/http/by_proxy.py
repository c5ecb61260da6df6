"""Which failures are the proxy's rather than the service's: our own proxy must not cause an alert."""

from vigie.core.model import Cause, FaultScope, Scalar, Status
from vigie.net import redact
from vigie.probes.kit.http import libcurl
from vigie.probes.kit.http.exchange import Exchange
from vigie.probes.kit.verdict import Verdict

_NO_ROUTE = (502, 503, 504)
_LOGIN_WANTED = 407
# CURLINFO_PROXY_ERROR: what a SOCKS proxy said of the service (RFC 1928 §6).
_SOCKS = {
    19: (Cause.TCP_REFUSED, "the service refused the proxy's connection"),
    20: (Cause.TCP_UNREACHABLE, "the proxy cannot reach the service"),
    21: (Cause.TCP_UNREACHABLE, "the proxy cannot reach the service"),
    22: (Cause.TCP_UNREACHABLE, "the proxy cannot reach the service"),
    24: (Cause.TIMEOUT_CONNECT, "the proxy could not connect to the service in time"),
    26: (Cause.TCP_UNREACHABLE, "the proxy cannot reach the service"),  # all that SOCKS 4 says
}


def by_proxy(done: Exchange, limit_ms: int, proxy: str, *, secure: bool) -> Verdict | None:
    """The verdict where the proxy refused, broke, or could not reach the service; None where the service itself spoke."""
    if done.tunnel in _NO_ROUTE:
        return Verdict(Cause.TCP_UNREACHABLE, f"the proxy cannot reach the service (HTTP {done.tunnel})", {"status": done.tunnel})
    if done.tunnel >= 300 or done.status == _LOGIN_WANTED:
        status = done.tunnel or done.status
        refusal: dict[str, Scalar] = {"status": status, "obstacle": "proxy", "why": f"HTTP {status}"}
        return Verdict(Cause.PROBE_ERROR, f"the proxy refused the request (HTTP {status})", refusal, Status.UNKNOWN)
    if done.code == libcurl.E_PROXY and done.proxy_error in _SOCKS:
        cause, words = _SOCKS[done.proxy_error]
        return Verdict(cause, words, _detail(done))
    if done.code == 0 or not _at_the_proxy(done, proxy, secure=secure):
        return None
    if done.code == libcurl.E_OPERATION_TIMEDOUT and done.connect is not None:
        words = f"no connection through the proxy within {limit_ms / 1000:g} s"
        return Verdict(Cause.TIMEOUT_CONNECT, words, {"limit_ms": limit_ms})  # it may well wait for the service
    figures = _detail(done)
    why = figures["detail"]
    figures |= {"obstacle": "proxy", "why": why}
    words = f"the proxy cannot be used ({why})"
    return Verdict(Cause.PROBE_NETWORK, words, figures, Status.UNKNOWN, scope=FaultScope.MONITOR)  # other monitors have other ways


def _at_the_proxy(done: Exchange, proxy: str, *, secure: bool) -> bool:
    """Whether it failed before the service was reached."""
    if done.connect is None or done.code == libcurl.E_PROXY:
        return True
    if secure and proxy.startswith("http"):
        return done.tunnel == 0 or "CONNECT" in done.error
    # Without a tunnel the request goes to the proxy itself, and nobody has sent it yet; what cannot be verified is the proxy's certificate.
    return not secure and (done.code == libcurl.E_PEER_FAILED_VERIFICATION or not done.sent)


def _detail(done: Exchange) -> dict[str, Scalar]:
    return {"detail": redact(done.error or f"libcurl error {done.code}")[:200]}
