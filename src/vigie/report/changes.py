"""What differs between two checks of one monitor, said without a word that the target wrote."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vigie.core.model import Certificate, CheckResult
from vigie.report.wording import both, count_of, took
from vigie.text import Pair, pick
from vigie.text.facts import CHANGES, UNCHANGED

# What a `server` header may be called: the target writes it, so only known products are named.
PRODUCTS = {
    "nginx": "nginx",
    "openresty": "OpenResty",
    "apache": "Apache",
    "cloudflare": "Cloudflare",
    "caddy": "Caddy",
    "iis": "IIS",
    "envoy": "Envoy",
    "varnish": "Varnish",
    "litespeed": "LiteSpeed",
    "haproxy": "HAProxy",
    "gunicorn": "Gunicorn",
    "uvicorn": "Uvicorn",
    "traefik": "Traefik",
}
TLS_VERSIONS = ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0", "TLSv1", "SSLv3")
_HOST = re.compile(r"(?i)localhost|[a-z0-9*-]+(?:\.[a-z0-9-]+)+")
_MAX = 3  # addresses named
_GROWN = 2  # a size that doubled or halved is worth a word
_SLOWER, _SLOWER_MS = 3, 200.0


@dataclass(frozen=True, slots=True)
class Change:
    """One comparison: a clause without capital and full stop in each language, and whether the two checks differ in it."""

    name: str
    fr: str
    en: str
    differs: bool = True

    @property
    def pair(self) -> Pair:
        """Both clauses."""
        return self.fr, self.en

    def clause(self, language: str) -> str:
        """The clause in one language."""
        return pick(self.pair, language)


def product(headers: Mapping[str, str]) -> str | None:
    """The known server product that a `server` header names, or None."""
    said = headers.get("server", "").lower()
    return next((name for key, name in PRODUCTS.items() if key in said), None)


def self_signed(certificate: Certificate) -> bool:
    """Whether a server's certificate vouches for itself: one host name for subject and issuer (an authority is not a host)."""
    return certificate.subject == certificate.issuer and _HOST.fullmatch(certificate.subject) is not None


def changes(before: CheckResult, after: CheckResult) -> tuple[Change, ...]:
    """Every comparison that both checks allow, the most telling first; addresses and certificate are compared when they are equal too."""
    found = (compare(before, after) for compare in _COMPARISONS)
    return tuple(one for one in found if one is not None)


def _status(before: CheckResult, after: CheckResult) -> Change | None:
    if before.http is None or after.http is None or before.http.status == after.http.status:
        return None
    return _differing("status", before.http.status, after.http.status)


def _addresses(before: CheckResult, after: CheckResult) -> Change | None:
    if not before.addresses or not after.addresses:
        return None
    if set(before.addresses) == set(after.addresses):
        return Change("addresses", *UNCHANGED["addresses"], differs=False)
    return _differing("addresses", *(", ".join(sorted(one.addresses)[:_MAX]) for one in (before, after)))


def _certificate(before: CheckResult, after: CheckResult) -> Change | None:
    if before.tls is None or after.tls is None or not before.tls.chain or not after.tls.chain:
        return None
    if before.tls.chain[0].sha256 == after.tls.chain[0].sha256:
        return Change("certificate", *UNCHANGED["certificate"], differs=False)
    return Change("certificate", *CHANGES["certificate"])


def _tls_version(before: CheckResult, after: CheckResult) -> Change | None:
    old, new = (one.tls.version if one.tls else None for one in (before, after))
    if old == new or old not in TLS_VERSIONS or new not in TLS_VERSIONS:
        return None
    return _differing("tls_version", old, new)


def _server(before: CheckResult, after: CheckResult) -> Change | None:
    old, new = (product(one.http.headers) if one.http else None for one in (before, after))
    if old is None or new is None or old == new:
        return None
    return _differing("server", old, new)


def _redirects(before: CheckResult, after: CheckResult) -> Change | None:
    if before.http is None or after.http is None or before.http.redirects == after.http.redirects:
        return None
    return _differing("redirects", before.http.redirects, after.http.redirects)


def _size(before: CheckResult, after: CheckResult) -> Change | None:
    if before.http is None or after.http is None or before.http.status != after.http.status:
        return None  # another status brings another body
    old, new = before.http.bytes, after.http.bytes
    if old == new or (new < old * _GROWN and old < new * _GROWN):
        return None
    return _differing("size", count_of(old, "byte"), count_of(new, "byte"))


def _pace(before: CheckResult, after: CheckResult) -> Change | None:
    old, new = before.timings.total, after.timings.total
    if old is None or new is None:
        return None
    slow, quick = max(old, new), min(old, new)
    if slow - quick < _SLOWER_MS or slow < quick * _SLOWER:
        return None
    return _differing("pace", took(old), took(new))


def _differing(name: str, old: object, new: object) -> Change:
    return Change(name, *both(CHANGES[name], old=old, new=new))


_COMPARISONS: tuple[Callable[[CheckResult, CheckResult], Change | None], ...] = (
    _status,
    _addresses,
    _certificate,
    _tls_version,
    _server,
    _redirects,
    _size,
    _pace,
)
