"""Whether an answer is signed as it must be, from a trust anchor down to the records (RFC 4035 §5).

The resolver is asked with checking disabled, so that bad signatures can be seen and named. A name without a secure delegation is
`unsigned`; everything else that does not hold is `bogus`, `expired` or `not_yet_valid`. That a name does *not* exist, or is made from a
wildcard, is believed when the records that say so are validly signed; whether they prove enough is left to the resolver.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import dns.dnssec
import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset

from vigie.core.model import Cause, Scalar
from vigie.probes.dns.query import Question, Record, Reply
from vigie.probes.kit.verdict import CheckFailed

# The root's key signing keys of 2017 and 2024 (https://data.iana.org/root-anchors/root-anchors.xml).
ROOT_ANCHORS = (
    ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    ". DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
)
# What a hostile zone may make us do (CVE-2023-50387): each vain look at a signature may take some milliseconds.
_MAX_ZONES, _MAX_RECORDS, _MAX_ALIKE, _MAX_IN_VAIN = 12, 32, 4, 16
_DENIALS = (dns.rdatatype.SOA, dns.rdatatype.NSEC, dns.rdatatype.NSEC3)

Asking = Callable[[Question], Awaitable[Reply]]
Keys = dns.rdataset.Rdataset


def anchors_of(texts: Iterable[str]) -> dict[dns.name.Name, list[Any]]:
    """DS records by the zone they vouch for, from lines such as `. DS 20326 8 2 E06D…`; ValueError for others."""
    found: dict[dns.name.Name, list[Any]] = {}
    for text in texts:
        words = [word for word in text.split() if word.upper() != "IN"]
        try:
            data = dns.rdata.from_text("IN", "DS" if words[1].upper() == "DS" else "", " ".join(words[2:]))
            found.setdefault(dns.name.from_text(words[0]), []).append(data)
        except (dns.exception.DNSException, ValueError, IndexError):
            raise ValueError(f"{text[:80]!r} is not a trust anchor; write `example.com. DS 12345 13 2 0A1B…`") from None
    return found


@dataclass(slots=True)
class Validator:
    """One check's way from its anchors. `now` in epoch seconds; `ends` is when the first signature that was needed ends."""

    ask: Asking
    anchors: dict[dns.name.Name, list[Any]]
    now: float
    ends: float = float("inf")
    _keys: dict[dns.name.Name, Keys] = field(default_factory=dict)
    _in_vain: int = 0
    _depth: int = 0

    async def judge(self, question: Question, reply: Reply) -> None:
        """Raise CheckFailed with dns.mismatch unless every record that answers (or denies) is validly signed."""
        sets = list(_sets(record for record in reply.answers if record.type != dns.rdatatype.RRSIG))
        signatures = reply.answers
        if not sets:
            sets = list(_sets(record for record in reply.authority if record.type in _DENIALS))
            signatures = reply.authority
        if not sets:
            raise _failed("unsigned", f"no signed record denies {question}")
        for one in sets:
            if not _follows(one, sets):
                await self._judge_set(one, signatures)

    async def _judge_set(self, one: dns.rrset.RRset, among: Iterable[Record]) -> None:
        signatures = _signatures(among, one)
        if not signatures:
            words = f"{_shown(one)} carries no signature: its zone is not signed, or a resolver strips signatures"
            raise _failed("unsigned", words)
        zone = signatures[0].signer
        if not one.name.is_subdomain(zone):
            raise _failed("bogus", f"{_shown(one)} is signed by {zone}, which is not its zone")
        self._check(one, [sign for sign in signatures if sign.signer == zone], await self.keys(zone))

    async def keys(self, zone: dns.name.Name) -> Keys:
        """The keys of a zone, believed because of its parent or an anchor; raises CheckFailed otherwise."""
        if zone in self._keys:
            return self._keys[zone]
        self._depth += 1
        if self._depth > _MAX_ZONES:
            raise _failed("bogus", f"more than {_MAX_ZONES} zones between {zone} and a trust anchor")
        vouched = self.anchors.get(zone) or await self._delegation(zone)
        reply = await self.ask(Question(zone, dns.rdatatype.DNSKEY, signed=True))
        found = _set_of(reply.answers, zone, dns.rdatatype.DNSKEY)
        if found is None:
            raise _failed("bogus", f"{zone} has a DS record at its parent but no keys")
        entry = dns.rdataset.Rdataset(dns.rdataclass.IN, dns.rdatatype.DNSKEY)
        for key in found:
            if any(_vouches(ds, zone, key) for ds in vouched[:_MAX_RECORDS]):
                entry.add(key)
        if not entry:
            raise _failed("bogus", f"no key of {zone} matches the DS record at its parent")
        self._check(found, _signatures(reply.answers, found), entry)
        self._keys[zone] = found
        return found

    async def _delegation(self, zone: dns.name.Name) -> list[Any]:
        """What a zone's parent says of its keys."""
        if zone == dns.name.root:
            raise _failed("bogus", "there is no trust anchor above the name")
        reply = await self.ask(Question(zone, dns.rdatatype.DS, signed=True))
        found = _set_of(reply.answers, zone, dns.rdatatype.DS)
        if found is None:
            raise _failed("unsigned", f"{zone} is not signed: its parent has no DS record for it")
        signatures = _signatures(reply.answers, found)
        if not signatures:
            raise _failed("bogus", f"the DS record of {zone} at its parent carries no signature")
        parent = signatures[0].signer
        if parent == zone or not zone.is_subdomain(parent):
            raise _failed("bogus", f"the DS record of {zone} is signed by {parent}, which is not its parent")
        self._check(found, [sign for sign in signatures if sign.signer == parent], await self.keys(parent))
        return list(found)

    def _check(self, one: dns.rrset.RRset, signatures: list[Any], keys: Keys) -> None:
        """Raise CheckFailed unless one of the signatures is valid now."""
        why, zone = "no signature", signatures[0].signer if signatures else dns.name.root
        for sign in signatures:
            alike = sum(1 for key in keys if dns.dnssec.key_id(key) == sign.key_tag)
            if alike > _MAX_ALIKE or self._in_vain > _MAX_IN_VAIN:
                raise _failed("bogus", f"{zone} has more invalid signatures or colliding keys than are checked")
            try:
                dns.dnssec.validate_rrsig(one, sign, {zone: keys}, now=self.now)
            except (dns.exception.DNSException, ValueError) as error:
                why = str(error) or type(error).__name__
                self._in_vain += alike
                continue
            self.ends = min(self.ends, sign.expiration)
            return
        raise self._refused(one, signatures, why)

    def _refused(self, one: dns.rrset.RRset, signatures: list[Any], why: str) -> CheckFailed:
        """Why no signature held: the dates speak first."""
        if signatures and all(sign.expiration < self.now for sign in signatures):
            hours = round((self.now - max(sign.expiration for sign in signatures)) / 3600)
            return _failed("expired", f"the signature of {_shown(one)} expired {hours} hours ago", {"hours": hours})
        if signatures and all(sign.inception > self.now for sign in signatures):
            return _failed("not_yet_valid", f"the signature of {_shown(one)} is not valid yet")
        return _failed("bogus", f"no signature of {_shown(one)} is valid ({why[:80]})")


