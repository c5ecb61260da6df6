"""A monitor that cannot be checked is an incident of Vigie itself, by time, and never one of the target."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vigie.core import incident
from vigie.core.detection import DetectionPolicy, Severity
from vigie.core.events import Closed, Observed, Opened, Recovered, Resolved
from vigie.core.incident import DetectionState
from vigie.core.model import Cause, Status
from vigie.core.subject import SubjectKind
from vigie.core.unchecked import CHECKED, alike

POLICY = DetectionPolicy(confirm=2, recover=1, unchecked_after_ms=120_000)
WHY = "the file of trusted authorities /x cannot be used"
VIGIE = SubjectKind.VIGIE


def seen(at: int, status: Status = Status.UNKNOWN, why: str = WHY) -> Observed:
    cause = None if status is Status.UP else Cause.PROBE_ERROR if status is Status.UNKNOWN else Cause.HTTP_STATUS
    return Observed(at, 1, at + 1, status, cause, obstacle=why if status is Status.UNKNOWN else "")


def played(*events: Observed | Resolved) -> tuple[DetectionState, list[object]]:
    state, found = DetectionState("shop"), list[object]()
    for event in events:
        state, decisions = incident.step(state, event, POLICY)
        found += decisions
    return state, found


def test_it_opens_once_when_it_has_lasted_and_ends_with_the_first_check_that_tells_something() -> None:
    state, found = played(*(seen(at) for at in range(0, 600_000, 60_000)), seen(600_000, Status.UP))
    assert found == [
        Opened(Severity.DEGRADATION, "shop-1", 120_000, 0, Cause.PROBE_ERROR, subject=VIGIE),
        Recovered(Severity.DEGRADATION, "shop-1", 600_000, VIGIE),
    ]
    assert state.resting


def test_two_single_cycles_five_minutes_apart_are_enough() -> None:
    assert [type(one) for one in played(seen(0), seen(300_000))[1]] == [Opened]


def test_a_short_one_says_nothing() -> None:
    state, found = played(seen(0), seen(60_000), seen(119_999, Status.UP), seen(130_000), seen(240_000))
    assert found == []
    assert state.unchecked.since == 130_000


def test_what_keeps_vigie_from_everything_neither_begins_nor_ends_it() -> None:
    assert played(seen(0, why=""), seen(300_000, why=""))[0].unchecked == CHECKED
    state, found = played(seen(0), seen(60_000, why=""), seen(120_000, why=""))
    assert (state.unchecked.since, found) == (0, [])


def test_a_person_closes_it_and_it_opens_again_while_it_lasts() -> None:
    _, found = played(seen(0), seen(120_000), Resolved(130_000, "zoe", "known"), seen(140_000), seen(260_000))
    assert [type(one) for one in found] == [Opened, Closed, Opened]
    assert found[2] == Opened(Severity.DEGRADATION, "shop-2", 260_000, 140_000, Cause.PROBE_ERROR, subject=VIGIE)


def test_an_outage_that_it_hides_opens_beside_it_under_another_number() -> None:
    state, found = played(seen(0), seen(120_000), seen(130_000, Status.DOWN), seen(135_000, Status.DOWN))
    assert [getattr(one, "incident", "") for one in found] == ["shop-1", "shop-1", "", "shop-2"]
    assert (state.outage.incident, state.unchecked) == ("shop-2", CHECKED)


def test_reasons_are_alike_but_for_their_numbers() -> None:
    assert alike("busy for 3.1 s", "busy for 12.0 s")
    assert not alike("/a.pem is missing", "/b.pem is missing")


@given(st.lists(st.tuples(st.integers(1, 200_000), st.sampled_from(list(Status)), st.booleans()), max_size=60))
def test_every_opening_has_one_end_and_the_target_is_never_blamed(steps: list[tuple[int, Status, bool]]) -> None:
    at, state, open_ = 0, DetectionState("shop"), set[str]()
    for after, status, own in steps:
        at += after
        before, event = state, replace(seen(at, status), obstacle=WHY if own and status is Status.UNKNOWN else "")
        state, decisions = incident.step(state, event, POLICY)
        for one in decisions:
            if getattr(one, "subject", None) is VIGIE:
                assert isinstance(one, Opened | Recovered)
                (open_.add if isinstance(one, Opened) else open_.remove)(one.incident)
        if status is Status.UNKNOWN:
            assert (state.outage, state.degradation) == (before.outage, before.degradation)
        assert bool(state.unchecked.incident) == bool(open_)
