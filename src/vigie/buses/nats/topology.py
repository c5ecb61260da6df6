"""The stream of results and the bucket of work: made where they are missing, compared where they are there, never changed or deleted."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from vigie.errors import BusError, BusFault
from vigie.fleet.subjects import RESULT_SUBJECTS, RESULTS, WORK, WORK_STREAM
from vigie.net.nats.address import Config
from vigie.net.nats.connection import Connection

log = logging.getLogger("vigie.bus")

_NS: Final = 1_000_000_000
_DUPLICATES: Final = 120 * _NS
_PATIENCE: Final = 20.0
_AGAIN_SECONDS: Final = 0.5
# What a stream cannot do without; anything else that differs works, otherwise than it was asked for.
_NEEDED: Final = frozenset({"subjects", "retention", "max_msgs_per_subject", "no_ack", "discard"})
# What must not be switched on: by a header an agent could delete what others reported, or have the server report for others; or nothing
# could be reported at all. Not asked for when a stream is made: older servers know not all of it.
_OFF: Final = ("allow_rollup_hdrs", "allow_msg_schedules", "allow_msg_counter", "sealed", "subject_transform", "mirror")


@dataclass(frozen=True, slots=True)
class StreamState:
    """How a stream is. `incarnation` is when it was made, `last_at` when it kept its last message, ns since the epoch.

    One without messages has `first` = `last` + 1.
    """

    incarnation: int
    first: int
    last: int
    last_at: int
    messages: int
    bytes: int
    max_bytes: int


def results(config: Config) -> dict[str, Any]:
    """The stream of results: its publishers wait when it is full, and what was evaluated makes room."""
    return {
        "name": RESULTS,
        "description": "Vigie: results of all agents",
        "subjects": [RESULT_SUBJECTS],
        "retention": "limits",
        "storage": "file",
        "discard": "new",
        "num_replicas": config.replicas,
        "max_age": config.max_age * _NS,
        "max_bytes": config.max_bytes or -1,
        "max_msgs": -1,
        "max_msgs_per_subject": -1,
        "max_msg_size": -1,
        "duplicate_window": _DUPLICATES,
        "no_ack": False,
        "allow_direct": True,
    }


def work(config: Config) -> dict[str, Any]:
    """The bucket of work, as key-value stores on JetStream are (ADR-8 of nats-architecture-and-design)."""
    return {
        "name": WORK_STREAM,
        "description": "Vigie: what each agent checks",
        "subjects": [f"$KV.{WORK}.>"],
        "retention": "limits",
        "storage": "file",
        "discard": "new",
        "num_replicas": config.replicas,
        "max_age": 0,
        "max_bytes": -1,
        "max_msgs": -1,
        "max_msgs_per_subject": 1,
        "max_msg_size": -1,
        "duplicate_window": _DUPLICATES,
        "no_ack": False,
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "deny_delete": True,
    }


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting of a stream that is not as it was asked for, in words. `is_fault`: Vigie cannot work with it."""

    stream: str
    what: str
    is_fault: bool

    @property
    def fix(self) -> str:
        """What can be done about it."""
        return f"`nats stream edit {self.stream}` changes it; Vigie changes and deletes nothing"


