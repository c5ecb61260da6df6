"""`vigie once`: one whole cycle over every monitor."""

import asyncio
import logging
from dataclasses import dataclass, replace

from vigie.adapters import jobs, open_store, pinged, probed, store_exists
from vigie.agent import probe_or_fault
from vigie.app import Runtime, at_work, heartbeats
from vigie.config import Desired, DesiredMonitor
from vigie.core.model import CheckResult, Monitor, Status
from vigie.descriptors import raise_limit
from vigie.engine.heartbeats import verdict
from vigie.engine.janitor import apply_commands, compact_for
from vigie.engine.loop_monitor import monitored_loop
from vigie.engine.outbox import Unsent
from vigie.engine.rechecks import rechecks
from vigie.engine.retry import still_lacking
from vigie.engine.watchdog import Watchdog
from vigie.observation.check_spec import CheckSpec
from vigie.observation.heartbeat import Job
from vigie.ports import Batch, Clock, Probe, RunMode
from vigie.text.formatting import counted

log = logging.getLogger("vigie.app")

_AT_ONCE = 64
_COMPACT_SECONDS = 2.0  # at the end of a cycle; what is left is done by the next one
_DRAIN_MS = 20_000


@dataclass(frozen=True, slots=True)
class Cycle:
    """What a whole cycle came to: notices that were not delivered, and by name the monitors that could not be checked, each with why."""

    unsent: Unsent
    unchecked: tuple[tuple[str, str], ...] = ()


async def once(settings: Desired, clock: Clock) -> Cycle:
    """One whole cycle: check, confirm by quick re-checks, decide, report, tell."""
    raise_limit()
    async with at_work(settings, clock) as duty:
        runtime = Runtime(settings, clock, hold_ms=settings.llm.deadline_ms, threads=False, duty=duty)
        try:
            return await _cycle(runtime)
        finally:
            await runtime.close()


async def _cycle(runtime: Runtime) -> Cycle:
    await runtime.start()
    run = await runtime.store.ledger.next_run()
    counter = iter(range(1, 1_000_000_000))
    unchecked: dict[str, str] = {}  # by monitor, why its last check told nothing
    slots = asyncio.Semaphore(_AT_ONCE)
    reporting = asyncio.create_task(runtime.reporter.run())

    async def check(spec: CheckSpec, probe: Probe) -> None:
        async with slots:
            log.info("%s: checking %s", spec.name, spec.target)
            result = await loop_monitor.run_check_with_retry(probe, spec)
        number = next(counter)
        unchecked.pop(spec.monitor, None)
        if result.status is Status.UNKNOWN:
            unchecked[spec.monitor] = result.message
        named = replace(result, monitor=spec.monitor, location=spec.location, run=run, sequence=number)
        await runtime.ingest.take(Batch(spec.monitor, run, number, (named,), RunMode.SINGLE))

    async def cycle(one: DesiredMonitor) -> None:
        spec, detection = one.spec, one.monitor.detection
        probe = probe_or_fault(spec, runtime.deps)
        await check(spec, probe)
        for _ in range(rechecks(detection)):
            if not (runtime.ingest.state(spec.monitor).quick or probe.unsure):
                return
            await runtime.clock.sleep(detection.confirm_every_ms / 1000)
            await check(spec, probe)

    try:
        await apply_commands(runtime.store.inbox, runtime.ingest)
        await runtime.ingest.wake(runtime.clock.now())
        await _judge_jobs(runtime)
        async with monitored_loop(runtime.clock) as loop_monitor:
            await asyncio.gather(*(cycle(one) for one in probed(runtime.settings)))
        await runtime.reporter.idle()
        await runtime.announce_dates()
        await apply_commands(runtime.store.inbox, runtime.ingest)  # what came meanwhile: whoever asked was promised that it would be done
        unsent = await _drained(runtime)
        await compact_for(runtime.store.history, runtime.clock, runtime.settings.history, _COMPACT_SECONDS)
        names = {one.monitor.id: one.monitor.name for one in runtime.settings.monitors}
        return Cycle(unsent, tuple((names[one], unchecked[one]) for one in names if one in unchecked))
    finally:
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)


async def _drained(runtime: Runtime) -> Unsent:
    """Send what is unsent, and tell the watchdog. What earlier runs gave up counts as unsent while the trouble it was about lasts."""
    await runtime.ingest.end_gathering()
    await runtime.retry_unsent(everything=True)
    lacking = await still_lacking(runtime.store.ledger, runtime.store.archive, runtime.settings.channels)
    unsent = await runtime.outbox.drain(runtime.clock.now() + _DRAIN_MS)
    found = Unsent(unsent.waiting, unsent.given_up + lacking)
    await _reported(runtime, found)
    return found


async def _reported(runtime: Runtime, unsent: Unsent) -> None:
    """The heartbeat of a cycle that did all it should: another watcher is to notice by its silence that one did not, or never ran."""
    wanted = runtime.settings.watchdog
    if wanted is None:
        return

    async def why_not() -> str:
        return f"not delivered: {counted(unsent, 'notice', 'en')}" if unsent else ""

    watchdog = Watchdog(runtime.clock, why_not)
    watchdog.use(lambda: pinged(runtime.settings, runtime.clock, wanted.url), wanted.every_ms)
    await watchdog.beat()


async def _judge_jobs(runtime: Runtime) -> None:
    """Jobs, by what `vigie ping` left."""
    if watched := jobs(runtime.settings):
        judging = heartbeats(runtime, runtime.ingest.take)
        paused_since = await runtime.self_monitor.paused_since()
        await judging.start(watched, await runtime.store.ledger.next_run(), listening=False, deaf_since=paused_since)
        await judging.tick()
        await judging.stop()


async def judged(settings: Desired, clock: Clock) -> list[tuple[Monitor, CheckResult]]:
    """What is to be said of the jobs that report in, by what the store knows; nothing is written."""
    watched, known = jobs(settings), dict[str, Job]()
    if watched and store_exists(settings):
        store = open_store(settings, clock)
        try:
            known = await store.inbox.jobs()
        finally:
            await store.close()
    return [(one.monitor, verdict(one.monitor.id, known.get(one.monitor.id), one.expected, clock.now())) for one in watched]
