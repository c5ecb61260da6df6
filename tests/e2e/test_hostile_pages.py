"""A site whose pages are made to take for ever, beside a healthy one and a real outage: whoever watches them is not held up."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.e2e.conftest import Threaded

PASSWORD = "app-password-7"
BODIES = {
    "/comments": b"<!---->" * 40 + b"x",
    "/script": b"<p>bread</p><script>eval" + b" " * 100_000 + b";unescape</script>",
    "/style": b'<div style="' + b"color:#fff;" * 46_000 + b'background"><a href="//a.test/">a</a><a href="//b.test/">b</a></div>',
    "/deep": b"<div>" * 100_000,
}
ENDLESS = b"[" + b",".join([b"[" + b",".join([b"0"] * 999) + b"]"] * 400) + b"]"  # with `$..*..*`


@pytest.fixture
def hostile() -> Iterator[int]:
    """A server of these pages, never the same twice; under /503 with that status."""
    numbers = count(1)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        if path == "/endless":
            body, kind = ENDLESS + b" " * next(numbers), b"Content-Type: application/json\r\n"
        else:
            body = BODIES[path.removeprefix("/503")] + b"<!-- %d -->" % next(numbers)
            kind = b"" if "comments" in path else b"Content-Type: text/html\r\n"
        status = b"503 Service Unavailable" if path.startswith("/503") else b"200 OK"
        writer.write(b"HTTP/1.1 %b\r\nConnection: close\r\n%bContent-Length: %d\r\n\r\n%b" % (status, kind, len(body), body))
        await writer.drain()

    server = Threaded(answer)
    yield server.port
    server.stop()


@pytest.fixture
def configured(tmp_path: Path, site: Any, inbox: Any, hostile: int) -> Path:
    path = tmp_path / "vigie.yaml"
    mail = (
        "{type: email, to: team@site.test, sender: v@site.test, host: localhost, "
        f"port: {inbox.port}, password: {PASSWORD}, ca_file: {tmp_path / 'ca.pem'}}}"
    )
    pages = "".join(
        f'  - {{name: "{status}{name}", url: "http://127.0.0.1:{hostile}{status}{name}", every: 1s, timeout: 3s, alert: nobody}}\n'
        for name in BODIES
        for status in ("", "/503")
    )
    path.write_text(
        f"log: {{file: null}}\nweb: {{enabled: false}}\ncontrol: []\nllm: {{provider: none}}\nnotify: {{mail: {mail}}}\n"
        "alerts: {default: {confirm: 2, confirm_every: 200ms, recover: 2}, nobody: {to: []}}\nmonitors:\n"
        f"{pages}"
        f'  - {{name: endless, url: "http://127.0.0.1:{hostile}/endless", every: 1s, timeout: 2s, alert: nobody, expect: {{json: {{"$..*..*": 1}}}}}}\n'
        f'  - {{name: Shop, url: "http://127.0.0.1:{site.port}/", every: 1s, timeout: 1s}}\n'
    )
    return path


def readers(pid: int) -> list[psutil.Process]:
    """The processes that read pages, wherever they are in its tree."""
    return [one for one in psutil.Process(pid).children(recursive=True) if "kit.worker" in " ".join(one.cmdline())]


def test_a_single_check_of_each_is_judged_by_its_status(vigie: Any, configured: Path) -> None:
    done = vigie("check", "--config", str(configured), "--format", "json")

    found = {one["monitor"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert found["Shop"]["status"] == "up"
    for name in BODIES:
        assert found[name]["status"] == "up", found[name]
        assert (found["/503" + name]["status"], found["/503" + name]["cause"]) == ("down", "http.status"), found["/503" + name]


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_an_outage_beside_hostile_pages_is_notified_whatever_becomes_of_their_reader(
    vigie: Any, configured: Path, site: Any, inbox: Any
) -> None:
    process = vigie.start("serve", descriptors=200)
    site.wait(2)
    for one in readers(process.pid):
        one.kill()
    site.status = 502
    (page,) = inbox.wait(1)
    assert "🔴 Shop" in page["Subject"]
    site.status = 200
    inbox.wait(2)

    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    for one in readers(process.pid):
        one.kill()
    assert process.wait(20) == 0
    assert time.monotonic() - begun < 15
    left = [one for one in psutil.process_iter(["cmdline", "cwd"]) if _is_ours(one, configured.parent)]
    psutil.wait_procs(left, 5)
    assert not [one for one in left if one.is_running()]


def _is_ours(one: psutil.Process, folder: Path) -> bool:
    """Whether a reader of this test's program is left."""
    return "kit.worker" in " ".join(one.info["cmdline"] or ()) and one.info["cwd"] == str(folder)


def test_once_ends_beside_hostile_pages_without_a_folder_for_temporary_files(vigie: Any, configured: Path, site: Any, inbox: Any) -> None:
    vigie.environment["TMPDIR"] = os.fspath(configured.parent / "nowhere")
    site.status = 502
    begun = time.monotonic()

    done = vigie("once", timeout=60)

    assert time.monotonic() - begun < 45
    assert "🔴 Shop" in inbox.mails[0]["Subject"]
    assert done.returncode == 0, done.stderr
