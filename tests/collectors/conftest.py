"""What collectors are tested with: a resolver and a link that answer as told, and a subject about a service on loopback."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from vigie.clock import SystemClock
from vigie.collectors import CollectorDeps
from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Status
from vigie.net import Answer
from vigie.report.facts import Subject


@dataclass
class ToldResolver:
    """Answers by server (None: the system's); a server that is not listed times out."""

    answers: dict[str | None, Answer]
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    zone: tuple[str, tuple[str, ...]] = ("", ())

    async def resolve(self, host: str, *, timeout_ms: int = 5_000, server: str | None = None) -> Answer:
        self.asked.append((host, server))
        return self.answers.get(server, Answer((), Cause.DNS_TIMEOUT, float(timeout_ms), server))

    async def zone_servers(self, host: str, *, timeout_ms: int = 2_000) -> tuple[str, tuple[str, ...]]:
        return self.zone


@dataclass
class ToldLink:
    """A link with the given fault."""

    cause: Cause | None = None
    has_targets: bool = True
    asked: int = 0

    async def fault(self) -> Cause | None:
        self.asked += 1
        return self.cause


@pytest.fixture
def deps() -> Callable[..., CollectorDeps]:
    """Collector dependencies with a told resolver and link."""

    def make(
        answers: dict[str | None, Answer] | None = None,
        *,
        link: ToldLink | None = None,
        second: str | None = None,
        zone: tuple[str, tuple[str, ...]] = ("", ()),
        **more: Any,
    ) -> CollectorDeps:
        resolver: Any = ToldResolver(answers or {}, zone=zone)
        told: Any = link or ToldLink()
        return CollectorDeps(SystemClock(), resolver, told, second, **more)

    return make


@pytest.fixture
def link() -> Callable[..., ToldLink]:
    """A link with a fault, or without control targets."""
    return ToldLink


@pytest.fixture
def subject() -> Callable[..., Subject]:
    """A failed check of a target; keywords are fields of the result."""

    def make(target: str = "https://shop.example/", host: str = "shop.example", good: CheckResult | None = None, **result: Any) -> Subject:
        monitor = Monitor("shop", "Shop", "http", target, host, 30_000, 5_000)
        incident = Incident("shop-1", "shop", Severity.OUTAGE, Cause.TCP_REFUSED, 0, 0)
        return Subject(monitor, incident, CheckResult("shop", 0, Status.DOWN, Cause.TCP_REFUSED, **result), good)

    return make
