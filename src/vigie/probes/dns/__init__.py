"""The DNS probe: what a resolver, or each of a zone's own servers, answers for a name; whether it is as expected, and signed as it must be.

`figures` of a result, by name: `answers` (how many records), `ttl` (seconds, the shortest), `server`; `wanted` and `got` (dns.mismatch);
`rcode`; `servers`, `differing`, `serial` (a zone's own servers); `dnssec` (`secure`) and `signed_hours` (how long the signatures
still hold), or `dnssec_fault` (`unsigned`, `expired`, `not_yet_valid`, `bogus`); `nonsense` (what a server says instead of an answer).
"""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from vigie.core.model import Cause, CheckResult, Scalar, Status, Timings
from vigie.net import SHOWN, split_server
from vigie.ports import Traits
from vigie.probes.kit import keys
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.keys import Latency, Meta
from vigie.probes.kit.pattern import Pattern, Searches
from vigie.probes.kit.verdict import CheckFailed, Verdict, advice, slow
from vigie.probes.kit.workers import shared_workers

if TYPE_CHECKING:
    from vigie.probes.dns.expect import Wanted
    from vigie.probes.dns.query import Question, Reply, Server

TRAITS = Traits(tcp=False, requires=("dns",))

_EXAMPLE = "dns://9.9.9.9/example.com?type=MX"
_SPARE_SECONDS, _SERVER_SECONDS = 0.02, 4.0


class Expect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a good response looks like. Without any of these: one record or more."""

    answers: Annotated[
        list[str], Meta(description="Exactly these records, in any order.", examples=[["10 mx1.example.com", "20 mx2.example.com"]])
    ] = []
    contains: Annotated[list[str], Meta(description="At least these records; others are allowed.", examples=[["v=spf1 -all"]])] = []
    regex: Annotated[str | None, Meta(description="At least one record matches.", examples=["^v=DMARC1"])] = None
    min_count: Annotated[int, Meta(description="At least this many records.", ge=0, le=1_000)] = 1
    rcode: Annotated[str, Meta(description="The expected response code.", examples=["NXDOMAIN"])] = "NOERROR"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name in the DNS, at a resolver or at each of the zone's own servers. Also written `dns://[server/]name?type=MX`.

    With `authoritative`, a server that does not serve the zone, has an older serial or answers otherwise is named, and degraded. Where
    answers differ on purpose (by place, in turn), write `expect`: then each server must meet it, and they need not agree.
    """

    lookup: Annotated[
        str | None, Meta(description="Name to look up; an address for PTR. `name` if not set.", examples=["example.com"], extra=SHOWN)
    ] = None
    name: Annotated[
        str | None,
        Meta(description="Display name, by default the name and the record type; without `lookup` the name to look up.", extra=SHOWN),
    ] = None
    record: Annotated[str, Meta(description="Record type.", examples=["AAAA", "MX", "TXT", "HTTPS"], extra=SHOWN)] = "A"
    expect: Annotated[Expect, Meta(description="What a good response looks like.")] = Expect()
    resolver: Annotated[
        str | None, Meta(description="DNS server to ask; this machine's if not set.", examples=["9.9.9.9:53"], extra=SHOWN)
    ] = None
    authoritative: Annotated[bool, Meta(description="Ask each of the zone's own servers too, and compare.")] = False
    serials: Annotated[bool, Meta(description="The zone's servers must have the same serial.")] = True
    dnssec: Annotated[
        bool,
        Meta(description="The answer must be validly signed, from a trust anchor down; bogus, expired or unsigned is `dns.mismatch`."),
    ] = False
    trust_anchors: Annotated[
        list[str], Meta(description="DS records to start from instead of the root's.", examples=[["example.com. DS 12345 13 2 0A1B…"]])
    ] = []
    latency: Latency = None

    def __post_init__(self) -> None:
        """Raise ValueError for an invalid resolver, name, type, response code, record, pattern or anchor."""
        if self.question is None:
            raise ValueError("`lookup` is missing; write the name to look up, such as example.com")
        keys.check_resolver(self.resolver)
        wanted_of(self)
        anchors(self)

    @property
    def question(self) -> str | None:
        """The name that is asked for, as it is written."""
        return self.lookup if self.lookup is not None else self.name

    @property
    def host(self) -> str:
        """The name that is asked for."""
        return (self.question or "").rstrip(".").lower() or "."

    @property
    def title(self) -> str:
        """What people call the check when it has no name of its own: one host may have checks of several types."""
        return f"{self.host} ({self.record.upper()})"

    @property
    def target(self) -> str:
        """What is watched, as a URL."""
        server = ""
        if self.resolver:
            address, port = split_server(self.resolver)
            server = keys.host_port(address, None if port == 53 else port) + "/"
        return f"dns://{server}{keys.host_port(self.host)}?type={self.record.upper()}"

    @classmethod
    def from_url(cls, url: str) -> dict[str, Any]:
        """The keys that `dns://[server/]name?type=MX` stands for; ValueError says what is wrong with it."""
        found = keys.Url.of(url, _EXAMPLE)
        given = {"record" if key == "type" else key: value for key, value in found.keys.items()}
        if not found.path:
            if found.port is not None:
                raise ValueError(f"{url!r} names a server but no name to look up; write {_EXAMPLE}")
            return {"lookup": found.host, **given}
        server = keys.host_port(found.host, found.port or 53)
        split_server(server)
        return {"lookup": found.path.strip("[]"), "resolver": server, **given}


