"""Channels: one file or package each, found by its name; `kit` holds what they share."""

from dataclasses import dataclass

from vigie.net import DIRECT, Proxies
from vigie.ports import Clock

TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class NotifierDeps:
    """What channels are built with.

    `hostname` is the name of this machine, `ca_file` the trust store (None: the system's), `proxies` how web addresses are reached.
    """

    clock: Clock
    hostname: str
    ca_file: str | None = None
    timeout_seconds: float = TIMEOUT_SECONDS
    proxies: Proxies = DIRECT
