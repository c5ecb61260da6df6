"""Whose fault a failure is: what our own link or resolver may have caused is put to it first, within the check's time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from vigie.clock import SystemClock
from vigie.core.model import Cause, CheckResult, FaultScope, Status
from vigie.net import Resolver
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.link_guard import LinkGuard

pytestmark = pytest.mark.virtual
OUTSIDE, INSIDE = "8.8.8.8", "10.0.0.7"


@dataclass
class ToldLink:
    """A link with the given fault, told after `takes` seconds; it keeps what it is told."""

    cause: Cause | None = None
    takes: float = 0.0
    other: bool = False
    seen: int = 0
    places: list[str] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)
    prepared: list[float] = field(default_factory=list)

    async def fault(self, place: str, budget_ms: int) -> Cause | None:
        self.asked.append((place, budget_ms))
        await asyncio.sleep(min(self.takes, budget_ms / 1000))
        return self.cause if self.takes <= budget_ms / 1000 else None

    async def other_answer(self, host: str, budget_ms: int) -> bool:
        return self.other

    def saw(self, address: str) -> None:
        self.seen += 1

    def missed(self, place: str) -> None:
        self.places.append(place)

    def prepare(self, place: str, budget_ms: int) -> None:
        self.prepared.append(asyncio.get_running_loop().time())


@dataclass
class Told:
    """A probe that finds what it is told after some time."""

    result: CheckResult
    takes: float = 0.0

    async def check(self, timeout_ms: int) -> CheckResult:
        await asyncio.sleep(self.takes)
        return self.result


Look = Callable[..., Any]


async def look(
    link: ToldLink,
    cause: Cause | None,
    *,
    address: str | None = OUTSIDE,
    host: str = "shop.test",
    takes: float = 0.0,
    own_names: bool = True,
) -> CheckResult:
    status = Status.UP if cause is None else Status.UNKNOWN if cause.own else Status.DOWN
    found = CheckResult("", 0, status, cause, "as told", address=address)
    deps = ProbeDeps(SystemClock(), Resolver(), link)  # type: ignore[arg-type]
    return await LinkGuard(Told(found, takes), host, deps, own_names).check(10_000)


DOUBTFUL = [
    Cause.DNS_NXDOMAIN, Cause.DNS_SERVFAIL, Cause.DNS_REFUSED, Cause.DNS_TIMEOUT, Cause.DNS_NO_ANSWER, Cause.TCP_UNREACHABLE,
    Cause.TIMEOUT_CONNECT, Cause.TIMEOUT_TLS, Cause.TIMEOUT_FIRST_BYTE, Cause.TIMEOUT_TOTAL,
]  # fmt: skip


@pytest.mark.parametrize("cause", DOUBTFUL)
async def test_without_a_way_out_nobody_is_accused(cause: Cause) -> None:
    result = await look(ToldLink(Cause.PROBE_NETWORK), cause, address=None if cause.startswith("dns.") else OUTSIDE)
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_NETWORK)
    assert "as told" in result.message
    assert result.advice


@pytest.mark.parametrize("cause", DOUBTFUL)
async def test_with_one_the_target_is(cause: Cause) -> None:
    link = ToldLink()
    result = await look(link, cause)
    assert (result.status, result.cause) == (Status.DOWN, cause)
    assert link.places == [OUTSIDE], "which is a vote when others fail"


@pytest.mark.parametrize("cause", [Cause.TCP_REFUSED, Cause.HTTP_STATUS, Cause.TLS_EXPIRED, Cause.CONTENT_MISSING, None])
async def test_an_answer_is_no_question_of_links_and_shows_that_ours_works(cause: Cause | None) -> None:
    link = ToldLink(Cause.PROBE_NETWORK)
    result = await look(link, cause)
    assert result.cause is cause
    assert (link.asked, link.seen) == ([], 1)


@pytest.mark.parametrize(
    ("address", "host"), [(INSIDE, "shop.test"), ("127.0.0.1", "x"), ("::1", "x"), (None, "nas.local"), (None, "localhost")]
)
async def test_what_is_inside_needs_no_way_out(address: str | None, host: str) -> None:
    link = ToldLink(Cause.PROBE_NETWORK)
    assert (await look(link, Cause.TIMEOUT_CONNECT, address=address, host=host)).status is Status.DOWN
    assert (await look(link, None, address=address, host=host)).status is Status.UP
    assert (link.asked, link.seen, link.places) == ([], 0, [])


async def test_a_fault_of_vigies_own_shows_nothing() -> None:
    link = ToldLink()
    await look(link, Cause.PROBE_ERROR, address=None)
    assert link.seen == 0


@pytest.mark.parametrize("cause", [Cause.DNS_SERVFAIL, Cause.DNS_TIMEOUT, Cause.DNS_NXDOMAIN])
async def test_a_resolver_that_knows_no_name_at_all_is_ours(cause: Cause) -> None:
    result = await look(ToldLink(Cause.PROBE_RESOLVER), cause, address=None)
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_RESOLVER)
    assert result.fault is FaultScope.NETWORK


async def test_a_failing_resolver_excuses_no_silent_server() -> None:
    assert (await look(ToldLink(Cause.PROBE_RESOLVER), Cause.TIMEOUT_CONNECT)).cause is Cause.TIMEOUT_CONNECT


@pytest.mark.parametrize(("cause", "ours"), [(Cause.DNS_SERVFAIL, True), (Cause.DNS_TIMEOUT, True), (Cause.DNS_NXDOMAIN, False)])
async def test_a_hiccup_is_told_from_a_dead_zone_by_another_resolver(cause: Cause, ours: bool) -> None:
    hiccup = await look(ToldLink(other=True), cause, address=None)
    assert hiccup.cause is (Cause.PROBE_RESOLVER if ours else cause)
    assert hiccup.fault is (FaultScope.MONITOR if ours else FaultScope.TARGET), "other monitors may well see"
    assert (await look(ToldLink(other=False), cause, address=None)).cause is cause


async def test_a_resolver_of_the_monitors_own_is_its_own_business() -> None:
    for link in (ToldLink(Cause.PROBE_RESOLVER), ToldLink(other=True)):
        assert (await look(link, Cause.DNS_SERVFAIL, address=None, own_names=False)).cause is Cause.DNS_SERVFAIL
    assert (await look(ToldLink(Cause.PROBE_NETWORK), Cause.DNS_SERVFAIL, address=None, own_names=False)).cause is Cause.PROBE_NETWORK


async def test_the_vote_begins_before_the_deadline_and_adds_next_to_nothing_to_it() -> None:
    link, loop = ToldLink(Cause.PROBE_NETWORK, takes=5.0), asyncio.get_running_loop()
    started = loop.time()
    await look(link, Cause.TIMEOUT_CONNECT, takes=10.0)
    assert loop.time() - started <= 10.2
    assert link.prepared == [started + 8.0]
    assert link.asked == [(OUTSIDE, 150)]


async def test_a_quick_check_asks_nobody_beforehand() -> None:
    link = ToldLink()
    await look(link, None, takes=0.2)
    await asyncio.sleep(20)
    assert link.prepared == []
