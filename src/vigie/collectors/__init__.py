"""The second look on a first failure: one file per kind of evidence, all of them optional, bounded and in parallel."""

import ipaddress
from dataclasses import dataclass

from vigie.net import Link, Resolver
from vigie.ports import Clock

SOURCE = "second look"


@dataclass(frozen=True, slots=True)
class CollectorDeps:
    """What collectors are built with; `second_resolver` is `IP[:PORT]`, or None when none is configured."""

    clock: Clock
    resolver: Resolver
    link: Link
    second_resolver: str | None = None


def is_address(host: str) -> bool:
    """Whether a host is written as an address, so that there is no name to resolve."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
