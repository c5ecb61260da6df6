"""The ICMP probe: real pings of loopback, and wires that lose, delay, repeat and lie."""

import asyncio
import errno
import os
import random
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from vigie.config import one_monitor
from vigie.core.model import Cause, CheckResult, Status
from vigie.errors import ConfigError
from vigie.probes import icmp
from vigie.probes.icmp import echo
from vigie.probes.kit.deps import ProbeDeps, configured
from vigie.probes.kit.link_guard import LinkGuard

Deps = Callable[[], ProbeDeps]


def allowed(family: int) -> bool:
    try:
        echo._open(family).close()
    except (echo.NotAllowed, OSError):
        return False
    return True


def has_six() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


pings = pytest.mark.skipif(not allowed(socket.AF_INET), reason="this system lets nobody ping (net.ipv4.ping_group_range)")


class FakeWire:
    """Answers each request after so many ms; None loses it, an error is what the network says."""

    def __init__(self, *fates: float | OSError | None, twice: bool = False) -> None:
        self.token, self.fates, self.twice, self.closed = b"12345678", fates, twice, False
        self.queue: asyncio.Queue[tuple[int, float] | OSError] = asyncio.Queue()
        self.sent_at: list[float] = []

    def __call__(self, address: str) -> "FakeWire":
        self.address = address
        return self

    def send(self, sequence: int) -> None:
        loop = asyncio.get_running_loop()
        self.sent_at.append(loop.time())
        fate = self.fates[sequence % len(self.fates)]
        if isinstance(fate, OSError):
            self.queue.put_nowait(fate)
        elif fate is not None:
            for _ in range(2 if self.twice else 1):
                loop.call_later(fate / 1000, lambda: self.queue.put_nowait((sequence, self.sent_at[sequence] + fate / 1000)))

    async def receive(self) -> tuple[int, float]:
        found = await self.queue.get()
        if isinstance(found, OSError):
            raise found
        return found

    def close(self) -> None:
        self.closed = True


async def look(deps: ProbeDeps, wire: Any = None, timeout: int = 5_000, host: str = "127.0.0.1", **keys: Any) -> CheckResult:
    probe = icmp.build(configured(icmp.Config, {"host": host, "interval": 10, **keys}), deps)
    return await (replace(probe, wire=wire) if wire else probe).check(timeout)


@pytest.fixture
def deps(make_deps: Deps) -> ProbeDeps:
    return make_deps()


@pings
@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=pytest.mark.skipif(not has_six(), reason="no IPv6"))])
async def test_loopback_answers(deps: ProbeDeps, host: str) -> None:
    result = await look(deps, host=host)

    assert result.status is Status.UP, result
    assert (result.figures["sent"], result.figures["received"], result.figures["loss_percent"]) == (5, 5, 0)
    low, mean, high = (result.figures[f"rtt_{name}_ms"] for name in ("min", "avg", "max"))
    assert 0 < float(low) <= float(mean) <= float(high) < 2_000
    assert (result.address, result.timings.first_byte is not None) == (host, True)
    assert result.message.startswith("5 of 5 pings answered, ")


@pings
async def test_many_at_once_do_not_take_each_others_answers(deps: ProbeDeps) -> None:
    results = await asyncio.gather(*(look(deps, host=f"127.0.0.{number % 3 + 1}") for number in range(30)))

    assert [one.figures["received"] for one in results] == [5] * 30


@pytest.mark.virtual
async def test_loss_is_degraded_above_its_limit() -> None:
    deps = virtual_deps()
    one = await look(deps, FakeWire(4, 4, 4, 4, None))
    two = await look(deps, FakeWire(4, None, 4, None, 4))
    strict = await look(deps, FakeWire(4, 4, 4, 4, None), loss=0)

    assert (one.status, one.figures["loss_percent"]) == (Status.UP, 20)
    assert (two.status, two.cause) == (Status.DEGRADED, Cause.ICMP_LOSS)
    assert two.message == "2 of 5 pings lost (40 %), more than 20 %"
    assert (two.figures["loss_percent"], two.figures["limit_percent"]) == (40, 20)
    assert strict.cause is Cause.ICMP_LOSS


@pytest.mark.virtual
async def test_all_lost_is_down_and_ends_in_time() -> None:
    deps, wire, loop = virtual_deps(), FakeWire(None), asyncio.get_running_loop()
    before = loop.time()
    result = await look(deps, wire, timeout=10_000, interval=200)

    assert (result.status, result.cause) == (Status.DOWN, Cause.ICMP_TIMEOUT)
    assert result.message == "none of 5 pings was answered in time"
    assert 2.7 < loop.time() - before < 2.9  # the last was sent after 0.8 s, and 2 s are waited
    assert wire.closed


@pytest.mark.virtual
async def test_a_lost_host_may_be_our_own_link() -> None:
    async def broken(place: str = "", budget_ms: int = 0) -> Cause:
        return Cause.PROBE_NETWORK

    deps = virtual_deps()
    deps.link.fault = broken  # type: ignore[method-assign]
    probe = replace(icmp.build(icmp.Config(host="9.9.9.9"), deps), wire=FakeWire(None))
    result = await LinkGuard(probe, "9.9.9.9", deps).check(1_000)

    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_NETWORK)


