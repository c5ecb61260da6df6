"""The verdict finds what is wrong: each kind is made to happen in a record that is right otherwise."""

import itertools
from dataclasses import replace

import pytest
from tests.chaos.script import Outage, Script
from tests.chaos.verdict import Disturbance, IncidentRow, Kind, NoticeRow, Received, Record, Shift, judge

OUTAGES = (Outage("s00", 10_000, 30_000), Outage("s01", 12_000, 40_000), Outage("s00", 60_000, 90_000))


def right() -> Record:
    """A run in which everything went as it should."""
    incidents = [IncidentRow(f"i{n}", one.service, "outage", one.start + 400, one.end + 1_500, f"a{n}") for n, one in enumerate(OUTAGES)]
    notices = [
        NoticeRow(f"{one.alert}:{reason}", one.alert, one.monitor, reason, "delivered")
        for one in incidents
        for reason in ("opened", "recovered")
    ]
    at = {one.alert: {"opened": one.started_at + 2_000, "recovered": (one.closed_at or 0) + 300} for one in incidents}
    received = [Received(at[row.alert][row.reason], row.key, row.alert, row.monitor, row.reason) for row in notices]
    return Record(OUTAGES, incidents, notices, sorted(received, key=lambda one: one.at))


def kinds(record: Record) -> set[Kind]:
    return {one.kind for one in judge(record)}


def without(record: Record, alert: str) -> Record:
    """Nothing of an incident was ever on record."""
    return replace(
        record,
        incidents=[one for one in record.incidents if one.alert != alert],
        notices=[one for one in record.notices if one.alert != alert],
        received=[one for one in record.received if one.thread != alert],
    )


def test_a_run_in_which_all_went_well_has_no_findings() -> None:
    assert judge(right()) == []


def test_a_missing_transition_is_found() -> None:
    assert kinds(without(right(), "a1")) == {Kind.MISSING}
    first, *others = right().incidents
    assert kinds(replace(right(), incidents=[replace(first, closed_at=None), *others])) == {Kind.STILL_OPEN}
    assert kinds(replace(right(), incidents=[replace(first, started_at=first.started_at - 1_000), *others])) == {
        Kind.MISSING,
        Kind.SPURIOUS,
    }


def test_a_spurious_transition_is_found() -> None:
    record = right()
    added = IncidentRow("i9", "s01", "outage", 50_000, 52_000, "a9")
    told = [NoticeRow(f"a9:{reason}", "a9", "s01", reason, "delivered") for reason in ("opened", "recovered")]
    received = [Received(51_000 + n, one.key, "a9", "s01", one.reason) for n, one in enumerate(told)]
    found = replace(record, incidents=[*record.incidents, added], notices=[*record.notices, *told], received=[*record.received, *received])

    assert kinds(found) == {Kind.SPURIOUS}
    assert kinds(replace(record, outages=OUTAGES[:2])) == {Kind.SPURIOUS}


def test_a_double_transition_is_found() -> None:
    record = right()
    again = replace(record.incidents[0], id="i9", started_at=record.incidents[0].started_at + 5_000)
    assert kinds(replace(record, incidents=[*record.incidents, again])) == {Kind.TWICE}
    key = replace(record.notices[0], key="another")
    assert kinds(replace(record, notices=[*record.notices, key])) == {Kind.TWO_KEYS, Kind.NOT_RECEIVED}


def test_an_outage_that_ended_early_late_or_as_something_else_is_found() -> None:
    first, *others = right().incidents
    for changed, kind in (
        (replace(first, closed_at=20_000), Kind.WRONG_END),
        (replace(first, closed_at=59_000), Kind.WRONG_END),
        (replace(first, severity="degradation"), Kind.SEVERITY),
    ):
        assert kinds(replace(right(), incidents=[changed, *others])) == {kind}


def test_what_becomes_of_a_notice_is_followed() -> None:
    record = right()
    first, *others = record.notices
    assert kinds(replace(record, notices=[replace(first, state="waiting"), *others])) == {Kind.UNSENT}
    assert kinds(replace(record, notices=others)) == {Kind.NO_NOTICE, Kind.UNKNOWN_NOTICE}
    assert kinds(replace(record, received=[one for one in record.received if one.key != first.key])) == {Kind.NOT_RECEIVED, Kind.ORDER}
    refused = [replace(one, taken=one.key != first.key) for one in record.received]
    assert kinds(replace(record, received=refused)) == {Kind.NOT_RECEIVED}


def test_a_notice_is_repeated_once_for_each_fault_and_never_otherwise() -> None:
    record = right()
    first = record.received[0]
    again = [first, replace(first, at=first.at + 500), *record.received[1:]]
    killed = Disturbance("kill -9 of server 1", first.at - 100, first.at + 3_000)

    assert kinds(replace(record, received=again)) == {Kind.REPEATED}
    assert judge(replace(record, received=again, disturbances=[killed])) == []
    assert kinds(replace(record, received=again, disturbances=[replace(killed, start=first.at + 501, end=first.at + 900)])) == {
        Kind.REPEATED
    }
    thrice = [*again[:2], replace(first, at=first.at + 900), *record.received[1:]]
    assert kinds(replace(record, received=thrice, disturbances=[killed])) == {Kind.REPEATED}


