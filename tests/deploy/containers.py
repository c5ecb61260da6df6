"""A container without a container engine: a process with a root, a network address, a user, capabilities and variables of its own, by Linux
namespaces. It sees the programs of this machine, what is mounted for it, and nothing else. The caller runs inside `tests.chaos.network.enter()`.
"""

import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vigie.testing.nats_server import binary

READY_SECONDS = 90.0  # on a machine that has other work
_STOP_SECONDS = 40.0
TAKEN_OVER_SECONDS = 15.0
_BRIDGE = "172.30.77.1/24"  # the subnet of deploy/fleet/compose.yaml
_USERS = {"root": 0, "postgres": 70, "www-data": 33, "vigie": 10001, "nobody": 65534}
_SHARED = ("/usr", "/etc/ssl", "/etc/ld.so.cache", "/etc/alternatives")


@dataclass(frozen=True, slots=True)
class Image:
    """What an image brings: the start of its command line, its own user, variables and folder; `owner` of new volumes."""

    entrypoint: tuple[str, ...]
    command: tuple[str, ...] = ()
    user: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    owner: int = 0


@dataclass(slots=True)
class Container:
    """`mounts` are (place here, place there, read-only); `tmpfs` (place there, options). `hosts` are names beside those of everybody."""

    name: str
    address: str
    image: Image
    folder: Path
    command: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    user: int | None = None
    group: int | None = None
    groups: tuple[int, ...] = ()
    capabilities: tuple[str, ...] = ()
    read_only: bool = True
    mounts: tuple[tuple[Path, str, bool], ...] = ()
    tmpfs: tuple[tuple[str, str], ...] = ()
    hosts: dict[str, str] = field(default_factory=dict)
    check: tuple[str, ...] = ()  # its health, by a command in it
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> str:
        """What it has written."""
        return (self.folder / "log").read_text(errors="replace")

    def start(self, hosts: dict[str, str]) -> None:
        """Start it, as the first of its name or anew."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "root").mkdir(exist_ok=True)
        names = {"localhost": "127.0.0.1", **hosts, **self.hosts}
        (self.folder / "hosts").write_text(
            "".join(f"{address} {name}\n" for name, addresses in names.items() for address in addresses.split())
        )
        words = ("nsenter", f"--net=/run/netns/{self.name}", "unshare", "--mount", "--propagation=private", "sh", "-ec", self._script())
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                words, env=self._variables(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _variables(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        return {"PATH": path, "HOME": self.image.workdir, **self.image.environment, **self.environment}

    def _script(self) -> str:
        """What makes its root, and goes on as its program."""
        root = self.folder / "root"
        lines = [f"mount -t tmpfs -o size=16m,mode=755 none {root}", f"cd {root}", "mkdir etc proc dev run tmp"]
        lines += [f"ln -s usr/{one} {one}" for one in ("bin", "lib", "lib64", "sbin")]
        users = "".join(f"{name}:x:{number}:{number}::/:/bin/false\\n" for name, number in _USERS.items())
        groups = "".join(f"{name}:x:{number}:\\n" for name, number in _USERS.items())
        lines += [f"printf '{users}' > etc/passwd", f"printf '{groups}' > etc/group"]
        lines += [f"mount --rbind /{one} {one}" for one in ("proc", "dev")]
        lines += [_mounted(self.folder / "hosts", "/etc/hosts", read_only=True)]
        lines += [f"mkdir -p .{place}; mount -t tmpfs -o {options or 'mode=755'} none .{place}" for place, options in self.tmpfs]
        lines += [_mounted(here, there, read_only=read_only) for here, there, read_only in self.mounts]
        # after what is mounted for it, which may be above them: a checkout in /tmp
        lines += [_mounted(Path(one), one, read_only=True) for one in (*_SHARED, *_programs()) if Path(one).exists()]
        lines += [f"mkdir -p .{self.image.workdir}"]
        lines += [f"mount -o remount,ro {root}"] if self.read_only else []
        within = (
            f"cd {self.image.workdir}; exec {shlex.join((*self._limits(), *self.image.entrypoint, *(self.command or self.image.command)))}"
        )
        return "\n".join([*lines, f"exec chroot {root} sh -ec {shlex.quote(within)}"])

    def _limits(self) -> list[str]:
        user = self.image.user if self.user is None else self.user
        group = user if self.group is None else self.group
        kept = "".join(f",+{one.lower()}" for one in self.capabilities)
        return [
            "setpriv", f"--reuid={user}", f"--regid={group}", *([f"--groups={','.join(map(str, self.groups))}"] if self.groups else ["--clear-groups"]), "--no-new-privs", f"--bounding-set=-all{kept}",
            f"--inh-caps=-all{kept}",
        ]  # fmt: skip

    def run(self, *command: str, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
        """A command in it, as `docker exec` has it."""
        assert self.process is not None
        words = ["nsenter", f"--target={self.process.pid}", "--mount", "--net", "--root", f"--wdns={self.image.workdir}"]
        return subprocess.run(
            [*words, *self._limits(), *command], env=self._variables(), capture_output=True, text=True, check=False, timeout=seconds
        )

    def healthy(self) -> bool:
        """Whether its check passes."""
        return self.process is not None and self.process.poll() is None and self.run(*self.check).returncode == 0

    def kill(self, how: int = signal.SIGKILL) -> None:
        """End it: at once and whole, or as it is asked to."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, how) if how == signal.SIGKILL else os.kill(self.process.pid, how)
            self.process.wait(_STOP_SECONDS)


def _mounted(here: Path, there: str, *, read_only: bool) -> str:
    made = f"mkdir -p .{there}" if here.is_dir() else f"mkdir -p .{Path(there).parent}; touch .{there}"
    seal = f"; mount -o remount,bind,ro .{there}" if read_only else ""
    return f"{made}; mount --bind {here} .{there}{seal}"


def _programs() -> list[str]:
    """Where Python, its packages and this tree are."""
    places = {Path(one).resolve() for one in (sys.prefix, sys.base_prefix, *sys.path, str(binary().parent)) if one and Path(one).is_dir()}
    outer = [one for one in places if not any(other in one.parents for other in places) and not one.is_relative_to("/usr")]
    return [str(one) for one in outer]


def connect(containers: list[Container]) -> None:
    """The network between them."""
    _run("ip link set lo up; mount -t tmpfs none /run; mkdir /run/netns; ip link add fleet type bridge forward_delay 0")
    _run(f"ip addr add {_BRIDGE} dev fleet; ip link set fleet up")
    for number, one in enumerate(containers):
        _run(
            f"ip netns add {one.name}; ip link add c{number} type veth peer name eth0 netns {one.name}; ip link set c{number} master fleet up"
        )
        _run(f"ip -n {one.name} addr add {one.address}/24 dev eth0; ip -n {one.name} link set eth0 up; ip -n {one.name} link set lo up")


def _run(script: str) -> None:
    subprocess.run(["sh", "-ec", script.replace("; ", "\n")], check=True, capture_output=True, timeout=20)


def until(what: str, wanted: Any, seconds: float = READY_SECONDS) -> float:
    """How long it took until that was so."""
    began = time.monotonic()
    while not wanted():
        if time.monotonic() - began > seconds:
            raise TimeoutError(what)
        time.sleep(0.2)  # slow: other processes go on by the clock of the machine
    return time.monotonic() - began
