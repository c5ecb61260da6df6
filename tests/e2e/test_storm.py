"""A storm through the real program: 200 monitors on one dead address are one opening mail and one recovery mail."""

import http.server
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.conftest import PASSWORD, text_of

MONITORS = 200


class Page(http.server.BaseHTTPRequestHandler):
    """Always well."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


class Address:
    """A place on loopback that refuses connections until it is `up`."""

    def __init__(self) -> None:
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page, bind_and_activate=False)
        self._server.request_queue_size = 512
        self._server.server_bind()  # nobody else gets the port, and nobody listens
        self.port = self._server.server_address[1]
        self._is_up = False

    def up(self) -> None:
        self._server.server_activate()
        self._is_up = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        if self._is_up:
            self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def address() -> Iterator[Address]:
    made = Address()
    yield made
    made.close()


def test_two_hundred_monitors_on_a_dead_address_are_one_opening_mail_and_one_recovery(
    vigie: Any, tmp_path: Path, address: Address, inbox: Any
) -> None:
    mail = (
        f"{{type: email, to: t@site.test, sender: v@site.test, host: localhost, port: {inbox.port}, password: {PASSWORD}, ca_file: ca.pem}}"
    )
    monitors = "\n".join(
        f"  - {{name: Shop {n}, url: 'http://127.0.0.1:{address.port}/{n}', every: 1s, timeout: 1s}}" for n in range(MONITORS)
    )
    (tmp_path / "vigie.yaml").write_text(
        f"log: {{file: null}}\nweb: {{enabled: false}}\nllm: {{provider: none}}\ncontrol: []\nnotify: {{mail: {mail}}}\n"
        f"alerts: {{default: {{confirm: 2, confirm_every: 200ms, recover: 2, group_wait: 1s}}}}\nmonitors:\n{monitors}\n"
    )
    process = vigie.start("serve")
    (opening,) = inbox.wait(1)
    vigie.says(": opened shop-", times=MONITORS)
    address.up()
    recovery = inbox.wait(2)[1]
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0

    assert len(inbox.mails) == 2, inbox.subjects()
    assert "connection refused" in opening["Subject"]
    assert f"{MONITORS} services at 127.0.0.1:{address.port}: recovered" in recovery["Subject"]
    for mail_ in (opening, recovery):
        assert len(re.findall(r"Shop \d+ \(http", text_of(mail_))) > 1, "members are named"
    assert "Traceback" not in vigie.log
