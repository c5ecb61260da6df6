"""A whole world on loopback: a site that can be broken, a mail server with STARTTLS and AUTH, a model that can misbehave."""

import asyncio
import email
import email.policy
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from vigie.net import hang_up
from vigie.testing.servers import Handler, ended, serving

_PASSES = 4  # of the loop: until what was hung up is closed
PASSWORD = "app-password-7"
PATIENCE = 150.0  # seconds until something that a loaded machine does late counts as not done; whatever happens is seen at once


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test of the whole program may be slow where the machine has other work."""
    for one in items:
        if one.path.parent == Path(__file__).parent and one.get_closest_marker("timeout") is None:
            one.add_marker(pytest.mark.timeout(2 * PATIENCE))


class Inbox:
    """Keeps what arrives; `refuse` is an answer to give instead of taking a mail."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse: str | None = None
        self._arrived = threading.Condition()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse:
            return self.refuse
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        with self._arrived:
            self.mails.append(mail)
            self._arrived.notify_all()
        return "250 taken"

    def wait(self, count: int, seconds: float = PATIENCE) -> list[EmailMessage]:
        """The mails once there are so many."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.mails) >= count, seconds), self.subjects()
            return list(self.mails)

    def wait_until(self, wanted: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Until something holds, which is looked at whenever a mail arrives."""
        with self._arrived:
            assert self._arrived.wait_for(wanted, seconds), self.subjects()

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


class MailServer(Controller):
    """aiosmtpd on a thread of its own, which hangs up on everybody when it stops."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.sessions: list[Any] = []
        super().__init__(*arguments, **options)

    def factory(self) -> Any:
        self.sessions.append(super().factory())  # type: ignore[no-untyped-call]  # the library ships no types for it
        return self.sessions[-1]

    def stop(self, no_assert: bool = False) -> None:
        async def hang_all_up() -> None:
            await ended(self.server)  # type: ignore[arg-type]  # the library says AbstractServer of what asyncio made
            for session in self.sessions:
                # A TLS transport that was closed twice does nothing any more; the one beneath it still waits for the client's goodbye.
                for transport in (session.transport, session._original_transport):
                    if transport is not None:
                        hang_up(transport)
            for _ in range(_PASSES):
                await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(hang_all_up(), self.loop).result(10)
        super().stop(no_assert)


class Threaded:
    """A server on a loop of its own thread."""

    def __init__(self, handler: Handler) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._serving = serving(handler)
        self.port = self._done(self._serving.__aenter__())

    def _done(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def stop(self) -> None:
        self._done(self._serving.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass
class Site:
    """A service; `status` is what it answers after `delay` seconds, and `paths` are what was asked of it."""

    status: int = 200
    delay: float = 0.0
    paths: list[str] = field(default_factory=list)
    _came: threading.Condition = field(default_factory=threading.Condition)

    @property
    def hits(self) -> int:
        return len(self.paths)

    def wait(self, hits: int = 1, path: str = "/", seconds: float = PATIENCE) -> None:
        """Until a path was asked for so many times in all."""
        with self._came:
            assert self._came.wait_for(lambda: self.paths.count(path) >= hits, seconds), self.paths

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        with self._came:
            self.paths.append(head.split(b" ")[1].decode())
            self._came.notify_all()
        await asyncio.sleep(self.delay)
        writer.write(f"HTTP/1.1 {self.status} Whatever\r\nServer: nginx\r\nContent-Length: 2\r\n\r\nok".encode())
        await writer.drain()


@dataclass
class Model:
    """Speaks as much of Ollama's API as is asked for. `sentences` is what it writes; `mode` how it misbehaves."""

    sentences: list[dict[str, Any]] = field(default_factory=list)
    mode: str = "good"
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
        body = json.loads(await reader.readexactly(size) or b"{}")
        await self._reply(head.split(" ")[1], body, writer)

    async def _reply(self, path: str, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        if self.mode == "not pulled":
            self._send(writer, "404 Not Found", json.dumps({"error": f"model '{body.get('model')}' not found"}))
        elif path == "/api/show":
            self._send(writer, "200 OK", json.dumps({"details": {}, "model_info": {}}))
        elif path == "/api/generate":
            self._send(writer, "200 OK", json.dumps({"model": body["model"], "response": "", "done": True}))
        elif path == "/api/chat":
            self.asked.append(body)
            if self.mode == "hang":
                await asyncio.sleep(60)
            text = "I feel great today!" if self.mode == "garbage" else json.dumps({"cause": "unknown", "sentences": self.sentences})
            lines = [{"message": {"role": "assistant", "content": text}, "done": False}]
            lines.append({"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", "prompt_eval_count": 900})
            self._send(writer, "200 OK", "".join(json.dumps({"model": body["model"], **line}) + "\n" for line in lines))
        await writer.drain()

    @staticmethod
    def _send(writer: asyncio.StreamWriter, status: str, text: str) -> None:
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/x-ndjson\r\nContent-Length: {len(text.encode())}\r\nConnection: close\r\n\r\n"
        )
        writer.write((head + text).encode())


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    server = Threaded(made.answer)
    made.port = server.port  # type: ignore[attr-defined]
    yield made
    server.stop()


