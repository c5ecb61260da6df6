"""A monitor's own normal: a check that is up, but unlike what was learnt, becomes degraded.

Laws
1. Only what works is learnt from, and only `up` is judged: a baseline turns it into `degraded` and changes no other verdict.
2. Slow is told when it lasts: after a number of checks (a quicker one takes one back) and a length of time, both by sensitivity;
   `latency.anomaly` then holds until as many quick ones weigh half of it up again, so that a border case does not flap.
3. Nothing is told while it learns: 48 hours of data; until a whole week was seen, only what is four times the slowest hour.
4. A lasting change stays degraded until it is over, or until a person closes the incident: then it is the new normal.
5. A step of the clock or a gap invalidates nothing: hours are counted as they were learnt from, not by the calendar.

`figures` of a result: `phase`, `measured_ms`, `usual_ms`, `spread_ms` (latency.anomaly); `signs` (out of `script`, `type`, `size`,
`landmarks`, `title`, `links`), `bytes`, `usual_bytes`, `host` (content.changed).
"""

from dataclasses import dataclass, replace

from vigie.core.model import Cause, CheckResult, Scalar, Sensitivity, Status
from vigie.learning.page_profile import ACCEPTED, PageChange, seen
from vigie.learning.season import (
    HOUR_MS,
    MS,
    PHASES,
    SENSES,
    SLOTS,
    Season,
    Thresholds,
    code,
    folded,
    lengths,
    limit_ms,
    rolled,
    sample,
    shifted,
    spread_ms,
    total_ms,
    usual,
)

SLOT_MS = HOUR_MS // SLOTS
_ENDLESS_MS = 1e9
_FORGETS = 6  # hours without a check after which what was slow before says nothing about now
_STALE = 504  # hours after which what was learnt is learnt again
_SHARE = 0.4  # of what a check took too long, that one phase must make up to be named
_WORKS = (None, Cause.TLS_EXPIRING, Cause.TLS_WEAK, Cause.DOMAIN_EXPIRING)  # verdicts that leave lengths and page as they are
_ACCEPT = "If it is meant to stay like this, `vigie incidents resolve` accepts it as the new normal."


_UNLEARNT = Season()


@dataclass(frozen=True, slots=True)
class Slow:
    """The newest slow check in figures, ms. `phase` is `total` where no single one made it slow."""

    phase: str
    measured: int
    usual: int
    spread: int


@dataclass(frozen=True, slots=True)
class Baseline:
    """All that is known of a monitor. `hour` (since the epoch) and `slot` say when the newest sample was taken, -1 for none.

    `samples` are those of the hour, `limit` the total in ms from which on a check of it is slow. `score` counts slow checks since
    `since` (epoch ms), less quick ones; `told` says that they are told.
    """

    season: Season = _UNLEARNT
    hour: int = -1
    slot: int = -1
    samples: bytes = b""
    limit: float = float("inf")
    score: int = 0
    since: int = 0
    told: bool = False
    slow: Slow | None = None
    page: bytes = b""
    strange: PageChange | None = None


