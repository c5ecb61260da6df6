"""Incidents with one observed cause in common are one alert: through the real ingest, outbox and composer, on virtual time."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.alert import Phase
from vigie.core.detection import Severity
from vigie.core.events import Acked, Resolved
from vigie.core.model import Cause, CheckResult, HttpFacts, Monitor, Status
from vigie.core.notification import OPENINGS, NoticeReason
from vigie.ports import Batch
from vigie.report.facts import Message
from vigie.testing import VirtualClock, run_virtual
from vigie.testing.fakes import FakeChannel, FakeVigie, fake_monitor, policies
from vigie.testing.memory import MemoryStore
from vigie.testing.windows import Window

pytestmark = pytest.mark.virtual
UP, DOWN, DEGRADED = Status.UP, Status.DOWN, Status.DEGRADED
OPENED, RECOVERED, UPDATED = NoticeReason.OPENED, NoticeReason.RECOVERED, NoticeReason.UPDATED
ADDRESS = "192.0.2.7"
QUICK = policies(confirm=1, recover=1, to=("mail",), remind_ms=0)


def shop(name: str, **more: Any) -> Monitor:
    return replace(fake_monitor(name, every_ms=86_400_000, policy=more.pop("policy", QUICK)), **more)


class Scene:
    """The engine on fakes, and what its checks find: nothing is probed."""

    def __init__(self, clock: VirtualClock, monitors: Iterable[Monitor], store: MemoryStore | None = None) -> None:
        self.clock, self.monitors, self.sequence = clock, {one.id: one for one in monitors}, 0
        self.store = MemoryStore() if store is None else store.reopen()
        self.channels = {name: FakeChannel(clock) for name in ("mail", "chat")}
        self.vigie = FakeVigie(self.store, clock, self.monitors.values(), lambda _: UP, dict(self.channels))

    async def __aenter__(self) -> Self:
        await self.vigie.start()
        assert self.vigie.agent is not None
        await self.vigie.agent.stop()
        self.run = await self.store.ledger.next_run()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.vigie.stop()

    async def see(
        self, names: Iterable[str], status: Status, cause: Cause | None = None, *, address: str | None = ADDRESS, **more: Any
    ) -> None:
        """All of these in one batch. By default a failure is a connection that is not answered."""
        found = cause if cause is not None or status is UP else Cause.TIMEOUT_CONNECT
        results = []
        for name in names:
            self.sequence += 1
            at = self.clock.now()
            results.append(CheckResult(name, at, status, found, "seen", address=address, run=self.run, sequence=self.sequence, **more))
        await self.vigie.ingest.take(Batch("test", self.run, self.sequence, tuple(results)))

    def told(self, channel: str = "mail") -> Counter[NoticeReason]:
        return Counter(message.reason for _, message in self.channels[channel].told)

    async def alerts(self) -> dict[str, set[str]]:
        """The monitors of each alert that there ever was."""
        found: dict[str, set[str]] = {}
        for one in await self.store.archive.incidents(limit=10_000):
            found.setdefault(one.alert, set()).add(one.monitor)
        return found


async def test_five_hundred_monitors_on_one_address_are_one_opening_and_one_recovery_a_channel(clock: VirtualClock) -> None:
    both = policies(confirm=1, recover=1, to=("mail", "chat"), remind_ms=0)
    names = [f"s{number}" for number in range(500)]
    async with Scene(clock, [shop(name, policy=both) for name in names]) as scene:
        await scene.see(names, UP)
        for part in range(0, 500, 50):
            await scene.see(names[part : part + 50], DOWN)
            await clock.sleep(0.1)
        assert scene.told() == {}
        await clock.sleep(12)
        assert scene.told() == scene.told("chat") == {OPENED: 1}
        assert len(await scene.store.archive.members("s0-1")) == 500
        await clock.sleep(600)
        assert scene.told() == {OPENED: 1}
        await scene.see(names[:499], UP)
        await clock.sleep(5)
        assert scene.told() == {OPENED: 1}, "one is still down"
        await scene.see(names[499:], UP)
        await clock.sleep(5)
        assert scene.told() == scene.told("chat") == {OPENED: 1, RECOVERED: 1}
        assert all(one.closed_at is not None for one in await scene.store.archive.members("s0-1"))


async def test_a_second_failure_inside_a_storm_is_notified_on_its_own_in_its_own_time(clock: VirtualClock) -> None:
    names = [f"s{number}" for number in range(60)]
    async with Scene(clock, [*(shop(name) for name in names), shop("alone")]) as scene:
        await scene.see([*names, "alone"], UP)
        await scene.see(["alone"], UP, address="198.51.100.1")
        await scene.see(names[:50], DOWN)
        await clock.sleep(4)
        started = clock.now()
        await scene.see(["alone"], DOWN, Cause.HTTP_STATUS, address="198.51.100.1", http=HttpFacts(500, "1.1"))
        await clock.sleep(1)
        (at, message), *more = scene.channels["mail"].told
        assert (message.thread, more) == ("alone-1", [])
        assert at - started < 1_000, "a lone service waits for nobody"
        await scene.see([names[55]], DOWN, Cause.TLS_EXPIRED)
        await clock.sleep(12)
        assert {message.thread for _, message in scene.channels["mail"].told} == {"alone-1", "s0-1", f"{names[55]}-1"}


async def test_who_joins_later_is_in_an_update_and_hours_later_in_an_alert_of_its_own(clock: VirtualClock) -> None:
    names = [f"s{number}" for number in range(40)]
    async with Scene(clock, [shop(name) for name in names]) as scene:
        await scene.see(names, UP)
        await scene.see(names[:10], DOWN)
        await clock.sleep(20)
        for name in names[10:30]:
            await scene.see([name], DOWN)
            await clock.sleep(5)
        await clock.sleep(100)
        told = scene.told()
        assert told[OPENED] == 1
        assert 1 <= told[UPDATED] <= 4
        await clock.sleep(2 * 3_600)
        await scene.see(names[30:31], DOWN)
        await clock.sleep(15)
        assert scene.told()[OPENED] == 2
        assert {len(members) for members in (await scene.alerts()).values()} == {30, 1}
        await scene.see(names[:1], UP)
        await scene.see(names[:1], DOWN)
        await clock.sleep(15)
        assert scene.told()[OPENED] == 2, "a member that fails again is one again, however late"


async def test_after_a_restart_incidents_join_the_alert_that_was_open(clock: VirtualClock) -> None:
    names = [f"s{number}" for number in range(6)]
    async with Scene(clock, [shop(name) for name in names]) as scene:
        await scene.see(names, UP)
        await scene.see(names[:3], DOWN)
        await scene.see(names[:1], UP)
    async with Scene(clock, scene.monitors.values(), scene.store) as again:
        await again.see(names[3:], DOWN)
        assert await again.alerts() == {"s0-1": set(names)}
        await clock.sleep(15)
        assert again.told() == {OPENED: 1}
        await again.see(names[1:], UP)
        await clock.sleep(5)
        assert again.told() == {OPENED: 1, RECOVERED: 1}


async def test_a_lone_service_is_announced_at_once_and_group_off_is_alone(clock: VirtualClock) -> None:
    off = policies(confirm=1, recover=1, to=("mail",), group=False)
    async with Scene(clock, [shop("a"), shop("b", policy=off), shop("c", policy=off)]) as scene:
        await scene.see("abc", UP)
        await scene.see("abc", DOWN)
        await clock.sleep(1)
        assert scene.told() == {OPENED: 3}
        assert set(await scene.alerts()) == {"a-1", "b-1", "c-1"}


async def test_each_channel_of_any_member_hears_of_the_alert_once(clock: VirtualClock) -> None:
    """Also where the member that brought it is not the first, and came after the opening."""
    chat = policies(confirm=1, recover=1, to=("chat",), remind_ms=0)
    async with Scene(clock, [shop("a"), shop("b", policy=chat), shop("c"), shop("d", policy=chat)]) as scene:
        await scene.see("abcd", UP)
        await scene.see("ac", DOWN)
        await clock.sleep(15)
        assert (scene.told(), scene.told("chat")) == ({OPENED: 1}, {})
        await scene.see("bd", DOWN)
        await clock.sleep(90)
        assert scene.told("chat")[OPENED] == scene.told()[OPENED] == 1
        await scene.see("abcd", UP)
        await clock.sleep(5)
        assert scene.told("chat")[RECOVERED] == scene.told()[RECOVERED] == 1


async def test_an_acknowledgement_is_of_the_alert_and_a_resolution_of_the_member(clock: VirtualClock) -> None:
    async with Scene(clock, [shop(name) for name in "abcd"]) as scene:
        await scene.see("abcd", UP)
        await scene.see("abc", DOWN)
        await clock.sleep(15)
        await scene.vigie.ingest.handle("b", Acked(clock.now(), "ana"))
        assert [one.acked_by for one in await scene.store.archive.members("a-1")] == ["ana"] * 3
        for name in "abc":
            assert "AckRecorded" in [type(one.decision).__name__ for one in await scene.store.archive.timeline(f"{name}-1")]
        await scene.see("d", DOWN)
        assert (await scene.store.archive.members("a-1"))[-1].acked_by == "ana"
        await scene.vigie.ingest.handle("b", Resolved(clock.now(), "ana", "done"))
        (known,) = scene.vigie.ingest.alerts()
        assert (known.phase, known.members.open) == (Phase.ACKED, 3)


async def test_who_is_in_maintenance_hides_nothing_of_the_others(clock: VirtualClock) -> None:
    muted = policies(confirm=1, recover=1, to=("mail",), windows=(Window(0, clock.now() + 3_600_000),))
    async with Scene(clock, [shop("a", policy=muted), shop("b", policy=muted), shop("c")]) as scene:
        await scene.see("abc", UP)
        await scene.see("ab", DOWN)
        await clock.sleep(60)
        assert scene.told() == {}
        await scene.see("c", DOWN)
        await clock.sleep(60)
        assert sum(scene.told().values()) == 1
        assert await scene.alerts() == {"a-1": {"a", "b", "c"}}


def family() -> list[Monitor]:
    """A router, what is behind it, and what is behind that; all look elsewhere."""
    return [
        shop("router"),
        shop("db", depends_on=("router",)),
        shop("api", depends_on=("db",)),
        shop("web", depends_on=("db",)),
        shop("other"),
    ]


async def everything_up(scene: Scene) -> None:
    for number, name in enumerate(scene.monitors):
        await scene.see([name], UP, address=f"203.0.{number}.1")


async def test_what_depends_on_something_that_is_down_joins_its_alert_however_late(clock: VirtualClock) -> None:
    async with Scene(clock, family()) as scene:
        await everything_up(scene)
        await scene.see(["router"], DOWN, address="203.0.0.1")
        await clock.sleep(3 * 3_600)
        await scene.see(["api"], DOWN, Cause.HTTP_STATUS, address="203.0.2.1", http=HttpFacts(500, "1.1"))
        await scene.see(["other"], DOWN, Cause.HTTP_STATUS, address="203.0.4.1", http=HttpFacts(500, "1.1"))
        assert await scene.alerts() == {"router-1": {"router", "api"}, "other-1": {"other"}}


async def test_a_child_that_fails_before_its_parent_is_one_alert_with_it(clock: VirtualClock) -> None:
    async with Scene(clock, family()) as scene:
        await everything_up(scene)
        await scene.see(["api"], DOWN, Cause.CONTENT_MISSING, address="203.0.2.1")
        await clock.sleep(2)
        await scene.see(["web"], DOWN, Cause.LATENCY_THRESHOLD, address="203.0.3.1")
        await clock.sleep(2)
        await scene.see(["db"], DOWN, Cause.TCP_REFUSED, address="203.0.1.1")
        assert await scene.alerts() == {"api-1": {"api", "web", "db"}}
        await clock.sleep(15)
        assert scene.told() == {OPENED: 1}


async def test_children_of_a_parent_that_is_up_are_two_failures(clock: VirtualClock) -> None:
    async with Scene(clock, family()) as scene:
        await everything_up(scene)
        for name, place in (("api", 2), ("web", 3)):
            await clock.sleep(1)
            await scene.see(["router", "db"], UP, address=None)
            await scene.see([name], DOWN, Cause.CONTENT_MISSING, address=f"203.0.{place}.1")
        assert set(await scene.alerts()) == {"api-1", "web-1"}


async def test_worst_severity_and_who_asked_for_degradations(clock: VirtualClock) -> None:
    slow = policies(confirm=1, recover=1, to=("mail",), degraded_to=("chat",), remind_ms=0)
    async with Scene(clock, [shop("db", policy=slow), shop("api", policy=slow, depends_on=("db",))]) as scene:
        await everything_up(scene)
        await scene.see(["api"], DEGRADED, Cause.LATENCY_THRESHOLD, address="203.0.1.1")
        await clock.sleep(15)
        assert (scene.told(), scene.told("chat")) == ({}, {OPENED: 1})
        await scene.see(["db"], DOWN, address="203.0.0.1")
        (known,) = scene.vigie.ingest.alerts()
        assert known.severity is Severity.OUTAGE
        await clock.sleep(90)
        assert scene.told()[OPENED] == 1
        await scene.see(["api", "db"], UP)
        await clock.sleep(5)
        assert scene.told()[RECOVERED] == scene.told("chat")[RECOVERED] == 1


PLACES = ("192.0.2.7", "192.0.2.8", "198.51.100.1")
CAUSES = (Cause.TIMEOUT_CONNECT, Cause.TCP_REFUSED, Cause.HTTP_STATUS, Cause.TLS_EXPIRED, Cause.HEARTBEAT_MISSED, Cause.DNS_NXDOMAIN)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32))
def test_every_incident_is_in_exactly_one_alert_and_every_alert_is_told_from_its_opening_to_its_end(seed: int) -> None:
    run_virtual(_history(random.Random(seed)))


async def _history(chance: random.Random) -> None:
    clock = VirtualClock()
    names = [f"m{number}" for number in range(8)]
    both = policies(confirm=2, recover=2, to=("mail", "chat"), flapping=False)
    kinds = [policies(confirm=1, recover=1, to=("mail",), flapping=False), both]
    kinds.append(policies(confirm=1, recover=1, to=("chat",), group=False, flapping=False))
    monitors = [
        shop(name, policy=chance.choice(kinds), depends_on=("m0",) if chance.random() < 0.3 and name != "m0" else ()) for name in names
    ]
    store = MemoryStore()
    told: list[tuple[str, Message]] = []
    for _ in range(3):
        async with Scene(clock, monitors, store) as scene:
            for _ in range(15):
                some = chance.sample(names, chance.randint(1, 5))
                status = chance.choice([UP, DOWN, DOWN, DEGRADED])
                await scene.see(some, status, None if status is UP else chance.choice(CAUSES), address=chance.choice(PLACES))
                if chance.random() < 0.1:
                    wish: Acked | Resolved = Acked(clock.now(), "x") if chance.random() < 0.5 else Resolved(clock.now(), "x")
                    await scene.vigie.ingest.handle(chance.choice(names), wish)
                await clock.sleep(chance.choice([0.1, 1, 3, 15, 70]))
                for known in scene.vigie.ingest.alerts():
                    rows = await store.archive.members(known.id)
                    assert [(one.id, one.closed_at is None) for one in rows] == [(one.incident, one.open) for one in known.members]
                    assert any(one.open for one in known.members)
            for _ in range(3):
                await scene.see(names, UP)
            await clock.sleep(30)
            told += [(name, message) for name, channel in scene.channels.items() for _, message in channel.told]
    rows = await store.reopen().archive.incidents(limit=10_000)
    assert {one.alert for one in rows} <= {one.id for one in rows}
    assert all(one.closed_at is not None for one in rows)
    assert set(Counter(message.key for _, message in told).values()) <= {1}
    openings = [(message.thread, name) for name, message in told if message.reason in OPENINGS]
    ends = [(message.thread, name) for name, message in told if message.reason in (RECOVERED, NoticeReason.CLOSED)]
    assert sorted(openings) == sorted(set(openings)) == sorted(ends)
    assert {thread for thread, _ in openings} == {one.alert for one in rows if one.severity is Severity.OUTAGE}
