"""A connection that nobody waits for ends at once, however often it was closed before."""

import asyncio
import ssl

import trustme

from vigie.net import hang_up
from vigie.testing.servers import serving


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_a_tls_connection_that_was_closed_twice_can_be_hung_up() -> None:
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    async with serving(silent, context) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
        transport = writer.transport
        transport.close()
        transport.close()
        hang_up(transport)
        assert transport.is_closing()
        await asyncio.sleep(0)
