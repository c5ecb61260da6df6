"""What happens when: outages of the scripted monitors, moods of the receivers, spans without disk. Pure: seconds since the beginning."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

CYCLE = 60.0
OUTAGE = 16.0
_FIRST, _SPREAD = 12.0, 10.0
_DISK_CYCLE, _DISK_FIRST, _DISK_LASTS = 120.0, 31.0, 12.0
_MOOD = 8.0
_LOGIN = (70.0, 85.0)
LONG_ENOUGH = 480.0  # of a run: a notice waits five minutes after a refused login


class Group(StrEnum):
    """What is expected of a monitor: always up; down and up by the script; whatever its row of the table says."""

    HEALTHY = "healthy"
    SCRIPTED = "scripted"
    HOSTILE = "hostile"


@dataclass(frozen=True, slots=True)
class Monitor:
    """One monitor: its keys in `vigie.yaml` beside the name, and the statuses that its checks may have (`|` between them)."""

    name: str
    group: Group
    keys: dict[str, Any]
    expected: str = "up"

    def entry(self) -> dict[str, Any]:
        """As `vigie.yaml` has it."""
        return {"name": self.name, "alert": str(self.group), **self.keys}

    def wire(self) -> dict[str, Any]:
        """As it travels between the processes."""
        return asdict(self)


def cycles(seconds: float) -> int:
    """How many outages each scripted monitor has in a run of so many seconds: at least one, and each over well before the end."""
    return max(int(seconds // CYCLE), 1)


def is_down(number: int, at: float, seconds: float) -> bool:
    """Whether the scripted monitor of this number is down `at` seconds after the beginning."""
    cycle, within = divmod(at, CYCLE)
    starts = _FIRST + number * 3.7 % _SPREAD
    return 0 <= cycle < cycles(seconds) and starts <= within < starts + OUTAGE


def disk_is_full(at: float, seconds: float) -> bool:
    """Whether there is no room on the disk: so that some outages begin or end meanwhile, and never at the end."""
    return at >= 0 and at < seconds - 15 and _DISK_FIRST <= at % _DISK_CYCLE < _DISK_FIRST + _DISK_LASTS


# A receiver is well every other time.
MAIL_MOODS = (
    "refuses connections",
    "greylists",
    "stalls",
    "closes at DATA",
    "takes a mail and says nothing",
    "defers for a time",
    "closes after a mail",
)
HOOK_MOODS = ("429", "500", "closes", "stalls", "503")


def mood(moods: tuple[str, ...], at: float, seconds: float) -> str:
    """How a receiver is; empty when it is well, as it always is before the beginning and after the end."""
    turn = int(at // _MOOD)
    return moods[turn // 2 % len(moods)] if 0 <= at < seconds and turn % 2 else ""


def login_is_refused(at: float, seconds: float) -> bool:
    """Whether the mail server takes nobody's password: once, and only in a run that is long enough for what then waits."""
    return seconds >= LONG_ENOUGH and _LOGIN[0] <= at < _LOGIN[1]


@dataclass(frozen=True, slots=True)
class Due:
    """The notices that the script makes due: (monitor, reason, channel) → how many."""

    counts: dict[tuple[str, str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, names: list[str], channels: tuple[str, ...], seconds: float) -> "Due":
        """An opening and a recovery for each outage, by each channel."""
        return cls(
            {(name, reason, channel): cycles(seconds) for name in names for reason in ("opened", "recovered") for channel in channels}
        )

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())
