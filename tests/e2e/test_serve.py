"""`vigie serve` end to end, drained, reloaded, and killed at random moments."""

import json
import os
import random
import signal
import sqlite3
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "app-password-7"


@pytest.fixture
def configured(tmp_path: Path, site: Any, inbox: Any) -> Path:
    """A quick configuration without a model; the page's port is chosen by the system and told in the log."""
    path = tmp_path / "vigie.yaml"
    mail = (
        "{type: email, to: team@site.test, sender: v@site.test, host: localhost, "
        f"port: {inbox.port}, password: {PASSWORD}, ca_file: {tmp_path / 'ca.pem'}}}"
    )
    path.write_text(
        f"log: {{file: null}}\nweb: {{listen: '127.0.0.1:{free_port()}'}}\nllm: {{provider: none}}\nnotify: {{mail: {mail}}}\n"
        "alerts: {default: {confirm: 2, confirm_every: 200ms, recover: 2}}\n"
        f'monitors: [{{name: Shop, url: "http://127.0.0.1:{site.port}/", every: 1s, timeout: 1s}}]\n'
    )
    return path


def free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def health(path: Path) -> dict[str, Any]:
    listen = path.read_text().split("listen: '")[1].split("'")[0]
    try:
        with urllib.request.urlopen(f"http://{listen}/health", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except OSError:
        return {}


def test_an_outage_is_paged_within_seconds_and_its_end_too(vigie: Any, configured: Path, site: Any, inbox: Any) -> None:
    process = vigie.start("serve")
    site.wait(2)

    site.status = 502
    (page,) = inbox.wait(1)
    assert "🔴 Shop" in page["Subject"]
    assert health(configured)["incidents_open"] == 1
    site.status = 200
    _, recovery = inbox.wait(2)
    assert "🟢 Shop" in recovery["Subject"]

    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert "stopping" in vigie.log
    assert "Traceback" not in vigie.log


def test_a_changed_file_is_applied_and_a_broken_one_is_not(vigie: Any, configured: Path, site: Any) -> None:
    process = vigie.serve()
    good = configured.read_text()

    configured.write_text(good + "nonsense: 1\n")
    process.send_signal(signal.SIGHUP)
    vigie.says("not applied")
    assert "unknown key 'nonsense'" in vigie.log
    assert health(configured)["monitors"]["total"] == 1

    configured.write_text(good.replace("monitors: [", f'monitors: [{{name: Second, url: "http://127.0.0.1:{site.port}/2", every: 1s}}, '))
    site.wait(path="/2")
    assert health(configured)["monitors"]["total"] == 2


def test_a_taken_port_is_a_clear_error(vigie: Any, configured: Path) -> None:
    import socket

    listen = configured.read_text().split("listen: '")[1].split("'")[0]
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", int(listen.rpartition(":")[2])))
        sock.listen()
        done = vigie("serve")

    assert done.returncode == 3
    assert "is in use by another program" in done.stderr
    assert "web.listen" in done.stderr


def test_a_killed_prober_is_started_again(vigie: Any, configured: Path, site: Any) -> None:
    process = vigie.start("serve")
    site.wait()

    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    vigie.says("restarting it in")
    site.wait(site.hits + 2)


@pytest.mark.parametrize("seed", [1, 2])
def test_kill_9_loses_no_incident_and_no_page(seed: int, vigie: Any, configured: Path, site: Any, inbox: Any) -> None:
    """The process is killed at random moments while the service fails and heals; at the end every page is accounted for."""
    chance = random.Random(seed)
    kills = 0
    for life in range(5):
        process = vigie.start("serve")
        for _ in range(4 if life == 2 else chance.randrange(1, 5)):
            site.wait(site.hits + 1)
            site.status = 502 if life == 2 else chance.choice([200, 502])  # one outage at least
        killer = threading.Timer(chance.uniform(0, 0.5), process.kill)
        killer.start()
        process.wait(10)
        killer.join()
        kills += 1
    site.status = 200
    final = vigie.serve()
    inbox.wait_until(lambda: settled(vigie.folder / "vigie.db", inbox), 75)
    final.send_signal(signal.SIGTERM)
    assert final.wait(20) == 0

    with sqlite3.connect(vigie.folder / "vigie.db") as db:
        incidents = [row[0] for row in db.execute("SELECT id FROM incident")]
        keys = {row[0] for row in db.execute("SELECT key FROM outbox WHERE state = 'delivered'")}
        assert db.execute("SELECT count(*) FROM incident WHERE closed_at IS NULL").fetchone() == (0,)
    db.close()
    assert incidents
    assert keys == {f"{incident}:{what}:mail" for incident in incidents for what in ("opened", "recovered")}
    got = [str(mail["X-Vigie-Key"]).rpartition(".")[0] for mail in inbox.mails]  # the last part is a digest
    wanted = {key.replace(":", ".") for key in keys}
    assert set(got) == wanted, "a page was lost, or one was invented"
    assert len(got) - len(wanted) <= kills, "more than one copy a kill"
    ids: dict[str, set[str]] = {}
    for mail in inbox.mails:
        ids.setdefault(str(mail["X-Vigie-Key"]), set()).add(str(mail["Message-ID"]))
    assert all(len(found) == 1 for found in ids.values()), "a copy is recognised by its id"


def settled(path: Path, inbox: Any) -> bool:
    """Whether every incident has ended and both of its pages have arrived; looked at with each mail that comes."""
    with sqlite3.connect(path, timeout=5) as db:
        incidents = [row[0] for row in db.execute("SELECT id FROM incident")]
        still_open = db.execute("SELECT count(*) FROM incident WHERE closed_at IS NULL").fetchone()[0]
    db.close()
    got = {str(mail["X-Vigie-Key"]).rpartition(".")[0] for mail in inbox.mails}
    return not still_open and got >= {f"{one}.{what}.mail" for one in incidents for what in ("opened", "recovered")}
