"""Memory of `vigie serve` with 1,000 and 10,000 monitors, and how late its checks start.

What is summed: the resident memory of both processes, parent and prober, as `ps` shows it, so that what they share counts twice. The
proportional sum beside it counts shared pages once: it is what the machine would get back.
"""

import time
from pathlib import Path

from bench.ground import health, memory, needed, nginx, say, serving

SETTLE_SECONDS = 12  # after every monitor had its first look: the prober says every ten seconds how late it is


def measure(url: str, ca_file: Path, count: int, target: float) -> None:
    """One size."""
    with serving(url, ca_file, count, "60s") as (pids, port):
        began = time.monotonic()
        while health(port)["last_result_at"] is None or health(port)["monitors"]["up"] < count:
            time.sleep(1)
            if time.monotonic() - began > 120:
                print(f"{count} monitors were not all up within two minutes: {health(port)}", flush=True)
                return
        time.sleep(SETTLE_SECONDS)
        late = health(port)["late_p99_ms"]
        (parent, parent_part), (prober, prober_part) = (memory(pid) for pid in pids)
        parts = f"parent {parent:.0f} + prober {prober:.0f}; shared pages once: {parent_part + prober_part:.0f}"
        say(f"resident, {count:,} monitors, both processes", parent + prober, "MB", target, parts)
        say(f"start of a check late, {count:,} at 60 s, p99", late, "ms", 20)


def main() -> None:
    """Both sizes."""
    if needed("nginx", "nginx-light") is None:
        return
    with nginx() as (url, _, ca_file):
        for count, target in ((1_000, 90), (10_000, 150)):
            measure(url, ca_file, count, target)


if __name__ == "__main__":
    main()
