"""The laws that every kind of check keeps, run against servers on loopback that are silent, reset, babble, flood, drip and refuse.

`open_rig(kind)` aims the kind at such a server: by what `AIMS` says of it, by `example(port)` of its module, by its URL
(`scheme://127.0.0.1:port`), or by its keys `host` and `port`. A kind that no server on a port can meet is listed in `APART`, with the
reason; it keeps the laws that need no server. `LAWS` are the laws by name; each takes a rig and raises AssertionError.

    @pytest.mark.parametrize("law", LAWS)
    @pytest.mark.parametrize("kind", plugins.kinds("probes"))
    async def test_a_probe_keeps_the_law(kind, law):
        async with open_rig(kind) as rig:
            await LAWS[law](rig)

Long: who writes a kind reads all of its laws here.
"""

import asyncio
import base64
import contextlib
import gc
import json
import os
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from vigie import plugins
from vigie.buses.process import Assign, frame, read_down
from vigie.clock import SystemClock
from vigie.config.convert import enc_hook, struct_of
from vigie.core.model import CheckResult, Status
from vigie.net import Link, Resolver, Secret
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Probe, Problem
from vigie.probes.kit.deps import ProbeDeps, configured
from vigie.testing.servers import reset, serving

Options = dict[str, Any]

TIMEOUT_MS, LATE_MS, TRIES = 250, 200, 3
SECRET = "hunter2-s3cret-w0rd"  # noqa: S105 - of a test
_SECRET_KEYS = ("password", "secret", "token", "bearer")
_MAX_MEMORY = 16_000_000
_LONGEST_MESSAGE, _LONGEST_FIGURE, _MAX_FIGURES = 500, 300, 32
_FLOOD = 65_536
_PORTS_TRIED, _PATIENCE = 20, 40

# How to aim a kind whose keys are not `host` and `port`.
AIMS: dict[str, Callable[[int], Options]] = {
    "http": lambda port: {"url": f"http://127.0.0.1:{port}/"},
    "dns": lambda port: {"name": "shop.test", "resolver": f"127.0.0.1:{port}"},
    "steps": lambda port: {"steps": [{"url": f"http://127.0.0.1:{port}/"}]},
    "domain": lambda port: {"domain": "shop.test", "rdap_server": f"http://127.0.0.1:{port}/"},
}
# Kinds that no server on a port can meet: why, and keys of an example.
APART: dict[str, tuple[str, Options]] = {
    "icmp": ("pings have no port", {"host": "127.0.0.1"}),
    "exec": ("a command is not a server", {"command": ["true"]}),
    "heartbeat": ("the job comes to us", {"period": 3_600_000, "token": SECRET}),
    "browser": ("Chromium takes longer to start than these laws give", {"url": "http://127.0.0.1/"}),
}
# Where a kind's secrets stand, besides keys called `password`, `secret` and so on.
SECRETS: dict[str, Options] = {
    "http": {"auth": {"bearer": SECRET}, "headers": {"X-Key": SECRET}},
    "imap": {"tls": "starttls"},  # without TLS a password is not even taken
    "smtp": {"tls": "starttls"},
    "websocket": {"auth": {"bearer": SECRET}, "headers": {"X-Key": SECRET}},
    "tcp": {"exchange": [{"send": f"AUTH {SECRET}\\r\\n", "expect": "+OK"}]},
}


@dataclass(slots=True)
class Rig:
    """A kind, its module, and how to aim it at a port; `apart` says why it cannot be."""

    kind: str
    module: Any
    aim: Callable[[int], Options]
    apart: str = ""
    deps: ProbeDeps = field(default_factory=lambda: make_deps())  # noqa: PLW0108 - looked up when it is called

    def config(self, port: int, more: Options | None = None) -> Any:
        """The kind's Config, aimed at a port of loopback."""
        return configured(self.module.Config, {**self.aim(port), **(more or {})})

    def probe(self, port: int, more: Options | None = None) -> Probe:
        """A probe of the kind, aimed at a port of loopback."""
        built: Probe = self.module.build(self.config(port, more), self.deps)
        return built

    async def look(self, port: int, more: Options | None = None) -> CheckResult:
        """One check, which must keep what every check keeps: it does not raise, and tells no more than people can read."""
        result = await self.probe(port, more).check(TIMEOUT_MS)
        told(result)
        return result


def make_deps() -> ProbeDeps:
    """What probes are built with, alone with this machine."""
    resolver = Resolver()
    return ProbeDeps(SystemClock(), resolver, Link(resolver, ()), None)


@contextlib.asynccontextmanager
async def open_rig(kind: str, module: Any = None, aim: Callable[[int], Options] | None = None) -> AsyncIterator[Rig]:
    """The rig of a kind that is installed, or of a module that is not (yet)."""
    module = module or plugins.load("probes", kind)
    apart, example = APART.get(kind, ("", {}))
    rig = Rig(kind, module, (lambda _: example) if apart else aim or _aim(kind, module), apart)
    if not apart:
        await rig.look(_free_port())  # what is imported on first use is not what is measured
    try:
        yield rig
    finally:
        rig.deps.close()


