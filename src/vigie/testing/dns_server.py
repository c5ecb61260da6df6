"""A name server on loopback for tests, over UDP and TCP: it says what it is told to of each name, and misbehaves on demand.

Names are data, and may be changed at any time:

    async with DnsServer({"shop.test": Says("A 127.0.0.1", "AAAA ::1"), "gone.test": Says(rcode="NXDOMAIN")}) as server:
        ... server.address ... server.asked ...

It answers as a resolver does, following CNAMEs through its own names. A key may name a type (`shop.test AAAA`), which then comes
first; `*` is every name that has no key of its own. Names without any do not exist.
"""

import asyncio
import contextlib
import socket
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from vigie.net import hang_up
from vigie.testing.servers import ended

_PLAIN_UDP = 512  # RFC 1035 §4.2.1, for clients that do not say how much they take
_LENGTH = 2
_PORTS_TRIED = 20
_HOPS = 8


@dataclass(frozen=True, slots=True, init=False)
class Says:
    """What the server says of a name: records such as `A 127.0.0.1`, `CNAME other.test`, `MX 10 mail.test`; or how it fails.

    `silent` never answers; `slow_s` answers that many seconds late; `truncated` sends nothing but TC over UDP, everything over TCP;
    `wrong_id` answers another question; `garbage` are the bytes sent instead of an answer.
    """

    records: tuple[str, ...]
    ttl: int
    rcode: str
    silent: bool
    slow_s: float
    truncated: bool
    wrong_id: bool
    garbage: bytes | None

    def __init__(
        self,
        *records: str,
        ttl: int = 60,
        rcode: str = "NOERROR",
        silent: bool = False,
        slow_s: float = 0.0,
        truncated: bool = False,
        wrong_id: bool = False,
        garbage: bytes | None = None,
    ) -> None:
        values = {"records": records, "ttl": ttl, "rcode": rcode, "silent": silent, "slow_s": slow_s}
        for name, value in {**values, "truncated": truncated, "wrong_id": wrong_id, "garbage": garbage}.items():
            object.__setattr__(self, name, value)

    @property
    def cname(self) -> str | None:
        """The name that this one is an alias of."""
        return next((one.partition(" ")[2].rstrip(".") for one in self.records if one.startswith("CNAME ")), None)


NXDOMAIN, SERVFAIL, REFUSED = Says(rcode="NXDOMAIN"), Says(rcode="SERVFAIL"), Says(rcode="REFUSED")
EMPTY, SILENT = Says(), Says(silent=True)


@dataclass(frozen=True, slots=True)
class Question:
    """One question that was asked: the name in lower case without its last dot, the type, and `udp` or `tcp`."""

    name: str
    type: str
    by: str


class DnsServer:
    """Listens on a free port of 127.0.0.1; `asked` holds every question, oldest first."""

    def __init__(self, names: dict[str, Says] | None = None) -> None:
        self.names = dict(names or {})
        self.asked: list[Question] = []
        self._came = asyncio.Condition()
        self.port = 0
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """As a monitor's `resolver` names it."""
        return f"127.0.0.1:{self.port}"

    def types(self, name: str) -> list[str]:
        """The types that were asked of a name, in order."""
        return [one.type for one in self.asked if one.name == name]

    async def __aenter__(self) -> Self:
        for _ in range(_PORTS_TRIED):  # the port that is free for UDP may be taken for TCP
            await self._listen()
            if self._tcp is not None:
                return self
        raise OSError("no port is free for both UDP and TCP")

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=("127.0.0.1", 0), family=socket.AF_INET)
        self.port = self._udp.get_extra_info("sockname")[1]
        try:
            self._tcp = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        except OSError:
            self._udp.close()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            await ended(self._tcp)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is closed in the next pass

    async def was_asked(self, count: int = 1) -> None:
        """Until so many questions have come in all."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.asked) >= count)

    def take(self, wire: bytes, peer: tuple[str, int]) -> None:
        """A datagram came."""
        self._begin(self._answer_datagram(wire, peer))

    async def _answer_datagram(self, wire: bytes, peer: tuple[str, int]) -> None:
        said = await self._said(wire, "udp")
        if said is not None and self._udp is not None:
            self._udp.sendto(said, peer)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                length = int.from_bytes(await reader.readexactly(_LENGTH))
                said = await self._said(await reader.readexactly(length), "tcp")
                if said is not None:
                    writer.write(len(said).to_bytes(_LENGTH) + said)
                    await writer.drain()
        hang_up(writer.transport)

    async def _said(self, wire: bytes, by: str) -> bytes | None:
        """The bytes that answer these bytes; None for silence."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        async with self._came:
            self.asked.append(Question(name, kind, by))
            self._came.notify_all()
        says = self._says(name, kind) or NXDOMAIN
        if says.slow_s:
            await asyncio.sleep(says.slow_s)  # slow: it is asked to be
        if says.silent or says.garbage is not None:
            return says.garbage
        answer = self._response(query, says, name, kind)
        if says.wrong_id:
            answer.id ^= 0x5555
        return _wire(query, answer, cut=says.truncated and by == "udp", whole=by == "tcp")

    def _says(self, name: str, kind: str) -> Says | None:
        return self.names.get(f"{name} {kind}") or self.names.get(name) or self.names.get("*")

    def _response(self, query: dns.message.Message, says: Says, name: str, kind: str) -> dns.message.Message:
        answer = dns.message.make_response(query, recursion_available=True)
        last = says
        for owner, one in self._chain(says, name, kind):
            last = one
            for record in one.records:
                sort, _, data = record.partition(" ")
                if sort in (kind, "CNAME"):
                    answer.answer.append(dns.rrset.from_text(f"{owner}.", one.ttl, "IN", sort, _absolute(sort, data)))
        answer.set_rcode(dns.rcode.from_text(last.rcode))
        return answer

    def _chain(self, says: Says, name: str, kind: str) -> Iterator[tuple[str, Says]]:
        """(owner, what is said of it), from alias to alias; one that leads to nothing ends in NXDOMAIN, a circle at some time."""
        for _ in range(_HOPS):
            yield name, says
            if says.cname is None or kind == "CNAME":
                return
            name = says.cname
            says = self._says(name, kind) or NXDOMAIN


def _absolute(sort: str, data: str) -> str:
    """A record's data with its last name absolute, as its parser wants it."""
    return f"{data.rstrip('.')}." if sort in ("CNAME", "MX", "NS", "SRV", "PTR") else data


def _wire(query: dns.message.Message, answer: dns.message.Message, *, cut: bool, whole: bool) -> bytes:
    if not cut:
        try:
            return answer.to_wire(max_size=65_535 if whole else max(query.payload, _PLAIN_UDP))
        except dns.exception.TooBig:
            pass
    answer.answer.clear()
    answer.flags |= dns.flags.TC
    return answer.to_wire()


class _Datagrams(asyncio.DatagramProtocol):
    """Hands datagrams to the server."""

    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One question."""
        self._server.take(data, addr)
