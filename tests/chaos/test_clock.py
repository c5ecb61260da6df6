"""The clock of a part is really set: in the process that Vigie's clock runs in, while it runs, and nothing else moves."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.chaos.clock import WallClock

_TELL = """
import logging, sys, time
from vigie.clock import SystemClock
clock = SystemClock()
for _ in sys.stdin:
    made = logging.LogRecord("", 0, "", 0, "", None, None).created
    print(clock.now(), round(time.time() * 1000), round(made * 1000), clock.monotonic(), flush=True)
"""


def test_a_process_sees_its_clock_set_while_it_runs(tmp_path: Path) -> None:
    clock = WallClock(tmp_path / "clock")
    environment = {**os.environ, **clock.environment}
    with subprocess.Popen([sys.executable, "-P", "-c", _TELL], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        steady = time.monotonic()
        for ahead in (0, 40_000, -40_000, 7_200_000, -7_200_000, 0):
            clock.set(ahead)
            began = time.time() * 1000
            process.stdin.write(b"\n")
            process.stdin.flush()
            *walls, monotonic = process.stdout.readline().split()
            for wall in walls:
                assert began - 1 <= int(wall) - ahead <= time.time() * 1000 + 1
            assert steady <= float(monotonic) <= time.monotonic()
        process.stdin.close()
        assert process.wait(10) == 0


def test_a_process_that_is_started_later_begins_with_the_clock_as_it_is_set(tmp_path: Path) -> None:
    clock = WallClock(tmp_path / "clock")
    clock.set(-7_200_000)
    code = "import time; print(time.time())"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **clock.environment}, capture_output=True, text=True, check=True)
    assert abs(float(done.stdout) + 7_200 - time.time()) < 30
