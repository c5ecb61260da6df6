"""`.env` is read as python-dotenv reads it, and `$${` writes `${` in vigie.yaml."""

from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigie.config import load, variables
from vigie.errors import ConfigError

PIECES = st.sampled_from(
    ["a", "b c", "${A}", "${B:-x}", "${C}", "${:-$}", "{A}", "$", "$A", "'", '"', "\\", "\\n", "#", " #", "${A", "${HOME_}"]
)
LINES = st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["", "'", '"']), st.lists(PIECES, max_size=5)), max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES)
def test_values_expand_as_python_dotenv_expands_them(
    lines: list[tuple[str, str, list[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ABC":
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME_", "from outside")
    text = "".join(f"{name}={quote}{''.join(parts)}{quote}\n" for name, quote, parts in lines)
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    try:
        found = variables.read(tmp_path, {"HOME_": "from outside"}).values
    except ConfigError:
        return

    assert {name: found.get(name) for name in "ABC"} == {name: dotenv_values(tmp_path / ".env").get(name) for name in "ABC"}


def test_the_environment_comes_first_and_a_value_that_grows_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB='${A} ${NONE}${NONE:-d} ${LATER}'\nLATER=x\n")
    assert variables.read(tmp_path, {"A": "outside"}).values["B"] == "outside d "

    rows = [f"V{number}=${{V{number - 1}}}${{V{number - 1}}}" for number in range(1, 60)]
    (tmp_path / ".env").write_text("\n".join(["V0=xx", *rows]))
    with pytest.raises(ConfigError, match="too long once"):
        variables.read(tmp_path, {})


def test_two_dollars_write_one(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text(
        "monitors:\n  - url: https://a.test/\n    expect: {keyword: ['$${NAME}', '$$${A}', 'x${A}$${A}', '$$', '$${']}\n"
    )
    (one,) = load(None, {"A": "value"}, tmp_path).monitors

    assert one.config.reveal().expect.keyword == ["${NAME}", "$${A}", "xvalue${A}", "$$", "${"]