def _vouches(ds: Any, zone: dns.name.Name, key: Any) -> bool:
    if ds.key_tag != dns.dnssec.key_id(key) or ds.algorithm != key.algorithm:
        return False
    try:
        return bool(dns.dnssec.make_ds(zone, key, ds.digest_type, validating=True) == ds)
    except (dns.exception.DNSException, ValueError):
        return False


def _sets(records: Iterable[Record]) -> Iterable[dns.rrset.RRset]:
    """The records in sets of one owner and type; raises CheckFailed for sets that nobody needs so large."""
    found: dict[tuple[dns.name.Name, int], dns.rrset.RRset] = {}
    for record in records:
        one = found.setdefault((record.owner, record.type), dns.rrset.RRset(record.owner, dns.rdataclass.IN, record.type))
        if len(one) >= _MAX_RECORDS:
            raise _failed("bogus", f"{_shown(one)} has more than {_MAX_RECORDS} records, which is more than are checked")
        one.add(record.data, record.ttl)
    return found.values()


def _follows(one: dns.rrset.RRset, sets: list[dns.rrset.RRset]) -> bool:
    """Whether an alias only spells out a redirection of a whole tree, which alone is signed (RFC 6672 §5.3.1)."""
    if one.rdtype != dns.rdatatype.CNAME:
        return False
    for tree in sets:
        if tree.rdtype == dns.rdatatype.DNAME and one.name != tree.name and one.name.is_subdomain(tree.name):
            moved: Any = tree[0]
            alias: Any = one[0]
            return bool(alias.target == one.name.relativize(tree.name).derelativize(moved.target))
    return False


def _set_of(records: Iterable[Record], owner: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
    return next(iter(_sets(one for one in records if one.owner == owner and one.type == kind)), None)


def _signatures(records: Iterable[Record], of: dns.rrset.RRset) -> list[Any]:
    found: list[Any] = [one.data for one in records if one.type == dns.rdatatype.RRSIG and one.owner == of.name]
    return [sign for sign in found if sign.type_covered == of.rdtype][:_MAX_RECORDS]


def _shown(one: dns.rrset.RRset) -> str:
    return f"{one.name.to_text(omit_final_dot=True) or '.'} {dns.rdatatype.to_text(one.rdtype)}"


def _failed(state: str, words: str, more: dict[str, Scalar] | None = None) -> CheckFailed:
    return CheckFailed(Cause.DNS_MISMATCH, words, {"dnssec_fault": state, **(more or {})})