def wanted_of(config: Config) -> "Wanted":
    """The expectation made ready for use; ValueError says what cannot be read."""
    from vigie.probes.dns.expect import Wanted, canonical, question_of, rcode_of

    question, expect = question_of(config.question or "", config.record, signed=config.dnssec), config.expect
    return Wanted(
        question=question,
        rcode=rcode_of(expect.rcode),
        answers=frozenset(canonical(question.type, text) for text in expect.answers),
        contains=frozenset(canonical(question.type, text) for text in expect.contains),
        pattern=None if expect.regex is None else Pattern(expect.regex),
        regex=expect.regex or "",
        min_count=expect.min_count,
    )


def anchors(config: Config) -> Any:
    """Where trust begins; ValueError for an invalid anchor."""
    from vigie.probes.dns.dnssec import ROOT_ANCHORS, anchors_of

    return anchors_of(config.trust_anchors or ROOT_ANCHORS) if config.dnssec or config.trust_anchors else {}


def build(config: Config, deps: ProbeDeps) -> "DnsProbe":
    """The probe of one monitor."""
    return DnsProbe(config, deps)


class DnsProbe:
    """Asks once a check. `port` is where a zone's own servers listen."""

    def __init__(self, config: Config, deps: ProbeDeps, port: int = 53) -> None:
        self._config, self._deps, self._port = config, deps, port
        self._wanted, self._anchors = wanted_of(config), anchors(config)

    async def check(self, timeout_ms: int) -> CheckResult:
        """One check within `timeout_ms`; never raises."""
        look = _Look(self._config, self._wanted, self._deps, timeout_ms, self)
        try:
            verdict = await look.go(self._anchors, self._port)
        except CheckFailed as failed:
            verdict = failed.verdict
        return look.result(verdict)


