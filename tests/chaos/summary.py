"""Pure: what a run did and how well, for a reader: faults by kind, what was notified and how soon, what came twice, how long takeovers took."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from tests.chaos.verdict import OPENED, RECOVERED, Record, paired


def repeated(record: Record) -> dict[str, int]:
    """How often each notice was taken that was taken more than once, by key."""
    counts = Counter(one.key for one in record.received if one.taken)
    return {key: count for key, count in counts.items() if count > 1}


def delays(record: Record) -> dict[str, list[int]]:
    """Ms from the beginning of each outage until the notice of it was taken, and from its end until that of the end, by reason."""
    taken, found = dict[tuple[str, str], int](), defaultdict[str, list[int]](list)
    for one in record.received:
        if one.taken:
            taken.setdefault((one.thread, one.reason), one.at)
    for outage, incidents in paired(record)[0]:
        for incident in incidents[:1]:
            for reason, since in ((OPENED, outage.start), (RECOVERED, outage.end)):
                if (at := taken.get((incident.alert, reason))) is not None:
                    found[reason].append(at - since)
    return dict(found)


def summarised(record: Record, takeovers: Sequence[int]) -> dict[str, Any]:
    """The figures, as JSON has them; times are ms."""
    return {
        "outages": len(record.outages),
        "incidents": len(record.incidents),
        "notices": len(record.notices),
        "faults": [one.what for one in record.disturbances],
        "repeated": repeated(record),
        "delays": {reason: _spread(found) for reason, found in delays(record).items()},
        "takeovers": _spread(takeovers),
    }


def lines(figures: dict[str, Any]) -> list[str]:
    """The same for a reader."""
    kinds = Counter(one.partition(":")[0] for one in figures["faults"])
    found = [
        f"{figures['outages']} outages, {figures['incidents']} incidents, {figures['notices']} notices on record",
        f"{len(figures['faults'])} faults: {', '.join(f'{count} × {kind}' for kind, count in sorted(kinds.items()))}",
    ]
    for reason, spread in figures["delays"].items():
        found.append(f"{reason}: notified after {_seconds(spread)}")
    if figures["takeovers"]["count"]:
        found.append(f"another server evaluates after {_seconds(figures['takeovers'])}")
    found += [f"taken {count} times: {key}" for key, count in figures["repeated"].items()]
    return found


def _spread(values: Sequence[int]) -> dict[str, int]:
    ordered = sorted(values)
    if not ordered:
        return {"count": 0}
    return {"count": len(ordered), "median": ordered[len(ordered) // 2], "p95": ordered[len(ordered) * 95 // 100], "worst": ordered[-1]}


def _seconds(spread: dict[str, int]) -> str:
    return ", ".join(f"{name} {spread[name] / 1000:.1f} s" for name in ("median", "p95", "worst")) + f" ({spread['count']})"
