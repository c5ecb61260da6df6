"""What a run comes to: each figure, its target beside it, and whether every target was met."""

from dataclasses import dataclass

from bench.ground import quantile
from bench.soak.checks import Checks, some
from bench.soak.clients import Answers
from bench.soak.machine import Share
from bench.soak.plan import Due, Group, Monitor
from bench.soak.receivers import Receivers

_OVER_MS, _LATE_MS, _GROWTH, _STOP_SECONDS = 200.0, 50.0, 5.0, 15.0
_TAKEN = 0.1  # of the machine by others, from which on figures without their share are what is judged


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was measured."""

    checks: Checks
    monitors: list[Monitor]
    due: Due
    receivers: Receivers
    answers: Answers
    share: Share
    memory: tuple[tuple[float, str], tuple[float, str]]
    late: list[int]  # what `/health` said
    disk: tuple[str | None, float]
    stopped: float
    complaints: list[str]


class _Page:
    """Prints, and remembers whether a target was missed."""

    def __init__(self) -> None:
        self.good = True

    def say(self, what: str, value: float, unit: str, target: float | None = None, more: str = "") -> None:
        """One figure; with a target, the most that it may be."""
        line = f"{what:<52} {value:>9.4g} {unit:<5}"
        if target is not None:
            held = value <= target
            self.good &= held
            line += f" target {target:<5g} {'ok' if held else 'OVER':<4}"
        print(f"{line:<90} {more}".rstrip(), flush=True)

    def list(self, lines: list[str]) -> None:
        """What a figure is made of."""
        for line in some(lines):
            print(f"    {line}", flush=True)


def missing(due: Due, receivers: Receivers) -> list[str]:
    """What the script made due and no server acknowledged."""
    had: dict[tuple[str, str, str], int] = {}
    for channel, taken in receivers.taken.items():
        for monitor, reason in taken.about.values():
            had[monitor, reason, channel] = had.get((monitor, reason, channel), 0) + 1
    return [f"{had.get(one, 0)} of {count} × {' '.join(one)}" for one, count in due.counts.items() if had.get(one, 0) < count]


def report(found: Found) -> bool:
    """Print it; whether every target was met."""
    page = _Page()
    _checks(page, found)
    _notices(page, found)
    _program(page, found)
    return page.good


def _checks(page: _Page, found: Found) -> None:
    checks, judged_net = found.checks, found.share.taken > _TAKEN
    said = "without the time in which other work had the processors" if judged_net else "as it was"
    page.say(
        "machine taken by others",
        found.share.taken * 100,
        "%",
        None,
        f"above {_TAKEN:.0%} lateness and overruns are judged without their share",
    )
    page.say("checks done", checks.done, "")
    page.say("checks voided because this machine was too busy", checks.voided, "")
    over = checks.over_net if judged_net else checks.over
    page.say(
        "longest check over its deadline",
        over,
        "ms",
        _OVER_MS,
        f"{said}; {checks.over:.0f} as it was, {checks.over_net:.0f} without; {checks.slowest}",
    )
    late = checks.late_net if judged_net else checks.late
    page.say("start of a check late, p50", quantile(late, 0.5), "ms")
    more = f"{said}; {quantile(checks.late, 0.99):.0f} as it was, {quantile(checks.late_net, 0.99):.0f} without; /health said up to {max(found.late, default=0)}"
    page.say("start of a check late, p99", quantile(late, 0.99), "ms", _LATE_MS, more)
    page.say("start of a check late, at most", max(late, default=0.0), "ms")
    odd = list(checks.misjudged(found.monitors))
    page.say("monitors judged otherwise than expected", len(odd), "", 0)
    page.list(odd)


def _notices(page: _Page, found: Found) -> None:
    receivers = found.receivers
    lost = missing(found.due, receivers)
    got = sum(len(receivers.taken[channel].keys) for channel in ("mail", "hook"))
    page.say("notices due by the script", found.due.total, "", None, f"{got} acknowledged")
    voided = found.checks.voided / max(found.checks.done, 1)
    page.say("notices lost", len(lost), "", 0, f"{voided:.0%} of the checks were voided: who could not look saw no outage" if lost else "")
    page.list(lost)
    twice = [f"{key} by {one.channel}" for one in receivers.taken.values() for key in one.twice]
    page.say("notices delivered twice, though acknowledged", len(twice), "", 0)
    page.list(twice)
    healthy = {one.name for one in found.monitors if one.group is Group.HEALTHY}
    false = [f"{monitor}: {reason}" for one in receivers.taken.values() for monitor, reason in one.about.values() if monitor in healthy]
    page.say("notices about healthy monitors", len(false), "", 0)
    page.list(false)
    expected = healthy | {one.name for one in found.monitors}
    rest = [f"{monitor}: {reason}" for one in receivers.taken.values() for monitor, reason in one.about.values() if monitor not in expected]
    page.say("notices about Vigie itself", len(rest), "")
    page.list(rest)


def _program(page: _Page, found: Found) -> None:
    (before, words), (after, after_words) = found.memory
    page.say("memory at two minutes, or half of a shorter run", before, "MB", None, words)
    growth = (after / before - 1) * 100 if before else float("nan")
    page.say("memory at the end", after, "MB", None, after_words)
    page.say("growth", growth, "%", _GROWTH)
    share = found.share
    each = ", ".join(f"the {name} waited {seconds / share.wall:.1%} of the time for a processor" for name, seconds in share.waited.items())
    page.say("CPU of the program", share.program / share.wall * 100, "%", None, f"the bench {share.bench / share.wall:.0%}; {each}")
    how, full = found.disk
    page.say(
        "without room on the disk", full, "s", None, how or "left out: this machine lets a plain user make no file system and set no limit"
    )
    answers = found.answers
    page.say(
        "page and health answered, p99",
        quantile(answers.pages, 0.99),
        "ms",
        None,
        f"{len(answers.pages)} answers, {answers.pings} pings taken",
    )
    page.say("requests and pings that failed", len(answers.failed), "", None)
    page.list(answers.failed)
    page.say("stopped after", found.stopped, "s", _STOP_SECONDS)
    print("said on the console at ERROR and above:", flush=True)
    page.list(found.complaints)
