"""The bus to a prober process of our own: length-prefixed msgpack frames over its pipes; it works on every platform and needs no port."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from vigie.ports import Assignment, Batch, Clock

log = logging.getLogger("vigie.prober")

_LENGTH = 4
_RESTART_SECONDS = (0.5, 1, 2, 5, 10, 30)
_STOP_SECONDS = 60.0


class Assign(msgspec.Struct, tag=True, frozen=True):
    """Watch exactly these; `run` numbers the results of this life of the process."""

    run: int
    assignments: list[Assignment]
    control: list[str]


class Pace(msgspec.Struct, tag=True, frozen=True):
    """Quick pace for one monitor, or its own again."""

    monitor: str
    every_ms: int | None


class Stop(msgspec.Struct, tag=True, frozen=True):
    """Drain and end."""


class Results(msgspec.Struct, tag=True, frozen=True):
    """A batch."""

    batch: Batch


class Said(msgspec.Struct, tag=True, frozen=True):
    """A line for the log."""

    level: int
    text: str


class Late(msgspec.Struct, tag=True, frozen=True):
    """How late checks started lately: their number, and p99 and maximum in ms."""

    count: int
    p99: int
    most: int


Down = Assign | Pace | Stop
Up = Results | Said | Late


def frame(message: Down | Up) -> bytes:
    """Length and msgpack."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(_LENGTH, "little") + body


async def read_frame(reader: asyncio.StreamReader) -> Up | None:
    """The next message; None at the end."""
    try:
        body = await reader.readexactly(int.from_bytes(await reader.readexactly(_LENGTH), "little"))
    except asyncio.IncompleteReadError:
        return None
    message: Up = msgspec.msgpack.decode(body, type=Up)
    return message


class ProcessAgent:
    """Implements Agent by a child process; a child that dies is started again with the same work."""

    def __init__(
        self,
        *,
        clock: Clock,
        publish: Callable[[Batch], Awaitable[None]],
        next_run: Callable[[], Awaitable[int]],
        control: Sequence[str],
    ) -> None:
        self._clock, self._publish, self._next_run = clock, publish, next_run
        self._control = list(control)
        self._assignments: list[Assignment] = []
        self._paces: dict[str, int] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False
        self.late: Late | None = None

    def start(self) -> None:
        """Start the child and keep it alive."""
        self._keeper = asyncio.create_task(self._keep())

    @property
    def pid(self) -> int | None:
        """The child's, while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def use(self, control: Sequence[str]) -> None:
        """The control targets of a new configuration; `assign` sends them along."""
        self._control = list(control)

    async def assign(self, assignments: Sequence[Assignment]) -> None:
        """Watch exactly these."""
        self._assignments = list(assignments)
        await self._send(Assign(0, self._assignments, self._control))

    async def pace(self, monitor_id: str, every_ms: int | None) -> None:
        """Quick pace, remembered for a child that is started again."""
        if every_ms is None:
            self._paces.pop(monitor_id, None)
        else:
            self._paces[monitor_id] = every_ms
        await self._send(Pace(monitor_id, every_ms))

    async def stop(self) -> None:
        """Let the child end what it is doing, take its last batch, and wait for it."""
        self._stopping = True
        await self._send(Stop())
        if self._keeper is not None:
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await self._keeper
            except TimeoutError:
                log.error("the prober process did not end in %.0f s and is killed", _STOP_SECONDS)  # noqa: TRY400 - the trace says nothing more
                if self._process is not None:
                    self._process.kill()

    async def _send(self, message: Down) -> None:
        if self._process is None or self._process.stdin is None:
            return
        # A child that just died is started again with everything it needs.
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(frame(message))
            await self._process.stdin.drain()

    async def _keep(self) -> None:
        attempt = 0
        while not self._is_stopping():
            started = self._clock.monotonic()
            await self._live()
            if self._is_stopping():
                return
            attempt = 0 if self._clock.monotonic() - started > 60 else attempt + 1
            wait = _RESTART_SECONDS[min(attempt, len(_RESTART_SECONDS) - 1)]
            log.error("the prober process died; it is started again in %s s", wait)
            await self._clock.sleep(wait)

    def _is_stopping(self) -> bool:
        return self._stopping

    async def _live(self) -> None:
        """One life of the child, from its start to the end of its output."""
        pipe = asyncio.subprocess.PIPE
        run = await self._next_run()
        self._process = await asyncio.create_subprocess_exec(sys.executable, "-m", "vigie.agent", stdin=pipe, stdout=pipe)
        await self._send(Assign(run, self._assignments, self._control))
        for monitor, every_ms in self._paces.items():
            await self._send(Pace(monitor, every_ms))
        reader = self._process.stdout
        while reader is not None and (message := await read_frame(reader)) is not None:
            if isinstance(message, Results):
                await self._publish(message.batch)
            elif isinstance(message, Said):
                log.log(message.level, "%s", message.text)
            else:
                self.late = message
        await self._process.wait()
