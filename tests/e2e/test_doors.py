"""`vigie serve` among clients that hold connections, read nothing and send slowly: it still checks, notifies and ends in time."""

import contextlib
import resource
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "app-password-7"
TOKEN = "2f1b7b0e-6c0e-4f6f-9b0e-6d1a2b3c4d5e"
STOPPED_WITHIN = 15.0


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def configured(tmp_path: Path, site: Any, inbox: Any, port: int) -> Path:
    """A monitor that is checked once a second, a job that reports in, and mail."""
    path = tmp_path / "vigie.yaml"
    mail = (
        "{type: email, to: team@site.test, sender: v@site.test, host: localhost, "
        f"port: {inbox.port}, password: {PASSWORD}, ca_file: {tmp_path / 'ca.pem'}}}"
    )
    path.write_text(
        f"log: {{file: null}}\ncontrol: []\nweb: {{listen: '127.0.0.1:{port}'}}\nllm: {{provider: none}}\nnotify: {{mail: {mail}}}\n"
        "alerts: {default: {confirm: 2, confirm_every: 200ms, recover: 2}}\n"
        "monitors:\n"
        f'  - {{name: Shop, url: "http://127.0.0.1:{site.port}/", every: 1s, timeout: 1s}}\n'
        f"  - {{name: Backup, type: heartbeat, token: {TOKEN}, period: 1d}}\n"
    )
    return path


@contextlib.contextmanager
def crowd(port: int, count: int, said: bytes) -> Iterator[list[socket.socket]]:
    """So many connections on which nothing more than `said` is ever sent."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count + 500:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 500, hard), hard))
    with contextlib.ExitStack() as stack:
        sockets = []
        for _ in range(count):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            with contextlib.suppress(ConnectionError):
                sock.sendall(said)
            sockets.append(sock)
        yield sockets


def ended(process: Any) -> float:
    """Ask for the end; how long it took."""
    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    assert process.wait(STOPPED_WITHIN + 5) == 0
    return time.monotonic() - begun


def test_silent_connections_keep_nobody_from_being_notified(vigie: Any, configured: Path, site: Any, inbox: Any, port: int) -> None:
    process = vigie.start("serve", descriptors=1024)
    vigie.says("watching ")
    with crowd(port, 1_100, b""), crowd(port, 50, b"GET / HTTP/1.1\r\nHost: localh"):
        site.status = 502
        (page,) = inbox.wait(1)
        assert "🔴 Shop" in page["Subject"]
        site.status = 200
        inbox.wait(2)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping/{TOKEN}/", timeout=10) as answer:
            assert answer.read() == b"OK"
        assert ended(process) < STOPPED_WITHIN

    assert len(vigie.log) < 20_000, vigie.log[-4_000:]
    assert "Traceback" not in vigie.log


def test_no_client_delays_the_end(vigie: Any, configured: Path, site: Any, port: int) -> None:
    process = vigie.start("serve")
    site.wait(1)
    vigie.says("watching ")
    pages = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2_000
    slow = b"POST /ping/%s/fail HTTP/1.1\r\nHost: v\r\nContent-Length: 900\r\n\r\nhalf of it" % TOKEN.encode()
    with crowd(port, 5, pages), crowd(port, 1, slow) as senders, crowd(port, 3, b"GET / HTTP/1.1\r\nHo"), crowd(port, 3, b""):
        assert ended(process) < STOPPED_WITHIN
        answer = senders[0].recv(1_000)

    assert answer.startswith(b"HTTP/1.1 200"), "a ping whose body is cut short counts"
    assert "Traceback" not in vigie.log


def test_a_mail_server_that_hangs_does_not_delay_the_end_and_nothing_is_lost(vigie: Any, configured: Path, site: Any, inbox: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        good = configured.read_text()
        configured.write_text(good.replace(f"port: {inbox.port}", f"port: {silent.getsockname()[1]}"))
        process = vigie.start("serve")
        site.wait(1)
        site.status = 502
        vigie.says("sending opened by mail")
        assert ended(process) < STOPPED_WITHIN

    assert "1 notice unsent, kept in the outbox; the next start tries again" in vigie.log
    configured.write_text(good)
    vigie.start("serve")
    (page,) = inbox.wait(1, 90)
    assert "🔴 Shop" in page["Subject"]


def test_a_second_signal_ends_at_once(vigie: Any, configured: Path, site: Any, inbox: Any) -> None:
    site.delay = 30.0
    configured.write_text(configured.read_text().replace("timeout: 1s", "timeout: 30s"))
    process = vigie.start("serve")
    site.wait(1)
    process.send_signal(signal.SIGTERM)
    vigie.says("stopping")
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)

    assert process.wait(10) == -signal.SIGTERM
    assert time.monotonic() - begun < 2


def test_a_check_that_hangs_does_not_delay_the_end(vigie: Any, configured: Path, site: Any) -> None:
    site.delay = 60.0
    configured.write_text(configured.read_text().replace("timeout: 1s", "timeout: 60s"))
    process = vigie.start("serve")
    site.wait(1)

    assert ended(process) < STOPPED_WITHIN


def test_nothing_is_imported_once_it_is_at_work(vigie: Any, configured: Path, site: Any, inbox: Any, port: int) -> None:
    """An import fails without a free descriptor: what a notice, a report, a page and the end need is there before."""
    hook = f"notify: {{hook: {{type: webhook, url: 'http://127.0.0.1:{site.port}/hook'}}, "
    configured.write_text(configured.read_text().replace("notify: {", hook))
    process = vigie.start("serve", python=("-X", "importtime"))
    vigie.says("watching ")
    site.status = 502
    inbox.wait(1)
    site.status = 200
    inbox.wait(2)
    site.wait(path="/hook")
    for path in ("", "health", f"ping/{TOKEN}", f"api/push/{TOKEN}"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10).close()
    assert ended(process) < STOPPED_WITHIN

    lines = [line for line in vigie.log.partition("watching ")[2].splitlines() if line.startswith("import time:")]
    late = [line for line in lines if "sniffio" not in line]  # httpcore looks for it each time, and is content without
    assert not late, "\n".join(late)
