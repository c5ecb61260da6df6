"""Reading a stream in order by a consumer that the server forgets by itself: it acknowledges nothing, and is made anew when it breaks."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from nats.aio.msg import Msg

from vigie.errors import BusError, BusFault
from vigie.net.nats.connection import Connection

MAX_MESSAGES: Final = 512  # messages that are given, and asked for, at once
_MAX_BYTES: Final = 16 * 1024 * 1024
_EXPIRES_NS: Final = 20_000_000_000
_HEARTBEAT_NS: Final = 2_000_000_000
_SILENCE_SECONDS: Final = 7.0  # three heartbeats
_IDLE_NS: Final = 120_000_000_000  # after which the server forgets a consumer that nobody asks
_PENDING: Final = "Nats-Pending-Messages"
_PLACED: Final = "$JS.ACK."  # what the reply of a message of a stream begins with, and that of nothing else


@dataclass(frozen=True, slots=True)
class Received:
    """A message of a stream: its sequence there, when it was kept (epoch ns), and how many of the consumer's are behind it."""

    sequence: int
    time: int
    pending: int
    message: Msg


class Pull:
    """One consumer, from its making to its end. Each method raises BusError: then another one is made.

    `config` is JetStream's, without what all of them have in common.
    """

    def __init__(self, connection: Connection, stream: str, name: str, config: Mapping[str, Any]) -> None:
        self._connection, self._stream, self._name, self._config = connection, stream, name, config
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()  # None: closed
        self._number, self._asked, self._generation = 0, 0, -1
        self._inbox = connection.new_inbox()
        self._end_of_inbox: Callable[[], Awaitable[None]] | None = None
        self._closed = False

    async def begin(self) -> int:
        """Make the consumer, in place of one of the same name; how many messages wait for it."""
        await self._connection.ready()
        self._generation = self._connection.generation
        self._end_of_inbox = await self._connection.subscribe(self._inbox, self._take)
        config = {
            "name": self._name,
            "ack_policy": "none",
            "inactive_threshold": _IDLE_NS,
            "mem_storage": True,
            "num_replicas": 1,
            **self._config,
        }
        what = f"CONSUMER.CREATE.{self._stream}.{self._name}"
        if (only := config.get("filter_subject")) is not None:
            what = f"{what}.{only}"
        made = await self._connection.api(what, {"stream_name": self._stream, "config": config, "action": "create"})
        return int(made.get("num_pending", 0))

    async def forget(self) -> None:
        """Delete a consumer of this name, if there is one."""
        with contextlib.suppress(BusError):  # mostly there is none; anything else is found out when it is made
            await self._connection.api(f"CONSUMER.DELETE.{self._stream}.{self._name}")

    async def next(self) -> list[Received]:
        """What has arrived, in the order of the stream: at least one message; none only after `close`."""
        found: list[Received] = []
        while not found:
            await self._ask()
            message = await self._first()
            while message is not None:
                self._look_at(message, found)
                if len(found) >= MAX_MESSAGES or self._arrived.empty():
                    break
                message = self._arrived.get_nowait()
            if self._closed:
                return []
        return found

    @property
    def is_current(self) -> bool:
        """Whether the connection is still the one that it was made on."""
        return self._connection.connected and self._connection.generation == self._generation

    def close(self) -> None:
        """Whoever waits in `next` waits no longer."""
        self._closed = True
        self._arrived.put_nowait(None)

    async def end(self) -> None:
        """Listen no longer; the server forgets the consumer by itself."""
        if self._end_of_inbox is not None:
            end, self._end_of_inbox = self._end_of_inbox, None
            with contextlib.suppress(BusError):
                await end()

    async def _take(self, message: Msg) -> None:
        self._arrived.put_nowait(message)

    async def _ask(self) -> None:
        """Always have more asked for than what is being looked at, so that the server never waits for us."""
        if self._asked > MAX_MESSAGES // 2:
            return
        most = max(_MAX_BYTES, 2 * self._connection.max_payload)  # a larger message would never be sent
        wanted = {"batch": MAX_MESSAGES, "max_bytes": most, "expires": _EXPIRES_NS, "idle_heartbeat": _HEARTBEAT_NS}
        self._asked += MAX_MESSAGES
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._name}"
        await self._connection.publish(subject, msgspec.json.encode(wanted), reply=self._inbox)

    async def _first(self) -> Msg | None:
        end = asyncio.get_running_loop().time() + _SILENCE_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(min(end, asyncio.get_running_loop().time() + 1)):
                    return await self._arrived.get()
            except TimeoutError:
                self._same_connection()
                if asyncio.get_running_loop().time() >= end:
                    message = f"the stream {self._stream} has been silent for {_SILENCE_SECONDS:g} s"
                    raise BusError(BusFault.TIMEOUT, message) from None

    def _same_connection(self) -> None:
        if not self.is_current:
            raise self._connection.error or BusError(BusFault.UNREACHABLE, "the connection to the bus broke")

    def _look_at(self, message: Msg, found: list[Received]) -> None:
        """A message of the stream, or what the server says about our asking: headers are their publisher's, and tell nothing of it."""
        if message.reply.startswith(_PLACED):
            number, received = _placed(message)
            if number != self._number + 1:
                raise BusError(BusFault.OTHER, f"messages {self._number + 1} to {number - 1} of the consumer did not arrive")
            self._number, self._asked = number, self._asked - 1
            found.append(received)
            return
        headers = message.headers or {}
        status = headers.get("Status")
        if status == "408" or (status == "409" and _PENDING in headers):
            self._asked -= int(headers.get(_PENDING, self._asked))
        elif status != "100":
            raise BusError(BusFault.BUSY, f"the consumer of {self._stream} is gone: {headers.get('Description', status)}")


def _placed(message: Msg) -> tuple[int, Received]:
    """(number at its consumer, the rest), by its reply.

    That is `$JS.ACK.[domain.account.]stream.consumer.delivered.sequence.number.time.pending` (ADR-15 of nats-architecture-and-design).
    """
    parts = message.reply.split(".")
    start = 5 if len(parts) == 9 else 7
    try:
        sequence, number, time, pending = map(int, parts[start : start + 4])
    except ValueError:
        raise BusError(BusFault.OTHER, f"a message whose place in its stream cannot be read: {message.reply!r}") from None
    return number, Received(sequence, time, pending, message)
