"""A name server on loopback that serves whole zones, signed or not: as their own server (RD clear) or as a resolver of them all (RD set)."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from vigie.net import hang_up
from vigie.testing.servers import ended

DAY = 86_400
HEAD = "@ 60 IN SOA ns1 hostmaster {serial} 3600 600 86400 60\n@ 60 IN NS ns1\nns1 60 IN A 127.0.0.1\n"
Change = Callable[[dns.message.Message, dns.message.Message, str], bytes | None]


@dataclass
class Signed:
    """A zone with its key."""

    zone: dns.zone.Zone
    key: Any
    dnskey: Any

    def ds(self, *, digest: str = "SHA256") -> str:
        """What its parent says of its key, without the owner."""
        return str(dns.dnssec.make_ds(self.zone.origin or dns.name.root, self.dnskey, digest))

    @property
    def anchor(self) -> str:
        return f"{self.zone.origin} DS {self.ds()}"


def zone(origin: str, text: str = "", *, serial: int = 1, head: str = HEAD) -> dns.zone.Zone:
    return dns.zone.from_text(head.format(serial=serial) + text, f"{origin}.", relativize=False, check_origin=False)


def signed(origin: str, text: str = "", *, begins: float = -DAY, ends: float = DAY, head: str = HEAD) -> Signed:
    made = zone(origin, text, head=head)
    key = ec.generate_private_key(ec.SECP256R1())
    dnskey = dns.dnssec.make_dnskey(key.public_key(), dns.dnssec.ECDSAP256SHA256, flags=257)
    now = time.time()
    dns.dnssec.sign_zone(made, keys=[(key, dnskey)], inception=now + begins, expiration=now + ends)
    return Signed(made, key, dnskey)


@dataclass
class NameServer:
    """`change(query, answer, by)` may return other bytes, or None for silence; `asked` holds (name, type, udp or tcp)."""

    zones: list[dns.zone.Zone]
    host: str = "127.0.0.1"
    port: int = 0
    change: Change = lambda _, answer, by: wire(answer, by)
    lame: bool = False
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        answer = dns.message.make_response(query, recursion_available=True)
        asked_of_itself = not query.flags & dns.flags.RD
        answer.flags |= dns.flags.AA if asked_of_itself and not self.lame else 0
        secure = bool(query.ednsflags & dns.flags.DO)
        name: dns.name.Name | None = question.name
        for _ in range(8):
            if name is None:
                break
            name = self._step(answer, name, question.rdtype, secure)
        return answer

    def _zone(self, name: dns.name.Name, kind: int) -> dns.zone.Zone | None:
        found = [one for one in self.zones if one.origin is not None and name.is_subdomain(one.origin)]
        if kind == dns.rdatatype.DS:  # the parent knows
            found = [one for one in found if one.origin != name] or found
        return max(found, key=lambda one: len(one.origin or ()), default=None)

    def _step(self, answer: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType, secure: bool) -> dns.name.Name | None:
        """Add what is known of a name; the next one to look at where it is an alias."""
        home = self._zone(name, kind)
        if home is None:
            if not answer.answer:
                answer.set_rcode(dns.rcode.REFUSED)
            return None
        node = home.get_node(name)
        alias = node and kind != dns.rdatatype.CNAME and node.get_rdataset(home.rdclass, dns.rdatatype.CNAME)
        for wanted in {kind, dns.rdatatype.CNAME} if alias else {kind}:
            self._add(answer.answer, home, name, wanted, secure)
        if alias:
            return alias[0].target  # type: ignore[no-any-return]
        if node is None or not node.get_rdataset(home.rdclass, kind):
            below = any(other.is_subdomain(name) for other in home.nodes)
            answer.set_rcode(dns.rcode.NOERROR if node is not None or below else dns.rcode.NXDOMAIN)
            for wanted in (dns.rdatatype.SOA, *([dns.rdatatype.NSEC] if secure else [])):
                self._add(answer.authority, home, home.origin, wanted, secure)
        return None

    def _add(self, section: Any, home: dns.zone.Zone, name: Any, kind: int, secure: bool) -> None:
        node = home.get_node(name)
        for rdataset in node.rdatasets if node else ():
            if rdataset.rdtype == kind or (secure and rdataset.rdtype == dns.rdatatype.RRSIG and rdataset.covers == kind):
                section.append(dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset)))

    def said(self, data: bytes, by: str) -> bytes | None:
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        self.asked.append((question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype), by))
        return self.change(query, self.answer(query), by)


def wire(answer: dns.message.Message, by: str) -> bytes:
    """As much as fits, else a cut message."""
    try:
        return answer.to_wire(max_size=65_535 if by == "tcp" else 1_232)
    except dns.exception.TooBig:
        answer.answer.clear()
        answer.flags |= dns.flags.TC
        return answer.to_wire()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self.server = server
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if (answer := self.server.said(data, "udp")) is not None:
            self.transport.sendto(answer, addr)


@contextlib.asynccontextmanager
async def serving(*servers: NameServer) -> AsyncIterator[None]:
    """All servers on one port, each on its own address."""
    open_: list[Any] = []
    tasks: set[asyncio.Task[Any]] = set()

    def talk_for(server: NameServer) -> Any:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.current_task())  # type: ignore[arg-type]
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while True:
                    data = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
                    if (answer := server.said(data, "tcp")) is not None:
                        writer.write(len(answer).to_bytes(2) + answer)
                        await writer.drain()
            hang_up(writer.transport)

        return talk

    loop = asyncio.get_running_loop()
    for _ in range(20):  # a port that is free for one may be taken for another
        port = 0
        try:
            for server in servers:
                udp, _proto = await loop.create_datagram_endpoint(lambda server=server: _Udp(server), local_addr=(server.host, port))  # type: ignore[misc]
                open_.append(udp)
                server.port = port = udp.get_extra_info("sockname")[1]
                open_.append(await asyncio.start_server(talk_for(server), server.host, port))
            break
        except OSError:
            for one in open_:
                one.close()
            open_.clear()
    try:
        yield
    finally:
        await ended(*(one for one in open_ if isinstance(one, asyncio.Server)))
        for one in open_:
            one.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is closed in the next pass
