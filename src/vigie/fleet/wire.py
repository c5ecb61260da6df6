"""What an agent and a server say to each other, whatever carries it: msgpack, each message tagged by its name.

A field that is added has a default, and unknown fields are ignored, so that versions mix; `PROTOCOL` rises when that is not enough.
Secrets travel as they are, marked as such: every carrier is encrypted, or of this machine alone.
"""

from typing import Final

import msgspec

from vigie.net import Secret
from vigie.observation.check_spec import CheckSpec

PROTOCOL: Final = 1  # of messages and of batches; who says hello with a lower one is answered in that one
_SECRET = 1  # extension type of msgpack


class Hello(msgspec.Struct, tag=True, frozen=True):
    """An agent introduces itself, and says now and then how it is.

    `agent` and `location` are empty where it has not been told them yet: its credentials say who it is. `spool` is the number of its
    spool, 0 for a new one. `at` is its clock when it sent this, epoch ms. `spooled` batches wait there, the oldest since `spooled_since`.
    `late_ms` is the p99 of how late its checks start.
    """

    agent: str
    location: str
    version: str
    spool: int
    at: int
    protocol: int = PROTOCOL
    monitors: int = 0
    spooled: int = 0
    spooled_since: int | None = None
    late_ms: int | None = None


class Welcome(msgspec.Struct, tag=True, frozen=True):
    """The server's answer: its clock, the protocol that both speak, the number of this location in packed results, and that of the spool.

    A new spool gets one that is larger than any before it; it is kept in there, so that an agent may start while it is cut off.
    `agent` and `place` are the names of the agent and of its location, by its credentials. `evaluates`: this server does, or there is no
    other one; `takes`: batches may be handed over to it, if only for the one that does. An agent that knows several servers goes by them.
    """

    at: int
    version: str
    protocol: int
    location: int
    spool: int
    agent: str = ""
    place: str = ""
    evaluates: bool = True
    takes: bool = True


class ShardWork(msgspec.Struct, frozen=True):
    """What one agent is to check of one shard. `run` is that of its results: larger than any that this shard had at this location.

    `numbers` are those that packed results have for the monitors of `specs`, in their order.
    """

    shard: int
    run: int
    specs: list[CheckSpec]
    numbers: list[int]


class Work(msgspec.Struct, tag=True, frozen=True):
    """These shards are as they are here from now on; one without specs is this agent's no longer.

    `whole`: and there are no others, and every monitor is checked at its own interval until a Pace says otherwise.
    """

    epoch: int
    shards: list[ShardWork]
    whole: bool = False
    control: list[str] = []  # how it is found out whether the agent's own link works
    second_resolver: str | None = None


class Pace(msgspec.Struct, tag=True, frozen=True):
    """Check a monitor every `every_ms`, or at its own interval again (None)."""

    monitor: str
    every_ms: int | None


class CheckNow(msgspec.Struct, tag=True, frozen=True):
    """Check a monitor once, out of turn."""

    monitor: str


Order = Work | Pace | CheckNow
Message = Hello | Welcome | Work | Pace | CheckNow


def encode(message: Message) -> bytes:
    """As it travels."""
    return msgspec.msgpack.encode(message, enc_hook=sealed)


def decode(body: bytes) -> Message:
    """And back. Raises ValueError for anything that is not a message."""
    try:
        message: Message = msgspec.msgpack.decode(body, type=Message, ext_hook=unsealed)
    except RecursionError:
        raise ValueError("a message of lists within lists") from None
    return message


def sealed(value: object) -> msgspec.msgpack.Ext:
    """A secret as it travels, marked as such."""
    if isinstance(value, Secret):
        return msgspec.msgpack.Ext(_SECRET, value.reveal().encode("utf-8", "surrogatepass"))
    raise TypeError(f"{type(value).__name__} does not travel")


def unsealed(code: int, data: memoryview) -> Secret:
    """And back. Raises ValueError for another mark."""
    if code != _SECRET:
        raise ValueError(f"an extension {code}")
    return Secret(bytes(data).decode("utf-8", "surrogatepass"))
