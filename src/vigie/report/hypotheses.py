"""The decision table: which observations speak for which cause, graded. Data; `rules` reads it, `text.hypotheses` has the words."""

from dataclasses import dataclass

from vigie.text import Pair
from vigie.text.hypotheses import HYPOTHESES


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One possible cause. Texts are (fr, en); `grade` is high, medium or low; `facts` are the ids of those that support it."""

    id: str
    grade: str
    text: Pair
    step: Pair
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CauseRow:
    """A hypothesis, with the observations that it needs and those that rule it out."""

    needs: frozenset[str]
    hypothesis: Hypothesis
    excludes: frozenset[str] = frozenset()


def _row(needs: str, identity: str, grade: str, excludes: str = "") -> CauseRow:
    return CauseRow(frozenset(needs.split()), Hypothesis(identity, grade, *HYPOTHESES[identity]), frozenset(excludes.split()))


# Observations: `cause:…`, `family:…`, `status:502`, `status:5xx`, `addresses:all_bad|some_bad|all_good` (by the diagnostics),
# `control:ok|bad|resolver`, `system:ok|bad`, `second:ok|bad` and `zone:ok|bad` (resolvers), `other_port:ok|bad`, `again:ok|bad`
# (a second request), `head:ok`, `no_sni`, `siblings_address:down|up` and so on (host, address, certificate, network, tag),
# `change:addresses|certificate|…`, `self_signed`, `obsolete` (a version, signature or name that browsers refuse).
# The first rows are the most telling; a row with grade `high` decides alone, whatever a model would choose.
TABLE: tuple[CauseRow, ...] = (
    _row("control:bad", "own_link", "high"),
    _row("cause:probe.network", "own_link", "high", "control:bad"),
    _row("cause:probe.resolver", "own_resolver", "high"),
    _row("cause:probe.error", "own_fault", "high"),
    _row("control:resolver", "own_resolver", "high", "cause:probe.resolver"),
    # Names
    _row("family:dns system:bad zone:ok", "resolver_stale", "medium", "second:ok cause:dns.mismatch"),
    _row("family:dns zone:bad", "zone_servers", "high", "second:ok system:ok cause:dns.mismatch cause:dns.nxdomain"),
    _row("cause:dns.nxdomain second:bad", "zone_gone", "high"),
    _row("family:dns second:ok", "own_resolver", "high", "system:ok cause:dns.mismatch"),
    _row("family:dns system:ok", "dns_flaky", "medium", "cause:dns.mismatch"),
    _row("cause:dns.nxdomain", "name_missing", "medium", "second:bad second:ok system:ok"),
    _row("cause:dns.mismatch", "record_changed", "medium"),
    _row("family:dns", "dns_broken", "medium", "cause:dns.nxdomain cause:dns.mismatch second:ok system:ok"),
    # Connections
    _row("family:tcp siblings_address:down", "host_down", "high", "control:bad addresses:all_good addresses:some_bad"),
    _row("cause:timeout.connect siblings_address:down", "host_down", "high", "control:bad addresses:all_good addresses:some_bad"),
    _row("cause:timeout.connect siblings_network:down", "network_down", "medium",
         "control:bad siblings_address:down addresses:all_good addresses:some_bad"),
    _row("addresses:some_bad", "one_address", "high", "family:http family:content family:tls family:latency family:dns control:bad"),
    _row("cause:tcp.refused addresses:all_good", "restarted", "medium"),
    _row("cause:timeout.connect addresses:all_good", "saturated", "medium"),
    _row("cause:tcp.refused", "not_listening", "high", "addresses:some_bad addresses:all_good control:bad"),
    _row("cause:tcp.unreachable", "no_route", "medium", "control:bad"),
    _row("cause:timeout.connect other_port:ok", "port_filtered", "medium",
         "addresses:some_bad addresses:all_good control:bad siblings_address:down"),
    _row("cause:timeout.connect", "host_silent", "medium", "addresses:some_bad addresses:all_good control:bad"),
    _row("cause:tcp.reset", "resetting", "medium"),
    _row("cause:timeout.tls", "tls_stuck", "medium"),
    _row("cause:timeout.first_byte head:ok", "page_stuck", "medium"),
    _row("cause:timeout.first_byte", "app_stuck", "medium", "head:ok"),
    _row("cause:timeout.total", "app_slow", "medium"),
    # Certificates
    _row("cause:tls.handshake no_sni", "sni", "high"),
    _row("cause:tls.expired", "cert_expired", "high"),
    _row("cause:tls.not_yet_valid", "cert_early", "medium"),
    _row("family:tls obsolete", "tls_old", "high"),
    _row("cause:tls.hostname", "cert_wrong", "high", "obsolete"),
    _row("cause:tls.untrusted self_signed", "self_signed", "high", "obsolete"),
    _row("cause:tls.untrusted change:certificate", "cert_replaced", "high", "self_signed obsolete"),
    _row("cause:tls.untrusted", "chain", "medium", "change:certificate self_signed obsolete"),
    _row("cause:tls.handshake", "tls_setup", "medium", "obsolete"),
    _row("cause:tls.expiring", "renewal_stuck", "medium"),
    _row("cause:tls.weak", "tls_old", "high"),
    # Answers
    _row("family:http again:ok", "passing_http", "low", "cause:http.redirect cause:http.blocked status:gone status:auth"),
    _row("status:bad_gateway", "behind_proxy", "high"),
    _row("status:503", "overloaded", "medium"),
    _row("status:origin", "origin", "high"),
    _row("status:5xx", "app_error", "medium", "status:bad_gateway status:503 status:origin"),
    _row("status:auth", "access", "medium"),
    _row("status:429", "rate_limit", "high"),
    _row("status:gone", "moved", "medium"),
    _row("cause:http.status", "other_status", "low", "status:5xx status:auth status:429 status:gone"),
    _row("cause:http.redirect", "redirecting", "medium"),
    _row("cause:http.blocked", "blocked", "medium"),
    _row("family:http", "http_broken", "low", "cause:http.status cause:http.redirect cause:http.blocked"),
    _row("cause:content.tampered", "tampered", "medium"),
    _row("family:content", "content", "medium", "cause:content.tampered"),
    _row("family:latency", "slow", "medium"),
    # Other kinds of check
    _row("family:icmp", "path", "low", "control:bad"),
    _row("family:protocol", "protocol", "low"),
    _row("family:heartbeat", "job", "medium"),
    _row("family:domain", "registration", "medium"),
    _row("change:addresses", "moved_host", "low"),
)  # fmt: skip


def known_cause(identity: str) -> Pair | None:
    """The (French, English) words of a cause of the table, None for an id that it does not have."""
    return HYPOTHESES[identity][0] if identity in HYPOTHESES else None


def catalogue() -> dict[str, Pair]:
    """Every cause that the table knows, by id, in its order."""
    return {row.hypothesis.id: row.hypothesis.text for row in TABLE}
