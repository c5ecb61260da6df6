"""What failures have in common: tables of what is one alert and what is two, and properties over every cause."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core import correlation
from vigie.core.correlation import WINDOW_MS, Tie, TieKind
from vigie.core.model import Cause, Certificate, CheckResult, Monitor, Status, TlsFacts
from vigie.observation.place import Place, place_of, shared_by, ties, zone

MINUTE, HOUR = 60_000, 3_600_000
LEAF = Certificate("shop.example", "R11", 0, 1, "EC", "sha", sha256="aa" * 32)
SHOP = Place("shop.example", "192.0.2.7", 443, ("aa" * 32,))


def common(one: tuple[Cause, Place, int | None], other: tuple[Cause, Place, int | None]) -> set[TieKind]:
    """The kinds of tie that two failures have in common."""
    return {tie.kind for tie in set(ties(*one)) & set(ties(*other))}


ELSEWHERE = replace(SHOP, address="198.51.100.9", certificates=("bb" * 32,))
NEIGHBOUR = Place("blog.example", "192.0.2.7", 443, ("cc" * 32,))  # another site at the same address
IN_THE_RACK = Place("db.internal.test", "192.0.2.99", 5432)

TOGETHER = [
    # one dead server under many names
    (Cause.TIMEOUT_CONNECT, SHOP, None, Cause.TIMEOUT_CONNECT, NEIGHBOUR, None, TieKind.ADDRESS),
    (Cause.TIMEOUT_CONNECT, SHOP, None, Cause.ICMP_TIMEOUT, replace(NEIGHBOUR, port=None), None, TieKind.ADDRESS),
    (Cause.TCP_REFUSED, SHOP, None, Cause.TCP_REFUSED, replace(NEIGHBOUR, port=80), None, TieKind.ADDRESS),
    # it restarts: one port refuses, another is silent
    (Cause.TCP_REFUSED, SHOP, None, Cause.TIMEOUT_CONNECT, NEIGHBOUR, None, TieKind.MACHINE),
    (Cause.TCP_REFUSED, SHOP, None, Cause.TCP_REFUSED, replace(NEIGHBOUR, port=5432), None, TieKind.MACHINE),
    # one name at several addresses
    (Cause.TCP_REFUSED, SHOP, None, Cause.TCP_REFUSED, ELSEWHERE, None, TieKind.HOST),
    # a switch
    (Cause.TIMEOUT_CONNECT, SHOP, None, Cause.TCP_UNREACHABLE, IN_THE_RACK, None, TieKind.NETWORK),
    # one certificate for many names
    (Cause.TLS_EXPIRED, SHOP, None, Cause.TLS_EXPIRED, replace(NEIGHBOUR, certificates=SHOP.certificates), None, TieKind.CERTIFICATE),
    (Cause.TLS_HANDSHAKE, SHOP, None, Cause.TIMEOUT_TLS, NEIGHBOUR, None, TieKind.ADDRESS),
    # a zone, and a DNS server
    (Cause.DNS_NXDOMAIN, SHOP, None, Cause.DNS_NO_ANSWER, Place("api.shop.example"), None, TieKind.ZONE),
    (
        Cause.DNS_TIMEOUT,
        Place("a.test", server="9.9.9.9"),
        None,
        Cause.DNS_REFUSED,
        Place("b.org", server="9.9.9.9"),
        None,
        TieKind.RESOLVER,
    ),
    # a proxy whose servers are gone, and pages of one host that say the same
    (Cause.HTTP_STATUS, SHOP, 502, Cause.HTTP_STATUS, NEIGHBOUR, 504, TieKind.UPSTREAM),
    (Cause.HTTP_STATUS, SHOP, 500, Cause.HTTP_STATUS, ELSEWHERE, 500, TieKind.HOST),
    (Cause.TIMEOUT_FIRST_BYTE, SHOP, None, Cause.TIMEOUT_FIRST_BYTE, NEIGHBOUR, None, TieKind.UPSTREAM),
    (Cause.CONTENT_MISSING, SHOP, 200, Cause.CONTENT_MISSING, ELSEWHERE, 200, TieKind.HOST),
]


@pytest.mark.parametrize(("cause", "place", "status", "other_cause", "other", "other_status", "kind"), TOGETHER)
def test_failures_with_one_observed_reason_have_a_tie(
    cause: Cause, place: Place, status: int | None, other_cause: Cause, other: Place, other_status: int | None, kind: TieKind
) -> None:
    assert kind in common((cause, place, status), (other_cause, other, other_status))


APART = [
    # one host, two reasons
    (Cause.TCP_REFUSED, SHOP, None, Cause.TLS_EXPIRED, SHOP, None),
    (Cause.HTTP_STATUS, SHOP, 500, Cause.HTTP_STATUS, SHOP, 404),
    (Cause.HTTP_STATUS, SHOP, 500, Cause.CONTENT_MISSING, SHOP, 200),
    (Cause.CONTENT_MISSING, SHOP, 200, Cause.CONTENT_JSON, SHOP, 200),
    (Cause.DNS_NXDOMAIN, SHOP, None, Cause.TIMEOUT_CONNECT, SHOP, None),
    # one address for many sites: one of them is broken by itself
    (Cause.HTTP_STATUS, SHOP, 500, Cause.HTTP_STATUS, NEIGHBOUR, 500),
    (Cause.CONTENT_MISSING, SHOP, 200, Cause.CONTENT_MISSING, NEIGHBOUR, 200),
    (Cause.TLS_EXPIRED, SHOP, None, Cause.TLS_EXPIRED, NEIGHBOUR, None),
    # one host, two programs
    (Cause.PROTOCOL_MISMATCH, replace(SHOP, port=6379), None, Cause.PROTOCOL_MISMATCH, replace(SHOP, port=25), None),
    # machines of strangers
    (Cause.TCP_REFUSED, SHOP, None, Cause.TCP_REFUSED, IN_THE_RACK, None),
    (Cause.DNS_NXDOMAIN, Place("a.co.uk"), None, Cause.DNS_NXDOMAIN, Place("b.co.uk"), None),
    (Cause.DNS_SERVFAIL, Place("a.test", server="9.9.9.9"), None, Cause.DNS_SERVFAIL, Place("b.org", server="9.9.9.9"), None),
    # jobs, and what runs out
    (Cause.HEARTBEAT_MISSED, SHOP, None, Cause.HEARTBEAT_MISSED, SHOP, None),
    (Cause.TLS_EXPIRING, SHOP, None, Cause.TLS_EXPIRING, SHOP, None),
    (Cause.DOMAIN_EXPIRING, SHOP, None, Cause.DOMAIN_EXPIRING, SHOP, None),
]


@pytest.mark.parametrize(("cause", "place", "status", "other_cause", "other", "other_status"), APART)
def test_failures_for_unrelated_reasons_have_none(
    cause: Cause, place: Place, status: int | None, other_cause: Cause, other: Place, other_status: int | None
) -> None:
    assert not common((cause, place, status), (other_cause, other, other_status))


def monitor(host: str, port: int | None = 443, kind: str = "http", target: str = "") -> Monitor:
    return Monitor("m", "m", kind, target or f"https://{host}/", host, 60_000, 10_000, port=port)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "app.localhost", "127.8.8.8", "LOCALHOST."])
def test_on_this_machine_a_place_is_an_address_and_a_port(host: str) -> None:
    one, other = (place_of(monitor(host, port), CheckResult("m", 1, Status.DOWN, address="127.0.0.1")) for port in (8080, 9090))
    for cause in (Cause.TCP_REFUSED, Cause.TIMEOUT_CONNECT, Cause.HTTP_STATUS):
        assert not set(ties(cause, one, 500)) & set(ties(cause, other, 500))
        assert set(ties(cause, one, 500)) == set(
            ties(cause, place_of(monitor(host, 8080), CheckResult("m", 1, Status.UP, address="127.0.0.1")), 500)
        )


def test_what_a_check_did_not_get_to_see_is_as_it_was() -> None:
    shop = monitor("shop.example")
    tls = TlsFacts("TLSv1.3", chain=(LEAF, replace(LEAF, sha256="dd" * 32)))
    seen = place_of(shop, CheckResult("m", 1, Status.UP, address="192.0.2.7", tls=tls))
    assert seen == SHOP
    assert place_of(shop, CheckResult("m", 2, Status.DOWN, Cause.DNS_TIMEOUT), seen) is seen
    limited = replace(tls, limit=replace(LEAF, sha256="ee" * 32))
    assert place_of(shop, CheckResult("m", 3, Status.UP, tls=limited), seen).certificates == ("aa" * 32, "ee" * 32)
    moved = place_of(shop, CheckResult("m", 4, Status.DOWN, address="203.0.113.5", host="login.example"), seen)
    assert (moved.host, moved.address) == ("login.example", "203.0.113.5")


def test_a_dns_server_is_one_only_where_it_is_set() -> None:
    assert place_of(monitor("a.test", None, "dns", "dns://9.9.9.9/a.test?type=A"), None).server == "9.9.9.9"
    assert place_of(monitor("a.test", None, "dns", "dns://a.test?type=A"), None).server == ""


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("example.com", "example.com"), ("a.b.example.com", "example.com"), ("shop.example.co.uk", "example.co.uk"),
        ("impots.gouv.fr", "impots.gouv.fr"), ("localhost", ""), ("192.0.2.7", ""), ("2001:db8::1", ""), ("", ""), ("a..b", ""),
    ],
)  # fmt: skip
def test_the_zone_of_a_name(host: str, expected: str) -> None:
    assert zone(host) == expected


def test_the_network_of_an_address() -> None:
    assert Place(address="192.0.2.7").network == "192.0.2.0/24"
    assert Place(address="2001:db8:1:2::3").network == "2001:db8:1::/48"
    assert Place(address="127.0.0.1:80").network == Place(address="127.0.0.1").network == Place().network == ""


PLACES = st.builds(
    Place,
    st.sampled_from(["", "shop.example", "api.shop.example", "localhost:80", "192.0.2.7"]),
    st.sampled_from(["", "192.0.2.7", "192.0.2.8", "2001:db8::1", "127.0.0.1:80"]),
    st.sampled_from([None, 80, 443, 5432]),
    st.sampled_from([(), ("aa",), ("aa", "bb")]),
    st.sampled_from(["", "9.9.9.9"]),
)
CAUSES, STATUSES = st.sampled_from(list(Cause)), st.sampled_from([None, 200, 404, 500, 502, 503, 522])


@given(CAUSES, PLACES, STATUSES)
def test_ties_are_few_full_and_in_one_order(cause: Cause, place: Place, status: int | None) -> None:
    found = ties(cause, place, status)
    assert len(found) == len(set(found)) <= 6
    assert all(one.value for one in found)
    assert [one.kind for one in found] == sorted([one.kind for one in found], key=list(TieKind).index)
    assert {shared_by(one) for one in found} <= set(place.keys())


@given(CAUSES, CAUSES, PLACES, PLACES, STATUSES)
def test_a_connection_that_fails_has_nothing_in_common_with_what_is_answered(
    cause: Cause, other: Cause, place: Place, elsewhere: Place, status: int | None
) -> None:
    """Law 1, over all pairs of causes."""
    groups = [cause.partition(".")[0], other.partition(".")[0]]
    if set(ties(cause, place, status)) & set(ties(other, elsewhere, status)):
        family = {"tcp": "connect", "icmp": "connect", "timeout": "timeout"}
        one, two = (family.get(group, group) for group in groups)
        assert one == two or {one, two} <= {"connect", "timeout"} or {one, two} == {"timeout", "tls"}


@given(st.sampled_from(list(TieKind)), st.integers(0, 3 * HOUR))
def test_a_tie_holds_for_as_long_as_its_kind(kind: TieKind, passed: int) -> None:
    window = WINDOW_MS[kind]
    assert Tie(kind, "x").holds(passed, 0) == (window is None or passed <= window)
    assert Tie(kind, "x").holds(0, passed)  # a clock that was set back


def test_an_obstacle_is_one_but_for_its_numbers() -> None:
    assert (
        correlation.obstacle("no memory (12 MB left)") == correlation.obstacle("no memory (7 MB left)") != correlation.obstacle("no disk")
    )
