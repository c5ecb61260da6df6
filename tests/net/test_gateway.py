"""The default routes as the kernel writes them, and whether anybody is at their other end."""

import asyncio
from pathlib import Path

import pytest

from vigie.net.gateway import default_gateways, is_there
from vigie.testing.servers import black_hole, serving, unused

ROUTE = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0
eth1\t0000000A\t010200C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0
"""
ROUTE6 = """fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001 eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003 eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000003 00000000 00000003 eth1
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200 lo
"""
ARP = """IP address       HW type     Flags       HW address            Mask     Device
127.0.0.1        0x1         {flags}         02:fc:00:00:00:05     *        eth0
"""


def little_endian() -> bool:
    import sys

    return sys.byteorder == "little"


@pytest.mark.skipif(not little_endian(), reason="the sample was taken from a little-endian machine")
def test_only_default_routes_with_a_gateway_count(tmp_path: Path) -> None:
    (tmp_path / "route").write_text(ROUTE)
    (tmp_path / "ipv6_route").write_text(ROUTE6)
    assert default_gateways(tmp_path) == ("192.0.2.1", "fd00::1", "fe80::1%eth1")


@pytest.mark.parametrize("text", ["", "nonsense\nmore of it\n", "a b c\n0 0\n", "\xff\n", ROUTE.replace("010200C0", "zz")])
def test_what_cannot_be_read_is_no_gateway(tmp_path: Path, text: str) -> None:
    assert default_gateways(tmp_path / "nowhere") == ()
    for name in ("route", "ipv6_route"):
        (tmp_path / name).write_text(text)
    assert default_gateways(tmp_path) == ()


async def test_a_gateway_that_accepts_or_refuses_is_there() -> None:
    async def nothing(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None: ...

    async with serving(nothing) as port:
        assert await is_there("127.0.0.1", 500, port=port) is True
    assert await is_there("127.0.0.1", 500, port=unused()) is True


@pytest.mark.parametrize(("flags", "there"), [("0x2", True), ("0x6", True), ("0x0", False), ("x", None)])
async def test_of_one_that_says_nothing_the_kernel_knows_the_neighbour(tmp_path: Path, flags: str, there: bool | None) -> None:
    (tmp_path / "arp").write_text(ARP.format(flags=flags))
    with black_hole() as hole:
        assert await is_there("127.0.0.1", 50, port=hole, proc=tmp_path) is there


async def test_of_one_that_says_nothing_and_is_unknown_nobody_can_tell(tmp_path: Path) -> None:
    with black_hole() as hole:
        assert await is_there("127.0.0.1", 50, port=hole, proc=tmp_path) is None


async def test_one_that_is_not_on_its_network_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(*_: object, **__: object) -> None:
        raise OSError(113, "No route to host")

    monkeypatch.setattr(asyncio, "open_connection", unreachable)
    assert await is_there("192.0.2.1", 500) is False
