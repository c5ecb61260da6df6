"""Jobs that report in: a ping is on the disk before it is answered; jobs are judged when one comes, when one is due, and now and then.

What comes out are results like those of any probe; they go to ingest the same way.
"""

import asyncio
import hashlib
import logging
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from vigie.core.model import Cause, CheckResult, FaultScope, Monitor, Status
from vigie.engine.own_link import OwnLink
from vigie.engine.reconcile import Prepared
from vigie.engine.trouble import Trouble
from vigie.errors import StoreError
from vigie.net import NO_SECRETS, Secret, Secrets, redact
from vigie.observation import heartbeat
from vigie.observation.heartbeat import Expected, Finding, Job, Ping, Reason, Signal
from vigie.ports import Answer, Batch, Clock, Commit, Inbox, PingUpdate
from vigie.report.wording import job_line

log = logging.getLogger("vigie.heartbeats")

BODY_BYTES = 10_000
_TICK_SECONDS = 1.0
_DEAF_MS = 5_000  # between two ticks: the machine slept, the clock stepped, or nothing here ran
_STAMP_MS = 30_000
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_BURST, _A_SECOND = 30.0, 1.0  # pings of one job

_ADVICE = {
    Cause.HEARTBEAT_MISSED: "Read the log of the job and of its scheduler; check that it can reach its address (`vigie ping` lists it).",
    Cause.HEARTBEAT_LATE: "Check whether the job hangs, or needs a larger `max_runtime`.",
    Cause.HEARTBEAT_FAILED: "Read the job's log; `vigie incidents show` has the output it sent.",
}


@dataclass(frozen=True, slots=True)
class Watched:
    """One job: its monitor, the secret of its address, when it is expected."""

    monitor: Monitor
    token: Secret
    expected: Expected


