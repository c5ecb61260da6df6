"""What is in front of several servers: each connection goes to one that takes it, the next one in turn first."""

import asyncio
import contextlib

_CONNECT_SECONDS = 1.0


class Balancer:
    """Passes bytes on."""

    def __init__(self, servers: list[tuple[str, int]]) -> None:
        self._servers, self._turn = servers, 0
        self._talks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self.port = 0

    async def open(self, host: str) -> None:
        """Listen on a free port."""
        self._listener = await asyncio.start_server(self._talk, host, 0)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Hang up."""
        if self._listener is not None:
            self._listener.close()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            theirs, ours = await self._connected()
            with contextlib.closing(ours):
                await asyncio.gather(_pump(reader, ours), _pump(theirs, writer))
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # nobody takes it, or one of them has gone
        finally:
            self._talks.discard(task)
            writer.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._turn += 1
        for number in range(len(self._servers)):
            host, port = self._servers[(self._turn + number) % len(self._servers)]
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(host, port)
        raise ConnectionError("no server takes connections")


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
