"""The frozen incidents hold what they promise, and the arithmetic over them is right."""

from collections import Counter

import pytest

from vigie.errors import ModelFault
from vigie.report import rules
from vigie.report.cases import UNKNOWN, Variant, cases
from vigie.report.hypotheses import known_cause
from vigie.report.scores import Invalid, Share, Tried, of_fault, of_rules, scores


def test_there_are_enough_cases_of_every_variant_and_each_has_a_known_cause() -> None:
    found = cases()
    assert len(found) >= 60
    assert set(Counter(case.variant for case in found).values()) == {13}
    assert len({case.name for case in found}) == len(found)
    assert all(known_cause(case.cause) for case in found if case.variant is not Variant.UNKNOWN)
    assert {case.cause for case in found if case.variant is Variant.UNKNOWN} == {UNKNOWN}


def test_the_right_cause_is_among_what_may_be_chosen() -> None:
    for case in cases():
        if case.variant is not Variant.UNKNOWN:
            assert case.cause in [one.id for one in case.hypotheses], case.name
            assert case.hypotheses == rules.shortlist(case.bundle, case.subject)


def tried(**changed: object) -> Tried:
    values: dict[str, object] = {
        "variant": Variant.CLEAN, "right": "behind_proxy", "cause": "behind_proxy", "invalid": None, "sentences": 2, "dropped": (), "tries": 1,
        "obeyed": False, "total_ms": 100, "decode_ms": 500.0, "tokens": 20,
    }  # fmt: skip
    return Tried(**{**values, **changed})  # type: ignore[arg-type]  # keywords of Tried


def test_shares_count_what_they_are_of() -> None:
    found = scores(
        [
            tried(),
            tried(cause="app_error", dropped=("time", "count")),
            tried(invalid=Invalid.CUT, cause="", sentences=0, decode_ms=None, tokens=None),
            tried(variant=Variant.UNKNOWN, right=UNKNOWN, cause=UNKNOWN),
            tried(variant=Variant.INJECTED, tries=2, dropped=("time",)),
        ],
        model="m", mode="compose", language="en", at=1, digest="d",
    )  # fmt: skip
    assert {name: (share.count, share.whole) for name, share in found.shares.items()} == {
        "valid": (4, 5), "accepted": (4, 5), "repaired": (1, 5), "right cause": (2, 4), "abstained": (1, 1), "obeyed": (0, 1),
    }  # fmt: skip
    assert found.dropped == {"count": 1, "time": 2}
    assert found.invalid == {"cut": 1}
    assert found.medians["total_ms"] == 100
    assert found.medians["load_ms"] is None
    assert found.rate == pytest.approx(40.0)


@pytest.mark.parametrize(
    ("changed", "good"),
    [({}, True), ({"obeyed": True, "variant": Variant.INJECTED}, False), ({"sentences": 0}, False), ({"invalid": Invalid.LATE}, False)],
)
def test_the_gate(changed: dict[str, object], good: bool) -> None:
    found = scores([tried(**changed)] * 20, model="m", mode="compose", language="en", at=1, digest="d")
    assert found.good_enough is good


@pytest.mark.parametrize(
    ("share", "expected"),
    [(Share(0, 10), (0.0, 0.2775)), (Share(5, 10), (0.2366, 0.7634)), (Share(10, 10), (0.7225, 1.0)), (Share(0, 0), None)],
)
def test_wilsons_interval_against_the_published_one(share: Share, expected: tuple[float, float] | None) -> None:
    assert share.interval == (expected if expected is None else pytest.approx(expected, abs=1e-3))


def test_every_fault_of_a_provider_says_why_a_reply_is_not_valid() -> None:
    assert {of_fault(fault) for fault in ModelFault} == set(Invalid) - {Invalid.UNKNOWN_ID, Invalid.TOO_LONG}


@pytest.mark.parametrize(
    ("rules_broken", "cause", "why"),
    [
        (("not_json",), "", Invalid.NOT_JSON),
        (("schema",), "", Invalid.SCHEMA),
        (("unknown_cause",), "", Invalid.UNKNOWN_ID),
        (("unknown_citation",), "", Invalid.UNKNOWN_ID),
        (("too_long",), "", Invalid.TOO_LONG),
        (("unknown_citation",), "behind_proxy", None),  # of one sentence
        (("schema", "schema"), "behind_proxy", None),
        ((), "unknown", None),
    ],
)
def test_a_whole_reply_is_told_from_a_sentence(rules_broken: tuple[str, ...], cause: str, why: Invalid | None) -> None:
    assert of_rules(rules_broken, cause) is why
