"""What a run did, in figures: from a record alone."""

from dataclasses import replace

from tests.chaos.summary import delays, lines, repeated, summarised
from tests.chaos.test_verdict import right
from tests.chaos.verdict import Disturbance


def test_the_figures_of_a_run_say_how_soon_people_were_notified_and_what_came_twice() -> None:
    record = right()
    first = record.received[0]
    record = replace(
        record,
        received=[first, replace(first, at=first.at + 500), *record.received[1:]],
        disturbances=[Disturbance(f"kill -9: {part}", 0, 1_000) for part in ("server1", "agent2")] + [Disturbance("pause: nats", 0, 1)],
    )

    assert repeated(record) == {first.key: 2}
    assert delays(record) == {"opened": [2_400, 2_400, 2_400], "recovered": [1_800, 1_800, 1_800]}
    figures = summarised(record, [9_000, 11_000, 4_000])
    assert figures["takeovers"] == {"count": 3, "median": 9_000, "p95": 11_000, "worst": 11_000}
    assert lines(figures) == [
        "3 outages, 3 incidents, 6 notices on record",
        "3 faults: 2 × kill -9, 1 × pause",
        "opened: notified after median 2.4 s, p95 2.4 s, worst 2.4 s (3)",
        "recovered: notified after median 1.8 s, p95 1.8 s, worst 1.8 s (3)",
        "another server evaluates after median 9.0 s, p95 11.0 s, worst 11.0 s (3)",
        f"taken 2 times: {first.key}",
    ]
    assert "another server" not in " ".join(lines(summarised(record, [])))
