"""The whole of Vigie beside blackbox_exporter, at one rate, in one run: CPU a check, memory, lateness, cold start.

Needs nginx and prometheus-blackbox-exporter (Debian's packages); installs them where apt-get may, and says so plainly where it cannot.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

from bench.http_probe import free_port, nginx, wait_for

RATE = 400  # checks a second, of both
SECONDS = 15
BLACKBOX = "prometheus-blackbox-exporter"


def needed(program: str, package: str) -> str | None:
    """Where a program is, installed if that is possible."""
    search = os.environ["PATH"] + ":/usr/sbin"
    found = shutil.which(program, path=search)
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], check=False, capture_output=True)
        found = shutil.which(program, path=search)
    if found is None:
        print(f"{program} is not here and could not be installed (package {package}): what needs it is left out")
    return found


def cpu(pids: list[int]) -> float:
    """CPU seconds of processes so far."""
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def memory(pids: list[int]) -> tuple[float, float]:
    """(resident, proportional) MB of processes together; pages that they share count once in the second."""
    found = [psutil.Process(pid).memory_full_info() for pid in pids]
    return sum(one.rss for one in found) / 1e6, sum(one.pss for one in found) / 1e6


@contextlib.contextmanager
def serving(url: str, ca_file: Path, count: int, every: str) -> Iterator[tuple[list[int], int]]:
    """`vigie serve` over so many monitors; yields its processes and the port of its page."""
    folder, port = Path(tempfile.mkdtemp()), free_port()
    monitors = "".join(
        f"  - {{name: m{number}, url: '{url}', every: {every}, timeout: 5s, ca_file: '{ca_file}'}}\n" for number in range(count)
    )
    head = f"store: {folder}/v.db\nlog: {{file: null, level: warning}}\nweb: {{listen: '127.0.0.1:{port}'}}\nllm: {{provider: none}}\ncontrol: []\n"
    (folder / "vigie.yaml").write_text(f"{head}monitors:\n{monitors}")
    command = [sys.executable, "-c", "from vigie.cli import main; main()", "serve", "-c", str(folder / "vigie.yaml")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for_page(port)
        yield [process.pid, *(child.pid for child in psutil.Process(process.pid).children())], port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def wait_for_page(port: int) -> None:
    """Until the page answers."""
    for _ in range(1_000):
        with contextlib.suppress(OSError):
            health(port)
            return
        time.sleep(0.05)
    raise SystemExit("vigie serve did not start")


def health(port: int) -> dict[str, object]:
    """What Vigie says of itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def vigie_cpu(url: str, ca_file: Path) -> float:
    """CPU µs a check of both processes of `vigie serve`, schedule, probe, decision and storage included."""
    with serving(url, ca_file, RATE, "1s") as (pids, _):
        time.sleep(8)
        before, started = cpu(pids), time.monotonic()
        time.sleep(SECONDS)
        return (cpu(pids) - before) / (RATE * (time.monotonic() - started)) * 1e6


def blackbox_cpu(program: str, url: str, ca_file: Path) -> float:
    """CPU µs a check of blackbox_exporter, asked at the same rate."""
    folder, port = Path(tempfile.mkdtemp()), free_port()
    module = f"{{prober: http, http: {{preferred_ip_protocol: ip4, tls_config: {{ca_file: '{ca_file}'}}}}}}"
    (folder / "blackbox.yml").write_text(f"modules: {{one: {module}}}\n")
    address = f"--web.listen-address=127.0.0.1:{port}"
    process = subprocess.Popen([program, f"--config.file={folder}/blackbox.yml", address], stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        asyncio.run(ask(port, url, 2))
        before = cpu([process.pid])
        asked = asyncio.run(ask(port, url, SECONDS))
        return (cpu([process.pid]) - before) / asked * 1e6
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


async def ask(port: int, url: str, seconds: float) -> int:
    """Ask blackbox_exporter to probe, RATE times a second; how often it said success."""
    good = 0

    async def one() -> None:
        nonlocal good
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /probe?module=one&target={url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        text = await reader.read()
        writer.close()
        good += b"\nprobe_success 1" in text

    end, tasks = time.monotonic() + seconds, set[asyncio.Task[None]]()
    while time.monotonic() < end:
        task = asyncio.create_task(one())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await asyncio.sleep(1 / RATE)
    await asyncio.gather(*tasks)
    return good


def sizes(url: str, ca_file: Path) -> None:
    """Memory and lateness with 1,000 and 10,000 monitors."""
    for count, bound in ((1_000, 90), (10_000, 150)):
        with serving(url, ca_file, count, "60s") as (pids, port):
            time.sleep(40)
            resident, proportional = memory(pids)
            print(f"memory  {count:6} monitors: {resident:.0f} MB resident, {proportional:.0f} MB proportional (target {bound})")
            print(f"late    {count:6} monitors: p99 {health(port)['late_p99_ms']} ms (target 20)")


def cold_start(url: str) -> None:
    """`vigie check` from nothing."""
    command = [sys.executable, "-c", "from vigie.cli import main; main()", "check", url]
    walls = []
    for _ in range(7):
        started = time.monotonic()
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        walls.append(time.monotonic() - started)
    print(f"start   vigie check: {statistics.median(walls):.2f} s wall, median of 7 (target 0.35)")


def main() -> None:
    """Print the figures."""
    if needed("nginx", "nginx-light") is None:
        return
    program = needed(BLACKBOX, BLACKBOX)
    with nginx() as (plain, secure, ca_file):
        cold_start(plain)
        for name, url, bound in (("HTTP", plain, 0.35), ("HTTPS", secure, 0.9)):
            own = vigie_cpu(url, ca_file)
            if program is None:
                print(f"{name:7} vigie {own:.0f} µs a check at {RATE}/s")
                continue
            other = blackbox_cpu(program, url, ca_file)
            print(
                f"{name:7} vigie {own:.0f} µs, blackbox_exporter {other:.0f} µs a check at {RATE}/s: x {own / other:.2f} (target {bound})"
            )
        sizes(plain, ca_file)


if __name__ == "__main__":
    main()
