"""Each invalid configuration is a file named for its fault; its first line says what the message must hold."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from vigie.config import load
from vigie.errors import ConfigError

FOLDER = Path(__file__).parent / "invalid"


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_the_fault_is_named_with_its_place_and_fix(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}.yaml"
    expected = path.read_text().splitlines()[0].removeprefix("# expect: ").split(" | ")

    with pytest.raises(ConfigError) as raised:
        load(path, {}, tmp_path)

    said = [re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "FRESH", str(fault)) for fault in raised.value.faults]
    assert all(line.startswith(str(path)) for line in said)
    assert [line.removeprefix(str(path)).lstrip(": ") for line in said] == expected


SEED = {
    "SERVICE_URL": "https://site.test/",
    "EMAIL_SENDER": "v@site.test",
    "EMAIL_PASSWORD": "hunter22",
    "EMAIL_RECEIVER": "team@site.test",
    "SMTP_SERVER": "smtp.site.test",
    "SMTP_PORT": "587",
}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TIMEOUT_SECONDS", "abc", "'abc' is not a number of seconds (write TIMEOUT_SECONDS=10)"),
        ("TIMEOUT_SECONDS", "0", "`timeout` must be above 0 and at most 5m"),
        ("TIMEOUT_SECONDS", "301", "`timeout` must be above 0 and at most 5m"),
        ("TIMEOUT_SECONDS", "10s", "'10s' is not a number of seconds (write TIMEOUT_SECONDS=10)"),
        ("TIMEOUT_SECONDS", "\u0661\u0660", "'\u0661\u0660' is not a number of seconds (write TIMEOUT_SECONDS=10)"),
        ("SMTP_PORT", "abc", "a whole number is expected, not 'abc'"),
        ("SMTP_PORT", "0", "a whole number from 1 to 65535 is expected, not '0'"),
        ("SMTP_PORT", "70000", "a whole number from 1 to 65535 is expected, not '70000'"),
        (
            "SMTP_SERVER",
            "smtp.gmail.com:587",
            "'smtp.gmail.com:587' is not a host name; write the name only, and the port in `port` (SMTP_PORT)",
        ),
        (
            "SMTP_SERVER",
            "https://smtp.site.test",
            "'https://smtp.site.test' is not a host name; write the name only, and the port in `port` (SMTP_PORT)",
        ),
        ("EMAIL_RECEIVER", "a@b.test; nonsense", "'nonsense' is not an email address; write just name@example.com, in plain ASCII"),
        ("EMAIL_SENDER", "Me <me@b.test>", "'Me <me@b.test>' is not an email address; write just name@example.com, in plain ASCII"),
        ("SERVICE_URL", "ollama.com", "'ollama.com' is not an http(s) URL; write https://ollama.com"),
        ("OLLAMA_HOST", "bad host", "`url` (OLLAMA_HOST) is not a server address; write http://localhost:11434 or localhost:11434"),
        ("VIGIE_LANGUAGE", "de", "'de' is not one of fr, en"),
    ],
)
def test_a_fault_of_the_env_file_names_its_line_and_its_variable(name: str, value: str, said: str, tmp_path: Path) -> None:
    lines = {**SEED, name: value}
    path = tmp_path / ".env"
    path.write_text("# ours\n\n" + "".join(f"{key}={text}\n" for key, text in lines.items()))

    with pytest.raises(ConfigError) as raised:
        load(None, {}, tmp_path)

    assert [str(fault) for fault in raised.value.faults] == [f"{path}:{3 + list(lines).index(name)}: {name}: {said}"]


def test_a_fault_of_the_environment_is_not_blamed_on_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^environment: SMTP_PORT: a whole number is expected"):
        load(None, {**SEED, "SMTP_PORT": "abc"}, tmp_path)


def test_a_setting_that_only_the_env_file_has_is_named_there_under_a_yaml_too(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text("notify: {mail: {type: email}}\nmonitors: [https://a.test/]\n")
    (tmp_path / ".env").write_text("".join(f"{key}={text}\n" for key, text in {**SEED, "SMTP_PORT": "x"}.items()))

    with pytest.raises(ConfigError) as raised:
        load(None, {}, tmp_path)

    assert str(raised.value) == f"{tmp_path / '.env'}:6: SMTP_PORT: a whole number is expected, not 'x'"


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (b"A=1\nthis is nothing\n", 2, "this line is not NAME=value (fix it, close its quotes, or comment it out with #)"),
        (b'A=1\n\n\nEMAIL_PASSWORD="open\n', 4, "this line is not NAME=value (fix it, close its quotes, or comment it out with #)"),
        (b"A=1\nEMAIL_SENDER=caf\xe9@site.test\n", 2, "this is not UTF-8 text (save the file as UTF-8)"),
    ],
)
def test_an_env_file_that_cannot_be_read_says_where(data: bytes, line: int, said: str, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(data)

    with pytest.raises(ConfigError) as raised:
        load(None, {}, tmp_path)

    assert str(raised.value) == f"{path}:{line}: {said}"


def test_an_env_file_out_of_a_windows_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfSERVICE_URL=https://a.test/\r\nTIMEOUT_SECONDS=7 # seconds\r\n")

    (one,) = load(None, {}, tmp_path).monitors
    assert (one.config.reveal().url, one.monitor.timeout_ms) == ("https://a.test/", 7_000)


@pytest.mark.parametrize("name", ["vigie.yaml", ".env"])
def test_a_folder_in_the_place_of_a_file_is_a_fault(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()

    with pytest.raises(ConfigError, match=f"{name}: cannot be read: Is a directory \\(make it readable"):
        load(None, {}, tmp_path)


def test_a_link_to_nowhere_is_a_fault_and_not_an_absent_file(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").symlink_to(tmp_path / "gone.yaml")

    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(None, {}, tmp_path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"monitors: [https://a.test/]\n# caf\xe9\n", ":2: this is not UTF-8 text"),
        (b"#" * (16 * 1024 * 1024 + 1), ": is larger than 16 MiB"),
        (b"monitors: " + b"[" * 5_000, ": the values are nested too deeply"),
    ],
)
def test_a_file_that_is_no_configuration_at_all(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "vigie.yaml"
    path.write_bytes(data)

    with pytest.raises(ConfigError) as raised:
        load(path, {}, tmp_path)

    assert str(raised.value).startswith(f"{path}{said}")


def test_aliases_of_aliases_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigie.config.yaml._MAX_VALUES", 10_000)
    rows = [f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in pairwise("abcdefgh")]
    (tmp_path / "vigie.yaml").write_text("a: &a [x, x]\n" + "\n".join(rows) + "\nmonitors: [https://a.test/]\n")

    with pytest.raises(ConfigError, match="nested too deeply"):
        load(None, {}, tmp_path)


def test_a_password_of_the_wrong_kind_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text(
        "notify: {w: {type: webhook, url: https://h.test/, secret: [hunter22]}}\nmonitors: [https://a.test/]\n"
    )

    with pytest.raises(ConfigError, match="text is expected") as raised:
        load(None, {}, tmp_path)

    assert "hunter22" not in str(raised.value)


def test_all_faults_are_found_at_once(tmp_path: Path) -> None:
    path = tmp_path / "vigie.yaml"
    path.write_text("langage: fr\nmonitors:\n  - {url: nonsense}\n  - {url: https://a.test/, every: 5q, evry: 3}\n")

    with pytest.raises(ConfigError) as raised:
        load(path, {}, tmp_path)

    assert [(fault.line, fault.key) for fault in raised.value.faults] == [
        (1, "langage"),
        (3, "monitors[0].url"),
        (4, "monitors[1].evry"),
        (4, "monitors[1].every"),
    ]
