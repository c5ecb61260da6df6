"""The units that are shipped: accepted by systemd, closed to what Vigie does not need, and fit for what it does."""

import configparser
import json
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "deploy/systemd"
SERVICES = ("vigie.service", "vigie-once.service", "vigie-agent.service")
_EXPOSED = 20  # of 100, as `systemd-analyze security` counts; a plain service has 96


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units with a program that is there, as after an installation."""
    program = tmp_path / "vigie"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in UNITS.iterdir():
        (tmp_path / unit.name).write_text(unit.read_text(encoding="utf-8").replace("/opt/vigie/bin/vigie", str(program)), encoding="utf-8")
    return tmp_path


@pytest.mark.needs("systemd")
def test_systemd_accepts_them(installed: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(installed / one.name) for one in UNITS.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )

    ours = [line for line in done.stderr.splitlines() if "vigie" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.needs("systemd")
@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_is_closed_to_what_it_does_not_need(unit: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={_EXPOSED}", "--json=short", str(UNITS / unit)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, [one["name"] for one in json.loads(done.stdout) if not one["set"]]


@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_has_what_it_needs(unit: str) -> None:
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]  # the library's way to keep capitals
    read.read(UNITS / unit, encoding="utf-8")
    service = read["Service"]

    assert service["User"] == "vigie"
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
    assert {"AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"} <= set(service["RestrictAddressFamilies"].split())  # it asks for routes
    assert service["ExecStart"].split()[1] in ("serve", "once", "agent")
    if unit == "vigie.service":
        assert service["KillMode"] == "mixed"  # the prober is drained by its parent
        assert int(service["TimeoutStopSec"]) > 15  # what a graceful stop may take
        assert service["ExecReload"].endswith("$MAINPID")
