"""What the measurements share: servers to look at, `vigie serve` as a process, what a process has used, and how a figure is said."""

import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import trustme

VIGIE = [sys.executable, "-c", "from vigie.cli import main; main()"]
LAST_CORE = (os.cpu_count() or 1) - 1
# What only a measurement of memory or of nothing but Vigie wants; everything else is left at its default.
QUIET = "log: {file: null, level: warning}\nllm: {provider: none}\ncontrol: []\n"
PAGE = f"<!doctype html><title>Shop</title><h1>Welcome</h1><p>{'All that we sell, and when we are open. ' * 40}</p>"  # 1.6 KB


def say(what: str, value: float | None, unit: str, target: float | None = None, more: str = "") -> None:
    """One figure on a line: what it is, its value, its target (the most it may be) and whether it holds, and what it is made of."""
    shown = "none" if value is None else f"{value:.3g}" if abs(value) < 10 else f"{value:.0f}"
    line = f"{what:<52} {shown:>7} {unit:<5}"
    if target is not None:
        line += f" target {target:<5g} {'ok' if value is not None and value <= target else 'OVER':<4}"
    print(f"{line:<88} {more}".rstrip(), flush=True)


def quantile(values: Sequence[float], part: float) -> float:
    """The value that `part` of all do not exceed; NaN of none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def middle(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def needed(program: str, package: str) -> str | None:
    """Where a program is, installed if that is possible; said plainly when it is not."""
    search = os.environ["PATH"] + ":/usr/sbin"
    found = shutil.which(program, path=search)
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], check=False, capture_output=True)
        found = shutil.which(program, path=search)
    if found is None:
        print(f"{program} is not here and could not be installed (package {package}): what needs it is left out", flush=True)
    return found


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_for(port: int) -> None:
    """Until something listens there."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.1):
            return
        time.sleep(0.02)
    raise SystemExit(f"nothing listens on port {port}")


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder that goes away again."""
    made = Path(tempfile.mkdtemp(prefix="vigie-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def nginx_conf(place: Path, plain: int, secure: int) -> str:
    core = 1 << LAST_CORE
    temp = "".join(f"{kind}_temp_path {place}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""
daemon off; pid {place}/pid; error_log {place}/error.log; worker_processes 1; worker_cpu_affinity {core:b};
events {{}}
http {{ access_log off; {temp}
  server {{
    listen 127.0.0.1:{plain}; listen 127.0.0.1:{secure} ssl;
    ssl_certificate {place}/cert.pem; ssl_certificate_key {place}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3; default_type text/html;
    location / {{ return 200 "{PAGE}"; }}
    location = /count {{ stub_status; }}
  }}
}}"""


@contextlib.contextmanager
def nginx() -> Iterator[tuple[str, str, Path]]:
    """A server on loopback, on the last core; yields its two URLs and the file of its authority."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with folder() as place:
        place.chmod(0o755)
        authority = trustme.CA()
        leaf = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(str(place / "ca.pem"))
        leaf.cert_chain_pems[0].write_to_path(str(place / "cert.pem"))
        leaf.private_key_pem.write_to_path(str(place / "key.pem"))
        plain, secure = free_port(), free_port()
        (place / "nginx.conf").write_text(nginx_conf(place, plain, secure))
        server = subprocess.Popen([program, "-c", str(place / "nginx.conf")], stderr=subprocess.DEVNULL)
        try:
            wait_for(plain)
            yield f"http://127.0.0.1:{plain}/", f"https://127.0.0.1:{secure}/", place / "ca.pem"
        finally:
            server.terminate()
            server.wait()


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started meanwhile runs on this core alone, where the platform can have it so; its children too."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def serving(
    url: str, ca_file: Path, count: int, every: str, settings: str = QUIET, prepare: Callable[[Path], None] | None = None
) -> Iterator[tuple[list[int], int]]:
    """`vigie serve` over so many monitors; yields its two processes (parent, prober) and the port of its page.

    `prepare` is given the path of the database before anything starts.
    """
    with folder() as place:
        if prepare is not None:
            prepare(place / "vigie.db")
        port = free_port()
        monitors = "".join(f"  - {{name: m{number}, url: '{url}', every: {every}, ca_file: '{ca_file}'}}\n" for number in range(count))
        (place / "vigie.yaml").write_text(f"{settings}web: {{listen: '127.0.0.1:{port}'}}\nmonitors:\n{monitors}")
        with (place / "console").open("w") as console:
            process = subprocess.Popen([*VIGIE, "serve", "-c", str(place / "vigie.yaml")], stderr=console)
        try:
            yield [process.pid, wait_for_prober(process.pid, port)], port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def wait_for_prober(parent: int, port: int) -> int:
    """The prober's process, once the page answers and the prober runs."""
    for _ in range(2_400):
        with contextlib.suppress(OSError):
            health(port)
            if children := psutil.Process(parent).children():
                return int(children[0].pid)
        time.sleep(0.05)
    raise SystemExit("vigie serve did not start")


def health(port: int) -> dict[str, Any]:
    """What Vigie says of itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def cpu(pids: list[int]) -> float:
    """CPU seconds of processes so far."""
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def resident(pids: Sequence[int]) -> tuple[float, list[float]]:
    """Resident MB of processes together, and of each as `ps` shows it.

    Together, the pages of a file that several of them map (the interpreter, libraries) count once: for each file, as many as the process
    with most of them has, and beside them what each has of its own. Other programs that happen to run change nothing about it.
    """
    own, files, each = 0, dict[str, int](), []
    for pid in pids:
        maps = psutil.Process(pid).memory_maps(grouped=True)
        each.append(sum(one.rss for one in maps) / 1e6)
        own += sum(one.anonymous for one in maps)
        for one in maps:
            files[one.path] = max(files.get(one.path, 0), one.rss - one.anonymous)
    return (own + sum(files.values())) / 1e6, each