def judge(result: CheckResult, known: Baseline, sensitivity: Sensitivity) -> tuple[CheckResult, Baseline]:
    """A result in the light of a baseline, and the baseline after it."""
    total = result.timings.total
    if result.cause not in _WORKS or total is None or not 0 <= total < _ENDLESS_MS:
        return result, known
    sense = SENSES[sensitivity]
    hour, slot = divmod(result.at // SLOT_MS, SLOTS)
    if hour != known.hour:
        known = _entered(known, hour, sense)
    if slot != known.slot:
        known = _sampled(known, slot, sample(result.timings))
    if result.page is not None or known.strange is not None:
        known = _looked(result, known)
    if total > known.limit or known.score:
        known = _timed(result, total, known, sense)
    if result.status is not Status.UP:
        return result, known
    if known.strange is not None:
        return _changed(result, known.strange), known
    return (_slower(result, known.slow), known) if known.told and known.slow else (result, known)


def slot_at(at: int) -> int:
    """The number of the five minutes that an instant (epoch ms) lies in: one sample is learnt of each."""
    return at // SLOT_MS


def calm(known: Baseline) -> tuple[int, float] | None:
    """(five minutes, ms): results of those five minutes that are `up` with a total of no more, and no page, leave it as it is.

    -1 ms while slow ones are counted. None while something is told: then a result is not what it seems.
    """
    if known.told or known.strange is not None:
        return None
    return known.hour * SLOTS + known.slot if known.slot >= 0 else 0, -1.0 if known.score else known.limit


def with_samples(known: Baseline, slot: int, codes: bytes) -> Baseline:
    """What `judge` makes of a calm baseline by results below its limit, in other five minutes of its hour each.

    `slot` (`slot_at`) is that of the last one, `codes` are those of the phases of all of them.
    """
    return _sampled(known, slot % SLOTS, codes)


def _sampled(known: Baseline, slot: int, codes: bytes) -> Baseline:
    samples = (known.samples + codes)[: SLOTS * len(PHASES)]
    return Baseline(  # `replace` takes three times as long
        known.season, known.hour, slot, samples, known.limit, known.score, known.since, known.told, known.slow, known.page, known.strange
    )  # fmt: skip


def accepted(known: Baseline, sensitivity: Sensitivity) -> Baseline:
    """The baseline after a person closed the incident: what is told now is the new normal."""
    if known.strange is not None:
        known = replace(known, page=known.strange.shape, strange=None)
    if known.told and known.slow is not None:
        step = code(known.slow.measured) - code(known.slow.usual)
        steps = tuple([step if known.slow.phase in (phase, "total") else 0 for phase in PHASES])
        season = shifted(known.season, steps)
        limit = limit_ms(season, known.hour, SENSES[sensitivity])
        known = replace(known, season=season, limit=limit, score=0, since=0, told=False, slow=None)
    return known


def _entered(known: Baseline, hour: int, sense: Thresholds) -> Baseline:
    """Another hour begins: what the one before brought is learnt."""
    season, gap = known.season, hour - known.hour
    if known.samples:
        season = folded(season, known.hour, known.samples, slow=known.told)
    season = rolled(season, known.hour, hour)
    if gap > _STALE and known.hour >= 0:
        season, known = replace(season, hours=0), replace(known, page=b"", strange=None)
    entered = replace(known, season=season, hour=hour, slot=-1, samples=b"", limit=limit_ms(season, hour, sense))
    forgets = known.score and not 0 <= gap <= _FORGETS
    return replace(entered, score=0, since=0, told=False, slow=None) if forgets else entered


def _timed(result: CheckResult, total: float, known: Baseline, sense: Thresholds) -> Baseline:
    slow = total > known.limit
    score = min(known.score + 1, sense.checks) if slow else known.score - 1
    since = result.at if known.score == 0 else min(known.since, result.at)
    told = score > sense.checks // 2 if known.told else score >= sense.checks and result.at - since >= sense.lasts_ms
    figures = _figures(result, total, known) if slow else known.slow
    return replace(known, score=score, since=since if score else 0, told=told, slow=figures if score else None)


def _figures(result: CheckResult, total: float, known: Baseline) -> Slow:
    """Which phase moved, against what is usual for it at this hour."""
    codes = usual(known.season, known.hour)
    expected, measured = [MS[one] for one in codes], [one if 0 <= one <= total else 0.0 for one in lengths(result.timings)]
    over = [got - want for got, want in zip(measured, expected, strict=True)]
    row = max(range(len(PHASES)), key=lambda one: over[one])
    if over[row] < _SHARE * (total - total_ms(codes)):
        want = total_ms(codes)
        return Slow("total", round(total), round(want), round(spread_ms(known.season, known.hour, len(PHASES), want)))
    phase = "total" if PHASES[row] == "transfer" and result.timings.transfer is None else PHASES[row]
    return Slow(phase, round(measured[row]), round(expected[row]), round(spread_ms(known.season, known.hour, row, expected[row])))


_PHASE_WORDS = {
    "dns": "the name resolved in",
    "connect": "connected in",
    "tls": "TLS finished in",
    "first_byte": "first byte after",
    "transfer": "transferred in",
    "total": "answered in",
}


def _slower(result: CheckResult, slow: Slow) -> CheckResult:
    words = f"{_PHASE_WORDS[slow.phase]} {slow.measured} ms, usually {slow.usual} ms (± {slow.spread} ms): slower for some time now"
    figures: dict[str, Scalar] = {
        "phase": slow.phase,
        "measured_ms": slow.measured,
        "usual_ms": slow.usual,
        "spread_ms": slow.spread,
    }
    return _degraded(result, Cause.LATENCY_ANOMALY, words, figures)


def _looked(result: CheckResult, known: Baseline) -> Baseline:
    page, strange, hours = known.page, known.strange, known.season.hours
    if result.page is not None:
        page, strange = seen(result.page, page, strange, hours)
    if strange is not None and hours - strange.hours >= ACCEPTED:
        page, strange = strange.shape, None
    return replace(known, page=page, strange=strange)


def _changed(result: CheckResult, strange: PageChange) -> CheckResult:
    words = f"the page differs from usual: {strange.signs}"
    words += f" (scripts from {strange.host})" if strange.host else ""
    figures: dict[str, Scalar] = {"signs": strange.signs, "bytes": strange.bytes, "usual_bytes": strange.usual}
    return _degraded(result, Cause.CONTENT_CHANGED, words, figures | ({"host": strange.host} if strange.host else {}))


def _degraded(result: CheckResult, cause: Cause, words: str, figures: dict[str, Scalar]) -> CheckResult:
    return replace(
        result,
        status=Status.DEGRADED,
        cause=cause,
        message=words,
        figures=result.figures | figures,
        advice=(*result.advice, _ACCEPT),
    )
