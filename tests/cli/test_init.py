"""`vigie init`: what it writes, asks, keeps and refuses."""

import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from dotenv import dotenv_values

from vigie.config import load

Run = Callable[..., Any]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Somebody at a terminal who gives these answers; None takes what is offered, an exception is what the keyboard does."""

    def give(*lines: Any) -> None:
        left: Iterator[Any] = iter(lines)

        def prompt(_: str, default: str = "", **__: Any) -> str:
            line = next(left)
            if isinstance(line, BaseException):
                raise line
            return default if line is None else str(line)

        monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
        monkeypatch.setattr(typer, "prompt", prompt)

    return give


def test_the_defaults_are_a_usable_configuration_for_you_alone(vigie: Run, folder: Path) -> None:
    done = vigie("init", "--yes")

    assert done.status == 0
    assert "Next: fill in .env, then `vigie doctor`" in done.out
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in ("vigie.yaml", ".env")} == {0o600}
    assert [one.config.reveal().url for one in load(None, {}, folder).monitors] == ["https://ollama.com/"]
    assert vigie("config", "check").status == 0


def test_what_was_not_filled_in_is_said_before_anything_is_watched(vigie: Run, folder: Path) -> None:
    vigie("init", "--yes")
    done = vigie("once")

    assert done.status == 3
    for name, line in (("EMAIL_SENDER", 2), ("EMAIL_RECEIVER", 5), ("SMTP_SERVER", 6)):
        assert f"{folder}/.env:{line}: {name}: still has the example value" in done.err
    assert "cycle starts" not in done.err


def test_answers_are_checked_until_they_are_right(vigie: Run, folder: Path, answers: Any) -> None:
    answers("de", "fr", "shop", "https://shop.test/a'b\"c", "me", "me@gmail.com", "you@site.test", None, "x", "465", "p'w \"#\\$ x")
    done = vigie("init")

    assert done.status == 0
    for words in ("write https://shop", "'de' must be fr or en", "'me' is not an email address", "'x' n'est pas un port"):
        assert f"  {words}" in done.out or words in done.out
    found = load(None, {}, folder)
    assert (found.language, found.monitors[0].config.reveal().url) == ("fr", "https://shop.test/a'b\"c")
    mail = found.channels["mail"].config.reveal()
    assert (mail.sender, mail.host, mail.port, mail.password.reveal()) == ("me@gmail.com", "smtp.gmail.com", 465, "p'w \"#\\$ x")


@pytest.mark.parametrize("password", ["", "abcdefgh", "abcd efgh ijkl", "'", '"', "\\", "#1", " lead", "a\\'b", "${HOME}", "é"])
def test_any_password_survives_the_env_file(password: str, vigie: Run, folder: Path, answers: Any) -> None:
    answers("en", "https://a.test/", "v@site.test", "t@site.test", "smtp.site.test", "587", password)
    vigie("init")

    assert dotenv_values(folder / ".env")["EMAIL_PASSWORD"] == password
    found = load(None, {}, folder).channels["mail"].config.reveal().password
    assert (found.reveal() if found else "") == password


def test_a_file_that_is_there_is_kept_and_its_url_is_offered(vigie: Run, folder: Path, answers: Any) -> None:
    (folder / ".env").write_text("SERVICE_URL=https://mine.test/\n")
    answers(None, None)
    done = vigie("init")

    assert done.out == (
        "Wrote vigie.yaml; kept the existing .env.\nNext: `vigie doctor`, `vigie notify test`, and `vigie once` or `vigie serve`.\n"
    )
    assert (folder / ".env").read_text() == "SERVICE_URL=https://mine.test/\n"
    assert 'url: "https://mine.test/"' in (folder / "vigie.yaml").read_text()


def test_both_files_are_overwritten_only_by_force(vigie: Run, folder: Path) -> None:
    (folder / ".env").write_text("A=1\n")
    (folder / "vigie.yaml").write_text("x: 1\n")

    assert vigie("init", "--yes").status == 3
    assert (folder / ".env").read_text() == "A=1\n"
    assert vigie("init", "--yes", "--force").status == 0
    assert "EMAIL_SENDER" in (folder / ".env").read_text()


@pytest.mark.parametrize("at", [0, 3])
def test_ctrl_c_writes_nothing(at: int, vigie: Run, folder: Path, answers: Any) -> None:
    answers(*[None] * at, typer.Abort())
    done = vigie("init")

    assert done.status == 130
    assert "Nothing was written." in done.err
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(vigie: Run, folder: Path) -> None:
    (folder / "vigie.yaml.new").mkdir()  # in the way of the file, whoever runs this
    done = vigie("init", "--yes")

    assert done.status == 3
    assert "vigie.yaml cannot be written" in done.err
    assert "Fix: change to a directory that you can write to" in done.err


@pytest.mark.parametrize(("name", "value", "wanted"), [("LANG", "fr_FR.UTF-8", "fr"), ("LC_ALL", "fr_CA", "fr"), ("LANG", "C", "en")])
def test_the_language_is_that_of_the_session(
    name: str, value: str, wanted: str, vigie: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    vigie("init", "--yes")

    assert load(None, {}, folder).language == wanted
