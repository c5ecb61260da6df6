"""The DNS probe against name servers on loopback: answers, aliases, cut and wrong messages, a zone's own servers, signatures."""

import asyncio
import os
import random
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone
import pytest
from tests.probes._dns_zone import NameServer, serving, signed, wire, zone
from tests.probes._fuzz import in_time, seeds

from vigie.config import one_monitor
from vigie.core.model import Cause, CheckResult, Status
from vigie.errors import ConfigError
from vigie.probes import dns as probe
from vigie.probes.dns.query import Question, read
from vigie.probes.kit.deps import ProbeDeps, configured

Deps = Callable[[], ProbeDeps]
SHOP = """
@      60 IN A 192.0.2.1
@      60 IN A 192.0.2.2
@      60 IN AAAA 2001:db8::1
@      60 IN MX 10 Mx1.shop.test.
@      60 IN TXT "v=spf1 " "-all"
@      60 IN TXT "site=42"
@      60 IN CAA 0 issue "ca.test"
@      60 IN HTTPS 1 . alpn="h2"
www    30 IN CNAME @
far    60 IN CNAME www.elsewhere.test.
round  60 IN CNAME about
about  60 IN CNAME round
lost   60 IN CNAME nothing
_sip._tcp 60 IN SRV 0 5 5060 sip
host   60 IN TXT "only text"
"""
REVERSE = "1 60 IN PTR shop.test.\n"


async def look(deps: ProbeDeps, server: NameServer | None, timeout: int = 5_000, port: int = 53, **keys: Any) -> CheckResult:
    resolver = {} if server is None else {"resolver": server.address}
    config = configured(probe.Config, {"name": "shop.test", **resolver, **keys})
    return await probe.DnsProbe(config, deps, port).check(timeout)


@pytest.fixture
def deps(make_deps: Deps) -> ProbeDeps:
    return make_deps()


def shop() -> NameServer:
    return NameServer([zone("shop.test", SHOP), zone("2.0.192.in-addr.arpa", REVERSE)])


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"expect": {"answers": ["192.0.2.2", "192.0.2.1"]}},
        {"expect": {"contains": ["192.0.2.1"], "min_count": 2}},
        {"record": "aaaa", "expect": {"answers": ["2001:0db8:0:0::1"]}},
        {"record": "MX", "expect": {"answers": ["10 mx1.SHOP.test"]}},
        {"record": "TXT", "expect": {"contains": ["v=spf1 -all"]}},
        {"record": "TXT", "expect": {"contains": ['"v=spf1 -all"', "site=42"], "regex": "^site=\\d+$"}},
        {"record": "CAA", "expect": {"answers": ['0 issue "ca.test"']}},
        {"record": "HTTPS", "expect": {"regex": "h2"}},
        {"record": "SOA"},
        {"record": "NS", "expect": {"answers": ["ns1.shop.test."]}},
        {"name": "www.shop.test", "expect": {"answers": ["192.0.2.1", "192.0.2.2"]}},
        {"name": "WWW.Shop.test.", "record": "CNAME", "expect": {"answers": ["shop.test"]}},
        {"name": "_sip._tcp.shop.test", "record": "SRV", "expect": {"answers": ["0 5 5060 sip.shop.test"]}},
        {"name": "192.0.2.1", "record": "PTR", "expect": {"answers": ["shop.test"]}},
        {"name": "nothing.shop.test", "expect": {"rcode": "nxdomain"}},
        {"name": "host.shop.test", "expect": {"min_count": 0}},
    ],
)
async def test_an_answer_as_expected_is_up(deps: ProbeDeps, keys: dict[str, Any]) -> None:
    server = shop()
    async with serving(server):
        result = await look(deps, server, **keys)

    assert result.status is Status.UP, result
    assert result.timings.dns is not None
    assert result.figures["server"] == server.address


