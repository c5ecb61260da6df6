"""The system's resolver, the faults that are our own, and what is left of a lookup when nobody waits any more."""

import asyncio
import gc
import socket
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pycares
import pytest

from vigie.core.model import Cause
from vigie.net import Resolver
from vigie.testing.dns_server import NXDOMAIN, SILENT, DnsServer, Says


class Channels:
    """Stands in for c-ares' channels: each new one answers as the script says; an int is an error of c-ares."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *script: int | str) -> None:
        self.script, self.made, self.asked, self.delay = list(script), 0, list[int](), 0.0
        monkeypatch.setattr(pycares, "Channel", self._make)

    def _make(self, **options: Any) -> "_Channel":
        self.made += 1
        return _Channel(self, self.made)


class _Channel:
    def __init__(self, parent: Channels, number: int) -> None:
        self._parent, self._number = parent, number

    def getaddrinfo(self, name: str, port: None, *, callback: Callable[[Any, int | None], None], **_: Any) -> None:
        self._parent.asked.append(self._number)
        act = self._parent.script.pop(0)
        loop, result = asyncio.get_running_loop(), None
        if isinstance(act, str):
            node = pycares.AddrInfoNode(ttl=9, flags=0, family=socket.AF_INET, socktype=1, protocol=6, addr=(act.encode(), 0))
            result = pycares.AddrInfoResult(cnames=[], nodes=[node])
        loop.call_later(self._parent.delay, callback, result, act if isinstance(act, int) else None)

    def close(self) -> None:
        """Nothing is open."""


NOBODY = pycares.errno.ARES_ECONNREFUSED


async def test_a_system_whose_resolver_cannot_be_asked_is_asked_again_with_what_is_configured_now(
    monkeypatch: pytest.MonkeyPatch, resolver: Resolver
) -> None:
    """A laptop that changed networks: the old resolver's address refuses, the new one is in the file by now."""
    channels = Channels(monkeypatch, "192.0.2.1", NOBODY, "192.0.2.2")

    assert (await resolver.resolve("a.test")).addresses == ("192.0.2.1",)
    answer = await resolver.resolve("b.test")

    assert (answer.addresses, answer.cause) == (("192.0.2.2",), None)
    assert channels.asked == [1, 1, 2]


async def test_a_system_without_any_resolver_is_our_own_fault(monkeypatch: pytest.MonkeyPatch, resolver: Resolver) -> None:
    channels = Channels(monkeypatch, NOBODY, NOBODY)

    answer = await resolver.resolve("shop.test")

    assert (answer.cause, answer.addresses) == (Cause.PROBE_RESOLVER, ())
    assert channels.asked == [1, 2]


async def test_the_second_try_has_no_time_of_its_own(monkeypatch: pytest.MonkeyPatch, resolver: Resolver) -> None:
    channels = Channels(monkeypatch, NOBODY, NOBODY)
    channels.delay = 0.15

    answer = await resolver.resolve("shop.test", timeout_ms=200)

    assert answer.cause is Cause.DNS_TIMEOUT


async def test_a_server_that_was_quick_before_may_take_its_time(monkeypatch: pytest.MonkeyPatch, resolver: Resolver) -> None:
    """C-ares gives up on it within a second or so; the monitor's own deadline decides."""
    channels = Channels(monkeypatch, pycares.errno.ARES_ETIMEOUT, pycares.errno.ARES_ETIMEOUT, "192.0.2.1")

    assert (await resolver.resolve("shop.test")).addresses == ("192.0.2.1",)
    assert channels.asked == [1, 2, 3]


async def test_a_named_resolver_that_refuses_is_not_asked_twice(monkeypatch: pytest.MonkeyPatch, resolver: Resolver) -> None:
    channels = Channels(monkeypatch, NOBODY)

    assert (await resolver.resolve("shop.test", server="192.0.2.53")).cause is Cause.DNS_REFUSED
    assert channels.asked == [1]


@pytest.mark.parametrize("error", [pycares.errno.ARES_ENOMEM, pycares.errno.ARES_ECANCELLED, pycares.errno.ARES_EDESTRUCTION, 999])
@pytest.mark.parametrize("server", [None, "192.0.2.53"])
async def test_a_fault_of_c_ares_accuses_nobody(
    error: int, server: str | None, monkeypatch: pytest.MonkeyPatch, resolver: Resolver
) -> None:
    Channels(monkeypatch, error)

    assert (await resolver.resolve("shop.test", server=server)).cause is Cause.PROBE_RESOLVER


async def test_a_machine_without_file_descriptors_is_our_own_fault(monkeypatch: pytest.MonkeyPatch, resolver: Resolver) -> None:
    def full(**_: Any) -> None:
        raise pycares.AresError("Failed to initialize c-ares channel")

    monkeypatch.setattr(pycares, "Channel", full)

    assert (await resolver.resolve("shop.test")).cause is Cause.PROBE_RESOLVER


def test_every_line_knows_whom_to_ask() -> None:
    """With pycares' `lookups` some of them asked nobody at all, and said so at once."""

    async def causes() -> set[Cause | None]:
        found = set[Cause | None]()
        async with DnsServer({"shop.test": Says("A 127.0.0.1", ttl=0)}) as server:
            for _ in range(200):
                resolver = Resolver()
                found.add((await resolver.resolve("shop.test", family=4, server=server.address)).cause)
                resolver.close()
        return found

    assert asyncio.run(causes()) == {None}


# The end


def test_a_lookup_that_outlives_its_loop_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    resolver = Resolver()

    async def leave() -> None:
        async with DnsServer({"*": SILENT}) as server:
            assert (await resolver.resolve("shop.test", timeout_ms=20, server=server.address)).cause is Cause.DNS_TIMEOUT

    asyncio.run(leave())
    resolver.close()
    gc.collect()
    time.sleep(0.05)  # slow: c-ares calls back from a thread of its own, and what is proven is that nothing comes of it

    assert capfd.readouterr().err == ""


async def test_who_waits_when_the_resolver_is_closed_hears_that_it_is_us(resolver: Resolver) -> None:
    async with DnsServer({"*": SILENT}) as server:
        waiting = asyncio.create_task(resolver.resolve("shop.test", server=server.address))
        await server.was_asked()
        resolver.close()
        answer = await waiting

    assert answer.cause is Cause.PROBE_RESOLVER


async def test_hundreds_of_lookups_leave_nothing_behind(resolver: Resolver) -> None:
    async with DnsServer({"*": Says("A 127.0.0.1", ttl=0), "bad.test": NXDOMAIN}) as server:
        for number in range(50):
            await resolver.resolve("bad.test" if number % 2 else "good.test", server=server.address)
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(300):
            await resolver.resolve("bad.test" if number % 2 else "good.test", server=server.address)
            server.asked.clear()
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()

    assert grown < 100_000
    assert resolver._running == {}
