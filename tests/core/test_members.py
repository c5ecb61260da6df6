"""The members of an alert: a value like a tuple, however many values come of one another."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.detection import Severity
from vigie.core.members import NOBODY, Member, Members

# (which of the values so far to go on from, whether somebody joins, who)
STEPS = st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.integers(0, 6)), max_size=40)


def test_nobody_is_empty_and_stays_so() -> None:
    first, second = NOBODY.with_one(Member("a-1", "a")), NOBODY.with_one(Member("b-1", "b"))
    assert (list(NOBODY), NOBODY.open) == ([], 0)
    assert first == (Member("a-1", "a"),)
    assert second == (Member("b-1", "b"),)


def test_a_member_keeps_what_is_known_of_it_when_it_closes() -> None:
    members = Members([Member("a-1", "a", severity=Severity.DEGRADATION), Member("b-1", "b", open=False)]).without("a-1")
    assert members == (Member("a-1", "a", open=False, severity=Severity.DEGRADATION), Member("b-1", "b", open=False))
    assert members.open == 0
    assert members.concern("b")
    assert not members.concern("c")
    assert repr(members).startswith("Members([Member(incident='a-1'")


@given(STEPS)
def test_every_value_stays_as_it_was_whatever_comes_of_it(steps: list[tuple[int, bool, int]]) -> None:
    """Beside plain tuples, which do the same and copy."""
    values: list[tuple[Members, tuple[Member, ...]]] = [(Members(), ())]
    for which, joins, who in steps:
        ours, plain = values[which % len(values)]
        name, monitor = f"m{who}-1", f"m{who}"
        known = any(one.incident == name for one in plain)
        if joins:
            values.append((ours.with_one(Member(name, monitor)), plain if known else (*plain, Member(name, monitor))))
        else:
            closed = tuple(replace(one, open=False) if one.incident == name else one for one in plain)
            values.append((ours.without(name), closed))
    for ours, plain in values:
        assert ours == plain
        assert tuple(ours) == plain
        assert (len(ours), ours.open) == (len(plain), sum(one.open for one in plain))
        for who in range(7):
            name = f"m{who}-1"
            assert ours.has(name) == any(one.incident == name for one in plain)
            assert ours.has_open(name) == any(one.incident == name and one.open for one in plain)
            assert ours.concern(f"m{who}") == any(one.monitor == f"m{who}" for one in plain)


def test_what_changes_nothing_gives_the_same_value() -> None:
    members = Members([Member("a-1", "a")])
    assert members.with_one(Member("a-1", "a")) is members
    assert members.without("b-1") is members
    closed = members.without("a-1")
    assert closed.without("a-1") is closed
    assert Member("a-1", "a") in members