@pytest.mark.parametrize(
    ("keys", "cause", "words"),
    [
        ({"name": "nothing.shop.test"}, Cause.DNS_NXDOMAIN, "the name nothing.shop.test does not exist (NXDOMAIN)"),
        ({"name": "lost.shop.test"}, Cause.DNS_NXDOMAIN, "does not exist"),
        ({"name": "host.shop.test"}, Cause.DNS_NO_ANSWER, "host.shop.test has no A record"),
        ({"name": "round.shop.test"}, Cause.DNS_NO_ANSWER, "the aliases of round.shop.test form a loop"),
        ({"name": "elsewhere.test"}, Cause.DNS_REFUSED, "the server answers REFUSED for elsewhere.test A"),
        ({"expect": {"answers": ["192.0.2.1"]}}, Cause.DNS_MISMATCH, "192.0.2.2 is not expected (got 192.0.2.1, 192.0.2.2)"),
        ({"expect": {"answers": ["192.0.2.1", "192.0.2.2", "192.0.2.9"]}}, Cause.DNS_MISMATCH, "192.0.2.9 is missing"),
        ({"expect": {"contains": ["192.0.2.9"]}}, Cause.DNS_MISMATCH, "192.0.2.9 is missing"),
        ({"expect": {"min_count": 3}}, Cause.DNS_MISMATCH, "2 records, expected at least 3"),
        ({"record": "TXT", "expect": {"regex": "^v=DMARC1"}}, Cause.DNS_MISMATCH, "no record matches '^v=DMARC1'"),
        ({"expect": {"rcode": "NXDOMAIN"}}, Cause.DNS_MISMATCH, "the answer is NOERROR, expected NXDOMAIN"),
        ({"name": "nothing.shop.test", "expect": {"rcode": "REFUSED"}}, Cause.DNS_MISMATCH, "the answer is NXDOMAIN, expected REFUSED"),
    ],
)
async def test_another_answer_is_down_with_its_cause(deps: ProbeDeps, keys: dict[str, Any], cause: Cause, words: str) -> None:
    server = shop()
    async with serving(server):
        result = await look(deps, server, **keys)

    assert (result.status, result.cause) == (Status.DOWN, cause), result
    assert words in result.message


@pytest.mark.parametrize(
    ("code", "cause"), [("SERVFAIL", Cause.DNS_SERVFAIL), ("NOTIMP", Cause.DNS_REFUSED), ("YXDOMAIN", Cause.DNS_SERVFAIL)]
)
async def test_other_answer_codes_have_their_causes(deps: ProbeDeps, code: str, cause: Cause) -> None:
    def change(_: dns.message.Message, answer: dns.message.Message, by: str) -> bytes:
        answer.set_rcode(dns.rcode.from_text(code))
        return wire(answer, by)

    server = shop()
    server.change = change
    async with serving(server):
        assert (await look(deps, server)).cause is cause


async def test_a_cut_answer_is_fetched_over_tcp(deps: ProbeDeps) -> None:
    many = "".join(f'big 60 IN TXT "{number:0200d}"\n' for number in range(40))
    server = NameServer([zone("shop.test", many)])
    async with serving(server):
        result = await look(deps, server, name="big.shop.test", record="TXT", expect={"min_count": 40})

    assert result.status is Status.UP, result
    assert [by for _, _, by in server.asked] == ["udp", "tcp"]


async def test_a_server_from_before_edns_is_understood(deps: ProbeDeps) -> None:
    def change(query: dns.message.Message, answer: dns.message.Message, by: str) -> bytes:
        return b"".join((query.id.to_bytes(2), b"\x81\x81", bytes(8))) if query.edns >= 0 else wire(answer, by)

    server = shop()
    server.change = change
    async with serving(server):
        assert (await look(deps, server)).status is Status.UP


async def test_nobody_and_silence_and_nonsense(deps: ProbeDeps) -> None:
    silent, babbling, other = shop(), shop(), shop()
    silent.change = lambda *_: None
    babbling.change = lambda *_: b"\x00garbage"
    other.change = lambda _, answer, by: b"\0\0" + wire(answer, by)[2:]
    async with serving(silent), serving(babbling), serving(other):
        silence = await in_time(look(deps, silent, timeout=300), 300)
        nonsense, strange = await asyncio.gather(look(deps, babbling, timeout=900), look(deps, other, timeout=900))
    nobody = await look(deps, silent)

    assert (silence.status, silence.cause) == (Status.DOWN, Cause.DNS_TIMEOUT)
    assert "within 0.3 s" in silence.message
    assert nonsense.cause is Cause.DNS_SERVFAIL
    assert strange.cause is Cause.DNS_SERVFAIL
    assert "an answer to another question" in strange.message
    assert (nobody.status, nobody.cause) == (Status.DOWN, Cause.DNS_REFUSED)


