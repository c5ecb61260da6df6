"""To the servers of a fleet over NATS: results to a stream, work from a key-value bucket that is watched, orders as messages.

Nothing has to listen when a batch is handed over: it is safe once the stream has it.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from vigie.errors import BusError, BusFault, UplinkError, UplinkFault, VigieError
from vigie.fleet import wire
from vigie.fleet.batches import MAX_BYTES
from vigie.fleet.documents import PACES, STATE, read_paces, read_shard, read_state
from vigie.fleet.subjects import RESULTS, WORK_STREAM, addressed, hello_subject, inbox, order_subject, watcher, work_subjects
from vigie.fleet.wire import CheckNow, Hello, Order, Pace, ShardWork, Welcome, Work
from vigie.net.nats.address import Config
from vigie.net.nats.encoding import unpacked
from vigie.ports import Traits
from vigie.uplinks import UplinkDeps

if TYPE_CHECKING:
    from vigie.net.nats.connection import Connection, Message
    from vigie.net.nats.pull import Pull, Received

__all__ = ["KEEP_MS", "TRAITS", "Config", "build"]

log = logging.getLogger("vigie.uplink")

TRAITS = Traits(requires=("nats",))
KEEP_MS: Final = 600_000  # a stream on one server alone may lose what it had not synced when that server lost power
_MAX_DOCUMENT: Final = 16 * MAX_BYTES
_FULL_MS: Final = 5_000
_PERMANENT: Final = frozenset({UplinkFault.AUTH, UplinkFault.VERSION, UplinkFault.REFUSED})
_FAULTS: Final = {
    BusFault.UNREACHABLE: UplinkFault.UNREACHABLE,
    BusFault.TIMEOUT: UplinkFault.TIMEOUT,
    BusFault.TLS: UplinkFault.TLS,
    BusFault.AUTH: UplinkFault.AUTH,
    BusFault.RIGHTS: UplinkFault.AUTH,
    BusFault.UNSUITABLE: UplinkFault.UNREACHABLE,
    BusFault.FULL: UplinkFault.BUSY,
    BusFault.BUSY: UplinkFault.BUSY,
    BusFault.TOO_LARGE: UplinkFault.REFUSED,
}
_FIXES: Final = {
    UplinkFault.AUTH: "enrol the agent with `vigie agent enroll`, and give its NATS user the permissions of its name and location",
    UplinkFault.VERSION: "install versions of agent and server that are closer to each other",
    UplinkFault.REFUSED: "the log of the server says why",
}


def build(config: Config, deps: UplinkDeps) -> "NatsUplink":
    """The uplink; nothing is contacted yet. Raises VigieError where the address does not say who the agent is."""
    from vigie.net.nats.connection import Connection

    agent, location = config.agent or config.user, config.location
    if not agent or not location:
        raise VigieError("the address of the bus does not say which agent this is", "add ?agent=NAME&location=PLACE to it")
    if config.ca_file is None and deps.ca_file is not None:
        config = msgspec.structs.replace(config, ca_file=str(deps.ca_file))
    if host := config.unencrypted:
        log.warning("what is checked, its secrets included, may travel to %s unencrypted: write tls://", host)
    connection = Connection(config, f"vigie-agent {agent}", inbox(location, agent))
    return NatsUplink(connection, location, agent, min(deps.timeout_seconds, 10.0))


class NatsUplink:
    """Implements Uplink."""

    def __init__(self, connection: "Connection", location: str, agent: str, seconds: float) -> None:
        from vigie.net.nats.publisher import Publisher

        self._connection, self._location, self._agent, self._seconds = connection, location, agent, seconds
        self._publisher = Publisher(connection, RESULTS, patience=seconds, seconds=seconds)
        self._paces: dict[str, int] = {}  # that the agent was told

    async def hello(self, hello: Hello) -> Welcome:
        """Introduce oneself to whoever coordinates."""
        try:
            await self._connection.ready(self._seconds)
            subject = hello_subject(self._location, self._agent)
            answer = await self._connection.ask(subject, wire.encode(hello), seconds=self._seconds)
        except BusError as error:
            raise _uplink_error(error) from error
        if (said := (answer.headers or {}).get("Vigie-Fault")) is not None:
            fault = UplinkFault(said) if said in list(UplinkFault) else UplinkFault.OTHER
            raise UplinkError(fault, answer.data.decode("utf-8", "replace"), fix=_FIXES.get(fault, ""), permanent=fault in _PERMANENT)
        try:
            found = wire.decode(answer.data)
        except ValueError as error:
            raise UplinkError(
                UplinkFault.VERSION, f"the server's answer cannot be read: {error}", fix=_FIXES[UplinkFault.VERSION]
            ) from None
        if not isinstance(found, Welcome):
            raise UplinkError(UplinkFault.OTHER, "the server answers something else")
        return found

    async def send(self, batches: Sequence[tuple[int, bytes]]) -> None:
        """Hand over batches; of each shard one after the other, those of several at a time."""
        from vigie.net.nats.publisher import Outgoing

        try:
            await self._connection.ready(self._seconds)
            await self._publisher.send([Outgoing(*addressed(blob), blob) for _, blob in batches])
        except BusError as error:
            raise _uplink_error(error) from error

    async def orders(self, epoch: int) -> AsyncIterator[Order]:
        """What this agent is to do."""
        listening = _Listening(self._connection, self._location, self._agent, self._paces)
        try:
            async for order in listening.orders(epoch):
                yield order
        except BusError as error:
            raise _uplink_error(error) from error

    async def close(self) -> None:
        """Hang up."""
        await self._connection.close()


def _uplink_error(error: BusError) -> UplinkError:
    fault = _FAULTS.get(error.fault, UplinkFault.OTHER)
    if error.fault is BusFault.UNSUITABLE and error.permanent:
        fault = UplinkFault.VERSION
    wait = _FULL_MS if error.fault is BusFault.FULL else None
    fix = error.fix or _FIXES.get(fault, "")
    return UplinkError(fault, error.message, fix=fix, permanent=fault in _PERMANENT, retry_after_ms=wait)


class _Listening:
    """One stream of orders: what is in the bucket and what comes into it, and messages."""

    def __init__(self, connection: "Connection", location: str, agent: str, paces: dict[str, int]) -> None:
        self._connection, self._location, self._agent, self._paces = connection, location, agent, paces
        self._came: asyncio.Queue[list[Received] | Message | BusError] = asyncio.Queue()
        self._shards: dict[int, ShardWork] = {}  # changed since the state was last written
        self._state: Work | None = None
        self._fresh: list[Order] = []
        self._begun = False
        self._said = set[str]()  # what could not be read

    async def orders(self, epoch: int) -> AsyncIterator[Order]:
        """Raises BusError when the link breaks."""
        from vigie.net.nats.pull import Pull

        config = {"deliver_policy": "last_per_subject", "filter_subject": work_subjects(self._location, self._agent)}
        pull = Pull(self._connection, WORK_STREAM, watcher(self._location, self._agent), config)
        end = await self._connection.subscribe(order_subject(self._location, self._agent), self._came.put)
        await pull.forget()
        reading: asyncio.Task[None] | None = None
        try:
            left = await pull.begin()
            reading = asyncio.create_task(self._read(pull))
            held: list[Message] = []
            while left:
                came = await self._next()
                if isinstance(came, list):
                    self._take(came)
                    left = came[-1].pending
                else:
                    held.append(came)
            self._begin(epoch)
            for message in held:
                self._hear(message)
            while True:
                for order in self._drained():
                    yield order
                came = await self._next()
                if isinstance(came, list):
                    self._take(came)
                else:
                    self._hear(came)
        finally:
            if reading is not None:
                reading.cancel()
            await pull.end()
            with contextlib.suppress(BusError):
                await end()

    async def _read(self, pull: "Pull") -> None:
        try:
            while found := await pull.next():
                await self._came.put(found)
        except BusError as error:
            await self._came.put(error)

    async def _next(self) -> "list[Received] | Message":
        came = await self._came.get()
        if isinstance(came, BusError):
            raise came
        return came

    def _drained(self) -> list[Order]:
        fresh, self._fresh = self._fresh, []
        return fresh

    def _begin(self, epoch: int) -> None:
        """Everything that is there was read: it is all the work, unless the agent knows it."""
        self._begun, paces = True, self._fresh
        self._fresh = []
        if self._state is not None:
            work = self._work(whole=True)
            self._fresh += [work] if work.epoch != epoch else []
        self._fresh += paces

    def _work(self, *, whole: bool) -> Work:
        """What was read of shards since the last one, with the state that followed."""
        state = self._state or Work(0, [])
        shards = [self._shards[shard] for shard in sorted(self._shards) if self._shards[shard].specs or not whole]
        self._shards.clear()
        return Work(state.epoch, shards, whole, state.control, state.second_resolver)

    def _paced(self, paces: dict[str, int]) -> None:
        """These monitors, and no others, are not checked at their own interval."""
        self._fresh += [Pace(monitor, None) for monitor in self._paces if monitor not in paces]
        self._fresh += [
            Pace(monitor, every_ms) for monitor, every_ms in paces.items() if self._paces.get(monitor) != every_ms or not self._begun
        ]
        self._paces.clear()
        self._paces.update(paces)

    def _take(self, received: "list[Received]") -> None:
        for one in received:
            part = one.message.subject.rpartition(".")[2]
            try:
                self._document(part, unpacked(one.message.headers, one.message.data, _MAX_DOCUMENT))
            except ValueError as error:
                self._say(f"the document {part} of this agent's work", error)

    def _say(self, what: str, error: ValueError) -> None:
        """Once: whoever may write to the bus may do so as often as he likes."""
        if what not in self._said:
            self._said.add(what)
            log.error("%s cannot be read: %s", what, error)

    def _document(self, part: str, body: bytes) -> None:
        if part == STATE:
            first, self._state = self._state is None, read_state(body)
            if self._begun:
                self._fresh.append(self._work(whole=first))
        elif part == PACES:
            self._paced(read_paces(body))
        elif part.isdecimal():
            found = read_shard(body)
            self._shards[found.shard] = found

    def _hear(self, message: "Message") -> None:
        try:
            order = wire.decode(message.data)
        except ValueError as error:
            self._say("an order to this agent", error)
            return
        if isinstance(order, Pace):
            if order.every_ms is None:
                self._paces.pop(order.monitor, None)
            else:
                self._paces[order.monitor] = order.every_ms
        if isinstance(order, Pace | CheckNow):
            self._fresh.append(order)
