"""Is it us? Control targets on loopback that answer, refuse, are silent, or have no name."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from vigie.core.model import Cause
from vigie.net import Answer, Link, Resolver, is_private
from vigie.net import link as module

from .conftest import Hands

NETWORK, RESOLVER = Cause.PROBE_NETWORK, Cause.PROBE_RESOLVER


class Names(Resolver):
    """A resolver with a list; names that are not on it do not exist. Counts the questions."""

    def __init__(self, **names: tuple[str, ...]) -> None:
        super().__init__()
        self._names, self.asked, self.wait_s, self.came = names, 0, 0.0, asyncio.Event()

    async def resolve(self, host: str, *, family: int | None = None, timeout_ms: int = 5_000, server: str | None = None) -> Answer:
        self.asked += 1
        self.came.set()
        await asyncio.sleep(min(self.wait_s, timeout_ms / 1_000))  # slow: a resolver that takes its time
        if host in self._names:
            return Answer(self._names[host], None, 0.0)
        if host[0].isdigit():
            return Answer((host,), None, 0.0)
        return Answer((), Cause.DNS_SERVFAIL, 0.0)


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_offline", lambda: False)


@contextmanager
def silent() -> Iterator[int]:
    """A port where connections are never taken: its backlog is full."""
    with socket.socket() as sock, socket.socket() as first, socket.socket() as second:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(sock.getsockname())
        yield sock.getsockname()[1]


async def test_without_a_route_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_offline", lambda: True)
    names = Names()

    assert await Link(names, ["127.0.0.1:1"]).fault() is NETWORK
    assert await Link(names, []).fault() is NETWORK
    assert names.asked == 0


async def test_a_verdict_is_kept_and_shared_the_longer_the_worse(hands: Hands, unused_port: int) -> None:
    names = Names(good=("127.0.0.1",))
    link = Link(names, [f"good:{unused_port}"], monotonic=hands)

    assert await asyncio.gather(*(link.fault() for _ in range(10))) == [None] * 10
    hands.at += 0.9
    assert await link.fault() is None
    assert names.asked == 1
    hands.at += 0.2
    assert await link.fault() is None
    assert names.asked == 2
    with silent() as one, silent() as two:
        link = Link(names, [f"127.0.0.1:{one}", f"127.0.0.1:{two}"], monotonic=hands)
        names.asked = 0
        assert await link.fault(budget_ms=400) is NETWORK
        hands.at += 9.9
        assert await link.fault() is NETWORK
        assert names.asked == 2
        hands.at += 0.2
        assert await link.fault(budget_ms=400) is NETWORK
        assert names.asked == 4


async def test_a_link_that_breaks_again_soon_after_it_worked_is_not_acquitted_by_that(hands: Hands, unused_port: int) -> None:
    with silent() as one, silent() as two:
        names = Names(a=("127.0.0.1",), b=("127.0.0.1",))
        link = Link(names, [f"127.0.0.1:{unused_port}", f"127.0.0.1:{unused_port}"], monotonic=hands)
        assert await link.fault() is None
        link._targets = (f"127.0.0.1:{one}", f"127.0.0.1:{two}")  # nobody answers any more
        hands.at += 3
        assert await link.fault(budget_ms=400) is NETWORK


async def test_one_who_gives_up_asking_leaves_the_question_to_the_next(unused_port: int) -> None:
    names = Names()
    names.wait_s = 0.1
    link = Link(names, [f"127.0.0.1:{unused_port}"])
    first, second = asyncio.create_task(link.fault()), asyncio.create_task(link.fault())
    await names.came.wait()
    first.cancel()

    assert await second is None
    assert first.cancelled()


def test_whether_there_are_targets() -> None:
    assert Link(Resolver(), ["a:1"]).has_targets
    assert not Link(Resolver(), []).has_targets


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True), ("10.1.2.3", True), ("192.168.1.1", True), ("169.254.1.1", True), ("100.64.0.1", True), ("[::1]", True),
        ("fe80::1", True), ("fd00::1", True), ("localhost", True), ("a.Localhost", True), ("nas.local", True), ("git.internal", True),
        ("1.1.1.1", False), ("2606:4700:4700::1111", False), ("shop.example", False), ("local", False),
    ],
)  # fmt: skip
def test_what_needs_no_way_out(address: str, private: bool) -> None:
    assert is_private(address) is private


def test_a_route_is_asked_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    tried = list[socket.AddressFamily]()

    def has_route(_: str, family: socket.AddressFamily) -> bool:
        tried.append(family)
        return family == socket.AF_INET6

    monkeypatch.setattr(module, "has_route", has_route)
    assert module.is_offline() is False
    assert tried == [socket.AF_INET, socket.AF_INET6]


@pytest.mark.parametrize(("address", "family", "found"), [("127.0.0.1", socket.AF_INET, True), ("no address", socket.AF_INET, False)])
def test_a_route_that_is_there_and_one_that_is_not(address: str, family: socket.AddressFamily, found: bool) -> None:
    assert module.has_route(address, family) is found