async def test_an_early_forgery_does_not_hide_the_answer(deps: ProbeDeps) -> None:
    server = shop()
    forged = []

    def change(_: dns.message.Message, answer: dns.message.Message, by: str) -> bytes:
        forged.append(1)
        return b"\0\0" + wire(answer, by)[2:] if len(forged) == 1 else wire(answer, by)

    server.change = change
    async with serving(server):
        result = await look(deps, server, timeout=3_000)

    assert result.status is Status.UP  # asked again after a second


async def test_slow_is_degraded(deps: ProbeDeps) -> None:
    server = shop()
    async with serving(server):
        slow = await look(deps, server, latency=0)
        fast = await look(deps, server, latency=1_900)

    assert (slow.status, slow.cause) == (Status.DEGRADED, Cause.LATENCY_THRESHOLD)
    assert fast.status is Status.UP


async def test_the_resolver_of_this_machine(deps: ProbeDeps, monkeypatch: pytest.MonkeyPatch) -> None:
    from vigie.probes.dns import query

    dead, alive = shop(), shop()
    async with serving(alive):
        dead.port = 1
        servers = [query.Server("127.0.0.1", one.port, own=True) for one in (dead, alive)]
        monkeypatch.setattr(query, "system_servers", lambda: servers)
        both = await look(deps, None)
        monkeypatch.setattr(query, "system_servers", lambda: servers[:1])
        gone = await look(deps, None)
        monkeypatch.setattr(query, "system_servers", list)
        none = await look(deps, None)

    assert (both.status, both.figures["server"]) == (Status.UP, alive.address)
    assert [(one.status, one.cause) for one in (gone, none)] == [(Status.UNKNOWN, Cause.PROBE_RESOLVER)] * 2


# A zone's own servers. Their addresses are all of 127.0.0.0/8, which only Linux has without being told.
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs 127.0.0.2 and so on")
HEAD = "@ 60 IN SOA ns1 hostmaster {serial} 3600 600 86400 60\n" + "".join(
    f"@ 60 IN NS ns{number}\nns{number} 60 IN A 127.0.0.{number + 1}\n" for number in (1, 2, 3)
)


def house(*zones: dns.zone.Zone) -> list[NameServer]:
    """A resolver, and three servers of the zone."""
    resolver = NameServer([zones[0]])
    return [resolver, *(NameServer([one], host=f"127.0.0.{number}") for number, one in enumerate(zones, 2))]


def same(text: str = SHOP, serial: int = 7) -> dns.zone.Zone:
    return zone("shop.test", text, serial=serial, head=HEAD)


async def compare(deps: ProbeDeps, servers: list[NameServer], **keys: Any) -> CheckResult:
    async with serving(*servers):
        return await look(deps, servers[0], port=servers[0].port, authoritative=True, **keys)


@linux
async def test_servers_that_agree_are_up(deps: ProbeDeps) -> None:
    servers = house(same(), same(), same())
    result = await compare(deps, servers, name="www.shop.test")

    assert result.status is Status.UP, result
    assert result.message.endswith("as from the zone's 3 servers")
    assert result.figures["servers"] == 3
    assert all(("www.shop.test", "A", "udp") in one.asked for one in servers[1:])


@linux
async def test_an_older_serial_is_degraded_unless_it_does_not_matter(deps: ProbeDeps) -> None:
    result = await compare(deps, house(same(), same(), same(serial=6)))
    let_go = await compare(deps, house(same(), same(), same(serial=6)), serials=False)
    around = await compare(deps, house(same(serial=3), same(serial=3), same(serial=2**32 - 5)))

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.DNS_MISMATCH)
    assert result.message == "1 of the zone's 3 servers: ns3.shop.test (127.0.0.4:" + result.message.partition("127.0.0.4:")[2]
    assert result.message.endswith("its serial is 6, not 7")
    assert (result.figures["server"], result.figures["differing"], result.figures["serial"]) == ("ns3.shop.test", 1, 7)
    assert let_go.status is Status.UP
    assert around.figures["serial"] == 3  # serials go round


