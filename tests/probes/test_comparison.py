"""One language of comparisons: what holds, what is refused, and that both notations say the same."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vigie.errors import FieldError
from vigie.probes.kit.comparison import Comparison, assertion, contradiction, in_words
from vigie.probes.kit.http.config import Expect

PAGE = (Path(__file__).parents[2] / "docs" / "comparisons.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
SIGNS = ("==", "!=", "<", "<=", ">", ">=")
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6)
PATHS = st.sampled_from(
    ["$.a", "$['a<b'].c", '$["x==\\"y"]', "$.a[?(@.x<5)].y", "$.a[?@.b=='>=' && !(@.c != 1)]", "$..queue", "$[0]['it\\'s <']"]
)


@pytest.mark.parametrize(("written", "held", "others"), ROWS)
def test_the_page_says_what_holds(written: str, held: str, others: str) -> None:
    comparison = Comparison.of(written)

    assert ROWS[0][0] == "== up"
    assert all(comparison.holds(json.loads(value)) for value in re.findall("`(.+?)`", held))
    assert not any(comparison.holds(json.loads(value)) for value in re.findall("`(.+?)`", others))


@given(st.sampled_from(SIGNS), VALUES, PATHS, st.sampled_from(["", " ", "  "]))
def test_both_notations_say_the_same(sign: str, value: Any, path: str, gap: str) -> None:
    ordered = isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool))
    assume(sign in ("==", "!=") or ordered)
    written = f"{sign}{gap}{json.dumps(value)}"
    as_key, as_text = Comparison.of(written), assertion(f"{path}{gap}{written}")

    assert as_text == (path, as_key)
    assert as_key == Comparison(sign, value)
    assert Comparison.of(str(as_key)) == as_key
    assert assertion(f"{path}{as_key}") == (path, as_key)


@given(SCALARS | st.text(alphabet="<>=! 5a\"'"), PATHS)
def test_a_value_without_an_operator_is_expected_as_it_stands(value: Any, path: str) -> None:
    assume(not (isinstance(value, str) and value.lstrip()[:1] in ("<", ">", "=", "!")))
    as_key = Comparison.of(value)

    assert as_key == Comparison("==", value)
    assert assertion(f"{path} {as_key}") == (path, as_key)
    assert as_key.holds(value)


@given(VALUES, VALUES)
def test_equal_and_unequal_are_opposites(one: Any, other: Any) -> None:
    assert Comparison("==", one).holds(other) is not Comparison("!=", one).holds(other)


@given(st.integers() | st.floats(allow_nan=False), st.integers() | st.floats(allow_nan=False))
def test_numbers_have_their_order(got: float, wanted: float) -> None:
    assert Comparison("<", wanted).holds(got) is (got < wanted)
    assert Comparison(">=", wanted).holds(got) is (got >= wanted)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("< abc", "needs a number, or text in quotes, not 'abc'"),
        ("<5 and >10", "a comparison has one operator"),
        ("< ", "there is no value after <; write < 100"),
        ("<true", "needs a number"),
        (">= null", "needs a number"),
        ("< [1]", "needs a number"),
        ("=5", "= is not an operator; write =="),
        ("=< 5", "=< is not an operator; write <="),
        ("=> 5", "=> is not an operator; write >="),
        ("=== 5", "the value after == begins with an operator: '= 5'"),
        ("== <5", 'if it is text, put it in quotes: == "<5"'),
        ("== 'up'", "double quotes at both ends, not 'up'; write == \"up\""),
        ('== "up', "double quotes at both ends"),
        ("<= 1e999", "the number after <= is out of range"),
        ("== " + "9" * 5_000, "the number after == is out of range"),
        ("< 1_000", "needs a number"),
        ("< inf", "needs a number"),
        ("< 5%", "needs a number"),
    ],
)
def test_what_can_never_hold_is_refused(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        Comparison.of(written)
    with pytest.raises(ValueError, match=re.escape(said.replace("; write <=", ""))):
        assertion(f"$.a {written}")


@pytest.mark.parametrize(
    ("wanted", "key", "said"),
    [
        ({"$.a": "< abc"}, "$.a", "needs a number"),
        ({"$.a": 1, "$.b[": 2}, "$.b[", "is not a JSONPath"),
        (["$.a == 1", "$.a"], 1, "is not a comparison"),
        (["$.a == 1", "== 1"], 1, "is not a comparison"),
        (["$.a<5", "$.b==1", "$.a>10"], 2, "$.a cannot be < 5 and > 10 at once"),
        (["$.a<5", "$.a==idle"], 1, '$.a cannot be < 5 and == "idle" at once'),
        (["$.a==1", "$.a!=1"], 1, "at once"),
        (["$.a<5", '$.a>"x"'], 1, "at once"),
        (["$.a<=5", "$.a>5"], 1, "at once"),
    ],
)
def test_an_expectation_that_cannot_hold_names_its_place(wanted: Any, key: str | int, said: str) -> None:
    with pytest.raises(FieldError, match=re.escape(said)) as raised:
        Expect(json=wanted)

    assert raised.value.at == ("json", key)


@pytest.mark.parametrize("wanted", [["$.a<=5", "$.a>=5"], ["$.a>5", "$.a<10", "$.a!=7"], ["$..a==1", "$..a==2"], {"$.a": 1, "$.b": 2}])
def test_what_can_hold_together_is_taken(wanted: Any) -> None:
    assert Expect(json=wanted)


@given(st.lists(st.builds(Comparison, st.sampled_from(SIGNS), st.integers(0, 5)), max_size=4), st.integers(0, 5))
def test_what_one_value_satisfies_is_no_contradiction(comparisons: list[Comparison], value: int) -> None:
    assume(all(one.holds(value) for one in comparisons))

    assert contradiction(comparisons) is None


@pytest.mark.parametrize(
    ("wanted", "got", "holds"),
    [
        ("<500", "499", True), ("<500", "500", False), ("<= 500", "500.0", True), (5, "5", True), (5, "5.0", True), ("5", "5.0", True),
        ('== "5"', "5.0", False), ('== "5"', "5", True), ("up", "up", True), ("!=up", "down", True), ("<5", "standalone", False),
        ("< +5", "4", True), ("<.5", "0.4", True), ("> 9007199254740992", "9007199254740993", True), ("NULL", "NULL", True),
        ("!= null", "NULL", False), ("!= null", "5", True), ("== null", "NULL", True), ('< "b"', "a", True), ("<5", None, False),
        ("!= up", None, False), ("up", None, False), ("== true", "true", True), ("<5", "1e400", False), (">5", "1e400", True),
        ("== NaN", "NaN", True), ("<5", "NaN", False), ("!=5", "NaN", True), ("= x".removeprefix("= "), "x", True),
    ],
)  # fmt: skip
def test_values_that_come_as_text(wanted: Any, got: str | None, holds: bool) -> None:
    assert Comparison.of(wanted).holds_for_text(got) is holds


@given(st.text(), st.text())
def test_any_text_is_judged_or_refused(wanted: str, got: str) -> None:
    try:
        comparison = Comparison.of(wanted)
    except ValueError:
        return
    assert comparison.holds_for_text(got) in (True, False)
    assert in_words(comparison) or wanted.strip() in ("", "==")


def test_both_notations_are_the_same_when_a_document_is_judged() -> None:
    document = msgspec.json.decode(b'{"queue": 100, "a": [{"x": 3, "y": 1}, {"x": 9, "y": 2}]}')

    assert assertion("$.queue<=100")[1].holds(document["queue"])
    assert assertion("$.a[?(@.x<5)].y == 1") == ("$.a[?(@.x<5)].y", Comparison("==", 1))
