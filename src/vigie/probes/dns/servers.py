"""The zone's own servers: who they are, and whether each of them says the same."""

import asyncio
import contextlib
import ipaddress
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import dns.name
import dns.rcode
import dns.rdatatype

from vigie.core.model import Cause, Scalar, Status
from vigie.probes.dns.expect import listed, record_text
from vigie.probes.dns.query import Question, Reply, Server, ask
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.verdict import CheckFailed, Verdict

_MAX_LABELS, _MAX_SERVERS, _MAX_NAMED = 10, 16, 3
_HALF = 2**31

Asking = Callable[[Question], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone and the names of its servers."""

    apex: dns.name.Name
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerReply:
    """What one server says: `fault` and its cause if it is not authoritative, else its serial and its answer (texts, no TTL)."""

    name: str
    address: str
    cause: Cause | None = None
    fault: str = ""
    serial: int = 0
    rcode: str = ""
    answers: tuple[str, ...] = ()
    reply: Reply | None = None
    alias: bool = False  # the answer leads out of the zone, where the server cannot follow

    @property
    def who(self) -> str:
        """The server as people know it."""
        return f"{self.name} ({self.address})"


async def zone_of(name: dns.name.Name, asking: Asking) -> Zone:
    """The zone of a name, found from below: the first name that has servers of its own. Raises CheckFailed."""
    at = name
    for _ in range(_MAX_LABELS):
        reply = await asking(Question(at, dns.rdatatype.NS))
        found = [str(one.data.target) for one in reply.answers if one.type == dns.rdatatype.NS and one.owner == at]  # type: ignore[attr-defined]
        if found:
            return Zone(at, tuple(sorted(host.rstrip(".").lower() for host in found))[:_MAX_SERVERS])
        if at == dns.name.root:
            break
        at = at.parent()
    raise CheckFailed(Cause.DNS_NO_ANSWER, f"no zone was found for {name.to_text(omit_final_dot=True)}")


async def addresses_of(
    zone: Zone, deps: ProbeDeps, resolver: str | None, seconds: float
) -> tuple[list[tuple[str, str]], list[ServerReply]]:
    """(name, address) of every server that this machine has a way to, and those whose name gives no address."""
    found = await asyncio.gather(
        *(deps.resolver.resolve(host, timeout_ms=max(round(seconds * 1000), 1), server=resolver) for host in zone.servers)
    )
    pairs, nameless = [], []
    for host, answer in zip(zone.servers, found, strict=True):
        if answer.cause is not None:
            nameless.append(ServerReply(host, "no address", answer.cause, f"its name does not resolve ({answer.cause})"))
        pairs += [(host, address) for address in answer.addresses if _is_routable(address)]
    return pairs[:_MAX_SERVERS], nameless


def _is_routable(address: str) -> bool:
    """Whether this machine has a route to an address: a family that this machine lacks is not the server's fault. Sends nothing."""
    version = ipaddress.ip_address(address).version
    with socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect((address, 53))
        return True
    return False


async def query_server(name: str, server: Server, zone: Zone, question: Question, seconds: float) -> ServerReply:
    """What one server says of the zone and of the question."""
    try:
        start, reply = await asyncio.gather(
            ask(server, Question(zone.apex, dns.rdatatype.SOA, recurse=False), seconds), ask(server, question, seconds)
        )
    except CheckFailed as failed:
        return ServerReply(name, str(server), failed.verdict.cause, failed.verdict.message)
    serials: list[Any] = [one.data for one in start.answers if one.type == dns.rdatatype.SOA and one.owner == zone.apex]
    for one in (start, reply):
        if one.rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            cause = Cause.DNS_REFUSED if one.rcode is dns.rcode.REFUSED else Cause.DNS_SERVFAIL
            return ServerReply(name, str(server), cause, f"it answers {dns.rcode.to_text(one.rcode)}")
    if not start.authoritative or not serials:
        return ServerReply(name, str(server), Cause.DNS_SERVFAIL, "it is not authoritative for the zone")
    texts = sorted(f"{dns.rdatatype.to_text(one.type)} {record_text(one.data)}" for one in reply.answers if one.type != dns.rdatatype.RRSIG)
    rcode = dns.rcode.to_text(reply.rcode)
    kinds = {one.type for one in reply.answers}
    alias = dns.rdatatype.CNAME in kinds and question.type not in kinds
    return ServerReply(name, str(server), serial=serials[0].serial, rcode=rcode, answers=tuple(texts), reply=reply, alias=alias)


def compare(replies: list[ServerReply], *, serials: bool, judge: Callable[[Reply], Verdict | None] | None) -> Verdict | None:
    """What is wrong between the servers: down where none serves the zone, degraded where some do.

    `judge` holds the expectation that every server must meet; without one they must agree with most of them.
    """
    good = [one for one in replies if one.cause is None]
    if not good:
        return _none_serves(replies)
    newest = good[0].serial
    for one in good:
        newest = one.serial if _is_newer(one.serial, newest) else newest
    usual = Counter((one.rcode, one.answers) for one in good).most_common(1)[0][0]
    faults = [(one, one.fault) for one in replies if one.cause is not None]
    faults += [(one, words) for one in good if (words := _differs(one, newest if serials else one.serial, usual, judge))]
    if not faults:
        return None
    words = "; ".join(f"{one.who}: {fault}" for one, fault in faults[:_MAX_NAMED])
    more = f"; and {len(faults) - _MAX_NAMED} more" if len(faults) > _MAX_NAMED else ""
    figures: dict[str, Scalar] = {"servers": len(replies), "differing": len(faults), "server": faults[0][0].name, "serial": newest}
    return Verdict(Cause.DNS_MISMATCH, f"{len(faults)} of the zone's {len(replies)} servers: {words}{more}"[:500], figures, Status.DEGRADED)


def _none_serves(replies: list[ServerReply]) -> Verdict:
    first = Counter(one.cause for one in replies).most_common(1)[0][0] or Cause.DNS_SERVFAIL
    words = "; ".join(f"{one.who}: {one.fault}" for one in replies[:_MAX_NAMED])
    return Verdict(
        first,
        f"none of the zone's {len(replies)} servers is authoritative for it: {words}"[:500],
        {"servers": len(replies), "differing": len(replies)},
    )


def _differs(one: ServerReply, newest: int, usual: tuple[str, tuple[str, ...]], judge: Callable[[Reply], Verdict | None] | None) -> str:
    """How a server that serves the zone differs from what is right; empty when it does not."""
    if judge is not None and one.reply is not None and not one.alias:
        verdict = judge(one.reply)
        if verdict is not None:
            return verdict.message
    elif (one.rcode, one.answers) != usual:
        words = ", ".join(one.answers[:3]) if one.answers else one.rcode if one.rcode != "NOERROR" else "nothing"
        return f"it answers {listed([words])[:80]}, unlike the others"
    return f"its serial is {one.serial}, not {newest}" if one.serial != newest else ""


def _is_newer(serial: int, than: int) -> bool:
    """Serials go round (RFC 1982)."""
    return serial != than and (serial - than) % (2 * _HALF) < _HALF
