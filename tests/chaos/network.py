"""What lies between the parts: a network namespace for each where the machine allows it, else connections through relays of the harness.

A part that is cut off sends nothing and hears nothing, and nobody is told: packets are lost, as when a cable is pulled.
"""

import asyncio
import contextlib
import os
import shlex
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Protocol

INSIDE = "VIGIE_CHAOS_INSIDE"  # set in the environment of the harness once it runs in namespaces of its own
# Addresses that are public elsewhere: what is watched there is not on a private network, so that Vigie asks whether its own link is at fault.
_NET = "44.128.0"
_ALLOWED = "ip link set lo up && mount -t tmpfs none /run && mkdir /run/netns && ip netns add probe && nsenter --net=/run/netns/probe true"


class Network(Protocol):
    """Where parts are, and whether they reach each other."""

    name: str

    def host(self, part: str) -> str:
        """The address at which a part listens; that of the harness for an unknown one."""

    def command(self, part: str, user: int | None = None) -> list[str]:
        """What a part's command line begins with, for it to run in its place, as a user."""

    async def link(self, client: str, server: str, port: int) -> tuple[str, int]:
        """Where a part finds the port of another one."""

    async def cut(self, part: str) -> None:
        """Lose everything that a part sends and is sent."""

    async def heal(self, part: str) -> None:
        """Lose nothing any more."""

    def disk(self, folder: Path, megabytes: int) -> bool:
        """Make a folder a small file system of its own; False where that is not possible."""


def enter() -> list[str] | None:
    """The command that runs a program in namespaces of its own, with the rights to make more; None where the machine does not allow it."""
    if any(shutil.which(one) is None for one in ("unshare", "nsenter", "ip", "mount")):
        return None
    command = ["unshare", "--net", "--mount"]
    if os.geteuid() != 0:
        command += ["--map-current-user", "--keep-caps"]
    tried = subprocess.run([*command, "sh", "-ec", _ALLOWED], capture_output=True, check=False, timeout=20)
    return command if tried.returncode == 0 else None


class Namespaces:
    """Each part has a network of its own, joined by a bridge. The harness must run inside of `enter()`."""

    name = "network namespaces"

    def __init__(self, parts: list[str]) -> None:
        self._hosts = {part: f"{_NET}.{number}" for number, part in enumerate(parts, 2)}
        _run("ip link set lo up; mount -t tmpfs none /run; mkdir /run/netns; ip link add vigie type bridge forward_delay 0")
        _run(f"ip addr add {_NET}.1/24 dev vigie; ip link set vigie up")
        for part, host in self._hosts.items():
            _run(f"ip netns add {part}; ip link add {part} type veth peer name eth0 netns {part}; ip link set {part} master vigie up")
            _run(f"ip -n {part} addr add {host}/24 dev eth0; ip -n {part} link set eth0 up; ip -n {part} link set lo up")
            _run(f"ip -n {part} route add default via {_NET}.1")

    def host(self, part: str) -> str:
        """Its own address on the bridge."""
        return self._hosts.get(part, f"{_NET}.1")

    def command(self, part: str, user: int | None = None) -> list[str]:
        """The command that enters its namespace."""
        return ["nsenter", f"--net=/run/netns/{part}", *([f"--setuid={user}", f"--setgid={user}"] if user is not None else []), "--"]

    async def link(self, client: str, server: str, port: int) -> tuple[str, int]:
        """The same for everybody."""
        del client
        return self.host(server), port

    async def cut(self, part: str) -> None:
        """Take its cable out of the bridge, whose other end notices nothing."""
        await asyncio.to_thread(_run, f"ip link set {part} nomaster")

    async def heal(self, part: str) -> None:
        """Put it back."""
        await asyncio.to_thread(_run, f"ip link set {part} master vigie")

    def disk(self, folder: Path, megabytes: int) -> bool:
        """In memory, and seen by the parts of this harness alone."""
        _run(f"mount -t tmpfs -o size={megabytes}m none {shlex.quote(str(folder))}")
        return True


class Relays:
    """Everybody is on loopback; connections between parts go through the harness, which holds back what a part sends and is sent."""

    name = "relays"

    def __init__(self) -> None:
        self._open = defaultdict[str, asyncio.Event](_set)
        self._known: dict[tuple[str, str, int], int] = {}
        self._servers: list[asyncio.Server] = []
        self._talks: set[asyncio.Task[None]] = set()

    def host(self, part: str) -> str:
        """Loopback."""
        del part
        return "127.0.0.1"

    def command(self, part: str, user: int | None = None) -> list[str]:
        """Nothing but the user."""
        del part
        return [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]

    async def link(self, client: str, server: str, port: int) -> tuple[str, int]:
        """A port of the harness, one for each pair of parts."""
        key = (client, server, port)
        if key not in self._known:
            listener = await asyncio.start_server(lambda reader, writer: self._talk(key, reader, writer), "127.0.0.1", 0)
            self._servers.append(listener)
            self._known[key] = listener.sockets[0].getsockname()[1]
        return "127.0.0.1", self._known[key]

    async def cut(self, part: str) -> None:
        """Hold back."""
        self._open[part].clear()

    async def heal(self, part: str) -> None:
        """Pass on."""
        self._open[part].set()

    def disk(self, folder: Path, megabytes: int) -> bool:
        """Not without the right to mount."""
        del folder, megabytes
        return False

    async def close(self) -> None:
        """End every connection."""
        for one in self._servers:
            one.close()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, key: tuple[str, str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        client, server, port = key
        try:
            await self._passable(client, server)
            theirs, ours = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(ours):
                await asyncio.gather(self._pump(key, reader, ours), self._pump(key, theirs, writer))
        except (OSError, asyncio.CancelledError):
            pass  # one of them has gone
        finally:
            self._talks.discard(task)
            writer.close()

    async def _pump(self, key: tuple[str, str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self._passable(key[0], key[1])
            writer.write(data)
            await writer.drain()
        await self._passable(key[0], key[1])
        writer.close()

    async def _passable(self, client: str, server: str) -> None:
        await self._open[client].wait()
        await self._open[server].wait()


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


def _run(script: str) -> None:
    subprocess.run(["sh", "-ec", script.replace("; ", "\n")], check=True, capture_output=True, timeout=20)
