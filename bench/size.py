"""Memory of `vigie serve` with 1,000 and 10,000 monitors, and how late its checks start.

What is summed: the resident memory of both processes, parent and prober, the files that both map counted once (see ground.resident). What
`ps` shows of each is told beside it. Every monitor has had its first look, and the page was read once a second meanwhile.
"""

import time
from pathlib import Path

from bench.ground import health, needed, nginx, resident, say, serving

SETTLE_SECONDS = 12  # after every monitor had its first look: the prober says every ten seconds how late it is


def measure(what: str, url: str, ca_file: Path, count: int, target: float) -> None:
    """One size."""
    with serving(url, ca_file, count, "60s") as (pids, port):
        began = time.monotonic()
        while health(port)["monitors"]["up"] < count:
            time.sleep(1)
            if time.monotonic() - began > 120:
                print(f"{count} monitors were not all up within two minutes: {health(port)}", flush=True)
                return
        time.sleep(SETTLE_SECONDS)
        late = health(port)["late_p99_ms"]
        together, (parent, prober) = resident(pids)
        say(f"resident, {what}", together, "MB", target, f"by ps: parent {parent:.0f}, prober {prober:.0f}; what both map counts once")
        say(f"start of a check late at p99, {what}", late, "ms", 20)


def main() -> None:
    """Every size."""
    if needed("nginx", "nginx-light") is None:
        return
    with nginx() as (plain, secure, ca_file):
        measure("1,000 monitors, HTTP", plain, ca_file, 1_000, 90)
        measure("1,000 monitors, HTTPS", secure, ca_file, 1_000, 90)
        measure("10,000 monitors, HTTP", plain, ca_file, 10_000, 150)


if __name__ == "__main__":
    main()
