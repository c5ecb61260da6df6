"""Channels: one file or package each, found by its name; `kit` holds what they share."""

from dataclasses import dataclass

from vigie.ports import Clock

TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class NotifierDeps:
    """What channels are built with; `hostname` is how this machine greets a mail server, `ca_file` the trust store (None: the system's)."""

    clock: Clock
    hostname: str
    ca_file: str | None = None
    timeout_seconds: float = TIMEOUT_SECONDS
