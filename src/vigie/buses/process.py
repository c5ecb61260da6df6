"""The bus to a local prober process: length-prefixed msgpack frames over its pipes, which work on every platform and need no port."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from vigie.core.model import CheckResult
from vigie.errors import StoreError, VigieError
from vigie.fleet.wire import CheckNow, Pace, sealed, unsealed
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Batch, Clock

log = logging.getLogger("vigie.prober")

_LENGTH = 4
_LONGEST = 1 << 28
_RESTART_SECONDS = (0.5, 1, 2, 5, 10, 30)
_SILENCE_SECONDS = 60.0
_STOP_SECONDS = 60.0
_END_SECONDS = 5.0
_SINGLE_SECONDS = 5.0  # beyond the time-out of a single check, for a child that is busy


class Assign(msgspec.Struct, tag=True, frozen=True):
    """Watch exactly these; `run` numbers the results of this process, `evidence` is the folder for its screenshots."""

    run: int
    specs: list[CheckSpec]
    control: list[str]
    second_resolver: str | None = None
    evidence: str = ""


class Single(msgspec.Struct, tag=True, frozen=True):
    """Check this once, out of turn, whether it is watched or not; `number` is repeated in the answer."""

    number: int
    spec: CheckSpec


class Stop(msgspec.Struct, tag=True, frozen=True):
    """Drain and exit."""


class Results(msgspec.Struct, tag=True, frozen=True):
    """A batch."""

    batch: Batch


class Checked(msgspec.Struct, tag=True, frozen=True):
    """What a single check gave."""

    number: int
    result: CheckResult


class LogLine(msgspec.Struct, tag=True, frozen=True):
    """A line for the log."""

    level: int
    text: str


class Late(msgspec.Struct, tag=True, frozen=True):
    """How late the most recent checks started: their number, and p99 and maximum in ms."""

    count: int
    p99: int
    maximum: int


Down = Assign | Pace | CheckNow | Single | Stop
Up = Results | Checked | LogLine | Late


def frame(message: Down | Up) -> bytes:
    """A message as it is sent: its length and its msgpack bytes.

    The pipes are this process's and its child's alone, so that secrets travel as they are, marked as such.
    """
    body = msgspec.msgpack.encode(message, enc_hook=sealed)
    return len(body).to_bytes(_LENGTH, "little") + body


def read_down(body: bytes) -> Down:
    """The parent's message, read by the child. Raises ValueError for anything that is not one of `Down`."""
    message: Down = msgspec.msgpack.decode(body, type=Down, ext_hook=unsealed)
    return message


