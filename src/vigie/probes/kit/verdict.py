"""Why a check is not up, in words that every kind of check shares: names that do not resolve, certificates, what to do about it."""

from dataclasses import dataclass, field

from vigie.core.model import Cause, Expiry, ExpiryKind, FaultScope, Scalar, Status, TlsFacts
from vigie.net import Answer, Refusal, misnamed, verify_cause, weakness

TLS_DAYS = 14
_DAY_MS = 86_400_000
_NAME = 80


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a check is not up. `status` follows from the cause unless the configuration says otherwise.

    `tls` are the facts of the certificate that is meant, where a check saw several; `fix` is what to do, and
    `scope` whose fault it is, where the cause does not say it.
    """

    cause: Cause
    message: str
    figures: dict[str, Scalar] = field(default_factory=dict)
    status: Status = Status.DOWN
    tls: TlsFacts | None = None
    fix: str = ""
    scope: FaultScope | None = None


class CheckFailed(Exception):  # noqa: N818 - it is the target that failed
    """Carries a verdict from where it was reached to the result; it never leaves the probe."""

    def __init__(self, cause: Cause, message: str, figures: dict[str, Scalar] | None = None, status: Status = Status.DOWN) -> None:
        super().__init__(message)
        self.verdict = Verdict(cause, message, figures or {}, status)


def no_address(found: Answer, host: str) -> Verdict:
    """Why a name did not resolve."""
    words: dict[Cause, str] = {
        Cause.DNS_NXDOMAIN: f"the name {host} does not exist",
        Cause.DNS_SERVFAIL: f"the resolver failed on {host} (SERVFAIL)",
        Cause.DNS_REFUSED: f"the resolver refused to answer for {host}",
        Cause.DNS_TIMEOUT: f"no answer for {host} from the resolver in {found.ms:.0f} ms",
        Cause.DNS_NO_ANSWER: f"{host} has no address of the requested family",
        Cause.PROBE_RESOLVER: "this machine's resolver does not answer",
    }
    cause = found.cause or Cause.PROBE_ERROR
    return Verdict(cause, words.get(cause, found.detail), {"detail": found.detail}, Status.UNKNOWN if cause.own else Status.DOWN)


def no_trust(ca_file: str | None, why: str) -> Verdict:
    """The trusted authorities cannot be read: a fault of this machine, which says nothing about the target."""
    named = ca_file or "of the system"
    figures: dict[str, Scalar] = {"obstacle": "ca_file", "file": named, "why": why[:120]}
    return Verdict(Cause.PROBE_ERROR, f"the file of trusted authorities {named} cannot be used ({why})", figures, Status.UNKNOWN)


def unverified(tls: TlsFacts, host: str, now: int, detail: str) -> Verdict:
    """What is wrong with a certificate that was refused; `now` in epoch ms."""
    cause, days = verify_cause(tls, host, now), tls.days_left
    other = misnamed(tls, host) if cause is Cause.TLS_HOSTNAME else None
    words = {
        Cause.TLS_EXPIRED: f"the certificate expired {-days} days ago" if days is not None and days < 0 else "the chain has expired",
        Cause.TLS_NOT_YET_VALID: "the certificate is not valid yet",
        Cause.TLS_UNTRUSTED: "the certificate is not meant for servers"
        if "purpose" in detail
        else "the certificate's issuer is not trusted",
    }.get(cause, other.message if other else "")
    figures: dict[str, Scalar] = {"detail": detail[:120]} | ({} if days is None else {"days_left": days})
    figures |= {"weakness": other.weakness} if other and other.weakness else {}
    return Verdict(cause, words, figures, fix=other.fix if other else "")


def refused(found: Refusal) -> Verdict:
    """What every current browser refuses although OpenSSL took it."""
    return Verdict(found.cause, found.message, {"weakness": found.weakness} if found.weakness else {}, fix=found.fix)


def expiring(tls: TlsFacts, at_least: int, now: int) -> Verdict | None:
    """A certificate, of the server or of an authority above it, with fewer days left than asked; `now` in epoch ms.

    What lives so short that this is more than a third of its life gets its warning at a third.
    """
    found = expiry_of(tls, "", at_least)
    if found is None or now < found.warn_at:
        return None
    days = (found.ends_at - now) // _DAY_MS
    authority = found.kind is ExpiryKind.AUTHORITY
    figures: dict[str, Scalar] = {"days_left": days, "expected": at_least}
    if authority:
        figures["authority"] = found.name
    what = f"{found.name!r}, an authority of the chain," if authority else "the certificate"
    words = f"{what} has {days} {'day' if days == 1 else 'days'} left, fewer than {at_least}"
    if days < 0:
        words = f"{what} expired {-days} days ago"
    return Verdict(Cause.TLS_EXPIRING, words, figures, Status.DEGRADED, tls)


def expiry_of(tls: TlsFacts, of: str, at_least: int, place: str = "") -> Expiry | None:
    """When a chain stops being valid, and from when on that deserves a warning; None without a readable certificate.

    `of` names the endpoint, `place` is the address that served it, `at_least` is in days.
    """
    if not tls.chain:
        return None
    one = tls.limit or tls.chain[0]
    kind = ExpiryKind.CERTIFICATE if tls.limit is None else ExpiryKind.AUTHORITY
    third, asked = max(one.not_after - one.not_before, 0) // 3, at_least * _DAY_MS
    return Expiry(of, kind, one.subject[:_NAME], one.not_after, one.not_after - min(third, asked), third < asked, place)


def weak(tls: TlsFacts) -> Verdict | None:
    """An obsolete version, a short key or a weak signature."""
    found = weakness(tls)
    return None if found is None else Verdict(Cause.TLS_WEAK, found, {"weakness": found}, Status.DEGRADED, tls)


def slow(total_ms: float, limit_ms: int, status: Status = Status.DEGRADED) -> Verdict | None:
    """An answer that took longer than the configuration allows."""
    if total_ms <= limit_ms:
        return None
    figures: dict[str, Scalar] = {"limit_ms": limit_ms, "measured_ms": round(total_ms)}
    return Verdict(Cause.LATENCY_THRESHOLD, f"answered in {total_ms:.0f} ms, limit {limit_ms} ms", figures, status)


ADVICE: dict[Cause, str] = {
    Cause.TLS_EXPIRED: "Renew the certificate.",
    Cause.TLS_EXPIRING: "Renew the certificate before it expires.",
    Cause.TLS_NOT_YET_VALID: "Check when the certificate begins, and the clock of whoever issued it.",
    Cause.TLS_HOSTNAME: "Serve a certificate that names this host.",
    Cause.TLS_UNTRUSTED: "Send the whole chain, or name the private authority with ca_file (--ca-file).",
    Cause.TLS_HANDSHAKE: "Check whether the port speaks TLS, and which versions and ciphers it offers.",
    Cause.TLS_WEAK: "Replace what is obsolete before browsers refuse it.",
    Cause.DNS_NXDOMAIN: "Check that the name is spelled correctly and its domain is still registered.",
    Cause.DNS_NO_ANSWER: "The name has no address of the requested family; check its A and AAAA records.",
    Cause.TCP_REFUSED: "Nothing listens on that port: check whether the service is running.",
    Cause.HTTP_BLOCKED: "Let Vigie's address or User-Agent through; the service itself may be fine.",
    Cause.CONTENT_ERROR_PAGE: "Open the page: something else is shown in its place. If that is intended, set content_checks: off.",
    Cause.CONTENT_BLANK: "Open the page: it is empty. If that is intended, set content_checks: off.",
    Cause.CONTENT_TAMPERED: "Take the page offline, keep the traces, and close the security hole before it goes back online.",
    Cause.HTTP_REDIRECT: "Check where the redirects lead; max_redirects, allow_other_host and allow_downgrade set what is allowed.",
}


def advice(found: Verdict) -> tuple[str, ...]:
    """What to do first, if it can be said in one line."""
    words = found.fix or ADVICE.get(found.cause)
    return (words,) if words else ()
