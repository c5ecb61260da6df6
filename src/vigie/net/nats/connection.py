"""One connection to a bus, made anew whenever it breaks: another server of the list, another login from the same file.

It is ours to make, because a client that connects again by itself hides from whoever waits that what he sent may be lost.
"""

import asyncio
import contextlib
import logging
import random
import re
from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import Any, Final

import msgspec
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error, NoServersError

from vigie.errors import BusError, BusFault
from vigie.net.nats.address import Config
from vigie.net.nats.client import CONNECT_SECONDS, NatsClient, hang_up
from vigie.net.nats.faults import answered, connecting, denied, foremost, no_answer
from vigie.net.nats.login import login, refused

log = logging.getLogger("vigie.bus")

OLDEST: Final = (2, 10)
_PING_SECONDS = 5
_ANSWER_SECONDS = 5.0
_AGAIN_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
_QUOTED = re.compile(r'"([^" ]+)"')
_STATUS: Final = "Status"
_NOBODY: Final = "503"

Message = Msg  # subject, reply, headers, data
Handler = Callable[[Message], Awaitable[None]]


class _Subscribed:
    """What is subscribed on one connection after the other; how much of it may wait is for whoever subscribes to bound."""

    def __init__(self, subject: str, handler: Handler) -> None:
        self._subject, self._handler = subject, handler
        self._current: Subscription | None = None

    async def begin(self, client: NatsClient) -> None:
        self._current = await client.subscribe(self._subject, cb=self._handler, pending_bytes_limit=0, pending_msgs_limit=0)

    async def end(self) -> None:
        if self._current is not None:
            with contextlib.suppress(Error, OSError):  # with its connection it ended anyway
                await self._current.unsubscribe()


