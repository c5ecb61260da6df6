"""Names against a real name server on loopback: every cause told apart, answers kept for their time, nobody kept waiting."""

import asyncio
import socket
import time
from typing import Any

import pytest

from vigie.core.model import Cause
from vigie.net import Answer, Resolver, split_server
from vigie.net import resolver as module
from vigie.testing.dns_server import EMPTY, NXDOMAIN, REFUSED, SERVFAIL, SILENT, DnsServer, Says

from .conftest import Hands

V4, V6 = Says("A 127.0.0.1"), Says("AAAA ::1")
BOTH = Says("A 127.0.0.1", "A 127.0.0.2", "AAAA ::1")


async def ask(says: Says | dict[str, Says], name: str = "shop.test", wait_ms: int = 2_000, **options: Any) -> Answer:
    """What a new resolver finds for a name of which the server says this."""
    resolver = Resolver()
    try:
        async with DnsServer(says if isinstance(says, dict) else {name: says}) as server:
            return await resolver.resolve(name, timeout_ms=wait_ms, server=server.address, **options)
    finally:
        resolver.close()


CAUSES: list[tuple[str, Says | dict[str, Says], Cause | None]] = [
    ("has an address", V4, None),
    ("does not exist", NXDOMAIN, Cause.DNS_NXDOMAIN),
    ("is an alias of nothing", Says("CNAME nowhere.test"), Cause.DNS_NXDOMAIN),
    ("cannot be found by the server", SERVFAIL, Cause.DNS_SERVFAIL),
    ("is refused", REFUSED, Cause.DNS_REFUSED),
    ("is not served", Says(rcode="NOTIMP"), Cause.DNS_REFUSED),
    ("is not understood", Says(rcode="FORMERR"), Cause.DNS_SERVFAIL),
    ("is answered with garbage", Says(garbage=b"\x01\x02\x03 no dns at all"), Cause.DNS_SERVFAIL),
    ("has no address", EMPTY, Cause.DNS_NO_ANSWER),
    ("has only a mail server", Says("MX 10 mail.test"), Cause.DNS_NO_ANSWER),
    ("is an alias of itself", Says("CNAME shop.test"), Cause.DNS_NO_ANSWER),
    ("is an alias of what has no address", {"shop.test": Says("CNAME bare.test"), "bare.test": EMPTY}, Cause.DNS_NO_ANSWER),
    ("is an alias in a circle", {"shop.test": Says("CNAME b.test"), "b.test": Says("CNAME shop.test")}, Cause.DNS_NO_ANSWER),
    ("is an alias of what fails", {"shop.test": Says("CNAME b.test"), "b.test": SERVFAIL}, Cause.DNS_SERVFAIL),
    ("is an alias of a good name", {"shop.test": Says("CNAME b.test"), "b.test": V4}, None),
    ("has too many addresses for a datagram", Says(*[f"A 127.0.0.{n}" for n in range(1, 201)]), None),
    ("is truncated", Says("A 127.0.0.1", truncated=True), None),
    ("is truncated and then fails", Says(truncated=True, rcode="SERVFAIL"), Cause.DNS_SERVFAIL),
    ("is answered late but in time", Says("A 127.0.0.1", slow_s=0.1), None),
    ("fails in one family, has an address in the other", {"shop.test A": V4, "shop.test AAAA": SERVFAIL}, None),
    ("fails in one family, has none in the other", {"shop.test A": EMPTY, "shop.test AAAA": SERVFAIL}, Cause.DNS_SERVFAIL),
]


@pytest.mark.parametrize(("what", "says", "cause"), CAUSES, ids=[what for what, _, _ in CAUSES])
async def test_a_name_that(what: str, says: Says | dict[str, Says], cause: Cause | None) -> None:
    answer = await ask(says)

    assert answer.cause is cause, (what, answer)
    assert bool(answer.addresses) is (cause is None)
    assert bool(answer.detail) is (cause is not None)


@pytest.mark.parametrize(
    ("what", "says"),
    [("silence", SILENT), ("another question's answer", Says("A 127.0.0.1", wrong_id=True)), ("too late", Says("A 127.0.0.1", slow_s=1.5))],
)
async def test_no_answer_in_time_is_told_at_the_deadline(what: str, says: Says) -> None:
    started = time.monotonic()
    answer = await ask(says, wait_ms=200)

    assert answer.cause is Cause.DNS_TIMEOUT, what
    assert answer.detail == "no answer within 200 ms"
    assert 0.2 <= time.monotonic() - started < 0.6
    assert 200 <= answer.ms < 600


