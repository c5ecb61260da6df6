"""What holds between two events, after the clock was set back."""

from hypothesis import given
from tests.core.test_incident import POLICIES, after, logs

from vigie.core.detection import DetectionPolicy
from vigie.core.events import DetectionEvent
from vigie.engine.books import not_after


@given(log=logs(), ours=POLICIES)
def test_nothing_waits_for_a_time_to_come_again(log: list[DetectionEvent], ours: DetectionPolicy) -> None:
    """The clock is set back to any instant: nothing is later than that, and a state of which nothing was is the same."""
    state = after(ours, *log)[0]
    for now in (0, 1, max(state.at or 0, 0) // 2, 10**9):
        kept = not_after(state, now)
        instants = [
            kept.at or 0,
            kept.unchecked.since or 0,
            *(max(one.since, one.turned, *one.past, 0) for one in (kept.outage, kept.degradation)),
        ]
        assert max([*instants, *(max(one.at, one.since, one.unbroken) for one in kept.views)]) <= now
        assert not_after(kept, now) is kept
        assert [(one.phase, one.count, one.incident) for one in (kept.outage, kept.degradation)] == [
            (one.phase, one.count, one.incident) for one in (state.outage, state.degradation)
        ]
        assert [(one.location, one.run, one.sequence, one.status) for one in kept.views] == [
            (one.location, one.run, one.sequence, one.status) for one in state.views
        ]
    assert not_after(state, 10**9) is state