@pytest.fixture
def model() -> Iterator[Model]:
    made = Model()
    server = Threaded(made.answer)
    made.port = server.port  # type: ignore[attr-defined]
    yield made
    server.stop()


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    """A mail server with STARTTLS and AUTH, its certificate by a throwaway authority in `ca.pem`."""
    made = Inbox()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)

    def login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
        return AuthResult(success=good, handled=False) if not good else AuthResult(success=True)

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    server = MailServer(made, "127.0.0.1", port, tls_context=context, require_starttls=True, authenticator=login, auth_required=True)
    server.start()
    made.port = port  # type: ignore[attr-defined]
    yield made
    server.stop()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A clean one."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "SYSTEMROOT") if name in os.environ}
    return {**kept, "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error", "TZ": "UTC"}


@dataclass
class Vigie:
    """The installed program in a folder."""

    folder: Path
    environment: dict[str, str]
    running: list[tuple[subprocess.Popen[str], threading.Thread]] = field(default_factory=list)
    _log: str = ""
    _begun: int = 0  # where the log of the newest start begins
    _spoke: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, *arguments: str, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "vigie", *arguments]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def start(self, *arguments: str, python: tuple[str, ...] = (), descriptors: int = 0) -> subprocess.Popen[str]:
        """Run it in the background; `python` are options of the interpreter, `descriptors` the hard limit of open files, if any."""
        command = [sys.executable, *python, "-m", "vigie", *arguments]
        if descriptors:
            command = ["sh", "-c", 'ulimit -n "$0" && exec "$@"', str(descriptors), *command]
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(command, cwd=self.folder, env=self.environment, text=True, **pipes)
        with self._spoke:
            self._begun = len(self._log)
        reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        reader.start()
        self.running.append((process, reader))
        return process

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                with self._spoke:
                    self._log += line
                    self._spoke.notify_all()

    def serve(self) -> subprocess.Popen[str]:
        """`vigie serve`, once it is at work."""
        process = self.start("serve")
        self.says("watching ")
        return process

    def says(self, words: str, seconds: float = PATIENCE, times: int = 1) -> None:
        """Until the newest start has said this, so many times."""
        with self._spoke:
            assert self._spoke.wait_for(lambda: self._log[self._begun :].count(words) >= times, seconds), self._log

    @property
    def log(self) -> str:
        """What was said since the first start; all of it, of those that ended."""
        for process, reader in self.running:
            if process.poll() is not None:
                reader.join(10)
        with self._spoke:
            return self._log


@pytest.fixture
def vigie(tmp_path: Path, environment: dict[str, str]) -> Iterator[Vigie]:
    made = Vigie(tmp_path, environment)
    yield made
    for process, reader in made.running:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(10)
        reader.join(10)
