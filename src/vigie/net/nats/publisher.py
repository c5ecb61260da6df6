"""Publishing to a stream: many messages under way, of one subject one after the other, each until the stream has it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from vigie.errors import BusError, BusFault
from vigie.net.nats.connection import Connection
from vigie.net.nats.faults import answered

_AGAIN: Final = frozenset({BusFault.TIMEOUT, BusFault.UNREACHABLE, BusFault.BUSY})
_AGAIN_SECONDS: Final = 0.2
_HEADERS_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message. The stream keeps one of those with the same `id` within its duplicate window."""

    subject: str
    id: str
    body: bytes
    encoding: str = ""


class _Ack(msgspec.Struct):
    """What JetStream answers."""

    stream: str = ""
    seq: int = 0
    error: dict[str, object] | None = None


class Publisher:
    """To one stream. At most `window` messages and `window_bytes` of them are under way; who has more to send waits.

    What is not acknowledged is sent again by the same id for `patience` seconds.
    """

    def __init__(
        self, connection: Connection, stream: str, *, window: int = 256, window_bytes: int = 16 * 1024 * 1024, patience: float = 10.0
    ) -> None:
        self._connection, self._stream, self._patience = connection, stream, patience
        self._slots = asyncio.Semaphore(window)
        self._room, self._bytes, self._most = asyncio.Condition(), 0, window_bytes

    async def send(self, messages: Sequence[Outgoing]) -> None:
        """Have them kept by the stream; those of one subject in their order. Raises BusError: some may be there then, others not."""
        by_subject: dict[str, list[Outgoing]] = {}
        for one in messages:
            if len(one.body) + _HEADERS_BYTES > self._connection.max_payload:
                most = self._connection.max_payload
                raise BusError(
                    BusFault.TOO_LARGE,
                    f"{one.subject}: a message of {len(one.body)} bytes, the server takes {most}",
                    "raise max_payload of the NATS servers, to 8MB at most",
                    permanent=True,
                )
            by_subject.setdefault(one.subject, []).append(one)
        found = await asyncio.gather(*(self._in_order(each) for each in by_subject.values()), return_exceptions=True)
        for error in found:
            if error is not None:
                raise error

    async def _in_order(self, messages: list[Outgoing]) -> None:
        for one in messages:
            async with self._slots:
                await self._take_room(len(one.body))
                try:
                    await self._until_kept(one)
                finally:
                    await self._give_room(len(one.body))

    async def _until_kept(self, message: Outgoing) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._patience
        while True:
            try:
                await self._sent(message)
            except BusError as error:
                if error.fault not in _AGAIN or loop.time() >= end:
                    raise
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                return

    async def _sent(self, message: Outgoing) -> None:
        headers = {"Nats-Msg-Id": message.id, "Nats-Expected-Stream": self._stream}
        if message.encoding:
            headers["Content-Encoding"] = message.encoding
        answer = await self._connection.ask(message.subject, message.body, headers)
        try:
            ack = msgspec.json.decode(answer.data, type=_Ack)
        except ValueError as error:
            raise BusError(BusFault.OTHER, f"{message.subject}: an answer that is not JetStream's") from error
        if ack.error is not None:
            raise answered(ack.error, message.subject)
        if ack.stream != self._stream:
            raise BusError(BusFault.DIFFERENT, f"{message.subject} is kept by the stream {ack.stream!r}", "that stream must not take it")

    async def _take_room(self, size: int) -> None:
        async with self._room:
            await self._room.wait_for(lambda: not self._bytes or self._bytes + size <= self._most)
            self._bytes += size

    async def _give_room(self, size: int) -> None:
        async with self._room:
            self._bytes -= size
            self._room.notify_all()
