"""Probing without a store: single checks for `vigie check`, and the prober process, which takes its work from standard input."""

import asyncio
import contextlib
import logging
import os
import queue
import signal
import threading
from collections.abc import Sequence
from dataclasses import replace
from io import FileIO, RawIOBase
from pathlib import Path
from typing import BinaryIO

import msgspec

from vigie import plugins
from vigie.buses.process import Assign, Checked, Down, Late, LogLine, Results, Single, Stop, frame, read_down
from vigie.clock import SystemClock
from vigie.core.model import CheckResult
from vigie.engine.loop_monitor import LoopMonitor, monitored_loop
from vigie.engine.prober import LocalAgent, Unbuilt
from vigie.errors import VigieError
from vigie.fleet.wire import CheckNow, Pace
from vigie.memory import freeze
from vigie.net import GuardedResolver, Link, Resolver, Secret, Secrets, cache_folder, networks_of, system_ca_file
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Batch, Probe
from vigie.probes.kit.alternate_addresses import CHECKS_PER_TRIAL, AlternateAddresses
from vigie.probes.kit.deps import ProbeDeps, configured
from vigie.probes.kit.internal_guard import InternalGuard, Refused, never_reachable
from vigie.probes.kit.link_guard import LinkGuard
from vigie.probes.kit.masked_probe import MaskedProbe

log = logging.getLogger("vigie.prober")

_LENGTH = 4
_LATENESS_SECONDS = 10.0
_MAX_CONCURRENT = 64
_MAX_WAITING, _ROOM_SECONDS = 256, 0.05


def build_probe(spec: CheckSpec, deps: ProbeDeps, *, every: int = CHECKS_PER_TRIAL) -> AlternateAddresses:
    """The probe of a spec, with the link guard around it; one of its alternate addresses is tried in every `every`th check."""
    secrets = Secrets(one for one in spec.hidden if isinstance(one, Secret))
    module = plugins.load("probes", spec.kind)
    traits = plugins.traits_of(module)
    inside: InternalGuard | None = None
    if spec.reach is not None:
        if why := never_reachable(spec.kind, module.__name__, spec.options):
            return AlternateAddresses(Refused(deps.clock, why), deps, "", every)
        inside = InternalGuard(GuardedResolver(deps.resolver, networks_of(spec.reach)))
        deps = replace(deps, resolver=inside.resolver)
    try:
        config = configured(module.Config, spec.options)
        probe: Probe = module.build(config, deps)
    except Exception as error:
        if not secrets:
            raise
        raise VigieError(secrets.mask(str(error))) from None  # its words become a result
    probe = MaskedProbe(probe, secrets) if secrets else probe
    if traits.network:
        probe = LinkGuard(probe, spec.host, deps, own_names=not spec.options.get("resolver"))
    if inside is not None:
        probe = inside.around(probe)
    tcp = traits.tcp and getattr(config, "over_tcp", True)
    return AlternateAddresses(probe, deps, spec.target if tcp else "", every)


def probe_or_fault(spec: CheckSpec, deps: ProbeDeps) -> AlternateAddresses:
    """The probe for a single check. One that cannot be built is `unknown`, and says why: the other monitors are still checked."""
    try:
        return build_probe(spec, deps, every=1)
    except Exception as error:  # a third-party probe may raise anything
        log.debug("%s: the probe could not be built", spec.name, exc_info=True)
        return AlternateAddresses(Unbuilt.by(deps.clock, error), deps, "", 1)


def probe_deps(control: list[str], second_resolver: str | None = None, evidence: Path | None = None) -> ProbeDeps:
    """The resources that the probes of this process share."""
    resolver = Resolver()
    return ProbeDeps(
        SystemClock(), resolver, Link(resolver, control, second_resolver), system_ca_file(), cache_folder(), evidence, ahead=True
    )


async def check_once(specs: Sequence[CheckSpec], control: list[str], second_resolver: str | None = None) -> list[CheckResult]:
    """Check every monitor once, concurrently; the results in the order of the specs. Touches no state, sends nothing."""
    deps = probe_deps(control, second_resolver)
    slots = asyncio.Semaphore(_MAX_CONCURRENT)

    async def one(loop_monitor: LoopMonitor, spec: CheckSpec) -> CheckResult:
        async with slots:
            probe = probe_or_fault(spec, deps)
            result = await loop_monitor.run_check(probe, spec)
            if probe.unsure:
                result = await loop_monitor.run_check(probe, spec)
        return replace(result, monitor=spec.monitor, location=spec.location)

    try:
        async with monitored_loop(deps.clock) as loop_monitor:
            return await asyncio.gather(*(one(loop_monitor, spec) for spec in specs))
    finally:
        deps.close()