@pytest.mark.virtual
async def test_round_trips_and_jitter_are_told() -> None:
    result = await look(virtual_deps(), FakeWire(10, 20, 10, 30), count=4, interval=100)

    told = {name: result.figures[name] for name in ("rtt_min_ms", "rtt_avg_ms", "rtt_max_ms", "jitter_ms")}
    assert told == pytest.approx({"rtt_min_ms": 10, "rtt_avg_ms": 17.5, "rtt_max_ms": 30, "jitter_ms": 40 / 3}, abs=0.01)
    assert result.timings.first_byte == pytest.approx(17.5, abs=0.01)
    assert result.timings.total == pytest.approx(17.5, abs=1)


@pytest.mark.virtual
async def test_slow_is_degraded_and_late_is_lost() -> None:
    slow = await look(virtual_deps(), FakeWire(60), latency=50)
    fast = await look(virtual_deps(), FakeWire(40), latency=50)
    late = await look(virtual_deps(), FakeWire(4, 4, 4, 4, 2_500), timeout=10_000)

    assert (slow.status, slow.cause) == (Status.DEGRADED, Cause.LATENCY_THRESHOLD)
    assert fast.status is Status.UP
    assert late.figures["received"] == 4


@pytest.mark.virtual
async def test_answers_that_come_twice_or_in_disorder_count_once() -> None:
    twice = await look(virtual_deps(), FakeWire(4, twice=True))
    disorder = await look(virtual_deps(), FakeWire(45, 4), count=4)

    assert twice.figures["received"] == 5
    assert disorder.figures["received"] == 4


@pytest.mark.virtual
async def test_the_pace_fits_into_the_time_out() -> None:
    wire, loop = FakeWire(None), asyncio.get_running_loop()
    before = loop.time()
    result = await look(virtual_deps(), wire, timeout=1_000, count=100, interval=1_000)

    assert result.figures["sent"] == 100
    assert loop.time() - before <= 1.0


@pytest.mark.virtual
async def test_what_the_network_says_is_told() -> None:
    gone = OSError(errno.EHOSTUNREACH, "No route to host")
    unreachable = await look(virtual_deps(), FakeWire(gone))
    once = await look(virtual_deps(), FakeWire(4, 4, gone, 4, 4))

    def no_way(_: str) -> FakeWire:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    no_family = await look(virtual_deps(), no_way)

    def broken(_: str) -> FakeWire:
        raise OSError(errno.EMFILE, "Too many open files")

    own = await look(virtual_deps(), broken)

    assert (unreachable.status, unreachable.cause) == (Status.DOWN, Cause.TCP_UNREACHABLE)
    assert unreachable.message == "the host cannot be reached (No route to host)"
    assert (once.status, once.figures["received"]) == (Status.UP, 4)
    assert no_family.cause is Cause.TCP_UNREACHABLE
    assert (own.status, own.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR)


@pytest.mark.virtual
async def test_a_family_without_a_way_out_is_passed_over() -> None:
    wire = FakeWire(4)

    def only_four(address: str) -> FakeWire:
        if ":" in address:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        return wire(address)

    deps = virtual_deps("2001:db8::1", "192.0.2.7")
    result = await look(deps, only_four, host="both.test")

    assert (result.status, result.address) == (Status.UP, "192.0.2.7")
    assert result.addresses == ("2001:db8::1", "192.0.2.7")


@pytest.mark.virtual
async def test_without_the_right_to_ping_it_is_unknown_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(echo.socket, "socket", refuse)  # type: ignore[attr-defined]
    monkeypatch.setattr(sys, "platform", "linux")
    result = await look(virtual_deps())

    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR)
    assert "sysctl -w net.ipv4.ping_group_range='0 2147483647'" in result.message
    assert result.advice == ("allow it for all users: sysctl -w net.ipv4.ping_group_range='0 2147483647'",)


async def test_a_name_that_does_not_exist_is_told(deps: ProbeDeps) -> None:
    result = await look(virtual_deps(cause=Cause.DNS_NXDOMAIN), host="nowhere.test")

    assert (result.status, result.cause) == (Status.DOWN, Cause.DNS_NXDOMAIN)


def test_only_answers_to_us_are_read() -> None:
    token = b"12345678"
    four, six = int(socket.AF_INET), int(socket.AF_INET6)
    request = echo.packet(four, 7, 258, token)
    reply = b"\0\0" + request[2:]
    header = b"\x46" + bytes(23)

    assert sum(struct.unpack(f"!{len(request) // 2}H", request)) % 0xFFFF == 0  # RFC 1071: all ones
    assert echo.sequence_of(four, reply, token) == 258
    assert echo.sequence_of(four, header + reply, token) == 258
    assert echo.sequence_of(six, b"\x81\0" + request[2:], token) == 258
    for other in (request, reply[:15], b"\x03" + reply[1:], b"", b"\x45", header):
        assert echo.sequence_of(four, other, token) is None
    assert echo.sequence_of(four, reply, b"87654321") is None
    chance = random.Random(1)
    for _ in range(2_000):
        assert echo.sequence_of(chance.choice((four, six)), os.urandom(chance.randrange(100)), token) is None


