"""The laws of state machine 4: when a channel that fails is announced, and that it works again."""

from hypothesis import given
from hypothesis import strategies as st

from vigie.observation.channel import LASTING_MS, Attempted, ChannelState, Decision, Passed, is_lasting, step, thread_of

NOW = 1_767_225_600_000
MINUTE = 60_000


def run(*events: Attempted | Passed) -> tuple[ChannelState, list[tuple[int, Decision]]]:
    state, decided = ChannelState("mail"), []
    for event in events:
        state, decision = step(state, event)
        if decision is not None:
            decided.append((event.at - NOW, decision))
    return state, decided


def failed(minutes: float, *, given_up: bool = False) -> Attempted:
    return Attempted(NOW + round(minutes * MINUTE), "auth", "535", given_up)


def worked(minutes: float) -> Attempted:
    return Attempted(NOW + round(minutes * MINUTE))


def test_a_channel_that_fails_for_a_quarter_of_an_hour_is_announced_once_and_so_is_its_recovery() -> None:
    state, decided = run(*(failed(minute) for minute in (0, 1, 5, 14.9, 15, 16, 30)), worked(43), worked(44))
    assert decided == [(15 * MINUTE, Decision.FAILING), (43 * MINUTE, Decision.RESTORED)]
    assert state.failing is None
    assert state.last is not None
    assert (state.last.since, state.last.until, state.last.attempts) == (NOW, NOW + 43 * MINUTE, 7)
    assert state.spell(thread_of("mail", state.last)) is state.last


def test_time_alone_announces_what_is_not_tried_again_meanwhile() -> None:
    _, decided = run(failed(0), failed(1), failed(2), Passed(NOW + LASTING_MS - 1), Passed(NOW + LASTING_MS))
    assert decided == [(LASTING_MS, Decision.FAILING)]
    _, decided = run(failed(0, given_up=True), Passed(NOW + LASTING_MS))
    assert decided == [(LASTING_MS, Decision.FAILING)], "nothing tries it again"


def test_two_attempts_are_no_spell_worth_a_notice() -> None:
    assert run(failed(0), failed(1), Passed(NOW + 20 * MINUTE))[1] == [], "the clock may have jumped"


def test_what_heals_soon_is_not_announced() -> None:
    state, decided = run(failed(0), failed(5), worked(6), failed(20), failed(21), worked(30))
    assert decided == []
    assert state == ChannelState("mail")


def test_three_notices_given_up_are_enough() -> None:
    _, decided = run(failed(0, given_up=True), failed(0.1, given_up=True), failed(0.2, given_up=True), failed(0.3, given_up=True))
    assert decided == [(12_000, Decision.FAILING)]


EVENTS = st.lists(st.tuples(st.integers(0, 600_000), st.sampled_from(["fails", "given up", "works", "passes"])), max_size=60)


@given(EVENTS)
def test_whatever_happens_notices_alternate_and_each_spell_has_one(events: list[tuple[int, str]]) -> None:
    state, at, decided = ChannelState("mail"), NOW, list[Decision]()
    for wait, what in events:
        at += wait
        event = Passed(at) if what == "passes" else Attempted(at, None if what == "works" else "auth", "", what == "given up")
        state, decision = step(state, event)
        decided += [decision] if decision is not None else []
        if what == "works":
            assert state.failing is None
        if what in ("fails", "given up"):
            assert state.failing is not None
        assert is_lasting(state, at) <= (state.failing is not None)
    assert decided == [Decision.FAILING if number % 2 == 0 else Decision.RESTORED for number in range(len(decided))]
