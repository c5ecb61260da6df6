"""The whole of Vigie beside blackbox_exporter, as people run them: CPU a check, both at the same time on one core at one rate.

Vigie: `vigie serve` with every default (log, baseline, page, store on disk, both processes). The exporter: its own defaults, asked over
kept connections as Prometheus asks it; what Prometheus itself costs is left out. Each has a server of its own, which runs on the
last core, with whoever asks the exporter. Every target is checked once a second at a phase of its own. Each check is a new connection.
How many checks were made is what the servers counted. Both share their core, so what else runs there slows both alike.

    python -m bench.whole_program [rate ...]

Needs nginx and prometheus-blackbox-exporter (Debian's packages); installs them where apt-get may, and says so plainly where it cannot.
"""

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench.ground import LAST_CORE, cpu, folder, free_port, needed, nginx, on_core, say, serving, wait_for
from bench.scraper import Scraper

RATES = (50, 200, 500)  # checks a second, of both
WARM_SECONDS, SECONDS, WINDOWS = 6, 6, 4
TARGETS = {("HTTP", 200): 0.5, ("HTTPS", 200): 0.85}
BLACKBOX = "prometheus-blackbox-exporter"


@contextlib.contextmanager
def exporter(program: str, ca_file: Path) -> Iterator[tuple[int, int]]:
    """blackbox_exporter; yields its process and port."""
    with folder() as place:
        port = free_port()
        (place / "blackbox.yml").write_text(f"modules: {{http_2xx: {{prober: http, http: {{tls_config: {{ca_file: '{ca_file}'}}}}}}}}\n")
        command = [program, f"--config.file={place}/blackbox.yml", f"--web.listen-address=127.0.0.1:{port}"]
        with (place / "console").open("w") as console:
            process = subprocess.Popen(command, stderr=console)
        try:
            wait_for(port)
            yield process.pid, port
        finally:
            process.terminate()
            process.wait()


def requests(count_url: str) -> int:
    """How many requests a server has had, this one left out of the difference of two."""
    with urllib.request.urlopen(count_url, timeout=5) as answer:
        return int(answer.read().split()[9]) - 1


async def windows(vigie: list[int], other: int, scraper: Scraper, counts: tuple[str, str]) -> list[tuple[float, float, float, float]]:
    """For each window: CPU µs a check of Vigie and of the exporter, and the checks a second that each made."""
    asking, found = asyncio.create_task(scraper.run()), []
    await asyncio.sleep(WARM_SECONDS)
    for _ in range(WINDOWS):
        before = [cpu(vigie), cpu([other]), *map(requests, counts), time.monotonic()]
        await asyncio.sleep(SECONDS)
        after = [cpu(vigie), cpu([other]), *map(requests, counts), time.monotonic()]
        own_cpu, other_cpu, own, others, seconds = (new - old for new, old in zip(after, before, strict=True))
        found.append((own_cpu / (own - 1) * 1e6, other_cpu / (others - 1) * 1e6, (own - 1) / seconds, (others - 1) / seconds))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    if scraper.bad:
        print(f"{scraper.bad} of {scraper.bad + scraper.good} probes of blackbox_exporter did not succeed", flush=True)
    return found


def measure(program: str, name: str, index: int, rate: int) -> None:
    """One scheme at one rate."""
    with nginx() as own_server, nginx() as other_server:
        own_url, other_url = own_server[:2][index], other_server[:2][index]
        with on_core(0), serving(own_url, own_server[2], rate, "1s", "") as (vigie, _), exporter(program, other_server[2]) as (other, port):
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(0, {LAST_CORE})  # who asks costs the two nothing
            counts = (f"{own_server[0]}count", f"{other_server[0]}count")
            found = asyncio.run(windows(vigie, other, Scraper(port, other_url, rate), counts))
    own_cpu, other_cpu, own_rate, other_rate = (statistics.median(column) for column in zip(*found, strict=True))
    ratio = statistics.median(one / other for one, other, *_ in found)
    figures = f"{own_cpu:.0f} and {other_cpu:.0f} µs a check, {WINDOWS} windows of {SECONDS} s"
    if min(own_rate, other_rate) < 0.97 * rate:
        figures += f"; the core was full: {own_rate:.0f} and {other_rate:.0f} checks/s"
    say(f"{name}, vigie serve ÷ blackbox_exporter, {rate}/s", ratio, "×", TARGETS.get((name, rate)), figures)


def main() -> None:
    """HTTP, then HTTPS, at each rate."""
    program = needed(BLACKBOX, BLACKBOX)
    if needed("nginx", "nginx-light") is None or program is None:
        return
    rates = [int(one) for one in sys.argv[1:]] or RATES
    for index, name in enumerate(("HTTP", "HTTPS")):
        for rate in rates:
            measure(program, name, index, rate)


if __name__ == "__main__":
    main()
