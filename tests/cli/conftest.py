"""The program in this process, in a folder of its own, with a clean environment; and servers on threads for it to meet."""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from vigie import logs
from vigie.cli import main
from vigie.testing.servers import serving
from vigie.testing.smtp_server import SmtpServer

_T = TypeVar("_T")
OURS = ("EMAIL_", "SMTP_", "SERVICE_", "OLLAMA_", "TIMEOUT_", "LOG_FILE", "VIGIE_", "NO_COLOR", "COLUMNS", "LC_", "LANG", "TERM")


@dataclass(frozen=True)
class Done:
    """What a run left."""

    status: int
    out: str
    err: str


@dataclass
class Site:
    """A web page; `status` is what it answers."""

    status: int = 200
    body: str = "ok"
    kind: str = "text/html"
    port: int = 0
    requests: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        head = f"HTTP/1.1 {self.status} Whatever\r\nContent-Type: {self.kind}\r\nContent-Length: {len(self.body)}\r\n\r\n"
        writer.write((head + self.body).encode())
        await writer.drain()


@contextlib.contextmanager
def on_a_thread(made: Callable[[], AbstractAsyncContextManager[_T]]) -> Iterator[_T]:
    """A server on a loop of its own, because the program under test runs its own loop here."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def done(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    server = made()
    try:
        yield done(server.__aenter__())
    finally:
        done(server.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    with on_a_thread(lambda: serving(made.answer)) as port:
        made.port = port
        yield made


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[SmtpServer]:
    (tmp_path / "ca").mkdir()
    with on_a_thread(lambda: SmtpServer(tmp_path / "ca", username="v@site.test", password="app-password-7")) as server:
        yield server


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the program runs; the log is as before afterwards."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TZ", "UTC")
    yield home
    logs.stop()
    logging.getLogger("vigie").propagate = True
    logging.getLogger("vigie").setLevel(logging.NOTSET)


@pytest.fixture
def vigie(capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    def run(*arguments: str) -> Done:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        logs.stop()  # the console's handler holds the stream of this run
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return Done(int(str(ended.value.code or 0)), out, err)

    return run


@pytest.fixture
def env(folder: Path, site: Site, inbox: SmtpServer) -> dict[str, str]:
    """The earlier script's settings, written to `.env`."""
    values = {
        "SERVICE_URL": site.url,
        "EMAIL_SENDER": "v@site.test",
        "EMAIL_PASSWORD": "app-password-7",
        "EMAIL_RECEIVER": "team@site.test",
        "SMTP_SERVER": "localhost",
        "SMTP_PORT": str(inbox.port),
        "SMTP_CA_FILE": str(inbox.ca_file),
        "OLLAMA_HOST": "127.0.0.1:9",
        "TIMEOUT_SECONDS": "2",
    }
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return values


@pytest.fixture
def quick(folder: Path, env: dict[str, str]) -> Path:
    """A vigie.yaml that confirms at once and asks no model."""
    path = folder / "vigie.yaml"
    path.write_text(
        "log: {file: vigie.log}\nllm: {provider: none}\nnotify: {mail: {type: email}}\ncontrol: []\n"
        "alerts: {default: {confirm: 2, confirm_every: 50ms}}\n"
        'monitors: [{name: Shop, url: "${SERVICE_URL}"}]\n'
    )
    return path
