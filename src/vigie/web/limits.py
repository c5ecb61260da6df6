"""How often somebody may try: counted by address, by account and by both, in memory that is bounded.

A lock ends by itself, within a quarter of an hour, and whoever logged in from an address lately is not locked out there by others.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_KEPT = 20_000
_V6_NETWORK = 64


@dataclass(frozen=True, slots=True)
class Limit:
    """After `free` failures within `within_s`, one more attempt only after a wait that doubles from `wait_s` up to `longest_s`."""

    free: int
    wait_s: float
    within_s: float = 900.0
    longest_s: float = 900.0


BY_BOTH = Limit(5, 15.0)  # an account from an address
BY_ADDRESS = Limit(20, 15.0)
BY_ACCOUNT = Limit(50, 5.0, longest_s=60.0)  # an account from everywhere else: slow enough for guesses, short enough for people
TOKENS = Limit(30, 5.0, longest_s=300.0)
CODES = Limit(5, 15.0)


@dataclass(slots=True)
class _Count:
    failures: int = 0
    last: float = 0.0
    until: float = 0.0


class Limiter:
    """Counts failures by key."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._counts: OrderedDict[tuple[str, ...], _Count] = OrderedDict()

    def wait(self, *keys: tuple[str, ...]) -> int:
        """Seconds until the next attempt is heard, at least 1; 0 where it is heard now."""
        now = self._monotonic()
        left = max((self._counts[key].until - now for key in keys if key in self._counts), default=0.0)
        return 0 if left <= 0 else max(int(left + 0.999), 1)

    def failed(self, limit: Limit, key: tuple[str, ...]) -> None:
        """An attempt that failed."""
        now = self._monotonic()
        count = self._counts.pop(key, _Count())
        if now - max(count.last, count.until) > limit.within_s:
            count = _Count()
        count.failures, count.last = count.failures + 1, now
        over = count.failures - limit.free
        if over >= 0:
            count.until = now + min(limit.wait_s * 2.0 ** min(over, 20), limit.longest_s)
        self._counts[key] = count
        while len(self._counts) > _KEPT:
            self._counts.popitem(last=False)

    def forget(self, *keys: tuple[str, ...]) -> None:
        """It succeeded."""
        for key in keys:
            self._counts.pop(key, None)

    def __len__(self) -> int:
        """How many keys are counted."""
        return len(self._counts)


def place_of(address: str) -> str:
    """Who shares a limit: an IPv4 address, or a network of IPv6."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, _V6_NETWORK), strict=False))
    return str(found)
