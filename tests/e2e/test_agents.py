"""`vigie serve` and `vigie agent` as people run them: an outage seen from the agent's place, also while nobody can be told."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "app-password-7"


@pytest.fixture
def configured(tmp_path: Path, site: Any, inbox: Any) -> str:
    """One monitor, which the agent's place alone checks; the address of the server."""
    mail = (
        "{type: email, to: team@site.test, sender: v@site.test, host: localhost, "
        f"port: {inbox.port}, password: {PASSWORD}, ca_file: {tmp_path / 'ca.pem'}}}"
    )
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{sock.getsockname()[1]}"
    (tmp_path / "vigie.yaml").write_text(
        f"log: {{file: null}}\nweb: {{listen: '{listen}'}}\nllm: {{provider: none}}\nnotify: {{mail: {mail}}}\n"
        "alerts: {default: {confirm: 2, confirm_every: 200ms, recover: 2}}\n"
        f'monitors: [{{name: Shop, url: "http://127.0.0.1:{site.port}/", every: 1s, timeout: 1s, locations: [paris]}}]\n'
    )
    return f"http://{listen}"


@pytest.fixture
def agent(vigie: Any, configured: str, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Enrolled; each call starts it."""
    enrolled = vigie("agent", "enroll", "paris-1", "--location", "paris")
    assert enrolled.returncode == 0, enrolled.stderr
    token = enrolled.stdout.strip()
    assert token not in enrolled.stderr
    command = [sys.executable, "-m", "vigie", "agent", "--server", configured, "--log-file", str(tmp_path / "agent.log")]
    environment = {**vigie.environment, "VIGIE_AGENT_TOKEN": token}
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        nothing = subprocess.DEVNULL
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, stdin=nothing, stderr=nothing, text=True))
        return started[-1]

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
        one.wait(10)
    log = (tmp_path / "agent.log").read_text()
    assert token not in log
    assert "Traceback" not in log
    assert (tmp_path / "vigie-agent.state" / "spool.db").stat().st_mode & 0o077 == 0


def test_an_outage_at_the_agents_place_is_told_and_its_end_after_a_cut_off(
    vigie: Any, agent: Callable[[], subprocess.Popen[str]], site: Any, inbox: Any, tmp_path: Path
) -> None:
    server, running = vigie.serve(), agent()
    site.wait(3)
    site.status = 502
    (page,) = inbox.wait(1)
    assert "🔴 Shop" in page["Subject"]
    vigie.says("opened delivered by mail")  # else the kill may cost a repetition of the same notice

    server.send_signal(signal.SIGKILL)
    server.wait(10)
    for status, hits in ((200, 5), (503, 5), (200, 3)):  # the agent goes on, and nobody can be told
        site.status = status
        site.wait(site.hits + hits)
    vigie.serve()
    inbox.wait_until(lambda: sum("🟢 Shop" in one for one in inbox.subjects()) >= 2)
    assert sorted(subject[:1] for subject in inbox.subjects()) == sorted("🔴🟢🔴🟢")  # the second outage is on record, too

    listed = vigie("agent", "list").stdout
    assert "paris-1" in listed
    assert "reporting" in listed
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 0
    assert vigie("agent", "revoke", "paris-1").returncode == 0
    assert agent().wait(120) == 3
    assert "vigie agent enroll" in (tmp_path / "agent.log").read_text()
