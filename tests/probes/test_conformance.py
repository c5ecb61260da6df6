"""Every kind of check that is installed keeps every law; a new file under `probes/` is found by itself."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from vigie import plugins
from vigie.core.model import Cause, CheckResult, Status
from vigie.probes import tcp
from vigie.testing.probe_suite import APART, LAWS, SECRET, WITHOUT_SERVER, Rig, make_deps, open_rig, told

# Each kind with each law, those left out that need a server where none can be met (APART says why).
PAIRS = [(kind, law) for kind in plugins.kinds("probes") for law in LAWS if kind not in APART or law in WITHOUT_SERVER]


@pytest.mark.parametrize(("kind", "law"), PAIRS)
async def test_a_probe_keeps_the_law(kind: str, law: str) -> None:
    async with open_rig(kind) as rig:
        await LAWS[law](rig)


def test_whoever_stands_apart_says_why() -> None:
    assert all(reason for reason, _ in APART.values())
    assert {"http", "tcp", "tls", "dns", "domain"}.isdisjoint(APART)


class Bad:
    """A probe that breaks a law."""

    def __init__(self, fault: str) -> None:
        self.fault = fault

    async def check(self, timeout_ms: int) -> CheckResult:
        if self.fault == "raises":
            raise OSError("no")
        if self.fault == "late":
            await asyncio.sleep(timeout_ms / 1000 + 0.3)  # slow: as it should not be
        if self.fault == "blocks":
            time.sleep(timeout_ms / 1000 + 0.3)  # noqa: ASYNC251 - it is what it should not do  # slow: the same, and the loop with it
        if self.fault == "leaves a task":
            self.task = asyncio.get_running_loop().create_task(asyncio.Event().wait())
        if self.fault == "fills the memory":
            self.data = bytearray(20_000_000)
        if self.fault == "tells secrets":
            return result(message=f"no: {SECRET}")
        return result() if self.fault != "is always up" else result(status=Status.UP, cause=None)


def result(**values: Any) -> CheckResult:
    usual: dict[str, Any] = {"status": Status.DOWN, "cause": Cause.TCP_REFUSED, "message": "no"}
    return CheckResult("", 0, **{**usual, **values})


@pytest.mark.parametrize(
    ("fault", "law"),
    [
        ("raises", "silent"),
        ("late", "silent"),
        ("blocks", "resetting"),
        ("leaves a task", "nothing left"),
        ("fills the memory", "memory"),
        ("tells secrets", "secrets"),
        ("is always up", "refused"),
    ],
)
async def test_a_probe_that_breaks_a_law_is_caught(fault: str, law: str) -> None:
    module = SimpleNamespace(Config=tcp.Config, build=lambda *_: Bad(fault))
    rig = Rig("tcp", module, lambda port: {"host": "127.0.0.1", "port": port})

    with pytest.raises((AssertionError, OSError)):
        await LAWS[law](rig)


@pytest.mark.parametrize(
    "bad",
    [
        result(message=""),
        result(message="two\nlines"),
        result(message="x" * 501),
        result(figures={"got": "x" * 400}),
        result(figures={"got": "\x07"}),
        result(figures={str(number): number for number in range(40)}),
        result(cause=None),
        result(status=Status.UNKNOWN),
        result(cause=Cause.PROBE_ERROR),
        result(status=Status.UP),
    ],
)
def test_a_result_that_tells_too_much_or_too_little_is_caught(bad: CheckResult) -> None:
    with pytest.raises(AssertionError):
        told(bad)


async def test_a_kind_says_how_to_aim_it() -> None:
    config = SimpleNamespace(__struct_fields__=("what",))
    by_example = SimpleNamespace(Config=tcp.Config, build=tcp.build, example=lambda port: {"host": "localhost", "port": port})

    async with open_rig("mine", by_example) as rig:
        assert rig.config(5).host == "localhost"
    with pytest.raises(AssertionError, match="mine: say in probe_suite"):
        async with open_rig("mine", SimpleNamespace(Config=config)):
            pass
    make_deps().close()