@pytest.mark.parametrize(
    ("family", "says", "addresses", "asked"),
    [
        (None, BOTH, {"127.0.0.1", "127.0.0.2", "::1"}, {"A", "AAAA"}),
        (4, BOTH, {"127.0.0.1", "127.0.0.2"}, {"A"}),
        (6, BOTH, {"::1"}, {"AAAA"}),
        (6, V4, set[str](), {"AAAA"}),
        (4, V6, set[str](), {"A"}),
        (None, V6, {"::1"}, {"A", "AAAA"}),
    ],
)
async def test_the_family_is_the_monitors_choice(
    family: int | None, says: Says, addresses: set[str], asked: set[str], resolver: Resolver
) -> None:
    async with DnsServer({"shop.test": says}) as server:
        answer = await resolver.resolve("shop.test", family=family, server=server.address)
        assert set(server.types("shop.test")) == asked

    assert set(answer.addresses) == addresses
    assert answer.cause is (None if addresses else Cause.DNS_NO_ANSWER)


async def test_each_monitor_may_have_its_own_resolver(resolver: Resolver) -> None:
    async with DnsServer({"shop.test": V4}) as one, DnsServer({"shop.test": Says("A 127.0.0.9")}) as other:
        answers = [await resolver.resolve("shop.test", server=server.address) for server in (one, other)]

    assert [answer.addresses for answer in answers] == [("127.0.0.1",), ("127.0.0.9",)]
    assert [answer.server for answer in answers] == [one.address, other.address]


async def test_a_resolver_that_is_named_says_it_all(resolver: Resolver) -> None:
    """Not the hosts file, where every Linux has its own name, and not a search domain."""
    name = socket.gethostname()
    async with DnsServer({name: Says("A 127.0.0.77")}) as server:
        answer = await resolver.resolve(name, server=server.address, family=4)
        nothing = await resolver.resolve("no-such-host", server=server.address)
        assert {one.name for one in server.asked} == {name, "no-such-host"}

    assert answer.addresses == ("127.0.0.77",)
    assert nothing.cause is Cause.DNS_NXDOMAIN


async def test_nobody_listens_where_the_resolver_should_be(resolver: Resolver) -> None:
    async with DnsServer() as server:
        gone = server.address

    answer = await resolver.resolve("shop.test", server=gone)

    assert answer.cause is Cause.DNS_REFUSED
    assert answer.detail


# What is kept


async def test_an_answer_is_kept_for_its_ttl(resolver: Resolver, hands: Hands) -> None:
    async with DnsServer({"shop.test": Says("A 127.0.0.1", ttl=20)}) as server:

        async def look() -> tuple[str, ...]:
            return (await resolver.resolve("SHOP.test", family=4, server=server.address)).addresses

        await look()
        server.names["shop.test"] = Says("A 127.0.0.2", ttl=20)
        hands.at += 19
        assert await look() == ("127.0.0.1",)
        assert len(server.asked) == 1
        hands.at += 12
        assert await look() == ("127.0.0.2",)
        assert len(server.asked) == 2


async def test_however_long_its_ttl_an_answer_is_asked_anew_within_a_minute(resolver: Resolver, hands: Hands) -> None:
    async with DnsServer({"shop.test": Says("A 127.0.0.1", ttl=86_400)}) as server:
        await resolver.resolve("shop.test", server=server.address)
        server.names["shop.test"] = Says("A 127.0.0.2", ttl=86_400)
        hands.at += 29
        assert (await resolver.resolve("shop.test", server=server.address)).addresses == ("127.0.0.1",)
        hands.at += 31
        assert (await resolver.resolve("shop.test", server=server.address)).addresses == ("127.0.0.2",)


async def test_an_answer_without_time_to_live_is_not_kept(resolver: Resolver) -> None:
    async with DnsServer({"shop.test": Says("A 127.0.0.1", ttl=0)}) as server:
        for _ in range(3):
            await resolver.resolve("shop.test", family=4, server=server.address)
        assert len(server.asked) == 3


