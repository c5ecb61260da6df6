"""Publishing to a stream: many messages under way, of one subject one after the other, each until the stream has it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from vigie.errors import BusError, BusFault
from vigie.net.nats.connection import Connection
from vigie.net.nats.encoding import HEADER, packed
from vigie.net.nats.faults import answered

# Nobody answers, either, while a cluster elects who leads a stream: that is UNSUITABLE.
_AGAIN: Final = frozenset({BusFault.TIMEOUT, BusFault.UNREACHABLE, BusFault.BUSY, BusFault.UNSUITABLE})
_SILENT_FIX: Final = "see the log of the NATS servers: one whose disk was full has to be restarted, a cluster needs most of its servers"
_AGAIN_SECONDS: Final = 0.2
_HEADERS_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message. The stream keeps one of those with the same `id` within its duplicate window."""

    subject: str
    id: str
    body: bytes


class _Ack(msgspec.Struct):
    """What JetStream answers."""

    stream: str = ""
    seq: int = 0
    error: dict[str, object] | None = None


class Publisher:
    """To one stream. At most `window` messages and `window_bytes` of them are under way; who has more to send waits.

    What is not acknowledged within `seconds` is sent again by the same id, for `patience` seconds in all.
    """

    def __init__(
        self,
        connection: Connection,
        stream: str,
        *,
        window: int = 256,
        window_bytes: int = 16 * 1024 * 1024,
        patience: float = 10.0,
        seconds: float = 5.0,
    ) -> None:
        self._connection, self._stream, self._patience, self._seconds = connection, stream, patience, seconds
        self._slots = asyncio.Semaphore(window)
        self._room, self._bytes, self._most = asyncio.Condition(), 0, window_bytes

    async def send(self, messages: Sequence[Outgoing]) -> list[int]:
        """Have them kept by the stream, those of one subject in their order; their sequences there.

        Raises BusError: some may be there then, others not.
        """
        by_subject: dict[str, list[Outgoing]] = {}
        for one in messages:
            by_subject.setdefault(one.subject, []).append(one)
        kept: list[int] = []
        for found in await asyncio.gather(*(self._in_order(each) for each in by_subject.values()), return_exceptions=True):
            if isinstance(found, BaseException):
                raise found
            kept += found
        return kept

    async def _in_order(self, messages: list[Outgoing]) -> list[int]:
        kept: list[int] = []
        for one in messages:
            async with self._slots:
                await self._take_room(len(one.body))
                try:
                    kept.append(await self._keep(one))
                finally:
                    await self._give_room(len(one.body))
        return kept

    async def _keep(self, message: Outgoing) -> int:
        await self._connection.ready(self._patience or _AGAIN_SECONDS)
        most = self._connection.max_payload - _HEADERS_BYTES
        body, encoding = packed(message.body, most)
        if len(body) > most:
            said = f"{message.subject}: a message of {len(body)} bytes, the server takes {self._connection.max_payload}"
            raise BusError(BusFault.TOO_LARGE, said, "raise max_payload of the NATS servers, to 8MB at most", permanent=True)
        headers = {"Nats-Expected-Stream": self._stream}
        if message.id:
            headers["Nats-Msg-Id"] = message.id
        if encoding:
            headers[HEADER] = encoding
        return await self._until_kept(message.subject, body, headers)

    async def _until_kept(self, subject: str, body: bytes, headers: dict[str, str]) -> int:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._patience
        while True:
            try:
                return await self._sent(subject, body, headers)
            except BusError as error:
                if error.permanent or error.fault not in _AGAIN or loop.time() >= end:
                    raise self._unkept(error) from error
                await asyncio.sleep(_AGAIN_SECONDS)

    def _unkept(self, error: BusError) -> BusError:
        """A stream that cannot write, or has no leader, says nothing at all."""
        if error.fault is not BusFault.TIMEOUT:
            return error
        return BusError(error.fault, f"{error.message}: the stream {self._stream} keeps nothing now", _SILENT_FIX)

    async def _sent(self, subject: str, body: bytes, headers: dict[str, str]) -> int:
        answer = await self._connection.ask(subject, body, headers, seconds=self._seconds)
        try:
            ack = msgspec.json.decode(answer.data, type=_Ack)
        except ValueError as error:
            raise BusError(BusFault.OTHER, f"{subject}: an answer that is not JetStream's") from error
        if ack.error is not None:
            raise answered(ack.error, subject)
        if ack.stream != self._stream:
            raise BusError(BusFault.DIFFERENT, f"{subject} is kept by the stream {ack.stream!r}", "that stream must not take it")
        return ack.seq

    async def _take_room(self, size: int) -> None:
        async with self._room:
            await self._room.wait_for(lambda: not self._bytes or self._bytes + size <= self._most)
            self._bytes += size

    async def _give_room(self, size: int) -> None:
        async with self._room:
            self._bytes -= size
            self._room.notify_all()
