"""Rules before the model: what was observed, and what the decision table makes of it: a shortlist of causes, graded, with first steps."""

from dataclasses import replace

from vigie.core.model import Cause
from vigie.report.facts import Bundle, Fact, FactKind, Subject
from vigie.report.hypotheses import TABLE, Hypothesis

__all__ = ["MAX_CAUSES", "Hypothesis", "observations", "shortlist"]

MAX_CAUSES = 4


def observations(bundle: Bundle, subject: Subject) -> dict[str, tuple[str, ...]]:
    """What the table's conditions are about, each with the ids of the facts that show it."""
    cause = subject.result.cause or subject.incident.cause
    shown = _ids(bundle, "cause")
    found = {f"cause:{cause}": shown, f"family:{cause.partition('.')[0]}": shown}
    if "weakness" in subject.result.figures:
        found["obsolete"] = shown
    found |= dict.fromkeys(_statuses(subject), (*shown, *_ids(bundle, "status")))
    looks = [fact for fact in bundle.facts if fact.evidence.name.startswith("address.")]
    if looks:
        bad = [fact.evidence.bad for fact in looks]
        word = "all_bad" if all(bad) else "some_bad" if any(bad) else "all_good"
        found[f"addresses:{word}"] = tuple(fact.id for fact in looks)
    for fact in bundle.facts:
        found |= _observed(fact)
    return _members(bundle) | found


def _members(bundle: Bundle) -> dict[str, tuple[str, ...]]:
    """Services that failed together show that all with this tie are down, unless others with it were seen to work."""
    found: dict[str, tuple[str, ...]] = {}
    for fact in bundle.facts:
        kind, _, tie = fact.evidence.name.partition(".")
        others = [one for one in bundle.facts if one.evidence.name == f"siblings.{tie}"]
        if kind == "members" and tie in _SHARED and all(one.evidence.bad for one in others):
            found[f"siblings_{tie}:down"] = (fact.id,)
    return found


def _ids(bundle: Bundle, name: str) -> tuple[str, ...]:
    return tuple(fact.id for fact in bundle.facts if fact.evidence.name == name and fact.evidence.kind in (FactKind.CHECK, FactKind.HTTP))


_GATEWAY, _AUTH, _GONE = (502, 504), (401, 403, 407), (404, 410)
_ORIGIN = range(520, 528)  # Cloudflare's own statuses for an origin that fails


def _statuses(subject: Subject) -> set[str]:
    status = subject.result.figures.get("status")
    if not isinstance(status, int):
        return set()
    groups = {"bad_gateway": _GATEWAY, "auth": _AUTH, "gone": _GONE, "origin": _ORIGIN}
    return {f"status:{status}", f"status:{status // 100}xx"} | {f"status:{name}" for name, members in groups.items() if status in members}


_TWO_SIDED = {
    "link": "control", "resolver.system": "system", "resolver.second": "second", "resolver.zone": "zone",
    "other_port": "other_port", "get.again": "again", "head.again": "head",
}  # fmt: skip


_SHARED = ("address", "host", "network", "certificate")


def _observed(fact: Fact) -> dict[str, tuple[str, ...]]:
    """What one fact shows beside the cause."""
    evidence = fact.evidence
    if evidence.name == "link" and evidence.value == Cause.PROBE_RESOLVER:
        return {"control:resolver": (fact.id,)}
    if evidence.name in _TWO_SIDED and evidence.bad is not None:
        return {f"{_TWO_SIDED[evidence.name]}:{'bad' if evidence.bad else 'ok'}": (fact.id,)}
    if evidence.name.startswith("siblings.") and evidence.bad is not None:
        return {f"{evidence.name.replace('.', '_')}:{'down' if evidence.bad else 'up'}": (fact.id,)}
    if evidence.name == "no_sni":
        return {"no_sni": (fact.id,)}
    if evidence.kind is FactKind.CHANGE and evidence.bad:
        return {f"change:{evidence.name}": (fact.id,)}
    return {"self_signed": (fact.id,)} if evidence.name == "self_signed" else {}


def shortlist(bundle: Bundle, subject: Subject) -> tuple[Hypothesis, ...]:
    """One to four hypotheses, the most telling first, each with its supporting facts; empty when nothing fits, which is said plainly."""
    seen = observations(bundle, subject)
    fits = [row for row in TABLE if row.needs <= seen.keys() and not row.excludes & seen.keys()]
    first = {row.hypothesis.id: row for row in reversed(fits)}  # two rows may come to the same cause
    order = {fact.id: place for place, fact in enumerate(bundle.facts)}
    found: list[Hypothesis] = []
    for row in [row for row in fits if first[row.hypothesis.id] is row][:MAX_CAUSES]:
        ids = {one for need in row.needs for one in seen[need]}
        found.append(replace(row.hypothesis, facts=tuple(sorted(ids, key=lambda one: order[one])[:MAX_CAUSES])))
    return tuple(found)
