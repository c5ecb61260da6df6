"""One process of the fleet: started, restarted as systemd would do it, killed, paused, watched for ends that nobody asked for."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_RESTART_SECONDS = 1.0
_STOP_SECONDS = 30.0


@dataclass(slots=True)
class Part:
    """A process and what it is started with. `log` is its standard output and error."""

    name: str
    command: list[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: int = signal.SIGTERM
    ended: list[str] = field(default_factory=list)  # ends that nobody asked for, with the instant
    excused: bool = False  # whether an end of its own is what a fault leads to, as with a full disk
    _process: asyncio.subprocess.Process | None = None
    _keeper: asyncio.Task[None] | None = None
    _killed: bool = False
    _free: asyncio.Event = field(default_factory=asyncio.Event)  # it may be restarted

    @property
    def log(self) -> Path:
        """Where it writes: beside its folder, whose disk may be full."""
        return self.folder.parent / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """Its process, if it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def start(self) -> None:
        """Have it run until `stop`."""
        self._free.set()
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def _keep(self) -> None:
        while True:
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self.command, cwd=self.folder, env={**os.environ, **self.environment}, stdout=log, stderr=log,
                    stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
                )  # fmt: skip
            status = await self._process.wait()
            self._reap()
            if not self._killed and not self.excused:
                self.ended.append(f"{self.name} ended by itself with {status} at {time.strftime('%H:%M:%S')}")
            self._killed = False
            await asyncio.sleep(_RESTART_SECONDS)  # slow: as systemd waits
            await self._free.wait()

    def kill(self, *, whole: bool = True) -> None:
        """SIGKILL: the machine loses power (`whole`), or this process alone dies. It is not restarted before `start`."""
        self._killed = True
        self._free.clear()
        self._signal(signal.SIGKILL, whole=whole)

    def pause(self) -> None:
        """SIGSTOP, its children too: a virtual machine that is moved."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    async def stop(self) -> int | None:
        """Ask it to end, and wait until it did; its exit status."""
        if self._keeper is None:
            return None
        self._keeper.cancel()
        self._killed = True
        with contextlib.suppress(asyncio.CancelledError):
            await self._keeper
        if self._process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self.stop_signal)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                status = await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            status = await self._process.wait()
        self._reap()
        self._keeper = None
        return status

    def _signal(self, number: int, *, whole: bool = True) -> None:
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, number) if whole else os.kill(pid, number)

    def _reap(self) -> None:
        """End what it left running: after a loss of power nothing of it goes on."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
