"""Heartbeats: jobs that report in. What a ping changes, and what is to be said of a job at an instant; epoch ms and ms throughout.

Laws
1. A ping is due at `Expected.after` the last end of a run, and `grace_ms` later it is missed. A start that was told in time gives the
   run its own allowance first; a start alone never puts a missed ping right.
2. A run that was started and did not end within its allowance is late, until a later run ends well.
3. A job whose run ended in failure has failed, until a run ends well or the next ping is missed.
4. What could not be heard is never held against a job: a ping that may have come in a deaf span makes it unknown until the next one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from vigie.core.model import Cause, Scalar, Status

_SLACK_MS = 60_000  # a ping may come so much before it is due
_MAX_RUNS = 20


class Signal(StrEnum):
    """What a job reports."""

    START = "start"
    SUCCESS = "success"
    FAIL = "fail"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Ping:
    """One ping. `run` pairs a start with its end; `took_ms` is what the job measured itself; `body` has no secrets any more."""

    at: int
    signal: Signal
    run: str = ""
    exit_status: int | None = None
    took_ms: float | None = None
    body: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was started and has not ended. Its time counts from `since`: later than `at` where its end may have gone unheard."""

    run: str
    at: int
    since: int


@dataclass(frozen=True, slots=True)
class Expected:
    """When pings are due: `after` gives the instant after the one given. `longest_ms` is a run's allowance, `late` what more means.

    `schedule` names the rule: when it changes, everything counts anew.
    """

    schedule: str
    after: Callable[[int], int]
    grace_ms: int
    longest_ms: int
    late: Status = Status.DOWN


@dataclass(frozen=True, slots=True)
class Job:
    """All that is remembered of a job.

    `since` is the earliest instant that counts, `ended_at` and `ended` the last end of a run, `started_at` the first start after it.
    """

    monitor: str
    since: int
    schedule: str
    ended_at: int | None = None
    ended: Signal | None = None
    started_at: int | None = None
    exit_status: int | None = None
    took_ms: float | None = None
    runs: tuple[Run, ...] = ()
    deaf: bool = False


