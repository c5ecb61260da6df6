"""What is said of a fleet: by what its store knows, with what is wrong, the worst first."""

from collections.abc import Callable
from dataclasses import replace

from vigie.engine.queries.fleet import fleet_of
from vigie.ports import AgentStatus, EnrolledAgent, ServerStatus, ShardRun
from vigie.queries.fleet import FleetProblem, FleetView, ServerRole
from vigie.testing.loop import VirtualClock, run_virtual
from vigie.testing.memory import MemoryStore

MINUTE = 60_000


async def _fleet(store: MemoryStore, now: int) -> FleetView:
    """Two servers, the first of which evaluates, and an agent with a shard."""
    lease = await store.fleet.claim("evaluator", "one/abc.1", MINUTE)
    one = ServerStatus("one", "1.2.0", now - MINUTE, now - 1_000, "http://one.test", 12, 0, "aa", 1, 31)
    await store.fleet.report_server(one)
    await store.fleet.report_server(replace(one, name="two"))
    await store.fleet.enroll(EnrolledAgent("paris-1", "paris", "h", "vga_", now, "ann"))
    await store.fleet.heard(AgentStatus("paris-1", "paris", now - 2_000, "1.2.0"))
    await store.fleet.save_shard_runs([ShardRun("paris", 7, "paris-1", 1), ShardRun("paris", 9, "paris-1", 2)], lease)
    return await fleet_of(store)


def _with(*changes: Callable[[MemoryStore, int], object]) -> FleetView:
    async def main() -> FleetView:
        clock = VirtualClock()
        store = MemoryStore(clock.now)
        await _fleet(store, clock.now())
        for change in changes:
            found = change(store, clock.now())
            if hasattr(found, "__await__"):
                await found
        return await fleet_of(store)

    found: FleetView = run_virtual(main())
    return found


def test_all_is_well() -> None:
    found = _with()
    assert found.problems == ()
    assert [(one.status.name, one.role) for one in found.servers] == [("one", ServerRole.EVALUATOR), ("two", ServerRole.STANDBY)]
    assert [(one.agent.name, one.shards, one.silent) for one in found.agents] == [("paris-1", 2, False)]
    assert found.orphans == ()


def _kinds(found: FleetView) -> list[tuple[FleetProblem, str, int]]:
    return [(one.kind, one.about, one.count) for one in found.problems]


def test_nobody_evaluates() -> None:
    assert _kinds(_with(lambda store, _: store.fleet.release("evaluator", "one/abc.1"))) == [(FleetProblem.NO_EVALUATOR, "", 0)]


def test_a_server_that_is_silent_evaluates_nothing_whatever_its_lease_says() -> None:
    status = ServerStatus("one", "1.2.0", 0, 0, config="aa")
    found = _with(lambda store, now: store.fleet.report_server(replace(status, seen_at=now - 20_000)))
    assert _kinds(found) == [(FleetProblem.NO_EVALUATOR, "", 0), (FleetProblem.SERVER_SILENT, "one", 0)]


def test_servers_of_two_configurations() -> None:
    other = ServerStatus("two", "1.2.0", 0, 0, config="bb", schema=31)
    found = _with(lambda store, now: store.fleet.report_server(replace(other, seen_at=now)))
    assert _kinds(found) == [(FleetProblem.SERVERS_DIFFER, "two", 0)]
    assert [one.differs for one in found.servers] == [False, True]
    assert [one.is_fault for one in found.problems] == [True]


def test_of_two_versions_nobody_can_tell_whether_their_configurations_differ() -> None:
    """A newer one knows more keys: an upgrade under way is not a fault."""
    newer = ServerStatus("two", "1.3.0", 0, 0, config="bb", schema=31)
    found = _with(lambda store, now: store.fleet.report_server(replace(newer, seen_at=now)))
    assert _kinds(found) == [(FleetProblem.VERSIONS_DIFFER, "1.2.0, 1.3.0", 0)]
    assert [one.is_fault for one in found.problems] == [False]
    unreleased = replace(newer, version="1.2.0", schema=32)
    assert _kinds(_with(lambda store, now: store.fleet.report_server(replace(unreleased, seen_at=now)))) == []


def test_shards_of_an_agent_that_is_silent_or_gone() -> None:
    silent = AgentStatus("paris-1", "paris", 0, "1.2.0")
    found = _with(lambda store, now: store.fleet.heard(replace(silent, seen_at=now - 46_000)))
    assert _kinds(found) == [(FleetProblem.SHARDS_WITHOUT_AGENT, "paris", 2), (FleetProblem.AGENT_SILENT, "paris-1", 0)]
    assert _kinds(_with(lambda store, now: store.fleet.revoke_agent("paris-1", now))) == [(FleetProblem.SHARDS_WITHOUT_AGENT, "paris", 2)]


def test_an_agent_that_never_came_is_worth_knowing() -> None:
    found = _with(lambda store, now: store.fleet.enroll(EnrolledAgent("lille-1", "lille", "h2", "vga_", now, "ann")))
    assert _kinds(found) == [(FleetProblem.AGENT_NEVER_HEARD, "lille-1", 0)]
    assert not any(one.is_fault for one in found.problems)


def test_a_bus_that_cannot_be_used_and_what_waits_because_of_it() -> None:
    away = ServerStatus("one", "1.2.0", 0, 0, waiting=-1)
    found = _with(lambda store, now: store.fleet.report_server(replace(away, seen_at=now)))
    assert (FleetProblem.BUS_AWAY, "one", 0) in _kinds(found)
    full = AgentStatus("paris-1", "paris", 0, "1.2.0", spooled=7)

    def after(span: int) -> FleetView:
        return _with(lambda store, now: store.fleet.heard(replace(full, seen_at=now, spooled_since=now - span)))

    found = after(130_000)
    assert _kinds(found) == [(FleetProblem.AGENT_BEHIND, "paris-1", 0)]
    assert all(one.is_fault for one in found.problems)
    assert _kinds(after(110_000)) == []
