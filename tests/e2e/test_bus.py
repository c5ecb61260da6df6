"""`vigie serve` and `vigie agent` with NATS between them, as people run them: the server and the bus are killed in turn, and nothing is lost."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vigie.fleet.subjects import permissions
from vigie.testing.nats_server import NatsServer, free_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no nats-server for tests here")
SERVERS, AGENT = "servers-password-1", "agents-password-1"


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    publish, subscribe = map(json.dumps, permissions("paris", "paris-1"))
    users = f'{{user: vigie, password: "{SERVERS}"}}, {{user: paris-1, password: "{AGENT}", permissions: {{publish: {publish}, subscribe: {subscribe}}}}}'
    config = f"accounts {{ VIGIE {{ jetstream: enabled, users: [{users}] }}, SYS {{}} }}\nsystem_account: SYS"
    with NatsServer(tmp_path / "nats", config) as server:
        yield server


@pytest.mark.timeout(300)
def test_an_outage_seen_over_the_bus_is_told_whatever_is_killed(
    vigie: Any, site: Any, inbox: Any, nats: NatsServer, tmp_path: Path
) -> None:
    mail = (
        "{type: email, to: team@site.test, sender: v@site.test, host: localhost, "
        f"port: {inbox.port}, password: app-password-7, ca_file: {tmp_path / 'ca.pem'}}}"
    )
    (tmp_path / "vigie.yaml").write_text(
        f"bus: 'nats://vigie:${{BUS_PASSWORD}}@{nats.address}'\nlog: {{file: null}}\nweb: {{listen: '127.0.0.1:{free_port()}'}}\n"
        f"llm: {{provider: none}}\nnotify: {{mail: {mail}}}\nalerts: {{default: {{confirm: 2, confirm_every: 200ms, recover: 2}}}}\n"
        f'monitors: [{{name: Shop, url: "http://127.0.0.1:{site.port}/", every: 1s, timeout: 1s, locations: [paris]}}]\n'
    )
    (tmp_path / ".env").write_text(f"BUS_PASSWORD={SERVERS}\n")
    assert vigie("agent", "enroll", "paris-1", "--location", "paris").returncode == 0
    address = f"nats://paris-1:{AGENT}@{nats.address}?location=paris"
    command = [sys.executable, "-m", "vigie", "agent", "--bus", address, "--log-file", str(tmp_path / "agent.log")]
    agent = subprocess.Popen(command, cwd=tmp_path, env=vigie.environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        server = vigie.serve()
        site.wait(3)
        site.status = 502
        (page,) = inbox.wait(1)
        assert "🔴 Shop" in page["Subject"]
        vigie.says("opened delivered by mail")  # else the kill may cost a repetition of the same notice

        server.send_signal(signal.SIGKILL)
        server.wait(10)
        nats.kill()
        for status, hits in ((200, 5), (503, 5)):  # the agent goes on, and nobody can be told
            site.status = status
            site.wait(site.hits + hits)
        nats.start()
        vigie.serve()
        inbox.wait_until(lambda: sum("🔴 Shop" in one for one in inbox.subjects()) >= 2)
        site.status = 200
        inbox.wait_until(lambda: sum("🟢 Shop" in one for one in inbox.subjects()) >= 2)
        assert sorted(subject[:1] for subject in inbox.subjects()) == sorted("🔴🟢🔴🟢")
        assert "ok    bus: " in vigie("doctor").stdout
    finally:
        agent.terminate()
        agent.wait(60)
    for log in ((tmp_path / "agent.log").read_text(), vigie.log):
        assert SERVERS not in log
        assert AGENT not in log
        assert "Traceback" not in log