SCRIPT = """
import asyncio, os, sys
from vigie.agent import probe_deps
from vigie.probes import icmp
deps = probe_deps([])
async def look(host):
    return await icmp.build(icmp.Config(host=host, count=2), deps).check(400)
async def main():
    await look("127.0.0.1")  # imports what is needed while the files can be read
    if sys.argv[1] == "nobody":
        os.setgid(65534); os.setuid(65534)
    for host in sys.argv[2:]:
        result = await look(host)
        print(result.status, result.cause)
asyncio.run(main())
"""


@pytest.mark.needs("iproute2")
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs a network of its own, which root may make")
@pytest.mark.parametrize(
    ("setup", "user", "host", "said"),
    [
        ("echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range", "nobody", "127.0.0.1", "up None"),
        ("echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range", "nobody", "::1", "up None"),
        ("echo '1 0' > /proc/sys/net/ipv4/ping_group_range", "nobody", "127.0.0.1", "unknown probe.error"),
        ("echo '1 0' > /proc/sys/net/ipv4/ping_group_range", "nobody", "::1", "unknown probe.error"),
        ("echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all", "root", "127.0.0.1", "down icmp.timeout"),
        ("ip route add unreachable 198.51.100.0/24", "root", "198.51.100.1", "down tcp.unreachable"),
        ("true", "root", "198.51.100.1", "down tcp.unreachable"),
    ],
)
def test_a_network_of_its_own(setup: str, user: str, host: str, said: str) -> None:
    """As nobody, where the system allows pings to all or to none; where nobody answers; where there is no way."""
    if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no network can be made here: root lacks the right, as in most containers")
    shell = f"ip link set lo up && {setup} && exec " + '"$0" -c "$@"'
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", shell, sys.executable, SCRIPT, user, host], capture_output=True, text=True, check=False
    )

    assert done.stdout.strip() == said, done.stdout + done.stderr


DEAFENED = """
import asyncio, pathlib
from vigie.agent import probe_deps
from vigie.probes import icmp
deaf = pathlib.Path("/proc/sys/net/ipv4/icmp_echo_ignore_all")
async def look(deaf_after):
    probe = icmp.build(icmp.Config(host="127.0.0.1", count=5, interval=100), probe_deps([]))
    deaf.write_text("0")
    if deaf_after is not None:
        asyncio.get_running_loop().call_later(deaf_after, deaf.write_text, "1")
    result = await probe.check(1_000)
    print(result.status, result.cause, result.figures["loss_percent"])
async def main():
    for deaf_after in (None, 0.25, None):
        await look(deaf_after)
asyncio.run(main())
"""


@pytest.mark.needs("iproute2")
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs a network of its own, which root may make")
def test_a_host_that_grows_deaf_while_it_is_asked_loses_pings() -> None:
    """And its neighbours, the same host before and after, lose none."""
    if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no network can be made here: root lacks the right, as in most containers")
    shell = "ip link set lo up && echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range && exec " + '"$0" -c "$@"'
    done = subprocess.run(["unshare", "-n", "sh", "-c", shell, sys.executable, DEAFENED], capture_output=True, text=True, check=False)

    before, lossy, after = done.stdout.splitlines()
    assert (before, after) == ("up None 0", "up None 0"), done.stdout + done.stderr
    assert lossy.startswith("degraded icmp.loss "), done.stdout


class FakeResolver:
    """Says what it is told to."""

    def __init__(self, addresses: tuple[str, ...], cause: Cause | None) -> None:
        self.addresses, self.cause = addresses, cause

    async def resolve(self, host: str, **_: Any) -> Any:
        from vigie.net import Answer

        return Answer(self.addresses or ((host,) if self.cause is None else ()), self.cause, 0.0)


def virtual_deps(*addresses: str, cause: Cause | None = None) -> ProbeDeps:
    from vigie.clock import SystemClock
    from vigie.net import Link, Resolver

    resolver: Any = FakeResolver(addresses, cause)
    return ProbeDeps(SystemClock(), resolver, Link(Resolver(), ()), None)


def test_a_url_stands_for_a_monitor() -> None:
    plain = one_monitor({"url": "icmp://router.test"})
    six = one_monitor({"url": "icmp://[::1]?count=3", "loss": 0})

    assert (plain.monitor.kind, plain.monitor.target, plain.config.reveal().count) == ("icmp", "icmp://router.test", 5)
    assert (six.monitor.target, six.config.reveal().count, six.config.reveal().loss) == ("icmp://[::1]", 3, 0)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "icmp://router.test:7"}, "pings have no port"),
        ({"url": "icmp://"}, "is not a valid icmp URL"),
        ({"type": "icmp", "host": "a", "interval": "1ms"}, "`interval` is at least 10ms"),
        ({"type": "icmp", "host": "a", "count": 0}, "count"),
    ],
)
def test_what_cannot_be_read_is_said(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        one_monitor(values)

    assert words in str(raised.value)
