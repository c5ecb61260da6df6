"""A job that reports in: Vigie waits for it, at `/ping/<token>` of `vigie serve` or by `vigie ping`. docs/heartbeat.md shows how.

Nothing is probed here: the pings arrive where they are kept, and that is where a job is judged (engine/heartbeats.py).
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from vigie.core.model import Cause, CheckResult, Status
from vigie.net import SHOWN, Secret
from vigie.observation.heartbeat import Expected
from vigie.planning.duration import Duration
from vigie.ports import Clock, Traits
from vigie.probes.kit.deps import ProbeDeps

# A ping is proof: asking again would confirm nothing, so one result opens an incident and one closes it.
TRAITS = Traits(passive=True, conclusive=True, network=False, tcp=False)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,64}(?:/[A-Za-z0-9_-]{1,100})?")
_ACTION = re.compile(r"start|fail|log|[0-9]+")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_HOUR_MS = 3_600_000
_EARLY_MS = 5_000  # the job's clock may be ahead of ours: what comes so much before its instant is the ping of that instant


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A job that reports in. Its first ping is expected one period after Vigie knows of it; `confirm` and `recover` do not apply."""

    token: Annotated[
        Secret | None,
        msgspec.Meta(
            description="Secret part of the job's address, `/ping/<token>`: 8 to 64 letters, digits, `-` and `_`; a UUID is best. "
            "`<ping key>/<slug>` is accepted too, as Healthchecks has it.",
            examples=["${BACKUP_TOKEN}"],
        ),
    ] = None
    period: Annotated[Duration | None, msgspec.Meta(description="Longest time from one ping to the next.", examples=["1d"])] = None
    cron: Annotated[
        str | None,
        msgspec.Meta(description="The job's schedule, as its crontab has it, instead of `period`.", examples=["30 2 * * *"], extra=SHOWN),
    ] = None
    timezone: Annotated[
        str | None, msgspec.Meta(description="Time zone of `cron`; required with it.", examples=["Europe/Paris", "UTC"], extra=SHOWN)
    ] = None
    grace: Annotated[
        Duration | None,
        msgspec.Meta(
            description="How late a ping may be, including the job's run time; by default one hour, or `period` if that is shorter.",
            examples=["10m"],
        ),
    ] = None
    max_runtime: Annotated[
        Duration | None,
        msgspec.Meta(description="Longest run of a job that reports its start; `grace` if not set.", examples=["2h"]),
    ] = None
    late_status: Annotated[Literal["degraded", "down"], msgspec.Meta(description="Status of a run that takes too long.")] = "down"

    def __post_init__(self) -> None:
        """Raise ValueError for a job that could not be waited for; a token is proposed where none is given."""
        if self.token is None:
            raise ValueError(f"a heartbeat needs a `token`; here is a new one: {uuid.uuid4()}")
        token = self.token.reveal()
        if not _TOKEN.fullmatch(token):
            raise ValueError("a token is 8 to 64 letters, digits, `-` and `_`; or such a key, a slash and a name")
        if _ACTION.fullmatch(token.partition("/")[2]):
            raise ValueError("the name behind a token's slash cannot be `start`, `fail`, `log` or a number: they are endings of an address")
        if _UUID.fullmatch(token):  # RFC 9562 §4: capital letters mean the same, in addresses too
            msgspec.structs.force_setattr(self, "token", Secret(token.lower()))
        if (self.period is None) is (self.cron is None):
            raise ValueError("write either `period` or `cron`")
        if self.period is not None and self.period < 1_000:
            raise ValueError("`period` is at least 1s")
        if self.cron is not None:
            _check_cron(self.cron, self.timezone)
        elif self.timezone is not None:
            raise ValueError("`timezone` belongs to `cron`")

    @property
    def target(self) -> str:
        """When pings are due; the address is a secret."""
        return f"every {self.period}" if self.cron is None else f"{self.cron} ({self.timezone})"

    @property
    def host(self) -> str:
        """Empty: jobs report to Vigie."""
        return ""

    def expected(self) -> Expected:
        """When pings are due, ready for use."""
        period = int(self.period or _HOUR_MS)
        grace = int(self.grace) if self.grace is not None else min(period, _HOUR_MS)
        after: Callable[[int], int] = partial(_period_after, period)
        if self.cron is not None and self.timezone is not None:
            after = partial(_cron_after, self.cron, ZoneInfo(self.timezone))
        longest = grace if self.max_runtime is None else int(self.max_runtime)
        return Expected(self.target, after, grace, longest, Status(self.late_status))


def _check_cron(line: str, zone: str | None) -> None:
    from cronsim import CronSim, CronSimError

    if zone is None:
        raise ValueError("`cron` needs the `timezone` of the machine that runs the job, such as Europe/Paris or UTC")
    try:
        known = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{zone!r} is not a time zone; write Europe/Paris or UTC") from None
    try:
        next(CronSim(line, datetime.fromtimestamp(0, known)))
    except (CronSimError, StopIteration) as error:
        raise ValueError(f"{line!r} is not a cron schedule ({str(error).lower() or 'it never comes'}); write 30 2 * * *") from None


def _period_after(period_ms: int, at: int) -> int:
    return at + period_ms


def _cron_after(line: str, zone: ZoneInfo, at: int) -> int:
    """The next instant of the schedule, over changes of the clocks as Debian's cron has it; far away when it never comes again."""
    from cronsim import CronSim

    moment = next(CronSim(line, datetime.fromtimestamp((at + _EARLY_MS) / 1000, zone)), None)
    return at + 100 * 366 * 24 * _HOUR_MS if moment is None else round(moment.timestamp() * 1000)


def build(config: Config, deps: ProbeDeps) -> "Elsewhere":
    """The probe that every kind must have; no agent runs it."""
    del config
    return Elsewhere(deps.clock)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """There is nothing to check from here."""

    clock: Clock

    async def check(self, timeout_ms: int) -> CheckResult:  # noqa: ARG002 - the port's signature
        """Say so."""
        words = "a heartbeat is evaluated by `vigie serve` or `vigie once`, where its pings are stored"
        return CheckResult("", self.clock.now(), Status.UNKNOWN, Cause.PROBE_ERROR, words)