def _aim(kind: str, module: Any) -> Callable[[int], Options]:
    config, example = module.Config, getattr(module, "example", None)
    scheme = next(iter(getattr(config, "schemes", ())), kind)
    if kind in AIMS:
        return AIMS[kind]
    if example is not None:
        return lambda port: dict(example(port))
    if hasattr(config, "from_url"):
        return lambda port: dict(config.from_url(f"{scheme}://127.0.0.1:{port}"))
    if "url" in config.__struct_fields__:
        return lambda port: {"url": f"{scheme}://127.0.0.1:{port}/"}
    if {"host", "port"} <= set(config.__struct_fields__):
        return lambda port: {"host": "127.0.0.1", "port": port}
    raise AssertionError(f"{kind}: say in probe_suite.AIMS how to aim it at a port, or in APART why it cannot be")


def told(result: CheckResult) -> None:
    """A result says what it must, and no more than people can read."""
    assert (result.status is Status.UP) == (result.cause is None), result
    assert (result.status is Status.UNKNOWN) == (result.cause is not None and result.cause.own), result
    texts = [result.message, *result.advice, *(value for value in result.figures.values() if isinstance(value, str))]
    assert result.message.strip(), "a result without a message"
    assert len(result.message) <= _LONGEST_MESSAGE, f"a message of {len(result.message)} characters"
    assert all(text.isprintable() for text in texts), f"characters that nobody can read: {texts!r}"
    assert len(result.figures) <= _MAX_FIGURES, f"{len(result.figures)} figures"
    assert all(len(text) <= _LONGEST_FIGURE for text in texts[1:]), f"a long figure or advice: {texts[1:]!r}"
    assert len(json.dumps(result.figures)) < 100 * _LONGEST_FIGURE


# Servers.


class _Datagrams(asyncio.DatagramProtocol):
    """Answers each datagram as the manner says."""

    def __init__(self, answers: Callable[[bytes], list[bytes]]) -> None:
        self._answers = answers
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """One question."""
        for answer in self._answers(data):
            self._transport.sendto(answer, addr)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    while await reader.read(_FLOOD):
        pass


async def _resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.02):
            await reader.read(1)
    reset(writer)


async def _closing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _babbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(os.urandom(100) + b"\r\n")
    while data := await reader.read(_FLOOD):
        writer.write(os.urandom(len(data) % 500 + 1) + b"\n\r\n\0")
        await writer.drain()


async def _flooding(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * _FLOOD)
        await writer.drain()


async def _dripping(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"2")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _repeating(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"500 hello\r\n")
    while data := await reader.read(_FLOOD):
        writer.write(b"-ERR " + data + b"\r\n")
        await writer.drain()


MANNERS: dict[str, tuple[Talk, Callable[[bytes], list[bytes]] | None]] = {
    "silent": (_silent, lambda _: []),
    "resetting": (_resetting, None),
    "closing": (_closing, None),
    "babbling": (_babbling, lambda data: [os.urandom(len(data)), data[:2] + os.urandom(60), b""]),
    "flooding": (_flooding, lambda _: [os.urandom(200)] * 500),
    "dripping": (_dripping, lambda data: [data[:1]]),
    "repeating": (_repeating, lambda data: [data]),
}


@contextlib.asynccontextmanager
async def standing(manner: str) -> AsyncIterator[int]:
    """A server of that manner on one port of 127.0.0.1, over TCP and UDP; yields the port."""
    talk, answers = MANNERS[manner]
    loop = asyncio.get_running_loop()
    for _ in range(_PORTS_TRIED):  # the port that is free for one may be taken for the other
        transport = None
        async with contextlib.AsyncExitStack() as stack:
            port = await stack.enter_async_context(serving(talk))
            if answers is not None:
                with contextlib.suppress(OSError):
                    transport, _protocol = await loop.create_datagram_endpoint(lambda: _Datagrams(answers), local_addr=("127.0.0.1", port))
                    stack.callback(transport.abort)
            if answers is None or transport is not None:
                yield port
                return
    raise OSError("no port is free for both TCP and UDP")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


# Laws.


def _against(manner: str) -> Callable[[Rig], Awaitable[None]]:
    async def law(rig: Rig) -> None:
        """It ends at its deadline whatever the server does; a machine that is busy elsewhere gets more than one chance."""
        async with standing(manner) as port:
            for tried in range(1, TRIES + 1):
                started = time.perf_counter()
                await rig.look(port)
                late = (time.perf_counter() - started) * 1000 - TIMEOUT_MS
                if late <= LATE_MS:
                    return
                assert tried < TRIES, f"{late:.0f} ms after its deadline against a {manner} server"

    return law


async def refused(rig: Rig) -> None:
    """Where nobody listens nothing is up."""
    result = await rig.look(_free_port())
    assert result.status in (Status.DOWN, Status.UNKNOWN), result


async def memory(rig: Rig) -> None:
    """A flood does not fill the memory."""
    async with standing("flooding") as port:
        tracemalloc.start()
        try:
            await rig.look(port)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < _MAX_MEMORY, f"{peak / 1e6:.0f} MB while a server floods"


