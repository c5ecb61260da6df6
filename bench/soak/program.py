"""`vigie serve` of the soak: its configuration, its processes and what it said on standard error."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.ground import VIGIE, free_port, wait_for_prober
from bench.soak.disk import Disk
from bench.soak.plan import Group, Monitor

JOBS = 20
_STOP_SECONDS = 60.0
_NOISE = re.compile(r"(healthy|scripted|hostile)-\d{4}-[\w.-]+|[0-9A-Z]{26}|\d[\d.,:]*|mail|hook|calm|opened|recovered")


@dataclass(slots=True)
class Program:
    """A running `vigie serve`: its process, the prober's, the port of its page, and where its console goes."""

    process: subprocess.Popen[bytes]
    prober: int
    port: int
    console: Path

    @property
    def pid(self) -> int:
        """The parent's."""
        return self.process.pid

    def stop(self) -> float:
        """Ask for its end; how many seconds it took."""
        self.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_SECONDS)
        return time.monotonic() - begun

    def complaints(self, least: str = "ERROR") -> list[str]:
        """What it said at ERROR and above, names and numbers left out, the most frequent first."""
        levels = ("ERROR", "CRITICAL") if least == "ERROR" else ("WARNING", "ERROR", "CRITICAL")
        counts: Counter[str] = Counter()
        with self.console.open(errors="replace") as lines:
            for line in lines:
                parts = line.rstrip().split(" - ", 2)
                if len(parts) == 3 and parts[1] in levels:
                    counts[f"{parts[1]} {_NOISE.sub('…', parts[2])[:150]}"] += 1
                elif line.startswith(("Traceback", "    Traceback")):
                    counts["a traceback"] += 1
        return [f"{count} × {words}" for words, count in counts.most_common()]


def jobs() -> tuple[list[Monitor], list[str]]:
    """Jobs that report in, and their tokens."""
    tokens = [str(uuid.uuid4()) for _ in range(JOBS)]
    keys = [{"type": "heartbeat", "token": token, "period": "30s", "grace": "15s"} for token in tokens]
    return [Monitor(f"{Group.HEALTHY}-{9_000 + number}-heartbeat", Group.HEALTHY, one) for number, one in enumerate(keys)], tokens


def configuration(monitors: list[Monitor], channels: dict[str, Any], disk: Path, port: int) -> dict[str, Any]:
    """The whole of it: everything at its default, but for what is measured."""
    quick = {"confirm": 2, "confirm_every": "1s", "recover": 2}
    return {
        "log": {"file": str(disk / "vigie.log")},
        "store": str(disk / "vigie.db"),
        "state": str(disk / "state"),
        "llm": {"provider": "none"},
        "control": [],
        "web": {"listen": f"127.0.0.1:{port}"},
        "notify": channels,
        "alerts": {
            "default": {"to": ["calm"]},
            str(Group.HEALTHY): {"to": ["calm"]},
            str(Group.SCRIPTED): {**quick, "group": "off", "to": ["mail", "hook"]},
            str(Group.HOSTILE): {"to": ["calm"]},
        },
        "monitors": [one.entry() for one in monitors],
    }


@contextlib.contextmanager
def running(folder: Path, disk: Disk | None, where: Path, config: dict[str, Any], tap: Path) -> Iterator[Program]:
    """Serve it, its files in `where`, its checks written down at `tap`."""
    port = int(config["web"]["listen"].rpartition(":")[2])
    (folder / "vigie.yaml").write_text(json.dumps(config))
    here = Path(__file__).parent
    paths = [str(here / "tap"), str(here.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "VIGIE_SOAK_TAP": str(tap), "PYTHONPATH": os.pathsep.join(paths)}
    command = [*(disk.prefix if disk else []), *VIGIE, "serve", "-c", str(folder / "vigie.yaml")]
    where.mkdir(exist_ok=True)
    with (folder / "console").open("wb") as console:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=console, env=environment)
    try:
        yield Program(process, wait_for_prober(process.pid, port), port, folder / "console")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def a_port() -> int:
    """One that is free for the page."""
    return free_port()
