"""nats-py's client, where it has to be stricter with what it sends, and more patient with what it is sent."""

import asyncio
import contextlib
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg

from vigie.errors import BusError, BusFault
from vigie.net import closing
from vigie.net.nats.keys import UserKey

CONNECT_SECONDS: Final = 2


class NatsClient(Client):
    """nats-py's, for one connection.

    It takes a public key without nats-py's own dependency for it, refuses plain text where TLS was asked for, and reads on whatever comes.
    """

    def __init__(self, *, tls: bool, key: UserKey | None) -> None:
        super().__init__()
        self._tls_only = tls
        self._public_nkey = None if key is None else key.public

    def _connect_command(self) -> bytes:
        """What holds the login; nothing of it leaves unencrypted where the address says tls://."""
        if self._tls_only and not self._server_info.get("tls_required"):
            raise BusError(BusFault.TLS, "the server offers no TLS", "use nats://, or give the server a `tls` block", permanent=True)
        return super()._connect_command()

    def _build_message(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: dict[str, str] | None) -> Msg:
        """Whoever may publish chooses these bytes: what is not UTF-8 must not end the reading of everything that comes after it."""
        subject, reply = (one.decode("utf-8", "replace").encode() for one in (subject, reply))
        message: Msg = super()._build_message(sid, subject, reply, data, headers)
        return message

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        """Likewise: a message whose headers cannot be read is one without any."""
        try:
            return await super()._process_headers(headers)
        except (ValueError, IndexError):
            return None

    async def _process_pong(self) -> None:
        """One that comes after whoever waited for it has given up must not end the reading, either."""
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()

    def abandon(self) -> None:
        """Close its sockets: that of a handshake that failed stays open otherwise, and that of a peer that hangs for long."""
        for name in ("_io_writer", "_bare_io_writer"):
            if (writer := getattr(self._transport, name, None)) is not None:
                closing.hang_up(writer.transport)


async def hang_up(client: NatsClient) -> None:
    """End a connection, however it is."""
    try:
        with contextlib.suppress(Exception):  # whatever a broken connection says at its end
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.close()
    finally:
        client.abandon()
