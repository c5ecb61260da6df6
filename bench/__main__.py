"""What `make bench` runs: each part is a process of its own (`python -m bench.store` runs one), so that none disturbs another."""

import os
import platform
import subprocess
import sys

PARTS = {
    "start": "cold start",
    "http_probe": "CPU of one check in one process, beside libcurl alone",
    "whole_program": "the whole program beside blackbox_exporter, both as people run them, at the same time on one core",
    "size": "memory and lateness of the whole program",
    "latency": "how true the measured times are: a 50 ms answer over HTTP, 100 checks/s",
    "store": "the store: 1,000 results/s through SqliteStore, beside one plain row a check",
    "history": "a year of 1,000 monitors: what it costs to keep, and how fast it is read",
    "web": "pages over a year of 1,000 monitors, and over 10,000 monitors, while they are checked",
    "content": "CPU of reading a page of 30 KB, beside the bare parser",
    "hostile": "a monitor with hostile pages beside 200 others: nobody's check is late or lost",
    "report": "what a report costs, and a storm of incidents",
    "storm": "10,000 monitors of which half fail in one second: how many notices, and how soon",
    "baseline": "what a baseline costs a check, and its memory",
    "fleet": "a fleet: publish, consume, evaluate and commit; lateness and memory at 110,000 monitors in three locations",
    "page": "from the confirmed incident to the mail server",
    "soak": "1,000 monitors among hostile servers, held connections, failing receivers and a disk that fills, for ten minutes",
}


def main() -> None:
    """Run every part."""
    load = f", load {os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else ""
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}{load}", flush=True)
    for part, title in PARTS.items():
        print(f"\n{title}", flush=True)
        subprocess.run([sys.executable, "-m", f"bench.{part}"], check=False)


if __name__ == "__main__":
    main()
