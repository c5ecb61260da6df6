"""Which addresses are inside, in whatever form they are written."""

import socket
from typing import Self

import pytest

from vigie.core.model import Cause
from vigie.net import GuardedResolver, Resolver, is_internal, networks_of
from vigie.testing.dns_server import DnsServer, Says


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "[::1]",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:a00:1::1",
        "2002:7f00:1::",
        "2001:0:1:2:3:4:f5ff:fffe",
        "not an address",
        "",
    ],
)
def test_addresses_inside(address: str) -> None:
    assert is_internal(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::1", "::ffff:1.1.1.1"])
def test_addresses_outside(address: str) -> None:
    assert not is_internal(address)


def test_networks_that_are_allowed() -> None:
    allowed = networks_of(["10.20.0.0/16", "fd00:1::/32", "127.0.0.1"])
    assert [is_internal(one, allowed) for one in ("10.20.3.4", "fd00:1::5", "127.0.0.1", "::ffff:10.20.3.4")] == [False] * 4
    assert [is_internal(one, allowed) for one in ("10.21.3.4", "fd00:2::5", "127.0.0.2", "::1")] == [True] * 4


def test_an_address_of_this_machine_is_inside_whatever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ours:
        def __init__(self, *_: object) -> None: ...
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...
        def bind(self, where: tuple[str, int]) -> None:
            if where[0] != "1.1.1.1":
                raise OSError

    monkeypatch.setattr(socket, "socket", Ours)
    assert [is_internal(one) for one in ("1.1.1.1", "1.1.1.2", "::ffff:1.1.1.1")] == [True, False, True]


async def test_a_name_that_leads_inside_has_no_address() -> None:
    async with DnsServer({"shop.test": Says("A 127.0.0.9")}) as server:
        resolver = GuardedResolver(Resolver(), networks_of([server.address.partition(":")[0]]))
        answer = await resolver.resolve("shop.test", server=server.address)
        assert (answer.addresses, answer.cause, resolver.refused) == ((), Cause.PROBE_ERROR, "127.0.0.9")
        for host in ("localhost", "127.0.0.9", "[::1]", "169.254.169.254"):
            resolver.refused = None
            assert (await resolver.resolve(host)).addresses == ()
            assert resolver.refused is not None
        wide = GuardedResolver(Resolver(), networks_of(["127.0.0.0/8"]))
        assert (await wide.resolve("shop.test", server=server.address)).addresses == ("127.0.0.9",)
        closed = GuardedResolver(Resolver(), ())
        assert (await closed.resolve("shop.test", server=server.address)).addresses == ()
        assert closed.refused == "127.0.0.1"
