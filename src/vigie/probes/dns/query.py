"""One question to one name server: UDP, again where packets may be lost, TCP where the answer is cut (RFC 1035 §4.2, RFC 7766).

The whole message is not given to the library: a hostile one of 2 KB keeps it busy for a quarter of a second. Only records that can
matter are read, their number and their names are bounded.
"""

import asyncio
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from vigie.core.model import Cause, Status
from vigie.probes.kit.verdict import CheckFailed

PAYLOAD = 1232  # bytes over UDP that pass every path unbroken (DNS flag day 2020)
_MAX_DATAGRAM, _MAX_WAITING = 4_096, 64
_MAX_RECORDS, _MAX_LABELS = 512, 40  # a reverse IPv6 name has 34 labels
_FIRST_SECONDS, _LONGEST_SECONDS = 1.0, 4.0  # waits before the question is sent again
_HEAD = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_ALWAYS = frozenset(
    {
        dns.rdatatype.CNAME,
        dns.rdatatype.DNAME,
        dns.rdatatype.SOA,
        dns.rdatatype.NS,
        dns.rdatatype.RRSIG,
        dns.rdatatype.NSEC,
        dns.rdatatype.NSEC3,
    }
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `recurse`: of a resolver; `signed`: with signatures, and unchecked, so that bad ones can be seen."""

    name: dns.name.Name
    type: dns.rdatatype.RdataType
    recurse: bool = True
    signed: bool = False

    def __str__(self) -> str:
        return f"{self.name.to_text(omit_final_dot=True)} {dns.rdatatype.to_text(self.type)}"

    def message(self, *, edns: bool = True) -> dns.message.Message:
        """The message with a new id; no client subnet is sent (RFC 7871)."""
        made = dns.message.make_query(self.name, self.type, use_edns=0 if edns else -1, want_dnssec=self.signed, payload=PAYLOAD)
        made.flags = (dns.flags.RD if self.recurse else 0) | (dns.flags.CD if self.signed else 0)
        return made


@dataclass(frozen=True, slots=True)
class Record:
    """One record of an answer."""

    owner: dns.name.Name
    type: dns.rdatatype.RdataType
    ttl: int
    data: dns.rdata.Rdata


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said: the records that can matter."""

    rcode: dns.rcode.Rcode
    flags: int
    answers: tuple[Record, ...]
    authority: tuple[Record, ...]
    ms: float = 0.0
    tcp: bool = False
    cut: bool = False

    @property
    def authoritative(self) -> bool:
        """Whether the server speaks for the zone itself."""
        return bool(self.flags & dns.flags.AA)


@dataclass(frozen=True, slots=True)
class Server:
    """Whom to ask. `own`: this machine's resolver, whose absence is our own fault."""

    address: str
    port: int = 53
    own: bool = False

    def __str__(self) -> str:
        return self.address if self.port == 53 else f"{self.address}:{self.port}"


def read(wire: bytes, question: Question) -> Reply:
    """A message as a Reply to a question; ValueError says what is wrong with it."""
    try:
        _, flags, questions, answers, authority, _ = _HEAD.unpack_from(wire)
        if not flags & dns.flags.QR or answers + authority > _MAX_RECORDS:
            raise ValueError(f"an answer with {answers + authority} records" if flags & dns.flags.QR else "no answer")
        at = _HEAD.size
        if questions or answers or authority or not flags & 0xF:  # a refusal may repeat nothing
            asked, used = dns.name.from_wire(wire, at)
            kind = int.from_bytes(wire[at + used : at + used + 2])
            at += used + 4
            if questions != 1 or asked != question.name or kind != question.type:
                raise ValueError("an answer to another question")
        wanted = _ALWAYS | {question.type}
        both = list(_records(wire, at, answers + authority, wanted, answers))
    except (struct.error, dns.exception.DNSException, IndexError) as error:
        raise ValueError(f"not a valid DNS message ({type(error).__name__})") from None
    return Reply(
        rcode=dns.rcode.Rcode(flags & 0xF),
        flags=flags,
        answers=tuple(record for mine, record in both if mine),
        authority=tuple(record for mine, record in both if not mine),
        cut=bool(flags & dns.flags.TC),
    )


def _records(wire: bytes, at: int, count: int, wanted: frozenset[int], answers: int) -> Iterator[tuple[bool, Record]]:
    """(whether it is in the answer section, the record) of the wanted ones; a truncated message may end early."""
    for number in range(count):
        if at >= len(wire) and int.from_bytes(wire[2:4]) & dns.flags.TC:
            return
        owner, used = dns.name.from_wire(wire, at)
        kind, family, ttl, size = _RECORD.unpack_from(wire, at + used)
        at += used + _RECORD.size
        if kind in wanted and family == dns.rdataclass.IN:
            data = dns.rdata.from_wire(family, kind, wire, at, size)
            if any(len(name) > _MAX_LABELS for name in (owner, *_names(data))):
                raise ValueError(f"a name of more than {_MAX_LABELS} labels")
            yield number < answers, Record(owner, dns.rdatatype.RdataType.make(kind), min(ttl, 2**31 - 1), data)
        at += size


def _names(data: dns.rdata.Rdata) -> Iterator[dns.name.Name]:
    """The names that a record holds."""
    for slot in (slot for kind in type(data).__mro__ for slot in getattr(kind, "__slots__", ())):
        value = getattr(data, slot, None)
        if isinstance(value, dns.name.Name):
            yield value


async def ask(server: Server, question: Question, seconds: float) -> Reply:
    """The server's answer within `seconds`; raises CheckFailed with the cause of its silence or nonsense."""
    loop, nonsense = asyncio.get_running_loop(), list[str]()
    started = loop.time()
    try:
        async with asyncio.timeout(seconds):
            found = await _by_udp(server, question, nonsense, edns=True)
            if found.rcode is dns.rcode.FORMERR:  # a server from before EDNS (RFC 6891 §7)
                found = await _by_udp(server, question, nonsense, edns=False)
            if found.cut:
                found = await _by_tcp(server, question)
    except TimeoutError:
        if nonsense:
            raise _unusable(server, question, nonsense[0]) from None
        words = f"no answer for {question} from {server} within {seconds:.1f} s"
        raise CheckFailed(Cause.DNS_TIMEOUT, words, {"server": str(server), "limit_ms": round(seconds * 1000)}) from None
    except OSError as error:
        raise _unreachable(server, error) from None
    except ValueError as error:
        raise _unusable(server, question, str(error)) from None
    return replace(found, ms=(loop.time() - started) * 1000)


def _unusable(server: Server, question: Question, why: str) -> CheckFailed:
    return CheckFailed(Cause.DNS_SERVFAIL, f"{server} answers for {question} with {why}", {"server": str(server), "nonsense": why[:120]})


def _unreachable(server: Server, error: OSError) -> CheckFailed:
    figures = {"server": str(server)}
    if isinstance(error, ConnectionRefusedError):
        words = f"no DNS server listens at {server} (connection refused)"
        if server.own:
            return CheckFailed(Cause.PROBE_RESOLVER, words, dict(figures), Status.UNKNOWN)
        return CheckFailed(Cause.DNS_REFUSED, words, dict(figures))
    if isinstance(error, ConnectionError):
        return CheckFailed(Cause.DNS_SERVFAIL, f"{server} reset the connection", dict(figures))
    return CheckFailed(Cause.TCP_UNREACHABLE, f"{server} cannot be reached ({error.strerror})", dict(figures))


async def _by_udp(server: Server, question: Question, nonsense: list[str], *, edns: bool) -> Reply:
    """Ask until a valid answer comes. Anything else is noted and ignored, because anybody could have sent it."""
    message, heard = question.message(edns=edns), _Heard()
    wire = message.to_wire()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: heard, remote_addr=(server.address, server.port))
    try:
        wait = _FIRST_SECONDS
        while True:
            transport.sendto(wire)
            try:
                async with asyncio.timeout(wait):
                    return await _answer(heard, wire[:2], question, nonsense)
            except TimeoutError:
                wait = min(wait * 2, _LONGEST_SECONDS)
    finally:
        transport.abort()