@linux
async def test_another_answer_is_degraded_unless_it_is_expected(deps: ProbeDeps) -> None:
    other = SHOP.replace("192.0.2.2", "192.0.2.99")
    alone = await compare(deps, house(same(), same(other), same()))
    expected = await compare(deps, house(same(), same(other), same()), expect={"contains": ["192.0.2.1"]})
    failing = await compare(deps, house(same(), same(other), same()), expect={"contains": ["192.0.2.2"]})

    assert (alone.status, alone.figures["server"]) == (Status.DEGRADED, "ns2.shop.test")
    assert "it answers A 192.0.2.1, A 192.0.2.99, unlike the others" in alone.message
    assert expected.status is Status.UP
    assert "192.0.2.2 is missing" in failing.message


@linux
async def test_an_alias_that_leads_elsewhere_is_no_fault_of_the_servers(deps: ProbeDeps) -> None:
    servers = house(same(), same(), same())
    servers[0].zones.append(zone("elsewhere.test", "www 60 IN A 192.0.2.77\n"))
    result = await compare(deps, servers, name="far.shop.test", expect={"answers": ["192.0.2.77"]})

    assert result.status is Status.UP, result


@linux
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("silent", "no answer for shop.test"),
        ("refusing", "it answers REFUSED"),
        ("lame", "it is not authoritative for the zone"),
        ("gone", "no DNS server listens at 127.0.0.3"),
    ],
)
async def test_a_lame_server_is_named(deps: ProbeDeps, fault: str, words: str) -> None:
    servers = house(same(), same(), same())
    two = servers[2]
    if fault == "silent":
        two.change = lambda *_: None
    elif fault == "refusing":
        two.zones = []
    elif fault == "lame":
        two.lame = True
    else:
        del servers[2]
    result = await compare(deps, servers, timeout=900)

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.DNS_MISMATCH), result
    assert result.message.startswith("1 of the zone's 3 servers: ns2.shop.test (127.0.0.3")
    assert words in result.message
    assert result.timings.total is not None
    assert result.timings.total < 900 + 1_000


@linux
async def test_a_zone_that_no_server_serves_is_down(deps: ProbeDeps) -> None:
    servers = house(same(), same(), same())
    for one in servers[1:]:
        one.zones = []
    result = await compare(deps, servers)

    assert (result.status, result.cause) == (Status.DOWN, Cause.DNS_REFUSED)
    assert result.message.startswith("none of the zone's 3 servers is authoritative for it: ns1.shop.test")


@linux
async def test_a_server_whose_name_gives_no_address_is_named(deps: ProbeDeps) -> None:
    head = HEAD.replace("NS ns3\n", "NS nowhere\n")
    zones = [zone("shop.test", SHOP, serial=7, head=head) for _ in range(3)]
    result = await compare(deps, house(*zones))

    assert result.status is Status.DEGRADED
    assert "nowhere.shop.test (no address): its name does not resolve (dns.nxdomain)" in result.message


# Signatures.


async def secure(deps: ProbeDeps, *zones: dns.zone.Zone, anchors: list[str], name: str = "shop.test", **keys: Any) -> CheckResult:
    server = NameServer(list(zones))
    if change := keys.pop("change", None):
        server.change = change
    async with serving(server):
        return await look(deps, server, name=name, dnssec=True, trust_anchors=anchors, **keys)


async def test_signed_from_an_anchor_down(deps: ProbeDeps) -> None:
    child = signed("shop.test", SHOP)
    parent = signed("test", f"shop 60 IN NS ns1.shop\nshop 60 IN DS {child.ds()}\nshop 60 IN DS {child.ds(digest='SHA384')}\n")
    root = signed("", f"test. 60 IN NS ns1.test.\ntest. 60 IN DS {parent.ds()}\n", head=HEAD.replace("ns", "ns.x"))
    for anchor in (root.anchor, parent.anchor, child.anchor):
        result = await secure(deps, root.zone, child.zone, parent.zone, anchors=[anchor], name="www.shop.test")
        assert result.status is Status.UP, result
        assert (result.figures["dnssec"], result.figures["signed_hours"]) == ("secure", 24)
        assert "validly signed" in result.message


