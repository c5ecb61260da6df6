"""NATS JetStream as a `FleetBus`: results in a stream, work in a bucket, introductions by request."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

import msgspec

from vigie.buses import BusDeps
from vigie.buses.nats import topology
from vigie.buses.nats.bucket import Bucket
from vigie.buses.nats.consumer import Consumer
from vigie.buses.nats.dispatch import NatsDispatch
from vigie.errors import BusError, BusFault, StoreError, UplinkError, UplinkFault
from vigie.fleet import wire
from vigie.fleet.batches import PackedBatch, encode
from vigie.fleet.subjects import HELLO_SUBJECTS, RESULTS, addressed, inbox, sender_of
from vigie.fleet.wire import Hello
from vigie.net.nats.address import Config
from vigie.net.nats.connection import Connection, Message
from vigie.net.nats.publisher import Outgoing, Publisher
from vigie.ports import Group, Position
from vigie.ports.bus import Answer

log = logging.getLogger("vigie.bus")

_MAX_ANSWERS = 64


class NatsBus:
    """Implements FleetBus."""

    def __init__(self, config: Config, deps: BusDeps) -> None:
        self._config = config
        self._connection = Connection(config, deps.name)
        self._publisher = Publisher(self._connection, RESULTS)
        self._consumers: set[Consumer] = set()
        self._preparing = asyncio.Lock()  # whoever reads and whoever writes work would both make what is missing
        self._differing = set[topology.Difference]()  # that was said
        self._unanswered = False  # since the store failed

    @property
    def name(self) -> str:
        """That of the stream."""
        return RESULTS

    async def open(self) -> None:
        """Connect, and make what is missing."""
        await self._prepare()
        if host := self._config.unencrypted:
            log.warning("what is checked, its secrets included, may travel to %s unencrypted: write tls:// in `bus`", host)
        log.info("connected to the bus %s: %s", self._config.shown, self._connection.server)

    async def _prepare(self) -> None:
        await self._connection.ready()
        async with self._preparing:
            differing = await topology.ensure(self._connection, self._config)
        for one in differing:
            if one not in self._differing:
                self._differing.add(one)
                log.warning("the stream %s is there with other settings: %s. %s", one.stream, one.what, one.fix)

    async def publish(self, batch: PackedBatch) -> None:
        """Hand a batch over."""
        await self.publish_all([encode(batch)])

    async def publish_all(self, blobs: Sequence[bytes]) -> None:
        """Hand encoded batches over; those of one agent and shard in their order."""
        await self._publisher.send([Outgoing(*addressed(blob), blob) for blob in blobs])

    async def groups(self, after: Position | None = None) -> AsyncGenerator[Group[PackedBatch], None]:
        """What is in the stream behind a position, and what comes."""
        consumer = Consumer(self._connection, after, self._prepare)
        self._consumers.add(consumer)
        try:
            async with aclosing(consumer.groups()) as groups:
                async for group in groups:
                    yield group
        finally:
            self._consumers.discard(consumer)

    async def waiting(self, after: Position | None) -> int:
        """How many messages there are behind a position."""
        now = await topology.state(self._connection)
        if after is None or after.incarnation != now.incarnation or after.sequence > now.last:
            return now.messages
        return max(now.last - max(after.sequence, now.first - 1), 0)

    def dispatch(self, location_of: Callable[[str], str | None]) -> NatsDispatch:
        """How its agents are given their work."""
        return NatsDispatch(self._connection, Bucket(self._connection, self._prepare), location_of)

    @asynccontextmanager
    async def answering(self, answer: Answer) -> AsyncIterator[None]:
        """Answer agents that introduce themselves, several at a time."""
        tasks: set[asyncio.Task[None]] = set()

        async def take(message: Message) -> None:
            if len(tasks) < _MAX_ANSWERS and _is_askers(message):  # who is not answered asks again
                task = asyncio.create_task(self._answer(message, answer))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

        end = await self._connection.subscribe(HELLO_SUBJECTS, take)
        try:
            yield
        finally:
            await end()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, message: Message, answer: Answer) -> None:
        try:
            body, headers = wire.encode(await answer(_introduced(message))), None
            if self._unanswered:
                log.warning("agents are answered again")
            self._unanswered = False
        except UplinkError as error:
            body, headers = error.message.encode(), {"Vigie-Fault": error.fault.value}
        except StoreError as error:  # the agent asks again
            if not self._unanswered:
                log.warning("agents cannot be answered now: %s", error)
            self._unanswered = True
            body, headers = b"the database cannot be used now", {"Vigie-Fault": UplinkFault.BUSY.value}
        except Exception:
            log.exception("an agent could not be answered")
            body, headers = b"the server cannot answer now", {"Vigie-Fault": UplinkFault.BUSY.value}
        try:
            await self._connection.publish(message.reply, body, headers)
        except BusError as error:
            log.debug("an agent was not answered: %s", error)

    async def examine(self) -> str:
        """What is there; nothing is made."""
        await self._connection.ready()
        account = await self._connection.api("INFO")
        answers = f"{self._config.shown} answers: NATS {self._connection.server}"
        differing = await topology.differences(self._connection, self._config)
        if differing is None:
            return f"{answers}; `vigie serve` makes the streams"
        what = "; ".join(f"{one.stream}: {one.what}" for one in differing)
        if any(one.is_fault for one in differing):
            raise BusError(BusFault.DIFFERENT, f"{answers}, but Vigie cannot work with what is there: {what}", differing[0].fix)
        now = await topology.state(self._connection)
        line = f"{answers}, {now.messages} messages, {account.get('storage', 0)} bytes"
        return f"{line}; with other settings than asked for: {what}" if differing else line

    async def close(self) -> None:
        """Read and publish no longer."""
        for consumer in list(self._consumers):
            consumer.close()
        await self._connection.close()


def _is_askers(message: Message) -> bool:
    """Whether the answer goes to whoever asks: a client may name any subject, and this server may publish where the client may not."""
    try:
        return message.reply.startswith(f"{inbox(*sender_of(message.subject))}.")
    except ValueError:
        return False


def _introduced(message: Message) -> Hello:
    """Who says hello, and is who its subject says: a new agent may leave that to it. Raises UplinkError."""
    try:
        hello, sender = wire.decode(message.data), sender_of(message.subject)
    except ValueError as error:
        raise UplinkError(UplinkFault.VERSION, f"a message that cannot be read: {error}", permanent=True) from None
    if not isinstance(hello, Hello) or (hello.location or sender.location, hello.agent or sender.agent) != sender:
        raise UplinkError(UplinkFault.AUTH, f"this login is that of {sender.agent} at {sender.location}", permanent=True)
    return msgspec.structs.replace(hello, agent=sender.agent, location=sender.location)
