"""What is missing on this machine is said by `config check` and `doctor`, with file, line and key; `once` names what it could not check."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def monitors(path: Path, *lines: str) -> None:
    text = path.read_text()
    path.write_text(text[: text.index("monitors:")] + "monitors:\n" + "".join(f"  - {line}\n" for line in lines))


BROKEN = [
    ('{url: "https://a.test/", ca_file: /nowhere/ca.pem}', "ca_file", "/nowhere/ca.pem cannot be used (No such file or directory)"),
    ('{url: "tls://a.test", ca_file: text.pem}', "ca_file", "text.pem cannot be used (it contains no certificate)"),
    ("{type: redis, host: a.test, tls: implicit, ca_file: /nowhere/ca.pem}", "ca_file", "/nowhere/ca.pem cannot be used"),
    ("{type: domain, domain: a.test, ca_file: /nowhere/ca.pem}", "ca_file", "/nowhere/ca.pem cannot be used"),
    ('{type: steps, name: S, steps: [{url: "https://a.test/", ca_file: /nowhere/ca.pem}]}', "steps[0].ca_file", "/nowhere/ca.pem"),
    ("{type: exec, name: P, command: check_nothing -w 5}", "command", "check_nothing was not found in PATH or in the plugin folders"),
    ("{type: exec, name: P, command: ./text.pem}", "command", "./text.pem is not executable (make it executable"),
    ("{type: exec, name: P, command: [/nowhere/x, y]}", "command", "/nowhere/x was not found (install it"),
    ('{type: exec, name: P, command: "true", directory: /nowhere}', "directory", "there is no directory /nowhere"),
]


@pytest.mark.parametrize(("monitor", "key", "words"), BROKEN)
def test_what_keeps_a_monitor_from_its_work_is_an_error_with_its_place(
    vigie: Run, quick: Path, folder: Path, monitor: str, key: str, words: str
) -> None:
    (folder / "text.pem").write_text("no certificate")
    monitors(quick, '"http://other.test/"', monitor)
    done = vigie("config", "check")
    line = quick.read_text()[: quick.read_text().index(monitor)].count("\n") + 1
    assert done.status == 3
    assert f"{quick}:{line}: monitors[1].{key}: " in done.err
    assert words in done.err
    assert vigie("config", "check", "--syntax-only").status == 0

    examined = vigie("doctor")
    assert examined.status == 1
    assert "FAIL  monitors: " in examined.out
    assert words in examined.out


def test_what_many_lack_is_said_once(vigie: Run, quick: Path) -> None:
    monitors(quick, *(f'{{url: "https://{name}.test/", ca_file: /nowhere/ca.pem}}' for name in "abcd"))
    done = vigie("config", "check")
    assert "invalid (1 error):" in done.err
    assert "; the same in 3 more places" in done.err


def test_a_file_that_a_variable_names_is_found_at_the_variable(vigie: Run, quick: Path, folder: Path) -> None:
    env = folder / ".env"
    env.write_text(env.read_text().replace("SMTP_CA_FILE=", "SMTP_CA_FILE=/nowhere"))
    done = vigie("config", "check")
    assert done.status == 3
    assert f"{env}" in done.err
    assert "SMTP_CA_FILE" in done.err


def test_a_machine_that_has_everything_is_well(vigie: Run, quick: Path, inbox: Any) -> None:
    monitors(
        quick,
        f'{{url: "https://a.test/", ca_file: "{inbox.ca_file}"}}',
        f'{{type: exec, name: P, command: ["{sys.executable}", "-V"]}}',
        '{type: exec, name: Q, command: "nothing_like_it | cat", shell: true}',
    )
    assert vigie("config", "check").status == 0
    assert "ok    monitors: this machine has the files" in vigie("doctor").out


def test_once_checks_the_others_and_its_last_line_names_what_it_could_not_check(vigie: Run, quick: Path, folder: Path, site: Any) -> None:
    monitors(quick, f'{{name: Shop, url: "{site.url}"}}', "{type: exec, name: Disk, command: ./check_disk}")
    done = vigie("once")
    last = (folder / "vigie.log").read_text().splitlines()[-1]
    assert done.status == 0
    assert "Shop: up" in (folder / "vigie.log").read_text()
    assert "WARNING - cycle ends: everything is sent, but 1 monitor could not be checked: Disk (check_disk, or the interpreter" in last


def test_an_incident_of_vigie_s_own_is_listed_and_says_why(vigie: Run, quick: Path, folder: Path) -> None:
    quick.write_text("blind_after: 1ms\n" + quick.read_text())
    monitors(quick, "{type: exec, name: Disk, command: ./check_disk}")
    vigie("once")
    vigie("once")
    assert "disk-1: opened delivered by mail" in (folder / "vigie.log").read_text()
    assert "vigie" in vigie("incidents", "list", "--open").out.splitlines()[1]
    shown = vigie("incidents", "show", "disk-1").out
    assert shown.startswith("disk-1: Vigie cannot check it, probe.error, still open\nReason: check_disk, or the interpreter that it names")
    assert vigie("incidents", "ack", "disk-1").status == 0
