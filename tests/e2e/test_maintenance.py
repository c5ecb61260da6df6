"""`vigie maintenance start` and `end` against a running `vigie serve`: silence for what is covered, and one notice of what stays broken."""

import signal
import sqlite3
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from .conftest import PATIENCE
from .test_feedback import PASSWORD, free_port


@pytest.fixture
def page(tmp_path: Path, site: Any, inbox: Any) -> str:
    """Two services, one of them tagged; the address of their status page."""
    port = free_port()
    mail = (
        "{type: email, to: team@site.test, sender: v@site.test, host: localhost, "
        f"port: {inbox.port}, password: {PASSWORD}, ca_file: {tmp_path / 'ca.pem'}}}"
    )
    base = f"http://127.0.0.1:{site.port}"
    (tmp_path / "vigie.yaml").write_text(
        f"log: {{file: null}}\nweb: {{listen: '127.0.0.1:{port}'}}\nllm: {{provider: none}}\nnotify: {{mail: {mail}}}\n"
        "alerts: {default: {confirm: 2, confirm_every: 100ms, recover: 2, group: off, flapping: false}}\n"
        f"monitors: [{{name: Shop, url: '{base}/', every: 1s, timeout: 1s, tags: [shop]}}, "
        f"{{name: Blog, url: '{base}/blog', every: 1s, timeout: 1s}}]\n"
    )
    return f"http://127.0.0.1:{port}/"


def shown(page: str) -> str:
    with urllib.request.urlopen(page, timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def after_checks(site: Any, wanted: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Until something holds, which is looked at after each check of the site."""
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end
        with site._came:
            site._came.wait(5)


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "vigie.db", timeout=10)) as db:
        return db.execute(query).fetchall()


def test_maintenance_from_the_command_line_is_followed_and_its_end_announces_what_is_still_broken(
    vigie: Any, page: str, tmp_path: Path, site: Any, inbox: Any
) -> None:
    process = vigie.serve()
    begun = vigie("maintenance", "start", "30m", "--tag", "shop", "--why", "new <disk>")
    assert begun.returncode == 0, begun.stderr
    assert "Maintenance m1 until " in begun.stdout
    assert ", on 1 of 2 monitors." in begun.stdout
    after_checks(site, lambda: "new &lt;disk&gt;" in shown(page))

    site.status = 502
    inbox.wait(1)
    after_checks(site, lambda: len(rows(tmp_path, "SELECT id FROM incident WHERE closed_at IS NULL")) == 2)
    assert [str(one["Subject"]).split(":")[0] for one in inbox.mails] == ["🔴 Blog"], "Shop is down too, and nobody is notified of it"
    assert rows(tmp_path, "SELECT alert FROM outbox") == [("blog-1",)]

    ended = vigie("maintenance", "end", "m1")
    assert ended.stdout.startswith("m1 is over."), ended.stderr
    _, late = inbox.wait(2)
    assert str(late["Subject"]).startswith("🔴 Shop:")
    after_checks(site, lambda: "new &lt;disk&gt;" not in shown(page))
    site.status = 200
    recovered = inbox.wait(4)[2:]
    assert sorted(str(one["Subject"]).split(":")[0] for one in recovered) == ["🟢 Blog", "🟢 Shop"]
    assert "m1" not in vigie("maintenance", "list").stdout
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert "Traceback" not in vigie.log
