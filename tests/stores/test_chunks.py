"""Chunks read back as they were written, and each result is in them once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.model import Cause, CheckResult, HttpFacts, Status, Timings
from vigie.fleet import packed
from vigie.stores.kit import chunks

DAY = 20_000
START = DAY * 86_400_000
BODY = st.binary(min_size=chunks.BODY, max_size=chunks.BODY)
ROW = st.tuples(st.integers(START, START + 86_399_999), st.integers(0, 2**32 - 1), st.integers(0, 2**48 - 1), BODY)
ROWS = st.lists(ROW, max_size=60)


@given(ROWS)
def test_a_chunk_reads_back(rows: list[chunks.Record]) -> None:
    records = chunks.gathered(rows)
    found = chunks.decode(chunks.encode(records, START), START)
    assert list(found.rows()) == list(records.rows())
    assert not found.thin


@given(ROWS)
def test_a_thin_chunk_keeps_instants_statuses_causes_and_totals(rows: list[chunks.Record]) -> None:
    records = chunks.thinned(chunks.gathered(rows))
    found = chunks.decode(chunks.encode(records, START), START)
    assert found.thin
    assert list(found.rows()) == list(records.rows())
    whole = chunks.gathered(rows)
    assert (found.instants, found.statuses, list(found.totals)) == (whole.instants, whole.statuses, list(whole.totals))


@given(ROWS, st.randoms(use_true_random=False))
def test_whatever_order_and_however_often_they_come(rows: list[chunks.Record], chance: object) -> None:
    once = chunks.gathered(rows)
    again = [*once.rows(), *once.rows()]
    chance.shuffle(again)  # type: ignore[attr-defined]
    assert list(chunks.gathered(again).rows()) == list(once.rows())
    halves = [chunks.gathered(list(once.rows())[::2]), chunks.gathered(list(once.rows())[1::2])]
    assert list(chunks.gathered([row for half in halves for row in half.rows()]).rows()) == list(once.rows())


@given(ROW)
def test_a_record_by_itself_reads_back(row: chunks.Record) -> None:
    assert list(chunks.records_of(chunks.loose(*row) * 2)) == [row, row]


def test_what_a_chunk_holds_is_what_was_packed() -> None:
    one = CheckResult(
        "a", START + 5, Status.DOWN, Cause.HTTP_STATUS, timings=Timings(1.5, None, 0.1, 7.0, 0.0, 99.9), http=HttpFacts(503, ""), run=7, sequence=70_000
    )  # fmt: skip
    records = chunks.decode(chunks.encode(chunks.gathered([(one.at, one.run, one.sequence, packed.body_of(one))]), START), START)
    ((at, run, sequence, body),) = records.rows()
    assert packed.result_of("a", "local", at, run, sequence, body) == one
    base, _, blob = packed.pack([one], {"a": 3}, {"local": 0})
    assert list(packed.parts_of(base, blob)) == [(3, 0, at, run, sequence, body)]
    assert list(packed.light_of(base, blob)) == [(3, 0, at, 2, 999)]


@pytest.mark.parametrize("blob", [b"", b"\1", b"\2\0", b"\1\2abc", b"\1\0abc", chunks.encode(chunks.NOTHING, 0)[:-3]])
def test_what_is_damaged_or_of_a_later_version_is_refused(blob: bytes) -> None:
    with pytest.raises(ValueError, match="chunk"):
        chunks.decode(blob, 0)