async def read_frame(reader: asyncio.StreamReader) -> Up | None:
    """The next message; None at the end of the stream. Raises ValueError for anything that is not one of `Up`."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH), "little")
        if length > _LONGEST:
            raise ValueError(f"a frame of {length} bytes")
        body = await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return None
    message: Up = msgspec.msgpack.decode(body, type=Up)  # its DecodeError is a ValueError
    return message


class ProcessAgent:
    """Implements Agent by a child process; one that dies, hangs or sends garbage is restarted with the same work."""

    def __init__(
        self,
        *,
        clock: Clock,
        publish: Callable[[Batch], Awaitable[None]],
        next_run: Callable[[], Awaitable[int]],
        control: Sequence[str],
        second_resolver: str | None = None,
        evidence: str = "",
    ) -> None:
        self._evidence = evidence
        self._clock, self._publish, self._next_run = clock, publish, next_run
        self._control, self._second_resolver = list(control), second_resolver
        self._specs: list[CheckSpec] = []
        self._paces: dict[str, int] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self.late: Late | None = None
        self.heard_at = clock.monotonic()  # when the child last said anything
        self._singles: dict[int, asyncio.Future[CheckResult]] = {}
        self._next_single = 0

    def start(self) -> None:
        """Start the child and keep it running."""
        self._keeper = asyncio.create_task(self._keep())

    @property
    def pid(self) -> int | None:
        """The child's, while it is running."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    @property
    def checks(self) -> bool:
        """Whether it has something to check."""
        return bool(self._specs)

    def use(self, specs: Sequence[CheckSpec], control: Sequence[str], second_resolver: str | None = None) -> None:
        """What a new configuration asks for; `send_work` tells the child, and one that is restarted is told anyway."""
        self._specs, self._control, self._second_resolver = list(specs), list(control), second_resolver
        known = {spec.monitor for spec in specs}
        self._paces = {monitor: every_ms for monitor, every_ms in self._paces.items() if monitor in known}

    async def assign(self, specs: Sequence[CheckSpec]) -> None:
        """Watch exactly these."""
        self.use(specs, self._control, self._second_resolver)
        await self.send_work()

    async def send_work(self) -> None:
        """Tell the child what it is to do now."""
        await self._send(Assign(0, self._specs, self._control, self._second_resolver, self._evidence))

    async def pace(self, monitor_id: str, every_ms: int | None) -> None:
        """Check at a faster pace, also after a restart of the child, or at the monitor's own again (None)."""
        if every_ms is None:
            self._paces.pop(monitor_id, None)
        else:
            self._paces[monitor_id] = every_ms
        await self._send(Pace(monitor_id, every_ms))

    async def check_once(self, spec: CheckSpec) -> CheckResult:
        """Check once, out of turn, in the same process as all others. Raises VigieError when that process cannot answer now."""
        self._next_single += 1
        number = self._next_single
        answer: asyncio.Future[CheckResult] = asyncio.get_running_loop().create_future()
        self._singles[number] = answer
        try:
            if self.pid is None:
                raise VigieError("the prober process is not running", "try again in a moment")
            await self._send(Single(number, spec))
            async with asyncio.timeout(spec.timeout_ms / 1000 + _SINGLE_SECONDS):
                return await answer
        except TimeoutError:
            raise VigieError("the prober process did not answer in time", "try again in a moment") from None
        finally:
            del self._singles[number]

    async def check_now(self, monitor_id: str) -> None:
        """Check this monitor once, out of turn; a child that is being restarted checks everything anyway."""
        await self._send(CheckNow(monitor_id))

    async def stop(self, seconds: float | None = None) -> None:
        """Let the child finish its checks, take its last batch, and wait for it to exit, for at most `seconds` (a minute if not given)."""
        seconds = _STOP_SECONDS if seconds is None else seconds
        self._stopping.set()
        await self._send(Stop())
        if self._keeper is not None:
            try:
                async with asyncio.timeout(seconds):
                    await self._keeper
            except TimeoutError:
                log.warning(
                    "the prober process did not exit within %g s and was killed; the checks it was still making are given up", seconds
                )

    async def _send(self, message: Down) -> None:
        if self._process is None or self._process.stdin is None or self.pid is None:
            return
        # A child that has just died is restarted with everything it needs.
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(frame(message))
            await self._process.stdin.drain()

    async def _keep(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            started = self._clock.monotonic()
            end = await self._live()
            if self._stopping.is_set():
                return
            attempt = 1 if self._clock.monotonic() - started > _SILENCE_SECONDS else attempt + 1
            wait = _RESTART_SECONDS[min(attempt, len(_RESTART_SECONDS)) - 1]
            log.error("the prober process %s; restarting it in %s s", end, wait)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._stopping.wait()

    async def _live(self) -> str:
        """Run the child once, from start to exit; how it ended."""
        pipe = asyncio.subprocess.PIPE
        try:
            run = await self._next_run()
            # -P: nothing is to be imported from the working directory.
            process = await asyncio.create_subprocess_exec(sys.executable, "-P", "-m", "vigie.agent", stdin=pipe, stdout=pipe)
        except (OSError, StoreError) as error:
            return f"could not be started ({error})"
        self._process = process
        try:
            await self._brief(run)
            fault = await self._listen(process)
            if not fault:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_END_SECONDS):
                        await process.wait()
        finally:
            await _ended(process)
            for answer in self._singles.values():
                if not answer.done():
                    answer.set_exception(VigieError("the prober process ended meanwhile", "try again in a moment"))
        return fault or "died"

    async def _brief(self, run: int) -> None:
        """Send everything a new child needs to know."""
        await self._send(Assign(run, self._specs, self._control, self._second_resolver, self._evidence))
        for monitor, every_ms in list(self._paces.items()):
            await self._send(Pace(monitor, every_ms))
        if self._stopping.is_set():
            await self._send(Stop())

    async def _listen(self, process: asyncio.subprocess.Process) -> str:
        """Take the child's messages until it sends no more; what is wrong with the child if it is still running."""
        while process.stdout is not None:
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    message = await read_frame(process.stdout)
            except TimeoutError:
                return f"sent nothing for {_SILENCE_SECONDS:g} s"
            except ValueError as error:
                return f"sent an invalid message ({error})"
            if message is None:
                break
            self.heard_at = self._clock.monotonic()
            if isinstance(message, Results):
                await self._publish(message.batch)
            elif isinstance(message, Checked):
                if (waiting := self._singles.get(message.number)) is not None and not waiting.done():
                    waiting.set_result(message.result)
            elif isinstance(message, LogLine):
                log.log(message.level, "%s", message.text)
            else:
                self.late = message
        return ""


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Make sure that it no longer runs."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
