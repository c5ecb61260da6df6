"""What a message of the stream of results holds; one that cannot be read is said once in a while, skipped, and holds nobody up."""

import logging
import time
from typing import Final

from vigie.fleet.batches import MAX_BYTES, MAX_RESULTS, PackedBatch, decode
from vigie.fleet.subjects import origin_of
from vigie.net.nats.connection import Message
from vigie.net.nats.encoding import unpacked

log = logging.getLogger("vigie.bus")

_QUIET_SECONDS: Final = 60.0
_MAX_SENDERS: Final = 10_000
_MAX_SAID: Final = 200


class Reader:
    """Decodes messages."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def read(self, message: Message) -> tuple[PackedBatch | None, int]:
        """The batch of a message, which is what its subject says, and its size; None for anything else."""
        size = len(message.data)
        try:
            body = unpacked(message.headers, message.data, MAX_BYTES)
            size = len(body)
            return _batch(message.subject, body), size
        except ValueError as error:
            self._skip(message.subject, error)
            return None, size

    def _skip(self, subject: str, error: ValueError) -> None:
        """By whose subject it is, not by the whole of it: a login may publish to as many of its own as it likes."""
        now, sender = time.monotonic(), ".".join(subject.split(".")[2:])
        if now - self._said.get(sender, -_QUIET_SECONDS) >= _QUIET_SECONDS:
            if len(self._said) >= _MAX_SENDERS:
                self._said.clear()
            self._said[sender] = now
            log.error("a message of %s is not a batch and is skipped: %s", _line(subject), _line(str(error)))


def _batch(subject: str, body: bytes) -> PackedBatch:
    """Raises ValueError for what is not one, and for one that is not what its subject says: permissions are about subjects."""
    origin = origin_of(subject)
    batch = decode(body)
    if (batch.shard, batch.location, batch.agent) != origin:
        raise ValueError(f"it is about shard {batch.shard}, {batch.agent} at {batch.location}, which its subject does not say")
    if not len(batch.whole) <= batch.count <= MAX_RESULTS:
        raise ValueError(f"it has {batch.count} results, {len(batch.whole)} of them whole")
    return batch


def _line(text: str) -> str:
    """What somebody else wrote, as part of a line of the log."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text[:_MAX_SAID])
