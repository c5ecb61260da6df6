"""Which incidents have one cause in common, by what was observed: their ties. What is a tie of what is in observation/place.py.

Laws
1. A tie says where a failure was seen and what failed there. Two incidents may be one alert only where they have a tie in common, so two
   failures for unrelated reasons at one place are two alerts.
2. The ties of an alert are those of the incident that began it: every member has one of them, and no chain of neighbours grows.
3. How long a tie holds after an alert last grew is a matter of its kind: the less it proves, the shorter. Whoever fails later begins an
   alert of its own: one notice too many rather than a failure that nobody hears of. A monitor that was a member already joins again.
4. On this machine itself (loopback) an address says nothing, because it can always be reached: there a place is an address and a port.
5. What expires has no ties: it is announced by steps (expiry.py).
"""

from dataclasses import dataclass
from enum import StrEnum

from vigie.core.unchecked import NUMBER

_MINUTE, _HOUR = 60_000, 3_600_000


class TieKind(StrEnum):
    """What two failures have in common. In the order in which a common cause is looked for."""

    ADDRESS = "address"  # it takes no connection, or not at this port
    CERTIFICATE = "certificate"
    HOST = "host"
    RESOLVER = "resolver"  # the DNS server that a monitor asks
    OBSTACLE = "obstacle"  # what keeps Vigie from checking
    MACHINE = "machine"  # an address where one thing refuses and another is silent
    UPSTREAM = "upstream"  # a server that answers for others: a proxy, a CDN, a shared host
    ZONE = "zone"
    PARENT = "parent"  # what both depend on, as the configuration says
    NETWORK = "network"  # the /24 or /48 around an address


WINDOW_MS = {
    TieKind.ADDRESS: _HOUR,
    TieKind.CERTIFICATE: _HOUR,
    TieKind.HOST: _HOUR,
    TieKind.RESOLVER: _HOUR,
    TieKind.OBSTACLE: None,
    TieKind.MACHINE: 5 * _MINUTE,
    TieKind.UPSTREAM: 2 * _MINUTE,
    TieKind.ZONE: 5 * _MINUTE,
    TieKind.PARENT: 5 * _MINUTE,
    TieKind.NETWORK: _MINUTE,
}  # law 3; None: as long as the alert is open


@dataclass(frozen=True, slots=True)
class Tie:
    """One thing that a failure may have in common with another: where (`value`), and what failed there."""

    kind: TieKind
    value: str
    failure: str = ""

    def holds(self, at: int, grew_at: int) -> bool:
        """Whether an incident that opens at `at` is still of an alert that last grew at `grew_at`, both epoch ms."""
        window = WINDOW_MS[self.kind]
        return window is None or at - grew_at <= window


def obstacle(reason: str) -> Tie:
    """What keeps Vigie from checking: monitors that cannot be checked for one reason, but for the numbers in it."""
    return Tie(TieKind.OBSTACLE, NUMBER.sub("#", reason))


def depends(parent: str) -> Tie:
    """What those who depend on a monitor have in common with it."""
    return Tie(TieKind.PARENT, parent)