class Reason(StrEnum):
    """Why a job has its status. The comments name the durations of `Finding.spans`."""

    NEVER_PINGED = "never_pinged"  # since a ping was due
    SILENT = "silent"  # since the last ping; since the next one was due
    OVERRUNNING = "overrunning"  # since the run began; the longest it may take
    FAILED = "failed"
    RUNNING = "running"  # since the run began
    REPORTED = "reported"  # since the last ping
    NOT_LISTENING = "not_listening"
    NOT_YET = "not_yet"  # no ping has come, and nothing is known of the job
    UNREACHABLE = "unreachable"  # no ping can come in: this machine's own link fails
    NOT_DUE = "not_due"  # no ping has come, and none is due


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on a job. `status` None: none yet, the first ping is not due. `look_at` is when that changes by itself.

    `spans` are the durations, ms, that the reason speaks of.
    """

    status: Status | None
    cause: Cause | None = None
    reason: Reason | None = None
    spans: tuple[int, ...] = ()
    figures: dict[str, Scalar] | None = None
    look_at: int | None = None


def begun(job: Job | None, monitor: str, expected: Expected, now: int) -> Job:
    """The job as it is watched from now on: as it was, or counted anew when its schedule is another."""
    if job is None:
        return Job(monitor, now, expected.schedule)
    return job if job.schedule == expected.schedule else replace(job, since=now, schedule=expected.schedule)


def heard(job: Job, ping: Ping, expected: Expected) -> Job:
    """What a ping makes of the job."""
    if ping.signal is Signal.LOG:
        return job
    others = tuple(one for one in job.runs if one.run != ping.run)
    if ping.signal is Signal.START:
        first = ping.at if job.started_at is None else job.started_at
        return replace(job, started_at=first, runs=(*others, Run(ping.run, ping.at, ping.at))[-_MAX_RUNS:])
    mine = next((one for one in job.runs if one.run == ping.run), None)
    if ping.signal is Signal.SUCCESS:  # a run that is late by now was told; that the job works again settles it
        others = tuple(one for one in others if one.since + expected.longest_ms > ping.at)
    took = ping.took_ms if ping.took_ms is not None or mine is None else float(max(ping.at - mine.at, 0))
    ended = replace(job, ended_at=ping.at, ended=ping.signal, exit_status=ping.exit_status, took_ms=took)
    return replace(ended, started_at=None, runs=others, deaf=False)


def due_at(job: Job, expected: Expected, now: int) -> int:
    """When the next ping is due."""
    return expected.after(min(max(job.since, job.ended_at or 0), now))  # a clock that was set back must not put it off for ever


def deafened(job: Job, expected: Expected, start: int, end: int) -> Job:
    """Nothing could be heard from `start` to `end`: what may have come then is not held against the job."""
    due = due_at(job, expected, start)
    lost = due - min(expected.grace_ms, _SLACK_MS) <= end and _missed_at(job, expected, due) > start
    runs = tuple(replace(one, since=max(one.since, end)) if one.since + expected.longest_ms > start else one for one in job.runs)
    return replace(job, runs=runs, since=end if lost else job.since, deaf=job.deaf or lost)


def _missed_at(job: Job, expected: Expected, due: int) -> int:
    in_time = job.started_at is not None and job.started_at < due + expected.grace_ms
    return due + expected.grace_ms + (expected.longest_ms if in_time else 0)


def judge(job: Job, expected: Expected, now: int) -> Finding:
    """What is to be said of the job at `now`."""
    due = due_at(job, expected, now)
    missed_at = _missed_at(job, expected, due)
    ends = [one.since + expected.longest_ms for one in job.runs]
    look_at = min((at for at in (missed_at, *ends) if at > now), default=None)
    late = [one for one, end in zip(job.runs, ends, strict=True) if end <= now]
    if missed_at <= now:
        found = _missed(job, due, now)
    elif late:
        found = _late(late[0], expected, now)
    elif job.deaf:
        found = Finding(Status.UNKNOWN, Cause.PROBE_ERROR, Reason.NOT_LISTENING)
    elif job.ended is Signal.FAIL:
        found = _failed(job)
    elif job.ended is Signal.SUCCESS or job.runs:
        found = _well(job, now)
    else:
        found = Finding(None)
    return replace(found, look_at=look_at)


def _missed(job: Job, due: int, now: int) -> Finding:
    last = job.ended_at
    figures: dict[str, Scalar] = {"silent_ms": max(now - (job.since if last is None else last), 0), "overdue_ms": now - due}
    if last is None:
        return Finding(Status.DOWN, Cause.HEARTBEAT_MISSED, Reason.NEVER_PINGED, (now - due,), figures)
    return Finding(Status.DOWN, Cause.HEARTBEAT_MISSED, Reason.SILENT, (now - last, now - due), figures)


def _late(run: Run, expected: Expected, now: int) -> Finding:
    figures: dict[str, Scalar] = {"running_ms": now - run.at, "longest_ms": expected.longest_ms}
    return Finding(expected.late, Cause.HEARTBEAT_LATE, Reason.OVERRUNNING, (now - run.at, expected.longest_ms), figures)


def _failed(job: Job) -> Finding:
    code = job.exit_status
    figures = _took(job) | ({} if code is None else {"exit_status": code})
    return Finding(Status.DOWN, Cause.HEARTBEAT_FAILED, Reason.FAILED, figures=figures)


def _well(job: Job, now: int) -> Finding:
    reason, since = (Reason.RUNNING, job.runs[-1].at) if job.runs else (Reason.REPORTED, job.ended_at or now)
    return Finding(Status.UP, None, reason, (now - since,), _took(job))


def _took(job: Job) -> dict[str, Scalar]:
    return {} if job.took_ms is None else {"took_ms": round(job.took_ms)}