async def test_a_denial_is_signed_too(deps: ProbeDeps) -> None:
    child = signed("shop.test", SHOP)
    expect = {"rcode": "NXDOMAIN"}
    good = await secure(deps, child.zone, anchors=[child.anchor], name="nothing.shop.test", expect=expect)
    plain = await secure(deps, zone("shop.test"), anchors=[child.anchor], name="nothing.shop.test", expect=expect)

    assert good.status is Status.UP, good
    assert (plain.cause, plain.figures["dnssec_fault"]) == (Cause.DNS_MISMATCH, "unsigned")


async def test_what_is_not_validly_signed_is_a_mismatch_that_says_why(deps: ProbeDeps) -> None:
    def altered(_: dns.message.Message, answer: dns.message.Message, by: str) -> bytes:
        for rrset in list(answer.answer):
            if rrset.rdtype == dns.rdatatype.A:
                answer.answer.remove(rrset)
                answer.answer.append(dns.rrset.from_text("shop.test.", 60, "IN", "A", "203.0.113.66"))
        return wire(answer, by)

    def stripped(_: dns.message.Message, answer: dns.message.Message, by: str) -> bytes:
        answer.answer = [one for one in answer.answer if one.rdtype != dns.rdatatype.RRSIG]
        return wire(answer, by)

    child, other = signed("shop.test", SHOP), signed("shop.test", SHOP)
    past, future = signed("shop.test", SHOP, ends=-7_200), signed("shop.test", SHOP, begins=3_600)
    parent = signed("test", f"shop 60 IN NS ns1.shop\nshop 60 IN DS {other.ds()}\n")
    island = signed("test", "shop 60 IN NS ns1.shop\n")
    cases: list[tuple[str, str, CheckResult]] = [
        ("bogus", "no signature of shop.test A is valid", await secure(deps, child.zone, anchors=[child.anchor], change=altered)),
        ("unsigned", "carries no signature", await secure(deps, child.zone, anchors=[child.anchor], change=stripped)),
        ("unsigned", "carries no signature", await secure(deps, zone("shop.test", SHOP), anchors=[child.anchor])),
        ("expired", "expired 2 hours ago", await secure(deps, past.zone, anchors=[past.anchor])),
        ("not_yet_valid", "is not valid yet", await secure(deps, future.zone, anchors=[future.anchor])),
        ("bogus", "matches the DS record at its parent", await secure(deps, child.zone, parent.zone, anchors=[parent.anchor])),
        ("unsigned", "its parent has no DS record for it", await secure(deps, child.zone, island.zone, anchors=[island.anchor])),
        ("bogus", "matches the DS record at its parent", await secure(deps, child.zone, anchors=[other.anchor])),
    ]
    for state, words, result in cases:
        assert (result.status, result.cause, result.figures["dnssec_fault"]) == (Status.DOWN, Cause.DNS_MISMATCH, state), result
        assert words in result.message


async def test_a_zone_with_signatures_without_end_does_not_keep_us_busy(deps: ProbeDeps) -> None:
    """Many signatures that do not hold, by a key of which each takes long (CVE-2023-50387)."""
    child = signed("shop.test", SHOP)
    good = child.zone.find_rdataset("shop.test.", "RRSIG", covers="A")[0]

    def flood(_: dns.message.Message, answer: dns.message.Message, by: str) -> bytes:
        for rrset in answer.answer:
            if rrset.rdtype == dns.rdatatype.RRSIG and rrset.covers == dns.rdatatype.A:
                rrset.clear()  # type: ignore[no-untyped-call]
                for number in range(100):
                    rrset.add(good.replace(signature=number.to_bytes(64)))
        return wire(answer, by)

    before = time.process_time()
    result = await secure(deps, child.zone, anchors=[child.anchor], change=flood, timeout=20_000)

    assert (result.cause, result.figures["dnssec_fault"]) == (Cause.DNS_MISMATCH, "bogus")
    assert "more invalid signatures" in result.message
    assert time.process_time() - before < 2  # of our own work, whatever else the machine does


