"""The child's own side, driven over real pipes as its parent would."""

import asyncio
import io
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from vigie import agent
from vigie.buses.process import Assign, Down, Late, LogLine, Results, Stop, Up, frame
from vigie.core.model import Cause
from vigie.observation.check_spec import CheckSpec


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "vigie.agent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def frames(data: bytes) -> list[Up]:
    found: list[Up] = []
    while data:
        length = int.from_bytes(data[:4], "little")
        found.append(msgspec.msgpack.decode(data[4 : 4 + length], type=Results | LogLine | Late))
        data = data[4 + length :]
    return found


def nobody_listens(every_ms: int = 100) -> CheckSpec:
    url = "http://127.0.0.1:9/"
    return CheckSpec("dead", "dead", "http", url, "127.0.0.1", every_ms, 2_000, {"url": url})


def test_a_child_whose_parent_goes_away_drains_and_ends(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(frame(Assign(4, [nobody_listens()], [])))
    child.stdin.flush()
    head = child.stdout.read(4)
    first = child.stdout.read(int.from_bytes(head, "little"))
    rest, _ = child.communicate(timeout=10)  # closes its input
    assert child.returncode == 0
    batches = [one.batch for one in frames(head + first + rest) if isinstance(one, Results)]
    assert batches[0].run == 4
    assert [batch.sequence for batch in batches] == list(range(1, len(batches) + 1))
    assert batches[0].results[0].cause is Cause.TCP_REFUSED


def test_a_child_that_is_told_to_stop_ends(child: subprocess.Popen[bytes]) -> None:
    out, _ = child.communicate(frame(Assign(1, [], [])) + frame(Stop()), timeout=10)
    assert child.returncode == 0
    assert frames(out) == []


def test_a_child_that_is_told_nothing_ends(child: subprocess.Popen[bytes]) -> None:
    out, _ = child.communicate(b"", timeout=10)
    assert (child.returncode, out) == (0, b"")


def test_the_log_of_the_child_travels_to_the_parent(child: subprocess.Popen[bytes]) -> None:
    unknown = CheckSpec("odd", "odd", "nosuchkind", "", "h", 100, 1_000, {})
    out, _ = child.communicate(frame(Assign(1, [unknown], [])) + frame(Stop()), timeout=10)
    said = [one.text for one in frames(out) if isinstance(one, LogLine)]
    assert "nosuchkind" in said[0]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_child_ignores_signals_but_the_commands_it_runs_do_not(child: subprocess.Popen[bytes]) -> None:
    line = "kill -TERM $PPID; kill -TERM $$; echo was ignored; exit 2"
    one = CheckSpec("trap", "trap", "exec", "sh", "", 100, 2_000, {"command": line, "shell": True})
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(frame(Assign(1, [one], [])))
    child.stdin.flush()
    head = child.stdout.read(4)
    (first,) = frames(head + child.stdout.read(int.from_bytes(head, "little")))
    assert isinstance(first, Results)
    assert "SIGTERM" in first.batch.results[0].message
    child.communicate(timeout=10)
    assert child.returncode == 0


NOISY = """
import vigie.agent
real = vigie.agent.build_probe
def noisy(spec, deps):
    print("a library prints", flush=True)
    return real(spec, deps)
vigie.agent.build_probe = noisy
vigie.agent.main()
"""


def test_what_a_library_prints_does_not_get_between_the_frames() -> None:
    work = frame(Assign(1, [nobody_listens()], [])) + frame(Stop())
    done = subprocess.run([sys.executable, "-c", NOISY], input=work, capture_output=True, timeout=20, check=True)
    assert b"a library prints" not in done.stdout
    frames(done.stdout)


async def test_what_the_parent_says_arrives_whole() -> None:
    inbox: asyncio.Queue[Down] = asyncio.Queue()
    said = Assign(3, [nobody_listens()], ["a.test:443"], "9.9.9.9")
    source: Any = io.BytesIO(frame(said))
    agent._read(source, asyncio.get_running_loop(), inbox)
    assert await inbox.get() == said
    assert await inbox.get() == Stop()
