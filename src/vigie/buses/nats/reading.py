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
_MAX_SUBJECTS: Final = 10_000


class Reader:
    """Decodes messages. `skipped` is how many could not be."""

    def __init__(self) -> None:
        self.skipped = 0
        self._said: dict[str, float] = {}

    def read(self, message: Message) -> PackedBatch | None:
        """The batch of a message, which is what its subject says; None for anything else."""
        try:
            return _batch(message)
        except ValueError as error:
            self._skip(message.subject, error)
            return None

    def _skip(self, subject: str, error: ValueError) -> None:
        self.skipped += 1
        now = time.monotonic()
        if now - self._said.get(subject, -_QUIET_SECONDS) >= _QUIET_SECONDS:
            if len(self._said) >= _MAX_SUBJECTS:
                self._said.clear()
            self._said[subject] = now
            log.error("a message of %s is not a batch and is skipped: %s", subject, error)


def _batch(message: Message) -> PackedBatch:
    """Raises ValueError for what is not one, and for one that is not what its subject says: permissions are about subjects."""
    origin = origin_of(message.subject)
    batch = decode(unpacked(message.headers, message.data, MAX_BYTES))
    if (batch.shard, batch.location, batch.agent) != origin:
        raise ValueError(f"it is about shard {batch.shard}, {batch.agent} at {batch.location}, which its subject does not say")
    if not 0 <= batch.count <= MAX_RESULTS:
        raise ValueError(f"it has {batch.count} results")
    return batch
