"""What a check costs that is judged by its baseline, and how much memory a baseline takes.

    python bench/baseline.py [rounds]

CPU is that of a settled monitor with all phases, its samples and its hourly learning included: the least of all rounds.
"""

import math
import random
import sys
import time
import tracemalloc
from dataclasses import replace

import msgspec

from vigie.core.model import CheckResult, PageFacts, Sensitivity, Status, Timings
from vigie.learning.baseline import Baseline, judge

HOUR, DAY = 3_600_000, 86_400_000
START = 1_767_225_600_000
USUAL = (5.0, 10.0, 20.0, 120.0, 15.0)
PAGE = PageFacts(
    "d",
    30_000,
    900,
    "t",
    "text/html",
    ("header", "nav", "main", "footer", "h1"),
    ("a.example", "b.example"),
    tuple(f"l{number}.example" for number in range(12)),
)
CHECKS, MONITORS = 20_000, 10_000


def results(first: int, count: int, every: int) -> list[CheckResult]:
    rng, found = random.Random(1), []
    for number in range(count):
        phases = [ms * math.exp(rng.gauss(0, 0.2)) for ms in USUAL]
        found.append(CheckResult("m", first + number * every, Status.UP, timings=Timings(*[*phases, sum(phases)])))
    return found


def settled() -> Baseline:
    """After four weeks, with a page."""
    known = Baseline()
    for number, one in enumerate(results(START, 28 * 288, 300_000)):
        _, known = judge(replace(one, page=PAGE) if number == 0 else one, known, Sensitivity.NORMAL)
    return known


def cost(known: Baseline, checks: list[CheckResult], rounds: int) -> float:
    """µs of CPU a check."""
    best = math.inf
    for _ in range(rounds):
        now, started = known, time.process_time()
        for one in checks:
            _, now = judge(one, now, Sensitivity.NORMAL)
        best = min(best, (time.process_time() - started) / len(checks) * 1e6)
    return best


def memory(known: Baseline) -> float:
    """Bytes a baseline, of ten thousand as they are read from a store."""
    packed = msgspec.msgpack.encode(known)
    tracemalloc.start()
    held = {str(number): msgspec.msgpack.decode(packed, type=Baseline) for number in range(MONITORS)}
    taken = tracemalloc.get_traced_memory()[0] / len(held)
    tracemalloc.stop()
    return taken


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    known = settled()
    for every in (10, 60, 300):
        spent = cost(known, results(START + 28 * DAY, CHECKS, every * 1000), rounds)
        print(f"baseline, every {every:3} s: {spent:5.2f} µs a check" + (" (target: 3)" if every == 60 else ""))
    varying = [replace(one, page=replace(PAGE, digest=str(number))) for number, one in enumerate(results(START + 28 * DAY, CHECKS, 60_000))]
    print(f"baseline, every  60 s, a page that always varies: {cost(known, varying, rounds):5.2f} µs a check")
    print(f"baseline, {MONITORS} monitors: {memory(known):.0f} bytes each (target: 1536), {len(msgspec.msgpack.encode(known))} stored")


if __name__ == "__main__":
    main()