class _Output:
    """Writes frames to the parent in a thread: a parent that reads slowly never stalls the probing loop."""

    def __init__(self, stream: BinaryIO) -> None:
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stream = stream
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def send(self, data: bytes) -> None:
        self._queue.put(data)

    async def room(self) -> None:
        """Wait until the parent has read most of what was sent; it may be stuck for a long time, and memory is bounded."""
        while self._queue.qsize() > _MAX_WAITING:  # noqa: ASYNC110 - a thread empties it, which cannot set an asyncio event
            await asyncio.sleep(_ROOM_SECONDS)

    def _write(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                self._stream.write(data)
                self._stream.flush()
            except OSError:
                os._exit(1)  # the parent is gone

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()


class _Relay(logging.Handler):
    """Sends log lines to the parent, which owns the log."""

    def __init__(self, output: _Output) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Send one line."""
        self._output.send(frame(LogLine(record.levelno, self.format(record))))


def _exactly(stream: RawIOBase, size: int) -> bytes:
    """Exactly `size` bytes, fewer at the end of the stream."""
    found = b""
    while len(found) < size and (part := stream.read(size - len(found))):
        found += part
    return found


def _read(stream: RawIOBase, loop: asyncio.AbstractEventLoop, inbox: "asyncio.Queue[Down]") -> None:
    """Read the parent's frames in a thread, as Windows requires; the end of the stream means: stop."""
    while True:
        head = _exactly(stream, _LENGTH)
        if len(head) < _LENGTH:
            break
        body = _exactly(stream, int.from_bytes(head, "little"))
        message = read_down(body)
        if isinstance(message, Assign):
            message = msgspec.structs.replace(message, specs=alike(message.specs))
        loop.call_soon_threadsafe(inbox.put_nowait, message)
    with contextlib.suppress(RuntimeError):  # the loop may have ended first
        loop.call_soon_threadsafe(inbox.put_nowait, Stop())


def alike(specs: Sequence[CheckSpec]) -> list[CheckSpec]:
    """The same specs with equal texts shared: thousands of monitors mostly have the same kind, authority and resolver."""
    known: dict[str, str] = {}

    def one(text: str) -> str:
        return known.setdefault(text, text)

    def options(found: dict[str, object]) -> dict[str, object]:
        return {key: one(value) if isinstance(value, str) else value for key, value in found.items()}

    return [
        replace(  # by name: a field that is added later travels, too
            spec,
            monitor=one(spec.monitor),
            name=one(spec.name),
            kind=one(spec.kind),
            target=one(spec.target),
            host=one(spec.host),
            options=options(spec.options),
            location=one(spec.location),
        )
        for spec in specs
    ]


async def serve(source: RawIOBase, sink: BinaryIO) -> None:
    """Work until the parent says stop or goes away."""
    output = _Output(sink)
    logger = logging.getLogger("vigie")
    logger.addHandler(_Relay(output))
    logger.setLevel(logging.INFO)
    inbox: asyncio.Queue[Down] = asyncio.Queue()
    threading.Thread(target=_read, args=(source, asyncio.get_running_loop(), inbox), daemon=True).start()
    first = await inbox.get()
    if isinstance(first, Assign):
        await _work(first, inbox, output)
    output.close()


async def _work(first: Assign, inbox: "asyncio.Queue[Down]", output: _Output) -> None:
    deps = probe_deps(first.control, first.second_resolver, Path(first.evidence) if first.evidence else None)

    async def publish(batch: Batch) -> None:
        await output.room()
        output.send(frame(Results(batch)))

    agent = LocalAgent(name="local", run=first.run, clock=deps.clock, publish=publish, build=lambda one: build_probe(one, deps))
    agent.start()
    await agent.assign(first.specs)
    freeze()
    reports = asyncio.create_task(_report_lateness(agent, output))
    current = first
    singles: set[asyncio.Task[None]] = set()
    while not isinstance(message := await inbox.get(), Stop):
        if isinstance(message, Pace):
            await agent.pace(message.monitor, message.every_ms)
        elif isinstance(message, Single):
            task = asyncio.create_task(_single(agent, message, deps, output))
            singles.add(task)
            task.add_done_callback(singles.discard)
        elif isinstance(message, CheckNow):
            await agent.check_now(message.monitor)
        else:
            if (message.control, message.second_resolver) != (current.control, current.second_resolver):
                deps.link.close()
                deps.link = Link(deps.resolver, message.control, message.second_resolver)
            current = message
            await agent.assign(message.specs)
            freeze()
    reports.cancel()
    for task in singles:
        task.cancel()
    await agent.stop()
    deps.close()


async def _single(agent: LocalAgent, message: Single, deps: ProbeDeps, output: _Output) -> None:
    """One check out of turn; what cannot be checked is a result, too."""
    probe = probe_or_fault(message.spec, deps)
    output.send(frame(Checked(message.number, await agent.check_once(probe, message.spec))))


async def _report_lateness(agent: LocalAgent, output: _Output) -> None:
    while True:
        await asyncio.sleep(_LATENESS_SECONDS)
        samples = sorted(agent.lateness.samples) or [0]
        # Sent even when there is nothing to report: to the parent, a long silence means a prober that hangs.
        output.send(frame(Late(len(samples), samples[int(len(samples) * 0.99)], samples[-1])))


def _left_to_the_parent(_number: int, _frame: object) -> None:
    """Ignore the signal in this process only: commands that a check runs would inherit SIG_IGN, but never a handler."""


def main() -> None:
    """Entry point of the process. Signals are left to the parent: Ctrl-C reaches both, and the parent drains this one."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _left_to_the_parent)
    # Nothing that a library prints may end up between the frames.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    # libcurl needs reader and writer callbacks, which Windows' default loop does not have.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(serve(FileIO(0, closefd=False), sink))  # unbuffered: a reading thread must hold no lock at the end


if __name__ == "__main__":
    main()