async def secrets(rig: Rig) -> None:
    """What the configuration keeps secret is in nothing that people read, though the server repeats all that it hears."""
    fields = rig.module.Config.__struct_fields__
    more = {key: SECRET for key in _SECRET_KEYS if key in fields}
    more |= {"user": "vigie"} if more and "user" in fields else {}
    more |= SECRETS.get(rig.kind, {})
    async with standing("repeating") as port:
        result = await rig.look(port, more)
        shown = f"{result} {rig.config(port, more).target}"
    for form in (SECRET, base64.b64encode(SECRET.encode()).decode(), base64.b64encode(f"vigie:{SECRET}".encode()).decode()):
        assert not more or form not in shown, shown


async def nothing_left(rig: Rig) -> None:
    """Checks that end leave no task and no open file behind."""
    async with standing("babbling") as port:
        before = asyncio.all_tasks()
        await rig.look(port)
        await _left(before)
        before, files = asyncio.all_tasks(), _files()
        for _ in range(3):
            await rig.look(port)
        left = await _left(before)
        for _ in range(_PATIENCE):
            if _files() <= files:
                break
            await asyncio.sleep(0.02)  # slow: files may be closed in threads of their own, which say nothing
        gc.collect()
        assert not left, f"tasks left behind: {left}"
        assert _files() <= files, f"{_files() - files} files left open by three checks"


async def _left(before: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """The tasks since `before` that do not end; those of the server's side end in their own time."""
    began = asyncio.all_tasks() - before
    return (await asyncio.wait(began, timeout=_PATIENCE * 0.02))[1] if began else began


def _files() -> int:
    place = Path("/proc/self/fd")
    return len(list(place.iterdir())) if place.is_dir() else 0


async def stopped(rig: Rig) -> None:
    """A check that is cancelled ends at once."""
    async with standing("silent") as port:
        task = asyncio.create_task(rig.probe(port).check(60_000))
        await asyncio.sleep(0.05)  # slow: it is under way, which nothing tells of kinds that connect nowhere
        started = time.perf_counter()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled() or task.done()
        assert time.perf_counter() - started < 10 * LATE_MS / 1000


async def described(rig: Rig) -> None:
    """Every key says what it is, and the kind says what it looks at."""
    seen: list[tuple[str, Any]] = [(rig.kind, rig.module.Config)]
    for where, struct in seen:
        assert (struct.__doc__ or "").strip(), f"{where} has no words"
        for one in msgspec.structs.fields(struct):
            said = [part for part in getattr(one.type, "__metadata__", ()) if isinstance(part, msgspec.Meta)]
            assert said, f"{where}.{one.name} has no description"
            assert said[0].description, f"{where}.{one.name} has no description"
            inner = struct_of(one.type)
            seen.extend([(f"{where}.{one.name}", inner)] if inner is not None else [])


async def travels(rig: Rig) -> None:
    """A configuration goes to the prober by its frames, secrets included, and is the same there."""
    config = rig.config(443)
    options = msgspec.to_builtins(config, enc_hook=enc_hook, builtin_types=(Secret,))
    spec = CheckSpec("one", "One", rig.kind, config.target, config.host, 60_000, 10_000, options)
    there = read_down(frame(Assign(1, [spec], []))[4:])
    assert isinstance(there, Assign)
    assert configured(rig.module.Config, there.specs[0].options) == config


async def named(rig: Rig) -> None:
    """A configuration says what is watched; where a URL stands for it, it is that URL."""
    config = rig.config(443)
    # What runs here, or comes to us, has no host.
    for text in (config.target, config.host or rig.apart):
        assert text, "nothing is said to be watched"
        assert text.isprintable()
        assert len(text) <= _LONGEST_FIGURE
    if hasattr(rig.module.Config, "from_url"):
        again = configured(rig.module.Config, rig.module.Config.from_url(config.target))
        assert again.target == config.target, f"{config.target} becomes {again.target}"


async def verified(rig: Rig) -> None:
    """What the kind says of this machine names one of its keys; a file of authorities is marked as one, so that it is read."""
    names = {one.encode_name: one for one in msgspec.structs.fields(rig.module.Config)}
    verify = getattr(rig.module, "verify", None)
    for problem in () if verify is None else verify(rig.config(443)):
        assert isinstance(problem, Problem)
        assert problem.message, "a problem has no words"
        assert not problem.key or problem.key.partition(".")[0] in names, f"{problem.key} is not a key"
    for name, one in names.items():
        if name.endswith("ca_file"):
            marks = [part.extra or {} for part in getattr(one.type, "__metadata__", ()) if isinstance(part, msgspec.Meta)]
            assert any(mark.get("file") == "authorities" for mark in marks), f"{name} is not marked with vigie.net.AUTHORITIES"


LAWS: dict[str, Callable[[Rig], Awaitable[None]]] = {
    **{manner: _against(manner) for manner in MANNERS},
    "refused": refused,
    "memory": memory,
    "secrets": secrets,
    "nothing left": nothing_left,
    "stopped": stopped,
    "described": described,
    "travels": travels,
    "named": named,
    "verified": verified,
}
WITHOUT_SERVER = ("described", "travels", "named", "verified")