class _Look:
    """One check in progress."""

    def __init__(self, config: Config, wanted: "Wanted", deps: ProbeDeps, timeout_ms: int, owner: object) -> None:
        self._config, self._wanted, self._deps = config, wanted, deps
        self._at, self._started = deps.clock.now(), deps.clock.monotonic()
        self._ends = self._started + timeout_ms / 1000 - _SPARE_SECONDS
        self._searches = Searches(shared_workers(deps), owner, self._left)
        self._ms: float | None = None
        self._message = ""
        self._figures: dict[str, Scalar] = {}

    async def go(self, anchors: Any, port: int) -> Verdict | None:
        """Ask, judge, then what else was asked for; raises CheckFailed or returns what wants a look."""
        from vigie.probes.dns.expect import records

        server, reply = await self._resolved(self._wanted.question)
        self._ms = reply.ms
        found, ttl, _ = records(self._wanted.question, reply)
        self._figures |= {"server": str(server), "answers": len(found)}
        if ttl is not None:
            self._figures["ttl"] = ttl
        what = (
            f"{len(found)} {self._config.record.upper()} record{'s' if len(found) > 1 else ''}"
            if found
            else self._config.expect.rcode.upper()
        )
        self._message = f"{what} from {server} in {reply.ms:.0f} ms"
        verdict = await self._judge(reply)
        if verdict is None and self._config.dnssec:
            await self._validate(reply, anchors)
        if verdict is None and self._config.authoritative:
            verdict = await self._compare(port)
        if verdict is None and self._config.latency is not None:
            verdict = slow(reply.ms, int(self._config.latency))
        return verdict

    async def _judge(self, reply: "Reply") -> Verdict | None:
        from vigie.probes.dns.expect import judge, matched

        return judge(self._wanted, reply) or await matched(self._wanted, reply, self._searches)

    def _left(self) -> float:
        return max(self._ends - self._deps.clock.monotonic(), 0.001)

    async def _ask(self, question: "Question") -> "Reply":
        return (await self._resolved(question))[1]

    async def _resolved(self, question: "Question") -> tuple["Server", "Reply"]:
        """The answer of the chosen server, or of the first of this machine's that has one; raises CheckFailed."""
        import dns.rcode

        from vigie.probes.dns.query import Server, ask, system_servers

        if self._config.resolver is not None:
            server = Server(*split_server(self._config.resolver))
            return server, await ask(server, question, self._left())
        servers = await asyncio.to_thread(system_servers)
        for number, server in enumerate(servers, 1):
            last = number == len(servers)
            try:
                reply = await ask(server, question, self._left() / (len(servers) - number + 1))
            except CheckFailed:
                if last:
                    raise
                continue
            if last or reply.rcode not in (dns.rcode.SERVFAIL, dns.rcode.REFUSED):
                return server, reply
        raise CheckFailed(Cause.PROBE_RESOLVER, "no resolver is configured on this machine", {}, Status.UNKNOWN)

    async def _validate(self, reply: "Reply", anchors: Any) -> None:
        from vigie.probes.dns.dnssec import Validator

        validator = Validator(self._ask, anchors, self._at / 1000)
        await validator.judge(self._wanted.question, reply)
        self._figures |= {"dnssec": "secure", "signed_hours": round((validator.ends - self._at / 1000) / 3600)}
        self._message += ", validly signed"

    async def _compare(self, port: int) -> Verdict | None:
        from dataclasses import replace

        from vigie.probes.dns.query import Server
        from vigie.probes.dns.servers import addresses_of, compare, query_server, zone_of

        zone = await zone_of(self._wanted.question.name, self._ask)
        pairs, replies = await addresses_of(zone, self._deps, self._config.resolver, min(self._left(), _SERVER_SECONDS))
        question, seconds = replace(self._wanted.question, recurse=False), min(self._left(), _SERVER_SECONDS)
        replies += await asyncio.gather(*(query_server(name, Server(address, port), zone, question, seconds) for name, address in pairs))
        judged = {id(one.reply): await self._judge(one.reply) for one in replies if one.reply is not None and not one.alias}
        known = (lambda reply: judged[id(reply)]) if self._wanted.says_which else None
        verdict = compare(replies, serials=self._config.serials, judge=known)
        self._figures |= {"servers": len(replies)}
        self._message += f", as from the zone's {len(replies)} servers"
        return verdict

    def result(self, verdict: Verdict | None) -> CheckResult:
        """The check, concluded. No address is given: it is the resolver's, and says nothing about where the target is."""
        return CheckResult(
            monitor="",
            at=self._at,
            status=verdict.status if verdict else Status.UP,
            cause=verdict.cause if verdict else None,
            message=verdict.message if verdict else self._message,
            timings=Timings(dns=self._ms, total=(self._deps.clock.monotonic() - self._started) * 1000),
            figures={**self._figures, **(verdict.figures if verdict else {})},
            advice=advice(verdict) if verdict else (),
        )