def test_what_nobody_could_see_is_not_asked_for() -> None:
    record = right()
    killed = Disturbance("loss of power: server1", 12_000, 29_000)

    assert judge(replace(without(record, "a0"), blind=[killed])) == []
    assert kinds(replace(without(record, "a1"), blind=[killed])) == {Kind.MISSING}  # it could be looked at for eleven seconds more
    first, second, third = record.incidents
    late = [first, replace(second, started_at=29_500), third]
    assert kinds(replace(record, incidents=late)) == {Kind.MISSING}
    assert judge(replace(record, incidents=late, blind=[killed])) == []
    closed = [replace(first, closed_at=first.closed_at + 15_000), second, third]  # type: ignore[operator]
    assert kinds(replace(record, incidents=closed)) == {Kind.WRONG_END}
    assert judge(replace(record, incidents=closed, blind=[replace(killed, start=29_000, end=45_000)])) == []


@pytest.mark.parametrize("ahead", [40_000, -40_000, 7_200_000, -7_200_000])
def test_what_a_server_judged_while_its_clock_was_set_is_on_record_with_the_time_that_it_had(ahead: int) -> None:
    record = right()
    first, second, third = record.incidents
    shift = Shift(11_000, 45_000, ahead)  # both services that fail then, and the ends of both
    moved = [
        replace(first, closed_at=first.closed_at + ahead),  # type: ignore[operator]
        replace(second, started_at=second.started_at + ahead, closed_at=second.closed_at + ahead),  # type: ignore[operator]
        third,
    ]

    assert judge(replace(record, incidents=moved, clocks=[shift])) == []
    assert Kind.WRONG_END in kinds(replace(record, incidents=moved))
    assert Kind.SPURIOUS in kinds(replace(record, incidents=moved)) or Kind.MISSING in kinds(replace(record, incidents=moved))
    if ahead > 0:  # it was set right before both were up again: they end no earlier than they began
        early = [replace(one, started_at=one.started_at + ahead, closed_at=one.started_at + ahead) for one in (first, second)]
        assert judge(replace(record, incidents=[*early, third], clocks=[Shift(9_000, 15_000, ahead)])) == []
    if ahead < -40_000:  # it was set while both were down: the same
        early = [replace(one, closed_at=one.started_at) for one in (first, second)]
        assert judge(replace(record, incidents=[*early, third], clocks=[Shift(25_000, 45_000, ahead)])) == []
        assert kinds(replace(record, incidents=[*early, third])) == {Kind.WRONG_END}
    wrongly = [first, second, replace(third, started_at=third.started_at + ahead, closed_at=third.closed_at + ahead)]  # type: ignore[operator]
    assert Kind.MISSING in kinds(replace(record, incidents=wrongly, clocks=[shift]))  # long after it was set right


def test_a_fault_in_which_nothing_is_lost_explains_no_repetition() -> None:
    record = right()
    first = record.received[0]
    again = [first, replace(first, at=first.at + 500), *record.received[1:]]
    paused = Disturbance("pause: server1 (leading)", first.at - 100, first.at + 3_000, repeats=False)
    assert kinds(replace(record, received=again, disturbances=[paused])) == {Kind.REPEATED}


def test_a_script_can_be_over_early() -> None:
    script = Script(100_000, {"s00": (OUTAGES[0], OUTAGES[2]), "s01": (OUTAGES[1],)})

    assert script.ended(50_000) == Script(50_000, {"s00": (OUTAGES[0],), "s01": (OUTAGES[1],)})
    assert script.ended(13_000) == Script(22_000, {"s00": (replace(OUTAGES[0], end=20_000),), "s01": (replace(OUTAGES[1], end=22_000),)})
    assert script.ended(25_000).outages["s01"] == (replace(OUTAGES[1], end=25_000),)


def test_a_part_that_ended_by_itself_is_found() -> None:
    assert kinds(replace(right(), crashed=["server1: exit status 1"])) == {Kind.CRASHED}


@pytest.mark.parametrize("seed", range(20))
def test_a_script_is_replayed_by_its_seed_and_every_span_outlasts_a_fault(seed: int) -> None:
    script = Script.of(seed, 12, 180_000)

    assert script == Script.of(seed, 12, 180_000)
    assert script != Script.of(seed + 1, 12, 180_000)
    assert {one.service for one in script.every} == set(script.outages)
    for mine in script.outages.values():
        for one, following in itertools.pairwise(mine):
            assert following.start - one.end >= 20_000
        for one in mine:
            assert one.end - one.start >= 20_000
            assert one.end <= 180_000 - 14_000
            assert [script.is_down(one.service, at) for at in (one.start - 1, one.start, one.end - 1, one.end)] == [
                False,
                True,
                True,
                False,
            ]
