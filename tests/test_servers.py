"""The servers on loopback leave nothing behind, whenever somebody comes."""

import asyncio
import contextlib
import gc
import socket

import pytest
from tests.probes._dns_zone import NameServer
from tests.probes._dns_zone import serving as serving_names

from vigie.testing.dns_server import DnsServer
from vigie.testing.servers import serving


async def hold(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize("passes", range(6))
async def test_who_comes_as_the_server_ends_is_let_go(passes: int, caplog: pytest.LogCaptureFixture) -> None:
    zone = NameServer([])
    async with serving(hold) as port, serving_names(zone), DnsServer() as names:
        with contextlib.ExitStack() as stack:
            for one in (port, zone.port, names.port):
                stack.enter_context(socket.create_connection(("127.0.0.1", one)))
            for _ in range(passes):
                await asyncio.sleep(0)

    gc.collect()  # what was left open would warn, which is an error here
    assert caplog.text == ""
