"""Is it us? Several votes and never one; a resolver that fails is told from a zone that does; silence that is usual accuses nobody."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from vigie.core.model import Cause
from vigie.net import Answer, Link
from vigie.net import link as module
from vigie.net.link import Vote, verdict
from vigie.testing.servers import black_hole, serving, unused

REACHED, SILENT, UNRESOLVED = Vote.REACHED, Vote.SILENT, Vote.UNRESOLVED
NETWORK, RESOLVER = Cause.PROBE_NETWORK, Cause.PROBE_RESOLVER
A, B, LITERAL = "a.test:443", "b.test:443", "192.0.2.9:443"


@pytest.mark.parametrize(
    ("controls", "gateway", "second", "others", "cause"),
    [
        ({A: REACHED, B: SILENT}, False, None, True, None),
        ({A: REACHED, B: UNRESOLVED}, None, None, False, None),
        ({A: SILENT, B: SILENT}, None, None, False, NETWORK),
        ({A: SILENT, B: SILENT}, True, None, False, NETWORK),
        ({A: UNRESOLVED, B: UNRESOLVED}, None, None, False, NETWORK),
        ({A: UNRESOLVED, B: UNRESOLVED}, True, True, False, RESOLVER),
        ({A: UNRESOLVED, B: UNRESOLVED, LITERAL: REACHED}, None, None, False, RESOLVER),
        ({A: UNRESOLVED, LITERAL: REACHED}, None, None, False, None),
        ({A: UNRESOLVED, LITERAL: REACHED}, None, True, False, RESOLVER),
        ({A: SILENT, B: SILENT}, None, True, False, None),
        ({A: SILENT}, None, None, False, None),
        ({A: SILENT}, True, None, False, None),
        ({A: SILENT}, False, None, False, NETWORK),
        ({A: SILENT}, None, None, True, NETWORK),
        ({}, False, None, True, NETWORK),
        ({}, False, None, False, None),
        ({}, None, None, True, None),
    ],
)
def test_one_vote_acquits_and_it_takes_two_to_convict(
    controls: dict[str, Vote], gateway: bool | None, second: bool | None, others: bool, cause: Cause | None
) -> None:
    assert verdict(controls, gateway=gateway, second=second, others=others) is cause


@dataclass
class Names:
    """A resolver: names to addresses, by server; what is not listed times out, or fails at once."""

    known: dict[tuple[str | None, str], tuple[str, ...]] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    async def resolve(self, host: str, *, timeout_ms: int = 5_000, server: str | None = None, family: int | None = None) -> Answer:
        self.asked.append((host, server))
        if host[0].isdigit():
            return Answer((host,), None, 0.0)
        found = self.known.get((server, host), ())
        return Answer(found, None if found else Cause.DNS_SERVFAIL, 1.0, server)


@pytest.fixture(autouse=True)
def a_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_offline", lambda: False)


@dataclass
class Hands:
    """A clock that stands still until it is moved."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


Make = Callable[..., Link]


@pytest.fixture
def make() -> Make:
    def made(
        targets: Sequence[str], names: Any = None, second: str | None = None, hands: Hands | None = None, gateways: Sequence[str] = ()
    ) -> Link:
        resolver: Any = names or Names()
        return Link(resolver, targets, second, monotonic=hands or Hands(), gateways=lambda: gateways)

    return made


