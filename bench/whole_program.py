"""The whole of Vigie beside blackbox_exporter: CPU a check at one rate, in turns, so that a busy machine slows both alike.

Needs nginx and prometheus-blackbox-exporter (Debian's packages); installs them where apt-get may, and says so plainly where it cannot.
"""

import asyncio
import subprocess
import time
from pathlib import Path

from bench.ground import cpu, folder, free_port, needed, nginx, say, serving, wait_for

RATE = 400  # checks a second, of both
SECONDS = 7
TURNS = 2
BLACKBOX = "prometheus-blackbox-exporter"


def vigie_cpu(url: str, ca_file: Path) -> float:
    """CPU µs a check of both processes of `vigie serve`: schedule, probe, decision and storage."""
    with serving(url, ca_file, RATE, "1s") as (pids, _):
        time.sleep(3)
        before, started = cpu(pids), time.monotonic()
        time.sleep(SECONDS)
        return (cpu(pids) - before) / (RATE * (time.monotonic() - started)) * 1e6


def blackbox_cpu(program: str, url: str, ca_file: Path) -> float:
    """CPU µs a check of blackbox_exporter, asked at the same rate."""
    with folder() as place:
        port = free_port()
        module = f"{{prober: http, http: {{preferred_ip_protocol: ip4, tls_config: {{ca_file: '{ca_file}'}}}}}}"
        (place / "blackbox.yml").write_text(f"modules: {{one: {module}}}\n")
        address = f"--web.listen-address=127.0.0.1:{port}"
        process = subprocess.Popen([program, f"--config.file={place}/blackbox.yml", address], stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            asyncio.run(ask(port, url, 2))
            before = cpu([process.pid])
            asked = asyncio.run(ask(port, url, SECONDS))
            return (cpu([process.pid]) - before) / asked * 1e6
        finally:
            process.terminate()
            process.wait()


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

    begun, tasks, number = time.monotonic(), set[asyncio.Task[None]](), 0
    while (now := time.monotonic()) - begun < seconds:
        while number <= (now - begun) * RATE:  # a sleep that came late is made up for
            task = asyncio.create_task(one())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            number += 1
        await asyncio.sleep(1 / RATE)
    await asyncio.gather(*tasks)
    return good


def main() -> None:
    """HTTP, then HTTPS."""
    if needed("nginx", "nginx-light") is None:
        return
    program = needed(BLACKBOX, BLACKBOX)
    with nginx() as (plain, secure, ca_file):
        for name, url, target in (("HTTP", plain, 0.35), ("HTTPS", secure, 0.9)):
            own, other = [], []
            for _ in range(TURNS):
                own.append(vigie_cpu(url, ca_file))
                if program is not None:
                    other.append(blackbox_cpu(program, url, ca_file))
            if not other:
                say(f"{name}, vigie serve", min(own), "µs", None, f"a check at {RATE}/s; nothing to compare it with")
                continue
            figures = f"vigie {min(own):.0f} µs, blackbox_exporter {min(other):.0f} µs a check at {RATE}/s, least of {TURNS} turns"
            say(f"{name}, vigie serve ÷ blackbox_exporter", min(own) / min(other), "×", target, figures)


if __name__ == "__main__":
    main()