async def ensure(connection: Connection, config: Config) -> list[Difference]:
    """Have both there; how they differ from what was asked for. A cluster that has just started is waited for. Raises BusError."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _PATIENCE
    while True:
        try:
            return [one for wanted in (results(config), work(config)) for one in await _ensure_one(connection, wanted)]
        except BusError as error:
            if error.permanent or error.fault not in (BusFault.BUSY, BusFault.TIMEOUT, BusFault.UNSUITABLE) or loop.time() >= end:
                raise
            if error.fault is BusFault.UNSUITABLE and not _may_pass(error):
                raise
            await asyncio.sleep(_AGAIN_SECONDS)


async def differences(connection: Connection, config: Config) -> list[Difference] | None:
    """How what is there differs from what was asked for; None where something is missing. Nothing is made. Raises BusError."""
    found: list[Difference] = []
    for wanted in (results(config), work(config)):
        try:
            info = await connection.api(f"STREAM.INFO.{wanted['name']}")
        except BusError as error:
            if not is_missing(error):
                raise
            return None
        found += _differences(wanted, info["config"])
    return found


def _may_pass(error: BusError) -> bool:
    """Servers of a cluster that is starting do not answer, and do not know each other, for some seconds."""
    return "suitable peers" in error.message or "insufficient resources" in error.message


async def _ensure_one(connection: Connection, wanted: Mapping[str, Any]) -> list[Difference]:
    name = wanted["name"]
    try:
        found = await connection.api(f"STREAM.INFO.{name}")
    except BusError as error:
        if not is_missing(error):
            raise
        found = await _made(connection, wanted)
    differing = _differences(wanted, found["config"])
    for one in differing:
        if one.is_fault:
            raise BusError(BusFault.DIFFERENT, f"the stream {name} is there with other settings: {one.what}", one.fix, permanent=True)
    return differing


async def _made(connection: Connection, wanted: Mapping[str, Any]) -> dict[str, Any]:
    name = wanted["name"]
    try:
        found = await connection.api(f"STREAM.CREATE.{name}", wanted)
    except BusError as error:
        if _is(error, "already in use"):  # another server was faster
            return await connection.api(f"STREAM.INFO.{name}")
        if _is(error, "overlap"):
            subjects = " ".join(wanted["subjects"])
            message = f"another stream of this account takes {subjects}: {error.message}"
            raise BusError(
                BusFault.DIFFERENT, message, "give Vigie an account of its own, or change that stream", permanent=True
            ) from error
        raise
    log.info("made the stream %s on the bus", name)
    return found


def is_missing(error: BusError) -> bool:
    """Whether it says that a stream is not there."""
    return _is(error, "stream not found")


def _is(error: BusError, said: str) -> bool:
    return said in error.message


def _differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[Difference]:
    name = wanted["name"]
    needed = _NEEDED | {"max_age"} if name == WORK_STREAM else _NEEDED
    lines = []
    for key, value in wanted.items():
        there = found.get(key, False if isinstance(value, bool) else 0 if value == 0 else None)
        if key != "description" and there != value and not (value == -1 and there in (0, None)):
            lines.append(Difference(name, f"{key} is {_readable(key, there)}, wanted {_readable(key, value)}", key in needed))
    lines += [Difference(name, f"{key} is switched on", is_fault=True) for key in _OFF if found.get(key) and not wanted.get(key)]
    return sorted(lines, key=lambda one: not one.is_fault)


def _readable(key: str, value: Any) -> str:
    if value == -1 or (key == "max_age" and value == 0):
        return "unlimited"
    if key in ("max_age", "duplicate_window") and isinstance(value, int):
        return f"{value // _NS}s"
    return str(value)


async def state(connection: Connection, stream: str = RESULTS) -> StreamState:
    """How a stream is now. Raises BusError."""
    found = await connection.api(f"STREAM.INFO.{stream}")
    now, config = found["state"], found["config"]
    return StreamState(
        _nanoseconds(found["created"]),
        now["first_seq"],
        now["last_seq"],
        _nanoseconds(now["last_ts"]),
        now["messages"],
        now["bytes"],
        config.get("max_bytes", -1),
    )


async def kept_at(connection: Connection, sequence: int, stream: str = RESULTS) -> int | None:
    """When a stream kept a message, ns since the epoch; None where it is gone. Raises BusError."""
    try:
        found = await connection.api(f"STREAM.MSG.GET.{stream}", {"seq": sequence})
    except BusError as error:
        if not _is(error, "no message found"):
            raise
        return None
    return _nanoseconds(found["message"]["time"])


def _nanoseconds(stamp: str) -> int:
    """RFC 3339 with up to nine digits of fraction, as Go writes it."""
    head, _, fraction = stamp.rstrip("Z").partition(".")
    return int(datetime.fromisoformat(f"{head}+00:00").timestamp()) * _NS + int(fraction.ljust(9, "0")[:9] or 0)


def stamp(nanoseconds: int) -> str:
    """And back."""
    seconds, rest = divmod(nanoseconds, _NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
