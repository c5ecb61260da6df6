"""What a DNS answer must be: records compared as records, never as text; each failure with its cause."""

import ipaddress
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.reversename

from vigie.core.model import Cause, Scalar
from vigie.net import ascii_name
from vigie.probes.dns.query import Question, Reply
from vigie.probes.kit.pattern import Pattern, Searches
from vigie.probes.kit.verdict import Verdict

_META = ("ANY", "AXFR", "IXFR", "OPT", "TSIG", "TKEY", "MAILA", "MAILB", "TYPE0")
_NAMED = ("target", "exchange", "mname", "rname")  # fields that hold names, which compare without case
_MAX_ALIASES, _MAX_SHOWN, _SHOWN = 16, 3, 160
_CAUSES = {
    dns.rcode.NXDOMAIN: Cause.DNS_NXDOMAIN,
    dns.rcode.REFUSED: Cause.DNS_REFUSED,
    dns.rcode.NOTIMP: Cause.DNS_REFUSED,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """An expectation made ready for use."""

    question: Question
    rcode: dns.rcode.Rcode
    answers: frozenset[str]
    contains: frozenset[str]
    pattern: Pattern | None
    regex: str
    min_count: int

    @property
    def says_which(self) -> bool:
        """Whether it tells good records from others."""
        return bool(self.answers or self.contains or self.pattern)


class _AsBrowsers(dns.name.IDNACodec):
    """Foreign letters as every other kind spells them (the library's own choice is IDNA 2003, where `straße` is `strasse`)."""

    def encode(self, label: str) -> bytes:
        """One label; UnicodeError, which the library expects, for one that cannot be spelt."""
        try:
            return ascii_name(label).encode()
        except ValueError as error:
            raise UnicodeError(str(error)) from None


_AS_BROWSERS = _AsBrowsers()  # type: ignore[no-untyped-call]  # as the library has it


def question_of(name: str, record: str, *, signed: bool) -> Question:
    """The question for a name and a record type; ValueError if either is invalid."""
    try:
        kind = dns.rdatatype.from_text(record.upper())
    except (dns.exception.DNSException, ValueError):
        raise ValueError(f"{record[:20]!r} is not a record type; write A, AAAA, MX, TXT, …") from None
    if dns.rdatatype.to_text(kind) in _META:
        raise ValueError(f"{record[:20]!r} cannot be watched; name one record type")
    try:
        if kind == dns.rdatatype.PTR and _is_address(name):
            return Question(dns.reversename.from_address(name), kind, signed=signed)
        return Question(dns.name.from_text(name, idna_codec=_AS_BROWSERS), kind, signed=signed)
    except (dns.exception.DNSException, ValueError, UnicodeError) as error:
        raise ValueError(f"{name[:80]!r} is not a name: {error}") from None


def rcode_of(text: str) -> dns.rcode.Rcode:
    """An answer code by its name; ValueError for others."""
    try:
        return dns.rcode.from_text(text.upper())
    except (dns.exception.DNSException, ValueError):
        raise ValueError(f"{text[:20]!r} is not a DNS response code; write NOERROR, NXDOMAIN, …") from None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def canonical(kind: dns.rdatatype.RdataType, text: str) -> str:
    """A record of the configuration as it is compared; texts need no quotes. Raises ValueError for an invalid record."""
    if kind in (dns.rdatatype.TXT, dns.rdatatype.SPF) and not text.startswith('"'):
        return text
    try:
        return record_text(dns.rdata.from_text("IN", kind, text, origin=dns.name.root, relativize=False, idna_codec=_AS_BROWSERS))
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(f"{text[:80]!r} is not a valid {dns.rdatatype.to_text(kind)} record: {error}") from None


def record_text(data: Any) -> str:
    """A record's data as it is compared and shown: names in lower case, texts joined."""
    if hasattr(data, "strings"):
        return b"".join(data.strings).decode("utf-8", "replace")
    lower = {slot: getattr(data, slot).canonicalize() for slot in _NAMED if isinstance(getattr(data, slot, None), dns.name.Name)}
    return str(data.replace(**lower) if lower else data)


def records(question: Question, reply: Reply) -> tuple[list[str], int | None, dns.name.Name | None]:
    """The answer's records as texts, their shortest TTL, and the last alias on the way; None for that where they form a loop."""
    at, seen = question.name, {question.name}
    aliases: dict[dns.name.Name, Any] = {one.owner: one.data for one in reply.answers if one.type == dns.rdatatype.CNAME}
    while question.type != dns.rdatatype.CNAME and at in aliases and len(seen) <= _MAX_ALIASES:
        at = aliases[at].target
        if at in seen:
            return [], None, None
        seen.add(at)
    found = [one for one in reply.answers if one.type == question.type and one.owner in seen]
    return list(dict.fromkeys(record_text(one.data) for one in found)), min((one.ttl for one in found), default=None), at


def judge(wanted: Wanted, reply: Reply) -> Verdict | None:
    """What is wrong with an answer; None when it is as expected, but for a pattern (`matched`)."""
    name = wanted.question.name.to_text(omit_final_dot=True)
    if reply.rcode != wanted.rcode:
        return _other_code(wanted, reply.rcode, name)
    found, _, at = records(wanted.question, reply)
    if len(found) < wanted.min_count and wanted.rcode is dns.rcode.NOERROR and not (found and wanted.says_which):
        return _too_few(wanted, found, name, at)
    missing = [one for one in sorted(wanted.answers | wanted.contains) if one not in found]
    extra = [one for one in found if one not in wanted.answers] if wanted.answers else []
    if missing or extra:
        return _mismatch(f"{wanted.question}: {listed(missing or extra)} {'is missing' if missing else 'is not expected'}", found, wanted)
    return None


async def matched(wanted: Wanted, reply: Reply, searches: Searches) -> Verdict | None:
    """What is wrong with an answer that is otherwise as expected, when no record matches. Raises CheckFailed where that takes too long."""
    if wanted.pattern is None:
        return None
    found, _, _ = records(wanted.question, reply)
    for one in found:
        if await wanted.pattern.search(one, searches) is not None:
            return None
    return _mismatch(f"{wanted.question}: no record matches {wanted.regex[:60]!r}", found, wanted)


def _other_code(wanted: Wanted, got: dns.rcode.Rcode, name: str) -> Verdict:
    code = dns.rcode.to_text(got)
    figures: dict[str, Scalar] = {"rcode": code}
    if wanted.rcode is not dns.rcode.NOERROR:
        expected = dns.rcode.to_text(wanted.rcode)
        return Verdict(Cause.DNS_MISMATCH, f"{wanted.question}: the answer is {code}, expected {expected}", {**figures, "wanted": expected})
    if got is dns.rcode.NXDOMAIN:
        return Verdict(Cause.DNS_NXDOMAIN, f"the name {name} does not exist (NXDOMAIN)", figures)
    return Verdict(_CAUSES.get(got, Cause.DNS_SERVFAIL), f"the server answers {code} for {wanted.question}", figures)


def _too_few(wanted: Wanted, found: list[str], name: str, at: dns.name.Name | None) -> Verdict:
    record = dns.rdatatype.to_text(wanted.question.type)
    if at is None:
        return Verdict(Cause.DNS_NO_ANSWER, f"the aliases of {name} form a loop", {"answers": 0})
    if not found:
        alias = "" if at == wanted.question.name else f" is an alias of {at.to_text(omit_final_dot=True)[:80]}, which"
        return Verdict(Cause.DNS_NO_ANSWER, f"{name}{alias} has no {record} record", {"answers": 0})
    return _mismatch(
        f"{wanted.question}: {len(found)} record{'s' if len(found) != 1 else ''}, expected at least {wanted.min_count}", found, wanted
    )


def _mismatch(words: str, found: list[str], wanted: Wanted) -> Verdict:
    figures: dict[str, Scalar] = {"answers": len(found), "got": listed(sorted(found))}
    if wanted.answers or wanted.contains:
        figures["wanted"] = listed(sorted(wanted.answers | wanted.contains))
    return Verdict(Cause.DNS_MISMATCH, f"{words} (got {figures['got']})", figures)


def listed(texts: list[str]) -> str:
    """The first of several records, fit for people."""
    shown = ", ".join(texts[:_MAX_SHOWN])[:_SHOWN] if texts else "nothing"
    shown = "".join(character if character.isprintable() else "·" for character in shown)
    return shown + (f" and {len(texts) - _MAX_SHOWN} more" if len(texts) > _MAX_SHOWN else "")
