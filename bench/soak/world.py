"""What the tables of servers are built with: where they listen, their certificates, and how a monitor gets an address of its own."""

import contextlib
import datetime as dt
import math
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from bench.soak.plan import Group, Monitor, is_down
from vigie.testing.servers import Handler, serving

ZONE = "soak.test"
EVERYWHERE = "0.0.0.0"  # each monitor has an address of 127.0.0.0/8 of its own: eight checks of one host at a time is Vigie's limit


@dataclass(slots=True)
class World:
    """The servers of one process. `began` is the epoch of the script, set once it begins; `stack` closes what was opened."""

    folder: Path
    seconds: float
    network: int  # second number of the addresses, so that two worlds share none
    stack: contextlib.AsyncExitStack
    monitors: list[Monitor] = field(default_factory=list)
    resolver: str = ""
    began: float = math.inf
    _authority: trustme.CA = field(default_factory=trustme.CA)

    def __post_init__(self) -> None:
        self._authority.cert_pem.write_to_path(str(self.ca_file))

    @property
    def ca_file(self) -> Path:
        """The authority of this world."""
        return self.folder / f"authority-{self.network}.pem"

    def address(self) -> str:
        """One that no monitor has yet."""
        number = len(self.monitors)
        return f"127.{self.network}.{number // 250}.{number % 250 + 1}"

    def add(self, group: Group, kind: str, keys: dict[str, Any], expected: str = "up") -> str:
        """One monitor more; its name, which for `type: dns` is the one that is asked for."""
        zone = f".{ZONE}" if keys.get("type") == "dns" else ""
        self.monitors.append(Monitor(f"{group}-{len(self.monitors):04d}-{kind}{zone}", group, keys, expected))
        return self.monitors[-1].name

    async def listen(self, handler: Handler, context: ssl.SSLContext | None = None) -> int:
        """A server on every address of this machine; its port."""
        return await self.stack.enter_async_context(serving(handler, context, host=EVERYWHERE))

    def context(self, *names: str, days: float = 200, begins: float = -30, trusted: bool = True) -> ssl.SSLContext:
        """A server's side of TLS, for every name of the zone by default."""
        now = dt.datetime.now(dt.UTC)
        issuer = self._authority if trusted else trustme.CA()
        after, before = now + dt.timedelta(days=days, minutes=5), now + dt.timedelta(days=begins)
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issuer.issue_cert(*(names or (f"*.{ZONE}", ZONE)), not_before=before, not_after=after).configure_cert(made)
        return made

    def outage(self, number: int) -> Callable[[], bool]:
        """Whether the scripted monitor of this number is down now."""
        return lambda: is_down(number, time.time() - self.began, self.seconds)
