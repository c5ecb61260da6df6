"""The port of a kind of check, and what the engine must know of one."""

from dataclasses import dataclass
from typing import Protocol

from vigie.core.model import CheckResult


class Probe(Protocol):
    """One monitor's way of looking. Never raises for the target's fault."""

    async def check(self, timeout_ms: int) -> CheckResult:
        """Look once, within `timeout_ms` in all; `monitor`, `location`, `run` and `sequence` of the result are filled in by the caller."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What the engine must know of a kind of check. A kind that differs from these defaults declares its own as `TRAITS`.

    - `passive`: it reports in by itself, whenever it likes: no agent checks it. Its Config has a `token` and `expected()`.
    - `conclusive`: one result is proof, so `confirm` and `recover` do not apply.
    - `network`: its failures may be those of this machine's own network, which is examined before the target is blamed.
    - `tcp`: its target is a TCP port, so the other addresses of its name can be tried by connecting to them. The Config of a kind where
      this depends on the monitor says so with the property `over_tcp`.
    - `every_ms`: the interval of a monitor that sets none; None for that of all monitors.
    - `programs`: it runs programs of this machine, so that the configuration file alone can ask for it: no page, no API.
    - `requires`: the modules that Vigie does not bring along; for kinds of our own they are in the extra of the kind's name.
    """

    passive: bool = False
    conclusive: bool = False
    network: bool = True
    tcp: bool = True
    every_ms: int | None = None
    programs: bool = False
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps an adapter from its work on this machine, found without the network by its optional `verify(config)`.

    `key` is the key of its Config that is at fault, dotted (`steps.1.proxy`); empty for all of it. Where it is not `certain`, it depends
    on what may differ when Vigie runs: the user, mostly.
    """

    key: str
    message: str
    fix: str = ""
    certain: bool = True