@dataclass(slots=True)
class _Rate:
    """A bucket that holds `left` pings and fills with time."""

    at: float
    left: float = _BURST

    def allows(self, now: float) -> bool:
        self.left = min(self.left + (now - self.at) * _A_SECOND, _BURST)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A ping on its way to the disk."""

    monitor: str
    ping: Ping
    number: int | None
    written: asyncio.Future[None]


class Heartbeats:
    """Hears, judges and publishes. `fault` asks whether our own link is broken; `hidden` are secrets that no body may keep.

    `relay`: it hears alone, and leaves pings in the inbox for the server that judges.
    """

    def __init__(
        self,
        inbox: Inbox,
        clock: Clock,
        publish: Callable[[Batch], Awaitable[None]],
        fault: Callable[[], Awaitable[Cause | None]] | None = None,
        hidden: Secrets = NO_SECRETS,
        *,
        relay: bool = False,
    ) -> None:
        self._relay = relay
        self._trouble = Trouble(log, "jobs could not be evaluated")
        self._inbox, self._clock, self._publish = inbox, clock, publish
        self._link = OwnLink(fault, clock)
        self._hidden = hidden
        self._key = secrets.token_bytes(16)
        self._watched: dict[str, Watched] = {}
        self._by_token: dict[bytes, str] = {}
        self._jobs: dict[str, Job] = {}
        self._next: dict[str, int] = {}
        self._missed: set[str] = set()
        self._rates: dict[str, _Rate] = {}
        self._arrivals: list[_Arrival] = []
        self._writer: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()  # held from reading a job until its change is on the disk, so that no ping is overwritten
        self._fresh: list[CheckResult] = []
        self._wake = asyncio.Event()
        self._working = False
        self._ticked_at = self._stamped_at = 0
        self._results = self._run = self._sequence = 0

    async def start(self, watched: Iterable[Watched], run: int, *, listening: bool, deaf_since: int | None = None) -> None:
        """Take up the jobs as they were left. `listening`: pings come over the network, and since the last time none could.

        `deaf_since`: since then, epoch ms, no ping could be left either, since this machine stood still.
        """
        self._run, self._results = run, 0
        self._jobs = await self._inbox.jobs()
        await self.use(watched)
        now = self._clock.now()
        self._ticked_at = now
        if self._relay:
            pass  # the one that judges says when somebody listened
        elif listening:
            self._link.worked_at = await self._inbox.link_worked()
            last = await self._inbox.listened()
            if last is not None:
                await self._deafen(last, now)
            await self._stamp(now)
        elif deaf_since is not None:
            await self._deafen(deaf_since, now)
        self._working = True

    async def use(self, watched: Iterable[Watched]) -> None:
        """Wait for exactly these from now on: `prepare` by itself. Raises StoreError, and nothing has changed."""
        async with self.prepare(watched, self._hidden) as prepared:
            if prepared.change.jobs:
                await self._inbox.record_pings([PingUpdate(job) for job in prepared.change.jobs])
            prepared.swap()

    @asynccontextmanager
    async def prepare(self, watched: Iterable[Watched], hidden: Secrets) -> AsyncIterator[Prepared]:
        """Make ready to wait for exactly these. No ping is taken in until the context ends."""
        now, wanted = self._clock.now(), {one.monitor.id: one for one in watched}
        async with self._turn:
            begun = {name: heartbeat.begun(self._jobs.get(name), name, one.expected, now) for name, one in wanted.items()}
            by_token = {self._digest(one.token.reveal()): name for name, one in wanted.items()}

            def swap() -> None:
                self._watched, self._jobs, self._by_token, self._hidden = wanted, begun, by_token, hidden
                self._next = dict.fromkeys(begun, now)
                self._rates = {name: rate for name, rate in self._rates.items() if name in begun}
                self._missed &= begun.keys()

            changed = () if self._relay else tuple(job for name, job in begun.items() if self._jobs.get(name) != job)
            yield Prepared(Commit(jobs=changed), swap)

    def _digest(self, token: str) -> bytes:
        """Keyed, so that the time of a look-up tells nothing about the tokens there are."""
        spelt = token.lower() if _UUID.fullmatch(token) else token  # RFC 9562 §4: capital letters mean the same
        return hashlib.blake2b(spelt.encode("utf-8", "replace"), key=self._key, digest_size=16).digest()

    def knows(self, token: str) -> bool:
        """Whether a body that comes with this token is worth reading."""
        return not self._working or self._digest(token) in self._by_token

    async def receive(self, token: str, ping: Ping) -> Answer:
        """A ping from the network, its time still open. It is on the disk when the answer says so."""
        if not self._working:
            return Answer.NOT_NOW
        monitor = self._by_token.get(self._digest(token))
        if monitor is None:
            return Answer.UNKNOWN
        now = self._clock.monotonic()
        if not self._rates.setdefault(monitor, _Rate(now)).allows(now):
            return Answer.TOO_MANY
        body = await asyncio.to_thread(redact, ping.body, self._hidden) if ping.body else ""
        heard = replace(ping, at=self._clock.now(), body=body)
        try:
            await (self._inbox.enqueue_ping(monitor, heard) if self._relay else self._heard(monitor, heard, None))
        except StoreError as error:
            log.error("a ping could not be stored (%s): %s. %s", error.fault, error, error.fix)  # noqa: TRY400 - the trace says nothing more
            return Answer.NOT_NOW
        return Answer.TAKEN

    async def _heard(self, monitor: str, ping: Ping, number: int | None) -> None:
        """Write it; what comes meanwhile is written together. Raises StoreError."""
        arrival = _Arrival(monitor, ping, number, asyncio.get_running_loop().create_future())
        self._arrivals.append(arrival)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await arrival.written

    async def _write(self) -> None:
        while self._arrivals:
            async with self._turn:
                arrivals, self._arrivals = self._arrivals, []
                jobs = dict(self._jobs)
                hearings = [hearing for one in arrivals if (hearing := self._hearing(jobs, one)) is not None]
                try:
                    await self._inbox.record_pings(hearings)
                except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits must hear of it
                    for one in arrivals:
                        if not one.written.done():
                            one.written.set_exception(error)
                    continue
                self._adopt(hearings)
            for one in arrivals:
                if not one.written.done():
                    one.written.set_result(None)

    def _hearing(self, jobs: dict[str, Job], arrival: _Arrival) -> PingUpdate | None:
        """What one ping makes of its job; `jobs` go along."""
        watched, job, ping = self._watched.get(arrival.monitor), jobs.get(arrival.monitor), arrival.ping
        if watched is None or job is None:
            return None
        # What another process left may be older than what was heard since: it is kept, but it changes nothing any more.
        overtaken = arrival.number is not None and ping.at < (job.ended_at or 0) <= self._clock.now()
        after = job if overtaken else heartbeat.heard(job, ping, watched.expected)
        jobs[arrival.monitor] = after
        return PingUpdate(after, ping, arrival.number)

    def _adopt(self, hearings: Iterable[PingUpdate]) -> None:
        """What is on the disk holds. Each end of a run is a result of its own: a failure is told even where a success follows at once."""
        now = self._clock.now()
        for one in hearings:
            name = one.job.monitor
            watched = self._watched.get(name)
            if watched is None or one.ping is None:
                continue  # a new configuration came meanwhile
            changed, self._jobs[name], self._next[name] = self._jobs.get(name) != one.job, one.job, now
            if changed and one.ping.signal in (Signal.SUCCESS, Signal.FAIL):
                finding = heartbeat.judge(one.job, watched.expected, now)
                self._fresh.append(_result(name, finding, now))
            log.info("%s: the job reports %s", watched.monitor.name, one.ping.signal)
        self._wake.set()

    async def run(self) -> None:
        """Listen and judge for ever."""
        await self._link.fault()  # whether it works as long as all is well is worth knowing later
        while True:
            await self.tick()
            try:
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def tick(self) -> None:
        """Take in what was left, judge whom it is time for, publish."""
        now = self._clock.now()
        before, self._ticked_at = self._ticked_at, now
        if not self._watched or not self._working:
            return
        with self._trouble.noted():
            if now - before > _DEAF_MS:
                await self._deafen(before, now)
            await self._take_waiting()
            if self._stamped_at and not 0 <= now - self._stamped_at < _STAMP_MS:
                await self._stamp(now)
            if span := await self._link.watch(overdue=any(self._due(name, now) <= now for name in self._jobs)):
                await self._deafen(*span)
            await self._look(now)

    async def stop(self) -> None:
        """Hear no more, and say until when somebody listened."""
        self._working = False
        if self._writer is not None:
            await self._writer
        if self._stamped_at:
            await self._stamp(self._clock.now())

    async def _stamp(self, now: int) -> None:
        await self._inbox.listening(now, self._link.worked_at)
        self._stamped_at = now

    async def _take_waiting(self) -> None:
        for number, monitor, ping in await self._inbox.waiting_pings():
            if monitor in self._watched:
                await self._heard(monitor, ping, number)

    async def unheard(self, start: int, end: int) -> None:
        """Our own link was broken from `start` to `end`, as other checks found. Raises StoreError."""
        await self._deafen(start, end)

    async def _deafen(self, start: int, end: int) -> None:
        """Nothing was heard from `start` to `end`."""
        if start < end and self._jobs:
            await self._change(dict.fromkeys(self._jobs, (start, end)))
            log.warning("no ping could be received for %.0f s; jobs due in that time are not marked as failed", (end - start) / 1000)

    async def _change(self, deaf: dict[str, tuple[int, int]]) -> None:
        async with self._turn:
            after = {
                name: heartbeat.deafened(self._jobs[name], self._watched[name].expected, *span)
                for name, span in deaf.items()
                if name in self._jobs
            }
            changed = {name: job for name, job in after.items() if self._jobs[name] != job}
            if changed:
                await self._inbox.record_pings([PingUpdate(job) for job in changed.values()])
                self._jobs.update(changed)

    async def _look(self, now: int) -> None:
        due = [name for name, at in self._next.items() if at <= now]
        missed = {name for name in due if self._judged(name, now).cause is Cause.HEARTBEAT_MISSED} - self._missed
        own = await self._link.fault() if missed else None
        if own is not None:  # they may have reported in vain
            await self._change({name: (self._due(name, now) - 1, now) for name in missed if name in self._jobs})
        # From here on nothing is waited for: what is said of a job must not be older than the ping that came last.
        results, self._fresh = self._fresh, []
        for name in due:
            if (watched := self._watched.get(name)) is not None:
                found = self._judged(name, now)
                if own is not None and name in missed and found.status is Status.UNKNOWN:
                    found = replace(found, cause=own, reason=Reason.UNREACHABLE)
                results += self._noted(watched, found, now)
        if results:
            await self._tell(results)

    def _judged(self, name: str, now: int) -> Finding:
        return heartbeat.judge(self._jobs[name], self._watched[name].expected, now)

    def _due(self, name: str, now: int) -> int:
        return heartbeat.due_at(self._jobs[name], self._watched[name].expected, now)

    def _noted(self, watched: Watched, found: Finding, now: int) -> list[CheckResult]:
        """When to look again, and the result, if there is something to say already."""
        name, regular = watched.monitor.id, now + watched.monitor.every_ms
        self._next[name] = min(regular, found.look_at or regular)
        (self._missed.add if found.cause is Cause.HEARTBEAT_MISSED else self._missed.discard)(name)
        return [] if found.status is None else [_result(name, found, now)]

    async def _tell(self, results: list[CheckResult]) -> None:
        numbered = []
        for one in results:
            self._results += 1
            numbered.append(replace(one, run=self._run, sequence=self._results))
        self._sequence += 1
        await self._publish(Batch("heartbeats", self._run, self._sequence, tuple(numbered)))


def verdict(monitor: str, job: Job | None, expected: Expected, now: int) -> CheckResult:
    """What is to be said of a job at this instant, for who looks on from outside."""
    finding = Finding(None) if job is None else heartbeat.judge(job, expected, now)
    if finding.status is None:
        finding = Finding(Status.UNKNOWN, Cause.PROBE_ERROR, Reason.NOT_YET if job is None else Reason.NOT_DUE)
    return _result(monitor, finding, now)


def _result(monitor: str, finding: Finding, now: int) -> CheckResult:
    """No phases: how long a job ran (`took_ms`) is not how long a check took."""
    return CheckResult(
        monitor,
        now,
        finding.status or Status.UNKNOWN,
        finding.cause,
        job_line(finding),
        figures=finding.figures or {},
        advice=(_ADVICE[finding.cause],) if finding.cause in _ADVICE else (),
        scope=FaultScope.TARGET if finding.cause is Cause.PROBE_ERROR else None,  # nothing is wrong: there is nothing to judge yet
    )