@pytest.mark.parametrize("bad", [NXDOMAIN, EMPTY, SERVFAIL, REFUSED, Says("CNAME nowhere.test")])
async def test_a_failure_is_never_kept(bad: Says, resolver: Resolver) -> None:
    """Else one bad answer would be seen again by the checks that are to confirm it."""
    async with DnsServer({"shop.test": bad}) as server:
        first = await resolver.resolve("shop.test", server=server.address)
        server.names["shop.test"] = V4
        second = await resolver.resolve("shop.test", server=server.address)

    assert first.cause is not None
    assert second.addresses == ("127.0.0.1",)


async def test_ever_new_names_cost_bounded_memory(resolver: Resolver, monkeypatch: pytest.MonkeyPatch, hands: Hands) -> None:
    monkeypatch.setattr(module, "_MAX_KEPT", 50)
    async with DnsServer({"*": Says("A 127.0.0.1", ttl=25)}) as server:
        for number in range(120):
            hands.at += 0.1
            await resolver.resolve(f"n{number}.test", family=4, server=server.address)
            assert len(resolver._cache) <= 50
        await resolver.resolve("n119.test", family=4, server=server.address)
        assert len(server.asked) == 120


async def test_an_answer_of_thousands_of_addresses_is_cut() -> None:
    answer = await ask(Says(*[f"A 127.0.{n >> 8}.{n & 255}" for n in range(1, 1_500)]), family=4)

    assert len(answer.addresses) == 64


async def test_a_change_of_resolvers_leaves_no_line_behind(resolver: Resolver, hands: Hands) -> None:
    async with DnsServer({"*": V4}) as one, DnsServer({"*": V4}) as other:
        await resolver.resolve("a.test", server=one.address)
        hands.at += 100
        await resolver.resolve("b.test", server=other.address)

    assert list(resolver._lines) == [other.address]


# Many at once


async def test_those_who_ask_the_same_at_once_share_one_question(resolver: Resolver) -> None:
    async with DnsServer({"shop.test": Says("A 127.0.0.1", slow_s=0.1)}) as server:
        questions = [resolver.resolve("shop.test", family=4, server=server.address) for _ in range(20)]
        answers = await asyncio.gather(*questions)
        assert len(server.asked) == 1

    assert {answer.addresses for answer in answers} == {("127.0.0.1",)}


async def test_one_who_gives_up_early_takes_nothing_from_the_others(resolver: Resolver) -> None:
    async with DnsServer({"shop.test": Says("A 127.0.0.1", slow_s=0.2)}) as server:

        async def look(wait_ms: int) -> Answer:
            return await resolver.resolve("shop.test", timeout_ms=wait_ms, server=server.address)

        leaving = asyncio.create_task(look(2_000))
        hasty, patient = asyncio.create_task(look(50)), asyncio.create_task(look(2_000))
        await server.was_asked()
        leaving.cancel()

        assert (await hasty).cause is Cause.DNS_TIMEOUT
        assert (await patient).addresses == ("127.0.0.1",)
        assert leaving.cancelled()


async def test_dead_names_hold_up_no_good_one(resolver: Resolver) -> None:
    async with DnsServer({"*": SILENT} | {f"good{n}.test": V4 for n in range(20)}) as server:
        dead = [asyncio.create_task(resolver.resolve(f"dead{n}.test", timeout_ms=600, server=server.address)) for n in range(40)]
        started = time.monotonic()
        good = await asyncio.gather(*(resolver.resolve(f"good{n}.test", server=server.address) for n in range(20)))
        took = time.monotonic() - started
        answers = await asyncio.gather(*dead)

    assert all(answer.addresses for answer in good)
    assert took < 0.4
    assert {answer.cause for answer in answers} == {Cause.DNS_TIMEOUT}


# What needs no resolver