async def _answer(heard: "_Heard", number: bytes, question: Question, nonsense: list[str]) -> Reply:
    while True:
        found = await heard.next()
        try:
            if found[:2] == number:
                return read(found, question)
            nonsense.append("an answer to another question")
        except ValueError as error:
            nonsense.append(str(error))
        del nonsense[_MAX_WAITING:]


async def _by_tcp(server: Server, question: Question) -> Reply:
    reader, writer = await asyncio.open_connection(server.address, server.port)
    try:
        wire = question.message().to_wire()
        writer.write(len(wire).to_bytes(2) + wire)
        size = int.from_bytes(await reader.readexactly(2))
        found = await reader.readexactly(size)
        if found[:2] != wire[:2]:
            raise ValueError("an answer to another question")
        return replace(read(found, question), tcp=True)
    except asyncio.IncompleteReadError:
        raise ValueError("the connection was closed in the middle of the answer") from None
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)  # lets the socket go


class _Heard(asyncio.DatagramProtocol):
    """What came; more than is waited for is dropped."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | Exception] = asyncio.Queue(_MAX_WAITING)

    def datagram_received(self, data: bytes, _: object) -> None:
        """One datagram; of one that is larger than was asked for so much that it cannot be read."""
        if not self._queue.full():
            self._queue.put_nowait(data[:_MAX_DATAGRAM])

    def error_received(self, exc: Exception) -> None:
        """The network says something, such as that nobody listens."""
        if not self._queue.full():
            self._queue.put_nowait(exc)

    async def next(self) -> bytes:
        """The next datagram, or what the network said."""
        found = await self._queue.get()
        if isinstance(found, Exception):
            raise found
        return found


def system_servers() -> list[Server]:
    """The resolvers of this machine, as they are configured now; none where none is named."""
    import dns.resolver

    try:
        found = dns.resolver.Resolver()
    except dns.exception.DNSException:
        return []
    return [Server(str(address), found.port, own=True) for address in found.nameservers[:3]]