async def nothing(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None: ...


async def test_control_targets_that_answer_acquit_the_link(make: Make) -> None:
    async with serving(nothing) as port:
        assert await make([f"127.0.0.1:{port}"]).fault() is None
    assert await make([f"127.0.0.1:{unused()}"]).fault() is None, "a refusal is an answer"


async def test_silent_control_targets_convict_it(make: Make) -> None:
    with black_hole() as hole:
        assert await make([f"127.0.0.1:{hole}", f"127.0.0.2:{hole}"]).fault("x", 3_000) is NETWORK
        assert await make([f"127.0.0.1:{hole}"]).fault("x", 3_000) is None


async def test_one_family_that_is_broken_is_no_broken_link(make: Make) -> None:
    async with serving(nothing, port=0) as port:
        names = Names({(None, "a.test"): ("2001:db8::1", "127.0.0.1"), (None, "b.test"): ("2001:db8::1", "127.0.0.1")})
        assert await make([f"a.test:{port}", f"b.test:{port}"], names).fault() is None


async def test_without_a_route_nobody_needs_to_be_asked(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_offline", lambda: True)
    names = Names()
    assert await make([A, B], names).fault() is NETWORK
    assert names.asked == []


async def test_names_that_only_another_resolver_knows_convict_ours(make: Make) -> None:
    names = Names({("8.8.8.8", "a.test"): ("192.0.2.1",)})
    assert await make([A, B], names, "8.8.8.8").fault() is RESOLVER
    assert await make([A, B], names, None).fault() is NETWORK
    at_home = Names({("10.0.0.1", "a.test"): ("192.0.2.1",)})
    assert await make([A, B], at_home, "10.0.0.1").fault() is NETWORK, "it may answer from memory"


async def test_a_verdict_is_kept_for_ten_seconds(make: Make) -> None:
    names, hands = Names(), Hands()
    link = make([A, B], names, hands=hands)
    for _ in range(5):
        assert await link.fault() is NETWORK
        hands.now += 2
    assert len(names.asked) == 2
    hands.now += 1
    await link.fault()
    assert len(names.asked) == 4


async def test_many_who_ask_at_once_are_one_question(make: Make) -> None:
    names = Names()
    link = make([A, B], names)
    assert await asyncio.gather(*(link.fault(f"m{number}") for number in range(50))) == [NETWORK] * 50
    assert len(names.asked) == 2


async def test_a_service_that_is_reached_acquits_the_link_at_once(make: Make) -> None:
    hands = Hands()
    link = make([A, B], hands=hands)
    assert await link.fault() is NETWORK
    hands.now += 1
    link.saw("8.8.8.8")
    assert await link.fault() is None
    slow = make(["127.0.0.1:1"], hands=hands)
    asking = asyncio.create_task(slow.fault())
    await asyncio.sleep(0)
    slow.saw("8.8.8.8")
    assert await asking is None, "also while it is asked"


async def test_what_was_seen_before_the_failure_acquits_nobody(make: Make) -> None:
    hands = Hands()
    link = make([A, B], hands=hands)
    link.saw("8.8.8.8")
    hands.now += 0.1
    assert await link.fault() is NETWORK


async def test_others_that_fail_as_well_are_a_vote_and_the_accused_is_none(make: Make) -> None:
    for places, cause in ((("shop",), None), (("shop", "api"), NETWORK)):
        link = make([A])
        for place in places:
            link.missed(place)
        assert await link.fault("shop") is cause
    hands = Hands()
    link = make([A], hands=hands)
    link.missed("api")
    hands.now += 60
    assert await link.fault("shop") is None, "long ago"


async def test_a_gateway_that_is_gone_is_a_vote(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(address: str, timeout_ms: int) -> bool | None:
        return {"g1": False, "g2": None, "g3": True}[address]

    monkeypatch.setattr(module, "is_there", gone)
    assert await make([A], gateways=["g1", "g2"]).fault() is NETWORK
    assert await make([A], gateways=["g2"]).fault() is None
    assert await make([A], gateways=["g1", "g3"]).fault() is None, "one way is enough"


async def test_control_targets_that_never_answer_are_no_witnesses(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A firewall of ours lets the watched service through and the control targets not: its outage must be told."""
    monkeypatch.setattr(module, "_VOTE_MS", 150)
    with black_hole() as hole:
        hands = Hands()
        link = make([f"127.0.0.1:{hole}", f"127.0.0.2:{hole}"], hands=hands)
        assert await link.fault("shop", 400) is NETWORK, "as long as nothing is known"
        for _ in range(2):
            hands.now += 3_600
            link.saw("8.8.8.8")
            assert link._learning is not None
            await link._learning
        hands.now += 60
        assert await link.fault("shop", 400) is None


async def test_control_targets_that_were_silent_once_still_are(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_VOTE_MS", 150)
    with black_hole() as hole:
        hands = Hands()
        link = make([f"127.0.0.1:{hole}", f"127.0.0.2:{hole}"], hands=hands)
        hands.now += 3_600
        link.saw("8.8.8.8")
        assert link._learning is not None
        await link._learning
        hands.now += 60
        assert await link.fault("shop", 400) is NETWORK


async def test_nobody_is_asked_for_practice_in_the_first_minute(make: Make) -> None:
    names, hands = Names(), Hands()
    link = make([A, B], names, hands=hands)
    hands.now += 59
    link.saw("8.8.8.8")
    assert link._learning is None


async def test_who_has_no_time_left_hears_no_verdict(make: Make) -> None:
    with black_hole() as hole:
        link = make([f"127.0.0.1:{hole}", f"127.0.0.2:{hole}"])
        assert await link.fault("shop", 10) is None
        link.prepare("shop", 400)
        assert link._asking is not None
        await link._asking
        assert await link.fault("shop", 10) is NETWORK, "unless it was asked in time"
        link.close()


async def test_another_resolver_is_asked_only_where_there_is_one(make: Make) -> None:
    names = Names({("8.8.8.8", "shop.test"): ("192.0.2.1",)})
    assert await make([A], names, "8.8.8.8").other_answer("shop.test")
    assert not await make([A], names, "8.8.8.8").other_answer("dead.test")
    assert not await make([A], names).other_answer("shop.test")


async def test_a_family_works_when_something_of_it_was_reached_lately(make: Make) -> None:
    hands = Hands()
    link = make([], hands=hands)
    assert not await link.reaches(6)
    link.saw("2001:4860::8")
    assert await link.reaches(6)
    assert not await link.reaches(4)
    hands.now += 3_600
    assert not await link.reaches(6), "long ago"


async def test_or_when_a_control_target_is(make: Make) -> None:
    async with serving(nothing) as port:
        hands = Hands()
        link = make([f"a.test:{port}"], Names({(None, "a.test"): ("127.0.0.1",)}), hands=hands)
        assert await link.reaches(4)
    assert await link.reaches(4), "which is remembered"


async def test_a_second_resolver_that_is_none_is_left_alone(make: Make) -> None:
    link = make([A, B], None, "nonsense")
    assert not await link.other_answer("shop.test")
    assert await link.fault() is NETWORK