async def test_hostile_messages_cost_little(stopwatch: Callable[[], float]) -> None:
    question = Question(dns.name.from_text("a.test"), dns.rdatatype.NS)
    head = struct.pack("!HHHHHH", 1, 0x8180, 1, 500, 0, 0)
    long = b"".join(b"\x01a" for _ in range(120)) + b"\0"
    asked = (question.name.to_wire() or b"") + struct.pack("!HH", 2, 1)
    at = len(head) + len(asked)
    record = struct.pack("!HHIH", 2, 1, 60, 2 + 2 + 1)
    chained = asked + long + record + b"\x02ab\xc0" + bytes([at]) + (b"\xc0" + bytes([at]) + record + b"\x02xy\xc0" + bytes([at])) * 499
    for wire_ in (head + chained, head[:6] + b"\xff\xff" + head[8:] + chained):
        with pytest.raises(ValueError):
            read(wire_, question)
    assert stopwatch() < 1


@pytest.mark.parametrize("seed", seeds(40))
async def test_whatever_comes_is_read_or_refused(seed: int) -> None:
    """Random bytes, random cuts and random flips of a good answer."""
    chance = random.Random(seed)
    query = dns.message.make_query("shop.test", "MX")
    answer = wire(shop().answer(query), "tcp")
    question = Question(dns.name.from_text("shop.test"), dns.rdatatype.MX)
    for _ in range(50):
        bad = bytearray(chance.choice((answer, chance.randbytes(chance.randrange(200)), answer[: chance.randrange(len(answer))])))
        for _ in range(chance.randrange(6)):
            if bad:
                bad[chance.randrange(len(bad))] = chance.randrange(256)
        try:
            reply = read(bytes(bad), question)
        except ValueError:
            continue
        assert len(reply.answers) <= 512


async def test_a_flood_ends_at_the_deadline(deps: ProbeDeps) -> None:
    loop = asyncio.get_running_loop()

    class Flood(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            for _ in range(2_000):
                self.transport.sendto(os.urandom(60), addr)

    transport, _ = await loop.create_datagram_endpoint(Flood, local_addr=("127.0.0.1", 0))
    server = NameServer([], port=transport.get_extra_info("sockname")[1])
    result = await in_time(look(deps, server, timeout=300), 300)
    transport.close()

    assert result.cause is Cause.DNS_SERVFAIL


def test_a_url_stands_for_a_monitor() -> None:
    plain = one_monitor({"url": "dns://shop.test"})
    asked = one_monitor({"url": "dns://9.9.9.9/shop.test?type=mx", "expect": {"min_count": 2}})
    back = one_monitor({"url": "dns://[2001:db8::1]?type=PTR"})
    assert (back.monitor.target, back.config.reveal().lookup) == ("dns://[2001:db8::1]?type=PTR", "2001:db8::1")
    six = one_monitor({"url": "dns://[::1]:5353/_dmarc.shop.test?type=TXT&dnssec=true"})

    assert (plain.monitor.kind, plain.monitor.target, plain.monitor.host) == ("dns", "dns://shop.test?type=A", "shop.test")
    assert (asked.monitor.target, asked.config.reveal().resolver, asked.config.reveal().expect.min_count) == (
        "dns://9.9.9.9/shop.test?type=MX",
        "9.9.9.9:53",
        2,
    )
    assert (six.monitor.target, six.config.reveal().dnssec) == ("dns://[::1]:5353/_dmarc.shop.test?type=TXT", True)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "dns://shop.test:53"}, "names a server but no name to look up"),
        ({"url": "dns://dns.test/shop.test"}, "is not a resolver address"),
        ({"type": "dns", "name": "a..b"}, "'a..b' is not a name"),
        ({"type": "dns", "name": "a.test", "record": "WHAT"}, "is not a record type"),
        ({"type": "dns", "name": "a.test", "record": "ANY"}, "cannot be watched"),
        ({"type": "dns", "name": "a.test", "expect": {"rcode": "FINE"}}, "is not a DNS response code"),
        ({"type": "dns", "name": "a.test", "expect": {"answers": ["no address"]}}, "'no address' is not a valid A record"),
        ({"type": "dns", "name": "a.test", "expect": {"regex": "("}}, "is not a regular expression"),
        ({"type": "dns", "name": "a.test", "trust_anchors": ["a.test 12345"]}, "is not a trust anchor"),
    ],
)
def test_what_cannot_be_read_is_said(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        one_monitor(values)

    assert words in str(raised.value)