@pytest.mark.parametrize(
    ("host", "family", "addresses"),
    [
        ("192.0.2.1", None, ("192.0.2.1",)),
        ("192.0.2.1", 4, ("192.0.2.1",)),
        ("192.0.2.1", 6, ()),
        ("[2001:DB8::1]", None, ("2001:db8::1",)),
        ("2001:db8::1", 4, ()),
        ("localhost", None, ("::1", "127.0.0.1")),
        ("LocalHost.", None, ("::1", "127.0.0.1")),
        ("app.localhost", 4, ("127.0.0.1",)),
        ("a.b.localhost", 6, ("::1",)),
    ],
)
async def test_addresses_and_localhost_are_nobodys_business(
    host: str, family: int | None, addresses: tuple[str, ...], resolver: Resolver
) -> None:
    async with DnsServer({"*": Says("A 192.0.2.66")}) as server:
        answer = await resolver.resolve(host, family=family, server=server.address)
        assert server.asked == []

    assert (answer.addresses, answer.ms) == (addresses, 0)
    assert answer.cause is (None if addresses else Cause.DNS_NO_ANSWER)


@pytest.mark.parametrize("host", ["localhost.example.test", "mylocalhost", "localhost.test"])
async def test_what_only_looks_like_localhost_is_asked(host: str, resolver: Resolver) -> None:
    async with DnsServer({host: Says("A 192.0.2.66")}) as server:
        assert (await resolver.resolve(host, server=server.address)).addresses == ("192.0.2.66",)


async def test_a_foreign_name_is_asked_as_browsers_spell_it(resolver: Resolver) -> None:
    async with DnsServer({"xn--strae-oqa.test": V4}) as server:
        answer = await resolver.resolve("Straße.test", family=4, server=server.address)

    assert answer.addresses == ("127.0.0.1",)


@pytest.mark.parametrize(
    "host", ["a" * 64 + ".test", "ü" * 80 + ".test", "a..test", "two words.test", "nul\0.test", "\ud800.test", ".".join(["a" * 60] * 5)]
)
async def test_a_name_that_cannot_be_does_not_exist(host: str, resolver: Resolver) -> None:
    async with DnsServer({"*": V4}) as server:
        answer = await resolver.resolve(host, server=server.address)
        assert server.asked == []

    assert answer.cause is Cause.DNS_NXDOMAIN
    assert answer.detail


# Who is in charge of a name


@pytest.mark.parametrize(
    ("names", "host", "zone", "servers"),
    [
        ({"shop.test": Says("NS ns1.test", "NS ns2.test")}, "www.shop.test", "shop.test", {"127.0.0.1", "127.0.0.2"}),
        ({"shop.test": Says("NS ns1.test", "NS gone.test")}, "a.b.shop.test.", "shop.test", {"127.0.0.1"}),
        ({"shop.test": Says(*[f"NS ns{n}.test" for n in range(1, 30)])}, "shop.test", "shop.test", {f"127.0.0.{n}" for n in range(1, 30)}),
        ({"*": NXDOMAIN}, "www.shop.test", "", set[str]()),
        ({"*": SILENT}, "www.shop.test", "", set[str]()),
        ({}, "test", "", set[str]()),
        ({}, "two words.test", "", set[str]()),
    ],
)
async def test_the_servers_in_charge_of_a_name(
    names: dict[str, Says], host: str, zone: str, servers: set[str], resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = {f"ns{n}.test": Says(f"A 127.0.0.{n}") for n in range(1, 30)}
    async with DnsServer(addresses | names) as server:
        to_a_server = module._channel
        monkeypatch.setattr(module, "_channel", lambda _: to_a_server(server.address))
        found, there = await resolver.zone_servers(host, timeout_ms=300)

    assert found == zone
    assert set(there) <= servers
    assert len(there) == min(len(servers), 8)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("9.9.9.9", ("9.9.9.9", 53)),
        ("9.9.9.9:5353", ("9.9.9.9", 5353)),
        ("2620:fe::fe", ("2620:fe::fe", 53)),
        ("[2620:fe::fe]", ("2620:fe::fe", 53)),
        ("[2620:fe::fe]:5353", ("2620:fe::fe", 5353)),
    ],
)
def test_a_resolver_is_written_in_these_ways(text: str, server: tuple[str, int]) -> None:
    assert split_server(text) == server


@pytest.mark.parametrize("text", ["dns.example", "9.9.9.9:dns", "", "9.9.9:53", "[::1", "[::1]x", "9.9.9.9:0", "9.9.9.9:65536"])
def test_other_ways_are_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"write 9\.9\.9\.9"):
        split_server(text)
