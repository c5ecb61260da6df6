"""The TCP probe against real servers: what is said, what must come back, and every way in which it does not."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from vigie.config import one_monitor
from vigie.core.model import Cause, CheckResult, Status
from vigie.errors import ConfigError
from vigie.probes import tcp
from vigie.probes.kit.deps import ProbeDeps, configured
from vigie.testing.servers import Serve, reset
from vigie.testing.starvation import measured

Deps = Callable[[], ProbeDeps]
Contexts = Callable[..., ssl.SSLContext]
Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


async def look(make_deps: Deps, port: int, *steps: dict[str, str], timeout: int = 5_000, **keys: Any) -> CheckResult:
    config = configured(tcp.Config, {"host": "127.0.0.1", "port": port, "exchange": list(steps), **keys})
    deps = make_deps()
    try:
        return await tcp.build(config, deps).check(timeout)
    finally:
        deps.close()


async def redis(reader: Reader, writer: Writer) -> None:
    while line := await reader.readline():
        word = line.split()[0] if line.split() else b""
        writer.write({b"PING": b"+PONG\r\n", b"QUIT": b"+OK\r\n"}.get(word, b"-ERR unknown command " + line))
        await writer.drain()


async def greet(reader: Reader, writer: Writer) -> None:
    writer.write(b"220 mail.test ESMTP caf\xc3\xa9 \xff ready\r\n")
    await writer.drain()
    await reader.read()


async def hang(reader: Reader, _: Writer) -> None:
    await reader.read()


PING = {"send": "PING\\r\\n", "expect": "+PONG\\r\\n"}


async def test_a_port_that_accepts_is_up(serve: Serve, make_deps: Deps) -> None:
    async with serve(hang) as port:
        result = await look(make_deps, port)

    assert (result.status, result.address) == (Status.UP, "127.0.0.1")
    assert result.message.startswith("connected in ")
    assert result.timings.connect is not None
    assert result.timings.first_byte is None


async def test_nobody_listens(make_deps: Deps, unused_port: int) -> None:
    result = await look(make_deps, unused_port)

    assert (result.status, result.cause) == (Status.DOWN, Cause.TCP_REFUSED)


async def test_steps_follow_each_other(serve: Serve, make_deps: Deps) -> None:
    async with serve(redis) as port:
        result = await look(make_deps, port, PING, PING, {"send": "QUIT\\r\\n", "regex": "(?m)^\\+O.$"})

    assert (result.status, result.message) == (Status.UP, "3 exchange(s) as expected")
    assert (result.figures["steps"], result.figures["banner"]) == (3, "+PONG")


async def test_an_answer_that_came_early_serves_the_next_step(serve: Serve, make_deps: Deps) -> None:
    async with serve(redis) as port:
        both = await look(make_deps, port, {"send": "PING\\r\\nPING\\r\\n", "expect": "PONG\\r\\n"}, {"expect": "PONG"})
        one = await look(make_deps, port, {"send": "PING\\r\\n", "expect": "PONG"}, {"expect": "PONG"}, timeout=500)

    assert both.status is Status.UP
    assert one.cause is Cause.PROTOCOL_MISMATCH


@pytest.mark.parametrize(
    ("step", "good"),
    [
        ({"expect": "220 "}, True),
        ({"expect": "café"}, True),
        ({"expect": "\\xff ready"}, True),
        ({"regex": "^220 .*ESMTP café"}, True),
        ({"expect": "554"}, False),
        ({"regex": "^554"}, False),
    ],
)
async def test_a_banner_is_compared(serve: Serve, make_deps: Deps, step: dict[str, str], good: bool) -> None:
    async with serve(greet) as port:
        result = await look(make_deps, port, step, timeout=5_000 if good else 700)

    assert result.status is (Status.UP if good else Status.DOWN)
    assert result.cause is (None if good else Cause.PROTOCOL_MISMATCH)
    if not good:
        assert "'220 mail.test ESMTP café" in result.message
        assert result.figures["wanted"] == (step.get("expect") or step.get("regex"))


async def test_the_end_of_a_pattern_leaves_the_rest_for_the_next_step(serve: Serve, make_deps: Deps) -> None:
    async with serve(greet) as port:
        result = await look(make_deps, port, {"regex": "caf. \\S"}, {"expect": " ready"})

    assert result.status is Status.UP


async def test_ways_to_fail_have_their_own_causes(serve: Serve, make_deps: Deps) -> None:
    async def knock(reader: Reader, writer: Writer) -> None:
        await reader.readline()
        reset(writer)

    async def leave(reader: Reader, writer: Writer) -> None:
        await reader.readline()

    async def stutter(reader: Reader, writer: Writer) -> None:
        await reader.readline()
        writer.write(b"+PO")
        await writer.drain()

    async def flood(reader: Reader, writer: Writer) -> None:
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    wanted = {
        knock: (Cause.TCP_RESET, "the connection was reset"),
        leave: (Cause.PROTOCOL_MISMATCH, "the connection was closed where '+PONG\\\\r\\\\n' was expected"),
        stutter: (Cause.PROTOCOL_MISMATCH, "'+PO' came, then the connection was closed"),
        flood: (Cause.PROTOCOL_MISMATCH, "not within 65536 bytes"),
        hang: (Cause.TIMEOUT_FIRST_BYTE, "no first byte within 0.5 s"),
    }
    for handler, (cause, words) in wanted.items():
        async with serve(handler) as port:
            result = await look(make_deps, port, PING, timeout=500)
        assert result.cause is cause, (handler.__name__, result)
        assert words in result.message


async def test_silence_in_the_middle_is_no_first_byte(serve: Serve, make_deps: Deps, stopwatch: Callable[[], float]) -> None:
    async with serve(redis) as port:
        result = await look(make_deps, port, PING, {"expect": "more"}, timeout=500)

    assert result.cause is Cause.TIMEOUT_TOTAL
    assert stopwatch() < 0.5 + 1


async def test_a_pattern_cannot_hang(serve: Serve, make_deps: Deps) -> None:
    async def bait(reader: Reader, writer: Writer) -> None:
        writer.write(b"a" * 4_000 + b"!")
        await writer.drain()
        await reader.read()

    async with serve(bait) as port, measured() as loop:
        result = await look(make_deps, port, {"regex": "^(a|aa)+$"}, timeout=2_000)

    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR)
    assert "write a simpler one" in result.message
    assert loop.held < 0.15


async def test_what_we_said_is_not_repeated(serve: Serve, make_deps: Deps) -> None:
    async with serve(redis) as port:
        result = await look(make_deps, port, {"send": "AUTH hunter22\\r\\n", "expect": "+OK"}, timeout=500)

    assert result.cause is Cause.PROTOCOL_MISMATCH
    assert "unknown command" in result.message
    assert "hunter22" not in result.message + str(result.figures)


async def test_half_a_secret_is_one_too(serve: Serve, make_deps: Deps) -> None:
    async def padded(reader: Reader, writer: Writer) -> None:
        line = await reader.readline()
        writer.write(b"x" * 107 + b" " + line)
        await writer.drain()
        await reader.read()

    async with serve(padded) as port:
        result = await look(make_deps, port, {"send": "AUTH hunter22-and-more\\r\\n", "expect": "+OK"}, timeout=500)

    assert "hunter" not in result.message + str(result.figures)


async def test_tls_from_the_first_byte_or_after_starttls(serve: Serve, make_deps: Deps, make_context: Contexts) -> None:
    context = make_context()

    async def mail(reader: Reader, writer: Writer) -> None:
        writer.write(b"220-mail.test\r\n220 ready\r\n")
        while line := await reader.readline():
            if line.startswith(b"STARTTLS"):
                writer.write(b"220 go\r\n")
                await writer.start_tls(context)
            else:
                writer.write(b"250-mail.test\r\n250 STARTTLS\r\n")
            await writer.drain()

    async with serve(redis, context) as port:
        first = await look(make_deps, port, PING, tls=True)
    async with serve(mail) as port:
        later = await look(make_deps, port, {"send": "EHLO x\\r\\n", "expect": "250 STARTTLS"}, tls="smtp")
        wrong = await look(make_deps, port, tls="imap")
    async with serve(redis, make_context(days=3)) as port:
        ending = await look(make_deps, port, PING, tls=True)
        asked_less = await look(make_deps, port, PING, tls=True, tls_days=1)

    assert (first.status, later.status) == (Status.UP, Status.UP), later
    assert later.tls is not None
    assert later.timings.tls is not None
    assert wrong.cause is Cause.PROTOCOL_MISMATCH
    assert (ending.status, ending.cause) == (Status.DEGRADED, Cause.TLS_EXPIRING)
    assert asked_less.status is Status.UP


async def test_slow_is_degraded(serve: Serve, make_deps: Deps) -> None:
    async def slow(reader: Reader, writer: Writer) -> None:
        await asyncio.sleep(0.05)
        await redis(reader, writer)

    async with serve(slow) as port:
        result = await look(make_deps, port, PING, latency=20)
        fast = await look(make_deps, port, PING, latency=1_900)

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.LATENCY_THRESHOLD)
    assert fast.status is Status.UP


def test_a_url_stands_for_a_monitor() -> None:
    plain = one_monitor({"url": "tcp://db.test:5432"})
    secure = one_monitor({"url": "tcp://[::1]:25?tls=smtp", "timeout": "3s", "tls_days": 3})

    assert (plain.monitor.kind, plain.monitor.target, plain.monitor.host) == ("tcp", "tcp://db.test:5432", "db.test")
    assert (secure.monitor.target, secure.config.reveal().tls, secure.config.reveal().tls_days) == ("tcp://[::1]:25", "smtp", 3)
    assert one_monitor({"url": "tcp://db.test:1?tls=true"}).config.reveal().tls is True


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "tcp://db.test"}, "names no port"),
        ({"url": "tcp://db.test:99999"}, "is not a URL"),
        ({"url": "tcp://db.test:5/path"}, "cannot have a path"),
        ({"url": "tcp://me:hunter22@db.test:5"}, "'tcp://db.test:5' is not a valid tcp URL"),
        ({"url": "tcp://db.test:5?tsl=smtp"}, "did you mean 'tls'?"),
        ({"type": "tcp", "host": "a b", "port": 5}, "is not a host"),
        ({"type": "tcp", "host": "a", "port": 5, "resolver": "dns.test"}, "is not a resolver address"),
        ({"type": "tcp", "host": "a", "port": 5, "exchange": [{}]}, "needs `send`, `expect` or `regex`"),
        ({"type": "tcp", "host": "a", "port": 5, "exchange": [{"send": "\\q"}]}, "contains an unknown escape"),
        ({"type": "tcp", "host": "a", "port": 5, "exchange": [{"regex": "("}]}, "is not a regular expression"),
        ({"type": "tcp", "host": "a", "port": 5, "exchange": [{"regex": "a", "expect": "a"}]}, "not both"),
        ({"type": "tcp", "host": "a", "port": 5, "exchange": [{"expect": ""}]}, "is empty"),
    ],
)
def test_what_cannot_be_read_is_said(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        one_monitor(values)

    assert words in str(raised.value)
    assert "hunter22" not in str(raised.value)