class Connection:
    """To one of the servers of an address. What is subscribed stays subscribed. Each method raises BusError and nothing else.

    `generation` rises by one with each connection: whoever counts on what was sent before looks at it.
    """

    def __init__(self, address: Config, name: str, inbox: str = "_INBOX") -> None:
        self.address, self._name, self._prefix = address, name, inbox
        self.generation = 0
        self._client: NatsClient | None = None
        self._up, self._closed = asyncio.Event(), False
        self._keeper: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._doubts: set[asyncio.Task[None]] = set()
        self._leaving: set[NatsClient] = set()  # broken, and not hung up yet
        self._handlers: list[_Subscribed] = []
        self._answers: dict[str, tuple[str, asyncio.Future[Msg]]] = {}  # by the end of its inbox: the subject asked, who waits
        self._refusals: dict[str, str] = {}  # of subscriptions, by the subject in small letters: what the server said
        self._numbers = iter(range(1, 2**62))
        self._inbox = f"{inbox}.{token_hex(8)}"
        self.error: BusError | None = None  # why it is not connected

    @property
    def connected(self) -> bool:
        """Whether a server is there now."""
        return self._up.is_set()

    @property
    def max_payload(self) -> int:
        """Bytes that one message may have, with its headers."""
        return 1024 * 1024 if self._client is None else self._client.max_payload

    @property
    def server(self) -> str:
        """Name and version of the server, for people; empty while there is none."""
        url = None if self._client is None else self._client.connected_url
        version = "" if self._client is None else self._client.connected_server_version._server_version  # noqa: SLF001 - it has no other text
        return f"{url.netloc.rpartition('@')[2]} ({version})" if url is not None else ""

    async def open(self) -> None:
        """Connect, unless it is connected. Later on that is done by itself."""
        if self._closed:
            raise BusError(BusFault.OTHER, "the bus is closed")
        async with self._connecting:
            if not self._up.is_set():
                await self._connect()

    async def close(self) -> None:
        """Hang up. Closing twice is harmless."""
        self._closed = True
        for task in (ending := [*self._doubts, *([] if self._keeper is None else [self._keeper])]):
            task.cancel()
        left, self._client = [*self._leaving, *([] if self._client is None else [self._client])], None
        self._up.clear()
        self._fail(BusError(BusFault.OTHER, "the bus is closed"))
        await asyncio.gather(*map(hang_up, left), *ending, return_exceptions=True)

    async def ready(self, seconds: float = _ANSWER_SECONDS) -> NatsClient:
        """The client, connected, within `seconds`."""
        if not self._up.is_set():
            if self._keeper is None:
                await self.open()
            try:
                async with asyncio.timeout(seconds):
                    await self._up.wait()
            except TimeoutError:
                raise self.error or BusError(BusFault.UNREACHABLE, f"{self.address.shown}: not connected") from None
        if self._client is None:
            raise BusError(BusFault.OTHER, "the bus is closed")
        return self._client

    async def publish(self, subject: str, body: bytes, headers: dict[str, str] | None = None, reply: str = "") -> None:
        """Send, without waiting for anything."""
        client = await self.ready()
        try:
            await client.publish(subject, body, reply, headers)
        except (Error, OSError) as error:
            if client.is_closed:  # it says so itself only when its socket is closed
                self._lost(client, [client.last_error or error])
            raise BusError(BusFault.UNREACHABLE, f"{subject} cannot be sent: {error}") from error

    async def ask(self, subject: str, body: bytes, headers: dict[str, str] | None = None, *, seconds: float = _ANSWER_SECONDS) -> Msg:
        """Send, and wait for the answer."""
        await self.ready()
        token = f"{next(self._numbers):x}"
        answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._answers[token] = subject, answer
        try:
            await self.publish(subject, body, headers, f"{self._inbox}.{token}")
            async with asyncio.timeout(seconds):
                found = await answer
        except TimeoutError:
            self._doubt()
            raise BusError(BusFault.TIMEOUT, f"{subject}: no answer within {seconds:g} s") from None
        finally:
            del self._answers[token]
            if answer.done() and not answer.cancelled():
                answer.exception()  # asyncio complains about what nobody looked at
        if found.headers and found.headers.get(_STATUS) == _NOBODY:
            raise no_answer(subject)
        return found

    async def api(self, what: str, body: object = None, *, seconds: float = _ANSWER_SECONDS) -> dict[str, Any]:
        """Ask JetStream: `what` is the subject after `$JS.API.`. Raises BusError, also for a refusal."""
        asked = b"" if body is None else msgspec.json.encode(body)
        said = (await self.ask(f"$JS.API.{what}", asked, seconds=seconds)).data
        try:
            answer = msgspec.json.decode(said, type=dict[str, Any])
        except ValueError as error:
            raise BusError(
                BusFault.OTHER, f"{what}: an answer that is not JetStream's", "check that the address is that of a NATS server"
            ) from error
        if "error" in answer:
            raise answered(answer["error"], what)
        return answer

    async def subscribe(self, subject: str, handler: Handler) -> Callable[[], Awaitable[None]]:
        """Have this one called with each message, one after the other, also on later connections; what ends it again."""
        entry = _Subscribed(subject, handler)
        client = await self.ready()
        self._handlers.append(entry)
        try:
            await entry.begin(client)
            for _ in range(2):  # by then the server has refused it, if it does; nats-py's first ping may overtake what is subscribed
                await client.flush(CONNECT_SECONDS)
        except (Error, OSError) as error:
            self._handlers.remove(entry)
            raise BusError(BusFault.UNREACHABLE, f"{subject} cannot be subscribed to: {error}") from error
        if (said := self._refusals.pop(subject.lower(), None)) is not None:
            self._handlers.remove(entry)
            raise denied(said)

        async def end() -> None:
            if entry in self._handlers:
                self._handlers.remove(entry)
                await entry.end()

        return end

    def new_inbox(self) -> str:
        """A subject that nobody else knows."""
        return f"{self._prefix}.{token_hex(16)}"

    async def _connect(self) -> None:
        """To any of the servers of the address. Raises the error that tells most, when there is none.

        Servers announce others of their cluster (`connect_urls`). These are not used: the login would be sent wherever one server says,
        and from outside their network most such addresses lead nowhere.
        """
        servers, errors = list(dict.fromkeys(self.address.servers)), list[BusError]()
        random.shuffle(servers)
        for server in servers:
            try:
                await self._connect_to(server)
            except BusError as error:
                errors.append(error)
            else:
                return
        self.error = foremost(errors)
        raise self.error

    async def _connect_to(self, server: str) -> None:
        seen: list[BaseException] = []

        async def note(error: Exception) -> None:
            seen.append(error)
            self._refused(str(error))

        options, key = login(self.address)
        client = NatsClient(tls=self.address.tls, key=key)

        async def gone() -> None:
            self._lost(client, seen)

        async def leaving() -> None:  # it keeps connections for minutes, and JetStream no longer
            self._lost(client, [BusError(BusFault.UNREACHABLE, f"{server} is being shut down", "another server is looked for")])

        try:
            async with asyncio.timeout(3 * CONNECT_SECONDS):
                await client.connect(
                    servers=[f"nats://{server}"],
                    name=self._name,
                    error_cb=note,
                    closed_cb=gone,
                    lame_duck_mode_cb=leaving,
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=CONNECT_SECONDS,
                    ping_interval=_PING_SECONDS,
                    max_outstanding_pings=2,
                    inbox_prefix=self._prefix,
                    pending_size=4 * 1024 * 1024,
                    **options,
                )
            self._suitable(client, server)
            await self._adopt(client)
        except asyncio.CancelledError:
            await hang_up(client)
            raise
        except Exception as error:  # whatever it is that answers there
            await hang_up(client)
            said = connecting(server, seen[-1] if isinstance(error, NoServersError) and seen else error)
            raise refused(self.address, said) from error

    def _suitable(self, client: NatsClient, server: str) -> None:
        version = client.connected_server_version
        if (version.major, version.minor) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            message = f"{server}: NATS {version.major}.{version.minor} is too old, {oldest} or later is needed"
            raise BusError(BusFault.UNSUITABLE, message, "update the NATS server", permanent=True)

    async def _adopt(self, client: NatsClient) -> None:
        """From now on this is the connection."""
        await client.subscribe(f"{self._inbox}.*", cb=self._answered, pending_bytes_limit=0, pending_msgs_limit=0)
        for entry in list(self._handlers):
            await entry.begin(client)
        await client.flush(CONNECT_SECONDS)
        if self._closed:  # meanwhile: nobody would close this one
            raise BusError(BusFault.OTHER, "the bus is closed")
        self._client, self.error = client, None
        self.generation += 1
        self._up.set()

    async def _answered(self, message: Msg) -> None:
        waiting = self._answers.get(message.subject.rpartition(".")[2])
        if waiting is not None and not waiting[1].done():
            waiting[1].set_result(message)

    def _refused(self, said: str) -> None:
        """Whoever waits for an answer to what the permissions do not allow would wait for ever."""
        low = said.lower()
        if "permissions violation" not in low:
            return
        said = said.removeprefix("nats: ")
        if (subject := _QUOTED.search(low)) is not None and "subscription" in low:
            self._refusals[subject[1]] = said
        concerned = [answer for subject, answer in self._answers.values() if f'"{subject.lower()}"' in low and not answer.done()]
        for answer in concerned:
            answer.set_exception(denied(said))
        if not concerned:
            log.error("the bus refuses: %s", said)

    def _doubt(self) -> None:
        """Something was not answered: if not even a ping is, another connection is made."""
        if (client := self._client) is not None and self._up.is_set():
            task = asyncio.create_task(self._examine(client))
            self._doubts.add(task)
            task.add_done_callback(self._doubts.discard)

    async def _examine(self, client: NatsClient) -> None:
        try:
            await client.flush(CONNECT_SECONDS)
        except (Error, OSError, TimeoutError) as error:
            self._lost(client, [error])

    def _lost(self, client: NatsClient, seen: list[BaseException]) -> None:
        """A connection is gone: what waits for an answer fails, and another one is looked for."""
        if client is not self._client:
            return
        self._client = None
        self._up.clear()
        why = connecting(self.address.shown, seen[-1]) if seen else BusError(BusFault.UNREACHABLE, "the connection broke")
        self.error = BusError(why.fault if why.fault is not BusFault.OTHER else BusFault.UNREACHABLE, f"the bus is gone: {why}", why.fix)
        self._fail(self.error)
        if not self._closed:
            log.warning("%s; connecting again", self.error)
            self._leaving.add(client)
            self._keeper = asyncio.create_task(self._regain(client))

    def _fail(self, error: BusError) -> None:
        for _, answer in self._answers.values():
            if not answer.done():
                answer.set_exception(error)

    async def _regain(self, old: NatsClient) -> None:
        """Connect again, for as long as it takes."""
        ending = asyncio.create_task(hang_up(old))  # which may take long, with a peer that hangs
        try:
            await self._until_connected()
        finally:
            await ending
            self._leaving.discard(old)

    async def _until_connected(self) -> None:
        for attempt in range(2**62):
            try:
                await self.open()
            except BusError as error:
                if self._closed:  # Python 3.11's wait_for may swallow that this was cancelled
                    return
                if attempt == len(_AGAIN_SECONDS):
                    log.error("the bus cannot be reached: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more
                await asyncio.sleep(_AGAIN_SECONDS[min(attempt, len(_AGAIN_SECONDS) - 1)])
            else:
                log.info("connected to the bus again: %s", self.server)
                return
