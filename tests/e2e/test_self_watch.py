"""`vigie serve` watches itself: a blocked loop, a writer that stands still and a stopped prober are notified while they last.

The program runs in a process of its own, with short limits; what breaks it is in the test, not in the product.
"""

import functools
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vigie.ports import OutboxState
from vigie.stores.sqlite.store import SqliteStore

from .conftest import PATIENCE

SCRIPT = """
import asyncio, os, signal, sys, time
import vigie.buses.process, vigie.self_watch
from vigie.server import Server
vigie.self_watch.LOOP_SECONDS = vigie.self_watch.WRITER_SECONDS = 2.0
vigie.self_watch.PROBER_SECONDS = {prober}
vigie.buses.process._SILENCE_SECONDS = {silence}
start = Server.start

async def started(self):
    await start(self)
    loop = asyncio.get_running_loop()
    loop.call_later(3, {how})

def freeze_writer(server):
    take = server.runtime.ingest.take
    async def slow(batch):
        await asyncio.sleep(7)
        server.runtime.ingest.take = take
        await take(batch)
    server.runtime.ingest.take = slow

Server.start = started
from vigie.cli import main
main(["serve"])
"""


class Hook:
    """Takes webhooks, each with the path it came by; `dead` paths answer 503."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.pings = 0
        self.dead: set[str] = set()
        self._came = threading.Condition()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(503 if self.path in outer.dead else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                if self.path not in outer.dead:
                    with outer._came:
                        outer.got.append((self.path, body))
                        outer._came.notify_all()

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                with outer._came:
                    outer.pings += self.path == "/beat"
                    outer._came.notify_all()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def reasons(self, path: str = "/a") -> list[str]:
        return [body["reason"] for at, body in self.got if at == path]

    def wait(self, wanted: Callable[[], bool], seconds: float = PATIENCE) -> None:
        with self._came:
            assert self._came.wait_for(wanted, seconds), self.got

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.stop()


def serving(tmp_path: Path, hook: Hook, how: str, *, prober: float = 60, silence: float = 60, to: str = "a") -> subprocess.Popen[bytes]:
    base = f"http://127.0.0.1:{hook.port}"
    (tmp_path / "vigie.yaml").write_text(
        "llm: {provider: none}\nlog: {file: vigie.log}\ncontrol: []\nweb: {enabled: false}\n"
        f"notify:\n  a: {{type: webhook, url: '{base}/a'}}\n  b: {{type: webhook, url: '{base}/b'}}\n"
        f"people: {{ana: {{channels: [a]}}}}\nalerts: {{default: {{to: [{to}]}}}}\nwatchdog: {{url: '{base}/beat', every: 10s}}\n"
        f"monitors: [{{name: Site, url: '{base}/', every: 1s, timeout: 1s}}]\n"
    )
    script = SCRIPT.format(how=how, prober=prober, silence=silence)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "VIGIE_CONFIG": ""}
    return subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, env=environ, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def ended(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(25) == 0


async def states(tmp_path: Path) -> list[tuple[str, str, str]]:
    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    try:
        found = await store.ledger.notices()
        return [(one.row.notice.channel, str(one.row.notice.reason), str(one.state)) for one in found]
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("how", "part"),
    [("time.sleep, 9", "loop"), ("freeze_writer, self", "writer"), ("lambda: os.kill(self.checking.prober.pid, signal.SIGSTOP)", "prober")],
)
async def test_what_stands_still_is_notified_while_it_lasts(tmp_path: Path, hook: Hook, how: str, part: str) -> None:
    prober, silence = (14, 20) if part == "prober" else (60, 60)
    process = serving(tmp_path, hook, how, prober=prober, silence=silence)
    try:
        hook.wait(lambda: "stalled" in hook.reasons())
        body = next(body for _, body in hook.got if body["reason"] == "stalled")
        assert f"stalled-{part}-" in body["thread"]
        assert body["severity"] == "outage"
        hook.wait(lambda: "resumed" in hook.reasons())
        assert hook.reasons() == ["stalled", "resumed"], "once each"
        assert hook.reasons("/b") == []
    finally:
        ended(process)
    assert await states(tmp_path) == [("a", "stalled", str(OutboxState.DELIVERED)), ("a", "resumed", str(OutboxState.DELIVERED))]
    log = (tmp_path / "vigie.log").read_text()
    assert f"CRITICAL - Vigie has stalled: the {part}" in log
    assert "Traceback" not in log


async def test_another_channel_is_used_where_the_first_is_dead_too(tmp_path: Path, hook: Hook) -> None:
    hook.dead.add("/a")
    process = serving(tmp_path, hook, "time.sleep, 9")
    try:
        hook.wait(lambda: "stalled" in hook.reasons("/b"))
        hook.dead.clear()
        hook.wait(lambda: "resumed" in hook.reasons("/b"))
    finally:
        ended(process)


def _pinged_since(hook: Hook, pings: int) -> bool:
    return hook.pings > pings


def test_the_end_of_a_stall_is_told_by_the_next_process_where_this_one_was_killed(tmp_path: Path, hook: Hook) -> None:
    """An incident that a paging service opened for it is closed: once, on the channels that were notified, here those of a person."""
    process = serving(tmp_path, hook, "time.sleep, 60", to="ana")
    try:
        hook.wait(lambda: "stalled" in hook.reasons())
    finally:
        process.kill()
        process.wait(10)
    for _ in range(2):
        pings = hook.pings
        process = serving(tmp_path, hook, "lambda: None", to="ana")
        try:
            hook.wait(lambda: "resumed" in hook.reasons())
            hook.wait(functools.partial(_pinged_since, hook, pings))
        finally:
            ended(process)
    assert list(dict.fromkeys(hook.reasons())) == ["stalled", "resumed"]
    assert hook.reasons().count("resumed") == 1
    assert {body["thread"] for _, body in hook.got} == {hook.got[0][1]["thread"]}
    assert hook.reasons("/b") == []


def test_the_watchdog_is_pinged_while_vigie_works(tmp_path: Path, hook: Hook) -> None:
    process = serving(tmp_path, hook, "lambda: None")
    try:
        hook.wait(lambda: hook.pings >= 2)
    finally:
        ended(process)
