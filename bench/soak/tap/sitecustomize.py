"""Imported by every interpreter that finds this folder on its path; in Vigie's prober it writes a line for each check, elsewhere it does nothing.

A line: monitor, ms that the check took, its deadline in ms, ms after its deadline in which the loop's thread was ready and other work had
the processors (Linux, `schedstat`), status, cause, whether this machine voided it. Or `late`, ms after its time at which a check
began, and how many of these other work had. A prober that stands still for some seconds leaves its stack beside them. Two reads of a file in `/proc` and a line in a buffer: some ten µs a check.
"""

import os
import sys
import time
from collections.abc import Callable

_STILL_SECONDS = 5.0
_WHERE = os.environ.get("VIGIE_SOAK_TAP")


def _watch(where: str, last: Callable[[], object]) -> None:
    """Say where the loop is, should it start and end no check for so long."""
    import faulthandler

    first = known = last()  # until the first check it is being made ready
    while True:
        time.sleep(_STILL_SECONDS)
        if last() is known is not first:
            with open(where, "a") as stack:  # noqa: PTH123 - as above
                faulthandler.dump_traceback(stack)
        known = last()


def _install(where: str) -> None:
    import threading
    from collections import deque

    from vigie.core.model import CheckResult, FaultScope
    from vigie.engine.loop_monitor import LoopMonitor
    from vigie.engine.prober import Lateness
    from vigie.observation.check_spec import CheckSpec
    from vigie.ports import Probe

    lines = open(f"{where}.{os.getpid()}", "w", buffering=65_536)  # noqa: SIM115, PTH123 - as long as the process
    seen: deque[tuple[float, float]] = deque([(time.perf_counter(), 0.0)], maxlen=4_096)
    stat = os.open("/proc/thread-self/schedstat", os.O_RDONLY) if sys.platform == "linux" else -1
    run_check, add = LoopMonitor.run_check, Lateness.add

    def starved() -> float:
        """Seconds in which this thread waited for a processor."""
        waited = int(os.pread(stat, 64, 0).split()[1]) / 1e9 if stat >= 0 else 0.0
        seen.append((time.perf_counter(), waited))
        return waited

    def since(instant: float) -> float:
        """Seconds in which it waited since then, as near as the moments tell at which anybody looked."""
        waited = starved()
        return waited - next((other for at, other in reversed(seen) if at <= instant), waited)

    async def timed(self: LoopMonitor, probe: Probe, spec: CheckSpec) -> CheckResult:
        starved()
        began = time.perf_counter()
        result = await run_check(self, probe, spec)
        took = time.perf_counter() - began
        waited = since(began + spec.timeout_ms / 1000) if took * 1000 > spec.timeout_ms else 0.0
        voided = result.scope is FaultScope.MACHINE
        lines.write(
            f"{spec.name}\t{took * 1000:.1f}\t{spec.timeout_ms}\t{waited * 1000:.1f}\t{result.status}\t{result.cause}\t{voided:d}\n"
        )
        return result

    def noted(self: Lateness, ms: int) -> None:
        lines.write(f"late\t{ms}\t{since(time.perf_counter() - ms / 1000) * 1000:.1f}\n")
        add(self, ms)

    threading.Thread(target=_watch, args=(f"{where}.{os.getpid()}.stack", lambda: seen[-1]), daemon=True).start()
    LoopMonitor.run_check, Lateness.add = timed, noted  # type: ignore[method-assign]


if _WHERE and "vigie.agent" in sys.orig_argv:
    _install(_WHERE)
