"""The question "is it us?": asked only where our own link could be to blame, and believed."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from vigie.core.model import Cause, CheckResult, Status
from vigie.probes import Guarded

FAR, NEAR = "shop.example", "127.0.0.1"


@dataclass
class Found:
    """A probe that finds this, and a link with this fault; counts how often the link was asked."""

    cause: Cause | None
    fault: Cause | None = None
    address: str | None = None
    asked: int = 0
    timeouts: list[int] = field(default_factory=list)

    async def check(self, timeout_ms: int) -> CheckResult:
        self.timeouts.append(timeout_ms)
        status = Status.UP if self.cause is None else Status.DOWN
        return CheckResult("", 7, status, self.cause, "as found", address=self.address, figures={"detail": "kept"}, advice=("old advice",))

    @property
    def deps(self) -> Any:
        return SimpleNamespace(link=ToldLink(self))


@dataclass
class ToldLink:
    """Vigie's own link, with the fault that a test says."""

    found: Found

    async def fault(self, *_: object) -> Cause | None:
        self.found.asked += 1
        return self.found.fault


DOUBTFUL = [
    Cause.DNS_NXDOMAIN, Cause.DNS_SERVFAIL, Cause.DNS_REFUSED, Cause.DNS_TIMEOUT, Cause.DNS_NO_ANSWER, Cause.TCP_UNREACHABLE,
    Cause.TIMEOUT_CONNECT, Cause.ICMP_TIMEOUT,
]  # fmt: skip


@pytest.mark.parametrize("cause", list(Cause))
async def test_only_what_a_broken_link_would_cause_as_well_is_put_to_it(cause: Cause) -> None:
    found = Found(cause, Cause.PROBE_NETWORK)
    result = await Guarded(found, FAR, found.deps).check(900)

    assert found.asked == (1 if cause in DOUBTFUL else 0)
    assert result.cause is (Cause.PROBE_NETWORK if cause in DOUBTFUL else cause)
    assert found.timeouts == [900]


async def test_a_good_check_is_not_questioned() -> None:
    found = Found(None, Cause.PROBE_NETWORK)

    assert (await Guarded(found, FAR, found.deps).check(900)).status is Status.UP
    assert found.asked == 0


@pytest.mark.parametrize(("fault", "words"), [(Cause.PROBE_NETWORK, "no way out"), (Cause.PROBE_RESOLVER, "resolver fails")])
async def test_a_fault_of_our_own_is_unknown_and_says_what_was_found(fault: Cause, words: str) -> None:
    found = Found(Cause.TIMEOUT_CONNECT, fault)
    result = await Guarded(found, FAR, found.deps).check(900)

    assert (result.status, result.cause) == (Status.UNKNOWN, fault)
    assert words in result.message
    assert "(as found)" in result.message
    assert "nobody is paged" in result.advice[0]
    assert result.figures == {"detail": "kept"}


async def test_a_link_that_works_acquits_nobody_else() -> None:
    found = Found(Cause.TIMEOUT_CONNECT)
    result = await Guarded(found, FAR, found.deps).check(900)

    assert (result.status, result.cause, result.message) == (Status.DOWN, Cause.TIMEOUT_CONNECT, "as found")


@pytest.mark.parametrize(
    ("host", "address", "asked"),
    [
        (NEAR, None, 0),
        (FAR, "10.0.0.7", 0),
        (FAR, "93.184.215.14", 1),
        ("nas.local", None, 0),
        ("localhost", None, 0),
        (NEAR, "93.184.215.14", 1),
    ],
)
async def test_what_is_near_needs_no_way_out(host: str, address: str | None, asked: int) -> None:
    found = Found(Cause.TIMEOUT_CONNECT, Cause.PROBE_NETWORK, address)
    await Guarded(found, host, found.deps).check(900)

    assert found.asked == asked
