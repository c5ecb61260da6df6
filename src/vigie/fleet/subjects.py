"""How results, work and orders are addressed on NATS: subjects, keys, message ids, and what an agent is allowed to use of them.

Every subject of an agent ends in its location and its name, so that the permissions of a NATS user can hold it to its own.
"""

from typing import Final, NamedTuple

import msgspec
import xxhash

from vigie.fleet.shards import SHARDS

RESULTS: Final = "VIGIE_RESULTS"  # the stream
RESULT_SUBJECTS: Final = "res.*.*.*"
WORK: Final = "vigie-work"  # the key-value bucket
WORK_STREAM: Final = f"KV_{WORK}"
HELLO_SUBJECTS: Final = "vigie.hello.*.*"
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_ESCAPE: Final = "="


class Sender(NamedTuple):
    """Whose a subject is."""

    location: str
    agent: str


class Origin(NamedTuple):
    """What the subject of a batch says of it."""

    shard: int
    location: str
    agent: str


class _Named(msgspec.Struct, frozen=True, array_like=True):
    """The fields of a PackedBatch that name it; the others are skipped."""

    agent: str
    location: str
    shard: int
    spool: int
    sequence: int


_NAMED = msgspec.msgpack.Decoder(_Named)


def token(name: str) -> str:
    """A name as one token of a subject, or of a key: letters and digits of ASCII, `_` and `-`; anything else as `=XX`, as in `=C3=A9`."""
    if not name:
        return _ESCAPE
    return "".join(one if one in _PLAIN else _escaped(one) for one in name)


def _escaped(char: str) -> str:
    return "".join(f"{_ESCAPE}{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))


def name_of(part: str) -> str:
    """And back. Raises ValueError for what `token` never gives."""
    first, *others = part.split(_ESCAPE)
    if part == _ESCAPE:
        return ""
    found = first.encode()
    for one in others:
        found += bytes.fromhex(one[:2]) + one[2:].encode()
    name = found.decode("utf-8", "surrogatepass")
    if token(name) != part:
        raise ValueError(f"{part!r} is not a name")
    return name


def result_subject(shard: int, location: str, agent: str) -> str:
    """Where an agent publishes its batches of a shard."""
    return f"res.{shard}.{token(location)}.{token(agent)}"


def origin_of(subject: str) -> Origin:
    """Whose a batch is by its subject. Raises ValueError for one that is not of a batch."""
    parts = subject.split(".")
    if len(parts) != 4 or parts[0] != "res" or not parts[1].isdecimal() or int(parts[1]) >= SHARDS:
        raise ValueError(f"{subject!r} is not the subject of a batch")
    return Origin(int(parts[1]), name_of(parts[2]), name_of(parts[3]))


def addressed(blob: bytes) -> tuple[str, str]:
    """(subject, message id) of an encoded batch. Raises ValueError for anything else.

    The id is the same whenever the batch is sent again. It depends on every byte of it, so that nobody else can send something under it
    first: the server would then take the batch for a repetition.
    """
    named = _NAMED.decode(memoryview(blob)[1:])
    numbers = f"{token(named.agent)}.{named.shard}.{named.spool}.{named.sequence}"
    return result_subject(named.shard, named.location, named.agent), f"{numbers}.{xxhash.xxh64_hexdigest(blob)}"


def work_subject(location: str, agent: str, part: int | str) -> str:
    """Where a document of an agent is written, a shard or one of `fleet.documents`: its key, as the bucket's stream has it."""
    return f"$KV.{WORK}.{token(location)}.{token(agent)}.{part}"


def work_subjects(location: str, agent: str) -> str:
    """All documents of an agent."""
    return work_subject(location, agent, ">")


def owner_of(subject: str) -> Sender:
    """Whose document is written there. Raises ValueError."""
    _, _, location, agent, _ = subject.split(".", 4)
    return Sender(name_of(location), name_of(agent))


def watcher(location: str, agent: str) -> str:
    """The name of the consumer by which an agent follows its work: the only one that its permissions let it use."""
    return f"{token(location)}_{xxhash.xxh64_hexdigest(location.encode() + bytes(1) + agent.encode())}"


def hello_subject(location: str, agent: str) -> str:
    """Where an agent introduces itself."""
    return f"vigie.hello.{token(location)}.{token(agent)}"


def order_subject(location: str, agent: str) -> str:
    """Where an agent hears what is to be done at once."""
    return f"vigie.order.{token(location)}.{token(agent)}"


def sender_of(subject: str) -> Sender:
    """Whose a subject is that ends in location and agent. Raises ValueError."""
    *_, location, agent = subject.split(".")
    return Sender(name_of(location), name_of(agent))


def inbox(location: str, agent: str) -> str:
    """What the subjects of answers to an agent begin with: with the usual `_INBOX`, each could read what others are answered."""
    return f"_INBOX.{token(location)}.{token(agent)}"


class Permissions(NamedTuple):
    """What a user of NATS may publish and subscribe to; nothing else."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def permissions(location: str, agent: str) -> Permissions:
    """All that an agent needs: it reports for itself and reads its own work, and whoever steals its credentials can do no more."""
    name = watcher(location, agent)
    return Permissions(
        (
            f"res.*.{token(location)}.{token(agent)}",
            hello_subject(location, agent),
            f"$JS.API.CONSUMER.CREATE.{WORK_STREAM}.{name}.{work_subjects(location, agent)}",
            f"$JS.API.CONSUMER.DELETE.{WORK_STREAM}.{name}",
            f"$JS.API.CONSUMER.MSG.NEXT.{WORK_STREAM}.{name}",
        ),
        (order_subject(location, agent), f"{inbox(location, agent)}.>"),
    )
