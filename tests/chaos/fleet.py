"""What runs in a form of Vigie: its parts, their configuration, and how the harness knows that they are ready."""

import asyncio
import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.clock import WallClock
from tests.chaos.network import Network
from tests.chaos.part import Part
from tests.chaos.world import World

VIGIE = str(Path(sys.executable).with_name("vigie"))
READY_SECONDS = 120.0  # on a machine that has other work: nothing is judged by it


@dataclass(slots=True)
class Deployment:
    """The parts that run, by name; `roles` are the names by what they do."""

    network: Network
    world: World
    folder: Path
    parts: dict[str, Part] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    store: str = ""  # the database, for the harness
    each: dict[str, Any] = field(default_factory=dict)  # keys of every monitor
    policy: dict[str, Any] = field(default_factory=dict)  # of the alert, beside the usual
    small_disks: bool = True
    closing: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    disks: dict[str, Path] = field(default_factory=dict)  # small file systems of parts, that can be filled
    clocks: dict[str, WallClock] = field(default_factory=dict)  # wall clocks of parts, that can be set

    def names(self, kind: str) -> list[str]:
        """The parts of a kind: `server` and `server1` and on."""
        return [name for name in self.parts if name.rstrip("0123456789") == kind]

    def add(
        self,
        name: str,
        command: Iterable[str],
        *,
        user: int | None = None,
        environment: dict[str, str] | None = None,
        stop_signal: int = 15,
    ) -> Part:
        """A part, started."""
        folder, program = self.folder / name, list(command)
        folder.mkdir(exist_ok=True)
        own = {"PYTHONUNBUFFERED": "1", **(environment or {})}
        if program[0] == VIGIE:
            self.clocks[name] = WallClock(self.folder / f"{name}.clock")
            own |= self.clocks[name].environment
        self.parts[name] = part = Part(name, [*self.network.command(name, user), *program], folder, own, stop_signal)
        part.log.unlink(missing_ok=True)  # of another run
        part.start()
        return part

    def disk(self, name: str, megabytes: int) -> None:
        """Give a part's folder a small disk, if that can be; before it is started."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        if self.small_disks and self.network.disk(folder, megabytes):
            self.disks[name] = folder

    def port(self, name: str, *, fresh: bool = False) -> int:
        """A port for a part; `fresh` where several parts share an address."""
        if fresh or name not in self.ports:
            with socket.socket() as sock:
                sock.bind(("127.0.0.1", 0))
                self.ports[name] = sock.getsockname()[1]
        return self.ports[name]

    async def url(self, client: str, server: str, path: str = "") -> str:
        """Where a part finds the web of another, or that of the harness."""
        host, port = await self.network.link(client, server, self.ports.get(server, self.world.port))
        return f"http://{host}:{port}{path}"

    async def configure(self, name: str, top: dict[str, Any]) -> Path:
        """Write the configuration of a server: JSON, which is YAML."""
        target = await self.url(name, "world")
        file = self.folder / name / "vigie.yaml"
        file.parent.mkdir(exist_ok=True)
        monitors = [
            {"name": one, "url": f"{target}/{one}", "every": "1s", "timeout": "2s", **self.each} for one in self.world.script.outages
        ]
        policy = {"confirm": 2, "confirm_every": "500ms", "recover": 2, "group": "off", "group_wait": "0s", "flapping": False}
        shape = {
            "llm": {"provider": "none"},
            "control": [f"{self.network.host('world')}:{port}" for port in self.world.controls],
            "log": {"file": None},
            "web": {"listen": f"{self.network.host(name)}:{self.port(name)}"},
            "notify": {"hook": {"type": "webhook", "url": f"{target}/notices"}},
            "alerts": {"default": {**policy, "to": ["hook"], **self.policy}},
            "monitors": monitors,
            **top,
        }
        file.write_text(json.dumps(shape, indent=1), encoding="utf-8")
        return file

    async def ready(self, name: str) -> None:
        """Until a server says that it is."""
        url = f"http://{self.network.host(name)}:{self.ports[name]}/ready"
        end = time.monotonic() + READY_SECONDS
        while wrong := await asyncio.to_thread(asked, url):
            if time.monotonic() > end or len(self.parts[name].ended) > 2:
                raise TimeoutError(f"{name} is not ready: {wrong}; {self.parts[name].log.read_text()[-2_000:]}")
            await asyncio.sleep(0.1)  # slow: another process

    async def stop(self) -> None:
        """End all parts, those first that were started last."""
        for part in reversed(self.parts.values()):
            await part.stop()
        for close in self.closing:
            await close()


def asked(url: str) -> str:
    """What is wrong with an address that should answer with success; empty where nothing is."""
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return "" if answer.status == 200 else f"HTTP {answer.status}"
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}: {error.read(1_000).decode(errors='replace')}"
    except OSError as error:
        return str(error)


async def run(*command: str, folder: Path, environment: dict[str, str] | None = None) -> str:
    """A command to its end; what it said. Raises RuntimeError with it where it failed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env={**os.environ, **(environment or {})}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, faults = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: {said.decode()}{faults.decode()}")
    return said.decode()
