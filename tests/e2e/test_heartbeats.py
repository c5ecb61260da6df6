"""Jobs that report to `vigie serve` and to `vigie once`, end to end, also killed in the middle."""

import random
import sqlite3
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "app-password-7"
TOKEN = "2f1b7b0e-6c0e-4f6f-9b0e-6d1a2b3c4d5e"


def free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def configured(tmp_path: Path, inbox: Any) -> str:
    """One job; the address of the server that it reports to."""
    listen = f"127.0.0.1:{free_port()}"
    mail = (
        "{type: email, to: team@site.test, sender: v@site.test, host: localhost, "
        f"port: {inbox.port}, password: {PASSWORD}, ca_file: {tmp_path / 'ca.pem'}}}"
    )
    (tmp_path / "vigie.yaml").write_text(
        f"log: {{file: null}}\nweb: {{listen: '{listen}'}}\nllm: {{provider: none}}\nnotify: {{mail: {mail}}}\ncontrol: []\n"
        f"monitors: [{{name: Backup, type: heartbeat, token: {TOKEN}, period: 1h, grace: 10m}}]\n"
    )
    return f"http://{listen}"


def ask(url: str, body: bytes | None = None) -> int:
    """The status, 0 when nobody answers."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_a_failed_job_pages_at_once_and_its_words_are_kept_for_those_who_ask(vigie: Any, configured: str, inbox: Any) -> None:
    vigie.serve()
    assert ask(f"{configured}/ping/{TOKEN}/start") == 200

    assert ask(f"{configured}/ping/{TOKEN}/3", b"no space left on /backup, password=hunter22") == 200
    (page,) = inbox.wait(1)
    assert "🔴 Backup: job failed" in page["Subject"]
    assert "hunter22" not in page.as_string()
    shown = vigie("incidents", "show", "backup-1").stdout
    assert "fail, exit status 3" in shown
    assert "no space left on /backup, password=***" in shown
    assert vigie("ping", "backup", "--message", "done").stdout == "Backup: success recorded.\n"
    _, recovery = inbox.wait(2)
    assert "🟢 Backup" in recovery["Subject"]
    assert ask(f"{configured}/ping/unknown-token") == 404
    assert TOKEN not in vigie.log


def test_a_report_that_was_answered_with_200_survives_kill_9(vigie: Any, configured: str) -> None:
    """Reports come all the time, the process is killed at random moments: of those that were taken, none is lost."""
    chance = random.Random(7)
    taken: list[int] = []
    for _ in range(4):
        process = vigie.serve()
        killer = threading.Timer(chance.uniform(0.3, 1.5), process.kill)
        killer.start()
        while process.poll() is None:
            if ask(f"{configured}/ping/{TOKEN}/log", str(len(taken)).encode()) == 200:
                taken.append(len(taken))
        killer.join()

    with sqlite3.connect(vigie.folder / "vigie.db") as db:
        bodies = [row[0] for row in db.execute("SELECT body FROM ping ORDER BY id")]
    db.close()
    assert len(taken) > 20
    for number in taken[-90:]:
        assert any(str(number).encode() in body for body in bodies), f"ping {number} of {len(taken)} is lost"


def test_once_judges_what_the_command_left(vigie: Any, configured: str, inbox: Any) -> None:
    assert vigie("once").returncode == 0
    assert vigie("ping", TOKEN, "--exit", "2").returncode == 0
    assert vigie("check").returncode == 3  # nobody has judged it yet
    assert vigie("once").returncode == 0
    (page,) = inbox.wait(1)
    assert "🔴 Backup: job failed" in page["Subject"]
    checked = vigie("check")
    assert checked.returncode == 2
    assert "heartbeat.failed" in checked.stdout
    vigie("ping", "backup", "--start")
    vigie("ping", "backup")
    assert vigie("once").returncode == 0
    inbox.wait(2)
    assert vigie("check").returncode == 0
    listed = vigie("ping").stdout
    assert f"{configured}/ping/{TOKEN}" in listed
    assert "success" in listed
    assert TOKEN not in vigie("config", "show").stdout


def test_what_is_no_job_is_told(vigie: Any, configured: str) -> None:
    done = vigie("ping", "nobody")

    assert done.returncode == 3
    assert "jobs: backup" in done.stderr
    assert vigie("ping", "backup", "--start", "--fail").returncode == 3
